// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that no program should send: each gets the error that says what is
 * wrong with it, and none changes anything.
 *
 * Needs root, the module, an external GPU and a removal in the history. A line
 * of the table is a message, the error it gets, and what the kernel points at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "family.h"
#include "ktap.h"
#include "snapshot.h"

#define NOBODY	 0xfffffff0u /* no device has this id */
#define DO	 0
#define ANY_TEXT ""

/**
 * struct hostile - a message and its answer
 * @name: what is wrong with it
 * @cmd: the command
 * @flags: NLM_F_* besides NLM_F_REQUEST
 * @build: puts the attributes
 * @error: errno of the answer, 0 for a message that is right
 * @attr: type of the attribute that the kernel has to point at, 0 for none
 * @missing: type of the attribute that it has to miss, 0 for none
 * @says: has to be in the message; NULL when the kernel has none to give
 */
struct hostile {
	const char *name;
	uint8_t cmd;
	uint16_t flags;
	void (*build)(struct msg *msg);
	int error;
	uint16_t attr;
	uint16_t missing;
	const char *says;
};

static struct family family;
static struct nl nl;
static struct gpu gpu;
static char gpu_address[EGPU_ADDRESS_LEN + 1];

static struct nlmsghdr *head_of(struct msg *msg)
{
	return (struct nlmsghdr *)msg->data;
}

static struct genlmsghdr *generic_of(struct msg *msg)
{
	return (struct genlmsghdr *)(msg->data + NLMSG_HDRLEN);
}

/* An attribute whose length says something else than what is there. */
static void put_lie(struct msg *msg, uint16_t attr, uint16_t says, size_t has)
{
	static const char junk[256];
	struct nlattr head = { .nla_len = says, .nla_type = attr };

	msg_raw(msg, &head, sizeof(head));
	msg_raw(msg, junk, has);
}

static void put_long_text(struct msg *msg, uint16_t attr, size_t len)
{
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	msg_put(msg, attr, text, len + 1);
	free(text);
}

static void nothing(struct msg *msg)
{
	(void)msg;
}

static void reserved(struct msg *msg)
{
	generic_of(msg)->reserved = 1;
}

static void other_version(struct msg *msg)
{
	generic_of(msg)->version = 77;
}

static void unknown_attribute(struct msg *msg)
{
	msg_put_u32(msg, 200, 1);
}

static void reply_only_attribute(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_STATE, 1);
}

static void id_too_short(struct msg *msg)
{
	msg_put(msg, EGPU_A_DEVICE_ID, "\1", 1);
}

static void id_too_long(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_DEVICE_ID, 1);
}

static void id_zero(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_ID, 0);
}

static void id_nested(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_ID | NLA_F_NESTED, gpu.id);
}

static void id_unknown(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_ID, NOBODY);
}

static void id_and_address(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_ID, gpu.id);
	msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, gpu_address);
}

static void attribute_cut_short(struct msg *msg)
{
	put_lie(msg, EGPU_A_DEVICE_ID, 200, 4);
}

static void attribute_of_length_0(struct msg *msg)
{
	put_lie(msg, EGPU_A_DEVICE_ID, 0, 4);
}

static void attribute_of_length_3(struct msg *msg)
{
	put_lie(msg, EGPU_A_DEVICE_ID, 3, 4);
}

static void bytes_left_over(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_ID, gpu.id);
	msg_raw(msg, "\1\2", 2);
}

static void address_unterminated(struct msg *msg)
{
	msg_put(msg, EGPU_A_DEVICE_ADDRESS, "0000:00:01.0", 12);
}

static void address_empty(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, "");
}

static void address_of_no_bytes(struct msg *msg)
{
	msg_put(msg, EGPU_A_DEVICE_ADDRESS, NULL, 0);
}

static void address_too_long(struct msg *msg)
{
	put_long_text(msg, EGPU_A_DEVICE_ADDRESS, EGPU_ADDRESS_LEN + 1);
}

static void address_huge(struct msg *msg)
{
	put_long_text(msg, EGPU_A_DEVICE_ADDRESS, 60000);
}

static void address_of_words(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, "the big one");
}

static void address_with_tail(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, "0000:01:00.0 ");
}

static void address_out_of_range(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, "0000:01:20.0");
}

static void address_of_nobody(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_DEVICE_ADDRESS, "00ff:fe:1f.7");
}

