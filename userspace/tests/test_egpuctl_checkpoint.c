// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl checkpoint
 */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_case.h"
#include "store_case.h"
#include "test.h"

#define XR24   0x34325258u
#define AR24   0x34325241u
#define WIDTH  5
#define HEIGHT 3
#define STRIDE 64

static struct store_case here;
static struct work work;

/* A picture, one with alpha, one that is tiled, and bytes. */
static int setup(void **state)
{
	static const uint64_t size[] = { STRIDE * HEIGHT, STRIDE * HEIGHT, 4096,
					 100000 };
	int i;

	store_case_begin(&here, "/tmp", NULL);
	work_begin(&work, size, 4, 16, 3);
	for (i = 0; i < 3; i++) {
		work.buffer[i].format = i == 1 ? AR24 : XR24;
		work.buffer[i].width = WIDTH;
		work.buffer[i].height = HEIGHT;
		work.buffer[i].stride = STRIDE;
	}
	work.buffer[2].modifier = 0x0100000000000001;
	if (work_save(&here, &work, NULL, NULL))
		fail_msg("%s", here.error);
	return ctl_setup(state);
}

static int teardown(void **state)
{
	work_end(&work);
	store_case_end(&here);
	return ctl_teardown(state);
}

/* Runs "egpuctl checkpoint @line --store DIR"; "ID" is that of the work. */
static void expect(int code, const char *line)
{
	char whole[512], *id = strstr(line, "ID");

	if (id)
		snprintf(whole, sizeof(whole), "checkpoint %.*s%s%s --store %s",
			 (int)(id - line), line, work.head.id, id + 2, here.dir);
	else
		snprintf(whole, sizeof(whole), "checkpoint %s --store %s", line,
			 here.dir);
	ctl_expect(code, whole);
}

static void lists(void **state)
{
	char first[STORE_ID_SIZE], text[128];

	(void)state;
	memcpy(first, work.head.id, sizeof(first));
	work.head.rough = true;
	assert_int_equal(work_save(&here, &work, first, NULL), 0);
	expect(EXIT_OK, "list");
	ctl_says(first);
	ctl_says(work.head.id);
	ctl_says("test[42] a piece of work");
	ctl_says("102 KiB");
	ctl_says("rough");
	expect(EXIT_OK, "");
	ctl_says(first);
	expect(EXIT_OK, "list --json");
	snprintf(text, sizeof(text),
		 "{\"schema\":1,\"checkpoints\":[{\"error\":null,\"id\":\"%s\",\"parent\":null,",
		 first);
	ctl_says(text);
	snprintf(text, sizeof(text), "\"parent\":\"%s\"", first);
	ctl_says(text);
	ctl_says("\"needs\":0,\"needed_by\":1}");
	ctl_says("\"needs\":1,\"needed_by\":0}");
	/* No kernel was asked for any of that. */
	assert_int_equal(ctl_kernel.n_calls, 0);
}

static void shows(void **state)
{
	char line[64];

	(void)state;
	expect(EXIT_OK, "show ID");
	ctl_says("program:  test[42] of user 1000");
	ctl_says("work:     a piece of work");
	ctl_says("device:   0000:07:00.0 (bochs-drm)");
	ctl_says("XR24 5x3");
	ctl_says("0x0100000000000001");
	expect(EXIT_OK, "show ID --json");
	ctl_says("\"format\":\"XR24\",\"width\":5,\"height\":3,\"stride\":64,");
	/* The beginning of an id will do. */
	snprintf(line, sizeof(line), "show %.6s", work.head.id);
	expect(EXIT_OK, line);
	expect(EXIT_NOT_FOUND, "show zz");
	ctl_says("there is no checkpoint 'zz'");
	expect(EXIT_NOT_FOUND, "show ../etc");
}

/* Reads a picture back, as red, green, blue, alpha. */
static void read_png(const char *path, uint8_t *pixels)
{
	png_image image = { .version = PNG_IMAGE_VERSION };

	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.width, WIDTH);
	assert_int_equal(image.height, HEIGHT);
	image.format = PNG_FORMAT_RGBA;
	assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
}

