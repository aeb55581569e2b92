// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl: arguments, which GPU is meant, exit codes, ejects.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "run_ctl.h"
#include "test.h"

static struct kernel kernel;
static struct run_ctl run;

static int setup(void **state)
{
	(void)state;
	kernel_init(&kernel);
	kernel_add(&kernel, "0000:01:00.0", false);
	kernel_add(&kernel, "0000:07:00.0", true);
	memset(&run, 0, sizeof(run));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run_ctl_free(&run);
	return (int)kernel_open_links(&kernel);
}

/* Runs a command line and expects an exit code. */
static void expect(int code, const char *line)
{
	struct ctl ctl = run.ctl;

	run_ctl_free(&run);
	run.ctl = ctl;
	run.ctl.json = false;
	run.ctl.force = false;
	run.ctl.no_wait = false;
	run.ctl.timeout_ms = 0;
	run_ctl(&run, line);
	if (run.code != code)
		fail_msg("'egpuctl %s' ended with %d and not %d\n%s%s", line,
			 run.code, code, run.out, run.err);
}

static void says(const char *text)
{
	if (!strstr(run.out, text) && !strstr(run.err, text))
		fail_msg("'%s' is not in\n%s%s", text, run.out, run.err);
}

static void expect_json_usage(const char *line)
{
	expect(EXIT_USAGE, line);
	assert_string_equal(run.err, "");
	says("{\"schema\":1,\"error\":{\"code\":\"usage\",");
	assert_int_equal(run.out[0], '{');
	assert_string_equal(strchr(run.out, '\n'), "\n");
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
		expect(EXIT_USAGE, cases[i].line);
		assert_string_equal(run.out, "");
		says(cases[i].text);
		says("Try 'egpuctl --help'.");
		/* In JSON there is one object on stdout and nothing else. */
		snprintf(line, sizeof(line), "--json %s", cases[i].line);
		expect_json_usage(line);
		/* Also when --json comes after what is wrong. */
		snprintf(line, sizeof(line), "%s --json", cases[i].line);
		expect_json_usage(line);
	}
	assert_int_equal(kernel.n_calls, 0);
}

static void help_and_version(void **state)
{
	(void)state;
	expect(EXIT_OK, "--help");
	says("usage: egpuctl");
	assert_string_equal(run.err, "");
	expect(EXIT_OK, "eject --help");
	says("usage: egpuctl");
	expect(EXIT_OK, "-V");
	says(egpu_version());
}

static void no_verb_means_list(void **state)
{
	char *list;

	(void)state;
	expect(EXIT_OK, "list");
	list = strdup(run.out);
	expect(EXIT_OK, "");
	assert_string_equal(run.out, list);
	free(list);
}

static void finds(const char *name, int id)
{
	char line[256], text[32];

	snprintf(line, sizeof(line), "show %s", name);
	expect(EXIT_OK, line);
	snprintf(text, sizeof(text), "GPU: %d\n", id);
	says(text);
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
		expect(EXIT_NOT_FOUND, line);
		says("there is no GPU");
	}
}

static void short_address_of_two(void **state)
{
	(void)state;
	kernel_add(&kernel, "0001:07:00.0", true);
	expect(EXIT_USAGE, "show 07:00.0");
	says("can mean 2 GPUs");
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
	kernel_unload(&kernel, false);
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		expect(EXIT_NO_MODULE, lines[i]);
		says("the egpu module is not loaded");
		snprintf(line, sizeof(line), "%s --json", lines[i]);
		expect(EXIT_NO_MODULE, line);
		says("\"code\":\"no-module\",\"errno\":93");
		assert_string_equal(run.err, "");
	}
}

static void no_rights(void **state)
{
	(void)state;
	kernel.admin = false;
	expect(EXIT_OK, "list");
	expect(EXIT_PERMISSION, "eject 2");
	says("permission denied");
	expect(EXIT_PERMISSION, "settings hold-ms=1");
	expect(EXIT_PERMISSION, "override 01:00.0 external");
	expect(EXIT_PERMISSION, "--json eject 2");
	says("\"code\":\"permission\",\"errno\":1,");
}

static void eject_to_the_end(void **state)
{
	(void)state;
	expect(EXIT_OK, "eject 2 --timeout 1.5 --force");
	says("GPU 2 (0000:07:00.0, bochs-drm) is safe to unplug.\n");
	assert_int_equal(kernel.calls[0].value, 1500);
	assert_true(kernel.calls[0].force);
	assert_string_equal(run.err, "");
}

