// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What egpuctl prints, letter by letter, against tests/golden.
 *
 * UPDATE_GOLDEN=1 writes the files anew; look at the difference before it is
 * committed.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_roots.h"
#include "kernel.h"
#include "run_ctl.h"
#include "test.h"

static struct kernel kernel;

/* Three GPUs, of which one has nodes; Xorg and somebody who is up to no good. */
static void set_up_machine(void)
{
	static const struct tree_process xorg = { .pid = 4242, .comm = "Xorg" };
	static const struct tree_process evil = { .pid = 4243,
						  .comm = "evil\033[31m\n\"x",
						  .uid = 1000 };
	static const struct tree_process idle = { .pid = 4244, .comm = "idle" };

	ctl_roots_new();
	ctl_roots_add_gpu("0000:01:00.0", 1, false);
	ctl_roots_add_gpu("0000:07:00.0", 2, true);
	ctl_roots_add_gpu("0000:08:00.0", 3, false);
	ctl_roots_add_process(&xorg, 7);
	ctl_roots_add_process(&evil, 8);
	ctl_roots_add_process(&idle, 0);
}

/* An external GPU, an internal one, one that is leaving, and two removals. */
static int setup(void **state)
{
	struct egpu_removal *rem;
	struct egpu_device *dev;

	(void)state;
	set_up_machine();
	kernel_init(&kernel);
	dev = kernel_add(&kernel, "0000:01:00.0", false);
	dev->at_load = true;
	dev = kernel_add(&kernel, "0000:07:00.0", true);
	dev->clients = 2;
	/* The kernel may name the nodes in any order. */
	dev->minors[0] = (struct egpu_minor){ EGPU_MINOR_TYPE_RENDER, 130 };
	dev->minors[1] = (struct egpu_minor){ EGPU_MINOR_TYPE_PRIMARY, 2 };
	dev = kernel_add(&kernel, "0000:08:00.0", true);
	dev->link_speed = 2500;
	dev->marker = 17;
	dev->driver[0] = '\0';
	dev->state = EGPU_DEVICE_STATE_PRESENT;
	dev->n_minors = 0;
	rem = kernel_begin(&kernel, kernel_device(&kernel, 2),
			   EGPU_ORIGIN_OTHERS);
	kernel_phase(&kernel, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
	rem->helper = 4242;
	kernel_phase(&kernel, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED);
	kernel_phase(&kernel, rem, EGPU_PHASE_UNBOUND, EGPU_RELEASE_ACKED);
	kernel_phase(&kernel, rem, EGPU_PHASE_DONE, EGPU_RELEASE_ACKED);
	rem = kernel_begin(&kernel, kernel_device(&kernel, 2),
			   EGPU_ORIGIN_EJECT);
	strcpy(rem->reason, "1 client has \033it open");
	rem->evidence |= 1u << 20;
	kernel_phase(&kernel, rem, EGPU_PHASE_REFUSED, EGPU_RELEASE_WITHDRAWN);
	kernel.clients[0] = (struct egpu_client){
		.id = 2,
		.client_id = 7,
		.pid = 4242,
		.comm = "Xorg",
		.minor = { EGPU_MINOR_TYPE_PRIMARY, 2 },
		.master = true,
		.buffers = 12,
		.bytes = 3 << 20,
	};
	/* A process may call itself what it likes. */
	kernel.clients[1] = (struct egpu_client){
		.id = 2,
		.client_id = 8,
		.comm = "evil\033[31m\n\"x",
		.minor = { EGPU_MINOR_TYPE_RENDER, 130 },
		.buffers = 1,
		.bytes = 512,
	};
	/* One that no process has, as far as can be seen. */
	kernel.clients[2] = (struct egpu_client){
		.id = 2,
		.minor = { EGPU_MINOR_TYPE_RENDER, 130 },
	};
	kernel.n_clients = 3;
	kernel.overrides[0] = (struct egpu_override){
		.address = "0000:03:00.0",
		.placement = EGPU_PLACEMENT_EXTERNAL,
	};
	kernel.n_overrides = 1;
	return 0;
}

static char *read_file(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "re");

	assert_non_null(text);
	if (!f)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void compare(const char *name, const char *got)
{
	char path[128], *expected;
	FILE *f;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "we");
		assert_non_null(f);
		fputs(got, f);
		fclose(f);
	}
	expected = read_file(path);
	if (strcmp(got, expected))
		fail_msg("%s should be\n%s\nbut is\n%s", path, expected, got);
	free(expected);
}

/* Runs a command line as in a pipe. */
static void plain(const char *line, const char *golden)
{
	struct run_ctl run = { 0 };

	run_ctl(&run, line);
	assert_string_equal(run.err, "");
	assert_int_equal(run.code, EXIT_OK);
	compare(golden, run.out);
	run_ctl_free(&run);
}

