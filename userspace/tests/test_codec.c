// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From messages to objects, and what becomes of messages that are broken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "test.h"

#define TYPE 0x21

static struct egpu_device sample_device(void)
{
	struct egpu_device dev = {
		.id = 7,
		.address = "0000:07:00.0",
		.state = EGPU_DEVICE_STATE_READY,
		.external = true,
		.marker = EGPU_MARKER_THUNDERBOLT,
		.vendor = 0x1002,
		.device = 0x73bf,
		.subsystem_vendor = 0x1da2,
		.subsystem_device = 0xe438,
		.class_code = 0x030000,
		.driver = "amdgpu",
		.port = "0000:04:01.0",
		.link_speed = 8000,
		.link_width = 4,
		.n_minors = 2,
		.minors = { { EGPU_MINOR_TYPE_PRIMARY, 1 },
			    { EGPU_MINOR_TYPE_RENDER, 129 } },
		.clients = 3,
		.cookie = 0x123456789abcdefULL,
		.since = 5,
		.at_load = true,
		.seq = 11,
		.time = 12,
	};

	return dev;
}

static struct egpu_removal sample_removal(void)
{
	struct egpu_removal rem = {
		.cookie = 0xfedcba9876543210ULL,
		.id = 7,
		.address = "0000:07:00.0",
		.origin = EGPU_ORIGIN_OTHERS,
		.phase = EGPU_PHASE_DONE,
		.release = EGPU_RELEASE_HELPER_DIED,
		.cause = EGPU_CAUSE_SURPRISE,
		.evidence = EGPU_EVIDENCE_MARKED | EGPU_EVIDENCE_ABSENT,
		.clients = 2,
		.force = true,
		.timeout_ms = 2000,
		.created = 1,
		.accepted = 2,
		.released = 3,
		.unbound = 4,
		.finished = 5,
		.helper = 4242,
		.reason = "because",
		.external = true,
		.vendor = 0x1002,
		.device = 0x73bf,
		.driver = "amdgpu",
		.port = "0000:04:01.0",
		.n_minors = 1,
		.minors = { { EGPU_MINOR_TYPE_PRIMARY, 1 } },
		.seq = 13,
		.time = 14,
	};

	return rem;
}

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

static void settings_and_override(void **state)
{
	struct egpu_settings set = {
		.hold_ms = 2000, .accept_ms = 500, .eject_ms = 30000,
		.instance = 0xdeadbeef12345678ULL, .seq = 42, .helpers = true,
		.version = "0.1.0",
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

static void unknown_event(void **state)
{
	struct egpu_device dev = sample_device();
	struct nl_msg *msg = encode_device(TYPE, 200, &dev, true);
	struct egpu_decoded got;

	(void)state;
	assert_int_equal(egpu_decode_event(nlmsg_hdr(msg), &got), -ENOMSG);
	nlmsg_free(msg);
}

/* Whatever decodes, none of it may read beyond the end; ASan looks on. */
static void decode_any(struct nlmsghdr *nlh)
{
	struct egpu_settings *set;
	struct egpu_override *rule;
	struct egpu_client *client;
	struct egpu_device *dev;
	struct egpu_removal *rem;
	struct egpu_decoded event;

	if (!egpu_decode_device(nlh, &dev)) {
		assert_int_not_equal(dev->id, 0);
		assert_true(strlen(dev->driver) < sizeof(dev->driver));
		egpu_device_free(dev);
	}
	if (!egpu_decode_removal(nlh, &rem)) {
		assert_int_not_equal(rem->cookie, 0);
		egpu_removal_free(rem);
	}
	if (!egpu_decode_client(nlh, &client))
		free(client);
	if (!egpu_decode_settings(nlh, &set))
		egpu_settings_free(set);
	if (!egpu_decode_override(nlh, &rule))
		free(rule);
	if (!egpu_decode_event(nlh, &event)) {
		egpu_device_free(event.device);
		egpu_removal_free(event.removal);
	}
}

/* A copy of the first @len bytes, at the end of an allocation of its own. */
static void decode_cut(const struct nlmsghdr *nlh, size_t len)
{
	struct nlmsghdr *cut = malloc(len);

	assert_non_null(cut);
	memcpy(cut, nlh, len);
	cut->nlmsg_len = (uint32_t)len;
	decode_any(cut);
	free(cut);
}

static void for_all_messages(void (*fn)(const struct nlmsghdr *nlh))
{
	struct egpu_device dev = sample_device();
	struct egpu_removal rem = sample_removal();
	struct egpu_client client = { .id = 7,
				      .client_id = 9,
				      .pid = 1,
				      .comm = "Xorg" };
	struct egpu_settings set = { .version = "0.1.0" };
	struct egpu_override rule = { .address = "0000:03:00.0" };
	struct nl_msg *msgs[] = {
		encode_device(TYPE, EGPU_CMD_DEVICE_GET, &dev, false),
		encode_device(TYPE, EGPU_CMD_CONNECTED, &dev, true),
		encode_device(TYPE, EGPU_CMD_CHANGED, &dev, true),
		encode_removal(TYPE, EGPU_CMD_REMOVAL_GET, &rem, false),
		encode_removal(TYPE, EGPU_CMD_REMOVAL_PENDING, &rem, true),
		encode_removal(TYPE, EGPU_CMD_REMOVAL_PROGRESS, &rem, true),
		encode_removal(TYPE, EGPU_CMD_DISCONNECTED, &rem, true),
		encode_client(TYPE, &client),
		encode_settings(TYPE, &set),
		encode_override(TYPE, &rule),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msgs); i++) {
		fn(nlmsg_hdr(msgs[i]));
		nlmsg_free(msgs[i]);
	}
}

static void cut_everywhere(const struct nlmsghdr *nlh)
{
	size_t len;

	for (len = sizeof(*nlh); len <= nlh->nlmsg_len; len++)
		decode_cut(nlh, len);
}

static void truncation_at_every_byte(void **state)
{
	(void)state;
	for_all_messages(cut_everywhere);
}

static void flip_every_byte(const struct nlmsghdr *nlh)
{
	static const uint8_t patterns[] = { 0x01, 0x80, 0xff };
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);
	size_t at, p;

	assert_non_null(copy);
	for (at = sizeof(*nlh); at < nlh->nlmsg_len; at++) {
		for (p = 0; p < sizeof(patterns); p++) {
			memcpy(copy, nlh, nlh->nlmsg_len);
			((uint8_t *)copy)[at] ^= patterns[p];
			decode_any(copy);
		}
	}
	free(copy);
}

