// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is found out about devices, from made-up files: those of each kind, none,
 * and such as make no sense. And the files of measured bandwidths.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../select/private.h"
#include "test.h"
#include "tree.h"

#define ADDRESS "0000:07:00.0"
#define PORT	"sys/devices/0000:00:04.0/"
#define GPU	PORT ADDRESS "/"

static struct tree tree;
static struct candidates candidates;
static struct egpu_device gpu;
static struct egpu_device_list *devices;
static char cache[128];

static int setup(void **state)
{
	(void)state;
	tree_new(&tree);
	tree_file(&tree, "proc/meminfo",
		  "MemTotal:       16384 kB\nMemFree:  1 kB\n"
		  "MemAvailable:    8192 kB\n");
	tree_dir(&tree, GPU);
	tree_link(&tree, "sys/bus/pci/devices/" ADDRESS,
		  "../../../devices/0000:00:04.0/" ADDRESS);
	snprintf(cache, sizeof(cache), "%s/bandwidth", tree.top);
	devices = calloc(1, sizeof(*devices) + 80 * sizeof(devices->item[0]));
	memset(&gpu, 0, sizeof(gpu));
	gpu.id = 2;
	strcpy(gpu.address, ADDRESS);
	strcpy(gpu.driver, "amdgpu");
	gpu.state = EGPU_DEVICE_STATE_READY;
	gpu.external = true;
	gpu.n_minors = 2;
	gpu.minors[0] = (struct egpu_minor){ EGPU_MINOR_TYPE_RENDER, 129 };
	gpu.minors[1] = (struct egpu_minor){ EGPU_MINOR_TYPE_PRIMARY, 1 };
	if (!devices)
		return -1;
	devices->count = 1;
	devices->item[0] = &gpu;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(devices);
	tree_free(&tree);
	return 0;
}

static const struct candidate *gather(void)
{
	assert_int_equal(select_gather(&tree.roots, devices, cache, &candidates),
			 0);
	assert_int_equal(candidates.n, 2);
	assert_true(candidates.item[1].cpu);
	return &candidates.item[0];
}

static void assert_reading(const struct reading *reading, double value,
			   const char *source)
{
	if (!reading->known || reading->value < value * 0.999999 ||
	    reading->value > value * 1.000001)
		fail_msg("%g (%s) and not %g (%s)", reading->value,
			 reading->source, value, source);
	assert_string_equal(reading->source, source);
}

static void assert_unknown(const struct reading *reading, const char *why)
{
	char text[128];

	assert_false(reading->known);
	snprintf(text, sizeof(text), "not known: %s", why);
	assert_string_equal(reading->source, text);
}

static void file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), GPU "%s", name);
	tree_file(&tree, path, "%s", text);
}

static void port_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), PORT "%s", name);
	tree_file(&tree, path, "%s", text);
}

/* All files that a GPU on a cable can have. */
static void all_files(void)
{
	file("mem_info_vram_total", "8589934592\n");
	file("mem_info_vram_used", "1073741824\n");
	file("mem_info_gtt_total", "17179869184\n");
	file("mem_info_gtt_used", "0\n");
	file("hwmon/hwmon3/temp1_input", "56500\n");
	file("gpu_busy_percent", "25\n");
	file("current_link_speed", "8.0 GT/s PCIe\n");
	file("current_link_width", "4\n");
	file("max_link_speed", "16.0 GT/s PCIe\n");
	file("max_link_width", "16\n");
	file("aer_dev_fatal", "Undefined 0\nTOTAL_ERR_FATAL 2\n");
	file("aer_dev_nonfatal", "Undefined 0\nTOTAL_ERR_NONFATAL 3\n");
	file("power/runtime_status", "active\n");
	file("boot_vga", "0\n");
	port_file("max_link_speed", "8 GT/s\n");
	port_file("max_link_width", "8\n");
	port_file("aer_dev_fatal", "TOTAL_ERR_FATAL 0\n");
	port_file("aer_dev_nonfatal", "TOTAL_ERR_NONFATAL 1\n");
}

