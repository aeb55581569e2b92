// SPDX-License-Identifier: GPL-2.0
#include "netlink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An answer of a kernel under emulation, in ms; no answer at all is a failure. */
#define ANSWER_MS 10000

#define RECEIVE_ROOM 65536

static void set_option(const struct nl *nl, int option)
{
	int one = 1;

	setsockopt(nl->fd, SOL_NETLINK, option, &one, sizeof(one));
}

/**
 * nl_open - open a socket
 * @nl: overwritten
 *
 * Return: 0 or a negative errno.
 */
int nl_open(struct nl *nl)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(address);
	int error;

	nl->seq = 0;
	nl->port = 0;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	set_option(nl, NETLINK_EXT_ACK);
	set_option(nl, NETLINK_CAP_ACK);
	if (bind(nl->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(nl->fd, (struct sockaddr *)&address, &len)) {
		error = -errno;
		nl_close(nl);
		return error;
	}
	nl->port = address.nl_pid;
	return 0;
}

/**
 * nl_close - close a socket
 * @nl: may be closed already
 */
void nl_close(struct nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

static int membership(const struct nl *nl, int option, uint32_t group)
{
	int number = group;

	if (setsockopt(nl->fd, SOL_NETLINK, option, &number, sizeof(number)))
		return -errno;
	return 0;
}

/**
 * nl_join - join a multicast group
 * @nl: the socket
 * @group: the group's number
 *
 * Return: 0 or a negative errno.
 */
int nl_join(const struct nl *nl, uint32_t group)
{
	return membership(nl, NETLINK_ADD_MEMBERSHIP, group);
}

/**
 * nl_leave - leave a multicast group
 * @nl: the socket
 * @group: the group's number
 *
 * Return: 0 or a negative errno.
 */
int nl_leave(const struct nl *nl, uint32_t group)
{
	return membership(nl, NETLINK_DROP_MEMBERSHIP, group);
}

static struct nlmsghdr *header(struct msg *msg)
{
	return (struct nlmsghdr *)msg->data;
}

/**
 * msg_begin - begin a request
 * @msg: overwritten
 * @type: the family
 * @flags: NLM_F_* besides NLM_F_REQUEST
 * @cmd: the command
 */
void msg_begin(struct msg *msg, uint16_t type, uint16_t flags, uint8_t cmd)
{
	struct genlmsghdr *genl = (void *)(msg->data + NLMSG_HDRLEN);

	msg->len = NLMSG_HDRLEN + GENL_HDRLEN;
	memset(msg->data, 0, msg->len);
	header(msg)->nlmsg_type = type;
	header(msg)->nlmsg_flags = NLM_F_REQUEST | flags;
	genl->cmd = cmd;
	genl->version = 1;
}

/**
 * msg_raw - append bytes, whatever they are
 * @msg: the request
 * @bytes: the bytes
 * @len: how many; what has no room is left out
 */
void msg_raw(struct msg *msg, const void *bytes, size_t len)
{
	if (msg->len + len > MSG_ROOM)
		return;
	memcpy(msg->data + msg->len, bytes, len);
	msg->len += len;
}

/**
 * msg_put - append an attribute
 * @msg: the request
 * @attr: its type, with flags
 * @value: its value
 * @len: bytes of @value
 */
void msg_put(struct msg *msg, uint16_t attr, const void *value, size_t len)
{
	static const char zeros[NLA_ALIGNTO];
	struct nlattr head = {
		.nla_len = NLA_HDRLEN + len,
		.nla_type = attr,
	};

	msg_raw(msg, &head, sizeof(head));
	msg_raw(msg, value, len);
	msg_raw(msg, zeros, NLA_ALIGN(len) - len);
}

void msg_put_u32(struct msg *msg, uint16_t attr, uint32_t value)
{
	msg_put(msg, attr, &value, sizeof(value));
}

void msg_put_u64(struct msg *msg, uint16_t attr, uint64_t value)
{
	msg_put(msg, attr, &value, sizeof(value));
}

void msg_put_text(struct msg *msg, uint16_t attr, const char *text)
{
	msg_put(msg, attr, text, strlen(text) + 1);
}

/**
 * nl_send_as_is - send bytes that need not be a message
 * @nl: the socket
 * @data: the bytes
 * @len: how many
 *
 * Without an address it goes to the kernel, too, and who has opened the socket
 * counts, not only who sends.
 *
 * Return: 0 or a negative errno.
 */
int nl_send_as_is(struct nl *nl, const void *data, size_t len)
{
	if (send(nl->fd, data, len, 0) < 0)
		return -errno;
	return 0;
}

/**
 * nl_send - complete a request and send it
 * @nl: the socket
 * @msg: the request; gets its length and the next number
 *
 * Return: 0 or a negative errno.
 */
int nl_send(struct nl *nl, struct msg *msg)
{
	header(msg)->nlmsg_len = msg->len;
	header(msg)->nlmsg_seq = ++nl->seq;
	return nl_send_as_is(nl, msg->data, msg->len);
}

/* The attributes that follow an error, if the kernel has put any there. */
static void read_extended(const struct nlmsghdr *nlh, size_t at,
			  struct answer *answer)
{
	const char *attrs = (const char *)nlh + at;
	const char *text;
	size_t len;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || nlh->nlmsg_len <= at)
		return;
	len = nlh->nlmsg_len - at;
	text = attr_text(attrs, len, NLMSGERR_ATTR_MSG);
	if (text)
		snprintf(answer->text, sizeof(answer->text), "%s", text);
	answer->offset = attr_u32(attrs, len, NLMSGERR_ATTR_OFFS);
	answer->missing = attr_u32(attrs, len, NLMSGERR_ATTR_MISS_TYPE);
}

