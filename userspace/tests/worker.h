/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program whose work can be moved, in a process of its own: it computes on
 * buffers in memory so that each step depends on all before it, knows at each
 * step what the buffers must hold, and holds the GPU of the world until it was
 * moved.
 */
#ifndef TESTS_WORKER_H
#define TESTS_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "world.h"

/**
 * struct worker - a program, in memory that it shares with the test
 * @pid: its pid
 * @n: how many buffers it has
 * @bytes: the size of each
 * @declared: it says what it writes, which is the first buffer only
 * @pace_us: what a step takes at least
 * @refuse: offers that it does not take
 * @unable: cannot come to a safe point
 * @deaf: never looks at what egpud says
 * @blind: does not have the GPU open
 * @outlives: lives on when its parent dies, as long as @keeper lives
 * @keeper: the test
 * @stubborn: does not let go of the GPU when it was moved
 * @ready: its session is open
 * @step: how far it is
 * @moves: offers that it has taken
 * @offers: that it was made
 * @gone_on: times that it was told to go on
 * @failed: times that it was told that it cannot
 * @lost: of the last move
 * @cpu: of the last move
 * @lost_ns: of the last move
 * @back_to: step that it went back to
 * @was_at: step that it had reached before the last move
 * @wrong: buffers did not hold what they had to
 * @offline: egpud was not there at a safe point
 * @why: of the last failure
 */
struct worker {
	pid_t pid;
	size_t n;
	size_t bytes;
	bool declared;
	unsigned int pace_us;
	volatile unsigned int refuse;
	volatile bool unable;
	volatile bool deaf;
	bool blind;
	bool outlives;
	pid_t keeper;
	bool stubborn;
	volatile bool ready;
	volatile uint64_t step;
	volatile unsigned int moves;
	volatile unsigned int offers;
	volatile unsigned int gone_on;
	volatile unsigned int failed;
	volatile bool lost;
	volatile bool cpu;
	volatile uint64_t lost_ns;
	volatile uint64_t back_to;
	volatile uint64_t was_at;
	volatile unsigned int wrong;
	volatile unsigned int offline;
	char why[160];
};

struct worker *worker_new(void);
void worker_start(struct worker *worker, const struct world *world,
		  const char *socket);
void worker_end(struct worker *worker);

#endif
