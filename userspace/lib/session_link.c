// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The connection of a session: made, lost, and looked for again.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void clear_late(struct egpu_session *session)
{
	struct session_late *late;

	while ((late = session->late)) {
		session->late = late->next;
		if (late->fd >= 0)
			close(late->fd);
		free(late);
	}
}

static void forget_link(struct egpu_session *session)
{
	size_t i;

	if (session->sock >= 0)
		close(session->sock);
	session->sock = -1;
	session->link = LINK_NONE;
	session->wanted = false;
	session->standing = false;
	session->lost = false;
	clear_late(session);
	session_offer_clear(session);
	for (i = 0; i < session->buffers.n; i++) {
		session->buffers.buffer[i].membership = BUFFER_NEW;
		session->buffers.buffer[i].told = false;
	}
}

/*
 * Ends the connection and says why. egpud that has merely gone is looked for
 * again soon; one that does not want us, or is mad, less and less often.
 *
 * Return: -ENOTCONN, so that it can end a function.
 */
int session_drop(struct egpu_session *session, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(session->error, sizeof(session->error), format, args);
	va_end(args);
	forget_link(session);
	session->retry_at = now_ms() + session->retry_ms;
	if (err != -ENOTCONN && session->retry_ms < SESSION_RETRY_MAX_MS)
		session->retry_ms *= 2;
	return -ENOTCONN;
}

static int greet(struct egpu_session *session)
{
	struct wire_message hello = { .type = WIRE_HELLO };

	hello.serial = ++session->serial;
	hello.hello.version = WIRE_VERSION;
	memcpy(hello.hello.name, session->name, sizeof(hello.hello.name));
	return session_send(session, &hello, -1);
}

/**
 * session_connect() - connect and say hello
 * @session: one without a connection
 *
 * Does not wait for the answer.
 *
 * Return: 0 or -ENOTCONN.
 */
int session_connect(struct egpu_session *session)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, session->path, strlen(session->path));
	session->sock = socket(AF_UNIX,
			       SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (session->sock < 0)
		return session_drop(session, -ENOTCONN,
				    "cannot make a socket: %s", strerror(errno));
	if (connect(session->sock, (struct sockaddr *)&address, sizeof(address)))
		return session_drop(session, -ENOTCONN,
				    "cannot reach egpud at %s: %s, is it running?",
				    session->path, strerror(errno));
	session->link = LINK_GREETING;
	return greet(session);
}

/**
 * session_reconnect() - have a connection, if the time has come
 * @session: any
 *
 * Return: 0 when there is one, greeted at least; -ENOTCONN when not.
 */
int session_reconnect(struct egpu_session *session)
{
	if (session->link != LINK_NONE)
		return 0;
	if (now_ms() < session->retry_at)
		return -ENOTCONN;
	return session_connect(session);
}

/*
 * A signal must not make a program go on that is being copied. Nor may those of
 * a timer of the program's, each of which ends poll(), make it wait for ever.
 */
static int wait_for(struct egpu_session *session, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = session->sock, .events = events };
	uint64_t end = now_ms() + (timeout_ms > 0 ? timeout_ms : 0), now;
	int ready;

	while ((ready = poll(&pfd, 1, timeout_ms)) < 0 && errno == EINTR) {
		now = now_ms();
		if (timeout_ms > 0)
			timeout_ms = now < end ? (int)(end - now) : 0;
	}
	if (ready < 0)
		return -errno;
	return ready ? 0 : -EAGAIN;
}

/**
 * session_try_send() - send without waiting
 * @session: one with a connection
 * @message: what
 * @fd: descriptor to go with it, or -1
 *
 * Return: 0; -EAGAIN when egpud does not read just now; -EINVAL when it is no
 * message; -ENOTCONN when the connection has ended.
 */
int session_try_send(struct egpu_session *session,
		     const struct wire_message *message, int fd)
{
	int err = wire_send(session->sock, message, fd);

	if (err == -EINVAL)
		return session_fail(session, err, "%s",
				    wire_check(message, wire_size(message->type),
					       WIRE_PROGRAM, fd >= 0));
	if (!err || err == -EAGAIN)
		return err;
	return session_drop(session, -ENOTCONN, "cannot send to egpud: %s",
			    strerror(-err));
}

/**
 * session_send() - send, and wait a while for room if need be
 * @session: one with a connection
 * @message: what
 * @fd: descriptor to go with it, or -1
 *
 * Return: 0; -EINVAL when it is no message; -ENOTCONN when the connection has
 * ended.
 */
int session_send(struct egpu_session *session,
		 const struct wire_message *message, int fd)
{
	int err;

	while ((err = session_try_send(session, message, fd)) == -EAGAIN) {
		if (wait_for(session, POLLOUT, SESSION_ANSWER_MS))
			return session_drop(session, -ETIMEDOUT,
					    "egpud does not read");
	}
	return err;
}

/**
 * session_receive() - take the next message from the socket
 * @session: one with a connection
 * @message: where to put it
 * @fd: where to put its descriptor, the caller's, or -1
 * @timeout_ms: how long to wait for it, -1 for ever
 *
 * Return: 0; -EAGAIN when none came; -ENOTCONN when the connection has ended.
 */
int session_receive(struct egpu_session *session, struct wire_message *message,
		    int *fd, int timeout_ms)
{
	const char *why;
	int err;

	err = wire_receive(session->sock, WIRE_DAEMON, message, fd, &why);
	if (err == -EAGAIN && timeout_ms) {
		if (wait_for(session, POLLIN, timeout_ms))
			return -EAGAIN;
		err = wire_receive(session->sock, WIRE_DAEMON, message, fd,
				   &why);
	}
	if (!err || err == -EAGAIN)
		return err;
	if (err == -ENOTCONN)
		return session_drop(session, err, "egpud has gone");
	return session_drop(session, err,
			    "egpud has sent what is no message: %s",
			    why ? why : strerror(-err));
}
