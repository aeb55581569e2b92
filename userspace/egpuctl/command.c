// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command line: verbs, options, help. The man page and the completion are
 * held against these tables by a test.
 */
#include <getopt.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

static const struct ctl_verb verbs[] = {
	{ "list", verb_list, "", "list the GPUs (also without any verb)", 0, 0,
	  0 },
	{ "show", verb_show, "GPU", "show all about one GPU", 1, 1, 0 },
	{ "clients", verb_clients, "[GPU]",
	  "list who holds GPUs and what an eject would do", 0, 1, 0 },
	{ "monitor", verb_monitor, "", "print events as they come", 0, 0, 0 },
	{ "eject", verb_eject, "GPU", "make a GPU safe to unplug", 1, 1,
	  CTL_FORCE | CTL_TIMEOUT | CTL_NO_WAIT },
	{ "cancel", verb_cancel, "COOKIE|GPU", "call an eject off", 1, 1, 0 },
	{ "timeline", verb_timeline, "[COOKIE]",
	  "show how a removal went and what took how long", 0, 1, 0 },
	{ "override", verb_override, "[ADDRESS [auto|external|internal]]",
	  "show or set what hangs on a cable", 0, 2, 0 },
	{ "select", verb_select, "", "choose the device to work on", 0, 0,
	  CTL_EXPLAIN | CTL_BYTES | CTL_NOT },
	{ "checkpoint", verb_checkpoint,
	  "[list|show|verify|export|import|remove [ID] [FILE]]",
	  "look at checkpoints, copy or remove them", 0, 3, CTL_STORE },
	{ "settings", verb_settings, "[KEY=VALUE...]",
	  "show or change the module's settings", 0, -1, 0 },
};

/**
 * struct option_help - an option
 * @letter: short form
 * @name: long form
 * @arg: name of its argument, or NULL
 * @help: what it does
 * @verbs: bit of enum ctl_option, 0 when every verb takes it
 */
struct option_help {
	char letter;
	const char *name;
	const char *arg;
	const char *help;
	unsigned int verbs;
};

static const struct option_help options[] = {
	{ 'j', "json", NULL, "write JSON only, errors included", 0 },
	{ 'f', "force", NULL, "eject although the GPU is in use", CTL_FORCE },
	{ 't', "timeout", "SECONDS", "deadline of the eject", CTL_TIMEOUT },
	{ 'n', "no-wait", NULL, "begin the eject and come back at once",
	  CTL_NO_WAIT },
	{ 'e', "explain", NULL, "show what speaks for each device", CTL_EXPLAIN },
	{ 'b', "bytes", "SIZE", "memory that the work needs", CTL_BYTES },
	{ 'x', "not", "GPU", "a GPU that is no choice", CTL_NOT },
	{ 's', "store", "DIR", "directory of the checkpoints", CTL_STORE },
	{ 'p', "png", "FILE", "show a buffer as a picture", CTL_STORE },
	{ 'u', "buffer", "N", "which buffer that is", CTL_STORE },
	{ 'h', "help", NULL, "show this help", 0 },
	{ 'V', "version", NULL, "show the version", 0 },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))
#define N_VERBS	  (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(struct ctl *ctl)
{
	char left[64];
	size_t i;

	fputs("usage: egpuctl [OPTIONS] [VERB [ARGUMENTS]]\n\n"
	      "Look at external GPUs and eject them.\n\nVerbs:\n",
	      ctl->out);
	for (i = 0; i < N_VERBS; i++) {
		snprintf(left, sizeof(left), "%s %s", verbs[i].name,
			 verbs[i].args);
		if (strlen(left) > 24)
			fprintf(ctl->out, "  %s\n  %-24s %s\n", left, "",
				verbs[i].help);
		else
			fprintf(ctl->out, "  %-24s %s\n", left, verbs[i].help);
	}
	fputs("\nOptions:\n", ctl->out);
	for (i = 0; i < N_OPTIONS; i++) {
		snprintf(left, sizeof(left), "-%c, --%s%s%s", options[i].letter,
			 options[i].name, options[i].arg ? " " : "",
			 options[i].arg ? options[i].arg : "");
		fprintf(ctl->out, "  %-24s %s\n", left, options[i].help);
	}
	fputs("\nA GPU is named by its id (1), its PCI address (0000:07:00.0 or 07:00.0)\n"
	      "or one of its nodes (card1, /dev/dri/renderD129).\n"
	      "A checkpoint is named by its id or the beginning of it.\n"
	      "\nExit codes: 0 done, 1 other failure, 2 usage, 3 not found, 4 in use,\n"
	      "5 not external, 6 permission denied, 7 module not loaded, 8 timed out,\n"
	      "9 cancelled, 10 pulled before the eject had ended.\n"
	      "See egpuctl(1).\n",
	      ctl->out);
}

