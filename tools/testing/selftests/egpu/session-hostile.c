// SPDX-License-Identifier: GPL-2.0
/*
 * A program that egpud has to bear: everything that a session may say, said wrong.
 *
 *   session-hostile           all of it, as KTAP
 *   session-hostile mute N    N sessions with a buffer each that never answer, until
 *                             it is killed
 *
 * Run as another user as well: it needs no right but that to connect. After each
 * test egpud must still take a session and a buffer of somebody else's.
 */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"

/* How long an end that must come may take, also on a slow machine. */
#define SOON 20000

#define PAGE	 4096
#define SESSIONS 300 /* more than egpud takes of anybody */
#define BUFFERS	 1024
#define FLOOD	 20000

#define XRGB 0x34325258

static struct said_buffer good(uint32_t id)
{
	struct said_buffer buffer = { .id = id, .kind = MEMORY, .size = PAGE };

	snprintf(buffer.name, sizeof(buffer.name), "buffer %u", id);
	return buffer;
}

/* Also the sign of life of egpud: others are served meanwhile. */
static void alive(const char *after)
{
	struct said_buffer buffer = good(1);
	int fd = session_memory(PAGE, F_SEAL_SHRINK);
	int sock = -1, tries = 0;
	struct heard heard = {};

	/* What was closed a moment ago may still count. */
	while (sock < 0 && tries++ < 100) {
		sock = session_open();
		if (sock < 0)
			usleep(50000);
	}
	check(sock >= 0, "after %s egpud takes no session", after);
	if (sock >= 0) {
		session_say(sock, ADD, 7, &buffer, sizeof(buffer), &fd, 1);
		session_hear(sock, &heard, SOON);
		check(heard.type == REPLY && !heard.error && heard.serial == 7,
		      "after %s a good buffer is answered with %u, %d %s",
		      after, heard.type, heard.error, heard.text);
		close(sock);
	}
	close(fd);
}

/* A session that says something ends, with an error in words or without one. */
static void ends(const char *what, int sock)
{
	struct heard last;
	bool ended = session_ends(sock, SOON, &last);

	if (!check(ended, "%s: the session goes on, last heard: %u %d %s", what,
		   last.type, last.error, last.text))
		return;
	check(last.type != WELCOME && (last.type != REPLY || last.error),
	      "%s: taken for good", what);
	if (last.type == ERROR)
		check(last.error && last.text[0],
		      "%s: an error without a number or a word", what);
}

static int need_session(void)
{
	int sock = session_open();

	if (sock < 0)
		bail_out("egpud takes no session: %s", strerror(-sock));
	return sock;
}

/* --- messages -----------------------------------------------------------------*/

static void wrong_sizes(void)
{
	static const char zeros[70000];
	static const int off[] = { -1, 1, -4, 8, 4096, 60000 };
	uint32_t type;
	size_t i;
	int sock;

	test_begin("messages that are too short or too long");
	for (type = HELLO; type <= CONFIRM; type++)
		for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
			sock = type == HELLO ? session_connect() :
					       need_session();
			session_say(sock, type, 2, zeros,
				    session_size(type) + off[i], NULL, 0);
			ends("a wrong size", sock);
			close(sock);
		}
	sock = need_session();
	send(sock, "abc", 3, MSG_NOSIGNAL);
	ends("three bytes", sock);
	close(sock);
	alive("wrong sizes");
	test_end();
}

static void wrong_types(void)
{
	static const uint32_t types[] = { 0,	 8,	63,	    WELCOME,
					  REPLY, REACH, MOVE_BEGIN, MOVE_BUFFER,
					  ERROR, 255,	UINT32_MAX };
	static const char zeros[256];
	size_t i;
	int sock;

	test_begin("messages that there are not, or that are egpud's own");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		sock = need_session();
		session_say(sock, types[i], 2, zeros, sizeof(zeros), NULL, 0);
		ends("a type that nobody sends", sock);
		close(sock);
		sock = need_session();
		session_say(sock, types[i], 2, NULL, 0, NULL, 0);
		ends("a type that nobody sends, alone", sock);
		close(sock);
	}
	alive("wrong types");
	test_end();
}

