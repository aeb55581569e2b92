// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The messages between a program and egpud: checked, sent and received.
 *
 * Nothing here waits: a socket that has nothing, or takes nothing, is -EAGAIN.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.h"
#include "wire.h"

/* The bytes before the member of the union. */
#define HEAD offsetof(struct wire_message, hello)

/* A packet is the memory of a struct; nothing in one may be padding. */
_Static_assert(HEAD == 8, "head of a message");
_Static_assert(sizeof(struct wire_hello) == 40, "HELLO");
_Static_assert(sizeof(struct wire_welcome) == 32, "WELCOME");
_Static_assert(sizeof(struct wire_buffer) == 80, "ADD, MOVE_BUFFER");
_Static_assert(sizeof(struct wire_ref) == 8, "REMOVE, DIRTY");
_Static_assert(sizeof(struct wire_safe) == 16, "SAFE");
_Static_assert(sizeof(struct wire_result) == 168, "results");
_Static_assert(sizeof(struct wire_reach) == 16, "REACH");
_Static_assert(sizeof(struct wire_move) == 168, "MOVE_BEGIN");

/* Linux has no errno above this. */
#define ERRNO_MAX 4095

/* Whether a descriptor comes with a message. */
enum companion {
	FD_NEVER,
	FD_ALWAYS,
	FD_WITH_STATE, /* SAFE says in it whether there is a state */
	FD_MAYBE, /* MOVE_BEGIN has said it */
};

/*
 * struct kind - what holds for a type of message
 * @name: as in the documents
 * @body: bytes behind the head
 * @fd: whether a descriptor comes with it
 */
struct kind {
	const char *name;
	size_t body;
	enum companion fd;
};

static const struct kind kinds[] = {
	[WIRE_HELLO] = { "HELLO", sizeof(struct wire_hello), FD_NEVER },
	[WIRE_ADD] = { "ADD", sizeof(struct wire_buffer), FD_ALWAYS },
	[WIRE_REMOVE] = { "REMOVE", sizeof(struct wire_ref), FD_NEVER },
	[WIRE_DIRTY] = { "DIRTY", sizeof(struct wire_ref), FD_NEVER },
	[WIRE_SAFE] = { "SAFE", sizeof(struct wire_safe), FD_WITH_STATE },
	[WIRE_UNABLE] = { "UNABLE", sizeof(struct wire_result), FD_NEVER },
	[WIRE_CONFIRM] = { "CONFIRM", sizeof(struct wire_result), FD_NEVER },
	[WIRE_WELCOME] = { "WELCOME", sizeof(struct wire_welcome), FD_NEVER },
	[WIRE_REPLY] = { "REPLY", sizeof(struct wire_result), FD_NEVER },
	[WIRE_REACH] = { "REACH", sizeof(struct wire_reach), FD_NEVER },
	[WIRE_GO_ON] = { "GO_ON", 0, FD_NEVER },
	[WIRE_LOST] = { "LOST", 0, FD_NEVER },
	[WIRE_MOVE_BEGIN] = { "MOVE_BEGIN", sizeof(struct wire_move), FD_NEVER },
	[WIRE_MOVE_BUFFER] = { "MOVE_BUFFER", sizeof(struct wire_buffer),
			       FD_ALWAYS },
	[WIRE_MOVE_END] = { "MOVE_END", 0, FD_MAYBE },
	[WIRE_FAILED] = { "FAILED", sizeof(struct wire_result), FD_NEVER },
	[WIRE_ERROR] = { "ERROR", sizeof(struct wire_result), FD_NEVER },
};

static const struct kind *kind_of(uint32_t type)
{
	if (type >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[type].name)
		return NULL;
	return &kinds[type];
}

static enum wire_side side_of(uint32_t type)
{
	return type < WIRE_WELCOME ? WIRE_PROGRAM : WIRE_DAEMON;
}

