// SPDX-License-Identifier: GPL-2.0
#include "snapshot.h"

#include <errno.h>
#include <string.h>

static void append(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct snapshot *snapshot = data;

	(void)cmd;
	if (snapshot->len + len > sizeof(snapshot->data)) {
		snapshot->error = -ENOSPC;
		return;
	}
	memcpy(snapshot->data + snapshot->len, attrs, len);
	snapshot->len += len;
}

static void take(struct snapshot *snapshot, struct nl *nl,
		 const struct family *family, uint8_t cmd, uint16_t flags)
{
	static struct answer answer;
	static struct msg msg;
	int error;

	msg_begin(&msg, family->id, flags, cmd);
	error = nl_dump(nl, &msg, append, snapshot, &answer);
	if (error && !snapshot->error)
		snapshot->error = error;
}

/**
 * snapshot_take - ask for everything
 * @snapshot: overwritten
 * @nl: a socket
 * @family: the family
 *
 * The number of the last event is in it, so that an event that was sent counts
 * as a change, too.
 */
void snapshot_take(struct snapshot *snapshot, struct nl *nl,
		   const struct family *family)
{
	memset(snapshot, 0, sizeof(*snapshot));
	take(snapshot, nl, family, EGPU_CMD_SETTINGS_GET, NLM_F_ACK);
	take(snapshot, nl, family, EGPU_CMD_OVERRIDE_GET, NLM_F_DUMP);
	take(snapshot, nl, family, EGPU_CMD_DEVICE_GET, NLM_F_DUMP);
	take(snapshot, nl, family, EGPU_CMD_REMOVAL_GET, NLM_F_DUMP);
	take(snapshot, nl, family, EGPU_CMD_QUIESCE_GET, NLM_F_DUMP);
}

/**
 * snapshot_same - is everything as it was
 * @a: one
 * @b: the other
 *
 * Return: true when both were complete and are equal.
 */
bool snapshot_same(const struct snapshot *a, const struct snapshot *b)
{
	return !a->error && !b->error && a->len && a->len == b->len &&
	       !memcmp(a->data, b->data, a->len);
}
