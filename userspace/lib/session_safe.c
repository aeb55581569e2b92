// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Safe points.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/text.h"
#include "session.h"

bool egpu_session_wanted(const struct egpu_session *session)
{
	return session->wanted || session->lost;
}

int egpu_session_process(struct egpu_session *session, int timeout_ms)
{
	int err;

	if (session->inside)
		return session_fail(session, -EBUSY,
				    "not while the program is called back");
	session->failed = false;
	err = session_pump(session, timeout_ms);
	if (err && err != -EAGAIN)
		return err;
	return session->failed ? -ENODEV : 0;
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t written;

	while (size) {
		written = write(fd, at, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= written;
	}
	return 0;
}

/* Sealed, so that egpud may read it without a fear. */
static int make_state(const void *state, size_t size)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
			  F_SEAL_SEAL;
	int fd, err;

	fd = memfd_create("egpu-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	err = write_all(fd, state, size);
	if (!err && fcntl(fd, F_ADD_SEALS, seals))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int say_unable(struct egpu_session *session, int err, const char *why)
{
	struct wire_message message = { .type = WIRE_UNABLE };
	char text[sizeof(message.result.text)];

	message.serial = session->reach_serial;
	message.result.error = -err;
	text_printable(why ? why : "", text, sizeof(text));
	memcpy(message.result.text, text, strlen(text));
	session->wanted = false;
	return session_send(session, &message, -1);
}

int egpu_session_unable(struct egpu_session *session, const char *why)
{
	if (session->link != LINK_OPEN)
		return -ENOTCONN;
	return session->wanted ? say_unable(session, -EBUSY, why) : 0;
}

/* What was written before it is what egpud copies now. */
static int send_safe(struct egpu_session *session, uint64_t step, int fd,
		     size_t size)
{
	struct wire_message message = { .type = WIRE_SAFE };
	size_t i;
	int err;

	message.serial = session->reach_serial;
	message.safe.step = step;
	message.safe.state_size = size;
	err = session_send(session, &message, fd);
	if (err)
		return err;
	session->wanted = false;
	session->standing = true;
	for (i = 0; i < session->buffers.n; i++) {
		session->buffers.buffer[i].dirty = false;
		session->buffers.buffer[i].told = false;
	}
	return 0;
}

/* A DIRTY that was left over goes first; it has a place in the socket. */
static int flush_dirty(struct egpu_session *session)
{
	struct wire_message message = { .type = WIRE_DIRTY };
	struct session_buffer *buffer;
	size_t i;
	int err;

	for (i = 0; i < session->buffers.n; i++) {
		buffer = &session->buffers.buffer[i];
		if (!buffer->dirty || buffer->told)
			continue;
		message.serial = ++session->serial;
		message.ref.id = buffer->wire.id;
		err = session_send(session, &message, -1);
		if (err)
			return err;
	}
	return 0;
}

static int come_to_safe_point(struct egpu_session *session, uint64_t step,
			      const void *state, size_t size)
{
	int fd = -1, err;

	if (size > session->welcome.state_max) {
		say_unable(session, -EMSGSIZE, "its state is too large");
		return session_fail(session, -EMSGSIZE,
				    "the state has %zu bytes, egpud takes %u",
				    size, session->welcome.state_max);
	}
	if (size) {
		fd = make_state(state, size);
		if (fd < 0) {
			say_unable(session, fd, "it cannot pass its state");
			return session_fail(session, fd,
					    "cannot pass the state: %s",
					    strerror(-fd));
		}
	}
	err = flush_dirty(session);
	if (!err)
		err = send_safe(session, step, fd, size);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Until egpud has said what becomes of us, or cannot any more. */
static int stand_still(struct egpu_session *session)
{
	int err;

	while (session->standing || session->lost) {
		err = session_pump(session, session->patience_ms);
		if (err == -EAGAIN)
			return session_drop(session, -ETIMEDOUT,
					    "egpud has been silent for too long");
		if (err)
			return err;
	}
	return session->failed ? -ENODEV : 0;
}

int egpu_session_safe(struct egpu_session *session, uint64_t step,
		      const void *state, size_t size)
{
	int err;

	if (session->inside)
		return session_fail(session, -EBUSY,
				    "not while the program is called back");
	session->failed = false;
	session->moved = false;
	err = session_pump(session, 0);
	if (err && err != -EAGAIN)
		return err;
	if (session->failed)
		return -ENODEV;
	/* After a move @step and @state are those of a time that is no more. */
	if (session->moved)
		return session->lost ? stand_still(session) : 0;
	if (!session->lost) {
		if (!session->wanted || !session_whole(session))
			return 0;
		err = come_to_safe_point(session, step, state, size);
		if (err)
			return err;
	}
	return stand_still(session);
}
