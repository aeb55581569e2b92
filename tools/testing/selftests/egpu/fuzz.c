// SPDX-License-Identifier: GPL-2.0
/*
 * Good messages with random mistakes: the kernel survives, answers a good
 * message afterwards, and nothing has changed but what an answer has granted.
 *
 *   fuzz [SEED [COUNT]]
 *
 * For a machine without an external GPU, so that no mutation ejects one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "family.h"
#include "ktap.h"
#include "snapshot.h"

#define DEFAULT_SEED  20240607
#define DEFAULT_COUNT 4000
#define BATCH	      200 /* messages between two looks at the state */
#define HEADERS	      (NLMSG_HDRLEN + GENL_HDRLEN)

static struct family family;
static struct nl nl;
static uint64_t state;

/* xorshift64: the same messages for the same seed. */
static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static void put_cookie(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, (1ULL << 62) + any(1000));
}

/* One good message of each kind, asking for what is not there. */
static void build(struct msg *msg)
{
	static const uint8_t named[] = { EGPU_CMD_ACCEPT, EGPU_CMD_ACK,
					 EGPU_CMD_REMOVAL_GET, EGPU_CMD_REFUSE,
					 EGPU_CMD_REPORT };
	static const uint8_t of_gpu[] = { EGPU_CMD_FENCE, EGPU_CMD_RESUME,
					  EGPU_CMD_DRAIN, EGPU_CMD_QUIESCE_GET };
	uint16_t flags = NLM_F_ACK;

	switch (any(12)) {
	case 0:
		msg_begin(msg, family.id, flags, EGPU_CMD_DEVICE_GET);
		msg_put_u32(msg, EGPU_A_DEVICE_ID, 0x7fffff00);
		break;
	case 1:
		msg_begin(msg, family.id, flags, EGPU_CMD_DEVICE_GET);
		msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, "0000:ff:1f.7");
		break;
	case 2:
		msg_begin(msg, family.id, NLM_F_DUMP, EGPU_CMD_CLIENT_GET);
		msg_put_u32(msg, EGPU_A_CLIENT_ID, 0x7fffff00);
		break;
	case 3:
		msg_begin(msg, family.id, flags, EGPU_CMD_EJECT);
		msg_put_u32(msg, EGPU_A_REMOVAL_ID, 0x7fffff00);
		msg_put_u32(msg, EGPU_A_REMOVAL_TIMEOUT_MS, 1000);
		msg_put(msg, EGPU_A_REMOVAL_FORCE, NULL, 0);
		break;
	case 4:
		msg_begin(msg, family.id, flags, EGPU_CMD_CANCEL);
		put_cookie(msg);
		msg_put_text(msg, EGPU_A_REMOVAL_REASON, "because");
		break;
	case 5:
		msg_begin(msg, family.id, flags, EGPU_CMD_SETTINGS_SET);
		msg_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, 0x7fffff00);
		msg_put_u32(msg, EGPU_A_SETTINGS_ACCEPT_MS, 0x7fffff00);
		break;
	case 6:
		msg_begin(msg, family.id, flags, EGPU_CMD_OVERRIDE_SET);
		msg_put_text(msg, EGPU_A_OVERRIDE_ADDRESS, "nowhere");
		msg_put_u32(msg, EGPU_A_OVERRIDE_PLACEMENT, 0);
		break;
	case 7:
		msg_begin(msg, family.id, NLM_F_DUMP, EGPU_CMD_BUFFER_GET);
		msg_put_u32(msg, EGPU_A_BUFFER_ID, 0x7fffff00);
		break;
	case 8:
		msg_begin(msg, family.id, flags, of_gpu[any(4)]);
		msg_put_u32(msg, EGPU_A_QUIESCE_ID, 0x7fffff00);
		msg_put_u32(msg, EGPU_A_QUIESCE_TIMEOUT_MS, 1000);
		break;
	case 9:
		msg_begin(msg, family.id, NLM_F_DUMP, EGPU_CMD_CLIENT_GET);
		msg_put_u64(msg, EGPU_A_CLIENT_COOKIE, 1ULL << 62);
		break;
	case 10:
		msg_begin(msg, family.id, flags, EGPU_CMD_MIGRATE);
		msg_put_u64(msg, EGPU_A_MIGRATION_MIGRATION, 1);
		msg_put_u32(msg, EGPU_A_MIGRATION_PHASE, 1);
		msg_put_u32(msg, EGPU_A_MIGRATION_TARGET, 0x7fffff00);
		msg_put_text(msg, EGPU_A_MIGRATION_COMM, "demo");
		msg_put_text(msg, EGPU_A_MIGRATION_REASON, "because");
		break;
	default:
		msg_begin(msg, family.id, flags, named[any(5)]);
		put_cookie(msg);
	}
}

