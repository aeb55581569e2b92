// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl select: the choice, why, and in which words.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_case.h"
#include "test.h"

#define INTERNAL "sys/bus/pci/devices/0000:01:00.0/"
#define EXTERNAL "sys/bus/pci/devices/0000:07:00.0/"

static int setup(void **state)
{
	int err = ctl_setup(state);

	tree_file(&ctl_tree, "proc/meminfo",
		  "MemTotal: 16777216 kB\nMemAvailable: 4194304 kB\n");
	return err;
}

static void of_two(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "select");
	assert_string_equal(ctl_run.out,
			    "Choice: GPU 1 (0000:01:00.0), it has 59.9 points, GPU 2 "
			    "(0000:07:00.0) comes next with 48.2.\n"
			    "Node: /dev/dri/renderD129\n"
			    "DRI_PRIME=pci-0000_01_00_0\n"
			    "MESA_VK_DEVICE_SELECT=1234:1111\n");
	assert_string_equal(ctl_run.err, "");
	ctl_expect(EXIT_OK, "select --not 01:00.0");
	assert_string_equal(ctl_run.out,
			    "Choice: GPU 2 (0000:07:00.0), it is the only GPU that "
			    "can take the work.\n"
			    "Node: /dev/dri/renderD130\n"
			    "DRI_PRIME=pci-0000_07_00_0\n"
			    "MESA_VK_DEVICE_SELECT=1234:1111\n");
	ctl_expect(EXIT_OK, "select --not 1 -x card2");
	assert_string_equal(ctl_run.out,
			    "Choice: the CPU, no GPU can take the work, so the CPU "
			    "does.\nLIBGL_ALWAYS_SOFTWARE=1\n");
}

/* A device that leaves is none to go to. */
static void of_one_that_leaves(void **state)
{
	(void)state;
	kernel_change(&ctl_kernel, &ctl_kernel.devices[0],
		      EGPU_DEVICE_STATE_LEAVING);
	ctl_expect(EXIT_OK, "select");
	ctl_says("Choice: GPU 2 (0000:07:00.0), it is the only GPU that can");
	ctl_expect(EXIT_OK, "select --explain");
	ctl_says("\nGPU 1 (0000:01:00.0), bochs-drm, internal: out, it is leaving\n");
	ctl_says("  load         -                 7.5 of 15  not known: it is leaving\n");
	ctl_expect(EXIT_OK, "select --json");
	ctl_says("\"gate\":\"it is leaving\"");
}

static void explained(void **state)
{
	static const char expected[] =
		"GPU 2 (0000:07:00.0), bochs-drm, external: 59.2 points, chosen\n"
		"  memory       -                12.5 of 25  not known: bochs-drm has no file that tells it\n"
		"  bandwidth    2.8 GB/s          8.2 of 20  default for a tunnelled link, not measured\n"
		"  load         10 % busy        13.5 of 15  gpu_busy_percent\n"
		"  locality     on a cable        0.0 of 10  the kernel's list of GPUs\n"
		"  sessions     0                10.0 of 10  the sessions of egpud\n"
		"  link         -                 2.5 of  5  not known: there is no link speed or width\n"
		"  temperature  40 degrees        5.0 of  5  hwmon/hwmon0/temp1_input\n"
		"  errors       -                 2.5 of  5  not known: no aer_dev_fatal and aer_dev_nonfatal\n"
		"  power        awake             5.0 of  5  power/runtime_status: active\n"
		"GPU 1 (0000:01:00.0), bochs-drm, internal, shows the desktop: 54.9 points\n"
		"  memory       -                12.5 of 25  not known: bochs-drm has no file that tells it\n"
		"  bandwidth    3.9 GB/s          9.9 of 20  what 8.0 GT/s x4 can carry, not measured\n"
		"  load         100 % busy        0.0 of 15  gpu_busy_percent\n"
		"  locality     inside           10.0 of 10  the kernel's list of GPUs\n"
		"  sessions     0                10.0 of 10  the sessions of egpud\n"
		"  link         -                 2.5 of  5  not known: there is no link speed or width\n"
		"  temperature  -                 2.5 of  5  not known: there is no hwmon\n"
		"  errors       -                 2.5 of  5  not known: no aer_dev_fatal and aer_dev_nonfatal\n"
		"  power        awake             5.0 of  5  power/runtime_status: active\n"
		"the CPU: 22.5 points\n"
		"  memory       4.0 GiB free     12.5 of 25  meminfo, MemAvailable\n"
		"  sessions     0                10.0 of 10  the sessions of egpud\n"
		"Choice: GPU 2 (0000:07:00.0), it has 59.2 points, GPU 1 (0000:01:00.0) comes next with 54.9.\n"
		"Node: /dev/dri/renderD130\n"
		"DRI_PRIME=pci-0000_07_00_0\n"
		"MESA_VK_DEVICE_SELECT=1234:1111\n";

	(void)state;
	tree_file(&ctl_tree, INTERNAL "boot_vga", "1\n");
	tree_file(&ctl_tree, INTERNAL "gpu_busy_percent", "100\n");
	tree_file(&ctl_tree, INTERNAL "power/runtime_status", "active\n");
	tree_file(&ctl_tree, EXTERNAL "gpu_busy_percent", "10\n");
	tree_file(&ctl_tree, EXTERNAL "power/runtime_status", "active\n");
	tree_file(&ctl_tree, EXTERNAL "hwmon/hwmon0/temp1_input", "40000\n");
	ctl_expect(EXIT_OK, "select --explain");
	assert_string_equal(ctl_run.out, expected);
}

