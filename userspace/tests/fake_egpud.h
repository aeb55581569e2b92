/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An egpud that says what a test wants it to say: a script in a thread of its
 * own at a socket of its own.
 */
#ifndef TESTS_FAKE_EGPUD_H
#define TESTS_FAKE_EGPUD_H

#include <pthread.h>

#include "../common/wire.h"

/**
 * struct fake - a running script
 * @dir: where its socket is
 * @path: of its socket
 * @listener: that socket
 * @sock: the connection, or -1
 * @thread: runs @script
 * @script: what it says
 * @message: the last that was expected
 * @fd: its descriptor, closed with the next one, or -1
 * @failure: what went wrong, empty if nothing
 */
struct fake {
	char dir[32];
	char path[48];
	int listener;
	int sock;
	pthread_t thread;
	void (*script)(struct fake *fake);
	struct wire_message message;
	int fd;
	char failure[200];
};

void fake_start(struct fake *fake, void (*script)(struct fake *fake));
void fake_finish(struct fake *fake);

/* For scripts; what goes wrong ends the script and is told by fake_finish(). */
void fake_accept(struct fake *fake);
void fake_greet(struct fake *fake);
void fake_expect(struct fake *fake, uint32_t type);
void fake_expect_end(struct fake *fake);
void fake_send(struct fake *fake, const struct wire_message *message, int fd);
void fake_say(struct fake *fake, uint32_t type, uint32_t serial);
void fake_reply(struct fake *fake, int error, const char *text);
void fake_raw(struct fake *fake, const void *data, size_t len);
void fake_hang_up(struct fake *fake);
void fake_check(struct fake *fake, bool condition, const char *what);

#endif
