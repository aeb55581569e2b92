// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values of the policy file: what is written behind the = of a key.
 */
#include <string.h>

#include "../common/text.h"
#include "private.h"

/* Room for the digits of any number that is in range. */
#define DIGITS_SIZE 24

/* The text without the last character; false when there is nothing else. */
static bool cut_last(const char *text, char digits[DIGITS_SIZE])
{
	size_t len = strlen(text);

	if (len < 2 || len > DIGITS_SIZE)
		return false;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	return true;
}

static bool ends_in(const char *text, char last)
{
	size_t len = strlen(text);

	return len && text[len - 1] == last;
}

/* "500ms", "30s", "1.5s" */
static bool read_time(const char *text, uint64_t max, uint64_t *ms)
{
	char seconds[DIGITS_SIZE], number[DIGITS_SIZE];

	if (!ends_in(text, 's') || !cut_last(text, seconds))
		return false;
	if (!ends_in(seconds, 'm'))
		return text_to_milliseconds(seconds, max, ms);
	return cut_last(seconds, number) && text_to_uint(number, max, ms);
}

static bool read_share(const char *text, uint64_t max, uint64_t *percent)
{
	char number[DIGITS_SIZE];

	return ends_in(text, '%') && cut_last(text, number) &&
	       text_to_uint(number, max, percent);
}

/* "512K", "64M", "16G" */
static bool read_size(const char *text, uint64_t max, uint64_t *bytes)
{
	static const char units[] = "KMG";
	char number[DIGITS_SIZE];
	const char *unit;
	int shift;

	if (!cut_last(text, number))
		return false;
	unit = strchr(units, text[strlen(text) - 1]);
	if (!unit)
		return false;
	shift = 10 * (1 + (int)(unit - units));
	if (!text_to_uint(number, max >> shift, bytes))
		return false;
	*bytes <<= shift;
	return true;
}

static bool read_action(const char *text, enum policy_action *action)
{
	int i;

	for (i = ACTION_WAIT; i <= ACTION_IGNORE; i++) {
		if (strcmp(text, policy_action_name(i)) != 0)
			continue;
		*action = i;
		return true;
	}
	return false;
}

static bool read_flag(const char *text, bool *flag)
{
	*flag = !strcmp(text, "yes");
	return *flag || !strcmp(text, "no");
}

static bool read_path(const char *text, char *path)
{
	size_t len = strlen(text);

	if (text[0] != '/' || len >= POLICY_PATH_SIZE)
		return false;
	memcpy(path, text, len + 1);
	return true;
}

static bool read_value(const struct value_key *key, const char *text,
		       uint64_t *number)
{
	switch (key->kind) {
	case VALUE_TIME:
		return read_time(text, key->max, number);
	case VALUE_SHARE:
		return read_share(text, key->max, number);
	case VALUE_SIZE:
		return read_size(text, key->max, number);
	default:
		return text_to_uint(text, key->max, number);
	}
}

/**
 * value_read() - read what is written behind the = of a key
 * @key: the key
 * @text: what is written
 * @into: where to put the value, of the type that the kind of @key says
 *
 * Return: whether it is of that kind and in range.
 */
bool value_read(const struct value_key *key, const char *text, void *into)
{
	uint64_t number;

	switch (key->kind) {
	case VALUE_ACTION:
		return read_action(text, into);
	case VALUE_STRATEGY:
		return strategy_parse(text, into);
	case VALUE_FLAG:
		return read_flag(text, into);
	case VALUE_PATH:
		return read_path(text, into);
	default:
		break;
	}
	if (!read_value(key, text, &number) || number < key->min)
		return false;
	if (key->kind == VALUE_SIZE)
		*(uint64_t *)into = number;
	else if (key->kind == VALUE_SHARE)
		*(double *)into = (double)number / 100;
	else if (key->kind == VALUE_DEGREES)
		*(double *)into = (double)number;
	else
		*(uint32_t *)into = (uint32_t)number;
	return true;
}

/**
 * value_expected() - what a kind of value looks like, for people
 * @kind: kind
 *
 * Return: a constant string that goes on where "expected " ends.
 */
const char *value_expected(enum value_kind kind)
{
	static const char *const expected[] = {
		[VALUE_ACTION] = "wait, migrate, quit, kill or ignore",
		[VALUE_STRATEGY] = "lazy, eager, preemptive or balanced",
		[VALUE_FLAG] = "yes or no",
		[VALUE_TIME] = "a time such as 500ms or 2s",
		[VALUE_COUNT] = "a number such as 4",
		[VALUE_DEGREES] = "degrees Celsius such as 90",
		[VALUE_SHARE] = "a share such as 25%",
		[VALUE_SIZE] = "a size such as 512M or 16G",
		[VALUE_PATH] = "an absolute path of at most 255 characters",
	};

	return expected[kind];
}
