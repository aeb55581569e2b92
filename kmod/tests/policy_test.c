// SPDX-License-Identifier: GPL-2.0
/*
 * Every attribute of every command, as the kernel parses it for the handlers.
 *
 * The table below says from the spec what is right; nothing in it is taken
 * from the generated policies.
 */
#include <kunit/test.h>

#include "family.h"

/* No id, cookie or address of the machine is like these. */
#define ABSENT_ID      0xfffffff0
#define ABSENT_COOKIE  0xfffffffffffffff0ULL
#define ABSENT_ADDRESS "fffe:fe:1e.6"

enum kind { KIND_U32, KIND_U64, KIND_STRING, KIND_FLAG };

/**
 * struct rule - one attribute of one command
 * @op: name of the command, and of its half where it has two
 * @cmd: the command
 * @half: GENL_CMD_CAP_DO or GENL_CMD_CAP_DUMP
 * @attr: the attribute
 * @name: of the attribute
 * @kind: its type
 * @min: least value; of a string, shortest length
 * @max: greatest value; of a string, greatest length without its zero
 */
struct rule {
	const char *op;
	u8 cmd;
	u8 half;
	u16 attr;
	const char *name;
	enum kind kind;
	u64 min;
	u64 max;
};

#define DO   GENL_CMD_CAP_DO
#define DUMP GENL_CMD_CAP_DUMP