static void memory_that_is_needed(void **state)
{
	(void)state;
	tree_file(&ctl_tree, INTERNAL "mem_info_vram_total", "1073741824\n");
	tree_file(&ctl_tree, INTERNAL "mem_info_vram_used", "536870912\n");
	ctl_expect(EXIT_OK, "select --bytes 512M -x 2");
	ctl_says("Choice: GPU 1 ");
	ctl_expect(EXIT_OK, "select --bytes 536870913 --explain");
	ctl_says("Choice: GPU 2 ");
	ctl_says("out, it has 512 MiB of memory free, the work needs 512 MiB\n");
	ctl_expect(EXIT_OK, "select -b 4G --not 2 --json");
	ctl_says("\"choice\":{\"cpu\":true,\"id\":null,\"address\":null,"
		 "\"node\":null,\"dri_prime\":null,"
		 "\"mesa_vk_device_select\":null}");
	ctl_says("\"bytes\":4294967296,");
}

static void nothing_left(void **state)
{
	(void)state;
	tree_file(&ctl_tree, INTERNAL "mem_info_vram_total", "1073741824\n");
	tree_file(&ctl_tree, INTERNAL "mem_info_vram_used", "0\n");
	ctl_expect(EXIT_NOT_FOUND, "select -b 5G -x 2");
	assert_string_equal(ctl_run.out, "");
	assert_string_equal(ctl_run.err,
			    "egpuctl: no device can take the work: GPU 1 "
			    "(0000:01:00.0): it has 1.0 GiB of memory free, the work "
			    "needs 5.0 GiB; GPU 2 (0000:07:00.0): it was ruled out by "
			    "the caller; the CPU: it has 4.0 GiB of memory free, the "
			    "work needs 5.0 GiB\n");
	ctl_expect(EXIT_NOT_FOUND, "select -b 5G -x 2 --explain");
	ctl_says("Choice: none, no device can take the work: GPU 1 ");
	ctl_expect(EXIT_NOT_FOUND, "select -b 5G -x 2 --json");
	assert_string_equal(ctl_run.err, "");
	ctl_says("{\"schema\":1,\"select\":{\"choice\":null,\"why\":\"no device");
	ctl_says("\"error\":{\"code\":\"not-found\",\"errno\":0,\"message\":\"no");
	ctl_expect(EXIT_NOT_FOUND, "select -x 7");
	ctl_says("there is no GPU '7'");
}

/* The configuration of the daemon is gone by. */
static void by_the_configuration(void **state)
{
	static char path[128];

	(void)state;
	tree_file(&ctl_tree, "sensors/bus/pci/devices/0000:01:00.0/boot_vga",
		  "1\n");
	tree_file(&ctl_tree,
		  "sensors/bus/pci/devices/0000:01:00.0/hwmon/hwmon1/temp1_input",
		  "105000\n");
	tree_file(&ctl_tree, "egpud.conf",
		  "cpu-fallback = no\nsensors = %s/sensors\n", ctl_tree.top);
	snprintf(path, sizeof(path), "%s/egpud.conf", ctl_tree.top);
	assert_int_equal(chmod(path, 0644), 0);
	ctl_run.ctl.policy_path = path;
	ctl_expect(EXIT_OK, "select --explain");
	ctl_says("GPU 1 (0000:01:00.0), bochs-drm, internal, shows the desktop: "
		 "out, it is too hot: 105 degrees Celsius\n");
	ctl_says("the CPU: out, the configuration rules out the CPU\n");
	/* It is not there, so nothing is known of it; it is not kept out. */
	ctl_says("  load         -                 7.5 of 15  not known: it is not in sysfs\n");
	ctl_expect(EXIT_NOT_FOUND, "select --not 2");
	tree_file(&ctl_tree, "egpud.conf", "cpu-fallback = maybe\n");
	ctl_expect(EXIT_OK, "select --json");
	ctl_says("\"policy_error\":\"");
	ctl_says("expected yes or no, found 'maybe'\"");
}