static void huge_of_unknown(struct msg *msg)
{
	int i;

	for (i = 0; i < 20000; i++)
		msg_put_u32(msg, 200, i);
}

static void second_id_bad(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_DEVICE_ID, gpu.id);
	msg_put(msg, EGPU_A_DEVICE_ID, "\1", 1);
}

static void cookie_zero(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 0);
}

static void cookie_short(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_COOKIE, 1);
}

static void cookie_unknown(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 1ULL << 50);
}

static void cookie_of_history(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 1);
}

static void reason_too_long(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 1);
	put_long_text(msg, EGPU_A_REMOVAL_REASON, EGPU_REASON_LEN + 1);
}

static void reason_unterminated(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 1);
	msg_put(msg, EGPU_A_REMOVAL_REASON, "abc", 3);
}

static void eject_id_unknown(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_ID, NOBODY);
}

static void eject_too_patient(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_ID, gpu.id);
	msg_put_u32(msg, EGPU_A_REMOVAL_TIMEOUT_MS, EGPU_EJECT_MS_MAX + 1);
}

static void eject_flag_with_value(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_ID, gpu.id);
	msg_put_u32(msg, EGPU_A_REMOVAL_FORCE, 1);
}

static void eject_by_address(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_ID, gpu.id);
	msg_put_text(msg, EGPU_A_REMOVAL_ADDRESS, gpu_address);
}

static void eject_with_cookie(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_ID, gpu.id);
	msg_put_u64(msg, EGPU_A_REMOVAL_PHASE, 1);
}

static void eject_timeout_only(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_REMOVAL_TIMEOUT_MS, 100);
}

static void hold_too_long(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, EGPU_HOLD_MS_MAX + 1);
}

static void hold_negative(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, -1);
}

static void second_setting_bad(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, 17);
	msg_put_u32(msg, EGPU_A_SETTINGS_ACCEPT_MS, EGPU_HOLD_MS_MAX + 1);
}

static void setting_twice_first_bad(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, EGPU_HOLD_MS_MAX + 1);
	msg_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, 17);
}

static void eject_ms_zero(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_SETTINGS_EJECT_MS, 0);
}

static void setting_read_only(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_SETTINGS_INSTANCE, 1);
}

static void setting_u64(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_SETTINGS_HOLD_MS, 17);
}

static void rule_without_address(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_OVERRIDE_PLACEMENT, 1);
}

static void rule_without_placement(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_OVERRIDE_ADDRESS, gpu_address);
}

static void rule_unknown_placement(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_OVERRIDE_ADDRESS, gpu_address);
	msg_put_u32(msg, EGPU_A_OVERRIDE_PLACEMENT, 3);
}

static void rule_bad_address(struct msg *msg)
{
	msg_put_text(msg, EGPU_A_OVERRIDE_ADDRESS, "01:00.0");
	msg_put_u32(msg, EGPU_A_OVERRIDE_PLACEMENT, 1);
}

static void clients_of_both(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_CLIENT_ID, gpu.id);
	msg_put_u64(msg, EGPU_A_CLIENT_COOKIE, 1);
}

static void clients_of_no_removal(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_CLIENT_COOKIE, 1ULL << 50);
}

static void step_unknown(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 1);
	msg_put_u32(msg, EGPU_A_REMOVAL_STEP, EGPU_STEP_REMOVE + 1);
}

static void step_of_history(struct msg *msg)
{
	msg_put_u64(msg, EGPU_A_REMOVAL_COOKIE, 1);
	msg_put_u32(msg, EGPU_A_REMOVAL_STEP, EGPU_STEP_FENCE);
}

static void fence_of_ours(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_QUIESCE_ID, gpu.id);
}

static void fence_with_time(struct msg *msg)
{
	fence_of_ours(msg);
	msg_put_u32(msg, EGPU_A_QUIESCE_TIMEOUT_MS, 100);
}

static void drain_for_ever(struct msg *msg)
{
	fence_of_ours(msg);
	msg_put_u32(msg, EGPU_A_QUIESCE_TIMEOUT_MS, EGPU_EJECT_MS_MAX + 1);
}

static void drain_ms_too_long(struct msg *msg)
{
	msg_put_u32(msg, EGPU_A_SETTINGS_DRAIN_MS, 60001);
}