static const struct rule rules[] = {
	{ "device-get", EGPU_CMD_DEVICE_GET, DO, EGPU_A_DEVICE_ID, "id",
	  KIND_U32, 1, U32_MAX },
	{ "device-get", EGPU_CMD_DEVICE_GET, DO, EGPU_A_DEVICE_ADDRESS,
	  "address", KIND_STRING, 0, EGPU_ADDRESS_LEN },
	{ "client-get", EGPU_CMD_CLIENT_GET, DUMP, EGPU_A_CLIENT_ID, "id",
	  KIND_U32, 1, U32_MAX },
	{ "client-get", EGPU_CMD_CLIENT_GET, DUMP, EGPU_A_CLIENT_COOKIE,
	  "cookie", KIND_U64, 1, U64_MAX },
	{ "removal-get", EGPU_CMD_REMOVAL_GET, DO, EGPU_A_REMOVAL_COOKIE,
	  "cookie", KIND_U64, 1, U64_MAX },
	{ "eject", EGPU_CMD_EJECT, DO, EGPU_A_REMOVAL_ID, "id", KIND_U32, 0,
	  U32_MAX },
	{ "eject", EGPU_CMD_EJECT, DO, EGPU_A_REMOVAL_TIMEOUT_MS, "timeout-ms",
	  KIND_U32, 0, EGPU_EJECT_MS_MAX },
	{ "eject", EGPU_CMD_EJECT, DO, EGPU_A_REMOVAL_FORCE, "force", KIND_FLAG },
	{ "accept", EGPU_CMD_ACCEPT, DO, EGPU_A_REMOVAL_COOKIE, "cookie",
	  KIND_U64, 1, U64_MAX },
	{ "ack", EGPU_CMD_ACK, DO, EGPU_A_REMOVAL_COOKIE, "cookie", KIND_U64, 1,
	  U64_MAX },
	{ "ack", EGPU_CMD_ACK, DO, EGPU_A_REMOVAL_VOUCHED, "vouched", KIND_FLAG },
	{ "cancel", EGPU_CMD_CANCEL, DO, EGPU_A_REMOVAL_COOKIE, "cookie",
	  KIND_U64, 1, U64_MAX },
	{ "cancel", EGPU_CMD_CANCEL, DO, EGPU_A_REMOVAL_REASON, "reason",
	  KIND_STRING, 0, EGPU_REASON_LEN },
	{ "settings-set", EGPU_CMD_SETTINGS_SET, DO, EGPU_A_SETTINGS_HOLD_MS,
	  "hold-ms", KIND_U32, 0, EGPU_HOLD_MS_MAX },
	{ "settings-set", EGPU_CMD_SETTINGS_SET, DO, EGPU_A_SETTINGS_ACCEPT_MS,
	  "accept-ms", KIND_U32, 0, EGPU_HOLD_MS_MAX },
	{ "settings-set", EGPU_CMD_SETTINGS_SET, DO, EGPU_A_SETTINGS_EJECT_MS,
	  "eject-ms", KIND_U32, 1, EGPU_EJECT_MS_MAX },
	{ "settings-set", EGPU_CMD_SETTINGS_SET, DO, EGPU_A_SETTINGS_DRAIN_MS,
	  "drain-ms", KIND_U32, 0, EGPU_DRAIN_MS_MAX },
	{ "override-set", EGPU_CMD_OVERRIDE_SET, DO, EGPU_A_OVERRIDE_ADDRESS,
	  "address", KIND_STRING, 0, EGPU_ADDRESS_LEN },
	{ "override-set", EGPU_CMD_OVERRIDE_SET, DO, EGPU_A_OVERRIDE_PLACEMENT,
	  "placement", KIND_U32, EGPU_PLACEMENT_AUTO, EGPU_PLACEMENT_INTERNAL },
	{ "refuse", EGPU_CMD_REFUSE, DO, EGPU_A_REMOVAL_COOKIE, "cookie",
	  KIND_U64, 1, U64_MAX },
	{ "refuse", EGPU_CMD_REFUSE, DO, EGPU_A_REMOVAL_REASON, "reason",
	  KIND_STRING, 0, EGPU_REASON_LEN },
	{ "report", EGPU_CMD_REPORT, DO, EGPU_A_REMOVAL_COOKIE, "cookie",
	  KIND_U64, 1, U64_MAX },
	{ "report", EGPU_CMD_REPORT, DO, EGPU_A_REMOVAL_STEP, "step", KIND_U32,
	  EGPU_STEP_NONE, EGPU_STEP_REMOVE },
	{ "buffer-get", EGPU_CMD_BUFFER_GET, DUMP, EGPU_A_BUFFER_ID, "id",
	  KIND_U32, 1, U32_MAX },
	{ "quiesce-get", EGPU_CMD_QUIESCE_GET, DO, EGPU_A_QUIESCE_ID, "id",
	  KIND_U32, 1, U32_MAX },
	{ "fence", EGPU_CMD_FENCE, DO, EGPU_A_QUIESCE_ID, "id", KIND_U32, 1,
	  U32_MAX },
	{ "drain", EGPU_CMD_DRAIN, DO, EGPU_A_QUIESCE_ID, "id", KIND_U32, 1,
	  U32_MAX },
	{ "drain", EGPU_CMD_DRAIN, DO, EGPU_A_QUIESCE_TIMEOUT_MS, "timeout-ms",
	  KIND_U32, 1, EGPU_EJECT_MS_MAX },
	{ "resume", EGPU_CMD_RESUME, DO, EGPU_A_QUIESCE_ID, "id", KIND_U32, 1,
	  U32_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_MIGRATION,
	  "migration", KIND_U64, 1, U64_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_PHASE, "phase",
	  KIND_U32, EGPU_MIGRATION_PHASE_STARTED,
	  EGPU_MIGRATION_PHASE_CHECKPOINTED },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_ID, "id", KIND_U32,
	  1, U32_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_TARGET, "target",
	  KIND_U32, 1, U32_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_CPU, "cpu",
	  KIND_FLAG },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_COOKIE, "cookie",
	  KIND_U64, 1, U64_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_PID, "pid",
	  KIND_U32, 1, U32_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_COMM, "comm",
	  KIND_STRING, 0, 15 },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_BYTES, "bytes",
	  KIND_U64, 0, U64_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_DURATION,
	  "duration", KIND_U64, 0, U64_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_STILL, "still",
	  KIND_U64, 0, U64_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_LOST, "lost",
	  KIND_U64, 0, U64_MAX },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_CHECKPOINT,
	  "checkpoint", KIND_STRING, 0, 39 },
	{ "migrate", EGPU_CMD_MIGRATE, DO, EGPU_A_MIGRATION_REASON, "reason",
	  KIND_STRING, 0, EGPU_REASON_LEN },
};

/* --- messages -------------------------------------------------------------- */

#define MESSAGE_MAX 512

/**
 * struct message - the attributes of a request
 * @len: bytes in use
 * @data: the attributes, one behind the other
 */
struct message {
	int len;
	u8 data[MESSAGE_MAX] __aligned(NLA_ALIGNTO);
};

static void add_attr(struct message *message, u16 type, const void *payload,
		     int len)
{
	struct nlattr *attr = (void *)(message->data + message->len);

	attr->nla_type = type;
	attr->nla_len = nla_attr_size(len);
	memcpy(nla_data(attr), payload, len);
	message->len += nla_total_size(len);
}

