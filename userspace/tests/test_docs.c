// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Help, man pages and completion say the same, and the man page of the library
 * names what it exports.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run_ctl.h"
#include "test.h"

#define MAN_CTL	   "../Documentation/man/egpuctl.1"
#define MAN_DAEMON "../Documentation/man/egpud.8"
#define MAN_LIB	   "../Documentation/man/libegpu.3"
#define MAN_WORK   "../Documentation/man/libegpu-session.3"
#define COMPLETION "data/egpuctl.bash"
#define MAP	   "lib/libegpu.map"

#define WORDS_MAX 128

struct words {
	char word[WORDS_MAX][40];
	size_t n;
};

static void add(struct words *words, const char *text, size_t len)
{
	size_t i;

	assert_true(words->n < WORDS_MAX && len < sizeof(words->word[0]));
	for (i = 0; i < words->n; i++) {
		if (strlen(words->word[i]) == len &&
		    !strncmp(words->word[i], text, len))
			return;
	}
	memcpy(words->word[words->n], text, len);
	words->word[words->n++][len] = '\0';
}

static bool has(const struct words *words, const char *word)
{
	size_t i;

	for (i = 0; i < words->n; i++) {
		if (!strcmp(words->word[i], word))
			return true;
	}
	return false;
}

/* The whole of a file, with the man page's "\-" turned into "-". */
static char *read_file(const char *path)
{
	char *text = calloc(1, 65536), *at;
	FILE *f = fopen(path, "re");

	assert_non_null(text);
	if (!f)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	while ((at = strstr(text, "\\-")))
		memmove(at, at + 1, strlen(at));
	return text;
}

/* All options in a text: "--word" and "-x", wherever they stand. */
static void find_options(const char *text, struct words *words)
{
	const char *at = text;
	size_t len;

	words->n = 0;
	for (; *at; at++) {
		if (*at != '-' || (at > text && !strchr(" \n\t\"[(", at[-1])))
			continue;
		len = 1 + (at[1] == '-');
		if (!isalpha((unsigned char)at[len]))
			continue;
		while (isalpha((unsigned char)at[len]) || at[len] == '-')
			len++;
		if (at[1] == '-' || len == 2)
			add(words, at, len);
	}
}

/* Verbs of the help: the first words of the lines below "Verbs:". */
static void verbs_of_help(const char *help, struct words *words)
{
	const char *line = strstr(help, "Verbs:\n");

	words->n = 0;
	assert_non_null(line);
	for (line += 7; strncmp(line, "  ", 2) == 0;
	     line = strchr(line, '\n') + 1) {
		if (line[2] != ' ')
			add(words, line + 2, strcspn(line + 2, " \n"));
	}
	assert_true(words->n > 5);
}

/* Verbs of the man page: the tags of the section VERBS. */
static void verbs_of_man(const char *man, struct words *words)
{
	const char *at = strstr(man, ".SH VERBS"), *end;

	words->n = 0;
	assert_non_null(at);
	end = strstr(at + 1, ".SH ");
	while ((at = strstr(at, ".TP\n")) && at < end) {
		at = strchr(at + 4, ' ') + 1;
		add(words, at, strcspn(at, " \n"));
	}
}

static void verbs_of_completion(const char *completion, struct words *words)
{
	const char *at = strstr(completion, "local verbs=\"");
	size_t len;

	words->n = 0;
	assert_non_null(at);
	for (at += 13; *at != '"'; at += len + (at[len] == ' ')) {
		len = strcspn(at, " \"");
		add(words, at, len);
	}
}

static void same(const struct words *a, const char *a_name,
		 const struct words *b, const char *b_name)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		if (!has(b, a->word[i]))
			fail_msg("'%s' is in %s but not in %s", a->word[i],
				 a_name, b_name);
	}
	for (i = 0; i < b->n; i++) {
		if (!has(a, b->word[i]))
			fail_msg("'%s' is in %s but not in %s", b->word[i],
				 b_name, a_name);
	}
}

static void verbs_everywhere(void **state)
{
	char *man = read_file(MAN_CTL), *completion = read_file(COMPLETION);
	struct words in_help, in_man, in_completion;
	struct run_ctl run = { 0 };

	(void)state;
	run_ctl(&run, "--help");
	verbs_of_help(run.out, &in_help);
	verbs_of_man(man, &in_man);
	verbs_of_completion(completion, &in_completion);
	same(&in_help, "the help", &in_man, MAN_CTL);
	same(&in_help, "the help", &in_completion, COMPLETION);
	run_ctl_free(&run);
	free(completion);
	free(man);
}