static void by_the_sessions(void **state)
{
	static char path[128];

	(void)state;
	if (geteuid()) {
		print_message("# by_the_sessions: skipped, it takes root\n");
		return;
	}
	snprintf(path, sizeof(path), "%s/sessions", ctl_tree.top);
	ctl_run.ctl.sessions_path = path;
	tree_file(&ctl_tree, "sessions",
		  "1 1 1 0 0 0 a\n2 1 1 0 0 0 b\n3 1 0 0 0 0 c\n");
	assert_int_equal(chmod(path, 0644), 0);
	ctl_expect(EXIT_OK, "select --explain");
	ctl_says("  sessions     2                 3.3 of 10  the sessions of egpud\n");
	ctl_says("  sessions     0                10.0 of 10  the sessions of egpud\n");
	ctl_says("  sessions     1                 5.0 of 10  the sessions of egpud\n");
}

static void by_what_was_measured(void **state)
{
	char dir[128];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/bandwidth", ctl_tree.top);
	assert_int_equal(bandwidth_save(dir, &ctl_tree.roots, "0000:07:00.0",
					12000000000),
			 0);
	ctl_run.ctl.bandwidth_dir = dir;
	ctl_expect(EXIT_OK, "select --explain");
	ctl_says("  bandwidth    12.0 GB/s        15.0 of 20  measured over this link\n");
	ctl_run.ctl.bandwidth_dir = NULL;
}

/* A person's locale does not get into what programs read. */
static void json(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "select --json");
	ctl_says("{\"schema\":1,\"select\":{\"choice\":{\"cpu\":false,\"id\":1,"
		 "\"address\":\"0000:01:00.0\",\"node\":\"/dev/dri/renderD129\","
		 "\"dri_prime\":\"pci-0000_01_00_0\","
		 "\"mesa_vk_device_select\":\"1234:1111\"},\"why\":\"it has 59.9 "
		 "points, GPU 2 (0000:07:00.0) comes next with 48.2\","
		 "\"bytes\":0,\"policy_error\":null,\"candidates\":[{\"cpu\":false,"
		 "\"id\":1,\"address\":\"0000:01:00.0\",\"driver\":\"bochs-drm\","
		 "\"external\":false,\"boot_display\":false,\"sessions\":0,"
		 "\"gate\":null,\"score\":59.900,\"terms\":[{\"what\":\"memory\","
		 "\"value\":\"-\",\"points\":12.500,\"weight\":25.000,"
		 "\"source\":\"not known: bochs-drm has no file that tells it\"},");
	ctl_says("{\"cpu\":true,\"id\":null,\"address\":null,\"driver\":null,");
}

static void wrong_arguments(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "select 1", "takes no further argument '1'" },
		{ "select --bytes x", "'x' is not a size" },
		{ "select --bytes -1", "'-1' is not a size" },
		{ "select --bytes G", "'G' is not a size" },
		{ "select --bytes 1.5G", "'1.5G' is not a size" },
		{ "select --bytes 1P", "'1P' is not a size" },
		{ "select --bytes 99999999999999999999999999", "is not a size" },
		{ "select --bytes 16777216T", "is not a size" },
		{ "list --explain", "does not take the option --explain" },
		{ "list --bytes 1", "does not take the option --bytes" },
		{ "list --not 1", "does not take the option --not" },
		{ "select --force", "does not take the option --force" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ctl_expect(EXIT_USAGE, cases[i].line);
		ctl_says(cases[i].text);
	}
	ctl_expect(EXIT_NOT_FOUND,
		   "select --bytes 16777215T --not 1 --not 2 --explain");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, ctl_teardown)

static const struct CMUnitTest tests[] = {
	T(of_two),
	T(of_one_that_leaves),
	T(explained),
	T(memory_that_is_needed),
	T(nothing_left),
	T(by_the_configuration),
	T(by_the_sessions),
	T(by_what_was_measured),
	T(json),
	T(wrong_arguments),
};

TEST_MAIN(tests, NULL, NULL)