static const struct genl_split_ops *find_op(struct kunit *test, u8 cmd, u8 half)
{
	const struct genl_split_ops *op = egpu_nl_family.split_ops;
	unsigned int i;

	for (i = 0; i < egpu_nl_family.n_split_ops; i++, op++)
		if (op->cmd == cmd && op->flags & half)
			return op;
	KUNIT_FAIL_AND_ABORT(test, "there is no operation for command %u", cmd);
	return NULL;
}

/* As genl does it for an operation that turns no validation off. */
static int parse(struct kunit *test, const struct genl_split_ops *op,
		 const struct message *message)
{
	struct netlink_ext_ack extack = {};
	struct nlattr **attrs;

	attrs = kunit_kcalloc(test, op->maxattr + 1, sizeof(*attrs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, attrs);
	return __nla_parse(attrs, op->maxattr, (void *)message->data,
			   message->len, op->policy, NL_VALIDATE_STRICT,
			   &extack);
}

/* --- what may stand in an attribute ---------------------------------------- */

static int int_len(const struct rule *rule)
{
	return rule->kind == KIND_U64 ? sizeof(u64) : sizeof(u32);
}

static u64 int_limit(const struct rule *rule)
{
	return rule->kind == KIND_U64 ? U64_MAX : U32_MAX;
}

static bool is_int(const struct rule *rule)
{
	return rule->kind == KIND_U32 || rule->kind == KIND_U64;
}

static void add_int(struct message *message, const struct rule *rule, u64 value)
{
	u32 small = value;

	if (rule->kind == KIND_U64)
		add_attr(message, rule->attr, &value, sizeof(value));
	else
		add_attr(message, rule->attr, &small, sizeof(small));
}

static void add_string(struct message *message, const struct rule *rule,
		       int len, bool terminated)
{
	char text[MESSAGE_MAX / 2];

	memset(text, 'x', sizeof(text));
	text[len] = '\0';
	add_attr(message, rule->attr, text, len + terminated);
}

/* The simplest payload that is right. */
static void add_good(struct message *message, const struct rule *rule,
		     u16 type_flags)
{
	struct rule flagged = *rule;

	flagged.attr |= type_flags;
	if (is_int(rule))
		add_int(message, &flagged, rule->max);
	else if (rule->kind == KIND_STRING)
		add_string(message, &flagged, 1, true);
	else
		add_attr(message, flagged.attr, "", 0);
}

enum payload {
	PAYLOAD_MIN,
	PAYLOAD_BELOW_MIN,
	PAYLOAD_MAX,
	PAYLOAD_ABOVE_MAX,
	PAYLOAD_GREATEST,
	PAYLOAD_EMPTY,
	PAYLOAD_TOO_SHORT,
	PAYLOAD_TOO_LONG,
	PAYLOAD_UNTERMINATED,
	PAYLOAD_NESTED,
	PAYLOAD_TWICE,
	PAYLOAD_CUT_OFF,
	PAYLOADS,
};

static const char *const payload_names[PAYLOADS] = {
	[PAYLOAD_MIN] = "the least",
	[PAYLOAD_BELOW_MIN] = "one less than the least",
	[PAYLOAD_MAX] = "the most",
	[PAYLOAD_ABOVE_MAX] = "one more than the most",
	[PAYLOAD_GREATEST] = "the greatest of its type",
	[PAYLOAD_EMPTY] = "without payload",
	[PAYLOAD_TOO_SHORT] = "too short",
	[PAYLOAD_TOO_LONG] = "too long",
	[PAYLOAD_UNTERMINATED] = "without its zero",
	[PAYLOAD_NESTED] = "marked as nested",
	[PAYLOAD_TWICE] = "twice",
	[PAYLOAD_CUT_OFF] = "longer than its message",
};

/* Is there such a payload for this kind of attribute? */
static bool makes_sense(const struct rule *rule, enum payload payload)
{
	switch (payload) {
	case PAYLOAD_MIN:
	case PAYLOAD_MAX:
		return rule->kind != KIND_FLAG;
	case PAYLOAD_BELOW_MIN:
		return is_int(rule) && rule->min > 0;
	case PAYLOAD_ABOVE_MAX:
		return rule->kind == KIND_STRING ||
		       (is_int(rule) && rule->max < int_limit(rule));
	case PAYLOAD_GREATEST:
	case PAYLOAD_TOO_SHORT:
		return is_int(rule);
	case PAYLOAD_TOO_LONG:
		return rule->kind != KIND_STRING;
	case PAYLOAD_CUT_OFF:
		return rule->kind != KIND_FLAG;
	case PAYLOAD_UNTERMINATED:
		return rule->kind == KIND_STRING;
	default:
		return true;
	}
}

static bool may_pass(const struct rule *rule, enum payload payload)
{
	switch (payload) {
	case PAYLOAD_MIN:
	case PAYLOAD_MAX:
	case PAYLOAD_TWICE:
		return true;
	case PAYLOAD_GREATEST:
		return rule->max == int_limit(rule);
	case PAYLOAD_EMPTY:
		return rule->kind == KIND_FLAG;
	default:
		return false;
	}
}

static void add_wrong_size(struct message *message, const struct rule *rule,
			   int len)
{
	u8 ones[16];

	memset(ones, 1, sizeof(ones));
	add_attr(message, rule->attr, ones, len);
}

static void add_value(struct message *message, const struct rule *rule,
		      u64 value)
{
	if (rule->kind == KIND_STRING)
		add_string(message, rule, value, true);
	else
		add_int(message, rule, value);
}

static void add_payload(struct message *message, const struct rule *rule,
			enum payload payload)
{
	int len = is_int(rule) ? int_len(rule) : 0;

	switch (payload) {
	case PAYLOAD_MIN:
		return add_value(message, rule, rule->min);
	case PAYLOAD_BELOW_MIN:
		return add_value(message, rule, rule->min - 1);
	case PAYLOAD_MAX:
		return add_value(message, rule, rule->max);
	case PAYLOAD_ABOVE_MAX:
		return add_value(message, rule, rule->max + 1);
	case PAYLOAD_GREATEST:
		return add_value(message, rule, int_limit(rule));
	case PAYLOAD_EMPTY:
		return add_wrong_size(message, rule, 0);
	case PAYLOAD_TOO_SHORT:
		return add_wrong_size(message, rule, len - 1);
	case PAYLOAD_TOO_LONG:
		return add_wrong_size(message, rule, len + 1);
	case PAYLOAD_UNTERMINATED:
		return add_string(message, rule, 8, false);
	case PAYLOAD_NESTED:
		return add_good(message, rule, NLA_F_NESTED);
	case PAYLOAD_TWICE:
		add_good(message, rule, 0);
		return add_good(message, rule, 0);
	default:
		add_good(message, rule, 0);
		message->len -= NLA_ALIGNTO;
	}
}

/* A parameter is a rule and a payload in one number, from 1 on. */
static const void *payload_gen_params(const void *before, char *desc)
{
	unsigned long i = (unsigned long)before;
	const struct rule *rule;

	for (; i < ARRAY_SIZE(rules) * PAYLOADS; i++) {
		rule = &rules[i / PAYLOADS];
		if (!makes_sense(rule, i % PAYLOADS))
			continue;
		snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s: %s, %s", rule->op,
			 rule->name, payload_names[i % PAYLOADS]);
		return (void *)(i + 1);
	}
	return NULL;
}