static void terminal(const char *line, const char *golden, int width, bool color)
{
	struct run_ctl run = { 0 };

	run.ctl.terminal = true;
	run.ctl.color = color;
	run.ctl.width = width;
	run_ctl(&run, line);
	assert_int_equal(run.code, EXIT_OK);
	compare(golden, run.out);
	run_ctl_free(&run);
}

static void list(void **state)
{
	(void)state;
	plain("list", "list.txt");
	plain("list --json", "list.json");
	terminal("list", "list-terminal.txt", 160, false);
	terminal("list", "list-color.txt", 160, true);
}

/* Nothing but the name gives way, and no line is longer than the terminal. */
static void narrow_terminal(void **state)
{
	(void)state;
	terminal("list", "list-narrow.txt", 100, false);
}

static void empty_list(void **state)
{
	(void)state;
	kernel.n_devices = 0;
	plain("list", "list-empty.txt");
	plain("list --json", "list-empty.json");
}

static void show(void **state)
{
	(void)state;
	plain("show 2", "show.txt");
	plain("show 2 --json", "show.json");
	plain("show 3", "show-bare.txt");
}

static void clients(void **state)
{
	(void)state;
	plain("clients", "clients.txt");
	plain("clients 2 --json", "clients.json");
}

static void timeline(void **state)
{
	(void)state;
	plain("timeline", "timeline.txt");
	plain("timeline 100 --json", "timeline.json");
	terminal("timeline 100", "timeline-terminal.txt", 100, false);
}

static void rules_and_settings(void **state)
{
	(void)state;
	plain("override", "override.txt");
	plain("settings", "settings.txt");
	plain("settings --json", "settings.json");
}

static void help(void **state)
{
	(void)state;
	plain("--help", "help.txt");
}

static void eject(void **state)
{
	struct egpu_device *dev = kernel_device(&kernel, 3);

	(void)state;
	dev->state = EGPU_DEVICE_STATE_READY;
	plain("eject 3", "eject.txt");
	setup(NULL);
	plain("eject 3 --json", "eject.json");
	setup(NULL);
	terminal("eject 3", "eject-terminal.txt", 80, false);
	setup(NULL);
	kernel.outcome = OUTCOME_STEPS;
	terminal("eject 3", "eject-steps.txt", 80, false);
	plain("timeline 102", "timeline-steps.txt");
}

/* All that can happen, once the monitor has what there was. */
static void live(struct kernel *k)
{
	static unsigned int asked;
	struct egpu_removal *rem;
	struct egpu_device *dev;

	/* Asked once before the dump and once after it, for each run. */
	if (++asked % 2)
		return;
	k->after_settings = NULL;
	dev = kernel_add(k, "0000:09:00.0", true);
	kernel_change(k, dev, EGPU_DEVICE_STATE_READY);
	rem = kernel_begin(k, dev, EGPU_ORIGIN_OTHERS);
	rem->cause = EGPU_CAUSE_SURPRISE;
	rem->evidence = EGPU_EVIDENCE_MARKED | EGPU_EVIDENCE_ABSENT;
	kernel_phase(k, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_OVERTAKEN);
	kernel_disconnect(k, rem);
	kernel_phase(k, rem, EGPU_PHASE_DONE, EGPU_RELEASE_OVERTAKEN);
	kernel_lose(1);
	kernel_change(k, kernel_device(k, 2), EGPU_DEVICE_STATE_DETACHED);
	kernel_change(k, kernel_device(k, 2), EGPU_DEVICE_STATE_READY);
	kernel_change(k, kernel_device(k, 2), EGPU_DEVICE_STATE_DETACHED);
}

static void unload(struct kernel *k)
{
	static unsigned int asked;

	if (++asked % 2)
		return;
	k->after_settings = NULL;
	kernel_unload(k, true);
}

/* Until a Ctrl-C that has come already, so after what is there. */
static void watch(const char *line, const char *golden,
		  void (*then)(struct kernel *k))
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGINT);
	kernel.after_settings = then;
	plain(line, golden);
}

static void monitor(void **state)
{
	(void)state;
	watch("monitor", "monitor.txt", live);
	setup(NULL);
	watch("monitor --json", "monitor.json", live);
}

