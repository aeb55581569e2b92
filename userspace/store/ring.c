// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A few pieces of memory, taken once, through which all bytes go to and from
 * files, by io_uring: eight pieces of 4 MiB in flight with O_DIRECT, where the
 * file system has that, else small ones, which stay in the processor's cache and
 * which another of its cores copies. Without io_uring one is left.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "private.h"

static size_t memory_size(const struct ring *ring)
{
	return ring->n * ring->size;
}

/* The kernel, or a filter of system calls, may refuse it: then we do without. */
static void open_uring(struct ring *ring)
{
	struct iovec piece[RING_SLOTS];
	unsigned int i;

	if (io_uring_queue_init(RING_SLOTS, &ring->uring, 0))
		return;
	ring->async = true;
	ring->n = RING_SLOTS;
	for (i = 0; i < RING_SLOTS; i++) {
		piece[i].iov_base = ring_memory(ring, i);
		piece[i].iov_len = ring->size;
	}
	/* Refused when too little memory may be locked; slower, not wrong. */
	ring->fixed =
		!io_uring_register_buffers(&ring->uring, piece, RING_SLOTS);
}

/*
 * @direct: the files are open with O_DIRECT; else they are in memory, or in the
 * page cache, and a request is a copy.
 */
int ring_open(struct ring *ring, const struct store_io *io, bool direct,
	      bool no_ring)
{
	bool async = !no_ring;

	memset(ring, 0, sizeof(*ring));
	ring->io = io;
	ring->direct = direct;
	ring->n = async ? RING_SLOTS : 1;
	ring->size = direct ? RING_SLOT : RING_PLAIN_SLOT;
	ring->memory = mmap(NULL, memory_size(ring), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring->memory == MAP_FAILED) {
		ring->memory = NULL;
		return -errno;
	}
	/* A wish only: fewer pages to pin and to look up. */
	madvise(ring->memory, memory_size(ring), MADV_HUGEPAGE);
	if (async)
		open_uring(ring);
	if (async && !ring->async) {
		munmap(ring->memory + ring->size,
		       memory_size(ring) - ring->size);
		ring->n = 1;
	}
	return 0;
}

/* Memory that is with the kernel is not given back before the kernel has done. */
void ring_close(struct ring *ring)
{
	if (!ring->memory)
		return;
	ring_drain(ring);
	if (ring->async)
		io_uring_queue_exit(&ring->uring);
	munmap(ring->memory, memory_size(ring));
	ring->memory = NULL;
}

uint8_t *ring_memory(const struct ring *ring, unsigned int slot)
{
	return ring->memory + slot * ring->size;
}

static void finish_slot(struct ring_slot *slot, int err)
{
	slot->busy = false;
	slot->err = err;
}

/* Gives the rest of what a slot has to do to the kernel. */
static void submit(struct ring *ring, unsigned int index)
{
	struct ring_slot *slot = &ring->slot[index];
	uint8_t *memory = ring_memory(ring, index) + slot->done;
	unsigned int len = (unsigned int)(slot->len - slot->done);
	uint64_t offset = slot->offset + slot->done;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	int ret;

	if (!sqe) {
		finish_slot(slot, -EBUSY);
		return;
	}
	if (ring->fixed && slot->write)
		io_uring_prep_write_fixed(sqe, slot->fd, memory, len, offset,
					  (int)index);
	else if (ring->fixed)
		io_uring_prep_read_fixed(sqe, slot->fd, memory, len, offset,
					 (int)index);
	else if (slot->write)
		io_uring_prep_write(sqe, slot->fd, memory, len, offset);
	else
		io_uring_prep_read(sqe, slot->fd, memory, len, offset);
	/* A copy to or from memory: that is for another of the processor's cores. */
	if (!ring->direct)
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	io_uring_sqe_set_data(sqe, slot);
	slot->busy = true;
	do
		ret = io_uring_submit(&ring->uring);
	while (ret == -EINTR);
	if (ret < 0)
		finish_slot(slot, ret);
}

/* One thing has been done, perhaps in part. */
static void take_completion(struct ring *ring, struct ring_slot *slot, int res)
{
	unsigned int index = (unsigned int)(slot - ring->slot);

	if (ring->io->ring)
		res = ring->io->ring(slot->write,
				     ring_memory(ring, index) + slot->done,
				     slot->len - slot->done,
				     (off_t)(slot->offset + slot->done), res);
	if (res == -EINTR || res == -EAGAIN)
		res = 0;
	else if (!res)
		res = slot->write ? -EIO : -EBADMSG;
	if (res < 0) {
		finish_slot(slot, res);
		return;
	}
	slot->done += (size_t)res;
	if (slot->done >= slot->len)
		finish_slot(slot, 0);
	else
		submit(ring, index);
}

/* What plain calls do at once. */
static int do_now(struct ring *ring, unsigned int index)
{
	struct ring_slot *slot = &ring->slot[index];

	if (slot->write)
		return io_write_all(ring->io, slot->fd, ring_memory(ring, index),
				    slot->len, slot->offset, ring->stream);
	return io_read_all(ring->io, slot->fd, ring_memory(ring, index),
			   slot->len, slot->offset);
}

/**
 * ring_start() - read into a slot's memory, or write it
 * @ring: the ring
 * @slot: a slot that is not busy
 * @fd: the file
 * @write: which of both
 * @len: bytes
 * @offset: in the file
 *
 * Return: 0, or a negative errno that is known already; the rest comes out of
 * ring_wait().
 */
int ring_start(struct ring *ring, unsigned int slot, int fd, bool write,
	       size_t len, uint64_t offset)
{
	ring->slot[slot] = (struct ring_slot){
		.write = write,
		.fd = fd,
		.len = len,
		.offset = offset,
	};
	if (ring->async)
		submit(ring, slot);
	else
		ring->slot[slot].err = do_now(ring, slot);
	return ring->slot[slot].busy ? 0 : ring->slot[slot].err;
}

/* Waits until a slot is no longer busy; returns what came of it. */
int ring_wait(struct ring *ring, unsigned int slot)
{
	struct io_uring_cqe *cqe;
	struct ring_slot *done;
	int ret, res;

	while (ring->slot[slot].busy) {
		ret = io_uring_wait_cqe(&ring->uring, &cqe);
		if (ret == -EINTR)
			continue;
		if (ret)
			return ret;
		done = io_uring_cqe_get_data(cqe);
		res = cqe->res;
		io_uring_cqe_seen(&ring->uring, cqe);
		take_completion(ring, done, res);
	}
	return ring->slot[slot].err;
}

/* Waits for all; returns the first thing that failed. */
int ring_drain(struct ring *ring)
{
	unsigned int i;
	int err = 0, ret;

	for (i = 0; i < ring->n; i++) {
		ret = ring_wait(ring, i);
		if (!err)
			err = ret;
	}
	return err;
}