static void attribute_is_checked(struct kunit *test)
{
	unsigned long i = (unsigned long)test->param_value - 1;
	const struct rule *rule = &rules[i / PAYLOADS];
	enum payload payload = i % PAYLOADS;
	struct message message = {};
	int ret;

	add_payload(&message, rule, payload);
	ret = parse(test, find_op(test, rule->cmd, rule->half), &message);
	if (may_pass(rule, payload))
		KUNIT_EXPECT_EQ(test, ret, 0);
	else
		KUNIT_EXPECT_LT(test, ret, 0);
}

/* --- operations ------------------------------------------------------------ */

/**
 * struct op_case - one half of a command
 * @name: of the command
 * @cmd: the command
 * @half: GENL_CMD_CAP_DO or GENL_CMD_CAP_DUMP
 * @admin: for CAP_NET_ADMIN only
 */
struct op_case {
	const char *name;
	u8 cmd;
	u8 half;
	bool admin;
};

static const struct op_case op_cases[] = {
	{ "device-get do", EGPU_CMD_DEVICE_GET, DO, false },
	{ "device-get dump", EGPU_CMD_DEVICE_GET, DUMP, false },
	{ "client-get dump", EGPU_CMD_CLIENT_GET, DUMP, false },
	{ "removal-get do", EGPU_CMD_REMOVAL_GET, DO, false },
	{ "removal-get dump", EGPU_CMD_REMOVAL_GET, DUMP, false },
	{ "eject do", EGPU_CMD_EJECT, DO, true },
	{ "accept do", EGPU_CMD_ACCEPT, DO, true },
	{ "ack do", EGPU_CMD_ACK, DO, true },
	{ "cancel do", EGPU_CMD_CANCEL, DO, true },
	{ "settings-get do", EGPU_CMD_SETTINGS_GET, DO, false },
	{ "settings-set do", EGPU_CMD_SETTINGS_SET, DO, true },
	{ "override-get dump", EGPU_CMD_OVERRIDE_GET, DUMP, false },
	{ "override-set do", EGPU_CMD_OVERRIDE_SET, DO, true },
	{ "refuse do", EGPU_CMD_REFUSE, DO, true },
	{ "report do", EGPU_CMD_REPORT, DO, true },
	{ "buffer-get dump", EGPU_CMD_BUFFER_GET, DUMP, false },
	{ "quiesce-get do", EGPU_CMD_QUIESCE_GET, DO, false },
	{ "quiesce-get dump", EGPU_CMD_QUIESCE_GET, DUMP, false },
	{ "fence do", EGPU_CMD_FENCE, DO, true },
	{ "drain do", EGPU_CMD_DRAIN, DO, true },
	{ "resume do", EGPU_CMD_RESUME, DO, true },
	{ "migrate do", EGPU_CMD_MIGRATE, DO, true },
};

