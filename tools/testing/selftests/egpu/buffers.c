// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of real drivers, with the code that egpud uses.
 *
 *   buffers NODE OTHER
 *   buffers --slow NODE ADDRESS
 *
 * NODE and OTHER are primary nodes. Buffers are made on NODE as a program makes
 * them, are found to be what they are, saved, and made anew on OTHER, on NODE and
 * in memory; what comes back has to be what was written. Prints KTAP.
 *
 * --slow saves a buffer in some seconds, for the device to be pulled meanwhile, and
 * says what has come of it.
 */
#define _GNU_SOURCE
#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "mover.h"
#include "vgem.h"

#define STORE	"/tmp/egpu-store"
#define PIXELS	128 /* a side of what buffer_make() makes */
#define SIZE	(PIXELS * PIXELS * 4)
#define USER	1234 /* who may nothing */
#define LARGE	1024 /* pixels: 4 MiB */
#define TIMEOUT 20000 /* ms */

/* Something that has to be so, which is said when it is not. */
#define expect(fine, ...) check(fine, "not so: " __VA_ARGS__)

static const char *node, *other;
static struct store *store;

static void fill(void *to, size_t len, unsigned int seed)
{
	uint32_t *word = to;
	size_t i;

	for (i = 0; i < len / 4; i++)
		word[i] = (uint32_t)(i * 2654435761u + seed);
}

static bool is_filled(const void *from, size_t len, unsigned int seed)
{
	uint32_t *wanted = malloc(len);
	bool same;

	fill(wanted, len, seed);
	same = !memcmp(from, wanted, len);
	free(wanted);
	return same;
}

/* --- a program's buffer ------------------------------------------------------*/

struct own {
	int drm;
	uint32_t handle;
	int dma_buf; /* or -1: its driver gives none */
	void *data;
};

static void own_make(struct own *own, unsigned int seed)
{
	int err;

	own->drm = open(node, O_RDWR | O_CLOEXEC);
	if (own->drm < 0)
		bail_out("%s: %s", node, strerror(errno));
	ioctl(own->drm, DRM_IOCTL_DROP_MASTER);
	err = buffer_make(own->drm, PIXELS, &own->handle);
	if (err)
		bail_out("no buffer: %s", strerror(-err));
	own->data = buffer_mapped(own->drm, own->handle, PIXELS);
	if (!own->data)
		bail_out("no mapping: %s", strerror(errno));
	fill(own->data, SIZE, seed);
	own->dma_buf = buffer_export(own->drm, own->handle);
	if (own->dma_buf < 0)
		note("%s gives no dma-buf: %s", node, strerror(-own->dma_buf));
}

static void own_close(struct own *own)
{
	munmap(own->data, SIZE);
	if (own->dma_buf >= 0)
		close(own->dma_buf);
	close(own->drm);
}

static struct wire_buffer as_handle(const struct own *own, uint32_t id)
{
	return (struct wire_buffer){
		.id = id,
		.kind = WIRE_HANDLE,
		.handle = own->handle,
		.size = SIZE,
		.format = DRM_FORMAT_XRGB8888,
		.width = PIXELS - 3,
		.height = PIXELS,
		.stride = PIXELS * 4,
	};
}

static struct wire_buffer as_dma_buf(uint32_t id)
{
	return (struct wire_buffer){
		.id = id,
		.kind = WIRE_DMABUF,
		.size = SIZE,
	};
}

/* --- are they what they are --------------------------------------------------*/

/* A name that would be lines of its own in what the kernel says of a dma-buf. */
static void lie_by_name(int dma_buf)
{
	struct wire_buffer buffer = as_dma_buf(1);
	char error[BUFFERS_ERROR] = "";
	uint64_t inode = 0;
	struct stat st;

	ioctl(dma_buf, DMA_BUF_SET_NAME, "x\nsize:\t999999999\nino:\t1\n");
	expect(!fstat(dma_buf, &st) &&
		       !buffer_check(&buffer, dma_buf, &inode, error) &&
		       inode == st.st_ino,
	       "it is named as the kernel names it: %s", error);
	buffer.size = SIZE + 4096;
	expect(buffer_check(&buffer, dma_buf, &inode, error) == -ERANGE,
	       "it does not count for more than it has: %s", error);
}

