// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The journal of egpud: what it takes for a record, and what it makes of a file
 * that somebody else, or death, has written.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "../egpud/egpud.h"
#include "test.h"
#include "world.h"

static struct world world;
static struct journal journal;
static struct record seen[64];
static size_t n_seen;

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_EMERG);
	world_make(&world);
	journal = (struct journal)JOURNAL_CLOSED;
	n_seen = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	journal_close(&journal);
	world_free(&world);
	return 0;
}

static int see(const struct record *record, void *arg)
{
	(void)arg;
	assert_true(n_seen < 64);
	seen[n_seen++] = *record;
	return 0;
}

static void journal_of(const char *text)
{
	world_file(text, "%s/journal", world.run);
	assert_int_equal(chmod(world.run, 0700), 0);
	assert_int_equal(journal_open(&journal, world.run), 0);
	n_seen = 0;
	assert_int_equal(journal_read(&journal, see, NULL), 0);
}

static void lines_that_are_records(void **state)
{
	struct record record;

	(void)state;
	assert_true(record_parse("stop 42 123456", &record));
	assert_int_equal(record.kind, RECORD_STOP);
	assert_int_equal(record.id, 42);
	assert_int_equal(record.start, 123456);
	assert_true(record_parse("cont 42 123456", &record));
	assert_int_equal(record.kind, RECORD_CONT);
	assert_true(record_parse("freeze 777 /user.slice/a b", &record));
	assert_int_equal(record.kind, RECORD_FREEZE);
	assert_int_equal(record.id, 777);
	assert_string_equal(record.path, "/user.slice/a b");
	assert_true(record_parse("thaw 777 /x", &record));
	assert_int_equal(record.kind, RECORD_THAW);
}

static void lines_that_are_not(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"stop",
		"stop ",
		"stop 42",
		"stop 42 ",
		"stop 42 1 ",
		"stop 42 1 2",
		"stop  42 1",
		" stop 42 1",
		"stop -1 1",
		"stop 0 1",
		"stop 1 1",
		"stop 42 0",
		"stop 42 x",
		"stop 0x2a 1",
		"stop 4294967338 1",
		"stop 99999999999999999999999 1",
		"stop 42 99999999999999999999999",
		"STOP 42 1",
		"kill 42 1",
		"freeze 7",
		"freeze 7 ",
		"freeze 7 /",
		"freeze 7 relative",
		"freeze 7 /../x",
		"freeze 7 /x/..",
		"freeze 7 /x/../y",
		"freeze 7 //x",
		"freeze 0 /x",
		"thaw x /x",
	};
	struct record record;
	char path[PROCESS_CGROUP_SIZE + 32] = "freeze 7 /";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (record_parse(lines[i], &record))
			fail_msg("taken for a record: '%s'", lines[i]);
	}
	memset(path + strlen(path), 'a', PROCESS_CGROUP_SIZE);
	assert_false(record_parse(path, &record));
}

/* What is written is read again as it was, also by who comes later. */
static void round_trip(void **state)
{
	const struct record stop = { RECORD_STOP, 42, 123456, "" };
	const struct record freeze = { RECORD_FREEZE, UINT64_MAX, 0, "/a/b c" };

	(void)state;
	assert_int_equal(journal_open(&journal, world.run), 0);
	assert_int_equal(journal_write(&journal, &stop), 0);
	assert_int_equal(journal_write(&journal, &freeze), 0);
	journal_close(&journal);
	assert_int_equal(journal_open(&journal, world.run), 0);
	assert_int_equal(journal_read(&journal, see, NULL), 0);
	assert_int_equal(n_seen, 2);
	assert_memory_equal(&seen[0], &stop, sizeof(stop));
	assert_memory_equal(&seen[1], &freeze, sizeof(freeze));
	journal_clean(&journal);
	n_seen = 0;
	assert_int_equal(journal_read(&journal, see, NULL), 0);
	assert_int_equal(n_seen, 0);
}