/**
 * wire_size() - how long a message is
 * @type: enum wire_type, or anything else
 *
 * Return: the bytes of its packet, 0 when there is no such type.
 */
size_t wire_size(uint32_t type)
{
	const struct kind *kind = kind_of(type);

	return kind ? HEAD + kind->body : 0;
}

/**
 * wire_type_name() - what people call a message
 * @type: enum wire_type, or anything else
 *
 * Return: its name; that of one that does not exist is "unknown".
 */
const char *wire_type_name(uint32_t type)
{
	const struct kind *kind = kind_of(type);

	return kind ? kind->name : "unknown";
}

/*
 * Printable, and nothing but zeros behind its end: what lay in the sender's
 * memory before is nobody's business.
 */
static bool text_is_right(const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	size_t i;

	if (len == size || !text_is_printable(text))
		return false;
	for (i = len; i < size; i++) {
		if (text[i])
			return false;
	}
	return true;
}

#define TEXT_IS_RIGHT(array) text_is_right(array, sizeof(array))

static const char *check_hello(const struct wire_hello *hello)
{
	if (!hello->version)
		return "there is no version 0";
	if (hello->reserved)
		return "a reserved field is not zero";
	if (!TEXT_IS_RIGHT(hello->name))
		return "the name is not printable text with an end";
	return NULL;
}

static const char *check_welcome(const struct wire_welcome *welcome)
{
	if (!welcome->version)
		return "there is no version 0";
	if (!welcome->buffers_max || welcome->buffers_max > WIRE_BUFFERS_MAX)
		return "the limit of buffers is out of range";
	if (welcome->state_max > WIRE_STATE_MAX)
		return "the limit of the state is out of range";
	if (!welcome->bytes_max)
		return "the limit of bytes is zero";
	return NULL;
}

/* Of several planes stride is that of the first, so they may need more. */
static const char *check_picture(const struct wire_buffer *buffer)
{
	if (!buffer->format) {
		if (buffer->width || buffer->height || buffer->stride ||
		    buffer->modifier)
			return "a buffer without a format has no width, height, stride or modifier";
		return NULL;
	}
	if (!buffer->width || buffer->width > WIRE_SIDE_MAX ||
	    !buffer->height || buffer->height > WIRE_SIDE_MAX)
		return "width or height of the buffer is out of range";
	if (!buffer->stride ||
	    (uint64_t)buffer->stride * (buffer->height - 1) >= buffer->size)
		return "the lines do not fit into the buffer";
	return NULL;
}

static const char *check_buffer(const struct wire_buffer *buffer)
{
	if (!buffer->id)
		return "no buffer has the number 0";
	if (buffer->kind < WIRE_DMABUF || buffer->kind > WIRE_MEMORY)
		return "there is no such kind of buffer";
	if (buffer->flags & ~WIRE_DECLARED)
		return "a buffer has a flag that does not exist";
	if (buffer->kind == WIRE_HANDLE ? !buffer->handle : buffer->handle)
		return "a GEM handle comes with a DRM node, and only there";
	if (!buffer->size || buffer->size > WIRE_SIZE_MAX)
		return "the size of the buffer is out of range";
	if (!TEXT_IS_RIGHT(buffer->name))
		return "the buffer's name is not printable text with an end";
	return check_picture(buffer);
}

static const char *check_ref(const struct wire_ref *ref)
{
	if (!ref->id)
		return "no buffer has the number 0";
	if (ref->reserved)
		return "a reserved field is not zero";
	return NULL;
}

static const char *check_safe(const struct wire_safe *safe)
{
	if (safe->state_size > WIRE_STATE_MAX)
		return "the state is too large";
	if (safe->reserved)
		return "a reserved field is not zero";
	return NULL;
}