static const struct hostile table[] = {
	/* Headers and commands. */
	{ "command 0", 0, DO, nothing, EOPNOTSUPP, 0, 0, NULL },
	{ "command 200", 200, DO, nothing, EOPNOTSUPP, 0, 0, NULL },
	{ "an event as command", EGPU_CMD_CONNECTED, DO, nothing, EOPNOTSUPP, 0,
	  0, NULL },
	{ "an event as dump", EGPU_CMD_DISCONNECTED, NLM_F_DUMP, nothing,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "reserved field", EGPU_CMD_SETTINGS_GET, DO, reserved, EINVAL, 0, 0,
	  "reserved" },
	{ "flags of other uses", EGPU_CMD_SETTINGS_GET, NLM_F_ATOMIC, nothing,
	  EINVAL, 0, 0, "flags" },
	{ "client-get without dump", EGPU_CMD_CLIENT_GET, DO, nothing,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "override-get without dump", EGPU_CMD_OVERRIDE_GET, DO, nothing,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "eject as dump", EGPU_CMD_EJECT, NLM_F_DUMP, eject_id_unknown,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "settings-get as dump", EGPU_CMD_SETTINGS_GET, NLM_F_DUMP, nothing,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "settings-set as dump", EGPU_CMD_SETTINGS_SET, NLM_F_DUMP,
	  hold_too_long, EOPNOTSUPP, 0, 0, NULL },
	{ "override-set as dump", EGPU_CMD_OVERRIDE_SET, NLM_F_DUMP,
	  rule_unknown_placement, EOPNOTSUPP, 0, 0, NULL },
	/* Attributes that are no attributes. */
	{ "attribute cut short", EGPU_CMD_DEVICE_GET, DO, attribute_cut_short,
	  EINVAL, 0, 0, ANY_TEXT },
	{ "attribute of length 0", EGPU_CMD_DEVICE_GET, DO,
	  attribute_of_length_0, EINVAL, 0, 0, ANY_TEXT },
	{ "attribute of length 3", EGPU_CMD_DEVICE_GET, DO,
	  attribute_of_length_3, EINVAL, 0, 0, ANY_TEXT },
	{ "bytes left over", EGPU_CMD_DEVICE_GET, DO, bytes_left_over, EINVAL,
	  0, 0, "leftover" },
	{ "unknown attribute", EGPU_CMD_DEVICE_GET, DO, unknown_attribute,
	  EINVAL, 200, 0, ANY_TEXT },
	{ "20000 unknown attributes", EGPU_CMD_DEVICE_GET, DO, huge_of_unknown,
	  EINVAL, 200, 0, ANY_TEXT },
	{ "unknown attribute in settings-get", EGPU_CMD_SETTINGS_GET, DO,
	  unknown_attribute, EINVAL, 0, 0, ANY_TEXT },
	{ "unknown attribute in a dump of devices", EGPU_CMD_DEVICE_GET,
	  NLM_F_DUMP, unknown_attribute, EINVAL, 0, 0, ANY_TEXT },
	{ "unknown attribute in a dump of removals", EGPU_CMD_REMOVAL_GET,
	  NLM_F_DUMP, unknown_attribute, EINVAL, 0, 0, ANY_TEXT },
	{ "unknown attribute in a dump of rules", EGPU_CMD_OVERRIDE_GET,
	  NLM_F_DUMP, unknown_attribute, EINVAL, 0, 0, ANY_TEXT },
	{ "unknown attribute in a dump of clients", EGPU_CMD_CLIENT_GET,
	  NLM_F_DUMP, unknown_attribute, EINVAL, 200, 0, ANY_TEXT },
	{ "known attribute in a dump that takes none", EGPU_CMD_DEVICE_GET,
	  NLM_F_DUMP, id_unknown, EINVAL, 0, 0, ANY_TEXT },
	{ "attribute of replies", EGPU_CMD_DEVICE_GET, DO, reply_only_attribute,
	  EINVAL, EGPU_A_DEVICE_STATE, 0, ANY_TEXT },
	/* device-get and client-get. */
	{ "no GPU named", EGPU_CMD_DEVICE_GET, DO, nothing, EINVAL, 0, 0,
	  "id or address" },
	{ "GPU named twice", EGPU_CMD_DEVICE_GET, DO, id_and_address, EINVAL,
	  EGPU_A_DEVICE_ADDRESS, 0, "either" },
	{ "id of one byte", EGPU_CMD_DEVICE_GET, DO, id_too_short, EINVAL,
	  EGPU_A_DEVICE_ID, 0, ANY_TEXT },
	{ "id of eight bytes", EGPU_CMD_DEVICE_GET, DO, id_too_long, EINVAL,
	  EGPU_A_DEVICE_ID, 0, ANY_TEXT },
	{ "id 0", EGPU_CMD_DEVICE_GET, DO, id_zero, ERANGE, EGPU_A_DEVICE_ID, 0,
	  ANY_TEXT },
	{ "id called a nest", EGPU_CMD_DEVICE_GET, DO, id_nested, EINVAL,
	  EGPU_A_DEVICE_ID, 0, "NESTED" },
	{ "id of nobody", EGPU_CMD_DEVICE_GET, DO, id_unknown, ENODEV,
	  EGPU_A_DEVICE_ID, 0, "no such GPU" },
	{ "second id bad", EGPU_CMD_DEVICE_GET, DO, second_id_bad, EINVAL,
	  EGPU_A_DEVICE_ID, 0, ANY_TEXT },
	{ "address not terminated", EGPU_CMD_DEVICE_GET, DO,
	  address_unterminated, EINVAL, EGPU_A_DEVICE_ADDRESS, 0, ANY_TEXT },
	{ "address empty", EGPU_CMD_DEVICE_GET, DO, address_empty, EINVAL,
	  EGPU_A_DEVICE_ADDRESS, 0, "PCI address" },
	{ "address of no bytes", EGPU_CMD_DEVICE_GET, DO, address_of_no_bytes,
	  EINVAL, EGPU_A_DEVICE_ADDRESS, 0, ANY_TEXT },
	{ "address too long", EGPU_CMD_DEVICE_GET, DO, address_too_long, EINVAL,
	  EGPU_A_DEVICE_ADDRESS, 0, ANY_TEXT },
	{ "address of 60000 bytes", EGPU_CMD_DEVICE_GET, DO, address_huge,
	  EINVAL, EGPU_A_DEVICE_ADDRESS, 0, ANY_TEXT },
	{ "address of words", EGPU_CMD_DEVICE_GET, DO, address_of_words, EINVAL,
	  EGPU_A_DEVICE_ADDRESS, 0, "PCI address" },
	{ "address with a tail", EGPU_CMD_DEVICE_GET, DO, address_with_tail,
	  EINVAL, EGPU_A_DEVICE_ADDRESS, 0, "PCI address" },
	{ "address out of range", EGPU_CMD_DEVICE_GET, DO, address_out_of_range,
	  EINVAL, EGPU_A_DEVICE_ADDRESS, 0, "PCI address" },
	{ "address of nobody", EGPU_CMD_DEVICE_GET, DO, address_of_nobody,
	  ENODEV, EGPU_A_DEVICE_ADDRESS, 0, "no such GPU" },
	{ "clients of id 0", EGPU_CMD_CLIENT_GET, NLM_F_DUMP, id_zero, ERANGE,
	  EGPU_A_CLIENT_ID, 0, ANY_TEXT },
	/* Linux 6.1 passes on no words of a dump that does not begin. */
	{ "clients of nobody", EGPU_CMD_CLIENT_GET, NLM_F_DUMP, id_unknown,
	  ENODEV, 0, 0, NULL },
	{ "clients of a GPU and of a removal", EGPU_CMD_CLIENT_GET, NLM_F_DUMP,
	  clients_of_both, EINVAL, 0, 0, NULL },
	{ "clients of no removal", EGPU_CMD_CLIENT_GET, NLM_F_DUMP,
	  clients_of_no_removal, ENOENT, 0, 0, NULL },
	/* removal-get, accept, ack, cancel, refuse, report. */
	{ "refuse of nothing", EGPU_CMD_REFUSE, DO, nothing, EINVAL, 0,
	  EGPU_A_REMOVAL_COOKIE, "cookie" },
	{ "refuse of nobody", EGPU_CMD_REFUSE, DO, cookie_unknown, ENOENT,
	  EGPU_A_REMOVAL_COOKIE, 0, "no such removal" },
	{ "refusal with too long a reason", EGPU_CMD_REFUSE, DO,
	  reason_too_long, EINVAL, EGPU_A_REMOVAL_REASON, 0, ANY_TEXT },
	{ "report of nothing", EGPU_CMD_REPORT, DO, cookie_of_history, EINVAL,
	  0, EGPU_A_REMOVAL_STEP, ANY_TEXT },
	{ "report of an unknown step", EGPU_CMD_REPORT, DO, step_unknown,
	  ERANGE, EGPU_A_REMOVAL_STEP, 0, ANY_TEXT },
	{ "report of history", EGPU_CMD_REPORT, DO, step_of_history, EPERM,
	  EGPU_A_REMOVAL_COOKIE, 0, ANY_TEXT },
	{ "no removal named", EGPU_CMD_REMOVAL_GET, DO, nothing, EINVAL, 0,
	  EGPU_A_REMOVAL_COOKIE, "cookie" },
	{ "accept of nothing", EGPU_CMD_ACCEPT, DO, nothing, EINVAL, 0,
	  EGPU_A_REMOVAL_COOKIE, "cookie" },
	{ "ack of nothing", EGPU_CMD_ACK, DO, nothing, EINVAL, 0,
	  EGPU_A_REMOVAL_COOKIE, "cookie" },
	{ "cancel of nothing", EGPU_CMD_CANCEL, DO, nothing, EINVAL, 0,
	  EGPU_A_REMOVAL_COOKIE, "cookie" },
	{ "cookie 0", EGPU_CMD_ACCEPT, DO, cookie_zero, ERANGE,
	  EGPU_A_REMOVAL_COOKIE, 0, ANY_TEXT },
	{ "cookie of four bytes", EGPU_CMD_ACK, DO, cookie_short, EINVAL,
	  EGPU_A_REMOVAL_COOKIE, 0, ANY_TEXT },
	{ "cookie of nobody", EGPU_CMD_REMOVAL_GET, DO, cookie_unknown, ENOENT,
	  EGPU_A_REMOVAL_COOKIE, 0, "no such removal" },
	{ "accept of history", EGPU_CMD_ACCEPT, DO, cookie_of_history, ETIME,
	  EGPU_A_REMOVAL_COOKIE, 0, "too late" },
	{ "ack of history", EGPU_CMD_ACK, DO, cookie_of_history, EPERM,
	  EGPU_A_REMOVAL_COOKIE, 0, "only the helper" },
	{ "cancel of what is no eject", EGPU_CMD_CANCEL, DO, cookie_of_history,
	  EOPNOTSUPP, EGPU_A_REMOVAL_COOKIE, 0, "only an eject" },
	{ "reason too long", EGPU_CMD_CANCEL, DO, reason_too_long, EINVAL,
	  EGPU_A_REMOVAL_REASON, 0, ANY_TEXT },
	{ "reason not terminated", EGPU_CMD_CANCEL, DO, reason_unterminated,
	  EINVAL, EGPU_A_REMOVAL_REASON, 0, ANY_TEXT },
	/* eject. */
	{ "eject of nothing", EGPU_CMD_EJECT, DO, nothing, EINVAL, 0,
	  EGPU_A_REMOVAL_ID, "id" },
	{ "eject of nothing with a deadline", EGPU_CMD_EJECT, DO,
	  eject_timeout_only, EINVAL, 0, EGPU_A_REMOVAL_ID, "id" },
	{ "eject of nobody", EGPU_CMD_EJECT, DO, eject_id_unknown, ENODEV,
	  EGPU_A_REMOVAL_ID, 0, "no such GPU" },
	{ "eject with too late a deadline", EGPU_CMD_EJECT, DO,
	  eject_too_patient, ERANGE, EGPU_A_REMOVAL_TIMEOUT_MS, 0, ANY_TEXT },
	{ "eject with a value as flag", EGPU_CMD_EJECT, DO,
	  eject_flag_with_value, ERANGE, EGPU_A_REMOVAL_FORCE, 0, ANY_TEXT },
	{ "eject by address", EGPU_CMD_EJECT, DO, eject_by_address, EINVAL,
	  EGPU_A_REMOVAL_ADDRESS, 0, ANY_TEXT },
	{ "eject with an attribute of replies", EGPU_CMD_EJECT, DO,
	  eject_with_cookie, EINVAL, EGPU_A_REMOVAL_PHASE, 0, ANY_TEXT },
	/* settings-set. */
	{ "hold-ms above the cap", EGPU_CMD_SETTINGS_SET, DO, hold_too_long,
	  ERANGE, EGPU_A_SETTINGS_HOLD_MS, 0, ANY_TEXT },
	{ "hold-ms below zero", EGPU_CMD_SETTINGS_SET, DO, hold_negative,
	  ERANGE, EGPU_A_SETTINGS_HOLD_MS, 0, ANY_TEXT },
	{ "a good setting and a bad one", EGPU_CMD_SETTINGS_SET, DO,
	  second_setting_bad, ERANGE, EGPU_A_SETTINGS_ACCEPT_MS, 0, ANY_TEXT },
	{ "a bad setting and then a good one of the same name",
	  EGPU_CMD_SETTINGS_SET, DO, setting_twice_first_bad, ERANGE,
	  EGPU_A_SETTINGS_HOLD_MS, 0, ANY_TEXT },
	{ "eject-ms 0", EGPU_CMD_SETTINGS_SET, DO, eject_ms_zero, ERANGE,
	  EGPU_A_SETTINGS_EJECT_MS, 0, ANY_TEXT },
	{ "a setting that is read-only", EGPU_CMD_SETTINGS_SET, DO,
	  setting_read_only, EINVAL, EGPU_A_SETTINGS_INSTANCE, 0, ANY_TEXT },
	{ "a setting of eight bytes", EGPU_CMD_SETTINGS_SET, DO, setting_u64,
	  EINVAL, EGPU_A_SETTINGS_HOLD_MS, 0, ANY_TEXT },
	{ "drain-ms above the cap", EGPU_CMD_SETTINGS_SET, DO,
	  drain_ms_too_long, ERANGE, EGPU_A_SETTINGS_DRAIN_MS, 0, ANY_TEXT },
	/* fence, drain, resume, quiesce-get, buffer-get. */
	{ "fence of nothing", EGPU_CMD_FENCE, DO, nothing, EINVAL, 0,
	  EGPU_A_QUIESCE_ID, ANY_TEXT },
	{ "fence of id 0", EGPU_CMD_FENCE, DO, id_zero, ERANGE,
	  EGPU_A_QUIESCE_ID, 0, ANY_TEXT },
	{ "fence of nobody", EGPU_CMD_FENCE, DO, id_unknown, ENODEV,
	  EGPU_A_QUIESCE_ID, 0, "no such GPU" },
	{ "fence with a time", EGPU_CMD_FENCE, DO, fence_with_time, EINVAL,
	  EGPU_A_QUIESCE_TIMEOUT_MS, 0, ANY_TEXT },
	{ "drain without a time", EGPU_CMD_DRAIN, DO, fence_of_ours, EINVAL, 0,
	  EGPU_A_QUIESCE_TIMEOUT_MS, ANY_TEXT },
	{ "drain for ever", EGPU_CMD_DRAIN, DO, drain_for_ever, ERANGE,
	  EGPU_A_QUIESCE_TIMEOUT_MS, 0, ANY_TEXT },
	{ "drain of what is not fenced", EGPU_CMD_DRAIN, DO, fence_with_time,
	  EPROTO, EGPU_A_QUIESCE_ID, 0, ANY_TEXT },
	{ "resume of what is not fenced", EGPU_CMD_RESUME, DO, fence_of_ours,
	  EALREADY, EGPU_A_QUIESCE_ID, 0, ANY_TEXT },
	{ "quiesce-get of nobody", EGPU_CMD_QUIESCE_GET, DO, id_unknown, ENODEV,
	  EGPU_A_QUIESCE_ID, 0, "no such GPU" },
	{ "the event quiesce as command", EGPU_CMD_QUIESCE, DO, nothing,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "buffer-get without dump", EGPU_CMD_BUFFER_GET, DO, fence_of_ours,
	  EOPNOTSUPP, 0, 0, NULL },
	{ "buffers of nobody", EGPU_CMD_BUFFER_GET, NLM_F_DUMP, id_unknown,
	  ENODEV, 0, 0, NULL },
	/* override-set. */
	{ "rule without address", EGPU_CMD_OVERRIDE_SET, DO,
	  rule_without_address, EINVAL, 0, EGPU_A_OVERRIDE_ADDRESS, "address" },
	{ "rule without placement", EGPU_CMD_OVERRIDE_SET, DO,
	  rule_without_placement, EINVAL, 0, EGPU_A_OVERRIDE_PLACEMENT,
	  "auto, external or internal" },
	{ "rule of an unknown placement", EGPU_CMD_OVERRIDE_SET, DO,
	  rule_unknown_placement, ERANGE, EGPU_A_OVERRIDE_PLACEMENT, 0,
	  ANY_TEXT },
	{ "rule of a bad address", EGPU_CMD_OVERRIDE_SET, DO, rule_bad_address,
	  EINVAL, EGPU_A_OVERRIDE_ADDRESS, 0, "PCI address" },
	/* What is unusual but right. */
	{ "another version of the family, as genetlink has it",
	  EGPU_CMD_SETTINGS_GET, DO, other_version, 0, 0, 0, NULL },
};

