// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpud - the helper that a removal of an external GPU waits for
 */
#include <getopt.h>
#include <stdio.h>
#include <syslog.h>

#include "egpud.h"

static const struct option options[] = {
	{ "log-level", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	fputs("usage: egpud [OPTIONS]\n\n"
	      "The helper that the removal of an external GPU waits for.\n\n"
	      "Options:\n"
	      "  -l, --log-level LEVEL  error, warning, notice, info (default) or debug\n"
	      "  -h, --help             show this help\n"
	      "  -V, --version          show the version\n"
	      "\nNeeds CAP_NET_ADMIN in the initial network namespace. See egpud(8).\n",
	      stdout);
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "egpud: %s '%s'\nTry 'egpud --help'.\n", what, word);
	return 2;
}

/* Returns -1 to go on, else an exit code. */
static int parse_options(int argc, char **argv, int *level)
{
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, "l:hV", options, NULL)) != -1) {
		switch (letter) {
		case 'l':
			*level = log_level_of(optarg);
			if (*level < 0)
				return usage("there is no log level", optarg);
			break;
		case 'h':
			print_help();
			return 0;
		case 'V':
			printf("egpud %s\n", egpu_version());
			return 0;
		default:
			return usage("unknown option or missing argument",
				     argv[optind - 1]);
		}
	}
	if (optind < argc)
		return usage("no arguments are taken, so not", argv[optind]);
	return -1;
}

int main(int argc, char **argv)
{
	struct daemon daemon = { .open = egpu_open, .policy = &policy_let_go };
	int code, err, level = LOG_INFO;

	code = parse_options(argc, argv, &level);
	if (code >= 0)
		return code;
	log_setup(level);
	err = daemon_start(&daemon);
	if (!err)
		err = sd_event_loop(daemon.loop);
	daemon_stop(&daemon);
	return err ? 1 : 0;
}
