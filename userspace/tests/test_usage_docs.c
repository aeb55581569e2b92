// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The man page of the policy file, the example and the parser say the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../usage/usage.h"
#include "test.h"

#define MAN	"../Documentation/man/egpud.conf.5"
#define EXAMPLE "data/egpud.conf"

#define TEXT_SIZE 65536

static struct policy_config config;
static char error[512];

static int parse(const char *text, const char *name)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	int err;

	assert_non_null(f);
	err = policy_parse(f, name, &config, error, sizeof(error));
	fclose(f);
	return err;
}

static void assert_right(const char *text, const char *name)
{
	if (parse(text, name))
		fail_msg("%s", error);
}

static char *read_file(const char *path)
{
	char *text = calloc(1, TEXT_SIZE);
	FILE *f = fopen(path, "re");

	assert_non_null(text);
	if (!f)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	assert_true(fread(text, 1, TEXT_SIZE - 1, f) > 0);
	fclose(f);
	return text;
}

/* A section of the man page, up to the next. */
static char *section_of(const char *man, const char *title)
{
	const char *at = strstr(man, title), *end;

	if (!at)
		fail_msg("%s has no section %s", MAN, title);
	at += strlen(title);
	end = strstr(at, "\n.SH ");
	return strndup(at, end ? (size_t)(end - at) : strlen(at));
}

/* The keys that the parser knows, as it tells who uses another. */
static int known_keys(char keys[][16], int max)
{
	char *save = NULL, *word;
	int n = 0;

	assert_int_equal(parse("nonsense = 1\n", "x"), -EINVAL);
	word = strstr(error, "the key ");
	assert_non_null(word);
	*strstr(word, ", found") = '\0';
	word = strtok_r(word + 8, " ,", &save);
	for (; word; word = strtok_r(NULL, " ,", &save)) {
		if (!strcmp(word, "or"))
			continue;
		assert_true(n < max && strlen(word) < 16);
		strcpy(keys[n++], word);
	}
	return n;
}

static void assert_defaults(void)
{
	struct policy_config defaults;

	policy_defaults(&defaults);
	assert_int_equal(config.others, defaults.others);
	assert_int_equal(config.ask_ms, defaults.ask_ms);
	assert_int_equal(config.freeze_ms, defaults.freeze_ms);
	assert_int_equal(config.drain_ms, defaults.drain_ms);
}

/* All keys are there, and nothing but them: the parser has read the text. */
static void assert_all_keys(const char *text, const char *name)
{
	char keys[16][16], line[32];
	int n = known_keys(keys, 16);

	assert_int_equal(n, 4);
	while (n--) {
		snprintf(line, sizeof(line), "\n%s = ", keys[n]);
		if (!strstr(text, line))
			fail_msg("%s lacks the key %s", name, keys[n]);
	}
}

/* As it is the example sets nothing; without the marks it is right. */
static void example(void **state)
{
	char *text = read_file(EXAMPLE), *at = text;

	(void)state;
	assert_right(text, EXAMPLE);
	assert_defaults();
	assert_int_equal(config.n_rules, 0);
	while ((at = strstr(at, "\n#"))) {
		at += 1;
		if (at[1] != ' ' && at[1] != '\n')
			memmove(at, at + 1, strlen(at));
	}
	assert_all_keys(text, EXAMPLE);
	assert_right(text, EXAMPLE);
	assert_defaults();
	assert_true(config.n_rules >= 2);
	free(text);
}

static void example_of_the_man_page(void **state)
{
	char *man = read_file(MAN), *text = section_of(man, ".SH EXAMPLE\n.EX");

	(void)state;
	*strstr(text, ".EE") = '\0';
	assert_right(text, MAN);
	assert_true(config.n_rules >= 2);
	free(text);
	free(man);
}

/* The first word of @key's range and the last: "from A to B". */
static void assert_range(const char *key, const char *text)
{
	char from[16], to[16], line[64];
	const char *at = strstr(text, ", from ");
	unsigned long number;

	if (!at || sscanf(at, ", from %15s to %15[0-9ms]", from, to) != 2)
		fail_msg("%s tells no range of %s", MAN, key);
	snprintf(line, sizeof(line), "%s = %s\n", key, from);
	assert_right(line, MAN);
	snprintf(line, sizeof(line), "%s = %s\n", key, to);
	assert_right(line, MAN);
	/* Right at its bounds, and wrong next to them. */
	number = strtoul(to, NULL, 10);
	snprintf(line, sizeof(line), "%s = %lu001ms\n", key, number);
	assert_int_equal(parse(line, MAN), -EINVAL);
	number = strtoul(from, NULL, 10);
	if (!number)
		return;
	snprintf(line, sizeof(line), "%s = %lums\n", key, number - 1);
	assert_int_equal(parse(line, MAN), -EINVAL);
}

/* The tags of the man page are the keys with their defaults. */
static void keys_of_the_man_page(void **state)
{
	char *man = read_file(MAN);
	char *text = section_of(man, ".SH \"FOR ALL PROGRAMS\"\n");
	char tags[512] = "\n", key[16], *at = text;
	size_t len;

	(void)state;
	while ((at = strstr(at, ".TP\n.B "))) {
		at += 7;
		len = strcspn(at, "\n") + 1;
		strncat(tags, at, len);
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(at, " \n"), at);
		if (strcmp(key, "others") != 0)
			assert_range(key, at);
	}
	assert_all_keys(tags, MAN);
	assert_right(tags, MAN);
	assert_defaults();
	free(text);
	free(man);
}

static void actions_of_the_man_page(void **state)
{
	char *man = read_file(MAN), *text = section_of(man, ".SH ACTIONS\n");
	char tag[32], *at = text;
	int action, tags = 0;

	(void)state;
	for (action = ACTION_WAIT; action <= ACTION_IGNORE; action++) {
		snprintf(tag, sizeof(tag), ".TP\n.B %s\n",
			 policy_action_name(action));
		if (!strstr(text, tag))
			fail_msg("%s lacks the action %s", MAN,
				 policy_action_name(action));
	}
	for (; (at = strstr(at, ".TP\n")); at++)
		tags++;
	assert_int_equal(tags, action);
	free(text);
	free(man);
}

/* Numbers that the man page tells. */
static void bounds_of_the_man_page(void **state)
{
	char *man = read_file(MAN), line[128];

	(void)state;
	snprintf(line, sizeof(line), "There may be %d sections.",
		 POLICY_RULES_MAX);
	assert_non_null(strstr(man, line));
	snprintf(line, sizeof(line), "at most %d characters",
		 PROCESS_COMM_SIZE - 1);
	assert_non_null(strstr(man, line));
	assert_non_null(strstr(man, ".I " POLICY_PATH "\n"));
	free(man);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(example),
	cmocka_unit_test(example_of_the_man_page),
	cmocka_unit_test(keys_of_the_man_page),
	cmocka_unit_test(actions_of_the_man_page),
	cmocka_unit_test(bounds_of_the_man_page),
};

TEST_MAIN(tests, NULL, NULL)
