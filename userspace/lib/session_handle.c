// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What egpud says to a session, and what follows from it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

/* Messages that may wait while an answer is awaited: two whole moves. */
#define LATE_MAX (2 * WIRE_BUFFERS_MAX + 64)

/* Messages that one call deals with at most, so that it comes to an end. */
#define PUMP_MAX 4096

/* Every buffer that the program gave is known to egpud. */
bool session_whole(const struct egpu_session *session)
{
	size_t i;

	for (i = 0; i < session->buffers.n; i++) {
		if (session->buffers.buffer[i].membership != BUFFER_IN)
			return false;
	}
	return true;
}

/**
 * session_add_pending() - tell egpud of buffers that it does not know
 * @session: one whose WELCOME came
 *
 * As many as may be asked for at once.
 *
 * Return: 0, or -ENOTCONN when the connection has ended.
 */
int session_add_pending(struct egpu_session *session)
{
	struct wire_message add = { .type = WIRE_ADD };
	struct session_buffer *buffer;
	unsigned int asked = 0;
	size_t i;
	int err;

	for (i = 0; i < session->buffers.n; i++)
		asked += session->buffers.buffer[i].membership == BUFFER_ASKED;
	for (i = 0; i < session->buffers.n && asked < SESSION_WINDOW; i++) {
		buffer = &session->buffers.buffer[i];
		if (buffer->membership != BUFFER_NEW)
			continue;
		add.serial = ++session->serial;
		add.buffer = buffer->wire;
		err = session_send(session, &add, buffer->fd);
		if (err)
			return err;
		buffer->serial = add.serial;
		buffer->membership = BUFFER_ASKED;
		asked++;
	}
	return 0;
}

/**
 * session_tell_dirty() - say which buffers were written, if egpud reads
 * @session: one whose WELCOME came
 *
 * Return: 0 when all has been said; -EAGAIN when not; -ENOTCONN when the
 * connection has ended.
 */
int session_tell_dirty(struct egpu_session *session)
{
	struct wire_message dirty = { .type = WIRE_DIRTY };
	struct session_buffer *buffer;
	size_t i;
	int err;

	for (i = 0; i < session->buffers.n; i++) {
		buffer = &session->buffers.buffer[i];
		if (!buffer->dirty || buffer->told ||
		    buffer->membership != BUFFER_IN)
			continue;
		dirty.serial = ++session->serial;
		dirty.ref.id = buffer->wire.id;
		err = session_try_send(session, &dirty, -1);
		if (err)
			return err;
		buffer->told = true;
	}
	return 0;
}

static int broken(struct egpu_session *session,
		  const struct wire_message *message)
{
	return session_drop(session, -EPROTO,
			    "egpud has broken the protocol: %s must not come now",
			    wire_type_name(message->type));
}

static int on_welcome(struct egpu_session *session,
		      const struct wire_message *message)
{
	if (session->link != LINK_GREETING)
		return broken(session, message);
	if (message->welcome.version != WIRE_VERSION)
		return session_drop(session, -EPROTO,
				    "egpud speaks version %u of the protocol, this is version %u",
				    message->welcome.version, WIRE_VERSION);
	session->welcome = message->welcome;
	session->link = LINK_OPEN;
	return session_add_pending(session);
}

static int on_reply(struct egpu_session *session,
		    const struct wire_message *message)
{
	const struct wire_result *result = &message->result;
	struct session_buffer *buffer;
	size_t i;

	if (session->reply == -EINPROGRESS &&
	    message->serial == session->reply_serial) {
		session->reply = -result->error;
		if (result->error)
			session_fail(session, -result->error, "%s",
				     result->text);
		return 0;
	}
	for (i = 0; i < session->buffers.n; i++) {
		buffer = &session->buffers.buffer[i];
		if (buffer->membership != BUFFER_ASKED ||
		    buffer->serial != message->serial)
			continue;
		buffer->membership = result->error ? BUFFER_REFUSED : BUFFER_IN;
		if (result->error)
			session->refusal = session_fail(session, -result->error,
							"%s", result->text);
		return 0;
	}
	return broken(session, message);
}

static void on_reach(struct egpu_session *session,
		     const struct wire_message *message)
{
	/* What has gone cannot be copied any more. */
	if (session->lost)
		return;
	session->wanted = true;
	session->reach_serial = message->serial;
	if (!session->ops.reach)
		return;
	session->inside = true;
	session->ops.reach(session, message->reach.deadline,
			   message->reach.reason == WIRE_FOR_MOVE, session->arg);
	session->inside = false;
}

static void on_go_on(struct egpu_session *session,
		     const struct wire_message *message)
{
	if (session->lost || (!session->wanted && !session->standing))
		return;
	/* A REACH may have come while it stands still for the one before. */
	if (session->wanted && message->serial == session->reach_serial)
		session->wanted = false;
	else if (session->standing)
		session->standing = false;
	else
		session->wanted = false;
	if (!session->ops.go_on)
		return;
	session->inside = true;
	session->ops.go_on(session, session->arg);
	session->inside = false;
}

static void on_lost(struct egpu_session *session)
{
	if (session->lost)
		return;
	session->lost = true;
	session->wanted = false;
	if (!session->ops.lost)
		return;
	session->inside = true;
	session->ops.lost(session, session->arg);
	session->inside = false;
}