static void compare(const char *path, const uint8_t *data, bool alpha)
{
	uint8_t pixels[HEIGHT][WIDTH][4];
	const uint8_t *from;
	int x, y;

	read_png(path, &pixels[0][0][0]);
	for (y = 0; y < HEIGHT; y++) {
		for (x = 0; x < WIDTH; x++) {
			from = data + y * STRIDE + 4 * x;
			assert_int_equal(pixels[y][x][0], from[2]);
			assert_int_equal(pixels[y][x][1], from[1]);
			assert_int_equal(pixels[y][x][2], from[0]);
			assert_int_equal(pixels[y][x][3], alpha ? from[3] : 255);
		}
	}
}

static void pictures(void **state)
{
	char path[80], line[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/picture.png", here.dir);
	snprintf(line, sizeof(line), "show ID --png %s", path);
	expect(EXIT_OK, line);
	compare(path, work.data[0], false);
	snprintf(line, sizeof(line), "show ID --png %s --buffer 8", path);
	expect(EXIT_OK, line);
	compare(path, work.data[1], true);
	assert_int_equal(unlink(path), 0);
	/* Those that cannot be shown leave no file behind. */
	snprintf(line, sizeof(line), "show ID --png %s --buffer 15", path);
	expect(EXIT_OTHER, line);
	ctl_says("tiled or compressed");
	snprintf(line, sizeof(line), "show ID --png %s --buffer 22", path);
	expect(EXIT_OTHER, line);
	ctl_says("only XRGB8888");
	snprintf(line, sizeof(line), "show ID --png %s --buffer 99", path);
	expect(EXIT_NOT_FOUND, line);
	assert_int_equal(access(path, F_OK), -1);
	expect(EXIT_NOT_FOUND, "show ID --png /nonexistent/x.png --buffer 99");
	expect(EXIT_OTHER, "show ID --png /nonexistent/x.png");
}

/* What is no file of ours is not removed when it cannot be written: /dev/full. */
static void picture_for_a_device(void **state)
{
	char path[80], line[160];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/device.png", here.dir);
	snprintf(line, sizeof(line), "show ID --png %s", path);
	assert_int_equal(symlink("/dev/full", path), 0);
	expect(EXIT_OTHER, line);
	ctl_says("cannot be written");
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(unlink(path), 0);
}

/* Whatever a program says of its picture, nothing beyond it is read. */
static void pictures_that_lie(void **state)
{
	static const struct {
		uint32_t width, height, stride;
	} lie[] = {
		{ 17, 3, 64 },
		{ 5, 4, 64 },
		{ 0, 3, 64 },
		{ 5, 0, 64 },
		{ 0x40000001, 1, 4 },
		{ 1, 0xffffffff, 0xffffffff },
		{ 65537, 1, 4 * 65537 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lie); i++) {
		work.buffer[0].width = lie[i].width;
		work.buffer[0].height = lie[i].height;
		work.buffer[0].stride = lie[i].stride;
		assert_int_equal(work_save(&here, &work, NULL, NULL), 0);
		expect(EXIT_OTHER, "show ID --png /tmp/no.png --buffer 1");
		ctl_says("do not fit its size");
	}
}

static void verifies(void **state)
{
	uint8_t *bytes;
	size_t len;

	(void)state;
	expect(EXIT_OK, "verify");
	ctl_says("is whole");
	expect(EXIT_OK, "verify ID --json");
	ctl_says("\"whole\":true,\"error\":null}]}");
	bytes = store_case_bytes(&here, work.head.id, &len);
	bytes[3 * 4096] ^= 4;
	store_case_put(&here, work.head.id, bytes, len);
	expect(EXIT_OTHER, "verify ID");
	ctl_says("is not: checkpoint");
	ctl_says("checksum");
	expect(EXIT_OTHER, "verify --json");
	ctl_says("\"whole\":false,\"error\":\"");
	/* The listing only looks at both ends. */
	bytes[100] ^= 4;
	store_case_put(&here, work.head.id, bytes, len);
	expect(EXIT_OK, "list");
	ctl_says("damaged");
	bytes[8] = 9;
	store_case_put(&here, work.head.id, bytes, len);
	expect(EXIT_OK, "list");
	ctl_says("of another version");
	expect(EXIT_OTHER, "show ID");
	ctl_says("version 9");
	free(bytes);
}

static void there_and_back(void **state)
{
	char path[80], line[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", here.dir);
	snprintf(line, sizeof(line), "export ID %s", path);
	expect(EXIT_OK, line);
	/* Nothing is overwritten. */
	expect(EXIT_OTHER, line);
	ctl_says("File exists");
	expect(EXIT_OK, "remove ID");
	ctl_says("is removed");
	expect(EXIT_NOT_FOUND, "remove ID");
	snprintf(line, sizeof(line), "import %s", path);
	expect(EXIT_OK, line);
	ctl_says(work.head.id);
	work_expect(&here, work.head.id, &work);
	expect(EXIT_OTHER, line);
	ctl_says("File exists");
	expect(EXIT_OK, "remove ID --json");
	ctl_says("{\"schema\":1,\"removed\":\"");
	assert_int_equal(truncate(path, 4096 * 5), 0);
	expect(EXIT_OTHER, line);
	expect(EXIT_NOT_FOUND, "import /nonexistent");
	expect(EXIT_NOT_FOUND, "export zz /nonexistent");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_case_files(&here), 0);
}

static void needed_ones_stay(void **state)
{
	char first[STORE_ID_SIZE];

	(void)state;
	memcpy(first, work.head.id, sizeof(first));
	assert_int_equal(work_save(&here, &work, first, NULL), 0);
	memcpy(work.head.id, first, sizeof(first));
	expect(EXIT_BUSY, "remove ID");
	ctl_says("is needed by 1 others");
	expect(EXIT_OK, "verify");
}

static void wrong_lines(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "bogus", "is not one of list, show" },
		{ "show", "'checkpoint show' needs an argument: ID" },
		{ "list x", "takes no further argument 'x'" },
		{ "verify a b", "takes no further argument 'b'" },
		{ "verify --png x", "--png and --buffer are for show" },
		{ "show ID --buffer 1", "--buffer needs --png" },
		{ "show ID --png x --buffer 0", "not the number of a buffer" },
		{ "show ID --png x --buffer x", "not the number of a buffer" },
		{ "export ID", "nothing for a terminal" },
		{ "list --force", "does not take the option --force" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		expect(EXIT_USAGE, cases[i].line);
		ctl_says(cases[i].text);
	}
	ctl_expect(EXIT_USAGE, "list --store x");
	ctl_says("does not take the option --store");
}