/* Makes getopt's tables out of ours. */
static void fill_getopt(struct option *longs, char *shorts)
{
	size_t i;

	/* ':' tells a missing argument from an unknown option, and is quiet. */
	*shorts++ = ':';
	for (i = 0; i < N_OPTIONS; i++) {
		longs[i].name = options[i].name;
		longs[i].has_arg = options[i].arg ? required_argument :
						    no_argument;
		longs[i].flag = NULL;
		longs[i].val = options[i].letter;
		*shorts++ = options[i].letter;
		if (options[i].arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
	memset(&longs[N_OPTIONS], 0, sizeof(longs[0]));
}

static int set_timeout(struct ctl *ctl, const char *text)
{
	uint64_t ms;

	if (!text_to_milliseconds(text, EGPU_EJECT_MS_MAX, &ms) || !ms)
		return ctl_usage(ctl,
				 "'%s' is not a time-out: give seconds above 0, at most %d",
				 text, EGPU_EJECT_MS_MAX / 1000);
	ctl->timeout_ms = (uint32_t)ms;
	return EXIT_OK;
}

/* "1073741824", "512M", "1.5" is none. */
static int set_bytes(struct ctl *ctl, const char *text)
{
	static const char units[] = "KMGT";
	size_t len = strlen(text);
	char digits[24] = "";
	const char *unit;
	int shift = 0;

	unit = len ? strchr(units, text[len - 1]) : NULL;
	if (unit) {
		shift = 10 * (1 + (int)(unit - units));
		len--;
	}
	if (len < sizeof(digits))
		memcpy(digits, text, len);
	if (!text_to_uint(digits, UINT64_MAX >> shift, &ctl->bytes))
		return ctl_usage(ctl,
				 "'%s' is not a size: give bytes, or a whole number with K, M, G or T",
				 text);
	ctl->bytes <<= shift;
	return EXIT_OK;
}

static int add_not(struct ctl *ctl, const char *name)
{
	if (ctl->n_excluded == CTL_NOT_MAX)
		return ctl_usage(ctl, "--not can be given %d times at most",
				 CTL_NOT_MAX);
	ctl->excluded[ctl->n_excluded++] = name;
	return EXIT_OK;
}

static int set_buffer(struct ctl *ctl, const char *text)
{
	uint64_t id;

	if (!text_to_uint(text, UINT32_MAX, &id) || !id)
		return ctl_usage(ctl, "'%s' is not the number of a buffer",
				 text);
	ctl->buffer = (uint32_t)id;
	return EXIT_OK;
}

/**
 * struct parsed - the options of a command line
 * @given: bits of enum ctl_option
 * @help: --help
 * @version: --version
 */
struct parsed {
	unsigned int given;
	bool help;
	bool version;
};

static int take_option(struct ctl *ctl, struct parsed *p, int letter,
		       const char *word)
{
	switch (letter) {
	case 'j':
		ctl->json = true;
		return EXIT_OK;
	case 'f':
		ctl->force = true;
		p->given |= CTL_FORCE;
		return EXIT_OK;
	case 't':
		p->given |= CTL_TIMEOUT;
		return set_timeout(ctl, optarg);
	case 'n':
		ctl->no_wait = true;
		p->given |= CTL_NO_WAIT;
		return EXIT_OK;
	case 'e':
		ctl->explain = true;
		p->given |= CTL_EXPLAIN;
		return EXIT_OK;
	case 'b':
		p->given |= CTL_BYTES;
		return set_bytes(ctl, optarg);
	case 'x':
		p->given |= CTL_NOT;
		return add_not(ctl, optarg);
	case 's':
		p->given |= CTL_STORE;
		ctl->store = optarg;
		return EXIT_OK;
	case 'p':
		p->given |= CTL_STORE;
		ctl->png = optarg;
		return EXIT_OK;
	case 'u':
		p->given |= CTL_STORE;
		return set_buffer(ctl, optarg);
	case 'h':
		p->help = true;
		return EXIT_OK;
	case 'V':
		p->version = true;
		return EXIT_OK;
	case ':':
		return ctl_usage(ctl, "the option '%s' needs an argument", word);
	default:
		return ctl_usage(ctl, "there is no option '%s'", word);
	}
}

/* --json first, wherever it stands: also a wrong option is told in JSON. */
static void find_json(struct ctl *ctl, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j"))
			ctl->json = true;
	}
}

static int parse_options(struct ctl *ctl, struct parsed *p, int argc,
			 char **argv)
{
	struct option longs[N_OPTIONS + 1];
	char shorts[2 * N_OPTIONS + 2];
	int letter, code;

	fill_getopt(longs, shorts);
	find_json(ctl, argc, argv);
	/* 0 and not 1, so that glibc forgets an earlier command line. */
	optind = 0;
	opterr = 0;
	for (;;) {
		letter = getopt_long(argc, argv, shorts, longs, NULL);
		if (letter < 0)
			return EXIT_OK;
		code = take_option(ctl, p, letter,
				   argv[optind > 0 ? optind - 1 : 0]);
		if (code)
			return code;
	}
}

static const struct ctl_verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < N_VERBS; i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

/* The first option that was given and that the verb does not take. */
static const char *misplaced(const struct ctl_verb *verb, unsigned int given)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++) {
		if (options[i].verbs & given & ~verb->options)
			return options[i].name;
	}
	return NULL;
}