static void on_failed(struct egpu_session *session,
		      const struct wire_message *message)
{
	session->lost = false;
	session->wanted = false;
	session->standing = false;
	session->failed = true;
	session_offer_clear(session);
	session_fail(session, -message->result.error, "%s",
		     message->result.text);
	if (!session->ops.failed)
		return;
	session->inside = true;
	session->ops.failed(session, message->result.text, session->arg);
	session->inside = false;
}

static int on_open(struct egpu_session *session,
		   const struct wire_message *message, int *fd)
{
	int taken = *fd;

	switch (message->type) {
	case WIRE_REPLY:
		return on_reply(session, message);
	case WIRE_REACH:
		on_reach(session, message);
		return 0;
	case WIRE_GO_ON:
		on_go_on(session, message);
		return 0;
	case WIRE_LOST:
		on_lost(session);
		return 0;
	case WIRE_FAILED:
		on_failed(session, message);
		return 0;
	case WIRE_MOVE_BEGIN:
		return session_move_begin(session, &message->move);
	case WIRE_MOVE_BUFFER:
		*fd = -1;
		return session_move_buffer(session, &message->buffer, taken);
	case WIRE_MOVE_END:
		return session_move_end(session, message->serial, taken);
	default:
		return broken(session, message);
	}
}

/**
 * session_handle() - do what a message asks for
 * @session: one with a connection
 * @message: what came
 * @fd: its descriptor or -1, taken over
 *
 * Calls the program back.
 *
 * Return: 0, or -ENOTCONN when the connection has ended.
 */
int session_handle(struct egpu_session *session,
		   const struct wire_message *message, int fd)
{
	int err;

	if (message->type == WIRE_ERROR)
		err = session_drop(session, -EPROTO, "egpud says: %s",
				   message->result.text);
	else if (message->type == WIRE_WELCOME)
		err = on_welcome(session, message);
	else if (session->link != LINK_OPEN)
		err = broken(session, message);
	else
		err = on_open(session, message, &fd);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Kept for the next call that may call the program back. */
static int put_late(struct egpu_session *session,
		    const struct wire_message *message, int fd)
{
	struct session_late **at = &session->late, *late;
	size_t n = 0;

	for (; *at; at = &(*at)->next)
		n++;
	late = n < LATE_MAX ? malloc(sizeof(*late)) : NULL;
	if (!late) {
		if (fd >= 0)
			close(fd);
		return session_drop(session, -ENOMEM,
				    "egpud says more than can be kept");
	}
	late->next = NULL;
	late->message = *message;
	late->fd = fd;
	*at = late;
	return 0;
}

static int handle_late(struct egpu_session *session, bool *any)
{
	struct session_late *late;
	int err = 0;

	while (!err && (late = session->late)) {
		session->late = late->next;
		err = session_handle(session, &late->message, late->fd);
		free(late);
		*any = true;
	}
	return err;
}

/**
 * session_await() - wait for one message while an answer is awaited
 * @session: one with a connection
 *
 * Takes note of answers; all else is kept for later, for the program must not be
 * called back now.
 *
 * Return: 0, or -ENOTCONN when the connection has ended.
 */
int session_await(struct egpu_session *session)
{
	struct wire_message message;
	int fd, err;

	err = session_receive(session, &message, &fd, SESSION_ANSWER_MS);
	if (err == -EAGAIN)
		return session_drop(session, -ETIMEDOUT,
				    "egpud does not answer");
	if (err)
		return err;
	if (message.type == WIRE_REPLY || message.type == WIRE_WELCOME ||
	    message.type == WIRE_ERROR)
		return session_handle(session, &message, fd);
	if (session->link != LINK_OPEN)
		return session_handle(session, &message, fd);
	return put_late(session, &message, fd);
}

/* What is to be said of buffers, after egpud has been listened to. */
static int settle(struct egpu_session *session)
{
	char why[sizeof(session->error)];
	size_t i;
	int err;

	if (session->link != LINK_OPEN)
		return -ENOTCONN;
	for (i = 0; i < session->buffers.n; i++) {
		if (session->buffers.buffer[i].membership != BUFFER_REFUSED)
			continue;
		/* Half of the buffers is no work that could be moved. */
		memcpy(why, session->error, sizeof(why));
		return session_drop(session, session->refusal, "%s", why);
	}
	err = session_add_pending(session);
	if (err)
		return err;
	if (session_whole(session))
		session->retry_ms = SESSION_RETRY_MS;
	err = session_tell_dirty(session);
	return err == -EAGAIN ? 0 : err;
}

/**
 * session_pump() - deal with everything that egpud has said
 * @session: any; a connection is looked for if there is none
 * @timeout_ms: how long to wait if it has said nothing, -1 for ever
 *
 * Return: 0; -EAGAIN when it has said nothing; -ENOTCONN when there is no
 * connection.
 */
int session_pump(struct egpu_session *session, int timeout_ms)
{
	struct wire_message message;
	unsigned int left = PUMP_MAX;
	bool any = false;
	int fd, err;

	err = session_reconnect(session);
	if (!err)
		err = handle_late(session, &any);
	while (!err && left--) {
		err = session_receive(session, &message, &fd,
				      any ? 0 : timeout_ms);
		if (err)
			break;
		any = true;
		err = session_handle(session, &message, fd);
	}
	if (err && err != -EAGAIN)
		return err;
	err = settle(session);
	if (err)
		return err;
	return any ? 0 : -EAGAIN;
}