static void eject_shows_each_step_on_a_terminal(void **state)
{
	(void)state;
	run.ctl.terminal = true;
	expect(EXIT_OK, "eject 2");
	says("812.346 ms  done");
	says("is safe to unplug");
}

static void eject_in_json(void **state)
{
	(void)state;
	expect(EXIT_OK, "--json eject 2");
	says("{\"schema\":1,\"eject\":{\"cookie\":100,\"verdict\":"
	     "\"safe-to-unplug\",\"removal\":{\"cookie\":100,");
	assert_string_equal(strchr(run.out, '\n'), "\n");
	assert_string_equal(run.err, "");
}

static void eject_without_waiting(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_HANG;
	expect(EXIT_OK, "eject 2 --no-wait");
	says("it is removal 100; do not unplug it yet");
	kernel_init(&kernel);
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel.outcome = OUTCOME_HANG;
	expect(EXIT_OK, "eject 1 -n --json");
	says("\"verdict\":\"pending\"");
}

static void add_client(uint32_t id, uint32_t pid, const char *comm)
{
	struct egpu_client *client = &kernel.clients[kernel.n_clients++];

	client->id = id;
	client->client_id = 5;
	client->pid = pid;
	strcpy(client->comm, comm);
	client->minor = (struct egpu_minor){ EGPU_MINOR_TYPE_RENDER, 130 };
	client->buffers = 3;
	client->bytes = 1536 * 1024;
}

static void eject_refused_later(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_REFUSED;
	add_client(2, 4242, "blender");
	expect(EXIT_BUSY, "eject 2");
	says("is not safe to unplug: the eject was refused: 1 client has it open.");
	says("blender");
	says("eject with --force");
	kernel_init(&kernel);
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel.outcome = OUTCOME_REFUSED;
	add_client(1, 4242, "blender");
	expect(EXIT_BUSY, "eject 1 --json");
	says("\"verdict\":\"refused\"");
	says("\"comm\":\"blender\"");
}

static void eject_refused_at_once(void **state)
{
	(void)state;
	add_client(2, 4242, "blender");
	kernel.refuse = -EBUSY;
	expect(EXIT_BUSY, "eject 2");
	says("cannot eject GPU 2: ");
	says("blender");
	expect(EXIT_BUSY, "eject 2 --json");
	says("{\"schema\":1,\"error\":{\"code\":\"busy\",\"errno\":16,");
	says("\"comm\":\"blender\"");
	assert_string_equal(run.err, "");
}

static void eject_of_an_internal_gpu(void **state)
{
	(void)state;
	expect(EXIT_NOT_EXTERNAL, "eject 1");
	assert_string_equal(run.out, "");
}

static void eject_overtaken(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_SURPRISE;
	expect(EXIT_SURPRISE, "eject 2");
	says("was gone before its eject had ended");
}

static void eject_that_hangs_in_the_driver(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_RELEASED;
	run.ctl.driver_ms = 1;
	expect(EXIT_TIMEOUT, "eject 2 --timeout 0.001");
	says("its driver has not let go in time");
	expect(EXIT_TIMEOUT, "eject 2 --json");
	says("\"verdict\":\"timed-out\"");
}

static void eject_of_what_is_leaving(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	rem = kernel_begin(&kernel, kernel_device(&kernel, 2),
			   EGPU_ORIGIN_EJECT);
	rem->timeout_ms = 1;
	run.ctl.driver_ms = 1;
	expect(EXIT_TIMEOUT, "eject 2");
	says("is leaving already, watching that removal");
}

/* Ctrl-C while the eject waits: it is cancelled, and that is the verdict. */
static void eject_interrupted(void **state)
{
	sigset_t set;

	(void)state;
	kernel.outcome = OUTCOME_HANG;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGINT);
	expect(EXIT_CANCELLED, "eject 2");
	says("the eject was cancelled, nothing was removed");
	assert_int_equal(kernel.calls[1].cmd, EGPU_CMD_CANCEL);
	assert_string_equal(kernel.calls[1].text, "interrupted");
}

/* Once released it cannot be called off; a second Ctrl-C stops watching. */
static void eject_interrupted_too_late(void **state)
{
	sigset_t set;

	(void)state;
	kernel.outcome = OUTCOME_RELEASED;
	run.ctl.driver_ms = 200;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGINT);
	expect(EXIT_TIMEOUT, "eject 2 --timeout 0.001");
	says("too late to cancel");
}