/* What a helper does, as others see it. */
static void quiesce(struct kernel *k)
{
	static unsigned int asked;
	struct egpu_quiesce *quiesce;
	struct egpu_removal *rem;

	if (++asked % 2)
		return;
	k->after_settings = NULL;
	rem = kernel_begin(k, kernel_device(k, 2), EGPU_ORIGIN_EJECT);
	kernel_phase(k, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
	kernel_step(k, rem, EGPU_STEP_DRAIN);
	quiesce = kernel_quiesce_of(k, 2);
	quiesce->owner = 4242;
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_FENCED);
	quiesce->timeout_ms = 5000;
	quiesce->clients = 1;
	quiesce->buffers = 12;
	quiesce->passes = 1;
	quiesce->pending = 2;
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_DRAINING);
	quiesce->result = EGPU_DRAIN_RESULT_TIMED_OUT;
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_FENCED);
	/* Of a GPU that was never heard of, and in a newer kernel's words. */
	quiesce = &k->quiesce[KERNEL_MAX - 1];
	*quiesce = (struct egpu_quiesce){ .id = 9, .result = 77 };
	kernel_quiesce(k, quiesce, 88);
	rem->vouched = true;
	kernel_phase(k, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED);
}

static void monitor_of_a_quiesce(void **state)
{
	(void)state;
	watch("monitor", "monitor-quiesce.txt", quiesce);
	setup(NULL);
	watch("monitor --json", "monitor-quiesce.json", quiesce);
}

/* A program leaves for the other GPU; another has no such luck. */
static void migrate(struct kernel *k)
{
	static unsigned int asked;
	struct egpu_migration mig = {
		.migration = 1,
		.id = 2,
		.target = 1,
		.cookie = 102,
		.pid = 1234,
		.comm = "render\033er",
		.bytes = 3ULL << 29,
		.reason = "an eject",
		.helper = 4242,
	};

	if (++asked % 2)
		return;
	k->after_settings = NULL;
	kernel_migration(k, &mig);
	mig.phase = EGPU_MIGRATION_PHASE_COMPLETED;
	mig.duration = 2345678901;
	mig.still = 45678901;
	mig.checkpoint[0] = 'x';
	kernel_migration(k, &mig);
	mig = (struct egpu_migration){ .migration = 2,
				       .phase = EGPU_MIGRATION_PHASE_COMPLETED,
				       .id = 2,
				       .cpu = true,
				       .lost = 900000000 };
	kernel_migration(k, &mig);
	mig.phase = EGPU_MIGRATION_PHASE_CHECKPOINTED;
	mig.cpu = false;
	mig.lost = 0;
	kernel_migration(k, &mig);
	mig.phase = EGPU_MIGRATION_PHASE_FAILED;
	strcpy(mig.reason, "no checkpoint was made yet");
	kernel_migration(k, &mig);
	/* GPUs that were never heard of, and a newer kernel's words. */
	mig.id = 0;
	mig.target = 9;
	mig.phase = 88;
	kernel_migration(k, &mig);
}

static void monitor_of_a_migration(void **state)
{
	(void)state;
	watch("monitor", "monitor-migration.txt", migrate);
	setup(NULL);
	watch("monitor --json", "monitor-migration.json", migrate);
}

static void monitor_and_the_module(void **state)
{
	(void)state;
	kernel.n_devices = 0;
	kernel.n_removals = 0;
	watch("monitor", "monitor-module.txt", unload);
	watch("monitor --json", "monitor-absent.json", NULL);
}

static void pci_names(void **state)
{
	char dir[] = "/tmp/egpuctl-test-XXXXXX", path[64], buf[128];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/pci.ids", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("# comment\n1001  Other\n\t73bf  Wrong vendor\n"
	      "1002  Advanced Micro Devices, Inc. [AMD/ATI]\n"
	      "\t73be  Wrong device\n\t73bf  Navi 21 [Radeon RX 6800]\n"
	      "\t\t1da2 e438  Subsystem\n1003  Next\n\t7000  Of the next\n"
	      "C 03  Display controller\n",
	      f);
	fclose(f);
	assert_true(pciids_lookup(path, 0x1002, 0x73bf, buf, sizeof(buf)));
	assert_string_equal(buf, "AMD/ATI Navi 21 [Radeon RX 6800]");
	assert_true(pciids_lookup(path, 0x1002, 0x7000, buf, sizeof(buf)));
	assert_string_equal(buf, "AMD/ATI");
	assert_true(pciids_lookup(path, 0x1001, 0x73bf, buf, 8));
	assert_string_equal(buf, "Other W");
	assert_false(pciids_lookup(path, 0x2000, 1, buf, sizeof(buf)));
	remove(path);
	assert_false(pciids_lookup(path, 0x1002, 1, buf, sizeof(buf)));
	remove(dir);
}

static int group_setup(void **state)
{
	(void)state;
	/* So that tables may have lines and marks that are not ASCII. */
	return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

#define T(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	T(list),
	T(narrow_terminal),
	T(empty_list),
	T(show),
	T(clients),
	T(timeline),
	T(rules_and_settings),
	T(help),
	T(eject),
	T(pci_names),
	T(monitor),
	T(monitor_of_a_quiesce),
	T(monitor_of_a_migration),
	T(monitor_and_the_module),
};

TEST_MAIN(tests, group_setup, NULL)
