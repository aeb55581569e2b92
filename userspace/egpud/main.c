// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpud - the helper that a removal of an external GPU waits for
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <syslog.h>

#include "../common/text.h"
#include "egpud.h"

/**
 * struct options - what the command line says
 * @level: of the log
 * @check: only check the configuration
 * @crash: die at this step, 0 for never
 * @daemon: gets the rest
 */
struct options {
	int level;
	bool check;
	unsigned int crash;
	struct daemon *daemon;
};

enum {
	OPTION_CONFIG = 256,
	OPTION_CHECK,
	OPTION_RUN_DIR,
	OPTION_CRASH,
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check-config", no_argument, NULL, OPTION_CHECK },
	{ "run-dir", required_argument, NULL, OPTION_RUN_DIR },
	{ "crash-at", required_argument, NULL, OPTION_CRASH },
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
	      "      --config FILE      what is to happen to programs (" POLICY_PATH
	      ")\n"
	      "      --check-config     check the configuration and end\n"
	      "      --run-dir DIR      where the journal is (" DAEMON_RUN_DIR
	      ")\n"
	      "      --crash-at N       for tests: die right before step N\n"
	      "  -l, --log-level LEVEL  error, warning, notice, info (default) or debug\n"
	      "  -h, --help             show this help\n"
	      "  -V, --version          show the version\n"
	      "\nIs to be run by root. See egpud(8).\n",
	      stdout);
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "egpud: %s '%s'\nTry 'egpud --help'.\n", what, word);
	return 2;
}

static int take_crash(struct options *opt, const char *text)
{
	uint64_t step;

	if (!text_to_uint(text, UINT_MAX, &step) || !step)
		return usage("--crash-at takes a number from 1, not", text);
	opt->crash = (unsigned int)step;
	return -1;
}

/* Returns -1 to go on, else an exit code. */
static int take_option(struct options *opt, int letter, char **argv)
{
	switch (letter) {
	case OPTION_CONFIG:
		opt->daemon->config_path = optarg;
		return -1;
	case OPTION_CHECK:
		opt->check = true;
		return -1;
	case OPTION_RUN_DIR:
		opt->daemon->run_dir = optarg;
		return -1;
	case OPTION_CRASH:
		return take_crash(opt, optarg);
	case 'l':
		opt->level = log_level_of(optarg);
		if (opt->level < 0)
			return usage("there is no log level", optarg);
		return -1;
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

static int parse_options(int argc, char **argv, struct options *opt)
{
	int letter, code;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, "l:hV", options, NULL)) != -1) {
		code = take_option(opt, letter, argv);
		if (code >= 0)
			return code;
	}
	if (optind < argc)
		return usage("no arguments are taken, so not", argv[optind]);
	return -1;
}

static int check_config(const char *path)
{
	struct policy_config config;
	char error[512];

	if (policy_load(path, &config, error, sizeof(error))) {
		fprintf(stderr, "egpud: %s\n", error);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct daemon daemon = {
		.open = egpu_open,
		.now = daemon_clock,
		.roots = &usage_roots_here,
		.run_dir = DAEMON_RUN_DIR,
		.config_path = POLICY_PATH,
		.lacks = rights_missing(),
		.journal = JOURNAL_CLOSED,
	};
	struct options opt = { .level = LOG_INFO, .daemon = &daemon };
	int code, err;

	code = parse_options(argc, argv, &opt);
	if (code >= 0)
		return code;
	if (opt.check)
		return check_config(daemon.config_path);
	log_setup(opt.level);
	crash_at(opt.crash);
	err = daemon_start(&daemon);
	if (!err)
		err = sd_event_loop(daemon.loop);
	daemon_stop(&daemon);
	return err ? 1 : 0;
}