static void all_there(void **state)
{
	const struct candidate *found;

	(void)state;
	all_files();
	found = gather();
	assert_int_equal(found->id, 2);
	assert_string_equal(found->address, ADDRESS);
	assert_string_equal(found->driver, "amdgpu");
	assert_string_equal(found->node, "/dev/dri/card1");
	assert_true(found->external);
	assert_false(found->leaving);
	assert_false(found->boot_display);
	assert_reading(&found->memory_total, 8589934592.0,
		       "mem_info_vram_total");
	assert_reading(&found->memory_free, 7516192768.0,
		       "mem_info_vram, total less used");
	assert_reading(&found->temperature, 56.5, "hwmon/hwmon3/temp1_input");
	assert_reading(&found->load, 0.25, "gpu_busy_percent");
	/* 4 lanes of the 8 that the port has, at the speed that it has. */
	assert_reading(&found->link_share, 0.5, "8.0 GT/s x4 of 8.0 GT/s x8");
	assert_reading(&found->errors, 6,
		       "aer_dev_fatal and aer_dev_nonfatal of the GPU and the port above");
	assert_reading(&found->suspended, 0, "power/runtime_status: active");
	assert_unknown(&found->bandwidth, "not measured, and it has no link");
	assert_reading(&candidates.item[1].memory_total, 16777216,
		       "meminfo, MemTotal");
	assert_reading(&candidates.item[1].memory_free, 8388608,
		       "meminfo, MemAvailable");
}

static void nothing_there(void **state)
{
	const struct candidate *found;

	(void)state;
	unlink(tree_path(&tree, "proc/meminfo"));
	found = gather();
	assert_unknown(&found->memory_total,
		       "no file and no prefetchable BAR tell");
	assert_unknown(&found->memory_free, "amdgpu has no file that tells it");
	assert_unknown(&found->temperature, "there is no hwmon");
	assert_unknown(&found->load, "there is no gpu_busy_percent");
	assert_unknown(&found->link_share, "there is no link speed or width");
	assert_unknown(&found->errors, "no aer_dev_fatal and aer_dev_nonfatal");
	assert_unknown(&found->suspended, "there is no power/runtime_status");
	assert_unknown(&candidates.item[1].memory_free,
		       "meminfo has no MemAvailable");
	unlink(tree_path(&tree, "sys/bus/pci/devices/" ADDRESS));
	found = gather();
	assert_unknown(&found->load, "it is not in sysfs");
}

/* An internal GPU may use RAM as well, and others tell in other files. */
static void memory_of_other_drivers(void **state)
{
	const struct candidate *found;

	(void)state;
	all_files();
	gpu.external = false;
	file("boot_vga", "1\n");
	found = gather();
	assert_true(found->boot_display);
	assert_reading(&found->memory_total, 25769803776.0,
		       "mem_info_vram and mem_info_gtt_total");
	assert_reading(&found->memory_free, 24696061952.0,
		       "mem_info_vram and mem_info_gtt, total less used");
	unlink(tree_path(&tree, GPU "mem_info_vram_total"));
	strcpy(gpu.driver, "xe");
	file("tile0/physical_vram_size_bytes", "12884901888\n");
	found = gather();
	assert_reading(&found->memory_total, 12884901888.0,
		       "tile0/physical_vram_size_bytes");
	assert_false(found->memory_total.estimate);
	assert_unknown(&found->memory_free, "xe has no file that tells it");
	unlink(tree_path(&tree, GPU "tile0/physical_vram_size_bytes"));
	file("resource",
	     "0x00000000d0000000 0x00000000d0ffffff 0x0000000000040200\n"
	     "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	     "0x0000004000000000 0x000000400fffffff 0x000000000014220c\n"
	     "0x00000000e0000000 0x00000000e01fffff 0x0000000000142208\n");
	found = gather();
	assert_reading(&found->memory_total, 268435456,
		       "size of the prefetchable BAR 2, an estimate");
	assert_true(found->memory_total.estimate);
	/* Registers are prefetchable with some. */
	file("resource",
	     "0x0000004000000000 0x0000004000003fff 0x000000000014220c\n");
	assert_unknown(&gather()->memory_total,
		       "no file and no prefetchable BAR tell");
}

/* Who reads a directory is told that it is one, and not that the device sleeps. */
static void make_trap(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), GPU "%s", name);
	unlink(tree_path(&tree, path));
	tree_dir(&tree, path);
}

