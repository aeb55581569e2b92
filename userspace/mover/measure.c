// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How fast the memory of a device can be written and read from here. What files
 * say of a link's speed is wrong behind tunnels, so it is tried.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

#define SIZE	(16 * 1024 * 1024u)
#define PIECE	(256 * 1024u)
#define TIME_NS 100000000u /* for each of three passes; one piece at least */

static void read_piece(void *memory, void *own)
{
	buffer_copy_out(own, memory, PIECE);
}

static void write_piece(void *memory, void *own)
{
	buffer_copy_in(memory, own, PIECE);
}

/* Bytes per second, over the buffer again and again. */
static uint64_t pass(const struct mapping *map, void *own,
		     void (*move)(void *memory, void *own))
{
	uint64_t begin = mover_now_ns(), spent, bytes = 0;

	do {
		move((char *)map->data + bytes % SIZE, own);
		bytes += PIECE;
		spent = mover_now_ns() - begin;
	} while (spent < TIME_NS);
	return (uint64_t)((double)bytes * 1e9 / (double)spent);
}

static void run_measure(int sock, const void *arg)
{
	const struct measure_job *job = arg;
	struct wire_buffer like = { .id = 1, .kind = WIRE_DMABUF, .size = SIZE };
	struct mover_message message;
	char error[BUFFERS_ERROR];
	struct target target;
	struct made made;
	char *own = malloc(PIECE);
	int err;

	child_lower(sock);
	if (!own)
		child_fail(sock, -ENOMEM, "no memory to copy with");
	memset(own, 0x5a, PIECE);
	err = target_open(&target, job->node, error);
	if (!err)
		err = target_make(&target, &like, &made, error);
	if (err)
		child_fail(sock, err, "%s", error);
	memset(&message, 0, sizeof(message));
	message.event = MOVER_DONE;
	buffer_sync(&made.map, true, true);
	/* The first time the kernel finds or clears the pages. */
	pass(&made.map, own, write_piece);
	message.write_rate = pass(&made.map, own, write_piece);
	message.read_rate = pass(&made.map, own, read_piece);
	buffer_sync(&made.map, false, true);
	child_say(sock, &message, -1);
}

/**
 * mover_measure() - how fast can a device be written and read?
 * @mover: set
 * @job: which; used before this returns only
 *
 * Takes about a third of a second. Says MOVER_DONE.
 *
 * Return: 0 or a negative errno.
 */
int mover_measure(struct mover *mover, const struct measure_job *job)
{
	struct work work = {
		.name = "egpud-measure",
		.run = run_measure,
		.job = job,
	};

	return mover_start(mover, &work);
}