static void test_check(void)
{
	char error[BUFFERS_ERROR] = "";
	struct wire_buffer buffer;
	uint64_t inode = 0;
	struct stat st;
	struct own own;

	test_begin("buffers are what they are");
	own_make(&own, 1);
	buffer = as_handle(&own, 1);
	expect(!fstat(own.drm, &st) &&
		       !buffer_check(&buffer, own.drm, &inode, error) &&
		       inode == minor(st.st_rdev),
	       "a handle: %s", error);
	if (own.dma_buf >= 0) {
		lie_by_name(own.dma_buf);
		expect(buffer_check(&buffer, own.dma_buf, &inode, error) < 0,
		       "a dma-buf is no node: %s", error);
		buffer.kind = WIRE_DMABUF;
		expect(buffer_check(&buffer, own.drm, &inode, error) < 0,
		       "a node is no dma-buf: %s", error);
		buffer.kind = WIRE_MEMORY;
		expect(buffer_check(&buffer, own.dma_buf, &inode, error) < 0,
		       "a dma-buf is no memory: %s", error);
	}
	own_close(&own);
	test_end();
}

static void check_map(const struct wire_buffer *buffer, int fd,
		      unsigned int seed, const char *what)
{
	char error[BUFFERS_ERROR] = "";
	void *copy = malloc(SIZE);
	struct wire_buffer larger = *buffer;
	struct mapping map;

	if (expect(!buffer_map(buffer, fd, false, &map, error), "%s: %s", what,
		   error)) {
		expect(!buffer_sync(&map, true, false), "%s can be read", what);
		buffer_copy_out(copy, map.data, SIZE);
		expect(is_filled(copy, SIZE, seed), "%s is right", what);
		expect(!buffer_sync(&map, false, false), "%s was read", what);
		buffer_unmap(&map);
	}
	larger.size = SIZE + (1 << 20);
	expect(buffer_map(&larger, fd, false, &map, error) < 0,
	       "%s is not larger than it is: %s", what, error);
	free(copy);
}

static void test_map(void)
{
	struct wire_buffer buffer;
	struct own own;

	test_begin("they can be read without knowing the driver");
	own_make(&own, 2);
	buffer = as_handle(&own, 1);
	check_map(&buffer, own.drm, 2, "the handle");
	buffer = as_dma_buf(1);
	if (own.dma_buf >= 0)
		check_map(&buffer, own.dma_buf, 2, "the dma-buf");
	own_close(&own);
	test_end();
}

static bool is_driver(int drm, const char *wanted)
{
	char name[16] = "";
	struct drm_version version = { .name = name, .name_len = 15 };

	return !ioctl(drm, DRM_IOCTL_VERSION, &version) && !strcmp(name, wanted);
}

static void check_fence(const struct own *own, int vgem)
{
	struct wire_buffer by_handle = as_handle(own, 1);
	struct wire_buffer by_fd = as_dma_buf(1);
	uint32_t theirs, fence;

	expect(buffer_poll(&by_fd, own->dma_buf, 0) == 1, "idle");
	/* The memory of bochs is its own: no other device gets at it. */
	if (vgem_import(vgem, own->dma_buf, &theirs)) {
		note("vgem cannot take it in: %s", strerror(errno));
		expect(is_driver(own->drm, "bochs-drm"), "only with bochs");
		return;
	}
	expect(!vgem_attach(vgem, theirs, false, &fence), "a reader's fence");
	expect(!buffer_poll(&by_fd, own->dma_buf, 50), "busy");
	expect(!buffer_poll(&by_handle, own->drm, 0), "busy by its handle");
	vgem_signal(vgem, fence);
	expect(buffer_poll(&by_fd, own->dma_buf, TIMEOUT) == 1 &&
		       buffer_poll(&by_handle, own->drm, TIMEOUT) == 1,
	       "idle again");
}

