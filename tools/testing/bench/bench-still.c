// SPDX-License-Identifier: GPL-2.0
/*
 * bench-still: how long does a program stand still when its work is saved?
 *
 *   bench-still NODE MIB BUFFERS HOT
 *
 * A program with a buffer on a GPU and MIB MiB of memory in so many BUFFERS, of which
 * it writes HOT again in each step, and says so. Prints "ready" when it has a session,
 * then for each time that it had to stand still "still move|copy NS STEP" by its own
 * clock.
 */
#include <drm.h>
#include <drm_mode.h>
#include <egpu-session.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define STEP_US 20000

struct work {
	size_t size;
	unsigned int buffers;
	unsigned int hot;
	uint64_t **memory;
	bool asked;
	bool for_move;
};

static void on_reach(struct egpu_session *session, uint64_t deadline,
		     bool for_move, void *arg)
{
	struct work *work = arg;

	(void)session;
	(void)deadline;
	work->asked = true;
	work->for_move = for_move;
}

/* Nothing that is zero or twice there, so that all of it has to be copied. */
static void scribble(uint64_t *word, size_t size, uint64_t seed)
{
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++) {
		seed = seed * UINT64_C(6364136223846793005) +
		       1442695040888963407;
		word[i] = seed;
	}
}

static void add_buffer(struct work *work, struct egpu_session *session,
		       unsigned int i)
{
	struct egpu_session_buffer buffer = {
		.id = i + 1,
		.flags = EGPU_SESSION_DECLARED,
		.size = work->size,
	};
	int fd = egpu_session_memory(work->size, "bench");
	int error;

	if (fd < 0)
		bench_die("a buffer: %s", strerror(-fd));
	work->memory[i] = mmap(NULL, work->size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);
	if (work->memory[i] == MAP_FAILED)
		bench_die("a mapping: %s", strerror(errno));
	scribble(work->memory[i], work->size, i);
	error = egpu_session_add_memory(session, &buffer, fd);
	if (error)
		bench_die("buffer %u: %s: %s", i, strerror(-error),
			  egpu_session_error(session));
	close(fd);
}

/* By which it is one whom an eject of the GPU asks. */
static void add_gpu(struct egpu_session *session, const char *node, uint32_t id)
{
	struct egpu_session_buffer buffer = { .id = id,
					      .flags = EGPU_SESSION_DECLARED };
	struct drm_mode_create_dumb dumb = { .width = 32,
					     .height = 32,
					     .bpp = 32 };
	int fd = open(node, O_RDWR | O_CLOEXEC);
	int error;

	if (fd < 0)
		bench_die("%s: %s", node, strerror(errno));
	ioctl(fd, DRM_IOCTL_DROP_MASTER);
	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		bench_die("a buffer of %s: %s", node, strerror(errno));
	buffer.handle = dumb.handle;
	buffer.size = dumb.size;
	error = egpu_session_add_handle(session, &buffer, fd);
	if (error)
		bench_die("a buffer of %s: %s", node,
			  egpu_session_error(session));
}

static void step(struct work *work, struct egpu_session *session,
		 uint64_t number)
{
	uint64_t begin, still;
	unsigned int i;
	int error;

	for (i = 0; i < work->hot; i++) {
		scribble(work->memory[i], work->size, number ^ i << 20);
		egpu_session_dirty(session, i + 1);
	}
	work->asked = false;
	begin = bench_now();
	error = egpu_session_safe(session, number, &number, sizeof(number));
	still = bench_now() - begin;
	if (error)
		bench_die("the session: %s: %s", strerror(-error),
			  egpu_session_error(session));
	if (!work->asked)
		return;
	printf("still %s %" PRIu64 " %" PRIu64 "\n",
	       work->for_move ? "move" : "copy", still, number);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct egpu_session_ops ops = { .reach = on_reach };
	struct rlimit files = { 4096, 4096 };
	struct egpu_session *session;
	struct work work = {};
	uint64_t number = 0;
	unsigned int i;
	int error;

	if (argc != 5) {
		fprintf(stderr, "usage: bench-still NODE MIB BUFFERS HOT\n");
		return 2;
	}
	work.buffers = strtoul(argv[3], NULL, 0);
	work.size = (strtoull(argv[2], NULL, 0) << 20) / work.buffers;
	work.hot = strtoul(argv[4], NULL, 0);
	work.memory = calloc(work.buffers, sizeof(*work.memory));
	setrlimit(RLIMIT_NOFILE, &files);
	error = egpu_session_open(&session, "bench", &ops, &work);
	if (error)
		bench_die("no session: %s", strerror(-error));
	for (i = 0; i < work.buffers; i++)
		add_buffer(&work, session, i);
	add_gpu(session, argv[1], work.buffers + 1);
	puts("ready");
	fflush(stdout);
	for (;;) {
		step(&work, session, ++number);
		usleep(STEP_US);
	}
}
