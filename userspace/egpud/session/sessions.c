// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who is connected: the socket that everybody may connect to, and how many may.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "../../common/text.h"
#include "../work.h"

/* At most so many in a turn of the loop, so that nobody else has to wait. */
#define ACCEPT_TURN  16
#define ACCEPT_PAUSE (1000 * WORK_MS)
#define HELLO_LIMIT  (5000 * WORK_MS)
#define BACKLOG	     64
/* More groups than that nobody has; NGROUPS_MAX. */
#define GROUPS_BYTES (65536 * sizeof(gid_t))

void session_log(int level, const struct session *session, const char *format,
		 ...)
{
	char message[512], id[24], pid[16], device[16];
	const struct log_field fields[] = {
		{ "session", id },
		{ "pid", pid },
		{ "comm", session->process.comm },
		{ "id", device },
		{ NULL, NULL },
	};
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	snprintf(id, sizeof(id), "%" PRIu64, session->id);
	snprintf(pid, sizeof(pid), "%d", session->process.pid);
	snprintf(device, sizeof(device), "%" PRIu32, session->device);
	log_fields(level, fields, "%s", message);
}

/**
 * sessions_of() - the sessions of a program, one after the other
 * @work: all sessions
 * @process: the program
 * @after: the one before, or NULL for the first
 *
 * Return: the next one, or NULL.
 */
struct session *sessions_of(struct work *work, const struct process *process,
			    struct session *after)
{
	struct session *session = after ? after->next : NULL;

	if (!after && work)
		session = work->sessions;
	for (; session; session = session->next) {
		if (session->greeted && session->process.pid == process->pid &&
		    session->process.start == process->start)
			return session;
	}
	return NULL;
}

/* How many descriptors of a user we hold. */
size_t sessions_fds_of(const struct work *work, uid_t uid)
{
	const struct session *session;
	size_t n = 0;

	for (session = work->sessions; session; session = session->next) {
		if (session->uid == uid)
			n += session->n + 1;
	}
	return n;
}

static void free_session(struct session *session)
{
	size_t i;

	for (i = 0; i < session->n; i++)
		session_buffer_close(&session->buffer[i]);
	free(session->buffer);
	free(session->groups);
	free(session);
}

static void free_dead(struct work *work)
{
	struct session *session;

	while ((session = work->dead)) {
		work->dead = session->next;
		free_session(session);
	}
}

static int on_reap(sd_event_source *source, void *arg)
{
	struct work *work = arg;

	work->reaper = sd_event_source_disable_unref(source);
	free_dead(work);
	return 0;
}

/* Freed only in the next turn of the loop: somebody may be looking at it. */
void sessions_bury(struct session *session)
{
	struct work *work = session->work;
	struct session **link = &work->sessions;

	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	session->next = work->dead;
	work->dead = session;
	if (!work->reaper)
		sd_event_add_defer(work->daemon->loop, &work->reaper, on_reap,
				   work);
}

static int on_hello_late(sd_event_source *source, uint64_t usec, void *arg)
{
	struct session *session = arg;

	(void)source;
	(void)usec;
	session_break(session, "no HELLO came in 5 s");
	return 0;
}

static int read_groups(struct session *session, int sock)
{
	socklen_t len = 0;

	/* Tells by an error how many there are. */
	if (!getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, NULL, &len))
		return 0;
	if (errno != ERANGE || !len || len > GROUPS_BYTES)
		return -errno;
	session->groups = malloc(len);
	if (!session->groups)
		return -ENOMEM;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, session->groups, &len))
		return -errno;
	session->n_groups = len / sizeof(gid_t);
	return 0;
}