static void test_fence(void)
{
	struct wire_buffer by_handle;
	int vgem = vgem_open();
	struct own own;

	test_begin("work in flight is waited for");
	own_make(&own, 3);
	by_handle = as_handle(&own, 1);
	if (own.dma_buf < 0) {
		expect(buffer_poll(&by_handle, own.drm, 0) == -EOPNOTSUPP,
		       "who gives no dma-buf does not tell");
	} else if (expect(vgem >= 0, "vgem is there")) {
		check_fence(&own, vgem);
	}
	own_close(&own);
	if (vgem >= 0)
		close(vgem);
	test_end();
}

/* --- new ones ----------------------------------------------------------------*/

static void check_made(struct target *target, struct wire_buffer like)
{
	char error[BUFFERS_ERROR] = "";
	struct mapping map;
	struct made made;
	uint64_t inode;

	if (!expect(!target_make(target, &like, &made, error), "made: %s", error))
		return;
	note("kind %u, stride %u, %llu bytes", made.buffer.kind,
	     made.buffer.stride, (unsigned long long)made.buffer.size);
	expect(made.buffer.size >= (uint64_t)made.buffer.stride * like.height &&
		       made.buffer.stride >= buffer_line_bytes(&like),
	       "it is large enough");
	expect(!buffer_check(&made.buffer, made.fd, &inode, error),
	       "it is what is said: %s", error);
	fill(made.map.data, made.buffer.size & ~3ull, 9);
	if (expect(!buffer_map(&made.buffer, made.fd, false, &map, error),
		   "who gets it can map it: %s", error)) {
		expect(is_filled(map.data, made.buffer.size & ~3ull, 9),
		       "and sees what was written");
		buffer_unmap(&map);
	}
	made_close(&made);
}

static void test_target(void)
{
	struct wire_buffer like = { .id = 1, .kind = 1, .size = 123456 };
	char error[BUFFERS_ERROR] = "";
	struct target target;
	int after, magic = 0;

	test_begin("new buffers of %s", other);
	if (!expect(!target_open(&target, other, error), "opened: %s", error)) {
		test_end();
		return;
	}
	/* Were we still master, this one would not be. */
	after = open(other, O_RDWR | O_CLOEXEC);
	expect(!ioctl(after, DRM_IOCTL_AUTH_MAGIC, &magic) || errno != EACCES,
	       "the next one who opens it is master");
	close(after);
	check_made(&target, like);
	like.size = 100 * 404;
	like.format = DRM_FORMAT_XRGB8888;
	like.width = 99;
	like.height = 100;
	like.stride = 404;
	check_made(&target, like);
	/* Lines that are not whole pixels. */
	like.format = DRM_FORMAT_RGB888;
	like.stride = 302;
	check_made(&target, like);
	target_close(&target);
	test_end();
}

/* --- saved and restored ------------------------------------------------------*/

static bool hear(struct mover *mover, struct mover_message *message)
{
	struct pollfd look = { .fd = mover->sock, .events = POLLIN };

	while (poll(&look, 1, TIMEOUT) > 0) {
		if (mover_receive(mover, message))
			return true;
	}
	mover_kill(mover);
	return expect(false, "the mover says nothing for %d ms", TIMEOUT);
}

static void reap(struct mover *mover)
{
	struct pollfd look = { .fd = mover->pidfd, .events = POLLIN };

	expect(poll(&look, 1, TIMEOUT) == 1 && mover_reap(mover),
	       "the mover ends");
}

/* Hears it to the end; returns whether it is done. */
static bool finish(struct mover *mover, const char *what)
{
	struct mover_message message = { .event = 0 };

	while (hear(mover, &message) && message.event == MOVER_COPIED)
		continue;
	reap(mover);
	if (message.text[0])
		note("%s: %s", what, message.text);
	return expect(message.event == MOVER_DONE, "%s", what);
}

static bool save(const struct own *own, struct store_head *head)
{
	struct job_buffer buffer[] = {
		{ .buffer = as_handle(own, 1), .fd = own->drm },
		{ .buffer = as_dma_buf(2), .fd = own->dma_buf },
	};
	struct save_job job = {
		.store = store,
		.head = head,
		.n = own->dma_buf < 0 ? 1 : 2,
		.buffer = buffer,
		.state = -1,
		.wait_ms = 1000,
	};
	struct mover mover;

	return expect(!mover_save(&mover, &job), "begun") &&
	       finish(&mover, "saved");
}

