// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mover_case.h"
#include "test.h"

/* What is not there after so long is not coming. */
#define PATIENCE_MS 20000

struct store *mover_store;
char mover_dir[64];

static size_t descriptors;

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Opens the store anew, with other system calls maybe. */
void mover_reopen(const struct store_options *options)
{
	struct store_options usual = { .max_bytes = 0 };
	char error[STORE_ERROR];

	if (mover_store)
		store_close(mover_store);
	mover_store = NULL;
	if (store_open(&mover_store, mover_dir, options ? options : &usual,
		       error))
		fail_msg("%s", error);
}

int mover_setup(void **state)
{
	(void)state;
	alarm(60);
	descriptors = count_descriptors();
	strcpy(mover_dir, "/tmp/egpu-mover-XXXXXX");
	assert_non_null(mkdtemp(mover_dir));
	mover_reopen(NULL);
	return 0;
}

/* Neither the parent nor anybody it has given something keeps a descriptor. */
int mover_teardown(void **state)
{
	struct dirent *entry;
	DIR *dir;

	(void)state;
	store_close(mover_store);
	mover_store = NULL;
	dir = opendir(mover_dir);
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(mover_dir);
	alarm(0);
	if (count_descriptors() == descriptors)
		return 0;
	print_error("%zu descriptors are open, there were %zu\n",
		    count_descriptors(), descriptors);
	return -1;
}

void mover_fill(void *to, size_t len, unsigned int seed)
{
	uint32_t word;
	size_t i;

	for (i = 0; i < len; i += 4) {
		word = (uint32_t)(i * 2654435761u + seed * 40503u + 1);
		memcpy((char *)to + i, &word, len - i < 4 ? len - i : 4);
	}
}

/* A buffer that is filled, or of zeros with seed 0. */
int mover_memory(size_t size, unsigned int seed)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *data;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	if (!seed)
		return fd;
	data = mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(data != MAP_FAILED);
	mover_fill(data, size, seed);
	munmap(data, size);
	return fd;
}

void mover_overwrite(int fd, size_t size)
{
	char *data = mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(data != MAP_FAILED);
	memset(data, 0xff, size);
	munmap(data, size);
}

struct job_buffer mover_buffer(uint32_t id, int fd, uint64_t size)
{
	return (struct job_buffer){
		.buffer = { .id = id, .kind = WIRE_MEMORY, .size = size },
		.fd = fd,
	};
}

/* Waits for the next message; false when there is none any more. */
bool mover_hear(struct mover *mover, struct mover_message *message)
{
	struct pollfd look = { .fd = mover->sock, .events = POLLIN };

	while (!mover->ended) {
		if (poll(&look, 1, PATIENCE_MS) != 1)
			fail_msg("the mover says nothing");
		if (mover_receive(mover, message))
			return true;
	}
	return false;
}

/* Waits until it has ended. */
void mover_end(struct mover *mover)
{
	struct pollfd look = { .fd = mover->pidfd, .events = POLLIN };

	if (poll(&look, 1, PATIENCE_MS) != 1)
		fail_msg("the mover does not end");
	assert_true(mover_reap(mover));
	assert_int_equal(mover->pid, 0);
	assert_true(mover_reap(mover));
}

/* Saves, and expects that all goes well. */
void mover_save_all(const struct save_job *job)
{
	struct mover_message message;
	struct mover mover;

	assert_int_equal(mover_save(&mover, job), 0);
	assert_true(mover_hear(&mover, &message));
	if (message.event == MOVER_FAILED)
		fail_msg("%s", message.text);
	assert_int_equal(message.event, MOVER_COPIED);
	assert_true(mover_hear(&mover, &message));
	if (message.event == MOVER_FAILED)
		fail_msg("%s", message.text);
	assert_int_equal(message.event, MOVER_DONE);
	mover_end(&mover);
}

/* Expects that the next thing it says is that it has failed, and why. */
void mover_expect_failed(struct mover *mover, int err, const char *words)
{
	struct mover_message message;

	assert_true(mover_hear(mover, &message));
	if (message.event != MOVER_FAILED)
		fail_msg("event %d came first", message.event);
	if (message.error != err || !strstr(message.text, words))
		fail_msg("it says %d, \"%s\"", message.error, message.text);
	assert_int_equal(message.fd, -1);
	assert_false(mover_hear(mover, &message));
	mover_end(mover);
}

/* Checkpoints that are there; each of them has to be whole. */
size_t mover_checkpoints(void)
{
	struct store_info *list;
	struct store_reader *reader;
	char error[STORE_ERROR];
	size_t n, i;

	assert_int_equal(store_list(mover_store, &list, &n, error), 0);
	for (i = 0; i < n; i++) {
		if (store_load(mover_store, list[i].head.id, &reader, error))
			fail_msg("%s", error);
		if (store_verify(reader))
			fail_msg("%s", store_reader_error(reader));
		store_unload(reader);
	}
	free(list);
	return n;
}