/* The one that was being written at death: nothing of it was done yet. */
static void last_line_without_end(void **state)
{
	const struct record next = { RECORD_STOP, 9, 9, "" };

	(void)state;
	journal_of("stop 42 1\nstop 43 12");
	assert_int_equal(n_seen, 1);
	/* And what comes next does not become a part of it. */
	assert_int_equal(journal_write(&journal, &next), 0);
	n_seen = 0;
	assert_int_equal(journal_read(&journal, see, NULL), 0);
	assert_int_equal(n_seen, 3);
	assert_int_equal(seen[2].id, 9);
}

static void bad_lines_are_skipped(void **state)
{
	(void)state;
	journal_of("stop 42 1\n\nrubbish\nstop 1 1\n\xff\xfe\nstop 43 2\n");
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[1].id, 43);
}

static void zeros_hide_nothing(void **state)
{
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(journal_open(&journal, world.run), 0);
	snprintf(path, sizeof(path), "%s/journal", world.run);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "stop 42 1\0\nstop 43 2\n", 21), 21);
	close(fd);
	assert_int_equal(journal_read(&journal, see, NULL), 0);
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].id, 43);
}

static void only_one_has_it(void **state)
{
	struct journal second;

	(void)state;
	assert_int_equal(journal_open(&journal, world.run), 0);
	assert_int_equal(journal_open(&second, world.run), -EBUSY);
	assert_int_equal(second.file, -1);
	journal_close(&journal);
	assert_int_equal(journal_open(&second, world.run), 0);
	journal_close(&second);
}

static void nobody_else_can_write_it(void **state)
{
	struct stat st;
	char path[128];

	(void)state;
	assert_int_equal(mkdir(world.run, 0777), 0);
	assert_int_equal(journal_open(&journal, world.run), 0);
	assert_int_equal(stat(world.run, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0711);
	snprintf(path, sizeof(path), "%s/journal", world.run);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void links_are_not_followed(void **state)
{
	char path[128], target[128];

	(void)state;
	assert_int_equal(mkdir(world.run, 0700), 0);
	snprintf(path, sizeof(path), "%s/journal", world.run);
	snprintf(target, sizeof(target), "%s/target", world.dir);
	world_file("stop 42 1\n", "%s", target);
	assert_int_equal(symlink(target, path), 0);
	assert_true(journal_open(&journal, world.run) < 0);
	assert_int_equal(unlink(path), 0);
	/* Nor is a second name of a file of somebody else. */
	assert_int_equal(link(target, path), 0);
	assert_int_equal(journal_open(&journal, world.run), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(journal_open(&journal, world.run), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(world.run), 0);
	assert_int_equal(symlink(world.dir, world.run), 0);
	assert_true(journal_open(&journal, world.run) < 0);
}

static void too_large(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(journal_open(&journal, world.run), 0);
	snprintf(path, sizeof(path), "%s/journal", world.run);
	assert_int_equal(truncate(path, 1l << 32), 0);
	assert_int_equal(journal_read(&journal, see, NULL), -EFBIG);
}

/* ------------------------------------------------------------- recovery */

static int recover_text(const char *text)
{
	struct daemon daemon = { .roots = &world.roots };
	char path[128];
	struct stat st;
	int err;

	world_file(text, "%s/journal", world.run);
	assert_int_equal(chmod(world.run, 0700), 0);
	assert_int_equal(journal_open(&daemon.journal, world.run), 0);
	daemon.freezer.journal = &daemon.journal;
	err = recover(&daemon);
	journal_close(&daemon.journal);
	snprintf(path, sizeof(path), "%s/journal", world.run);
	assert_int_equal(stat(path, &st), 0);
	/* It is clean, or there is something to be tried again. */
	assert_int_equal(!st.st_size, !err);
	return err;
}

static pid_t stopped_user(uint64_t *start)
{
	pid_t pid = world_user(&world, USER_PLAIN, "user");
	struct process process;

	assert_int_equal(process_read(&usage_roots_here, pid, &process), 0);
	*start = process.start;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_true(world_stands_still(pid));
	return pid;
}

/* What goes on does so before the next line of the test. */
static bool goes_on(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WCONTINUED | WNOHANG) == pid &&
	       WIFCONTINUED(status);
}

static void stopped_goes_on(void **state)
{
	uint64_t start;
	pid_t pid = stopped_user(&start);
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), "stop 99 1\nstop %d %" PRIu64 "\n", pid,
		 start);
	assert_int_equal(recover_text(text), 0);
	assert_true(goes_on(pid));
	/* A second time does no harm. */
	assert_int_equal(recover_text(text), 0);
	assert_int_not_equal(world_state(pid), 'T');
	world_end_user(pid);
}

