// SPDX-License-Identifier: GPL-2.0
/*
 * bench-session: a program that egpud makes checkpoints of.
 *
 *   bench-session SOCKET MIB
 *
 * Has MIB of memory in buffers of 64 MiB, which it does not write after the
 * beginning without saying so to anybody, and is at a safe point every 5 ms. Prints
 * "ready", then "rest" each time that it has stood still. Ends with its stdin.
 */
#include <egpu-session.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "content.h"

#define PIECE (UINT64_C(64) << 20)

static void rested(struct egpu_session *session, void *arg)
{
	(void)session;
	(void)arg;
	puts("rest");
	fflush(stdout);
}

static void add(struct egpu_session *session, uint32_t id)
{
	struct egpu_session_buffer buffer = { .id = id, .size = PIECE };
	int fd = egpu_session_memory(PIECE, "bench");
	void *memory;

	memory = fd < 0 ? MAP_FAILED :
			  mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, 0);
	if (memory == MAP_FAILED)
		bench_die("no memory for buffer %u", id);
	content_fill(memory, PIECE, id);
	if (egpu_session_add_memory(session, &buffer, fd))
		bench_die("%s", egpu_session_error(session));
}

int main(int argc, char **argv)
{
	const struct egpu_session_ops ops = { .go_on = rested };
	struct pollfd end = { .fd = STDIN_FILENO, .events = POLLIN };
	struct egpu_session *session;
	uint64_t step = 0;
	uint32_t i, n;

	if (argc != 3)
		bench_die("usage: bench-session SOCKET MIB");
	n = bench_number(argv[2], "the size in MiB", 1 << 20) / (PIECE >> 20);
	if (egpu_session_open_at(&session, argv[1], "bench", &ops, NULL) ||
	    egpu_session_fd(session) < 0)
		bench_die("there is no egpud at %s", argv[1]);
	for (i = 0; i < n; i++)
		add(session, i + 1);
	puts("ready");
	fflush(stdout);
	while (!poll(&end, 1, 5))
		if (egpu_session_safe(session, ++step, NULL, 0))
			bench_die("%s", egpu_session_error(session));
	egpu_session_close(session);
	return 0;
}