static void check_restored(const struct mover_message *message,
			   unsigned int seed)
{
	const struct wire_buffer *buffer = &message->buffer;
	char error[BUFFERS_ERROR] = "";
	struct mapping map;
	uint32_t line, lines = buffer->height ? buffer->height : 1;
	uint32_t bytes = buffer->height ? buffer_line_bytes(buffer) : SIZE;
	uint32_t *wanted = malloc(SIZE);
	bool same = true;

	fill(wanted, SIZE, seed);
	if (!expect(!buffer_map(buffer, message->fd, false, &map, error),
		    "buffer %u can be mapped: %s", buffer->id, error))
		return;
	for (line = 0; line < lines; line++)
		same &= !memcmp((char *)map.data + line * buffer->stride,
				wanted + line * PIXELS, bytes);
	expect(same, "buffer %u of kind %u holds what it held", buffer->id,
	       buffer->kind);
	buffer_unmap(&map);
	free(wanted);
}

static void restore(const char *id, const char *to, unsigned int seed)
{
	struct restore_job job = { .store = store, .id = id, .node = to };
	struct mover_message message = { .event = 0 };
	struct mover mover;
	unsigned int n = 0;

	if (!expect(!mover_restore(&mover, &job), "begun"))
		return;
	while (hear(&mover, &message) && message.event == MOVER_BUFFER) {
		n++;
		check_restored(&message, seed);
		close(message.fd);
	}
	reap(&mover);
	expect(message.event == MOVER_DONE && message.step == 77 && n,
	       "%u buffers on %s: %s", n, to ? to : "the CPU", message.text);
}

/* A user without the right to open the node gets nothing of it. */
static void restore_as_stranger(const char *id)
{
	struct restore_job job = {
		.store = store,
		.id = id,
		.node = other,
		.uid = USER,
		.gid = USER,
	};
	struct mover_message message = { .event = 0 };
	struct mover mover;

	if (!expect(!mover_restore(&mover, &job), "begun"))
		return;
	hear(&mover, &message);
	expect(message.event == MOVER_FAILED && message.error == -EACCES,
	       "refused: %s", message.text);
	reap(&mover);
}

static void restore_as_user(const char *id, unsigned int seed)
{
	struct restore_job job = {
		.store = store,
		.id = id,
		.node = other,
		.uid = USER,
		.gid = USER,
	};
	struct mover_message message = { .event = 0 };
	struct mover mover;

	if (chown(other, USER, USER) ||
	    !expect(!mover_restore(&mover, &job), "begun"))
		return;
	while (hear(&mover, &message) && message.event == MOVER_BUFFER) {
		check_restored(&message, seed);
		close(message.fd);
	}
	expect(message.event == MOVER_DONE, "done: %s", message.text);
	reap(&mover);
	expect(!chown(other, 0, 0), "given back");
}

static void test_save(void)
{
	struct store_head head = { .step = 77, .program = "buffers" };
	const char *id = head.id;
	struct own own;

	test_begin("saved from %s, made anew on %s, there and in memory", node,
		   other);
	own_make(&own, 4);
	if (save(&own, &head)) {
		restore(id, other, 4);
		restore(id, node, 4);
		restore(id, NULL, 4);
		chmod(other, 0600);
		restore_as_stranger(id);
		restore_as_user(id, 4);
	}
	own_close(&own);
	test_end();
}

/* --- a program that knows nothing --------------------------------------------*/