static void wrong_order(void)
{
	struct said_hello hello = { .version = 1, .name = "hostile" };
	static const char zeros[256];
	uint32_t type;
	int sock;

	test_begin("messages before their time");
	for (type = ADD; type <= CONFIRM; type++) {
		sock = session_connect();
		session_say(sock, type, 2, zeros, session_size(type), NULL, 0);
		ends("something before hello", sock);
		close(sock);
	}
	sock = need_session();
	session_say(sock, HELLO, 2, &hello, sizeof(hello), NULL, 0);
	ends("a second hello", sock);
	close(sock);
	hello.version = 77;
	sock = session_connect();
	session_say(sock, HELLO, 2, &hello, sizeof(hello), NULL, 0);
	ends("a version that there is not", sock);
	close(sock);
	alive("messages before their time");
	test_end();
}

/* Not wanted at the moment, so of no effect; whether egpud ends it is its affair. */
static void unasked(void)
{
	struct said_safe safe = { .step = UINT64_MAX };
	struct said_result result = { .text = "no reason" };
	struct heard last;
	int sock;

	test_begin("answers that nobody has asked for");
	sock = need_session();
	session_say(sock, CONFIRM, 99, &result, sizeof(result), NULL, 0);
	session_ends(sock, 500, &last);
	close(sock);
	sock = need_session();
	session_say(sock, UNABLE, 99, &result, sizeof(result), NULL, 0);
	session_ends(sock, 500, &last);
	close(sock);
	sock = need_session();
	session_say(sock, SAFE, 99, &safe, sizeof(safe), NULL, 0);
	session_ends(sock, 500, &last);
	close(sock);
	alive("unasked answers");
	test_end();
}

/* --- buffers ------------------------------------------------------------------*/

/* Refused, in words; the session may go on or not. */
static void refused(const char *what, int sock,
		    const struct said_buffer *buffer, const int *fds, size_t n)
{
	struct heard heard;
	bool answered;

	session_say(sock, ADD, 5, buffer, sizeof(*buffer), fds, n);
	answered = session_hear(sock, &heard, SOON);
	check(answered, "%s: no answer", what);
	check(!heard.type || heard.error, "%s is taken", what);
	check(!heard.type || heard.text[0], "%s: refused without a word", what);
	if (heard.type && heard.text[0])
		note("%s: %s", what, heard.text);
}

struct odd_fd {
	const char *what;
	int fd;
};

static int open_as(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC);
}

static void other_fds(void)
{
	int pair[2] = { -1, -1 }, ends_of[2] = { -1, -1 };
	struct said_buffer buffer;
	uint32_t kind;
	size_t i;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	if (pipe2(ends_of, O_CLOEXEC))
		bail_out("no pipe");
	const struct odd_fd odd[] = {
		{ "/dev/null", open_as("/dev/null", O_RDWR) },
		{ "/dev/zero", open_as("/dev/zero", O_RDWR) },
		{ "a folder", open_as("/", O_RDONLY | O_DIRECTORY) },
		{ "a path", open_as("/", O_PATH) },
		{ "a file", open_as("/proc/self/exe", O_RDONLY) },
		{ "a file of proc", open_as("/proc/self/maps", O_RDONLY) },
		{ "its memory", open_as("/proc/self/mem", O_RDWR) },
		{ "a pipe", ends_of[0] },
		{ "a socket", pair[0] },
		{ "a counter", eventfd(0, EFD_CLOEXEC) },
		{ "a timer", timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) },
		{ "a set of files", epoll_create1(EPOLL_CLOEXEC) },
		{ "memory that can shrink", session_memory(PAGE, 0) },
		{ "memory that is too small",
		  session_memory(PAGE / 2, F_SEAL_SHRINK) },
		{ "empty memory", session_memory(0, F_SEAL_SHRINK) },
	};

	test_begin("descriptors of other things");
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (kind = DMABUF; kind <= MEMORY && odd[i].fd >= 0; kind++) {
			int sock = need_session();

			buffer = good(1);
			buffer.kind = kind;
			buffer.handle = kind == HANDLE;
			refused(odd[i].what, sock, &buffer, &odd[i].fd, 1);
			close(sock);
		}
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		close(odd[i].fd);
	close(pair[1]);
	close(ends_of[1]);
	alive("other descriptors");
	test_end();
}