static void every_byte_wrong(void **state)
{
	(void)state;
	for_all_messages(flip_every_byte);
}

/* Makes a device message with one attribute of any content. */
static struct nl_msg *device_with(int attr, const void *data, int len)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(genlmsg_put(msg, 0, 0, TYPE, 0, 0, EGPU_CMD_DEVICE_GET,
				    1));
	if (attr != EGPU_A_DEVICE_ID)
		assert_int_equal(nla_put_u32(msg, EGPU_A_DEVICE_ID, 1), 0);
	assert_int_equal(nla_put(msg, attr, len, data), 0);
	return msg;
}

static void wrong_lengths(void **state)
{
	static const struct {
		int attr;
		int good;
	} lengths[] = {
		{ EGPU_A_DEVICE_ID, 4 },       { EGPU_A_DEVICE_STATE, 4 },
		{ EGPU_A_DEVICE_EXTERNAL, 1 }, { EGPU_A_DEVICE_MARKER, 4 },
		{ EGPU_A_DEVICE_VENDOR, 2 },   { EGPU_A_DEVICE_DEVICE, 2 },
		{ EGPU_A_DEVICE_CLASS, 4 },    { EGPU_A_DEVICE_LINK_SPEED, 4 },
		{ EGPU_A_DEVICE_CLIENTS, 4 },  { EGPU_A_DEVICE_COOKIE, 8 },
		{ EGPU_A_DEVICE_SINCE, 8 },    { EGPU_A_DEVICE_SEQ, 8 },
		{ EGPU_A_DEVICE_TIME, 8 },
	};
	const char ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	size_t i;
	int len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (len = 0; len <= 12; len++) {
			struct nl_msg *msg =
				device_with(lengths[i].attr, ones, len);
			struct egpu_device *dev;
			int err = egpu_decode_device(nlmsg_hdr(msg), &dev);
			int wanted = len == lengths[i].good ? 0 : -EBADMSG;

			assert_int_equal(err, wanted);
			if (!err)
				egpu_device_free(dev);
			nlmsg_free(msg);
		}
	}
}

static void string_without_end(void **state)
{
	struct nl_msg *msg = device_with(EGPU_A_DEVICE_DRIVER, "amdgpu", 6);
	struct egpu_device *dev;

	(void)state;
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &dev), -EBADMSG);
	nlmsg_free(msg);
	msg = device_with(EGPU_A_DEVICE_DRIVER, "", 0);
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &dev), -EBADMSG);
	nlmsg_free(msg);
}

