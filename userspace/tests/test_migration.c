// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Migrations: what a helper says of them, what listeners make of it, and what
 * becomes of messages that are broken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "samples.h"
#include "test.h"

static struct kernel kernel;
static struct egpu_ctx *ctx;
static struct egpu_monitor *mon;
static const struct egpu_event *ev;

static int setup(void **state)
{
	(void)state;
	kernel_init(&kernel);
	mon = NULL;
	return kernel_open(&ctx);
}

static int teardown(void **state)
{
	(void)state;
	egpu_monitor_free(mon);
	egpu_close(ctx);
	return (int)kernel_open_links(&kernel);
}

static void next(uint32_t type)
{
	int got = egpu_monitor_next(mon, &ev);

	if (got != 1)
		fail_msg("no event but %d: %s", got, egpu_error(ctx));
	assert_string_equal(egpu_name(EGPU_NAMES_EVENT, ev->type),
			    egpu_name(EGPU_NAMES_EVENT, type));
}

static void listen_as(unsigned int flags)
{
	assert_int_equal(egpu_monitor_new(ctx, flags, &mon), 0);
	next(EGPU_EVENT_START);
}

/* From the size on: what was in the message is the library's to say. */
static void assert_same(const struct egpu_migration *a,
			const struct egpu_migration *b)
{
	const size_t from = offsetof(struct egpu_migration, size);

	assert_memory_equal((const char *)a + from, (const char *)b + from,
			    sizeof(*a) - from);
}

/* --- from a message ---------------------------------------------------------- */

static int decode(struct nl_msg *msg, struct egpu_migration **migration)
{
	int err = egpu_decode_migration(nlmsg_hdr(msg), migration);

	nlmsg_free(msg);
	return err;
}

static void everything_arrives(void **state)
{
	struct egpu_migration sample = sample_migration(), *got;
	int i;

	(void)state;
	assert_int_equal(decode(encode_migration(1, EGPU_CMD_MIGRATION, &sample),
				&got),
			 0);
	assert_same(got, &sample);
	for (i = EGPU_A_MIGRATION_MIGRATION; i <= EGPU_A_MIGRATION_MAX; i++)
		assert_int_equal(EGPU_HAS(got, i), i != EGPU_A_MIGRATION_CPU);
	free(got);
}

static void least_message(void **state)
{
	struct egpu_migration sample = { .size = sizeof(sample),
					 .migration = 1,
					 .cpu = true };
	struct egpu_migration *got;

	(void)state;
	assert_int_equal(decode(encode_migration(1, EGPU_CMD_MIGRATION, &sample),
				&got),
			 0);
	assert_same(got, &sample);
	assert_true(EGPU_HAS(got, EGPU_A_MIGRATION_CPU));
	assert_false(EGPU_HAS(got, EGPU_A_MIGRATION_LOST));
	free(got);
}

static void number_must_be_there(void **state)
{
	struct egpu_migration sample = sample_migration(), *got;

	(void)state;
	sample.migration = 0;
	assert_int_equal(decode(encode_migration(1, EGPU_CMD_MIGRATION, &sample),
				&got),
			 -EBADMSG);
}

/* A message with one more attribute, of which the last one counts. */
static struct nl_msg *with(int attr, const void *data, int len)
{
	struct egpu_migration sample = sample_migration();
	struct nl_msg *msg = encode_migration(1, EGPU_CMD_MIGRATION, &sample);

	assert_int_equal(nla_put(msg, attr, len, data), 0);
	return msg;
}

static void wrong_lengths(void **state)
{
	static const struct {
		int attr;
		int good;
	} lengths[] = {
		{ EGPU_A_MIGRATION_MIGRATION, 8 },
		{ EGPU_A_MIGRATION_PHASE, 4 },
		{ EGPU_A_MIGRATION_ID, 4 },
		{ EGPU_A_MIGRATION_TARGET, 4 },
		{ EGPU_A_MIGRATION_COOKIE, 8 },
		{ EGPU_A_MIGRATION_PID, 4 },
		{ EGPU_A_MIGRATION_BYTES, 8 },
		{ EGPU_A_MIGRATION_DURATION, 8 },
		{ EGPU_A_MIGRATION_STILL, 8 },
		{ EGPU_A_MIGRATION_LOST, 8 },
		{ EGPU_A_MIGRATION_HELPER, 4 },
		{ EGPU_A_MIGRATION_SEQ, 8 },
		{ EGPU_A_MIGRATION_TIME, 8 },
	};
	const char ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct egpu_migration *got;
	size_t i;
	int len, err;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (len = 0; len <= 12; len++) {
			err = decode(with(lengths[i].attr, ones, len), &got);
			assert_int_equal(err,
					 len == lengths[i].good ? 0 : -EBADMSG);
			if (!err)
				free(got);
		}
	}
}

