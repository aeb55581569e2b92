// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program whose work can be moved.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/egpu-session.h"
#include "worker.h"
#include "test.h"

#define BUFFERS_MAX 64

/**
 * struct state - what goes along with the buffers
 * @step: how far the work is
 * @digest: of all buffers
 */
struct state {
	uint64_t step;
	uint64_t digest;
};

/**
 * struct self - the program's own side
 * @shared: what the test sees
 * @session: with egpud
 * @fd: of the buffers
 * @data: of the buffers
 * @node: of the GPU, -1 when it was let go of
 * @state: where the work is
 */
struct self {
	struct worker *shared;
	struct egpu_session *session;
	int fd[BUFFERS_MAX];
	uint64_t *data[BUFFERS_MAX];
	int node;
	struct state state;
};

static uint64_t digest_of(const struct self *self)
{
	size_t words = self->shared->bytes / sizeof(uint64_t), i, k;
	uint64_t digest = 1;

	for (i = 0; i < self->shared->n; i++) {
		for (k = 0; k < words; k++)
			digest = digest * 6364136223846793005u +
				 self->data[i][k];
	}
	return digest;
}

static void compute(struct self *self)
{
	size_t words = self->shared->bytes / sizeof(uint64_t), i, k;
	size_t n = self->shared->declared ? 1 : self->shared->n;

	/* Somebody has changed what is ours? */
	if (digest_of(self) != self->state.digest)
		self->shared->wrong++;
	self->state.step++;
	for (i = 0; i < n; i++) {
		for (k = 0; k < words; k++)
			self->data[i][k] = self->data[i][k] *
						   2862933555777941757u +
					   self->state.step + i + k;
		if (self->shared->declared)
			egpu_session_dirty(self->session, (uint32_t)i + 1);
	}
	self->state.digest = digest_of(self);
	self->shared->step = self->state.step;
}

static void take_buffers(struct self *self, const struct egpu_session_move *move)
{
	size_t bytes = self->shared->bytes, i;

	for (i = 0; i < move->n && i < self->shared->n; i++) {
		munmap(self->data[i], bytes);
		close(self->fd[i]);
		self->fd[i] = move->fd[i];
		self->data[i] = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_SHARED, move->fd[i], 0);
		if (self->data[i] == MAP_FAILED)
			_exit(3);
		if (move->buffer[i].id != i + 1)
			self->shared->wrong++;
	}
	if (move->n != self->shared->n)
		self->shared->wrong++;
}

static int on_move(struct egpu_session *session,
		   const struct egpu_session_move *move, void *arg)
{
	struct self *self = arg;
	struct worker *shared = self->shared;

	(void)session;
	shared->offers++;
	if (shared->refuse) {
		shared->refuse--;
		return -ENODEV;
	}
	take_buffers(self, move);
	shared->was_at = self->state.step;
	if (move->state_size != sizeof(self->state))
		shared->wrong++;
	else
		memcpy(&self->state, move->state, sizeof(self->state));
	if (self->state.step != move->step ||
	    digest_of(self) != self->state.digest)
		shared->wrong++;
	shared->lost = move->lost;
	shared->cpu = move->cpu;
	shared->lost_ns = move->lost_ns;
	shared->back_to = move->step;
	if (self->node >= 0 && !shared->stubborn) {
		close(self->node);
		self->node = -1;
	}
	shared->moves++;
	return 0;
}

static void on_go_on(struct egpu_session *session, void *arg)
{
	struct self *self = arg;

	(void)session;
	self->shared->gone_on++;
}

static void on_failed(struct egpu_session *session, const char *why, void *arg)
{
	struct self *self = arg;

	(void)session;
	snprintf(self->shared->why, sizeof(self->shared->why), "%s", why);
	self->shared->failed++;
}

static const struct egpu_session_ops ops = {
	.move = on_move,
	.go_on = on_go_on,
	.failed = on_failed,
};

static void add_buffers(struct self *self)
{
	struct worker *shared = self->shared;
	size_t i;

	for (i = 0; i < shared->n; i++) {
		struct egpu_session_buffer buffer = {
			.id = (uint32_t)i + 1,
			.flags = shared->declared ? EGPU_SESSION_DECLARED : 0,
			.size = shared->bytes,
		};

		self->fd[i] = egpu_session_memory(shared->bytes, "work");
		self->data[i] = mmap(NULL, shared->bytes, PROT_READ | PROT_WRITE,
				     MAP_SHARED, self->fd[i], 0);
		if (self->data[i] == MAP_FAILED ||
		    egpu_session_add_memory(self->session, &buffer, self->fd[i]))
			_exit(4);
	}
	self->state.digest = digest_of(self);
}

static void work(struct self *self)
{
	struct worker *shared = self->shared;
	int err;

	while (!shared->outlives || !kill(shared->keeper, 0)) {
		compute(self);
		if (shared->pace_us)
			usleep(shared->pace_us);
		if (shared->deaf)
			continue;
		if (shared->unable) {
			egpu_session_process(self->session, 0);
			egpu_session_unable(self->session, "too busy");
			continue;
		}
		err = egpu_session_safe(self->session, self->state.step,
					&self->state, sizeof(self->state));
		if (err == -ENOTCONN)
			shared->offline++;
	}
}

static void be_program(struct worker *shared, const struct world *world,
		       const char *socket)
{
	static struct self self;
	sigset_t none;

	if (!shared->outlives)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "program");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Nothing of the test's lives on in it. */
	close_range(STDERR_FILENO, ~0u, 0);
	close(STDOUT_FILENO);
	self.shared = shared;
	self.node = -1;
	if (!shared->blind)
		self.node = open(world->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if ((self.node < 0 && !shared->blind) ||
	    egpu_session_open_at(&self.session, socket, "work", &ops, &self))
		_exit(5);
	add_buffers(&self);
	shared->ready = true;
	work(&self);
}

/* To be filled in, then started. */
struct worker *worker_new(void)
{
	struct worker *worker;

	worker = mmap(NULL, sizeof(*worker), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(worker != MAP_FAILED);
	worker->keeper = getpid();
	worker->n = 3;
	worker->bytes = 256 << 10;
	worker->pace_us = 500;
	return worker;
}

/* @socket: where the daemon listens; the loop has to run for it to be ready */
void worker_start(struct worker *worker, const struct world *world,
		  const char *socket)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		be_program(worker, world, socket);
		_exit(0);
	}
	/* Not before: what it has in its memory we have as well. */
	worker->pid = pid;
}

void worker_end(struct worker *worker)
{
	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
	}
	munmap(worker, sizeof(*worker));
}