static void many_fds(void)
{
	struct said_ref ref = { .id = 1 };
	struct said_buffer buffer = good(1);
	int fds[250], sock;
	size_t i;

	test_begin("too many descriptors, or where none belongs");
	for (i = 0; i < 250; i++)
		fds[i] = session_memory(PAGE, F_SEAL_SHRINK);
	for (i = 0; i < 20; i++) {
		sock = need_session();
		session_say(sock, DIRTY, 5, &ref, sizeof(ref), fds, i + 1);
		ends("descriptors with a message that has none", sock);
		close(sock);
	}
	for (i = 2; i <= 250; i = i * 5) {
		sock = need_session();
		session_say(sock, ADD, 5, &buffer, sizeof(buffer), fds, i);
		ends("several descriptors for a buffer", sock);
		close(sock);
	}
	sock = need_session();
	refused("a buffer without a descriptor", sock, &buffer, NULL, 0);
	close(sock);
	for (i = 0; i < 250; i++)
		close(fds[i]);
	alive("many descriptors");
	test_end();
}

static void bad_buffers(void)
{
	int fd = session_memory(16 * PAGE, F_SEAL_SHRINK);
	struct said_buffer bad[11];
	size_t i, n = 0;
	int sock;

	test_begin("buffers that cannot be");
	for (i = 0; i < 11; i++)
		bad[i] = good(i + 1);
	bad[n++].id = 0;
	bad[n++].size = 0;
	bad[n++].size = UINT64_MAX;
	bad[n++].size = 17 * PAGE;
	bad[n++].kind = 0;
	bad[n++].kind = 77;
	bad[n++].flags = ~0u;
	memset(bad[n++].name, 'x', sizeof(bad[0].name));
	/* Larger than it is. */
	bad[n].format = XRGB;
	bad[n].width = 64;
	bad[n].height = 4096;
	bad[n++].stride = 256;
	/* A product that does not fit. */
	bad[n].format = XRGB;
	bad[n].width = 0x40000001;
	bad[n].height = UINT32_MAX;
	bad[n++].stride = UINT32_MAX;
	bad[n].format = 0;
	bad[n].width = 7;
	bad[n++].stride = 7;
	for (i = 0; i < n; i++) {
		char what[32];

		snprintf(what, sizeof(what), "bad buffer %zu", i + 1);
		sock = need_session();
		refused(what, sock, &bad[i], &fd, 1);
		close(sock);
	}
	close(fd);
	alive("bad buffers");
	test_end();
}

static void names_of_others(void)
{
	int fd = session_memory(PAGE, F_SEAL_SHRINK);
	struct said_buffer buffer = good(1);
	struct said_ref ref = { .id = 1 };
	int mine, other;
	struct heard heard;
	bool answered;

	test_begin("a buffer is its session's own, and there once");
	mine = need_session();
	other = need_session();
	session_say(mine, ADD, 2, &buffer, sizeof(buffer), &fd, 1);
	answered = session_hear(mine, &heard, SOON);
	check(answered && !heard.error, "a good buffer is refused: %s",
	      heard.text);
	refused("the same number again", mine, &buffer, &fd, 1);
	/* Another one's number is one that there is not. */
	session_say(other, REMOVE, 3, &ref, sizeof(ref), NULL, 0);
	answered = session_hear(other, &heard, SOON);
	check(answered && (!heard.type || heard.error),
	      "another session's buffer is known");
	close(mine);
	close(other);
	close(fd);
	alive("other names");
	test_end();
}

/* --- too much -----------------------------------------------------------------*/

static void too_many_buffers(void)
{
	int fd = session_memory(PAGE, F_SEAL_SHRINK);
	int sock = need_session();
	struct said_buffer buffer;
	struct heard heard = {};
	unsigned int i, taken = 0;

	test_begin("more buffers than a session may have");
	for (i = 1; i <= BUFFERS + 50; i++) {
		buffer = good(i);
		session_say(sock, ADD, i, &buffer, sizeof(buffer), &fd, 1);
		if (!session_hear(sock, &heard, SOON) || !heard.type)
			break;
		taken += !heard.error;
	}
	check(taken > 0 && taken <= BUFFERS, "%u buffers are taken", taken);
	note("%u buffers, then: %s", taken, heard.text);
	close(sock);
	close(fd);
	alive("many buffers");
	test_end();
}