/* Type of the attribute at an offset of the message that was sent. */
static uint16_t attribute_at(const struct msg *msg, uint32_t offset)
{
	const struct nlattr *attr = (const void *)(msg->data + offset);

	if (offset < NLMSG_HDRLEN + GENL_HDRLEN ||
	    offset + NLA_HDRLEN > msg->len)
		return 0;
	return attr->nla_type & NLA_TYPE_MASK;
}

static void check_answer(const struct hostile *hostile, const struct msg *msg,
			 const struct answer *answer)
{
	check(answer->error == -hostile->error, "error %d (%s), expected %d",
	      -answer->error, answer->text, hostile->error);
	if (hostile->attr)
		check(attribute_at(msg, answer->offset) == hostile->attr,
		      "points at attribute %u (offset %u), expected %u",
		      attribute_at(msg, answer->offset), answer->offset,
		      hostile->attr);
	if (hostile->missing)
		check(answer->missing == hostile->missing,
		      "misses attribute %u, expected %u", answer->missing,
		      hostile->missing);
	if (hostile->says)
		check(answer->text[0] && strstr(answer->text, hostile->says),
		      "says \"%s\", expected something with \"%s\"",
		      answer->text, hostile->says);
	if (answer->text[0])
		note("%s: %s", strerror(-answer->error), answer->text);
}