/* The family stays ours, or the message would be somebody else's. */
static uint32_t place(const struct msg *msg)
{
	return 6 + any(msg->len - 6);
}

static void mutate(struct msg *msg)
{
	static const uint16_t edge[] = { 0, 1, 3, 4, 5, 0x7fff, 0x8000, 0xffff };
	uint16_t value;
	char junk[64];
	uint32_t at, i;

	switch (any(6)) {
	case 0: /* a bit */
		msg->data[place(msg)] ^= 1 << any(8);
		break;
	case 1: /* a byte */
		msg->data[place(msg)] = any(256);
		break;
	case 2: /* a length or type of an attribute */
		at = HEADERS + any((msg->len - HEADERS) / 2 + 1) * 2;
		value = edge[any(8)];
		if (at + sizeof(value) <= msg->len)
			memcpy(msg->data + at, &value, sizeof(value));
		break;
	case 3: /* an end too early */
		msg->len = NLMSG_HDRLEN + any(msg->len - NLMSG_HDRLEN + 1);
		break;
	case 4: /* something behind it */
		for (i = 0; i < sizeof(junk); i++)
			junk[i] = any(256);
		msg_raw(msg, junk, any(sizeof(junk)));
		break;
	default: /* its attributes once more */
		msg_raw(msg, msg->data + HEADERS, msg->len - HEADERS);
	}
}

static unsigned int send_batch(unsigned int count)
{
	static struct msg msg;
	unsigned int granted = 0, times;

	while (count--) {
		build(&msg);
		for (times = 1 + any(3); times && msg.len > HEADERS; times--)
			mutate(&msg);
		nl_send(&nl, &msg);
		granted += nl_drain(&nl);
	}
	return granted;
}

/* How it was at the start, if a mutation was by chance a good setting. */
static void put_back(void)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_SETTINGS_SET);
	msg_put_u32(&msg, EGPU_A_SETTINGS_HOLD_MS, 2000);
	msg_put_u32(&msg, EGPU_A_SETTINGS_ACCEPT_MS, 250);
	msg_put_u32(&msg, EGPU_A_SETTINGS_EJECT_MS, 30000);
	msg_put_u32(&msg, EGPU_A_SETTINGS_DRAIN_MS, 2000);
	check(!nl_ask(&nl, &msg, &answer), "a good message gets error %d (%s)",
	      -answer.error, answer.text);
}

/* True when all is as it was; a difference needs a message that was granted. */
static void look(const struct snapshot *before, unsigned int granted,
		 unsigned int batch)
{
	static struct snapshot after;

	snapshot_take(&after, &nl, &family);
	if (snapshot_same(before, &after))
		return;
	check(granted,
	      "batch %u: something has changed, and no message was granted",
	      batch);
	put_back();
	snapshot_take(&after, &nl, &family);
	check(snapshot_same(before, &after),
	      "batch %u: something has changed besides the settings", batch);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : DEFAULT_SEED;
	unsigned int count = argc > 2 ? atoi(argv[2]) : DEFAULT_COUNT;
	static struct snapshot before;
	unsigned int granted = 0, now, i;
	struct gpu gpu;

	if (family_open(&nl, &family))
		bail_out("the module is not loaded");
	if (gpu_find(&nl, &family, true, &gpu) != -ENODEV)
		bail_out("not with an external GPU");
	state = seed ? seed : 1;
	test_begin("%u messages with mistakes, seed %" PRIu64, count, seed);
	put_back();
	snapshot_take(&before, &nl, &family);
	for (i = 0; i < count / BATCH; i++) {
		now = send_batch(BATCH);
		look(&before, now, i);
		granted += now;
	}
	note("%u of them were right by chance", granted);
	test_end();
	return ktap_finish();
}
