// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From messages to objects. Messages that are broken are in test_malformed.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "samples.h"
#include "test.h"

#define TYPE 0x21

/* All but the bits that say what was there. */
static void assert_same(const void *a, const void *b, size_t size)
{
	const size_t skip = sizeof(uint64_t);

	assert_memory_equal((const char *)a + skip, (const char *)b + skip,
			    size - skip);
}

static void device_reply(void **state)
{
	struct egpu_device dev = sample_device(), *got;
	struct nl_msg *msg =
		encode_device(TYPE, EGPU_CMD_DEVICE_GET, &dev, false);

	(void)state;
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &got), 0);
	dev.time = 0;
	assert_same(got, &dev, sizeof(dev));
	assert_true(EGPU_HAS(got, EGPU_A_DEVICE_CLIENTS));
	assert_false(EGPU_HAS(got, EGPU_A_DEVICE_TIME));
	egpu_device_free(got);
	nlmsg_free(msg);
}

static void removal_reply(void **state)
{
	struct egpu_removal rem = sample_removal(), *got;
	struct nl_msg *msg =
		encode_removal(TYPE, EGPU_CMD_REMOVAL_GET, &rem, false);

	(void)state;
	assert_int_equal(egpu_decode_removal(nlmsg_hdr(msg), &got), 0);
	rem.time = 0;
	rem.n_minors = 0;
	memset(rem.minors, 0, sizeof(rem.minors));
	assert_same(got, &rem, sizeof(rem));
	egpu_removal_free(got);
	nlmsg_free(msg);
}

static void client_reply(void **state)
{
	struct egpu_client client = {
		.id = 7, .client_id = 99, .pid = 1234, .comm = "Xorg",
		.minor = { EGPU_MINOR_TYPE_PRIMARY, 1 }, .master = true,
		.buffers = 12, .bytes = 1 << 20,
	}, *got;
	struct nl_msg *msg = encode_client(TYPE, &client);

	(void)state;
	assert_int_equal(egpu_decode_client(nlmsg_hdr(msg), &got), 0);
	assert_same(got, &client, sizeof(client));
	free(got);
	nlmsg_free(msg);
}

/* A process that cannot be seen from here, on a kernel without client ids. */
static void client_without_pid(void **state)
{
	struct egpu_client client = { .id = 7, .comm = "Xorg" }, *got;
	struct nl_msg *msg = encode_client(TYPE, &client);

	(void)state;
	assert_int_equal(egpu_decode_client(nlmsg_hdr(msg), &got), 0);
	assert_false(EGPU_HAS(got, EGPU_A_CLIENT_PID));
	assert_false(EGPU_HAS(got, EGPU_A_CLIENT_CLIENT_ID));
	assert_true(EGPU_HAS(got, EGPU_A_CLIENT_COMM));
	free(got);
	nlmsg_free(msg);
}

static void buffer_reply(void **state)
{
	struct egpu_buffer buffer = sample_buffer(), *got;
	struct nl_msg *msg = encode_buffer(TYPE, &buffer);

	(void)state;
	assert_int_equal(egpu_decode_buffer(nlmsg_hdr(msg), &got), 0);
	assert_int_equal(got->client_id, 99);
	assert_int_equal(got->pid, 1234);
	assert_int_equal(got->minor.index, 129);
	assert_int_equal(got->handle, 3);
	assert_int_equal(got->size, 5ULL << 32);
	assert_int_equal(got->dma_buf, 0xdeadbeef12ULL);
	assert_true(got->imported);
	assert_int_equal(got->pending, 2);
	assert_int_equal(got->write_context, 6ULL << 32);
	assert_int_equal(got->write_seqno, 7ULL << 32);
	assert_true(EGPU_HAS(got, EGPU_A_BUFFER_WRITE_SEQNO));
	free(got);
	nlmsg_free(msg);
	/* Never shared, of a process that cannot be seen from here. */
	buffer = (struct egpu_buffer){ .id = 7, .handle = 1, .size = 4096 };
	msg = encode_buffer(TYPE, &buffer);
	assert_int_equal(egpu_decode_buffer(nlmsg_hdr(msg), &got), 0);
	assert_false(EGPU_HAS(got, EGPU_A_BUFFER_PID));
	assert_false(EGPU_HAS(got, EGPU_A_BUFFER_DMA_BUF));
	assert_false(got->imported);
	free(got);
	nlmsg_free(msg);
}

