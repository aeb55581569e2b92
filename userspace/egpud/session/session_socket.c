// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The connection to one program. Nothing is ever waited for: who does not read
 * what it is sent, sends too much or what is no message is told so and let go.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "../../common/text.h"
#include "../work.h"

/* Messages taken in a turn of the loop, and in a second, at most. */
#define TURN_MAX   64
#define SECOND_MAX 20000
/* More than that no socket holds. */
#define UNREAD_MAX 4096
/* What a message takes of a socket's buffer, with all that the kernel adds. */
#define MESSAGE_BYTES 2048

static void take_all(struct session *session)
{
	struct wire_message message;
	const char *why;
	int i, fd, err;

	for (i = 0; i < TURN_MAX && session->sock >= 0; i++) {
		err = wire_receive(session->sock, WIRE_PROGRAM, &message, &fd,
				   &why);
		if (err == -EAGAIN)
			return;
		if (!err && ++session->messages <= SECOND_MAX) {
			session_take(session, &message, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (!err)
			session_break(session,
				      "more than %d messages came in a second",
				      SECOND_MAX);
		else if (err == -EPROTO)
			session_break(session, "%s: %s",
				      wire_type_name(message.type), why);
		else
			session_close(session, "it has ended");
	}
}

static int on_message(sd_event_source *source, int fd, uint32_t revents,
		      void *arg)
{
	struct session *session = arg;
	uint64_t second = work_now(session->work) / (1000 * WORK_MS);

	(void)source;
	(void)fd;
	(void)revents;
	if (session->turn != second) {
		session->turn = second;
		session->messages = 0;
	}
	take_all(session);
	return 0;
}

/**
 * session_listen_to() - take what the program sends, from now on
 * @session: session with a socket
 *
 * Return: 0 or a negative errno.
 */
int session_listen_to(struct session *session)
{
	return sd_event_add_io(session->work->daemon->loop, &session->io,
			       session->sock, EPOLLIN, on_message, session);
}

/**
 * session_post() - send a message
 * @session: to whom; it is closed when that fails
 * @message: what
 * @fd: descriptor that goes with it, or -1; stays the caller's
 *
 * Return: 0 or a negative errno.
 */
int session_post(struct session *session, struct wire_message *message, int fd)
{
	int err;

	if (session->sock < 0)
		return -ENOTCONN;
	err = wire_send(session->sock, message, fd);
	if (!err)
		return 0;
	if (err == -EAGAIN || err == -ETOOMANYREFS) {
		session_close(session, "it does not read what it is sent");
	} else if (err == -ENOTCONN) {
		session_close(session, "it has ended");
	} else {
		session_log(LOG_ERR, session, "cannot send %s: %s",
			    wire_type_name(message->type), strerror(-err));
		session_close(session, "egpud cannot talk to it");
	}
	return err;
}

/**
 * session_make_room() - so many messages are about to follow each other
 * @session: to whom
 * @messages: how many
 *
 * Return: 0 or a negative errno.
 */
int session_make_room(struct session *session, size_t messages)
{
	int bytes = (int)(messages + 64) * MESSAGE_BYTES;

	if (!setsockopt(session->sock, SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
			sizeof(bytes)))
		return 0;
	/* Without the right to more, as much as everybody may have. */
	if (setsockopt(session->sock, SOL_SOCKET, SO_SNDBUF, &bytes,
		       sizeof(bytes)))
		return -errno;
	return 0;
}

static void fill_result(struct wire_result *result, int error, const char *text)
{
	result->error = error;
	snprintf(result->text, sizeof(result->text), "%s", text);
}

/* @error: 0 or a positive errno */
void session_reply(struct session *session, uint32_t serial, int error,
		   const char *text)
{
	struct wire_message message = { .type = WIRE_REPLY, .serial = serial };

	fill_result(&message.result, error, text);
	session_post(session, &message, -1);
}

/*
 * What is left unread when a socket is closed would make the other side hear of
 * that first, and not of why.
 */
static void empty(int sock)
{
	char byte;
	int i;

	shutdown(sock, SHUT_RD);
	for (i = 0; i < UNREAD_MAX; i++) {
		if (recv(sock, &byte, sizeof(byte), MSG_DONTWAIT) <= 0)
			return;
	}
}

/**
 * session_break() - the program has broken the protocol
 * @session: closed
 * @format: how, for the program and for the log
 */
void session_break(struct session *session, const char *format, ...)
{
	struct wire_message message = { .type = WIRE_ERROR };
	char text[4 * WIRE_TEXT], printable[WIRE_TEXT];
	va_list args;

	if (session->sock < 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_printable(text, printable, sizeof(printable));
	fill_result(&message.result, EPROTO, printable);
	empty(session->sock);
	/* Whether it hears that is its own affair. */
	wire_send(session->sock, &message, -1);
	session_log(LOG_NOTICE, session, "session refused: %s", printable);
	session_close(session, printable);
}

/**
 * session_close() - a session has come to its end
 * @session: is not to be used after the present turn of the loop
 * @why: for the log
 *
 * Its checkpoints go as well, unless its GPU was lost: then they are all that
 * there is of the work.
 */
void session_close(struct session *session, const char *why)
{
	struct work *work = session->work;

	if (session->sock < 0)
		return;
	if (session->greeted)
		session_log(LOG_INFO, session, "session closed: %s", why);
	session->io = sd_event_source_disable_unref(session->io);
	session->hello_limit =
		sd_event_source_disable_unref(session->hello_limit);
	close(session->sock);
	session->sock = -1;
	precopy_stop(session);
	if (session->migration)
		migration_input(session->migration, MIGRATION_CLOSED);
	save_stop(session);
	session_forget_state(session);
	chain_close(session);
	sessions_bury(session);
	publish_soon(work);
	/* There may be room now for one that waits. */
	migrations_next(work);
}
