// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether a GPU that has come can be used: all its memory has addresses, a
 * driver is bound, a node opens.
 *
 * To open a node calls into the driver, and a driver can hang. So a child does
 * it, which has nothing of ours that would live on with it: no socket, whose
 * end the kernel takes for our death, and no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

/* For one look, and between two of them; udev and firmware take their time. */
#define LOOK_USEC  5000000
#define AGAIN_USEC 1000000
#define TRIES	   10

/**
 * struct probe - a GPU that is being looked at
 * @next: the next one
 * @daemon: whose it is
 * @id: device id; 0 when nobody wants the answer any more
 * @tries: looks that are left
 * @child: who looks, or 0 between two looks
 * @pidfd: of @child
 * @answer: what it says comes from here
 * @ended: says that it has ended
 * @timer: ends a look, or begins the next one
 */
struct probe {
	struct probe *next;
	struct daemon *daemon;
	uint32_t id;
	unsigned int tries;
	pid_t child;
	int pidfd;
	int answer;
	sd_event_source *ended;
	sd_event_source *timer;
};

static void begin(struct probe *probe);

static void forget(struct probe *probe)
{
	struct probe **link = &probe->daemon->probes;

	while (*link != probe)
		link = &(*link)->next;
	*link = probe->next;
	sd_event_source_disable_unref(probe->ended);
	sd_event_source_disable_unref(probe->timer);
	if (probe->child) {
		close(probe->pidfd);
		close(probe->answer);
	}
	free(probe);
}

static int on_again(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	begin(arg);
	return 0;
}

static int set_timer(struct probe *probe, uint64_t usec,
		     sd_event_time_handler_t handler)
{
	probe->timer = sd_event_source_disable_unref(probe->timer);
	return sd_event_add_time_relative(probe->daemon->loop, &probe->timer,
					  CLOCK_MONOTONIC, usec, 0, handler,
					  probe);
}

static void judge(struct probe *probe, const struct readiness *readiness)
{
	struct card *card = card_find(probe->daemon, probe->id);

	if (!card || card->ready) {
		forget(probe);
		return;
	}
	if (readiness->ready) {
		card->ready = true;
		log_line(LOG_NOTICE, "%s is ready", card->address);
		measure_card(probe->daemon, card);
		forget(probe);
		return;
	}
	if (--probe->tries && set_timer(probe, AGAIN_USEC, on_again) >= 0)
		return;
	log_line(LOG_WARNING, "%s is not ready: %s", card->address,
		 readiness->why);
	forget(probe);
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct probe *probe = arg;
	struct readiness readiness = { .why = "it could not be looked at" };
	ssize_t len;

	(void)source;
	(void)fd;
	(void)revents;
	waitpid(probe->child, NULL, 0);
	len = read(probe->answer, &readiness, sizeof(readiness));
	if (len != sizeof(readiness))
		readiness.ready = false;
	readiness.why[sizeof(readiness.why) - 1] = '\0';
	probe->ended = sd_event_source_disable_unref(probe->ended);
	close(probe->pidfd);
	close(probe->answer);
	probe->child = 0;
	if (probe->id)
		judge(probe, &readiness);
	else
		forget(probe);
	return 0;
}

/* The child is kept an eye on until it ends, which it may never do. */
static int on_hung(sd_event_source *source, uint64_t usec, void *arg)
{
	struct probe *probe = arg;
	struct card *card = card_find(probe->daemon, probe->id);

	(void)source;
	(void)usec;
	kill(probe->child, SIGKILL);
	log_line(LOG_WARNING, "%s is not ready: its node does not open",
		 card ? card->address : "a GPU");
	probe->id = 0;
	return 0;
}

static void look_in_child(const struct daemon *daemon,
			  const struct egpu_device *device,
			  const struct nodes *nodes, int answer)
{
	struct readiness readiness;
	sigset_t none;
	ssize_t len;

	/* A child that hangs outlives us, but with nothing of ours. */
	if (dup2(answer, STDERR_FILENO) < 0)
		_exit(1);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	memset(&readiness, 0, sizeof(readiness));
	readiness_of(daemon->roots, device, nodes, &readiness);
	len = write(STDERR_FILENO, &readiness, sizeof(readiness));
	_exit(len == sizeof(readiness) ? 0 : 1);
}

static int start_child(struct probe *probe, const struct egpu_device *device,
		       const struct nodes *nodes)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	probe->child = fork();
	if (!probe->child)
		look_in_child(probe->daemon, device, nodes, ends[1]);
	close(ends[1]);
	probe->answer = ends[0];
	probe->pidfd = probe->child < 0 ? -1 : pidfd_open(probe->child, 0);
	if (probe->pidfd >= 0)
		return 0;
	close(ends[0]);
	if (probe->child > 0) {
		kill(probe->child, SIGKILL);
		waitpid(probe->child, NULL, WNOHANG);
	}
	probe->child = 0;
	return -EAGAIN;
}

/* The GPU is asked for again each time: it may have gone. */
static void begin(struct probe *probe)
{
	struct daemon *daemon = probe->daemon;
	struct card *card = card_find(daemon, probe->id);
	struct egpu_device *device = NULL;
	int err = -ENODEV;

	probe->timer = sd_event_source_disable_unref(probe->timer);
	if (card && !egpu_device_get(daemon->ctx, probe->id, NULL, &device) &&
	    !device->cookie) {
		card_renew(daemon, card);
		err = start_child(probe, device, &card->nodes);
	}
	egpu_device_free(device);
	if (!err)
		err = sd_event_add_io(daemon->loop, &probe->ended, probe->pidfd,
				      EPOLLIN, on_ended, probe);
	if (err >= 0)
		err = set_timer(probe, LOOK_USEC, on_hung);
	if (err < 0)
		forget(probe);
}

/**
 * probe_start() - look whether a GPU can be used, and say so when it can
 * @daemon: daemon
 * @id: device id
 */
void probe_start(struct daemon *daemon, uint32_t id)
{
	struct probe *probe;

	for (probe = daemon->probes; probe; probe = probe->next) {
		if (probe->id == id)
			return;
	}
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return;
	probe->daemon = daemon;
	probe->id = id;
	probe->tries = TRIES;
	probe->next = daemon->probes;
	daemon->probes = probe;
	begin(probe);
}

/**
 * probe_stop() - the answer is not wanted any more
 * @daemon: daemon
 * @id: device id
 */
void probe_stop(struct daemon *daemon, uint32_t id)
{
	struct probe *probe, *next;

	for (probe = daemon->probes; probe; probe = next) {
		next = probe->next;
		if (probe->id != id)
			continue;
		probe->id = 0;
		if (probe->child)
			kill(probe->child, SIGKILL);
		else
			forget(probe);
	}
}

/* At the end; who reaps our children reaps what is left of these. */
void probe_free_all(struct daemon *daemon)
{
	while (daemon->probes) {
		if (daemon->probes->child)
			kill(daemon->probes->child, SIGKILL);
		forget(daemon->probes);
	}
}