static void quiesce_reply(void **state)
{
	struct egpu_quiesce quiesce = sample_quiesce(), *got;
	struct nl_msg *msg =
		encode_quiesce(TYPE, EGPU_CMD_QUIESCE_GET, &quiesce, false);

	(void)state;
	assert_int_equal(egpu_decode_quiesce(nlmsg_hdr(msg), &got), 0);
	quiesce.time = 0;
	assert_same(got, &quiesce, sizeof(quiesce));
	egpu_quiesce_free(got);
	nlmsg_free(msg);
}

static void settings_and_override(void **state)
{
	struct egpu_settings set = {
		.hold_ms = 2000, .accept_ms = 500, .eject_ms = 30000,
		.instance = 0xdeadbeef12345678ULL, .seq = 42, .helpers = true,
		.version = "0.1.0", .drain_ms = 2001,
	}, *got_set;
	struct egpu_override rule = {
		.address = "0000:03:00.0", .placement = EGPU_PLACEMENT_EXTERNAL,
	}, *got_rule;
	struct nl_msg *msg = encode_settings(TYPE, &set);

	(void)state;
	assert_int_equal(egpu_decode_settings(nlmsg_hdr(msg), &got_set), 0);
	assert_same(got_set, &set, sizeof(set));
	egpu_settings_free(got_set);
	nlmsg_free(msg);

	msg = encode_override(TYPE, &rule);
	assert_int_equal(egpu_decode_override(nlmsg_hdr(msg), &got_rule), 0);
	assert_same(got_rule, &rule, sizeof(rule));
	free(got_rule);
	nlmsg_free(msg);
}

static void every_event(void **state)
{
	static const struct {
		uint8_t cmd;
		uint32_t type;
	} events[] = {
		{ EGPU_CMD_CONNECTED, EGPU_EVENT_CONNECTED },
		{ EGPU_CMD_CHANGED, EGPU_EVENT_CHANGED },
		{ EGPU_CMD_REMOVAL_PENDING, EGPU_EVENT_REMOVAL_PENDING },
		{ EGPU_CMD_REMOVAL_PROGRESS, EGPU_EVENT_REMOVAL_PROGRESS },
		{ EGPU_CMD_DISCONNECTED, EGPU_EVENT_DISCONNECTED },
	};
	struct egpu_device dev = sample_device();
	struct egpu_removal rem = sample_removal();
	struct egpu_decoded got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		struct nl_msg *msg =
			i < 2 ? encode_device(TYPE, events[i].cmd, &dev, true) :
				encode_removal(TYPE, events[i].cmd, &rem, true);

		assert_int_equal(egpu_decode_event(nlmsg_hdr(msg), &got), 0);
		assert_int_equal(got.type, events[i].type);
		assert_int_equal(!!got.device, i < 2);
		assert_int_equal(!!got.removal, i >= 2);
		if (got.device)
			assert_int_equal(got.device->time, dev.time);
		else
			assert_int_equal(got.removal->time, rem.time);
		egpu_device_free(got.device);
		egpu_removal_free(got.removal);
		nlmsg_free(msg);
	}
}

static void quiesce_event(void **state)
{
	struct egpu_quiesce quiesce = sample_quiesce();
	struct nl_msg *msg =
		encode_quiesce(TYPE, EGPU_CMD_QUIESCE, &quiesce, true);
	struct egpu_decoded got;

	(void)state;
	assert_int_equal(egpu_decode_event(nlmsg_hdr(msg), &got), 0);
	assert_int_equal(got.type, EGPU_EVENT_QUIESCE);
	assert_null(got.device);
	assert_null(got.removal);
	assert_int_equal(got.quiesce->time, quiesce.time);
	assert_int_equal(got.quiesce->pending, 4);
	assert_int_equal(got.quiesce->n_culprits, 0);
	egpu_quiesce_free(got.quiesce);
	nlmsg_free(msg);
}

static void unknown_event(void **state)
{
	struct egpu_device dev = sample_device();
	struct nl_msg *msg = encode_device(TYPE, 200, &dev, true);
	struct egpu_decoded got;

	(void)state;
	assert_int_equal(egpu_decode_event(nlmsg_hdr(msg), &got), -ENOMSG);
	nlmsg_free(msg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(device_reply),
	cmocka_unit_test(removal_reply),
	cmocka_unit_test(client_reply),
	cmocka_unit_test(client_without_pid),
	cmocka_unit_test(buffer_reply),
	cmocka_unit_test(quiesce_reply),
	cmocka_unit_test(settings_and_override),
	cmocka_unit_test(every_event),
	cmocka_unit_test(quiesce_event),
	cmocka_unit_test(unknown_event),
};

TEST_MAIN(tests, NULL, NULL)
