// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What programs ask for. Nothing that comes from one is believed: a descriptor
 * is what the kernel says that it is, and sizes are bounded before anything is
 * done with them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../../common/text.h"
#include "../work.h"

void session_buffer_close(struct session_buffer *buffer)
{
	if (buffer->fd >= 0)
		close(buffer->fd);
	buffer->fd = -1;
}

static struct session_buffer *find(struct session *session, uint32_t id)
{
	size_t i;

	for (i = 0; i < session->n; i++) {
		if (session->buffer[i].buffer.id == id)
			return &session->buffer[i];
	}
	return NULL;
}

static void take_hello(struct session *session,
		       const struct wire_message *message)
{
	struct wire_message welcome = {
		.type = WIRE_WELCOME,
		.serial = message->serial,
		.welcome = {
			.version = WIRE_VERSION,
			.interval_ms = session->work->daemon->config.interval_ms,
			.session = session->id,
			.buffers_max = WIRE_BUFFERS_MAX,
			.state_max = WIRE_STATE_MAX,
			.bytes_max = WIRE_SIZE_MAX,
		},
	};

	if (session->greeted) {
		session_break(session, "a second HELLO");
		return;
	}
	if (message->hello.version != WIRE_VERSION) {
		session_break(session,
			      "egpud speaks version %u of the protocol, not %u",
			      WIRE_VERSION, message->hello.version);
		return;
	}
	session->hello_limit =
		sd_event_source_disable_unref(session->hello_limit);
	memcpy(session->name, message->hello.name, sizeof(session->name));
	session->greeted = true;
	if (session_post(session, &welcome, -1))
		return;
	session_log(LOG_INFO, session, "session of %s (uid %u): %s",
		    session->process.comm, session->uid, session->name);
	place_soon(session->work);
	publish_soon(session->work);
	precopy_later(session);
}

static int make_room(struct session *session)
{
	struct session_buffer *buffer;
	size_t size = session->size ? session->size * 2 : 16;

	if (session->n < session->size)
		return 0;
	buffer = reallocarray(session->buffer, size, sizeof(*buffer));
	if (!buffer)
		return -ENOMEM;
	session->buffer = buffer;
	session->size = size;
	return 0;
}

/* 0, or a negative errno with why. What is checked asks the kernel only. */
static int check_add(struct session *session, const struct wire_buffer *buffer,
		     int fd, uint64_t *inode, char *why)
{
	if (find(session, buffer->id)) {
		snprintf(why, BUFFERS_ERROR, "there is a buffer %u already",
			 buffer->id);
		return -EEXIST;
	}
	if (session->n == WIRE_BUFFERS_MAX) {
		snprintf(why, BUFFERS_ERROR, "more than %d buffers",
			 WIRE_BUFFERS_MAX);
		return -ENOSPC;
	}
	if (sessions_fds_of(session->work, session->uid) >= SESSION_FDS_MAX) {
		snprintf(why, BUFFERS_ERROR, "more than %d buffers of one user",
			 SESSION_FDS_MAX);
		return -ENOSPC;
	}
	if (buffer->size > WIRE_SIZE_MAX - session->bytes) {
		snprintf(why, BUFFERS_ERROR,
			 "more bytes than a session may have");
		return -ENOSPC;
	}
	return buffer_check(buffer, fd, inode, why);
}

static dev_t node_of(int fd, const struct wire_buffer *buffer)
{
	struct stat st;

	if (buffer->kind != WIRE_HANDLE || fstat(fd, &st))
		return 0;
	return st.st_rdev;
}

static void take_add(struct session *session,
		     const struct wire_message *message, int fd)
{
	char why[BUFFERS_ERROR] = "", text[WIRE_TEXT];
	uint64_t inode = 0;
	int err;

	err = check_add(session, &message->buffer, fd, &inode, why);
	if (!err && make_room(session)) {
		err = -ENOMEM;
		snprintf(why, sizeof(why), "egpud is out of memory");
	}
	text_printable(why, text, sizeof(text));
	if (err) {
		close(fd);
		session_reply(session, message->serial, -err, text);
		return;
	}
	session->buffer[session->n++] = (struct session_buffer){
		.buffer = message->buffer,
		.fd = fd,
		.inode = message->buffer.kind == WIRE_DMABUF ? inode : 0,
		.rdev = node_of(fd, &message->buffer),
		.origin = message->buffer.kind,
		.dirty = true,
	};
	session->bytes += message->buffer.size;
	place_soon(session->work);
	publish_soon(session->work);
	session_reply(session, message->serial, 0, "");
}

static void take_remove(struct session *session,
			const struct wire_message *message)
{
	struct session_buffer *buffer = find(session, message->ref.id);
	size_t at;

	if (!buffer) {
		session_reply(session, message->serial, ENOENT,
			      "there is no such buffer");
		return;
	}
	session->bytes -= buffer->buffer.size;
	session_buffer_close(buffer);
	/* In the order in which they were added: so they come back. */
	at = (size_t)(buffer - session->buffer);
	memmove(buffer, buffer + 1, (session->n - at - 1) * sizeof(*buffer));
	session->n--;
	/* Nothing is left of what was lost: it begins anew. */
	if (!session->n && !session->migration)
		session->gone = false;
	place_soon(session->work);
	publish_soon(session->work);
	session_reply(session, message->serial, 0, "");
}

static void take_dirty(struct session *session,
		       const struct wire_message *message)
{
	struct session_buffer *buffer = find(session, message->ref.id);

	/* It may have crossed our answer to REMOVE; nothing to be said. */
	if (buffer)
		buffer->dirty = true;
}

static void take_confirm(struct session *session,
			 const struct wire_message *message)
{
	if (session->migration) {
		migrate_confirmed(session->migration, message);
	} else if (message->serial == session->late_offer &&
		   !message->result.error) {
		/* It works with buffers that we gave up; a new session sorts it out. */
		session_break(session, "the confirmation came too late");
	}
}

/**
 * session_take() - a message has come
 * @session: from whom; may be closed by it
 * @message: what wire_receive() has let pass
 * @fd: its descriptor or -1, taken over
 */
void session_take(struct session *session, const struct wire_message *message,
		  int fd)
{
	if (!session->greeted && message->type != WIRE_HELLO) {
		if (fd >= 0)
			close(fd);
		session_break(session, "%s came before HELLO",
			      wire_type_name(message->type));
		return;
	}
	switch (message->type) {
	case WIRE_HELLO:
		take_hello(session, message);
		return;
	case WIRE_ADD:
		take_add(session, message, fd);
		return;
	case WIRE_REMOVE:
		take_remove(session, message);
		return;
	case WIRE_DIRTY:
		take_dirty(session, message);
		return;
	case WIRE_SAFE:
		session_came(session, message, fd);
		return;
	case WIRE_UNABLE:
		session_unable(session, message);
		return;
	case WIRE_CONFIRM:
		take_confirm(session, message);
		return;
	}
}