/* Nothing that its driver or its link would have to be woken for is read. */
static void asleep(void **state)
{
	static const char *const traps[] = {
		"mem_info_vram_total", "mem_info_vram_used",
		"mem_info_gtt_total",  "gpu_busy_percent",
		"current_link_speed",  "current_link_width",
		"max_link_speed",      "hwmon/hwmon3/temp1_input",
	};
	static const char *const states[] = { "suspended\n", "suspending\n" };
	const struct candidate *found;
	size_t i;

	(void)state;
	all_files();
	for (i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		make_trap(traps[i]);
	for (i = 0; i < 2; i++) {
		file("power/runtime_status", states[i]);
		found = gather();
		assert_true(found->suspended.known);
		assert_true(found->suspended.value > 0);
		assert_unknown(&found->load,
			       "it sleeps and is not woken for this");
		assert_unknown(&found->temperature,
			       "it sleeps and is not woken for this");
		assert_unknown(&found->memory_free,
			       "it sleeps and is not woken for this");
		assert_unknown(&found->link_share,
			       "it sleeps and is not woken for this");
		assert_true(found->errors.known);
	}
}

/* Nothing of one that is going is looked at. */
static void leaving(void **state)
{
	static const uint32_t states[] = { EGPU_DEVICE_STATE_LEAVING,
					   EGPU_DEVICE_STATE_DETACHED,
					   EGPU_DEVICE_STATE_GONE };
	const struct candidate *found;
	size_t i;

	(void)state;
	all_files();
	make_trap("power/runtime_status");
	for (i = 0; i < 3; i++) {
		gpu.state = states[i];
		found = gather();
		assert_true(found->leaving);
		assert_unknown(&found->load, "it is leaving");
	}
	gpu.state = EGPU_DEVICE_STATE_READY;
	gpu.cookie = 17;
	found = gather();
	assert_true(found->leaving);
	assert_unknown(&found->suspended, "it is leaving");
}

static void absurd_files(void **state)
{
	static const char *const numbers[] = {
		"",	  "\n",	   "nan\n", "-5\n",  "1e9\n",
		"0x10\n", "12 \n", " 12\n", "inf\n", "99999999999999999999\n",
	};
	const struct candidate *found;
	char *large = malloc(65537);
	size_t i;

	(void)state;
	assert_non_null(large);
	memset(large, '1', 65536);
	large[65536] = '\0';
	all_files();
	for (i = 0; i <= sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *text = i < sizeof(numbers) / sizeof(numbers[0]) ?
					   numbers[i] :
					   large;

		file("mem_info_vram_total", text);
		file("hwmon/hwmon3/temp1_input", text);
		file("gpu_busy_percent", text);
		file("current_link_width", text);
		file("aer_dev_fatal", text);
		port_file("aer_dev_fatal", text);
		found = gather();
		assert_unknown(&found->memory_total,
			       "mem_info_vram_total makes no sense");
		assert_unknown(&found->memory_free,
			       "mem_info_vram_total makes no sense");
		if (strcmp(text, "12 \n") != 0)
			assert_unknown(&found->temperature,
				       "hwmon/hwmon3/temp1_input makes no sense");
		assert_unknown(&found->load, "gpu_busy_percent makes no sense");
		assert_unknown(&found->link_share,
			       "link speed or width makes no sense");
		assert_unknown(&found->errors,
			       "no aer_dev_fatal and aer_dev_nonfatal");
	}
	file("proc", "");
	tree_file(&tree, "proc/meminfo", "%s", large);
	file("power/runtime_status", large);
	found = gather();
	assert_unknown(&found->suspended, "power/runtime_status makes no sense");
	assert_unknown(&candidates.item[1].memory_free,
		       "meminfo has no MemAvailable");
	free(large);
}

static void out_of_range(void **state)
{
	const struct candidate *found;

	(void)state;
	all_files();
	file("mem_info_vram_used", "8589934593\n");
	file("hwmon/hwmon3/temp1_input", "200001\n");
	file("gpu_busy_percent", "101\n");
	file("current_link_width", "16\n");
	found = gather();
	assert_unknown(&found->memory_free, "mem_info_vram_used makes no sense");
	assert_unknown(&found->temperature,
		       "hwmon/hwmon3/temp1_input makes no sense");
	assert_unknown(&found->load, "gpu_busy_percent makes no sense");
	assert_unknown(&found->link_share,
		       "the link is said to be faster than it can be");
	file("current_link_speed", "Unknown\n");
	found = gather();
	assert_unknown(&found->link_share, "link speed or width makes no sense");
	file("current_link_speed", "2.5 GT/s PCIe\n");
	file("current_link_width", "255\n");
	found = gather();
	assert_unknown(&found->link_share, "link speed or width makes no sense");
	file("mem_info_vram_total", "0\n");
	found = gather();
	assert_unknown(&found->memory_total,
		       "mem_info_vram_total makes no sense");
}

static void expected_bandwidth(void **state)
{
	const struct candidate *found;

	(void)state;
	gpu.link_speed = 8000;
	gpu.link_width = 4;
	found = gather();
	assert_reading(&found->bandwidth, 3938461538.46,
		       "what 8.0 GT/s x4 can carry, not measured");
	assert_true(found->bandwidth.estimate);
	gpu.link_speed = 2500;
	found = gather();
	assert_reading(&found->bandwidth, 1e9,
		       "what 2.5 GT/s x4 can carry, not measured");
	/* A tunnel says 2.5 GT/s whatever it carries. */
	gpu.marker = EGPU_MARKER_REMOVABLE;
	found = gather();
	assert_reading(&found->bandwidth, 2.8e9,
		       "default for a tunnelled link, not measured");
	gpu.link_speed = 8000;
	found = gather();
	assert_reading(&found->bandwidth, 3938461538.46,
		       "what 8.0 GT/s x4 can carry, not measured");
	gpu.marker = EGPU_MARKER_THUNDERBOLT;
	found = gather();
	assert_reading(&found->bandwidth, 2.8e9,
		       "default for a tunnelled link, not measured");
}

/* What was measured counts, as long as the link is the same. */
static void measured_bandwidth(void **state)
{
	uint64_t value;

	(void)state;
	all_files();
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value),
			 -ENOENT);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 2600000000u),
			 0);
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value), 0);
	assert_int_equal(value, 2600000000u);
	assert_reading(&gather()->bandwidth, 2.6e9, "measured over this link");
	assert_false(candidates.item[0].bandwidth.estimate);
	file("current_link_speed", "2.5 GT/s PCIe\n");
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value),
			 -ENOENT);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 900000000),
			 0);
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value), 0);
	assert_int_equal(value, 900000000);
	file("current_link_speed", "8.0 GT/s PCIe\n");
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value), 0);
	assert_int_equal(value, 2600000000u);
	/* Its link cannot be asked for while it sleeps. */
	file("power/runtime_status", "suspended\n");
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value),
			 -EAGAIN);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 900000000),
			 -EAGAIN);
	file("power/runtime_status", "active\n");
	/* One that has no link has one file all the same. */
	unlink(tree_path(&tree, GPU "current_link_speed"));
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 7000000000),
			 0);
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value), 0);
	assert_true(value == 7000000000);
}