static void string_too_long(void **state)
{
	char text[1000];
	struct nl_msg *msg;
	struct egpu_device *dev;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	msg = device_with(EGPU_A_DEVICE_ADDRESS, text, sizeof(text));
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &dev), 0);
	assert_int_equal(strlen(dev->address), EGPU_ADDRESS_LEN);
	egpu_device_free(dev);
	nlmsg_free(msg);
}

static void no_id_no_cookie(void **state)
{
	struct egpu_device dev = sample_device(), *got;
	struct egpu_removal rem = sample_removal(), *got_rem;
	struct nl_msg *msg;

	(void)state;
	dev.id = 0;
	msg = encode_device(TYPE, EGPU_CMD_DEVICE_GET, &dev, false);
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &got), -EBADMSG);
	nlmsg_free(msg);
	rem.cookie = 0;
	msg = encode_removal(TYPE, EGPU_CMD_REMOVAL_GET, &rem, false);
	assert_int_equal(egpu_decode_removal(nlmsg_hdr(msg), &got_rem),
			 -EBADMSG);
	nlmsg_free(msg);
}

static void unknown_attributes_and_values(void **state)
{
	struct egpu_device dev = sample_device(), *got;
	struct nl_msg *msg;

	(void)state;
	dev.state = 17;
	dev.marker = 4000000000u;
	msg = encode_device(TYPE, EGPU_CMD_DEVICE_GET, &dev, false);
	assert_int_equal(nla_put_u64(msg, EGPU_A_DEVICE_MAX + 1, 1), 0);
	assert_int_equal(nla_put_string(msg, 1000, "news"), 0);
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &got), 0);
	assert_int_equal(got->state, 17);
	assert_int_equal(got->marker, 4000000000u);
	egpu_device_free(got);
	nlmsg_free(msg);
}

static void more_minors_than_room(void **state)
{
	struct egpu_device dev = sample_device(), *got;
	struct nl_msg *msg;
	int i;

	(void)state;
	dev.n_minors = 0;
	msg = encode_device(TYPE, EGPU_CMD_DEVICE_GET, &dev, false);
	for (i = 0; i < EGPU_MINORS_MAX + 5; i++) {
		struct nlattr *nest = nla_nest_start(msg, EGPU_A_DEVICE_MINOR);

		assert_int_equal(nla_put_u32(msg, EGPU_A_MINOR_TYPE, 1), 0);
		assert_int_equal(nla_put_u32(msg, EGPU_A_MINOR_INDEX, i), 0);
		nla_nest_end(msg, nest);
	}
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &got), 0);
	assert_int_equal(got->n_minors, EGPU_MINORS_MAX);
	assert_int_equal(got->minors[EGPU_MINORS_MAX - 1].index,
			 EGPU_MINORS_MAX - 1);
	egpu_device_free(got);
	nlmsg_free(msg);
}

static void half_a_minor(void **state)
{
	struct egpu_device dev = sample_device(), *got;
	struct nl_msg *msg;
	struct nlattr *nest;

	(void)state;
	msg = encode_device(TYPE, EGPU_CMD_DEVICE_GET, &dev, false);
	nest = nla_nest_start(msg, EGPU_A_DEVICE_MINOR);
	assert_int_equal(nla_put_u32(msg, EGPU_A_MINOR_TYPE, 1), 0);
	nla_nest_end(msg, nest);
	assert_int_equal(egpu_decode_device(nlmsg_hdr(msg), &got), -EBADMSG);
	nlmsg_free(msg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(device_reply),
	cmocka_unit_test(removal_reply),
	cmocka_unit_test(client_reply),
	cmocka_unit_test(client_without_pid),
	cmocka_unit_test(settings_and_override),
	cmocka_unit_test(every_event),
	cmocka_unit_test(unknown_event),
	cmocka_unit_test(truncation_at_every_byte),
	cmocka_unit_test(every_byte_wrong),
	cmocka_unit_test(wrong_lengths),
	cmocka_unit_test(string_without_end),
	cmocka_unit_test(string_too_long),
	cmocka_unit_test(no_id_no_cookie),
	cmocka_unit_test(unknown_attributes_and_values),
	cmocka_unit_test(more_minors_than_room),
	cmocka_unit_test(half_a_minor),
};

TEST_MAIN(tests, NULL, NULL)