static void lose_module(struct kernel *k)
{
	kernel_unload(k, true);
}

static void eject_and_the_module_goes(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_HANG;
	kernel.after_eject = lose_module;
	expect(EXIT_OTHER, "eject 2");
	says("is not known to be safe to unplug");
}

static void cancel_by_cookie_and_by_gpu(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_HANG;
	expect(EXIT_OK, "eject 2 -n");
	expect(EXIT_OK, "cancel 100");
	says("Removal 100 is cancelled.");
	/* It is so already. */
	expect(EXIT_OK, "cancel 100");
	assert_int_equal(kernel.n_calls, 2);
	expect(EXIT_OK, "eject 2 -n");
	expect(EXIT_OK, "cancel 07:00.0");
	says("Removal 101 is cancelled.");
	expect(EXIT_OK, "eject 2 -n");
	expect(EXIT_OK, "cancel 2 --json");
	says("{\"schema\":1,\"cancel\":{\"cookie\":102}}");
	expect(EXIT_NOT_FOUND, "cancel 99");
	expect(EXIT_NOT_FOUND, "cancel 01:00.0");
	says("is not being ejected");
}

static void cancel_of_a_number_that_is_both(void **state)
{
	(void)state;
	kernel.outcome = OUTCOME_HANG;
	kernel_add(&kernel, "0000:08:00.0", true);
	kernel.next_cookie = 2;
	expect(EXIT_OK, "eject 3 -n");
	expect(EXIT_OK, "eject 2 -n");
	/* 2 is the removal of GPU 3, and GPU 2 has removal 3. */
	expect(EXIT_USAGE, "cancel 2");
	says("is an open removal as well as a GPU");
	assert_int_equal(kernel.n_calls, 2);
}

static void cancel_of_what_is_done(void **state)
{
	(void)state;
	expect(EXIT_OK, "eject 2");
	expect(EXIT_BUSY, "cancel 100");
}

static void overrides(void **state)
{
	(void)state;
	expect(EXIT_OK, "override");
	says("No override");
	/* Taking away what is not there is what was asked for. */
	expect(EXIT_OK, "override 03:00.0 auto");
	expect(EXIT_OK, "override 03:00.0 external");
	assert_string_equal(kernel.overrides[0].address, "0000:03:00.0");
	expect(EXIT_OK, "override --json");
	assert_string_equal(run.out,
			    "{\"schema\":1,\"overrides\":[{\"address\":"
			    "\"0000:03:00.0\",\"placement\":\"external\"}]}\n");
	expect(EXIT_OK, "override 04:00.0 --json");
	assert_string_equal(run.out, "{\"schema\":1,\"overrides\":[]}\n");
	expect(EXIT_OK, "override 03:00.0 auto");
	assert_int_equal(kernel.n_overrides, 0);
}

static void settings(void **state)
{
	(void)state;
	expect(EXIT_OK, "settings hold-ms=5000 eject_ms=1 eject-ms=2");
	assert_int_equal(kernel.settings.hold_ms, 5000);
	assert_int_equal(kernel.settings.eject_ms, 2);
	says("hold-ms=5000\naccept-ms=500\neject-ms=2\ndrain-ms=2000\n");
	expect(EXIT_OK, "settings drain-ms=60000");
	assert_int_equal(kernel.settings.drain_ms, 60000);
	/* A wrong one among right ones changes nothing. */
	expect(EXIT_USAGE, "settings hold-ms=1 accept-ms=x");
	assert_int_equal(kernel.settings.hold_ms, 5000);
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(usage_errors),
	T(help_and_version),
	T(no_verb_means_list),
	T(names_of_a_gpu),
	T(no_such_gpu),
	T(short_address_of_two),
	T(no_module),
	T(no_rights),
	T(eject_to_the_end),
	T(eject_shows_each_step_on_a_terminal),
	T(eject_in_json),
	T(eject_without_waiting),
	T(eject_refused_later),
	T(eject_refused_at_once),
	T(eject_of_an_internal_gpu),
	T(eject_overtaken),
	T(eject_that_hangs_in_the_driver),
	T(eject_of_what_is_leaving),
	T(eject_interrupted),
	T(eject_interrupted_too_late),
	T(eject_and_the_module_goes),
	T(cancel_by_cookie_and_by_gpu),
	T(cancel_of_a_number_that_is_both),
	T(cancel_of_what_is_done),
	T(overrides),
	T(settings),
	T(exit_codes_of_errnos),
};

TEST_MAIN(tests, NULL, NULL)
