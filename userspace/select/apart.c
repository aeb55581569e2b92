// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading in a process apart. Most files of a GPU in sysfs ask its driver, and a
 * driver whose hardware is in trouble may not answer for minutes; nobody who
 * chooses a device for work may hang with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

/* One that has not answered is left alone for so long. */
#define PAUSE_MS 30000

#define HUNG_MAX 8

/* How long the files of one GPU may take; the tests have less patience. */
unsigned int apart_limit_ms = 3000;

/**
 * struct hung - a GPU whose driver has not answered
 * @id: its device id, 0 for none
 * @pid: process that still hangs in it, 0 when it has ended
 * @until: time before which it is not asked again, in ms
 */
struct hung {
	uint32_t id;
	pid_t pid;
	uint64_t until;
};

static struct hung hung[HUNG_MAX];

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Forgets those that have waited long enough and whose process has ended. */
static bool is_hung(uint32_t id)
{
	bool found = false;
	size_t i;

	for (i = 0; i < HUNG_MAX; i++) {
		if (hung[i].pid && waitpid(hung[i].pid, NULL, WNOHANG))
			hung[i].pid = 0;
		if (!hung[i].pid && hung[i].until <= now_ms())
			hung[i].id = 0;
		found = found || (hung[i].id && hung[i].id == id);
	}
	return found;
}

/* If there is no room the process becomes init's when we end. */
static void remember(uint32_t id, pid_t pid)
{
	size_t i;

	for (i = 0; i < HUNG_MAX; i++) {
		if (hung[i].id)
			continue;
		hung[i] = (struct hung){ id, pid, now_ms() + PAUSE_MS };
		return;
	}
}

/* What is open here is none of its business, least of all while it hangs. */
static void work(const struct apart *apart, const bool *skip, size_t i,
		 size_t n, int out)
{
	struct candidate candidate;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(out, STDIN_FILENO) < 0)
		_exit(1);
	close_range(STDIN_FILENO + 1, ~0u, 0);
	for (; i < n; i++) {
		if (skip[i])
			continue;
		candidate = apart->candidates[i];
		apart->read(apart, apart->devices->item[i], &candidate);
		/* Less than a pipe takes at once, so it is all or nothing. */
		if (write(STDIN_FILENO, &candidate, sizeof(candidate)) !=
		    sizeof(candidate))
			_exit(1);
	}
	_exit(0);
}

/* Whether the answer about one GPU has come in time. */
static bool take(int in, struct candidate *candidate)
{
	struct pollfd pfd = { .fd = in, .events = POLLIN };
	uint64_t end = now_ms() + apart_limit_ms, now;
	struct candidate answer;
	int n;

	do {
		now = now_ms();
		n = poll(&pfd, 1, now < end ? (int)(end - now) : 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0 || read(in, &answer, sizeof(answer)) != sizeof(answer) ||
	    answer.id != candidate->id)
		return false;
	*candidate = answer;
	return true;
}

/* Answers from the GPU @i on, as long as they come; the one where they end. */
static size_t take_all(const struct apart *apart, const bool *skip, size_t i,
		       size_t n, int in)
{
	for (; i < n; i++) {
		if (skip[i])
			sensors_unknown(&apart->candidates[i],
					"its driver does not answer");
		else if (!take(in, &apart->candidates[i]))
			break;
	}
	return i;
}

static void end(uint32_t id, pid_t pid)
{
	kill(pid, SIGKILL);
	/* In the kernel it may hang on, and is asked for again later. */
	if (waitpid(pid, NULL, id ? WNOHANG : 0))
		pid = 0;
	if (id)
		remember(id, pid);
}

/**
 * apart_read() - read about all GPUs without hanging
 * @apart: what to read, and where to put it
 *
 * Of a GPU whose driver does not answer in time nothing is known, and it is
 * not asked again for a while.
 *
 * Return: 0, or why no process could be made; nothing is known then.
 */
int apart_read(const struct apart *apart)
{
	size_t i, n = apart->devices->count;
	bool skip[CANDIDATES_MAX];
	int pipes[2];
	pid_t pid;

	n = n < ARRAY_SIZE(skip) - 1 ? n : ARRAY_SIZE(skip) - 1;
	/* Both processes must be of one mind, and time goes on. */
	for (i = 0; i < n; i++)
		skip[i] = is_hung(apart->devices->item[i]->id);
	i = 0;
	while (i < n) {
		if (pipe2(pipes, O_CLOEXEC))
			return -errno;
		pid = fork();
		if (!pid)
			work(apart, skip, i, n, pipes[1]);
		close(pipes[1]);
		if (pid < 0) {
			close(pipes[0]);
			return -errno;
		}
		i = take_all(apart, skip, i, n, pipes[0]);
		close(pipes[0]);
		end(i < n ? apart->devices->item[i]->id : 0, pid);
		if (i < n)
			sensors_unknown(&apart->candidates[i++],
					"its driver does not answer");
	}
	return 0;
}