/* The daemon keeps its files to itself by umask; these are for everybody. */
static void others_see_bandwidths(void **state)
{
	char path[256];
	struct stat st;
	mode_t old;

	(void)state;
	all_files();
	old = umask(0077);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 5000), 0);
	umask(old);
	assert_int_equal(stat(cache, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	snprintf(path, sizeof(path), "%s/" ADDRESS "-8000x4", cache);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void bad_bandwidths(void **state)
{
	static const char *const texts[] = {
		"",
		"2600000000",
		"-1\n",
		"nan\n",
		"999\n",
		"1000\n ",
		"100000000000001\n",
		"2600000000\n2600000000\n",
		"99999999999999999999999999999999\n",
	};
	const char *path = "bandwidth/" ADDRESS "-8000x4";
	uint64_t value;
	size_t i;

	(void)state;
	all_files();
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 999),
			 -EINVAL);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, UINT64_MAX),
			 -EINVAL);
	assert_int_equal(bandwidth_save(cache, &tree.roots, "../../etc/x", 1000),
			 -EINVAL);
	assert_int_equal(bandwidth_load(cache, &tree.roots, "07:00", &value),
			 -EINVAL);
	assert_int_equal(bandwidth_load(cache, &tree.roots, "0000:08:00.0",
					&value),
			 -ENOENT);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 1000), 0);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		tree_file(&tree, path, "%s", texts[i]);
		assert_int_equal(chmod(tree_path(&tree, path), 0644), 0);
		assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS,
						&value),
				 -EINVAL);
		assert_unknown(&gather()->bandwidth,
			       "not measured, and it has no link");
	}
	tree_file(&tree, path, "2600000000\n");
	assert_int_equal(chmod(tree_path(&tree, path), 0664), 0);
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value),
			 -EPERM);
	unlink(tree_path(&tree, path));
	tree_file(&tree, "other", "2600000000\n");
	tree_link(&tree, path, "../other");
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value),
			 -ELOOP);
	/* It is replaced, and not what it points to. */
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 5000), 0);
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value), 0);
	assert_int_equal(value, 5000);
	assert_int_equal(chmod(cache, 0777), 0);
	assert_int_equal(bandwidth_load(cache, &tree.roots, ADDRESS, &value),
			 -EPERM);
	assert_int_equal(bandwidth_save(cache, &tree.roots, ADDRESS, 5000),
			 -EPERM);
}

