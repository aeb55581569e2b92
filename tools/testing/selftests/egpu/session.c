// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 253 /* the kernel's limit for one message */

/* How long egpud may take for an answer that it owes, in ms. */
#define PATIENCE 10000

/**
 * session_connect - a connection on which nothing has been said
 *
 * Return: the socket or a negative errno.
 */
int session_connect(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX,
				  .sun_path = SESSION_PATH };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int error;

	if (sock < 0)
		return -errno;
	if (!connect(sock, (struct sockaddr *)&at, sizeof(at)))
		return sock;
	error = -errno;
	close(sock);
	return error;
}

/**
 * session_open - a session, as a good program begins it
 *
 * Return: the socket or a negative errno, -EPERM when egpud wants none.
 */
int session_open(void)
{
	struct said_hello hello = { .version = 1, .name = "hostile" };
	int sock = session_connect();
	struct heard heard;

	if (sock < 0)
		return sock;
	if (!session_say(sock, HELLO, 1, &hello, sizeof(hello), NULL, 0) &&
	    session_hear(sock, &heard, PATIENCE) && heard.type == WELCOME)
		return sock;
	close(sock);
	return -EPERM;
}

/**
 * session_say - send anything
 * @sock: the connection
 * @type: of the message
 * @serial: its number
 * @payload: what follows
 * @len: its bytes
 * @fds: descriptors to pass
 * @n: how many
 *
 * Return: 0 or a negative errno; -EAGAIN when egpud does not read.
 */
int session_say(int sock, uint32_t type, uint32_t serial, const void *payload,
		size_t len, const int *fds, size_t n)
{
	static char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	uint32_t head[2] = { type, serial };
	struct iovec vec[2] = { { head, sizeof(head) },
				{ (void *)payload, len } };
	struct msghdr msg = { .msg_iov = vec, .msg_iovlen = 2 };
	struct cmsghdr *cmsg;

	if (n) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		memset(control, 0, msg.msg_controllen);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/**
 * session_hear - the next thing that egpud says
 * @sock: the connection
 * @heard: filled; .type 0 when the connection is closed
 * @ms: how long it may take
 *
 * Return: false when nothing came in time. Descriptors that come are lost.
 */
bool session_hear(int sock, struct heard *heard, int ms)
{
	struct pollfd poll_fd = { .fd = sock, .events = POLLIN };
	struct {
		uint32_t type;
		uint32_t serial;
		struct said_result result;
		char more[256];
	} message = {};
	ssize_t n;

	memset(heard, 0, sizeof(*heard));
	if (poll(&poll_fd, 1, ms) <= 0)
		return false;
	n = recv(sock, &message, sizeof(message), 0);
	if (n < 8)
		return true;
	heard->type = message.type;
	heard->serial = message.serial;
	if (heard->type != REPLY && heard->type != ERROR && heard->type != FAILED)
		return true;
	heard->error = message.result.error;
	memcpy(heard->text, message.result.text, SESSION_TEXT - 1);
	return true;
}

/**
 * session_ends - does egpud close the connection
 * @sock: the connection
 * @ms: how long it may take
 * @last: filled with the last thing that it said
 *
 * Return: false when it goes on or says nothing.
 */
bool session_ends(int sock, int ms, struct heard *last)
{
	struct heard heard;

	memset(last, 0, sizeof(*last));
	while (session_hear(sock, &heard, ms)) {
		if (!heard.type)
			return true;
		*last = heard;
	}
	return false;
}

/**
 * session_memory - a memfd
 * @size: in bytes; nothing of it is written
 * @seals: F_SEAL_*
 *
 * Return: the descriptor or -1.
 */
int session_memory(uint64_t size, unsigned int seals)
{
	int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, seals))
		return -1;
	return fd;
}

/**
 * session_size - how much follows the head of a message
 * @type: of the message
 *
 * Return: bytes; 0 also for what a program never sends.
 */
uint32_t session_size(uint32_t type)
{
	static const uint32_t size[] = {
		[HELLO] = sizeof(struct said_hello),
		[ADD] = sizeof(struct said_buffer),
		[REMOVE] = sizeof(struct said_ref),
		[DIRTY] = sizeof(struct said_ref),
		[SAFE] = sizeof(struct said_safe),
		[UNABLE] = sizeof(struct said_result),
		[CONFIRM] = sizeof(struct said_result),
	};

	return type < sizeof(size) / sizeof(size[0]) ? size[type] : 0;
}