static void test_one(const struct hostile *hostile)
{
	static struct snapshot before, after;
	static struct answer answer;
	static struct msg msg;

	test_begin("%s", hostile->name);
	snapshot_take(&before, &nl, &family);
	msg_begin(&msg, family.id, hostile->flags, hostile->cmd);
	hostile->build(&msg);
	nl_ask(&nl, &msg, &answer);
	check_answer(hostile, &msg, &answer);
	snapshot_take(&after, &nl, &family);
	check(snapshot_same(&before, &after), "something has changed");
	test_end();
}

/* What netlink itself drops gets no answer; the next message gets its own. */
static void test_dropped(const char *name, uint32_t says, size_t has)
{
	static struct snapshot before, after;
	static struct msg msg;

	test_begin("%s", name);
	snapshot_take(&before, &nl, &family);
	msg_begin(&msg, family.id, NLM_F_ACK, EGPU_CMD_SETTINGS_SET);
	msg_put_u32(&msg, EGPU_A_SETTINGS_HOLD_MS, 17);
	head_of(&msg)->nlmsg_len = says;
	nl_send_as_is(&nl, msg.data, has);
	check(!nl_drain(&nl), "it was obeyed");
	snapshot_take(&after, &nl, &family);
	check(snapshot_same(&before, &after), "something has changed");
	test_end();
}

static void test_headers(void)
{
	test_dropped("a message shorter than a netlink header", 8, 8);
	test_dropped("a length that is more than was sent", 4096, 28);
	test_dropped("a length of 0", 0, 28);
	test_dropped("a length that ends in the netlink header", 15, 28);
	test_dropped("a length that ends before the command", 16, 28);
	test_dropped("a length that ends in the command's header", 18, 28);
	test_dropped("a length that ends in the attribute", 25, 28);
}

static void test_too_large_to_send(void)
{
	static struct msg msg;
	int small = 4096, error;

	test_begin("a message larger than the socket takes");
	msg_begin(&msg, family.id, 0, EGPU_CMD_DEVICE_GET);
	huge_of_unknown(&msg);
	setsockopt(nl.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	error = nl_send(&nl, &msg);
	check(error == -EMSGSIZE, "error %d, expected EMSGSIZE", error);
	test_end();
}

int main(void)
{
	size_t i;

	if (family_open(&nl, &family) || gpu_find(&nl, &family, true, &gpu))
		bail_out("there is no module or no external GPU");
	snprintf(gpu_address, sizeof(gpu_address), "%s", gpu.address);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		test_one(&table[i]);
	test_headers();
	test_too_large_to_send();
	return ktap_finish();
}
