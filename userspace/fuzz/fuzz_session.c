// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: a program's session with an egpud that says anything.
 *
 * An input is a row of packets: a byte with the length, a byte with how many
 * descriptors come along, the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_reach(struct egpu_session *session, uint64_t deadline,
		     bool for_move, void *arg)
{
	(void)arg;
	(void)deadline;
	if (for_move)
		egpu_session_unable(session, "busy");
}

static int on_move(struct egpu_session *session,
		   const struct egpu_session_move *move, void *arg)
{
	size_t i;

	(void)session;
	(void)arg;
	if (move->step & 1)
		return -1;
	for (i = 0; i < move->n; i++)
		close(move->fd[i]);
	return 0;
}

static const struct egpu_session_ops ops = {
	.reach = on_reach,
	.move = on_move,
};

static void put_packet(int sock, const uint8_t *data, size_t len,
		       unsigned int n_fds, int fd)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[3] = { fd, fd, fd };
	struct cmsghdr *header;

	if (n_fds) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
	}
	(void)!sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The path leads nowhere: what has ended stays so. */
static struct egpu_session *session_on(int sock)
{
	struct egpu_session_buffer buffer = { .id = 7, .size = 4096 };
	struct egpu_session *session;
	int fd;

	if (egpu_session_open_at(&session, "/nowhere/client", "fuzz", &ops, NULL))
		abort();
	fd = egpu_session_memory(4096, "fuzz");
	egpu_session_add_memory(session, &buffer, fd);
	close(fd);
	session->sock = sock;
	session->link = LINK_GREETING;
	return session;
}

static void speak(struct egpu_session *session, int other, int memory,
		  const uint8_t *data, size_t size)
{
	size_t len;

	while (size > 2) {
		len = data[0] < size - 2 ? data[0] : size - 2;
		put_packet(other, data + 2, len, data[1] & 3, memory);
		/* As it would be between SAFE and GO_ON, without waiting. */
		if (data[1] & 4 && session->link == LINK_OPEN)
			session->standing = true;
		data += 2 + len;
		size -= 2 + len;
		if (session->link == LINK_NONE ||
		    egpu_session_process(session, 0) == -ENOTCONN)
			return;
		egpu_session_dirty(session, 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct egpu_session *session;
	static int memory = -1;
	int fd[2];

	if (memory < 0)
		memory = egpu_session_memory(4096, "given");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd))
		abort();
	session = session_on(fd[0]);
	speak(session, fd[1], memory, data, size);
	egpu_session_close(session);
	close(fd[1]);
	/* Whatever is left open would soon take the low numbers. */
	fd[0] = fcntl(memory, F_DUPFD_CLOEXEC, 0);
	if (fd[0] > 64)
		abort();
	close(fd[0]);
	return 0;
}
