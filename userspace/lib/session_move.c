// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A move: what egpud offers is gathered, checked against what there was, and
 * handed to the program, whose word is passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session.h"

void session_offer_clear(struct egpu_session *session)
{
	session_buffers_free(&session->offer.buffers);
	memset(&session->offer, 0, sizeof(session->offer));
}

static int broken(struct egpu_session *session, const char *how)
{
	return session_drop(session, -EPROTO,
			    "egpud has broken the protocol: %s", how);
}

/* A second one takes the place of the first, whose device has left meanwhile. */
int session_move_begin(struct egpu_session *session,
		       const struct wire_move *move)
{
	struct session_offer *offer = &session->offer;

	session_offer_clear(session);
	/* One more, so that none is no special case. */
	offer->buffers.buffer =
		calloc(move->n_buffers + 1, sizeof(*offer->buffers.buffer));
	if (!offer->buffers.buffer)
		return session_drop(session, -ENOMEM, "out of memory");
	offer->move = *move;
	offer->running = true;
	return 0;
}

/* The descriptor is taken over. */
int session_move_buffer(struct egpu_session *session,
			const struct wire_buffer *buffer, int fd)
{
	struct session_offer *offer = &session->offer;
	struct session_buffer *entry;

	if (!offer->running || offer->buffers.n >= offer->move.n_buffers ||
	    session_find(&offer->buffers, buffer->id)) {
		close(fd);
		return broken(session, "MOVE_BUFFER that was not announced");
	}
	entry = &offer->buffers.buffer[offer->buffers.n++];
	entry->wire = *buffer;
	entry->fd = fd;
	entry->membership = BUFFER_IN;
	return 0;
}

/* The new buffer is as the old one; only the lines may be longer. */
static bool same_shape(const struct wire_buffer *old,
		       const struct wire_buffer *new)
{
	if (old->format != new->format || old->width != new->width ||
	    old->height != new->height)
		return false;
	return old->format || old->size == new->size;
}

/*
 * Nothing lost means the buffers of this moment, each. After a loss it is those
 * of the checkpoint, which may have been others.
 */
static const char *check_offer(const struct egpu_session *session)
{
	const struct session_offer *offer = &session->offer;
	struct session_buffers mine = session->buffers;
	const struct session_buffer *old;
	size_t i, known = 0;

	for (i = 0; i < offer->buffers.n; i++) {
		old = session_find(&mine, offer->buffers.buffer[i].wire.id);
		if (!old)
			continue;
		if (!same_shape(&old->wire, &offer->buffers.buffer[i].wire))
			return "a buffer has another shape";
		known++;
	}
	if (!offer->move.lost && (known != mine.n || known != offer->buffers.n))
		return "these are not the buffers that were given";
	return NULL;
}

/* What the program has said of a buffer stays so. */
static void keep_flags(struct egpu_session *session)
{
	struct session_buffers *offered = &session->offer.buffers;
	const struct session_buffer *old;
	size_t i;

	for (i = 0; i < offered->n; i++) {
		old = session_find(&session->buffers,
				   offered->buffer[i].wire.id);
		if (old)
			offered->buffer[i].wire.flags = old->wire.flags;
	}
}

/* Where a buffer comes in the program's own order; behind all if it is unknown. */
static size_t place(const struct egpu_session *session, uint32_t id)
{
	size_t i;

	for (i = 0; i < session->buffers.n; i++) {
		if (session->buffers.buffer[i].wire.id == id)
			break;
	}
	return i;
}

static void sort_offer(struct egpu_session *session)
{
	struct session_buffers *buffers = &session->offer.buffers;
	struct session_buffer one;
	size_t i, at, key;

	for (i = 1; i < buffers->n; i++) {
		one = buffers->buffer[i];
		key = place(session, one.wire.id);
		for (at = i; at; at--) {
			if (place(session, buffers->buffer[at - 1].wire.id) <=
			    key)
				break;
			buffers->buffer[at] = buffers->buffer[at - 1];
		}
		buffers->buffer[at] = one;
	}
}

/* Copied and not mapped: who shrinks it must not end the program by SIGBUS. */
static int read_state(int fd, uint32_t size, void **state)
{
	struct stat st;
	size_t at = 0;
	ssize_t got;

	*state = NULL;
	if (!size)
		return 0;
	if (fstat(fd, &st) || st.st_size < size)
		return -EPROTO;
	*state = malloc(size);
	if (!*state)
		return -ENOMEM;
	while (at < size) {
		got = pread(fd, (char *)*state + at, size - at, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			free(*state);
			*state = NULL;
			return -EPROTO;
		}
		at += got;
	}
	return 0;
}

static int confirm(struct egpu_session *session, uint32_t serial, int err,
		   const char *text)
{
	struct wire_message message = { .type = WIRE_CONFIRM };

	message.serial = serial;
	message.result.error = -err;
	strncpy(message.result.text, text, sizeof(message.result.text) - 1);
	return session_send(session, &message, -1);
}