static void read_error(const struct nlmsghdr *nlh, struct answer *answer)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);
	size_t at = NLMSG_HDRLEN + sizeof(*error);

	answer->error = error->error;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		at += error->msg.nlmsg_len - NLMSG_HDRLEN;
	read_extended(nlh, at, answer);
}

static void read_done(const struct nlmsghdr *nlh, struct answer *answer)
{
	answer->error = *(int *)NLMSG_DATA(nlh);
	read_extended(nlh, NLMSG_HDRLEN + sizeof(int), answer);
}

static void read_reply(const struct nlmsghdr *nlh, nl_visit visit, void *data,
		       struct answer *answer)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	const char *attrs = (const char *)genl + GENL_HDRLEN;
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;

	if (!answer->count++ && len <= sizeof(answer->data)) {
		memcpy(answer->data, attrs, len);
		answer->len = len;
	}
	if (visit)
		visit(genl->cmd, attrs, len, data);
}

/* True when the message was the last that belongs to the request. */
static bool take_message(const struct nl *nl, const struct nlmsghdr *nlh,
			 nl_visit visit, void *data, struct answer *answer)
{
	if (nlh->nlmsg_seq != nl->seq || nlh->nlmsg_pid != nl->port)
		return false;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		read_error(nlh, answer);
		return true;
	case NLMSG_DONE:
		read_done(nlh, answer);
		return true;
	}
	read_reply(nlh, visit, data, answer);
	return false;
}

static ssize_t receive(const struct nl *nl, int timeout_ms, void *buffer)
{
	struct pollfd poller = { .fd = nl->fd, .events = POLLIN };
	ssize_t len;
	int ready = poll(&poller, 1, timeout_ms);

	if (ready <= 0)
		return ready ? -errno : -ETIMEDOUT;
	len = recv(nl->fd, buffer, RECEIVE_ROOM, 0);
	return len < 0 ? -errno : len;
}

static int collect(struct nl *nl, nl_visit visit, void *data,
		   struct answer *answer)
{
	_Alignas(8) char buffer[RECEIVE_ROOM];
	struct nlmsghdr *nlh;
	bool lost = false;
	ssize_t len;

	for (;;) {
		len = receive(nl, lost ? 0 : ANSWER_MS, buffer);
		/* Events of a socket that listens as well; answers stay. If the
		 * answer itself was lost, nothing more will come: the kernel has
		 * made it before the request's send() was over.
		 */
		if (len == -ENOBUFS) {
			lost = true;
			continue;
		}
		if (len == -ETIMEDOUT && lost)
			return -ENOBUFS;
		if (len < 0)
			return len;
		for (nlh = (void *)buffer; NLMSG_OK(nlh, len);
		     nlh = NLMSG_NEXT(nlh, len))
			if (take_message(nl, nlh, visit, data, answer))
				return 0;
	}
}

/**
 * nl_ask - send a request and wait for its answer
 * @nl: the socket; events that come in meanwhile are lost
 * @msg: the request; an acknowledgment is asked for
 * @answer: overwritten
 *
 * Return: the kernel's error or 0; answer->error says the same, and 1 when no
 * answer came.
 */
int nl_ask(struct nl *nl, struct msg *msg, struct answer *answer)
{
	header(msg)->nlmsg_flags |= NLM_F_ACK;
	return nl_dump(nl, msg, NULL, NULL, answer);
}

