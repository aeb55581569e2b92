// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl: arguments, which GPU is meant, exit codes, cancels, settings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_case.h"
#include "test.h"

static void expect_json_usage(const char *line)
{
	ctl_expect(EXIT_USAGE, line);
	assert_string_equal(ctl_run.err, "");
	ctl_says("{\"schema\":1,\"error\":{\"code\":\"usage\",");
	assert_int_equal(ctl_run.out[0], '{');
	assert_string_equal(strchr(ctl_run.out, '\n'), "\n");
}

static void usage_errors(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "bogus", "there is no verb 'bogus'" },
		{ "--bogus", "there is no option '--bogus'" },
		{ "show", "'show' needs an argument: GPU" },
		{ "show 1 2", "takes no further argument '2'" },
		{ "list 1", "takes no further argument '1'" },
		{ "list --force", "does not take the option --force" },
		{ "monitor -n", "does not take the option --no-wait" },
		{ "eject 2 --timeout", "needs an argument" },
		{ "eject 2 --timeout 0", "is not a time-out" },
		{ "eject 2 --timeout 601", "is not a time-out" },
		{ "eject 2 --timeout -5", "is not a time-out" },
		{ "eject 2 --timeout x", "is not a time-out" },
		{ "timeline x", "is not the cookie of a removal" },
		{ "timeline 0", "is not the cookie of a removal" },
		{ "override 1 auto", "is not a PCI address" },
		{ "override 01:00.0 maybe", "is not one of auto" },
		{ "settings hold-ms", "is not of the form KEY=VALUE" },
		{ "settings bogus=1", "there is no setting 'bogus'" },
		{ "settings hold-ms=5001", "is not a number of milliseconds" },
		{ "settings drain-ms=60001", "is not a number of milliseconds" },
		{ "settings hold-ms=", "is not a number of milliseconds" },
	};
	char line[80];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ctl_expect(EXIT_USAGE, cases[i].line);
		assert_string_equal(ctl_run.out, "");
		ctl_says(cases[i].text);
		ctl_says("Try 'egpuctl --help'.");
		/* In JSON there is one object on stdout and nothing else. */
		snprintf(line, sizeof(line), "--json %s", cases[i].line);
		expect_json_usage(line);
		/* Also when --json comes after what is wrong. */
		snprintf(line, sizeof(line), "%s --json", cases[i].line);
		expect_json_usage(line);
	}
	assert_int_equal(ctl_kernel.n_calls, 0);
}

static void help_and_version(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "--help");
	ctl_says("usage: egpuctl");
	assert_string_equal(ctl_run.err, "");
	ctl_expect(EXIT_OK, "eject --help");
	ctl_says("usage: egpuctl");
	ctl_expect(EXIT_OK, "-V");
	ctl_says(egpu_version());
}

static void no_verb_means_list(void **state)
{
	char *list;

	(void)state;
	ctl_expect(EXIT_OK, "list");
	list = strdup(ctl_run.out);
	ctl_expect(EXIT_OK, "");
	assert_string_equal(ctl_run.out, list);
	free(list);
}

static void finds(const char *name, int id)
{
	char line[256], text[32];

	snprintf(line, sizeof(line), "show %s", name);
	ctl_expect(EXIT_OK, line);
	snprintf(text, sizeof(text), "GPU: %d\n", id);
	ctl_says(text);
}

static void names_of_a_gpu(void **state)
{
	char dir[] = "/tmp/egpuctl-test-XXXXXX", path[64], target[64];

	(void)state;
	finds("2", 2);
	finds("0000:07:00.0", 2);
	finds("07:00.0", 2);
	finds("card2", 2);
	finds("renderD130", 2);
	finds("/dev/dri/card1", 1);
	finds("/dev/dri/renderD129", 1);
	finds("/sys/bus/pci/devices/0000:01:00.0", 1);
	/* A link such as those in /dev/dri/by-path. */
	assert_non_null(mkdtemp(dir));
	snprintf(target, sizeof(target), "%s/0000:07:00.0", dir);
	snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, path), 0);
	finds(path, 2);
	unlink(path);
	rmdir(target);
	rmdir(dir);
}

static void no_such_gpu(void **state)
{
	static const char *const names[] = {
		"3",	"0",	  "0000:02:00.0",   "07:00.1", "card7",
		"card", "7:00.0", "/dev/dri/card9", "/",       "4294967298",
	};
	char line[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(line, sizeof(line), "show %s", names[i]);
		ctl_expect(EXIT_NOT_FOUND, line);
		ctl_says("there is no GPU");
	}
}

static void short_address_of_two(void **state)
{
	(void)state;
	kernel_add(&ctl_kernel, "0001:07:00.0", true);
	ctl_roots_add_gpu("0001:07:00.0", 3, false);
	ctl_expect(EXIT_USAGE, "show 07:00.0");
	ctl_says("can mean 2 GPUs");
	finds("0001:07:00.0", 3);
}

static void no_module(void **state)
{
	static const char *const lines[] = {
		"list",	      "show 1",	  "clients",
		"eject 1",    "cancel 1", "timeline",
		"timeline 1", "override", "override 01:00.0 auto",
		"settings",
	};
	char line[64];
	size_t i;

	(void)state;
	kernel_unload(&ctl_kernel, false);
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		ctl_expect(EXIT_NO_MODULE, lines[i]);
		ctl_says("the egpu module is not loaded");
		snprintf(line, sizeof(line), "%s --json", lines[i]);
		ctl_expect(EXIT_NO_MODULE, line);
		ctl_says("\"code\":\"no-module\",\"errno\":93");
		assert_string_equal(ctl_run.err, "");
	}
}