/* Texts are cut to fit, and what has no end is none. */
static void long_texts(void **state)
{
	static const int attrs[] = { EGPU_A_MIGRATION_COMM,
				     EGPU_A_MIGRATION_CHECKPOINT,
				     EGPU_A_MIGRATION_REASON };
	struct egpu_migration *got;
	char text[1000];
	size_t i;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		assert_int_equal(decode(with(attrs[i], text, sizeof(text)), &got),
				 -EBADMSG);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		assert_int_equal(decode(with(attrs[i], text, sizeof(text)), &got),
				 0);
		assert_int_equal(strlen(got->comm),
				 i == 0 ? EGPU_STRING_MAX - 1 : 15);
		assert_int_equal(strlen(got->checkpoint),
				 i == 1 ? EGPU_STRING_MAX - 1 : 27);
		assert_int_equal(strlen(got->reason),
				 i == 2 ? EGPU_REASON_LEN : 18);
		free(got);
	}
}

/* --- to a listener ----------------------------------------------------------- */

static void events_in_order(void **state)
{
	struct egpu_migration mig = { .size = sizeof(mig),
				      .migration = 5,
				      .phase = EGPU_MIGRATION_PHASE_STARTED,
				      .id = 1,
				      .target = 2 };

	(void)state;
	kernel_add(&kernel, "0000:07:00.0", true);
	kernel_add(&kernel, "0000:08:00.0", false);
	listen_as(0);
	next(EGPU_EVENT_CONNECTED);
	next(EGPU_EVENT_CONNECTED);
	kernel_migration(&kernel, &mig);
	kernel_change(&kernel, &kernel.devices[0], EGPU_DEVICE_STATE_READY);
	mig.phase = EGPU_MIGRATION_PHASE_COMPLETED;
	kernel_migration(&kernel, &mig);
	next(EGPU_EVENT_MIGRATION);
	assert_false(ev->synthetic);
	assert_int_equal(ev->seq, 3);
	assert_int_equal(ev->time, 3000000000);
	assert_int_equal(ev->migration->phase, EGPU_MIGRATION_PHASE_STARTED);
	assert_string_equal(ev->device->address, "0000:07:00.0");
	assert_string_equal(ev->target->address, "0000:08:00.0");
	assert_null(ev->removal);
	assert_null(ev->quiesce);
	next(EGPU_EVENT_CHANGED);
	assert_null(ev->migration);
	assert_null(ev->target);
	next(EGPU_EVENT_MIGRATION);
	assert_int_equal(ev->migration->phase, EGPU_MIGRATION_PHASE_COMPLETED);
	assert_int_equal(egpu_monitor_next(mon, &ev), 0);
}

/* From the CPU, to a GPU that has left since: there is no device to show. */
static void devices_unknown(void **state)
{
	struct egpu_migration mig = { .migration = 5, .target = 9 };

	(void)state;
	listen_as(0);
	kernel_migration(&kernel, &mig);
	next(EGPU_EVENT_MIGRATION);
	assert_null(ev->device);
	assert_null(ev->target);
	assert_int_equal(ev->migration->target, 9);
}

/* It has a number like any event, but there is nothing to tell it anew from. */
static void event_lost(void **state)
{
	struct egpu_migration mig = { .migration = 5 };

	(void)state;
	listen_as(0);
	kernel_lose(1);
	kernel_migration(&kernel, &mig);
	kernel_migration(&kernel, &mig);
	next(EGPU_EVENT_RESYNC);
	assert_int_equal(ev->loss, EGPU_LOSS_GAP);
	assert_int_equal(egpu_monitor_next(mon, &ev), 0);
	kernel_migration(&kernel, &mig);
	next(EGPU_EVENT_MIGRATION);
	assert_int_equal(ev->seq, 3);
}