static const char *check_result(uint32_t type, const struct wire_result *result)
{
	bool may_succeed = type == WIRE_CONFIRM || type == WIRE_REPLY;

	if (result->error < (may_succeed ? 0 : 1) || result->error > ERRNO_MAX)
		return "the error is out of range";
	if (result->reserved)
		return "a reserved field is not zero";
	if (!TEXT_IS_RIGHT(result->text))
		return "the text is not printable text with an end";
	return NULL;
}

static const char *check_reach(const struct wire_reach *reach)
{
	if (reach->reason != WIRE_FOR_CHECKPOINT &&
	    reach->reason != WIRE_FOR_MOVE)
		return "there is no such reason";
	if (reach->reserved)
		return "a reserved field is not zero";
	return NULL;
}

static const char *check_move(const struct wire_move *move)
{
	if (move->lost > 1 || move->cpu > 1)
		return "a yes or no is neither";
	if (move->n_buffers > WIRE_BUFFERS_MAX)
		return "there are too many buffers";
	if (move->lost_ns && !move->lost)
		return "time is lost although nothing is";
	if (move->state_size > WIRE_STATE_MAX)
		return "the state is too large";
	if (!TEXT_IS_RIGHT(move->address) || !TEXT_IS_RIGHT(move->node) ||
	    !TEXT_IS_RIGHT(move->checkpoint))
		return "address, node or checkpoint is not printable text with an end";
	if (move->cpu && (*move->address || *move->node))
		return "the CPU has no address and no node";
	if (!move->cpu && *move->node != '/')
		return "the device has no node";
	return NULL;
}

static const char *check_body(const struct wire_message *message)
{
	switch (message->type) {
	case WIRE_HELLO:
		return check_hello(&message->hello);
	case WIRE_WELCOME:
		return check_welcome(&message->welcome);
	case WIRE_ADD:
	case WIRE_MOVE_BUFFER:
		return check_buffer(&message->buffer);
	case WIRE_REMOVE:
	case WIRE_DIRTY:
		return check_ref(&message->ref);
	case WIRE_SAFE:
		return check_safe(&message->safe);
	case WIRE_UNABLE:
	case WIRE_CONFIRM:
	case WIRE_REPLY:
	case WIRE_FAILED:
	case WIRE_ERROR:
		return check_result(message->type, &message->result);
	case WIRE_REACH:
		return check_reach(&message->reach);
	case WIRE_MOVE_BEGIN:
		return check_move(&message->move);
	default:
		return NULL;
	}
}

static const char *check_companion(const struct wire_message *message,
				   const struct kind *kind, bool has_fd)
{
	switch (kind->fd) {
	case FD_NEVER:
		return has_fd ? "a descriptor came with it" : NULL;
	case FD_ALWAYS:
		return has_fd ? NULL : "its descriptor is missing";
	case FD_WITH_STATE:
		if (has_fd == !!message->safe.state_size)
			return NULL;
		return "a descriptor comes with a state, and only there";
	case FD_MAYBE:
		return NULL;
	}
	return NULL;
}

/**
 * wire_check() - is this a message
 * @message: what came; only the first @len bytes are looked at
 * @len: bytes that came
 * @from: who has sent it
 * @has_fd: a descriptor came with it
 *
 * What can be said without knowing what was said before: that it is one of that
 * side's, has exactly its length, its descriptor, and no value that means
 * nothing. Whether it may come now is for the receiver to know, and so is the
 * descriptor of MOVE_END.
 *
 * Return: NULL, or what is wrong, in words without a full stop.
 */
const char *wire_check(const struct wire_message *message, size_t len,
		       enum wire_side from, bool has_fd)
{
	const struct kind *kind;
	const char *why;

	if (len < HEAD)
		return "it is shorter than any message";
	kind = kind_of(message->type);
	if (!kind)
		return "there is no message of this type";
	if (side_of(message->type) != from)
		return "this message comes from the other side";
	if (len != HEAD + kind->body)
		return "its length is not that of its type";
	why = check_companion(message, kind, has_fd);
	return why ? why : check_body(message);
}

