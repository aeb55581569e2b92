// SPDX-License-Identifier: GPL-2.0
#include "ktap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char name[256];
static unsigned int count, failures;
static bool failed;

static void say(const char *format, va_list args)
{
	printf("# ");
	vprintf(format, args);
	putchar('\n');
}

/**
 * test_begin - open a test; it passes unless a check fails
 * @format: its name
 */
void test_begin(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	failed = false;
}

/**
 * check - something that has to be true
 * @fine: whether it is
 * @format: what is wrong if it is not
 *
 * Return: @fine.
 */
bool check(bool fine, const char *format, ...)
{
	va_list args;

	if (fine)
		return true;
	failed = true;
	va_start(args, format);
	say(format, args);
	va_end(args);
	return false;
}

/**
 * note - a line of explanation in the results
 * @format: the line
 */
void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

/**
 * test_end - close the test and print its result
 */
void test_end(void)
{
	count++;
	failures += failed;
	printf("%s %u %s\n", failed ? "not ok" : "ok", count, name);
	fflush(stdout);
}

/**
 * ktap_finish - print the plan
 *
 * Return: the exit code.
 */
int ktap_finish(void)
{
	printf("1..%u\n", count);
	return failures || !count;
}

/**
 * bail_out - what the tests need is not there: fail as a whole
 * @format: what is missing
 */
void bail_out(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	printf("not ok %u %s\n", count + 1, *name ? name : "set-up");
	exit(1);
}