/* Pages of it come into being when they are written, not when they are looked at. */
static void vast_buffer(void)
{
	int fd = session_memory(UINT64_C(1) << 36, F_SEAL_SHRINK);
	int sock = need_session();
	struct said_buffer buffer = good(1);
	struct said_safe safe = {};
	struct heard heard;
	bool answered;
	int i;

	test_begin("a buffer of 64 GiB that has no memory");
	buffer.size = UINT64_C(1) << 36;
	session_say(sock, ADD, 2, &buffer, sizeof(buffer), &fd, 1);
	answered = session_hear(sock, &heard, SOON);
	check(answered, "no answer");
	note("answer %u, %d %s", heard.type, heard.error, heard.text);
	/* If it is wanted, let it be read. */
	for (i = 0; i < 20 && session_hear(sock, &heard, 200); i++)
		if (heard.type == REACH)
			session_say(sock, SAFE, heard.serial, &safe,
				    sizeof(safe), NULL, 0);
	alive("a vast buffer");
	close(sock);
	close(fd);
	test_end();
}

static void too_many_sessions(void)
{
	static int socks[SESSIONS];
	unsigned int i, taken = 0;

	test_begin("more sessions than a user may have");
	for (i = 0; i < SESSIONS; i++) {
		socks[i] = session_open();
		taken += socks[i] >= 0;
		if (socks[i] < 0 && i > taken + 20)
			break;
	}
	check(taken > 0 && taken < SESSIONS, "%u sessions are taken", taken);
	note("%u sessions", taken);
	while (i-- > 0)
		if (socks[i] >= 0)
			close(socks[i]);
	alive("many sessions");
	test_end();
}

static void many_connections(void)
{
	static int socks[SESSIONS];
	unsigned int i, n = 0;
	struct heard last;

	test_begin("connections that say nothing are closed after a while");
	for (i = 0; i < SESSIONS; i++) {
		socks[i] = session_connect();
		n += socks[i] >= 0;
	}
	note("%u connections", n);
	for (i = 0; i < SESSIONS; i++) {
		if (socks[i] < 0)
			continue;
		check(session_ends(socks[i], 3 * SOON, &last),
		      "connection %u may say nothing", i);
		close(socks[i]);
	}
	alive("connections");
	test_end();
}

static void floods(void)
{
	struct said_ref ref = { .id = 7 };
	struct timespec pause = { .tv_nsec = 1000000 };
	unsigned int i, sent = 0, full = 0;
	int sock;

	test_begin("floods of messages whose answers nobody reads");
	sock = need_session();
	for (i = 0; i < FLOOD && full < 100; i++) {
		int error = session_say(sock, i % 3 ? REMOVE : DIRTY, i, &ref,
					sizeof(ref), NULL, 0);

		if (!error)
			sent++;
		else if (error == -EAGAIN && ++full)
			nanosleep(&pause, NULL);
		else
			break;
	}
	note("%u of %u messages sent, %u times full", sent, FLOOD, full);
	alive("a flood that nobody reads");
	close(sock);
	test_end();
}

/* Sockets with descriptors in flight, dropped before they are read. */
static void drops(void)
{
	int fd = session_memory(PAGE, F_SEAL_SHRINK);
	struct said_buffer buffer = good(1);
	int i, sock;

	test_begin("sessions that are dropped in the middle");
	for (i = 0; i < 200; i++) {
		sock = session_connect();
		if (sock < 0)
			continue;
		if (i % 2) {
			struct said_hello hello = { .version = 1 };

			session_say(sock, HELLO, 1, &hello, sizeof(hello), NULL,
				    0);
			session_say(sock, ADD, 2, &buffer, sizeof(buffer), &fd,
				    1);
		}
		close(sock);
	}
	close(fd);
	alive("drops");
	test_end();
}

/* --- never answering ----------------------------------------------------------*/

static int mute(unsigned int n)
{
	struct said_buffer buffer = good(1);
	unsigned int i, taken = 0;
	int fd, sock;

	for (i = 0; i < n; i++) {
		sock = session_open();
		fd = session_memory(PAGE, F_SEAL_SHRINK);
		if (sock >= 0)
			taken += !session_say(sock, ADD, 2, &buffer,
					      sizeof(buffer), &fd, 1);
	}
	printf("mute %u\n", taken);
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "mute"))
		return mute(atoi(argv[2]));
	if (argc != 1) {
		fprintf(stderr, "usage: session-hostile [mute N]\n");
		return 2;
	}
	wrong_sizes();
	wrong_types();
	wrong_order();
	unasked();
	other_fds();
	many_fds();
	bad_buffers();
	names_of_others();
	too_many_buffers();
	vast_buffer();
	too_many_sessions();
	floods();
	drops();
	many_connections();
	return ktap_finish();
}