static void many_gpus(void **state)
{
	size_t i;

	(void)state;
	all_files();
	for (i = 0; i < 80; i++)
		devices->item[i] = &gpu;
	devices->count = CANDIDATES_MAX - 1;
	assert_int_equal(select_gather(&tree.roots, devices, NULL, &candidates),
			 0);
	assert_int_equal(candidates.n, CANDIDATES_MAX);
	devices->count = 80;
	assert_int_equal(select_gather(&tree.roots, devices, NULL, &candidates),
			 0);
	assert_int_equal(candidates.n, CANDIDATES_MAX);
	assert_true(candidates.item[CANDIDATES_MAX - 1].cpu);
	devices->count = 0;
	assert_int_equal(select_gather(&tree.roots, devices, NULL, &candidates),
			 0);
	assert_int_equal(candidates.n, 1);
}

/* Opening a FIFO that nobody writes to is as good as a driver that hangs. */
static void hanging_driver(void **state)
{
	struct egpu_device other = gpu;
	const struct candidate *found = candidates.item;
	const char *file_name = GPU "gpu_busy_percent";
	unsigned int before = apart_limit_ms;

	(void)state;
	all_files();
	other.id = 7;
	strcpy(other.address, "0000:08:00.0");
	tree_file(&tree, "sys/bus/pci/devices/0000:08:00.0/gpu_busy_percent",
		  "50\n");
	devices->item[1] = &other;
	devices->count = 2;
	unlink(tree_path(&tree, file_name));
	assert_int_equal(mkfifo(tree_path(&tree, file_name), 0644), 0);
	apart_limit_ms = 2000;
	select_gather(&tree.roots, devices, NULL, &candidates);
	assert_int_equal(candidates.n, 3);
	assert_int_equal(found[0].id, 2);
	assert_unknown(&found[0].memory_free, "its driver does not answer");
	assert_unknown(&found[0].load, "its driver does not answer");
	assert_string_equal(found[0].node, "/dev/dri/card1");
	assert_reading(&found[1].load, 0.5, "gpu_busy_percent");
	/* It is not asked again for a while, so this takes no time. */
	apart_limit_ms = 600000;
	select_gather(&tree.roots, devices, NULL, &candidates);
	assert_unknown(&found[0].load, "its driver does not answer");
	assert_reading(&found[1].load, 0.5, "gpu_busy_percent");
	apart_limit_ms = before;
}

static void nodes_and_drivers(void **state)
{
	const struct candidate *found;

	(void)state;
	gpu.minors[1].type = EGPU_MINOR_TYPE_ACCEL;
	assert_string_equal(gather()->node, "/dev/dri/renderD129");
	gpu.n_minors = 0;
	memset(gpu.driver, 'd', sizeof(gpu.driver) - 1);
	found = gather();
	assert_string_equal(found->node, "");
	assert_int_equal(strlen(found->driver), sizeof(found->driver) - 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(all_there),
	T(nothing_there),
	T(memory_of_other_drivers),
	T(asleep),
	T(leaving),
	T(absurd_files),
	T(out_of_range),
	T(expected_bandwidth),
	T(measured_bandwidth),
	T(others_see_bandwidths),
	T(bad_bandwidths),
	T(many_gpus),
	T(nodes_and_drivers),
	T(hanging_driver),
};

TEST_MAIN(tests, NULL, NULL)
