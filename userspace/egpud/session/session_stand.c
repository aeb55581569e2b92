// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Safe points: a program is asked to come to one, stands still there, and is
 * told to go on.
 */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

void session_forget_state(struct session *session)
{
	if (session->state >= 0)
		close(session->state);
	session->state = -1;
	session->state_size = 0;
}

/**
 * session_ask() - ask a program to come to a safe point
 * @session: whom
 * @reason: WIRE_FOR_CHECKPOINT or WIRE_FOR_MOVE
 * @deadline: by when, CLOCK_BOOTTIME in ns
 *
 * Who was asked already is not asked twice.
 *
 * Return: 0 or a negative errno.
 */
int session_ask(struct session *session, uint32_t reason, uint64_t deadline)
{
	struct wire_message message = {
		.type = WIRE_REACH,
		.reach = { .reason = reason, .deadline = deadline },
	};

	if (session->stand != STAND_RUNS)
		return 0;
	message.serial = ++session->serial;
	session->reach = message.serial;
	session->stand = STAND_ASKED;
	crash_point();
	return session_post(session, &message, -1);
}

/**
 * session_came() - the program stands still
 * @session: whose
 * @message: SAFE
 * @fd: its state or -1, taken over
 */
void session_came(struct session *session, const struct wire_message *message,
		  int fd)
{
	const struct wire_safe *safe = &message->safe;
	char why[BUFFERS_ERROR];

	/* The answer to a question that we have taken back: it went on. */
	if (session->stand != STAND_ASKED || message->serial != session->reach) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd >= 0 && buffer_check_state(fd, safe->state_size, why)) {
		close(fd);
		session_break(session, "the state cannot be used: %s", why);
		return;
	}
	session_forget_state(session);
	session->stand = STAND_STILL;
	session->still = work_now(session->work);
	session->state = fd;
	session->state_size = safe->state_size;
	session->step = safe->step;
	if (session->migration)
		migrate_came(session->migration);
	else
		precopy_came(session);
}

/* It says itself that it cannot. */
void session_unable(struct session *session, const struct wire_message *message)
{
	if (session->stand != STAND_ASKED || message->serial != session->reach)
		return;
	session->stand = STAND_RUNS;
	session_log(LOG_NOTICE, session, "cannot come to a safe point: %s",
		    message->result.text);
	if (session->migration) {
		reason_set(session->migration->reason,
			   "it cannot come to a safe point: %s",
			   message->result.text);
		migration_input(session->migration, MIGRATION_FAIL);
	} else {
		precopy_later(session);
	}
}

/* The safe point is over, or is not wanted any more. */
void session_go_on(struct session *session)
{
	struct wire_message message = {
		.type = WIRE_GO_ON,
		.serial = session->reach,
	};

	if (session->stand == STAND_RUNS)
		return;
	session->stand = STAND_RUNS;
	crash_point();
	session_post(session, &message, -1);
}