/* Only the lines that define options: elsewhere awk and others have theirs. */
static char *option_lines(const char *completion)
{
	char *lines = calloc(1, strlen(completion) + 1);
	const char *line = completion;

	assert_non_null(lines);
	for (; *line; line = strchr(line, '\n') + 1) {
		size_t at = strspn(line, "\t");

		if (!strncmp(line + at, "local ", 6))
			at += 6;
		if (!strncmp(line + at, "options=", 8) ||
		    !strncmp(line + at, "options+=", 9))
			strncat(lines, line, strcspn(line, "\n") + 1);
	}
	return lines;
}

static void options_everywhere(void **state)
{
	char *man = read_file(MAN_CTL), *completion = read_file(COMPLETION);
	char *lines = option_lines(completion);
	struct words in_help, in_man, in_completion;
	struct run_ctl run = { 0 };
	const char *options, *end;

	(void)state;
	run_ctl(&run, "--help");
	find_options(strstr(run.out, "Options:"), &in_help);
	assert_true(in_help.n >= 12);
	options = strstr(man, ".SH OPTIONS");
	end = strstr(options, ".SH JSON");
	*(char *)end = '\0';
	find_options(options, &in_man);
	find_options(lines, &in_completion);
	same(&in_help, "the help", &in_man, MAN_CTL);
	same(&in_help, "the help", &in_completion, COMPLETION);
	run_ctl_free(&run);
	free(lines);
	free(completion);
	free(man);
}

/* The daemon's help comes from the program itself. */
static void options_of_the_daemon(void **state)
{
	char *man = read_file(MAN_DAEMON), *options, help[4096] = "";
	struct words in_help, in_man;
	char command[512];
	FILE *f;

	(void)state;
	assert_non_null(getenv("EGPU_BUILD"));
	snprintf(command, sizeof(command), "%s/egpud/egpud --help",
		 getenv("EGPU_BUILD"));
	f = popen(command, "re");
	assert_non_null(f);
	assert_true(fread(help, 1, sizeof(help) - 1, f) > 0);
	assert_int_equal(pclose(f), 0);
	find_options(help, &in_help);
	options = strstr(man, ".SH OPTIONS");
	*strstr(options, ".SH LOG") = '\0';
	find_options(options, &in_man);
	same(&in_help, "the help", &in_man, MAN_DAEMON);
	free(man);
}

/* Every code of the help is a tag of the man page and the other way round. */
static void exit_codes(void **state)
{
	char *man = read_file(MAN_CTL), *at, tag[16];
	struct run_ctl run = { 0 };
	int code;

	(void)state;
	run_ctl(&run, "--help");
	at = strstr(man, ".SH \"EXIT STATUS\"");
	assert_non_null(at);
	*strstr(at, ".SH ENVIRONMENT") = '\0';
	for (code = EXIT_OK; code <= EXIT_SURPRISE; code++) {
		snprintf(tag, sizeof(tag), ".B %d\n", code);
		if (!strstr(at, tag))
			fail_msg("%s lacks exit code %d", MAN_CTL, code);
		assert_non_null(ctl_code_name(code));
		snprintf(tag, sizeof(tag), "%s%d ", code ? " " : ": ", code);
		if (!strstr(run.out, tag) && !strstr(run.out, tag + 1))
			fail_msg("the help lacks exit code %d", code);
	}
	snprintf(tag, sizeof(tag), ".B %d\n", code);
	assert_null(strstr(at, tag));
	run_ctl_free(&run);
	free(man);
}

static void functions_of_the_library(void **state)
{
	char *man = read_file(MAN_LIB), *work = read_file(MAN_WORK);
	char *map = read_file(MAP);
	char *save = NULL, *word;

	(void)state;
	word = strtok_r(strstr(map, "global:") + 7, " \t\n;", &save);
	for (; strcmp(word, "local:"); word = strtok_r(NULL, " \t\n;", &save)) {
		bool session = !strncmp(word, "egpu_session_", 13);

		if (!strstr(session ? work : man, word))
			fail_msg("%s lacks %s", session ? MAN_WORK : MAN_LIB,
				 word);
	}
	free(map);
	free(work);
	free(man);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(verbs_everywhere),
	cmocka_unit_test(options_everywhere),
	cmocka_unit_test(options_of_the_daemon),
	cmocka_unit_test(exit_codes),
	cmocka_unit_test(functions_of_the_library),
};

TEST_MAIN(tests, NULL, NULL)
