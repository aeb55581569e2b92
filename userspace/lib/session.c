// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sessions: opened, given buffers, closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/text.h"
#include "session.h"

_Static_assert(sizeof(struct egpu_session_buffer) == sizeof(struct wire_buffer),
	       "a buffer for the program and on the wire");

/* Notes why it failed and returns @err, so that it can end a function. */
int session_fail(struct egpu_session *session, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(session->error, sizeof(session->error), format, args);
	va_end(args);
	return err;
}

struct session_buffer *session_find(struct session_buffers *buffers, uint32_t id)
{
	size_t i;

	for (i = 0; i < buffers->n; i++) {
		if (buffers->buffer[i].wire.id == id)
			return &buffers->buffer[i];
	}
	return NULL;
}

void session_buffers_free(struct session_buffers *buffers)
{
	size_t i;

	for (i = 0; i < buffers->n; i++)
		close(buffers->buffer[i].fd);
	free(buffers->buffer);
	*buffers = (struct session_buffers){ 0 };
}

int egpu_session_open(struct egpu_session **session, const char *name,
		      const struct egpu_session_ops *ops, void *arg)
{
	return egpu_session_open_at(session, WIRE_PATH, name, ops, arg);
}

static struct egpu_session *new_session(const char *path, const char *name)
{
	struct egpu_session *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->path = strdup(path);
	if (!made->path) {
		free(made);
		return NULL;
	}
	made->sock = -1;
	made->retry_ms = SESSION_RETRY_MS;
	made->patience_ms = SESSION_PATIENCE_MS;
	memcpy(made->name, name, strlen(name));
	return made;
}

int egpu_session_open_at(struct egpu_session **session, const char *path,
			 const char *name, const struct egpu_session_ops *ops,
			 void *arg)
{
	struct egpu_session *made;
	int err;

	*session = NULL;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path) ||
	    strlen(name) >= WIRE_NAME || !text_is_printable(name))
		return -EINVAL;
	made = new_session(path, name);
	if (!made)
		return -ENOMEM;
	if (ops)
		made->ops = *ops;
	made->arg = arg;
	err = session_connect(made);
	while (!err && made->link == LINK_GREETING)
		err = session_await(made);
	/* Without egpud it is a session all the same, which looks for it. */
	*session = made;
	return 0;
}

void egpu_session_close(struct egpu_session *session)
{
	if (!session)
		return;
	session_drop(session, -ENOTCONN, "it is closed");
	session_buffers_free(&session->buffers);
	free(session->path);
	free(session);
}

const char *egpu_session_error(const struct egpu_session *session)
{
	return session->error;
}

uint32_t egpu_session_interval_ms(const struct egpu_session *session)
{
	return session->link == LINK_OPEN ? session->welcome.interval_ms : 0;
}

int egpu_session_fd(const struct egpu_session *session)
{
	return session->sock;
}

/* A name of the program's without an end, or with rubbish behind, is its fault. */
static int fill_wire(struct wire_buffer *to,
		     const struct egpu_session_buffer *from, uint32_t kind)
{
	*to = (struct wire_buffer){
		.id = from->id,
		.kind = kind,
		.flags = from->flags,
		.handle = kind == WIRE_HANDLE ? from->handle : 0,
		.size = from->size,
		.format = from->format,
		.width = from->width,
		.height = from->height,
		.stride = from->stride,
		.modifier = from->modifier,
	};
	if (strnlen(from->name, sizeof(from->name)) == sizeof(from->name))
		return -EINVAL;
	memcpy(to->name, from->name, strlen(from->name));
	return 0;
}

static int check_new(struct egpu_session *session,
		     const struct egpu_session_buffer *buffer, uint32_t kind,
		     struct wire_message *add)
{
	const char *why;

	if (session->inside)
		return session_fail(session, -EBUSY,
				    "not while the program is called back");
	*add = (struct wire_message){ .type = WIRE_ADD };
	if (fill_wire(&add->buffer, buffer, kind))
		return session_fail(session, -EINVAL,
				    "the buffer's name has no end");
	why = wire_check(add, wire_size(WIRE_ADD), WIRE_PROGRAM, true);
	if (why)
		return session_fail(session, -EINVAL, "%s", why);
	if (session_find(&session->buffers, buffer->id))
		return session_fail(session, -EEXIST,
				    "there is a buffer %u already", buffer->id);
	if (session->buffers.n >= WIRE_BUFFERS_MAX)
		return session_fail(session, -ENOSPC,
				    "there are %u buffers, more cannot be",
				    WIRE_BUFFERS_MAX);
	return 0;
}