static void op_name(const struct op_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, op_cases, op_name);

static void operation_is_as_privileged_as_it_should(struct kunit *test)
{
	const struct op_case *c = test->param_value;
	const struct genl_split_ops *op = find_op(test, c->cmd, c->half);

	KUNIT_EXPECT_EQ(test, op->flags,
			c->half | (c->admin ? GENL_ADMIN_PERM : 0));
	/* No validation is turned off. */
	KUNIT_EXPECT_EQ(test, op->validate, 0);
	if (c->half == DO)
		KUNIT_EXPECT_NOT_NULL(test, op->doit);
	else
		KUNIT_EXPECT_NOT_NULL(test, op->dumpit);
}

static const struct rule *find_rule_of(const struct op_case *c, u16 attr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].cmd == c->cmd && rules[i].half == c->half &&
		    rules[i].attr == attr)
			return &rules[i];
	return NULL;
}

/* What the table does not name is turned down, in and beyond the policy. */
static void operation_takes_its_attributes_only(struct kunit *test)
{
	const struct op_case *c = test->param_value;
	const struct genl_split_ops *op = find_op(test, c->cmd, c->half);
	const struct rule *rule;
	struct rule unknown = { .kind = KIND_U32, .max = 1 };
	u16 attr;

	if (!op->policy) {
		for (attr = 0; attr <= EGPU_A_REMOVAL_MAX; attr++)
			KUNIT_EXPECT_NULL(test, find_rule_of(c, attr));
		return;
	}
	for (attr = 0; attr <= EGPU_A_REMOVAL_MAX + 1; attr++) {
		struct message message = {};

		rule = find_rule_of(c, attr);
		unknown.attr = attr;
		add_good(&message, rule ?: &unknown, 0);
		if (rule)
			KUNIT_EXPECT_EQ_MSG(test, 0, parse(test, op, &message),
					    "attribute %u", attr);
		else
			KUNIT_EXPECT_LT_MSG(test, parse(test, op, &message), 0,
					    "attribute %u", attr);
	}
}

static void every_operation_is_in_the_table(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, egpu_nl_family.n_split_ops, ARRAY_SIZE(op_cases));
}

/* --- what only the handlers see -------------------------------------------- */

