// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What becomes of messages that are broken, or more than was thought of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "samples.h"
#include "test.h"

#define TYPE 0x21

/* Whatever decodes, none of it may read beyond the end; ASan looks on. */
static void decode_any(struct nlmsghdr *nlh)
{
	struct egpu_settings *set;
	struct egpu_override *rule;
	struct egpu_quiesce *quiesce;
	struct egpu_buffer *buffer;
	struct egpu_client *client;
	struct egpu_device *dev;
	struct egpu_removal *rem;
	struct egpu_migration *mig;
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
	if (!egpu_decode_buffer(nlh, &buffer))
		free(buffer);
	if (!egpu_decode_quiesce(nlh, &quiesce)) {
		assert_int_not_equal(quiesce->id, 0);
		assert_true(quiesce->n_culprits <= EGPU_CULPRITS_MAX);
		egpu_quiesce_free(quiesce);
	}
	if (!egpu_decode_migration(nlh, &mig)) {
		assert_int_not_equal(mig->migration, 0);
		assert_true(strlen(mig->reason) < sizeof(mig->reason));
		free(mig);
	}
	if (!egpu_decode_settings(nlh, &set))
		egpu_settings_free(set);
	if (!egpu_decode_override(nlh, &rule))
		free(rule);
	if (!egpu_decode_event(nlh, &event)) {
		egpu_device_free(event.device);
		egpu_removal_free(event.removal);
		egpu_quiesce_free(event.quiesce);
		free(event.migration);
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
	struct egpu_buffer buffer = sample_buffer();
	struct egpu_quiesce quiesce = sample_quiesce();
	struct egpu_migration mig = sample_migration();
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
		encode_buffer(TYPE, &buffer),
		encode_quiesce(TYPE, EGPU_CMD_QUIESCE_GET, &quiesce, false),
		encode_quiesce(TYPE, EGPU_CMD_QUIESCE, &quiesce, true),
		encode_migration(TYPE, EGPU_CMD_MIGRATION, &mig),
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

/* As the device's minors: what there is no room for is left out. */
static void more_culprits_than_room(void **state)
{
	struct egpu_quiesce quiesce = { .id = 7 }, *got;
	struct nl_msg *msg =
		encode_quiesce(TYPE, EGPU_CMD_QUIESCE_GET, &quiesce, false);
	uint32_t i;

	(void)state;
	for (i = 0; i < EGPU_CULPRITS_MAX + 3; i++) {
		struct nlattr *nest =
			nla_nest_start(msg, EGPU_A_QUIESCE_CULPRIT);

		assert_int_equal(nla_put_u32(msg, EGPU_A_CULPRIT_PID, i + 1), 0);
		nla_nest_end(msg, nest);
	}
	assert_int_equal(egpu_decode_quiesce(nlmsg_hdr(msg), &got), 0);
	assert_int_equal(got->n_culprits, EGPU_CULPRITS_MAX);
	assert_int_equal(got->culprits[EGPU_CULPRITS_MAX - 1].pid,
			 EGPU_CULPRITS_MAX);
	egpu_quiesce_free(got);
	nlmsg_free(msg);
}

static void broken_culprits(void **state)
{
	static const struct {
		int attr;
		int len;
	} broken[] = {
		{ EGPU_A_CULPRIT_PID, 2 },
		{ EGPU_A_CULPRIT_FENCES, 8 },
		{ EGPU_A_CULPRIT_CLIENT_ID, 4 },
		/* A name without an end, and a node without type and index. */
		{ EGPU_A_CULPRIT_COMM, 3 },
		{ EGPU_A_CULPRIT_MINOR, 0 },
	};
	struct egpu_quiesce quiesce = { .id = 7 }, *got;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(broken); i++) {
		struct nlattr *nest;

		msg = encode_quiesce(TYPE, EGPU_CMD_QUIESCE_GET, &quiesce,
				     false);
		nest = nla_nest_start(msg, EGPU_A_QUIESCE_CULPRIT);

		assert_int_equal(nla_put(msg, broken[i].attr, broken[i].len,
					 "xxxxxxxx"),
				 0);
		nla_nest_end(msg, nest);
		assert_int_equal(egpu_decode_quiesce(nlmsg_hdr(msg), &got),
				 -EBADMSG);
		nlmsg_free(msg);
	}
	/* Of no GPU. */
	quiesce.id = 0;
	msg = encode_quiesce(TYPE, EGPU_CMD_QUIESCE_GET, &quiesce, false);
	assert_int_equal(egpu_decode_quiesce(nlmsg_hdr(msg), &got), -EBADMSG);
	nlmsg_free(msg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(truncation_at_every_byte),
	cmocka_unit_test(every_byte_wrong),
	cmocka_unit_test(wrong_lengths),
	cmocka_unit_test(string_without_end),
	cmocka_unit_test(string_too_long),
	cmocka_unit_test(no_id_no_cookie),
	cmocka_unit_test(unknown_attributes_and_values),
	cmocka_unit_test(more_minors_than_room),
	cmocka_unit_test(half_a_minor),
	cmocka_unit_test(more_culprits_than_room),
	cmocka_unit_test(broken_culprits),
};

TEST_MAIN(tests, NULL, NULL)