/* Who it is, as the kernel says. NULL, or why it cannot be told. */
static const char *identify(struct session *session)
{
	const struct daemon *daemon = session->work->daemon;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(session->sock, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return "egpud cannot tell who you are";
	session->uid = peer.uid;
	session->gid = peer.gid;
	if (peer.pid <= 0)
		return "your process is not visible to egpud, is it in a container of its own?";
	/* Whoever has the pid of a program that has ended is not that program. */
	if (process_read(daemon->roots, peer.pid, &session->process) ||
	    session->process.uid != peer.uid)
		return "the process that has connected is not there";
	if (read_groups(session, session->sock))
		return "egpud cannot read your groups";
	return NULL;
}

/* NULL, or why there is no room for one more. */
static const char *too_many(const struct session *session)
{
	const struct session *other;
	unsigned int all = 0, of_user = 0;

	for (other = session->work->sessions; other; other = other->next) {
		all++;
		of_user += other->uid == session->uid;
	}
	/* The one in question is among them. */
	if (of_user > SESSIONS_UID_MAX)
		return "you have too many sessions, 16 are the limit for a user";
	if (all > SESSIONS_MAX)
		return "there are too many sessions, 256 are the limit";
	return NULL;
}

static void welcome(struct work *work, int sock)
{
	struct session *session = calloc(1, sizeof(*session));
	const char *why;

	if (!session) {
		close(sock);
		return;
	}
	session->work = work;
	session->sock = sock;
	session->state = -1;
	session->id = work->next_session++;
	session->next = work->sessions;
	work->sessions = session;
	why = identify(session);
	if (!why)
		why = too_many(session);
	if (why)
		session_break(session, "%s", why);
	else if (session_listen_to(session) < 0 ||
		 work_timer(work, &session->hello_limit, HELLO_LIMIT,
			    on_hello_late, session) < 0)
		session_break(session, "egpud is out of memory");
}

static int on_accept_again(sd_event_source *source, uint64_t usec, void *arg)
{
	struct work *work = arg;

	(void)source;
	(void)usec;
	work->accept_again = sd_event_source_disable_unref(work->accept_again);
	sd_event_source_set_enabled(work->accept, SD_EVENT_ON);
	return 0;
}

/* No descriptors, no memory: who waits at the door would wake us for ever. */
static void pause_accepting(struct work *work, int err)
{
	log_line(LOG_WARNING, "cannot take a session in: %s", strerror(err));
	if (work_timer(work, &work->accept_again, ACCEPT_PAUSE, on_accept_again,
		       work) >= 0)
		sd_event_source_set_enabled(work->accept, SD_EVENT_OFF);
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents,
		      void *arg)
{
	struct work *work = arg;
	int i, sock;

	(void)source;
	(void)revents;
	for (i = 0; i < ACCEPT_TURN; i++) {
		sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (sock >= 0) {
			welcome(work, sock);
			continue;
		}
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			pause_accepting(work, errno);
		break;
	}
	return 0;
}

static int bind_socket(struct work *work, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	work->listen = socket(AF_UNIX,
			      SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (work->listen < 0)
		return -errno;
	/* That of a daemon before us; nobody listens there any more. */
	unlink(path);
	if (bind(work->listen, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path, 0666) || listen(work->listen, BACKLOG))
		return -errno;
	return sd_event_add_io(work->daemon->loop, &work->accept, work->listen,
			       EPOLLIN, on_connect, work);
}

/**
 * sessions_listen() - programs may connect from now on
 * @work: gets the socket
 *
 * Return: 0 or a negative errno, of which the log tells.
 */
int sessions_listen(struct work *work)
{
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/client", work->daemon->run_dir);
	err = bind_socket(work, path);
	if (err >= 0)
		return 0;
	log_line(LOG_ERR, "programs cannot connect to %s: %s", path,
		 strerror(-err));
	return err;
}

/**
 * sessions_end() - let go of all
 * @work: whose sessions
 *
 * Programs see their socket end and go on with the buffers that they have.
 */
void sessions_end(struct work *work)
{
	char path[256];

	work->accept = sd_event_source_disable_unref(work->accept);
	work->accept_again = sd_event_source_disable_unref(work->accept_again);
	if (work->listen >= 0) {
		close(work->listen);
		snprintf(path, sizeof(path), "%s/client", work->daemon->run_dir);
		unlink(path);
	}
	work->listen = -1;
	while (work->sessions)
		session_close(work->sessions, "egpud ends");
	work->reaper = sd_event_source_disable_unref(work->reaper);
	free_dead(work);
}