static int append(struct egpu_session *session, const struct wire_buffer *wire,
		  int fd)
{
	struct session_buffers *all = &session->buffers;
	struct session_buffer *grown;
	int mine;

	grown = realloc(all->buffer, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return session_fail(session, -ENOMEM, "out of memory");
	all->buffer = grown;
	mine = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (mine < 0)
		return session_fail(session, -errno,
				    "cannot keep the descriptor: %s",
				    strerror(errno));
	all->buffer[all->n++] = (struct session_buffer){
		.wire = *wire,
		.fd = mine,
	};
	return 0;
}

static void forget(struct egpu_session *session, struct session_buffer *buffer)
{
	struct session_buffers *all = &session->buffers;
	size_t at = buffer - all->buffer;

	close(buffer->fd);
	all->n--;
	memmove(buffer, buffer + 1, (all->n - at) * sizeof(*buffer));
}

/* Sends what is to be sent and waits until egpud has said yes or no. */
static int wait_for_membership(struct egpu_session *session, uint32_t id)
{
	struct session_buffer *buffer;
	int err;

	for (;;) {
		if (session->link != LINK_OPEN)
			return -ENOTCONN;
		err = session_add_pending(session);
		if (err)
			return err;
		buffer = session_find(&session->buffers, id);
		if (buffer->membership == BUFFER_IN)
			return 0;
		if (buffer->membership == BUFFER_REFUSED)
			return session->refusal;
		err = session_await(session);
		if (err)
			return err;
	}
}

static int add(struct egpu_session *session,
	       const struct egpu_session_buffer *buffer, uint32_t kind, int fd)
{
	struct session_buffer *added;
	struct wire_message message;
	int err;

	err = check_new(session, buffer, kind, &message);
	if (!err)
		err = append(session, &message.buffer, fd);
	if (err)
		return err;
	err = wait_for_membership(session, buffer->id);
	added = session_find(&session->buffers, buffer->id);
	/* Without egpud it is remembered, for when egpud is there. */
	if (err && err != -ENOTCONN)
		forget(session, added);
	return err;
}

int egpu_session_add_dmabuf(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int fd)
{
	return add(session, buffer, WIRE_DMABUF, fd);
}

int egpu_session_add_handle(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int drm_fd)
{
	return add(session, buffer, WIRE_HANDLE, drm_fd);
}

int egpu_session_add_memory(struct egpu_session *session,
			    const struct egpu_session_buffer *buffer, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return session_fail(session, -EINVAL,
				    "this is no memory that cannot shrink, see egpu_session_memory()");
	if (fstat(fd, &st) || (uint64_t)st.st_size < buffer->size)
		return session_fail(session, -EINVAL,
				    "the memory is smaller than the buffer");
	return add(session, buffer, WIRE_MEMORY, fd);
}

int egpu_session_memory(uint64_t size, const char *name)
{
	int fd, err;

	if (!size || size > WIRE_SIZE_MAX)
		return -EINVAL;
	fd = memfd_create(name ? name : "egpu", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int ask_to_remove(struct egpu_session *session, uint32_t id)
{
	struct wire_message message = { .type = WIRE_REMOVE };
	int err;

	message.serial = ++session->serial;
	message.ref.id = id;
	session->reply = -EINPROGRESS;
	session->reply_serial = message.serial;
	err = session_send(session, &message, -1);
	while (!err && session->reply == -EINPROGRESS)
		err = session_await(session);
	return err ? err : session->reply;
}

int egpu_session_remove(struct egpu_session *session, uint32_t id)
{
	struct session_buffer *buffer = session_find(&session->buffers, id);
	int err = 0;

	if (session->inside)
		return session_fail(session, -EBUSY,
				    "not while the program is called back");
	if (!buffer)
		return session_fail(session, -ENOENT, "there is no buffer %u",
				    id);
	/* Its descriptor may be under way. */
	while (!err && buffer->membership == BUFFER_ASKED)
		err = session_await(session);
	if (!err && buffer->membership == BUFFER_IN)
		err = ask_to_remove(session, id);
	if (!err && session->link != LINK_OPEN)
		err = -ENOTCONN;
	forget(session, buffer);
	return err;
}

int egpu_session_dirty(struct egpu_session *session, uint32_t id)
{
	struct session_buffer *buffer = session_find(&session->buffers, id);

	if (!buffer)
		return session_fail(session, -ENOENT, "there is no buffer %u",
				    id);
	/* Of one that is not declared egpud believes it anyway. */
	if (!(buffer->wire.flags & WIRE_DECLARED))
		return 0;
	buffer->dirty = true;
	if (session->link != LINK_OPEN)
		return -ENOTCONN;
	if (buffer->told)
		return 0;
	return session_tell_dirty(session) == -ENOTCONN ? -ENOTCONN : 0;
}