/*
 * struct handover - what the program is given
 * @buffer: descriptions
 * @fd: descriptors, the program's when it takes them
 */
struct handover {
	struct egpu_session_buffer *buffer;
	int *fd;
};

static void fill_description(struct egpu_session_buffer *to,
			     const struct wire_buffer *from)
{
	*to = (struct egpu_session_buffer){
		.id = from->id,
		.kind = from->kind,
		.flags = from->flags,
		.handle = from->handle,
		.size = from->size,
		.format = from->format,
		.width = from->width,
		.height = from->height,
		.stride = from->stride,
		.modifier = from->modifier,
	};
	memcpy(to->name, from->name, sizeof(to->name));
}

static void close_handover(struct handover *handover, size_t n, bool taken)
{
	size_t i;

	for (i = 0; i < n && handover->fd && !taken; i++) {
		if (handover->fd[i] >= 0)
			close(handover->fd[i]);
	}
	free(handover->fd);
	free(handover->buffer);
}

/* The library keeps a descriptor of each, to add it again should egpud end. */
static int prepare_handover(const struct session_buffers *buffers,
			    struct handover *handover)
{
	size_t i;

	handover->buffer = calloc(buffers->n + 1, sizeof(*handover->buffer));
	handover->fd = malloc((buffers->n + 1) * sizeof(*handover->fd));
	if (!handover->buffer || !handover->fd) {
		free(handover->fd);
		handover->fd = NULL;
		return -ENOMEM;
	}
	for (i = 0; i < buffers->n; i++)
		handover->fd[i] = -1;
	for (i = 0; i < buffers->n; i++) {
		fill_description(&handover->buffer[i], &buffers->buffer[i].wire);
		handover->fd[i] =
			fcntl(buffers->buffer[i].fd, F_DUPFD_CLOEXEC, 3);
		if (handover->fd[i] < 0)
			return -errno;
	}
	return 0;
}

static int ask_program(struct egpu_session *session,
		       const struct handover *handover, const void *state)
{
	const struct wire_move *move = &session->offer.move;
	const struct egpu_session_move tell = {
		.lost = move->lost,
		.step = move->step,
		.lost_ns = move->lost_ns,
		.cpu = move->cpu,
		.address = move->address,
		.node = move->node,
		.checkpoint = move->checkpoint,
		.state = state,
		.state_size = move->state_size,
		.n = session->offer.buffers.n,
		.buffer = handover->buffer,
		.fd = handover->fd,
	};
	int err;

	session->inside = true;
	err = session->ops.move(session, &tell, session->arg);
	session->inside = false;
	return err < -4095 || err > 0 ? -EINVAL : err;
}

/* The new buffers are the session's; its hold on the old ones ends. */
static void take_over(struct egpu_session *session)
{
	session_buffers_free(&session->buffers);
	session->buffers = session->offer.buffers;
	session->offer.buffers = (struct session_buffers){ 0 };
	session->standing = false;
	session->lost = false;
	session->wanted = false;
	session->moved = true;
}

static int hand_over(struct egpu_session *session, int state_fd,
		     const char **why)
{
	struct handover handover = { 0 };
	void *state = NULL;
	int err;

	*why = "the program cannot be moved";
	if (!session->ops.move)
		return -EOPNOTSUPP;
	*why = "the program has gone on meanwhile";
	if (!session->standing && !session->lost)
		return -ESTALE;
	*why = check_offer(session);
	if (*why)
		return -EINVAL;
	*why = "the state cannot be read";
	err = read_state(state_fd, session->offer.move.state_size, &state);
	if (err)
		return err;
	keep_flags(session);
	sort_offer(session);
	*why = "the program has no room for more descriptors";
	err = prepare_handover(&session->offer.buffers, &handover);
	if (!err) {
		*why = "the program does not take the new buffers";
		err = ask_program(session, &handover, state);
	}
	close_handover(&handover, session->offer.buffers.n, !err);
	free(state);
	return err;
}

/**
 * session_move_end() - all of an offer is there
 * @session: one with a connection
 * @serial: of MOVE_END
 * @fd: descriptor of the state or -1, stays the caller's
 *
 * Calls the program back and passes its word on. When it does not take the
 * offer, all is as before.
 *
 * Return: 0, or -ENOTCONN when the connection has ended.
 */
int session_move_end(struct egpu_session *session, uint32_t serial, int fd)
{
	struct session_offer *offer = &session->offer;
	const char *why;
	int err;

	if (!offer->running || offer->buffers.n != offer->move.n_buffers)
		return broken(session, "MOVE_END before all buffers");
	if (offer->move.state_size ? fd < 0 : fd >= 0)
		return broken(session, "MOVE_END with another state than said");
	err = hand_over(session, fd, &why);
	if (!err)
		take_over(session);
	session_offer_clear(session);
	return confirm(session, serial, err, err ? why : "");
}
