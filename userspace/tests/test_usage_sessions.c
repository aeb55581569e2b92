// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who cooperates with egpud: what its file may say, and who may have written it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "tree.h"

static struct tree tree;
static struct session_lines sessions;

static int setup(void **state)
{
	(void)state;
	tree_new(&tree);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

/* Only root's files are believed, so without being root there is no test. */
static bool is_root(const char *test)
{
	if (!geteuid())
		return true;
	print_message("# %s: skipped, it takes root\n", test);
	return false;
}

static int read_sessions(void)
{
	return sessions_read(tree_path(&tree, "sessions"), &sessions);
}

static int read_of(const char *text)
{
	tree_file(&tree, "sessions", "%s", text);
	assert_int_equal(chmod(tree_path(&tree, "sessions"), 0644), 0);
	return read_sessions();
}

static void right(void **state)
{
	(void)state;
	if (!is_root(__func__))
		return;
	sessions.n = 7;
	assert_int_equal(read_sessions(), 0);
	assert_int_equal(sessions.n, 0);
	assert_int_equal(read_of(""), 0);
	assert_int_equal(sessions.n, 0);
	assert_int_equal(read_of("4242 8841 2 17 3 1572864 my demo\n"
				 "2147483647 18446744073709551615 4294967295 "
				 "18446744073709551615 4294967295 18446744073709551615 \n"
				 "5 1 0 0 0 0 x\n"),
			 0);
	assert_int_equal(sessions.n, 3);
	assert_int_equal(sessions.item[0].pid, 4242);
	assert_int_equal(sessions.item[0].start, 8841);
	assert_int_equal(sessions.item[0].device, 2);
	assert_int_equal(sessions.item[0].step, 17);
	assert_int_equal(sessions.item[0].buffers, 3);
	assert_int_equal(sessions.item[0].bytes, 1572864);
	assert_string_equal(sessions.item[0].name, "my demo");
	assert_int_equal(sessions.item[1].pid, 2147483647);
	assert_true(sessions.item[1].bytes == UINT64_MAX);
	assert_string_equal(sessions.item[1].name, "");
	assert_int_equal(sessions_on(&sessions, 2), 1);
	assert_int_equal(sessions_on(&sessions, 0), 1);
	assert_int_equal(sessions_on(&sessions, 1), 0);
}

/* All of it is right, or nothing is believed. */
static void wrong(void **state)
{
	static const char *const cases[] = {
		"4242 8841 2 17 3 1572864 x",
		"4242 8841 2 17 3 1572864\n",
		"4242 8841 2 17 3 x\n",
		"0 8841 2 17 3 1 x\n",
		"-1 8841 2 17 3 1 x\n",
		"007 8841 2 17 3 1 x\n",
		"2147483648 1 2 17 3 1 x\n",
		"1 18446744073709551616 2 17 3 1 x\n",
		"1 1 4294967296 17 3 1 x\n",
		"1 1 2 17 4294967296 1 x\n",
		"1  1 2 17 3 1 x\n",
		"1 1 2 17 3 0x1 x\n",
		"5 1 0 0 0 0 x\n\n",
		"5 1 0 0 0 0 x\nnonsense\n",
		"5 1 0 0 0 0 "
		"0123456789012345678901234567890123456789012345678901234567890123\n",
	};
	size_t i;

	(void)state;
	if (!is_root(__func__))
		return;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_of(cases[i]), -EINVAL);
		assert_int_equal(sessions.n, 0);
	}
}

static void sizes(void **state)
{
	char *text = calloc(1, SESSIONS_FILE_MAX + 2), *at = text;
	FILE *f;
	int i;

	(void)state;
	assert_non_null(text);
	if (!is_root(__func__)) {
		free(text);
		return;
	}
	for (i = 0; i < SESSIONS_MAX; i++)
		at += sprintf(at, "%d 1 2 3 4 5 x\n", i + 1);
	assert_int_equal(read_of(text), 0);
	assert_int_equal(sessions.n, SESSIONS_MAX);
	sprintf(at, "999 1 2 3 4 5 x\n");
	assert_int_equal(read_of(text), -EINVAL);
	assert_int_equal(sessions.n, 0);
	memset(text, '\n', SESSIONS_FILE_MAX + 1);
	assert_int_equal(read_of(text), -E2BIG);
	text[SESSIONS_FILE_MAX] = '\0';
	assert_int_equal(read_of(text), -EINVAL);
	free(text);
	/* What comes behind a NUL would not be seen. */
	f = fopen(tree_path(&tree, "sessions"), "we");
	assert_non_null(f);
	assert_int_equal(fwrite("5 1 0 0 0 0 x\n\0y", 1, 16, f), 16);
	fclose(f);
	assert_int_equal(read_sessions(), -EINVAL);
}

static void not_roots(void **state)
{
	const char *line = "5 1 0 0 0 0 x\n";
	char path[512];

	(void)state;
	if (!is_root(__func__))
		return;
	snprintf(path, sizeof(path), "%s", tree_path(&tree, "sessions"));
	assert_int_equal(read_of(line), 0);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(read_sessions(), -EPERM);
	assert_int_equal(chmod(path, 0646), 0);
	assert_int_equal(read_sessions(), -EPERM);
	assert_int_equal(sessions.n, 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(path, 1, 0), 0);
	assert_int_equal(read_sessions(), -EPERM);
	unlink(path);
	tree_file(&tree, "other", "%s", line);
	tree_link(&tree, "sessions", "other");
	assert_int_equal(read_sessions(), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(read_sessions(), -EPERM);
	unlink(path);
	tree_dir(&tree, "sessions");
	assert_int_equal(read_sessions(), -EPERM);
}

/* The same process, and its work on this GPU. */
static void marks(void **state)
{
	struct holder holder[] = {
		{ .process = { .pid = 10, .start = 1 }, .cooperates = true },
		{ .process = { .pid = 20, .start = 2 } },
		{ .process = { .pid = 30, .start = 3 } },
		{ .process = { .pid = 40, .start = 4 } },
	};
	struct holders holders = { .n = 4, .size = 4, .item = holder };

	(void)state;
	sessions.n = 4;
	memset(&sessions.item, 0, sizeof(sessions.item));
	sessions.item[0] =
		(struct session_line){ .pid = 20, .start = 2, .device = 7 };
	sessions.item[1] =
		(struct session_line){ .pid = 30, .start = 9, .device = 7 };
	sessions.item[2] =
		(struct session_line){ .pid = 40, .start = 4, .device = 8 };
	sessions.item[3] =
		(struct session_line){ .pid = 50, .start = 5, .device = 7 };
	sessions_mark(&sessions, 7, &holders);
	assert_false(holder[0].cooperates);
	assert_true(holder[1].cooperates);
	assert_false(holder[2].cooperates);
	assert_false(holder[3].cooperates);
	sessions_mark(&sessions, 8, &holders);
	assert_false(holder[1].cooperates);
	assert_true(holder[3].cooperates);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(right), T(wrong), T(sizes), T(not_roots), cmocka_unit_test(marks),
};

TEST_MAIN(tests, NULL, NULL)