/**
 * nl_dump - send a request and take everything that comes of it
 * @nl: the socket; events that come in meanwhile are lost
 * @msg: the request, with its flags
 * @visit: called for each message, or NULL
 * @data: for @visit
 * @answer: overwritten
 *
 * Return: as nl_ask().
 */
int nl_dump(struct nl *nl, struct msg *msg, nl_visit visit, void *data,
	    struct answer *answer)
{
	int error;

	answer->error = 1;
	answer->text[0] = '\0';
	answer->offset = 0;
	answer->missing = 0;
	answer->count = 0;
	answer->len = 0;
	error = nl_send(nl, msg);
	if (!error)
		error = collect(nl, visit, data, answer);
	return error ? error : answer->error;
}

/**
 * nl_receive - wait for events and take what has come with the first
 * @nl: a socket that has joined a group
 * @timeout_ms: how long to wait, -1 for ever
 * @visit: called for each event
 * @data: for @visit
 *
 * Return: number of events, -ETIMEDOUT, -ENOBUFS when some were lost, or
 * another error.
 */
int nl_receive(struct nl *nl, int timeout_ms, nl_visit visit, void *data)
{
	_Alignas(8) char buffer[RECEIVE_ROOM];
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	ssize_t len = receive(nl, timeout_ms, buffer);
	int n = 0;

	if (len < 0)
		return len;
	for (nlh = (void *)buffer; NLMSG_OK(nlh, len);
	     nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		genl = NLMSG_DATA(nlh);
		visit(genl->cmd, (char *)genl + GENL_HDRLEN,
		      nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, data);
		n++;
	}
	return n;
}

/**
 * nl_drain - throw away what has come in
 * @nl: the socket
 *
 * Return: number of acknowledgments without an error among it.
 */
unsigned int nl_drain(struct nl *nl)
{
	_Alignas(8) char buffer[RECEIVE_ROOM];
	unsigned int accepted = 0;
	struct nlmsghdr *nlh;
	struct nlmsgerr *error;
	ssize_t len;

	for (;;) {
		len = recv(nl->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			continue;
		if (len <= 0)
			return accepted;
		for (nlh = (void *)buffer; NLMSG_OK(nlh, len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			error = NLMSG_DATA(nlh);
			if (nlh->nlmsg_type == NLMSG_ERROR && !error->error)
				accepted++;
		}
	}
}

/**
 * attr_find - find an attribute
 * @attrs: the attributes
 * @len: their bytes
 * @type: which; its flags are not looked at
 * @size: set to the bytes of its value
 *
 * Return: its value or NULL.
 */
const void *attr_find(const void *attrs, size_t len, int type, size_t *size)
{
	const struct nlattr *attr = attrs;

	while (len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN &&
	       attr->nla_len <= len) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type) {
			*size = attr->nla_len - NLA_HDRLEN;
			return (const char *)attr + NLA_HDRLEN;
		}
		if ((size_t)NLA_ALIGN(attr->nla_len) >= len)
			break;
		len -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)((const char *)attr +
				      NLA_ALIGN(attr->nla_len));
	}
	return NULL;
}

/**
 * attr_each - visit all attributes of a type that comes more than once
 * @attrs: the attributes
 * @len: their bytes
 * @type: which; each is a nest
 * @visit: called with what is in each
 */
void attr_each(const void *attrs, size_t len, int type,
	       void (*visit)(const void *attrs, size_t len))
{
	const char *end = (const char *)attrs + len;
	const char *value = attrs;
	size_t size = 0;

	while (value < end) {
		value = attr_find(value, end - value, type, &size);
		if (!value)
			return;
		visit(value, size);
		value += NLA_ALIGN(size);
	}
}

/* Numbers of any width; 0 when the attribute is not there. */
uint64_t attr_u64(const void *attrs, size_t len, int type)
{
	size_t size = 0;
	const void *value = attr_find(attrs, len, type, &size);
	uint64_t number = 0;

	if (value && size <= sizeof(number))
		memcpy(&number, value, size);
	return number;
}

uint32_t attr_u32(const void *attrs, size_t len, int type)
{
	return attr_u64(attrs, len, type);
}

/* NULL when it is not there or does not end with a zero. */
const char *attr_text(const void *attrs, size_t len, int type)
{
	size_t size = 0;
	const char *text = attr_find(attrs, len, type, &size);

	return text && size && !text[size - 1] ? text : NULL;
}

bool attr_there(const void *attrs, size_t len, int type)
{
	size_t size;

	return attr_find(attrs, len, type, &size);
}