static void event_without_number(void **state)
{
	struct egpu_migration mig = { .migration = 5 };
	struct nl_msg *msg;

	(void)state;
	listen_as(0);
	msg = encode_migration(kernel.family.id, EGPU_CMD_MIGRATION, &mig);
	kernel_send_raw(&kernel, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	next(EGPU_EVENT_RESYNC);
	assert_int_equal(ev->loss, EGPU_LOSS_MALFORMED);
}

/* --- by a helper ------------------------------------------------------------- */

static void all_that_is_said_is_heard(void **state)
{
	struct egpu_migration said = sample_migration();

	(void)state;
	listen_as(EGPU_MONITOR_HELPER);
	assert_int_equal(egpu_migrate(ctx, &said), 0);
	next(EGPU_EVENT_MIGRATION);
	/* What the kernel adds. */
	assert_int_not_equal(ev->migration->helper, 0);
	said.helper = ev->migration->helper;
	said.seq = ev->seq;
	said.time = ev->time;
	assert_same(ev->migration, &said);
}

/* The kernel says what may be absent, so nothing is made up. */
static void what_is_nothing_is_left_unsaid(void **state)
{
	const struct egpu_migration said = {
		.size = sizeof(said),
		.migration = 3,
		.phase = EGPU_MIGRATION_PHASE_CHECKPOINTED,
		.cpu = true,
	};
	const uint64_t there = 1ULL << EGPU_A_MIGRATION_MIGRATION |
			       1ULL << EGPU_A_MIGRATION_PHASE |
			       1ULL << EGPU_A_MIGRATION_CPU |
			       1ULL << EGPU_A_MIGRATION_HELPER |
			       1ULL << EGPU_A_MIGRATION_SEQ |
			       1ULL << EGPU_A_MIGRATION_TIME;

	(void)state;
	listen_as(EGPU_MONITOR_HELPER);
	assert_int_equal(egpu_migrate(ctx, &said), 0);
	next(EGPU_EVENT_MIGRATION);
	assert_int_equal(ev->migration->present, there);
}

static void what_cannot_be_said(void **state)
{
	struct egpu_migration said = sample_migration();

	(void)state;
	assert_int_equal(egpu_migrate(ctx, &said), -EPERM);
	listen_as(EGPU_MONITOR_HELPER);
	said.cpu = true;
	assert_int_equal(egpu_migrate(ctx, &said), -EINVAL);
	said = sample_migration();
	said.size = 0;
	assert_int_equal(egpu_migrate(ctx, &said), -EINVAL);
	assert_string_equal(egpu_error(ctx),
			    "cannot tell of a migration: it carries no size");
	said = sample_migration();
	memset(said.reason, 'x', sizeof(said.reason));
	assert_int_equal(egpu_migrate(ctx, &said), -EINVAL);
	assert_string_equal(egpu_error(ctx),
			    "cannot tell of a migration: a text in it has no end");
	assert_int_equal(egpu_monitor_next(mon, &ev), 0);
}

static void kernel_blames_by_name(void **state)
{
	struct egpu_migration said = sample_migration();

	(void)state;
	kernel.next_error = -ENODEV;
	kernel.next_text = "there is no such GPU, and there was none";
	kernel.next_attr = EGPU_A_MIGRATION_TARGET;
	assert_int_equal(egpu_migrate(ctx, &said), -ENODEV);
	assert_string_equal(egpu_error_attribute(ctx), "target");
}

/* A program built when the struct was shorter; what it has not is not read. */
static void shorter_struct(void **state)
{
	const size_t size = offsetof(struct egpu_migration, comm);
	struct egpu_migration sample = sample_migration();
	void *said = malloc(size);

	(void)state;
	assert_non_null(said);
	sample.size = size;
	memcpy(said, &sample, size);
	listen_as(EGPU_MONITOR_HELPER);
	assert_int_equal(egpu_migrate(ctx, said), 0);
	free(said);
	next(EGPU_EVENT_MIGRATION);
	assert_int_equal(ev->migration->pid, 1234);
	assert_string_equal(ev->migration->comm, "");
	assert_string_equal(ev->migration->reason, "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(everything_arrives),
	T(least_message),
	T(number_must_be_there),
	T(wrong_lengths),
	T(long_texts),
	T(events_in_order),
	T(devices_unknown),
	T(event_lost),
	T(event_without_number),
	T(all_that_is_said_is_heard),
	T(what_is_nothing_is_left_unsaid),
	T(what_cannot_be_said),
	T(kernel_blames_by_name),
	T(shorter_struct),
};

TEST_MAIN(tests, NULL, NULL)