static int run_verb(struct ctl *ctl, const struct parsed *p, int argc,
		    char **argv)
{
	const char *name = argc ? argv[0] : "list";
	const struct ctl_verb *verb = find_verb(name);
	int n = argc ? argc - 1 : 0;

	if (!verb)
		return ctl_usage(ctl, "there is no verb '%s'", name);
	if (misplaced(verb, p->given))
		return ctl_usage(ctl, "'%s' does not take the option --%s",
				 name, misplaced(verb, p->given));
	if (n < verb->min)
		return ctl_usage(ctl, "'%s' needs an argument: %s", name,
				 verb->args);
	if (verb->max >= 0 && n > verb->max)
		return ctl_usage(ctl, "'%s' takes no further argument '%s'",
				 name, argv[verb->max + 1]);
	return verb->fn(ctl, n, argv + (argc ? 1 : 0));
}

/**
 * ctl_main() - run the program
 * @ctl: where to write and how to open the library
 * @argc: as in main()
 * @argv: as in main(); getopt reorders it
 *
 * Return: enum ctl_exit.
 */
int ctl_main(struct ctl *ctl, int argc, char **argv)
{
	struct parsed p = { 0 };
	int code;

	ctl->policy_known = false;
	ctl->explain = false;
	ctl->bytes = 0;
	ctl->n_excluded = 0;
	code = parse_options(ctl, &p, argc, argv);
	if (code)
		return code;
	if (p.help) {
		print_help(ctl);
		return EXIT_OK;
	}
	if (p.version) {
		fprintf(ctl->out, "egpuctl %s\n", egpu_version());
		return EXIT_OK;
	}
	code = run_verb(ctl, &p, argc - optind, argv + optind);
	egpu_close(ctl->ctx);
	ctl->ctx = NULL;
	if (fflush(ctl->out) && !code)
		code = EXIT_OTHER;
	return code;
}