/* Two open nodes with the same handle, and says when they are there. */
static void be_plain(int ready)
{
	struct own own[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	own_make(&own[0], 5);
	own_make(&own[1], 6);
	if (own[0].handle != own[1].handle || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void check_plain(const char *id)
{
	char error[STORE_ERROR] = "";
	const struct store_buffer *buffer;
	struct store_reader *reader;
	char *data = malloc(SIZE);
	size_t n;

	if (!expect(!store_load(store, id, &reader, error), "loaded: %s", error))
		return;
	buffer = store_buffers(reader, &n);
	expect(store_head(reader)->plain && n == 2, "%zu buffers", n);
	expect(n == 2 && !store_read(reader, 0, 0, data, SIZE) &&
		       is_filled(data, SIZE, 5),
	       "the first is right");
	expect(n == 2 && !store_read(reader, 1, 0, data, SIZE) &&
		       is_filled(data, SIZE, 6),
	       "the second is right (%s)", n == 2 ? buffer[1].name : "");
	store_unload(reader);
	free(data);
}

static void test_plain(void)
{
	static const uint32_t handle[] = { 1, 1, 99 };
	static const uint64_t size[] = { SIZE, SIZE, SIZE };
	struct store_head head = { .program = "plain" };
	struct plain_job job = {
		.store = store,
		.head = &head,
		.n = 3,
		.handle = handle,
		.size = size,
	};
	char byte;
	struct mover mover;
	struct stat st;
	int ends[2];

	test_begin("a program that knows nothing of it");
	if (pipe(ends) || stat(node, &st))
		bail_out("%s: %s", node, strerror(errno));
	job.minor = minor(st.st_rdev);
	job.pid = fork();
	if (!job.pid)
		be_plain(ends[1]);
	close(ends[1]);
	if (expect(read(ends[0], &byte, 1) == 1, "it is there")) {
		kill(job.pid, SIGSTOP);
		if (expect(!mover_plain(&mover, &job), "begun") &&
		    finish(&mover, "written"))
			check_plain(head.id);
	}
	kill(job.pid, SIGKILL);
	waitpid(job.pid, NULL, 0);
	close(ends[0]);
	test_end();
}

static void test_measure(void)
{
	struct measure_job job = { .node = node };
	struct mover_message message = { .event = 0 };
	struct mover mover;

	test_begin("how fast it is");
	if (expect(!mover_measure(&mover, &job), "begun")) {
		hear(&mover, &message);
		expect(message.event == MOVER_DONE && message.write_rate &&
			       message.read_rate,
		       "write %llu, read %llu bytes/s: %s",
		       (unsigned long long)message.write_rate,
		       (unsigned long long)message.read_rate, message.text);
		reap(&mover);
	}
	test_end();
}

static int save_slowly(const char *address)
{
	struct store_head head = { .step = 1 };
	struct job_buffer buffer = {
		.buffer = { .id = 1, .kind = WIRE_HANDLE },
	};
	struct save_job job = {
		.store = store,
		.head = &head,
		.n = 1,
		.buffer = &buffer,
		.state = -1,
		.rate = 1 << 20,
	};
	struct mover_message message = { .event = 0 };
	struct mover mover;

	buffer.fd = open(node, O_RDWR | O_CLOEXEC);
	buffer.buffer.size = LARGE * LARGE * 4;
	snprintf(head.address, sizeof(head.address), "%s", address);
	if (buffer_make(buffer.fd, LARGE, &buffer.buffer.handle) ||
	    mover_save(&mover, &job))
		return 1;
	dprintf(STDOUT_FILENO, "saving\n");
	while (hear(&mover, &message) && message.event < MOVER_DONE)
		continue;
	reap(&mover);
	dprintf(STDOUT_FILENO, "%s %s\n",
		message.event == MOVER_DONE ? "done" : "failed", message.text);
	return 0;
}

int main(int argc, char **argv)
{
	bool slow = argc == 4 && !strcmp(argv[1], "--slow");
	struct store_options options = { .max_bytes = 0 };
	char error[STORE_ERROR] = "";

	if (argc != 3 && !slow)
		bail_out("usage: buffers [--slow] NODE OTHER|ADDRESS");
	node = argv[argc - 2];
	other = argv[argc - 1];
	mkdir(STORE, 0700);
	if (store_open(&store, STORE, &options, error))
		bail_out("%s", error);
	if (slow)
		return save_slowly(other);
	test_check();
	test_map();
	test_fence();
	test_target();
	test_save();
	test_plain();
	test_measure();
	store_close(store);
	return ktap_finish();
}
