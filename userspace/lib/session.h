/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of a session share. One section per .c file.
 */
#ifndef EGPU_SESSION_PRIVATE_H
#define EGPU_SESSION_PRIVATE_H

#include "../common/wire.h"
#include "egpu-session.h"

/* An answer that takes longer than this does not come. */
#define SESSION_ANSWER_MS 5000

/*
 * For so long a program stands still without a word from egpud. Far more than a
 * move may take; who hangs longer is left, and the program goes on.
 */
#define SESSION_PATIENCE_MS 120000

/* Between two attempts to find egpud again; doubled after each refusal. */
#define SESSION_RETRY_MS     1000
#define SESSION_RETRY_MAX_MS 32000

/* Buffers that are added at once when egpud is back. */
#define SESSION_WINDOW 16

/* ------------------------------------------------------------- session.c */

/**
 * enum session_membership - does egpud know a buffer
 * @BUFFER_NEW: not yet
 * @BUFFER_ASKED: it was sent, the answer is not there
 * @BUFFER_IN: it does
 * @BUFFER_REFUSED: it does not want it
 */
enum session_membership {
	BUFFER_NEW,
	BUFFER_ASKED,
	BUFFER_IN,
	BUFFER_REFUSED,
};

/**
 * struct session_buffer - a buffer of the program
 * @wire: what it is
 * @fd: the library's own descriptor, so that it can be added again
 * @membership: does egpud know it
 * @serial: of the ADD
 * @dirty: written since the last SAFE
 * @told: egpud has been told so
 */
struct session_buffer {
	struct wire_buffer wire;
	int fd;
	enum session_membership membership;
	uint32_t serial;
	bool dirty;
	bool told;
};

/**
 * struct session_buffers - some of them
 * @n: entries of @buffer
 * @buffer: in the order in which they were added
 */
struct session_buffers {
	size_t n;
	struct session_buffer *buffer;
};

/**
 * enum session_link - how far the connection is
 * @LINK_NONE: there is none
 * @LINK_GREETING: HELLO was sent
 * @LINK_OPEN: WELCOME came
 */
enum session_link {
	LINK_NONE,
	LINK_GREETING,
	LINK_OPEN,
};

/**
 * struct session_offer - a move that is being told
 * @running: MOVE_BEGIN came, MOVE_END not
 * @move: what MOVE_BEGIN said
 * @buffers: what came until now; .n of them, there is room for .n_buffers
 */
struct session_offer {
	bool running;
	struct wire_move move;
	struct session_buffers buffers;
};

/**
 * struct session_late - a message that came while an answer was awaited
 * @next: the one after it
 * @message: what it is
 * @fd: its descriptor or -1
 */
struct session_late {
	struct session_late *next;
	struct wire_message message;
	int fd;
};

/**
 * struct egpu_session - see egpu-session.h
 * @path: of egpud's socket
 * @name: of the work
 * @ops: the program's
 * @arg: passed to @ops
 * @link: how far the connection is
 * @sock: its socket, -1 without one
 * @serial: of the last request
 * @welcome: egpud's limits
 * @retry_at: when to look for egpud again, CLOCK_MONOTONIC in ms
 * @retry_ms: how long to wait after the next failure
 * @patience_ms: SESSION_PATIENCE_MS, less in tests
 * @inside: a callback is running
 * @wanted: a safe point is wanted
 * @reach_serial: of that REACH
 * @standing: SAFE was sent and the program stands still
 * @lost: the device has gone, and what becomes of it has not been said
 * @failed: FAILED came in the call of the program's that is running
 * @moved: a move was taken since then
 * @reply_serial: of the REMOVE whose answer is awaited
 * @reply: that answer, -EINPROGRESS until it is there
 * @refusal: the answer to the last ADD that was refused
 * @buffers: the program's
 * @offer: a move that is being told
 * @late: messages to be looked at before the socket, oldest first
 * @error: text of the last error
 */
struct egpu_session {
	char *path;
	char name[WIRE_NAME];
	struct egpu_session_ops ops;
	void *arg;
	enum session_link link;
	int sock;
	uint32_t serial;
	struct wire_welcome welcome;
	uint64_t retry_at;
	uint32_t retry_ms;
	int patience_ms;
	bool inside;
	bool wanted;
	uint32_t reach_serial;
	bool standing;
	bool lost;
	bool failed;
	bool moved;
	uint32_t reply_serial;
	int reply;
	int refusal;
	struct session_buffers buffers;
	struct session_offer offer;
	struct session_late *late;
	char error[256];
};

int session_fail(struct egpu_session *session, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct session_buffer *session_find(struct session_buffers *buffers,
				    uint32_t id);
void session_buffers_free(struct session_buffers *buffers);

/* ------------------------------------------------------------- session_link.c */

int session_connect(struct egpu_session *session);
int session_reconnect(struct egpu_session *session);
int session_drop(struct egpu_session *session, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int session_send(struct egpu_session *session,
		 const struct wire_message *message, int fd);
int session_try_send(struct egpu_session *session,
		     const struct wire_message *message, int fd);
int session_receive(struct egpu_session *session, struct wire_message *message,
		    int *fd, int timeout_ms);

/* ------------------------------------------------------------- session_handle.c */

int session_handle(struct egpu_session *session,
		   const struct wire_message *message, int fd);
int session_pump(struct egpu_session *session, int timeout_ms);
int session_await(struct egpu_session *session);
int session_add_pending(struct egpu_session *session);
int session_tell_dirty(struct egpu_session *session);
bool session_whole(const struct egpu_session *session);

/* ------------------------------------------------------------- session_move.c */

int session_move_begin(struct egpu_session *session,
		       const struct wire_move *move);
int session_move_buffer(struct egpu_session *session,
			const struct wire_buffer *buffer, int fd);
int session_move_end(struct egpu_session *session, uint32_t serial, int fd);
void session_offer_clear(struct egpu_session *session);

#endif
