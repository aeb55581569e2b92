// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The real netlink socket behind struct egpu_link.
 *
 * Plain system calls and not libnl's socket: libnl keeps ENOBUFS, truncation
 * and the kernel's extended acknowledgements from its users, and these are what
 * a monitor that heals itself and an error that explains itself are made of.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"

static void netlink_close(struct egpu_link *link)
{
	close(link->fd);
	free(link);
}

static int netlink_send(struct egpu_link *link, const void *buf, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	do {
		sent = sendto(link->fd, buf, len, 0, (struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Waits for anything to read, errors included; -EAGAIN when time is up. */
static int netlink_wait(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ready;

	do {
		ready = poll(&pfd, 1, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	return ready ? 0 : -EAGAIN;
}

static ssize_t netlink_recv(struct egpu_link *link, void *buf, size_t size,
			    int timeout_ms)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t len;
	int err;

	do {
		/* Mostly it is there already, so look before waiting. */
		len = recvmsg(link->fd, &msg, MSG_DONTWAIT);
		if (len < 0 && errno == EAGAIN && timeout_ms) {
			err = netlink_wait(link->fd, timeout_ms);
			if (err)
				return err;
			continue;
		}
		if (len < 0 && errno != EINTR)
			return -errno;
		/* A process may send to our port as well; only the kernel is 0. */
	} while (len < 0 || from.nl_pid != 0);
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : len;
}

static int netlink_join(struct egpu_link *link, uint32_t group)
{
	if (setsockopt(link->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)))
		return -errno;
	return 0;
}

static const struct egpu_link_ops netlink_ops = {
	.close = netlink_close,
	.send = netlink_send,
	.recv = netlink_recv,
	.join = netlink_join,
};

static void netlink_set_options(int fd)
{
	const int on = 1;

	/*
	 * Each makes things better and none is needed, so errors are ignored.
	 * The receive buffer stays as the system has it: a subscriber that does
	 * not read should cost the kernel no more than that, and one that does
	 * is healed when it was too small.
	 */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
			 sizeof(on));
}

static int netlink_open(const struct egpu_transport *transport,
			struct egpu_link **link)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	struct egpu_link *made;
	int err;

	(void)transport;
	made = malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->ops = &netlink_ops;
	made->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (made->fd < 0) {
		err = -errno;
		free(made);
		return err;
	}
	netlink_set_options(made->fd);
	if (bind(made->fd, (struct sockaddr *)&self, sizeof(self))) {
		err = -errno;
		netlink_close(made);
		return err;
	}
	*link = made;
	return 0;
}

const struct egpu_transport egpu_netlink_transport = { .open = netlink_open };
