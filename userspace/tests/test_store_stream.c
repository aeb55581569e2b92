// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints through pipes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_case.h"
#include "test.h"

/* Exports into a pipe, from a process of its own. */
static int export_through_pipe(struct store_case *c, const char *id, pid_t *pid)
{
	struct store_reader *reader;
	int end[2], err;

	assert_int_equal(pipe(end), 0);
	*pid = fork();
	assert_true(*pid >= 0);
	if (!*pid) {
		close(end[0]);
		err = store_load(c->store, id, &reader, c->error);
		if (!err)
			err = store_export(reader, end[1]);
		_exit(err ? 1 : 0);
	}
	close(end[1]);
	return end[0];
}

static void ended_well(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A chain goes in at one end; at the other comes one that needs nobody. */
static void through_a_pipe(void **state)
{
	static const uint64_t size[] = { 150 * 65536 + 3, 4096, 65536 };
	char id[STORE_ID_SIZE] = "", got[STORE_ID_SIZE];
	struct store_case from, to;
	struct store_info *list;
	struct work work;
	size_t n;
	pid_t pid;
	int i, fd;

	(void)state;
	store_case_begin(&from, "/tmp", NULL);
	store_case_begin(&to, "/dev/shm", NULL);
	work_begin(&work, size, 3, 70000, 1);
	memset(work.data[0] + 65536, 0, 30 * 65536);
	for (i = 0; i < 3; i++) {
		work_fill(work.data[0] + (size_t)i * 50 * 65536, 65536, i + 9);
		assert_int_equal(work_save(&from, &work, i ? id : NULL, NULL),
				 0);
		memcpy(id, work.head.id, sizeof(id));
	}
	fd = export_through_pipe(&from, id, &pid);
	if (store_import(to.store, fd, got, to.error))
		fail_msg("%s", to.error);
	close(fd);
	ended_well(pid);
	assert_string_equal(got, id);
	memset(work.head.parent, 0, sizeof(work.head.parent));
	work_expect(&to, id, &work);
	assert_int_equal(store_list(to.store, &list, &n, to.error), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].depth, 1);
	free(list);
	/* Once is enough. */
	fd = export_through_pipe(&from, id, &pid);
	assert_int_equal(store_import(to.store, fd, got, to.error), -EEXIST);
	close(fd);
	ended_well(pid);
	work_end(&work);
	store_case_end(&from);
	store_case_end(&to);
}

static int import_bytes(struct store_case *c, const uint8_t *bytes, size_t len)
{
	char id[STORE_ID_SIZE], path[80];
	int fd, err;

	snprintf(path, sizeof(path), "%s/stream", c->dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	err = store_import(c->store, fd, id, c->error);
	close(fd);
	return err;
}

/* What is not whole does not get in, and nothing of it stays. */
static void damaged_streams(void **state)
{
	static const uint64_t size[] = { 70000 };
	char id[STORE_ID_SIZE], child[STORE_ID_SIZE];
	struct store_case c;
	struct work work;
	uint8_t *bytes, *adds;
	size_t len, n, at;

	(void)state;
	store_case_begin(&c, "/dev/shm", NULL);
	work_begin(&work, size, 1, 10, 1);
	assert_int_equal(work_save(&c, &work, NULL, NULL), 0);
	memcpy(id, work.head.id, sizeof(id));
	bytes = store_case_bytes(&c, id, &len);
	assert_int_equal(work_save(&c, &work, id, NULL), 0);
	memcpy(child, work.head.id, sizeof(id));
	adds = store_case_bytes(&c, child, &n);
	assert_int_equal(store_remove(c.store, child, c.error), 0);
	/* One that needs another is no stream. */
	assert_int_equal(import_bytes(&c, adds, n), -EINVAL);
	assert_int_equal(store_remove(c.store, id, c.error), 0);
	assert_int_not_equal(import_bytes(&c, adds, n), 0);
	for (at = 0; at < len; at += 1000) {
		assert_int_equal(import_bytes(&c, bytes, at), -EBADMSG);
		bytes[at] ^= 0x10;
		assert_int_not_equal(import_bytes(&c, bytes, len), 0);
		bytes[at] ^= 0x10;
	}
	assert_int_equal(store_case_files(&c), 0);
	store_case_reopen(&c, &(struct store_options){ .max_bytes = 65536 });
	assert_int_equal(import_bytes(&c, bytes, len), -ENOSPC);
	assert_int_equal(store_case_files(&c), 0);
	store_case_reopen(&c, NULL);
	assert_int_equal(import_bytes(&c, bytes, len), 0);
	work_expect(&c, id, &work);
	free(adds);
	free(bytes);
	work_end(&work);
	store_case_end(&c);
}

/* Who reads has gone: an error, and the checkpoint is as it was. */
static void broken_pipe(void **state)
{
	static const uint64_t size[] = { 50 * 65536 };
	struct store_reader *reader;
	struct store_case c;
	struct work work;
	int end[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	store_case_begin(&c, "/tmp", NULL);
	work_begin(&work, size, 1, 10, 1);
	assert_int_equal(work_save(&c, &work, NULL, NULL), 0);
	assert_int_equal(store_load(c.store, work.head.id, &reader, c.error), 0);
	assert_int_equal(pipe(end), 0);
	close(end[0]);
	assert_int_equal(store_export(reader, end[1]), -EPIPE);
	assert_true(*store_reader_error(reader));
	close(end[1]);
	store_unload(reader);
	work_expect(&c, work.head.id, &work);
	work_end(&work);
	store_case_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(through_a_pipe),
	cmocka_unit_test(damaged_streams),
	cmocka_unit_test(broken_pipe),
};

TEST_MAIN(tests, NULL, NULL)
