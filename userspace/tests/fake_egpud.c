// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An egpud that says what a test wants it to say.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_egpud.h"
#include "test.h"
#include "wire_samples.h"

/* What does not come within this time does not come. */
#define PATIENCE_MS 20000

static void drop_fd(struct fake *fake)
{
	if (fake->fd >= 0)
		close(fake->fd);
	fake->fd = -1;
}

void fake_hang_up(struct fake *fake)
{
	drop_fd(fake);
	if (fake->sock >= 0)
		close(fake->sock);
	fake->sock = -1;
}

void fake_check(struct fake *fake, bool condition, const char *what)
{
	if (condition)
		return;
	snprintf(fake->failure, sizeof(fake->failure), "%s", what);
	fake_hang_up(fake);
	pthread_exit(NULL);
}

static void wait_for(struct fake *fake, int fd, const char *what)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	fake_check(fake, poll(&pfd, 1, PATIENCE_MS) == 1, what);
}

void fake_accept(struct fake *fake)
{
	fake_hang_up(fake);
	wait_for(fake, fake->listener, "nobody connects");
	fake->sock = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
	fake_check(fake, fake->sock >= 0, "accept has failed");
}

void fake_expect(struct fake *fake, uint32_t type)
{
	const char *why;
	char what[120];
	int err;

	drop_fd(fake);
	snprintf(what, sizeof(what), "%s did not come", wire_type_name(type));
	wait_for(fake, fake->sock, what);
	err = wire_receive(fake->sock, WIRE_PROGRAM, &fake->message, &fake->fd,
			   &why);
	snprintf(what, sizeof(what), "%s and not %s: %s",
		 err ? strerror(-err) : wire_type_name(fake->message.type),
		 wire_type_name(type), why ? why : "");
	fake_check(fake, !err && fake->message.type == type, what);
}

void fake_expect_end(struct fake *fake)
{
	struct wire_message message;
	const char *why;
	int fd, err;

	wait_for(fake, fake->sock, "the program does not hang up");
	err = wire_receive(fake->sock, WIRE_PROGRAM, &message, &fd, &why);
	fake_check(fake, err == -ENOTCONN, "something came and not the end");
}

void fake_send(struct fake *fake, const struct wire_message *message, int fd)
{
	fake_check(fake, !wire_send(fake->sock, message, fd),
		   "the fake cannot send");
}

/* A message of a type alone, or the sample of that type. */
void fake_say(struct fake *fake, uint32_t type, uint32_t serial)
{
	struct wire_message message;

	wire_sample(&message, type);
	message.serial = serial;
	fake_send(fake, &message, -1);
}

void fake_reply(struct fake *fake, int error, const char *text)
{
	struct wire_message message = { .type = WIRE_REPLY };

	message.serial = fake->message.serial;
	message.result.error = error;
	strcpy(message.result.text, text);
	fake_send(fake, &message, -1);
}

void fake_raw(struct fake *fake, const void *data, size_t len)
{
	fake_check(fake,
		   send(fake->sock, data, len, MSG_NOSIGNAL) == (ssize_t)len,
		   "the fake cannot send");
}

void fake_greet(struct fake *fake)
{
	fake_accept(fake);
	fake_expect(fake, WIRE_HELLO);
	fake_say(fake, WIRE_WELCOME, fake->message.serial);
}

static void *run(void *arg)
{
	struct fake *fake = arg;

	fake->script(fake);
	fake_hang_up(fake);
	return NULL;
}

void fake_start(struct fake *fake, void (*script)(struct fake *fake))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(fake, 0, sizeof(*fake));
	fake->sock = -1;
	fake->fd = -1;
	fake->script = script;
	strcpy(fake->dir, "/tmp/egpu-fake-XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	snprintf(fake->path, sizeof(fake->path), "%s/client", fake->dir);
	strcpy(address.sun_path, fake->path);
	fake->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	assert_int_equal(listen(fake->listener, 8), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, run, fake), 0);
}

void fake_finish(struct fake *fake)
{
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	unlink(fake->path);
	rmdir(fake->dir);
	if (fake->failure[0])
		fail_msg("egpud: %s", fake->failure);
}