static int call(struct kunit *test, u8 cmd, u8 half,
		const struct message *message, struct netlink_ext_ack *extack)
{
	const struct genl_split_ops *op = find_op(test, cmd, half);
	struct nlmsghdr *head =
		kunit_kzalloc(test, NLMSG_HDRLEN + GENL_HDRLEN + MESSAGE_MAX,
			      GFP_KERNEL);
	struct nlattr **attrs = kunit_kcalloc(test, EGPU_A_REMOVAL_MAX + 1,
					      sizeof(*attrs), GFP_KERNEL);
	struct netlink_callback cb = { .nlh = head, .extack = extack };
	struct genl_info info = { .nlhdr = head,
				  .attrs = attrs,
				  .extack = extack };

	KUNIT_ASSERT_NOT_NULL(test, head);
	KUNIT_ASSERT_NOT_NULL(test, attrs);
	head->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + message->len;
	memcpy(nlmsg_attrdata(head, GENL_HDRLEN), message->data, message->len);
	if (op->policy)
		KUNIT_ASSERT_EQ(test, 0,
				nlmsg_parse(head, GENL_HDRLEN, attrs,
					    op->maxattr, op->policy, extack));
	return half == DO ? op->doit(NULL, &info) : op->dumpit(NULL, &cb);
}

#define HAS(attr) BIT(attr)

/**
 * struct missing_case - a message in which something is missing or too much
 * @name: what
 * @cmd: the command
 * @has: the attributes in it
 * @ret: what the handler says
 */
struct missing_case {
	const char *name;
	u8 cmd;
	unsigned long has;
	int ret;
};

static const struct missing_case missing_cases[] = {
	{ "device-get of nothing", EGPU_CMD_DEVICE_GET, 0, -EINVAL },
	{ "device-get by id and address", EGPU_CMD_DEVICE_GET,
	  HAS(EGPU_A_DEVICE_ID) | HAS(EGPU_A_DEVICE_ADDRESS), -EINVAL },
	{ "device-get by an id", EGPU_CMD_DEVICE_GET, HAS(EGPU_A_DEVICE_ID),
	  -ENODEV },
	{ "device-get by an address", EGPU_CMD_DEVICE_GET,
	  HAS(EGPU_A_DEVICE_ADDRESS), -ENODEV },
	{ "removal-get without cookie", EGPU_CMD_REMOVAL_GET, 0, -EINVAL },
	{ "removal-get", EGPU_CMD_REMOVAL_GET, HAS(EGPU_A_REMOVAL_COOKIE),
	  -ENOENT },
	{ "eject without id", EGPU_CMD_EJECT, HAS(EGPU_A_REMOVAL_TIMEOUT_MS),
	  -EINVAL },
	{ "eject", EGPU_CMD_EJECT, HAS(EGPU_A_REMOVAL_ID), -ENODEV },
	{ "accept without cookie", EGPU_CMD_ACCEPT, 0, -EINVAL },
	{ "accept", EGPU_CMD_ACCEPT, HAS(EGPU_A_REMOVAL_COOKIE), -ENOENT },
	{ "ack without cookie", EGPU_CMD_ACK, 0, -EINVAL },
	{ "ack", EGPU_CMD_ACK, HAS(EGPU_A_REMOVAL_COOKIE), -ENOENT },
	{ "cancel without cookie", EGPU_CMD_CANCEL, HAS(EGPU_A_REMOVAL_REASON),
	  -EINVAL },
	{ "cancel", EGPU_CMD_CANCEL, HAS(EGPU_A_REMOVAL_COOKIE), -ENOENT },
	{ "settings-set of nothing", EGPU_CMD_SETTINGS_SET, 0, 0 },
	{ "override-set of nothing", EGPU_CMD_OVERRIDE_SET, 0, -EINVAL },
	{ "override-set without placement", EGPU_CMD_OVERRIDE_SET,
	  HAS(EGPU_A_OVERRIDE_ADDRESS), -EINVAL },
	{ "override-set without address", EGPU_CMD_OVERRIDE_SET,
	  HAS(EGPU_A_OVERRIDE_PLACEMENT), -EINVAL },
	{ "refuse without cookie", EGPU_CMD_REFUSE, HAS(EGPU_A_REMOVAL_REASON),
	  -EINVAL },
	{ "refuse", EGPU_CMD_REFUSE, HAS(EGPU_A_REMOVAL_COOKIE), -ENOENT },
	{ "report without cookie", EGPU_CMD_REPORT, HAS(EGPU_A_REMOVAL_STEP),
	  -EINVAL },
	{ "report without step", EGPU_CMD_REPORT, HAS(EGPU_A_REMOVAL_COOKIE),
	  -EINVAL },
	{ "report", EGPU_CMD_REPORT,
	  HAS(EGPU_A_REMOVAL_COOKIE) | HAS(EGPU_A_REMOVAL_STEP), -ENOENT },
	{ "quiesce-get without id", EGPU_CMD_QUIESCE_GET, 0, -EINVAL },
	{ "quiesce-get", EGPU_CMD_QUIESCE_GET, HAS(EGPU_A_QUIESCE_ID), -ENODEV },
	{ "fence without id", EGPU_CMD_FENCE, 0, -EINVAL },
	{ "fence", EGPU_CMD_FENCE, HAS(EGPU_A_QUIESCE_ID), -ENODEV },
	{ "drain without id", EGPU_CMD_DRAIN, HAS(EGPU_A_QUIESCE_TIMEOUT_MS),
	  -EINVAL },
	{ "drain without timeout", EGPU_CMD_DRAIN, HAS(EGPU_A_QUIESCE_ID),
	  -EINVAL },
	{ "drain", EGPU_CMD_DRAIN,
	  HAS(EGPU_A_QUIESCE_ID) | HAS(EGPU_A_QUIESCE_TIMEOUT_MS), -ENODEV },
	{ "resume without id", EGPU_CMD_RESUME, 0, -EINVAL },
	{ "resume", EGPU_CMD_RESUME, HAS(EGPU_A_QUIESCE_ID), -ENODEV },
	{ "migrate of nothing", EGPU_CMD_MIGRATE, HAS(EGPU_A_MIGRATION_PHASE),
	  -EINVAL },
	{ "migrate without phase", EGPU_CMD_MIGRATE,
	  HAS(EGPU_A_MIGRATION_MIGRATION), -EINVAL },
	{ "migrate without helpers", EGPU_CMD_MIGRATE,
	  HAS(EGPU_A_MIGRATION_MIGRATION) | HAS(EGPU_A_MIGRATION_PHASE), -EPERM },
};

