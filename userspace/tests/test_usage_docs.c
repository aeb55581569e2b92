// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The man page of the policy file, the example and the parser say the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../usage/usage.h"
#include "test.h"

#define MAN	"../Documentation/man/egpud.conf.5"
#define EXAMPLE "data/egpud.conf"

#define TEXT_SIZE 65536

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

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
static size_t known_keys(char keys[][16], size_t max)
{
	char *save = NULL, *word;
	size_t n = 0;

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
	static struct policy_config defaults;

	policy_defaults(&defaults);
	assert_memory_equal(&config, &defaults,
			    offsetof(struct policy_config, n_rules));
}

/* All keys are there, and nothing but them: the parser has read the text. */
static void assert_all_keys(const char *text, const char *name)
{
	char keys[32][16], line[32];
	size_t n = known_keys(keys, ARRAY_SIZE(keys));

	assert_int_equal(n, 20);
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

static void assert_line(const char *key, uint64_t number, const char *unit,
			bool right)
{
	char line[64];

	snprintf(line, sizeof(line), "%s = %" PRIu64 "%s\n", key, number, unit);
	if (!parse(line, MAN) != right)
		fail_msg("'%s' is %s and should not be", line,
			 right ? "wrong" : "right");
}

/* "1s" in ms, so that there is a number next to it; other units as they are. */
static uint64_t number_of(char *text, const char **unit)
{
	static const char *const units[] = { "ms", "%", "K", "M", "G", "" };
	char *rest;
	uint64_t number = strtoull(text, &rest, 10);
	size_t i;

	if (!strcmp(rest, "s")) {
		*unit = "ms";
		return number * 1000;
	}
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (!strcmp(rest, units[i])) {
			*unit = units[i];
			return number;
		}
	}
	fail_msg("%s: '%s' has no unit that is known", MAN, text);
	return 0;
}

/* The two ends of @key's range, ", from A to B": right, and wrong next to them. */
static void assert_range(const char *key, const char *text)
{
	char from[16], to[16];
	const char *at = strstr(text, ", from "), *unit, *end;
	uint64_t number;

	end = strstr(text, "\n.TP");
	if (!at || (end && at > end) ||
	    sscanf(at, ", from %15[0-9a-zA-Z%%] to %15[0-9a-zA-Z%%]", from,
		   to) != 2)
		fail_msg("%s tells no range of %s", MAN, key);
	number = number_of(to, &unit);
	assert_line(key, number, unit, true);
	assert_line(key, number + 1, unit, false);
	number = number_of(from, &unit);
	assert_line(key, number, unit, true);
	if (number)
		assert_line(key, number - 1, unit, false);
}

/* Keys whose values are words have none. */
static bool has_range(const char *tag)
{
	const char *value = strstr(tag, " = ");

	return value && value[3] >= '0' && value[3] <= '9';
}

/* The tags of the man page are the keys with their defaults. */
static void keys_of_the_man_page(void **state)
{
	char *man = read_file(MAN);
	char *text = section_of(man, ".SH \"FOR ALL PROGRAMS\"\n");
	char tags[1024] = "\n", key[16], *at;
	size_t len;

	(void)state;
	while ((at = strstr(text, "\\-")))
		memmove(at, at + 1, strlen(at));
	at = text;
	while ((at = strstr(at, ".TP\n.B "))) {
		at += 7;
		len = strcspn(at, "\n") + 1;
		strncat(tags, at, len);
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(at, " \n"), at);
		if (has_range(at))
			assert_range(key, at);
	}
	assert_all_keys(tags, MAN);
	assert_right(tags, MAN);
	assert_defaults();
	free(text);
	free(man);
}

static void strategies_of_the_man_page(void **state)
{
	char *man = read_file(MAN), *text = section_of(man, ".SH STRATEGIES\n");
	char *example_text = read_file(EXAMPLE), tag[32];
	int strategy;

	(void)state;
	for (strategy = STRATEGY_LAZY; strategy <= STRATEGY_BALANCED;
	     strategy++) {
		snprintf(tag, sizeof(tag), ".TP\n.B %s\n",
			 strategy_name(strategy));
		if (!strstr(text, tag))
			fail_msg("%s lacks the strategy %s", MAN,
				 strategy_name(strategy));
		snprintf(tag, sizeof(tag), "\n#   %s ", strategy_name(strategy));
		if (!strstr(example_text, tag))
			fail_msg("%s lacks the strategy %s", EXAMPLE,
				 strategy_name(strategy));
	}
	free(example_text);
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
	cmocka_unit_test(strategies_of_the_man_page),
	cmocka_unit_test(actions_of_the_man_page),
	cmocka_unit_test(bounds_of_the_man_page),
};

TEST_MAIN(tests, NULL, NULL)
