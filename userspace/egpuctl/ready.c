// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether a GPU can be used, asked with an end to the patience.
 *
 * To open a node calls into the driver, and a driver can hang. So a child does
 * it. One that hangs is left behind with nothing of ours: whoever reads what we
 * print must not wait for it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"

static void answer_in_child(struct ctl *ctl, const struct egpu_device *device,
			    int answer)
{
	struct readiness ready;
	struct nodes nodes;
	ssize_t len;

	if (dup2(answer, STDIN_FILENO) < 0)
		_exit(1);
	close_range(STDIN_FILENO + 1, ~0u, 0);
	memset(&ready, 0, sizeof(ready));
	if (nodes_find(ctl->roots, device->address, &nodes))
		nodes_free(&nodes);
	readiness_of(ctl->roots, device, &nodes, &ready);
	len = write(STDIN_FILENO, &ready, sizeof(ready));
	_exit(len == sizeof(ready) ? 0 : 1);
}

/* 1 with an answer, 0 without one in time; anything else is our own failure. */
static int take_answer(struct ctl *ctl, int answer, struct readiness *ready)
{
	struct pollfd pfd = { .fd = answer, .events = POLLIN };
	ssize_t len;
	int n;

	do {
		n = poll(&pfd, 1, (int)ctl->open_ms);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n;
	len = read(answer, ready, sizeof(*ready));
	ready->why[sizeof(ready->why) - 1] = '\0';
	return len == sizeof(*ready) ? 1 : -1;
}

static void without_answer(struct readiness *ready, const char *why)
{
	memset(ready, 0, sizeof(*ready));
	snprintf(ready->why, sizeof(ready->why), "%s", why);
}

/**
 * ctl_readiness() - whether a GPU can be used
 * @ctl: where the machine is, and for how long to wait
 * @device: the GPU; not one that is leaving, which would be in the way
 * @ready: where to put the answer
 */
void ctl_readiness(struct ctl *ctl, const struct egpu_device *device,
		   struct readiness *ready)
{
	int ends[2], got;
	pid_t child;

	if (pipe(ends)) {
		without_answer(ready, "it could not be looked at");
		return;
	}
	child = fork();
	if (!child)
		answer_in_child(ctl, device, ends[1]);
	close(ends[1]);
	got = child < 0 ? -1 : take_answer(ctl, ends[0], ready);
	close(ends[0]);
	if (got < 0)
		without_answer(ready, "it could not be looked at");
	else if (!got)
		without_answer(ready, "its driver does not answer");
	if (child < 0)
		return;
	if (got != 1)
		kill(child, SIGKILL);
	/* Whoever hangs in a driver does not end by that. */
	waitpid(child, NULL, got == 1 ? 0 : WNOHANG);
}