/*
 * As many as a packet can have, SCM_MAX_FD: those for which there is no room the
 * kernel closes, and that can take its time.
 */
#define FDS_ROOM 253

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(FDS_ROOM * sizeof(int))];
};

/**
 * wire_send() - send a message, without waiting
 * @sock: socket
 * @message: what to send
 * @fd: descriptor to go with it, or -1; stays the caller's
 *
 * Return: 0; -EAGAIN when the other side does not read; -ENOTCONN when it has
 * gone; -EINVAL when it is no message, which the other side would take for an
 * attack; another negative errno.
 */
int wire_send(int sock, const struct wire_message *message, int fd)
{
	struct iovec iov = {
		.iov_base = (void *)message,
		.iov_len = wire_size(message->type),
	};
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { 0 };
	struct cmsghdr *header;

	if (wire_check(message, iov.iov_len, side_of(message->type), fd >= 0))
		return -EINVAL;
	if (fd >= 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(fd));
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return -ENOTCONN;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Keeps the first descriptor that came, lets go of the others; how many came. */
static unsigned int take_descriptors(struct msghdr *msg, int *fd,
				     void (*let_go)(int fd))
{
	struct cmsghdr *header;
	unsigned int n = 0;
	size_t at;
	int one;

	for (header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR(msg, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;
		for (at = CMSG_LEN(0); at + sizeof(one) <= header->cmsg_len;
		     at += sizeof(one)) {
			memcpy(&one, (char *)header + at, sizeof(one));
			if (n++)
				let_go(one);
			else
				*fd = one;
		}
	}
	return n;
}

static int check_received(const struct msghdr *msg, size_t len,
			  unsigned int n_fds, enum wire_side from,
			  const struct wire_message *message, const char **why)
{
	*why = NULL;
	if (n_fds > WIRE_FDS_MAX)
		*why = "more than one descriptor came with it";
	else if (msg->msg_flags & MSG_CTRUNC)
		*why = "its descriptor could not be taken, are too many open?";
	else if (msg->msg_flags & MSG_TRUNC)
		*why = "it is longer than any message";
	else
		*why = wire_check(message, len, from, n_fds > 0);
	return *why ? -EPROTO : 0;
}

/**
 * wire_take() - take the next message, without waiting
 * @sock: socket
 * @from: who is at the other end
 * @message: where to put it; what is behind its end is zero
 * @fd: where to put the descriptor that came with it, close-on-exec, the
 *	caller's; -1 for none
 * @why: where to put what is wrong when it returns -EPROTO
 * @let_go: closes what is of no use; it may be anything
 *
 * Return: 0; -EAGAIN when there is none; -ENOTCONN when the other side has gone;
 * -EPROTO when what came is no message, after which there is no sense in reading
 * on; another negative errno.
 */
int wire_take(int sock, enum wire_side from, struct wire_message *message,
	      int *fd, const char **why, void (*let_go)(int fd))
{
	struct iovec iov = { .iov_base = message, .iov_len = sizeof(*message) };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	unsigned int n_fds;
	ssize_t len;
	int err;

	memset(message, 0, sizeof(*message));
	*fd = -1;
	*why = NULL;
	do {
		len = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == ECONNRESET ? -ENOTCONN : -errno;
	n_fds = take_descriptors(&msg, fd, let_go);
	/* Nobody sends an empty packet; this is how the end looks. */
	if (!len)
		err = -ENOTCONN;
	else
		err = check_received(&msg, len, n_fds, from, message, why);
	if (err && *fd >= 0) {
		let_go(*fd);
		*fd = -1;
	}
	return err;
}

static void close_it(int fd)
{
	close(fd);
}

/* The same for who believes that what comes can be closed. */
int wire_receive(int sock, enum wire_side from, struct wire_message *message,
		 int *fd, const char **why)
{
	return wire_take(sock, from, message, fd, why, close_it);
}