static void no_rights(void **state)
{
	(void)state;
	ctl_kernel.admin = false;
	ctl_expect(EXIT_OK, "list");
	ctl_expect(EXIT_PERMISSION, "eject 2");
	ctl_says("permission denied");
	ctl_expect(EXIT_PERMISSION, "settings hold-ms=1");
	ctl_expect(EXIT_PERMISSION, "override 01:00.0 external");
	ctl_expect(EXIT_PERMISSION, "--json eject 2");
	ctl_says("\"code\":\"permission\",\"errno\":1,");
}

static void cancel_by_cookie_and_by_gpu(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_HANG;
	ctl_expect(EXIT_OK, "eject 2 -n");
	ctl_expect(EXIT_OK, "cancel 100");
	ctl_says("Removal 100 is cancelled.");
	/* It is so already. */
	ctl_expect(EXIT_OK, "cancel 100");
	assert_int_equal(ctl_kernel.n_calls, 2);
	ctl_expect(EXIT_OK, "eject 2 -n");
	ctl_expect(EXIT_OK, "cancel 07:00.0");
	ctl_says("Removal 101 is cancelled.");
	ctl_expect(EXIT_OK, "eject 2 -n");
	ctl_expect(EXIT_OK, "cancel 2 --json");
	ctl_says("{\"schema\":1,\"cancel\":{\"cookie\":102}}");
	ctl_expect(EXIT_NOT_FOUND, "cancel 99");
	ctl_expect(EXIT_NOT_FOUND, "cancel 01:00.0");
	ctl_says("is not being ejected");
}

static void cancel_of_a_number_that_is_both(void **state)
{
	(void)state;
	ctl_kernel.outcome = OUTCOME_HANG;
	kernel_add(&ctl_kernel, "0000:08:00.0", true);
	ctl_kernel.next_cookie = 2;
	ctl_expect(EXIT_OK, "eject 3 -n");
	ctl_expect(EXIT_OK, "eject 2 -n");
	/* 2 is the removal of GPU 3, and GPU 2 has removal 3. */
	ctl_expect(EXIT_USAGE, "cancel 2");
	ctl_says("is an open removal as well as a GPU");
	assert_int_equal(ctl_kernel.n_calls, 2);
}

static void cancel_of_what_is_done(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "eject 2");
	ctl_expect(EXIT_BUSY, "cancel 100");
}

static void overrides(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "override");
	ctl_says("No override");
	/* Taking away what is not there is what was asked for. */
	ctl_expect(EXIT_OK, "override 03:00.0 auto");
	ctl_expect(EXIT_OK, "override 03:00.0 external");
	assert_string_equal(ctl_kernel.overrides[0].address, "0000:03:00.0");
	ctl_expect(EXIT_OK, "override --json");
	assert_string_equal(ctl_run.out,
			    "{\"schema\":1,\"overrides\":[{\"address\":"
			    "\"0000:03:00.0\",\"placement\":\"external\"}]}\n");
	ctl_expect(EXIT_OK, "override 04:00.0 --json");
	assert_string_equal(ctl_run.out, "{\"schema\":1,\"overrides\":[]}\n");
	ctl_expect(EXIT_OK, "override 03:00.0 auto");
	assert_int_equal(ctl_kernel.n_overrides, 0);
}

static void settings(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "settings hold-ms=5000 eject_ms=1 eject-ms=2");
	assert_int_equal(ctl_kernel.settings.hold_ms, 5000);
	assert_int_equal(ctl_kernel.settings.eject_ms, 2);
	ctl_says("hold-ms=5000\naccept-ms=500\neject-ms=2\ndrain-ms=2000\n");
	ctl_expect(EXIT_OK, "settings drain-ms=60000");
	assert_int_equal(ctl_kernel.settings.drain_ms, 60000);
	/* A wrong one among right ones changes nothing. */
	ctl_expect(EXIT_USAGE, "settings hold-ms=1 accept-ms=x");
	assert_int_equal(ctl_kernel.settings.hold_ms, 5000);
}

static void exit_codes_of_errnos(void **state)
{
	(void)state;
	assert_int_equal(ctl_exit_of_errno(-ENODEV), EXIT_NOT_FOUND);
	assert_int_equal(ctl_exit_of_errno(-ENOENT), EXIT_NOT_FOUND);
	assert_int_equal(ctl_exit_of_errno(-EBUSY), EXIT_BUSY);
	assert_int_equal(ctl_exit_of_errno(-EALREADY), EXIT_BUSY);
	assert_int_equal(ctl_exit_of_errno(-EOPNOTSUPP), EXIT_NOT_EXTERNAL);
	assert_int_equal(ctl_exit_of_errno(-EPERM), EXIT_PERMISSION);
	assert_int_equal(ctl_exit_of_errno(-EPROTONOSUPPORT), EXIT_NO_MODULE);
	assert_int_equal(ctl_exit_of_errno(-ETIMEDOUT), EXIT_TIMEOUT);
	assert_int_equal(ctl_exit_of_errno(-ENOMEM), EXIT_OTHER);
	assert_string_equal(ctl_code_name(EXIT_SURPRISE), "surprise");
}

#define T(name) cmocka_unit_test_setup_teardown(name, ctl_setup, ctl_teardown)

static const struct CMUnitTest tests[] = {
	T(usage_errors),
	T(help_and_version),
	T(no_verb_means_list),
	T(names_of_a_gpu),
	T(no_such_gpu),
	T(short_address_of_two),
	T(no_module),
	T(no_rights),
	T(cancel_by_cookie_and_by_gpu),
	T(cancel_of_a_number_that_is_both),
	T(cancel_of_what_is_done),
	T(overrides),
	T(settings),
	T(exit_codes_of_errnos),
};

TEST_MAIN(tests, NULL, NULL)
