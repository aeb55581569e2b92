// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A file that is written once, from its start to its end, in whole pages. What
 * goes into it is put together in the ring's memory.
 */
#include <errno.h>

#include "private.h"

/*
 * Asked of the file system beforehand, as much as there is already: a file that
 * has its length can be written by several requests at once, and what turns out
 * to be too much has to be given back.
 */
#define ALLOCATE_MIN (16ull << 20)
#define ALLOCATE_MAX (256ull << 20)

int out_open(struct out *out, const struct store_io *io, int fd, bool direct,
	     bool no_ring)
{
	int err = ring_open(&out->ring, io, direct, no_ring);

	if (err)
		return err;
	out->fd = fd;
	out->allocates = direct;
	out->direct = direct;
	return 0;
}

/* Makes the file long enough for the next @len bytes. */
static int allocate(struct out *out, size_t len)
{
	uint64_t more = out->offset;

	if (!out->allocates || out->offset + len <= out->allocated)
		return 0;
	if (more < ALLOCATE_MIN)
		more = ALLOCATE_MIN;
	if (more > ALLOCATE_MAX)
		more = ALLOCATE_MAX;
	if (more > out->limit - out->allocated)
		more = out->limit - out->allocated;
	if (!out->ring.io->allocate(out->fd, (off_t)out->allocated,
				    (off_t)more)) {
		out->allocated += more;
		return 0;
	}
	/* Not every file system can, and what it lacks the writes will say. */
	if (errno == EIO)
		return -EIO;
	out->allocates = false;
	return 0;
}

/* Writes what is in the slot and goes on to the next one that is free. */
static int flush(struct out *out)
{
	int err;

	if (!out->fill)
		return 0;
	if (out->offset + out->fill > out->limit)
		return -ENOSPC;
	err = allocate(out, out->fill);
	if (!err)
		err = ring_start(&out->ring, out->slot, out->fd, true,
				 out->fill, out->offset);
	if (err)
		return err;
	out->offset += out->fill;
	out->fill = 0;
	out->slot = (out->slot + 1) % out->ring.n;
	return ring_wait(&out->ring, out->slot);
}

/**
 * out_room() - room for the next bytes
 * @out: the file
 * @len: how many in one piece; at most a block
 * @at: where to put the address of the room
 *
 * They are not part of the file before out_take().
 *
 * Return: 0, or a negative errno from an earlier write.
 */
int out_room(struct out *out, size_t len, uint8_t **at)
{
	int err = 0;

	if (out->fill + len > out->ring.size)
		err = flush(out);
	*at = ring_memory(&out->ring, out->slot) + out->fill;
	return err;
}

/* The first @len bytes of the room, whole pages, are part of the file. */
void out_take(struct out *out, size_t len)
{
	out->fill += len;
}

/* Where in the file the next byte will be. */
uint64_t out_at(const struct out *out)
{
	return out->offset + out->fill;
}

/* Writes the rest; the file has its length and all has been written. */
int out_end(struct out *out)
{
	int err = flush(out);

	if (!err)
		err = ring_drain(&out->ring);
	if (!err && out->allocated > out->offset &&
	    out->ring.io->truncate(out->fd, (off_t)out->offset))
		err = -errno;
	return err;
}

void out_close(struct out *out)
{
	ring_close(&out->ring);
}