static void missing_name(const struct missing_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(missing, missing_cases, missing_name);

/* Names something that is not there. */
static void add_absent(struct message *message, const struct rule *rule)
{
	if (rule->kind == KIND_U64)
		add_int(message, rule, ABSENT_COOKIE);
	else if (rule->kind == KIND_STRING)
		add_attr(message, rule->attr, ABSENT_ADDRESS,
			 sizeof(ABSENT_ADDRESS));
	else
		add_int(message, rule, min(rule->max, (u64)ABSENT_ID));
}

static void missing_attribute_is_told(struct kunit *test)
{
	const struct missing_case *c = test->param_value;
	struct netlink_ext_ack extack = {};
	struct message message = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].cmd == c->cmd && c->has & BIT(rules[i].attr))
			add_absent(&message, &rules[i]);
	KUNIT_EXPECT_EQ(test, c->ret, call(test, c->cmd, DO, &message, &extack));
	/* Whoever is turned down is told why, in words. */
	if (c->ret)
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
}

static const struct op_case bare_cases[] = {
	{ "device-get dump", EGPU_CMD_DEVICE_GET, DUMP },
	{ "removal-get dump", EGPU_CMD_REMOVAL_GET, DUMP },
	{ "settings-get do", EGPU_CMD_SETTINGS_GET, DO },
	{ "override-get dump", EGPU_CMD_OVERRIDE_GET, DUMP },
	{ "quiesce-get dump", EGPU_CMD_QUIESCE_GET, DUMP },
};

KUNIT_ARRAY_PARAM(bare, bare_cases, op_name);

/* Operations without a policy turn any attribute down themselves. */
static void bare_operation_takes_nothing(struct kunit *test)
{
	const struct op_case *c = test->param_value;
	struct netlink_ext_ack extack = {};
	struct message message = {};
	u32 value = 1;

	KUNIT_ASSERT_NULL(test, find_op(test, c->cmd, c->half)->policy);
	add_attr(&message, 1, &value, sizeof(value));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			call(test, c->cmd, c->half, &message, &extack));
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE_PARAM(attribute_is_checked, payload_gen_params),
	KUNIT_CASE_PARAM(operation_is_as_privileged_as_it_should, op_gen_params),
	KUNIT_CASE_PARAM(operation_takes_its_attributes_only, op_gen_params),
	KUNIT_CASE(every_operation_is_in_the_table),
	KUNIT_CASE_PARAM(missing_attribute_is_told, missing_gen_params),
	KUNIT_CASE_PARAM(bare_operation_takes_nothing, bare_gen_params),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "egpu_policy",
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's netlink policies");
MODULE_LICENSE("GPL");