static void what_went_on_is_left_alone(void **state)
{
	uint64_t start;
	pid_t pid = stopped_user(&start);
	char text[128];

	(void)state;
	snprintf(text, sizeof(text),
		 "stop %d %" PRIu64 "\ncont %d %" PRIu64 "\n", pid, start, pid,
		 start);
	assert_int_equal(recover_text(text), 0);
	assert_false(goes_on(pid));
	/* Unless it was stopped again after that. */
	snprintf(text, sizeof(text),
		 "stop %d %" PRIu64 "\ncont %d %" PRIu64 "\nstop %d %" PRIu64
		 "\n",
		 pid, start, pid, start, pid, start);
	assert_int_equal(recover_text(text), 0);
	assert_true(goes_on(pid));
	world_end_user(pid);
}

/* Its pid is that of another process by now. */
static void pid_of_another(void **state)
{
	uint64_t start;
	pid_t pid = stopped_user(&start);
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "stop %d %" PRIu64 "\n", pid, start + 1);
	assert_int_equal(recover_text(text), 0);
	assert_false(goes_on(pid));
	assert_int_equal(world_state(pid), 'T');
	world_end_user(pid);
}

static void announced_but_not_begun(void **state)
{
	uint64_t start;
	pid_t pid = stopped_user(&start);
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "stop %d %" PRIu64, pid, start);
	assert_int_equal(recover_text(text), 0);
	assert_false(goes_on(pid));
	world_end_user(pid);
}

static void frozen_cgroup_thaws(void **state)
{
	char path[256], text[64];
	struct stat st;
	FILE *file;

	(void)state;
	world_file("", "%s/fs/cgroup/cgroup.procs", world.sys);
	world_file("", "%s/fs/cgroup/cgroup.controllers", world.sys);
	world_file("1", "%s/fs/cgroup/app/cgroup.freeze", world.sys);
	snprintf(path, sizeof(path), "%s/fs/cgroup/app", world.sys);
	assert_int_equal(stat(path, &st), 0);
	/* A later cgroup of that name is not ours. */
	snprintf(text, sizeof(text), "freeze %lu /app\n",
		 (unsigned long)st.st_ino + 1);
	assert_int_equal(recover_text(text), 0);
	snprintf(path, sizeof(path), "%s/fs/cgroup/app/cgroup.freeze",
		 world.sys);
	file = fopen(path, "r");
	assert_int_equal(fgetc(file), '1');
	fclose(file);
	snprintf(text, sizeof(text), "freeze %lu /app\n",
		 (unsigned long)st.st_ino);
	assert_int_equal(recover_text(text), 0);
	file = fopen(path, "r");
	assert_int_equal(fgetc(file), '0');
	fclose(file);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(lines_that_are_records),
	T(lines_that_are_not),
	T(round_trip),
	T(last_line_without_end),
	T(bad_lines_are_skipped),
	T(zeros_hide_nothing),
	T(only_one_has_it),
	T(nobody_else_can_write_it),
	T(links_are_not_followed),
	T(too_large),
	T(stopped_goes_on),
	T(what_went_on_is_left_alone),
	T(pid_of_another),
	T(announced_but_not_begun),
	T(frozen_cgroup_thaws),
};

TEST_MAIN(tests, NULL, NULL)