static void stores_that_are_not(void **state)
{
	(void)state;
	ctl_expect(EXIT_NOT_FOUND, "checkpoint list --store /nonexistent");
	ctl_expect(EXIT_NOT_FOUND, "checkpoint show 1 --store /nonexistent");
	assert_int_equal(access("/nonexistent", F_OK), -1);
	chmod(here.dir, 0777);
	expect(EXIT_PERMISSION, "list");
	ctl_says("writable by nobody else");
	expect(EXIT_PERMISSION, "list --json");
	ctl_says("\"code\":\"permission\"");
	chmod(here.dir, 0700);
}

/* With a configuration that is wrong it is not known where the store is. */
static void a_store_that_nobody_knows(void **state)
{
	static char path[128];

	(void)state;
	tree_file(&ctl_tree, "egpud.conf", "keep = maybe\n");
	snprintf(path, sizeof(path), "%s/egpud.conf", ctl_tree.top);
	assert_int_equal(chmod(path, 0644), 0);
	ctl_run.ctl.policy_path = path;
	ctl_expect(EXIT_OTHER, "checkpoint list --json");
	ctl_says("{\"schema\":1,\"error\":{\"code\":\"failed\",\"errno\":");
	ctl_says("expected yes or no, found 'maybe'; name the store with --store");
	expect(EXIT_OK, "list");
	ctl_says(work.head.id);
	ctl_run.ctl.policy_path = NULL;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(lists),
	T(shows),
	T(pictures),
	T(picture_for_a_device),
	T(pictures_that_lie),
	T(verifies),
	T(there_and_back),
	T(needed_ones_stay),
	T(wrong_lines),
	T(stores_that_are_not),
	T(a_store_that_nobody_knows),
};

TEST_MAIN(tests, NULL, NULL)
