// SPDX-License-Identifier: GPL-2.0
/*
 * What a helper says of a migration: what is turned down, and what is passed on.
 * Built in there is no helper, so there the suite says that it is skipped; what
 * the policy sees to is in policy_test.c.
 */
#include <kunit/test.h>

#ifdef MODULE

#include "../netlink_migrate.c"

#define LAST_ID	    7
#define LAST_COOKIE 0x100000002ULL
#define PORT	    4711

/* What the rest of the module would say, and what it was told. */
static bool listens;
static unsigned int events;
static u32 told_pid, told_helper;

/* As in the module. */
DEFINE_MUTEX(egpu_lock);

bool egpu_helper_listens(void)
{
	return listens;
}

bool egpu_device_was_there(u32 id)
{
	lockdep_assert_held(&egpu_lock);
	return id && id <= LAST_ID;
}

bool egpu_request_was_there(u64 cookie)
{
	lockdep_assert_held(&egpu_lock);
	return cookie && cookie <= LAST_COOKIE;
}

void egpu_event_migration(const struct egpu_migration *said)
{
	lockdep_assert_held(&egpu_lock);
	events++;
	told_pid = said->pid;
	told_helper = said->helper;
}

int egpu_error(struct genl_info *info, int attr, int error, const char *why)
{
	info->extack->_msg = why;
	info->extack->bad_attr = attr ? info->attrs[attr] : NULL;
	return error;
}

/* --- messages --------------------------------------------------------------- */

/**
 * struct request - what a helper says
 * @test: the test
 * @attrs: its attributes
 * @extack: what was said against it
 */
struct request {
	struct kunit *test;
	struct nlattr *attrs[EGPU_A_MIGRATION_MAX + 1];
	struct netlink_ext_ack extack;
};

static void add(struct request *request, int type, const void *data, int len)
{
	struct nlattr *attr =
		kunit_kzalloc(request->test, nla_total_size(len), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(request->test, attr);
	attr->nla_type = type;
	attr->nla_len = nla_attr_size(len);
	memcpy(nla_data(attr), data, len);
	request->attrs[type] = attr;
}

static void add_u32(struct request *request, int type, u32 value)
{
	add(request, type, &value, sizeof(value));
}

static void add_u64(struct request *request, int type, u64 value)
{
	add(request, type, &value, sizeof(value));
}

static void add_text(struct request *request, int type, char c, size_t len)
{
	char text[EGPU_REASON_LEN + 1] = {};

	memset(text, c, len);
	add(request, type, text, len + 1);
}

/* What every message must have. */
static struct request *make_request(struct kunit *test)
{
	struct request *request =
		kunit_kzalloc(test, sizeof(*request), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, request);
	request->test = test;
	add_u64(request, EGPU_A_MIGRATION_MIGRATION, 1);
	add_u32(request, EGPU_A_MIGRATION_PHASE, EGPU_MIGRATION_PHASE_FAILED);
	listens = true;
	events = 0;
	return request;
}

static int say(struct request *request)
{
	struct genl_info info = {
		.attrs = request->attrs,
		.extack = &request->extack,
		.snd_portid = PORT,
	};

	return egpu_nl_migrate_doit(NULL, &info);
}

/* The message is turned down for this, and nobody is told. */
static void expect_no(struct request *request, int error, int attr)
{
	struct kunit *test = request->test;

	KUNIT_EXPECT_EQ(test, error, say(request));
	KUNIT_EXPECT_EQ(test, events, 0);
	KUNIT_EXPECT_NOT_NULL(test, request->extack._msg);
	KUNIT_EXPECT_PTR_EQ(test, request->extack.bad_attr,
			    attr ? request->attrs[attr] : NULL);
}

/* --- what is turned down ---------------------------------------------------- */

static void helper_must_listen(struct kunit *test)
{
	struct request *request = make_request(test);

	listens = false;
	expect_no(request, -EPERM, 0);
	listens = true;
	KUNIT_EXPECT_EQ(test, 0, say(request));
	KUNIT_EXPECT_EQ(test, events, 1);
	KUNIT_EXPECT_EQ(test, told_helper, PORT);
}

static void gpus_must_have_been_there(struct kunit *test)
{
	struct request *request = make_request(test);

	add_u32(request, EGPU_A_MIGRATION_ID, LAST_ID + 1);
	expect_no(request, -ENODEV, EGPU_A_MIGRATION_ID);
	add_u32(request, EGPU_A_MIGRATION_ID, LAST_ID);
	add_u32(request, EGPU_A_MIGRATION_TARGET, LAST_ID + 1);
	expect_no(request, -ENODEV, EGPU_A_MIGRATION_TARGET);
	add_u32(request, EGPU_A_MIGRATION_TARGET, 1);
	KUNIT_EXPECT_EQ(test, 0, say(request));
	KUNIT_EXPECT_EQ(test, events, 1);
}

static void removal_must_have_been_there(struct kunit *test)
{
	struct request *request = make_request(test);

	add_u64(request, EGPU_A_MIGRATION_COOKIE, LAST_COOKIE + 1);
	expect_no(request, -ENOENT, EGPU_A_MIGRATION_COOKIE);
	add_u64(request, EGPU_A_MIGRATION_COOKIE, LAST_COOKIE);
	KUNIT_EXPECT_EQ(test, 0, say(request));
}

static void work_goes_to_one_place(struct kunit *test)
{
	struct request *request = make_request(test);

	add(request, EGPU_A_MIGRATION_CPU, "", 0);
	KUNIT_EXPECT_EQ(test, 0, say(request));
	events = 0;
	add_u32(request, EGPU_A_MIGRATION_TARGET, 1);
	expect_no(request, -EINVAL, EGPU_A_MIGRATION_CPU);
}

static void pid_is_a_process_of_the_sender(struct kunit *test)
{
	struct request *request = make_request(test);

	KUNIT_EXPECT_EQ(test, 0, say(request));
	KUNIT_EXPECT_EQ(test, told_pid, 0);
	add_u32(request, EGPU_A_MIGRATION_PID, task_tgid_vnr(current));
	KUNIT_EXPECT_EQ(test, 0, say(request));
	KUNIT_EXPECT_EQ(test, told_pid, task_tgid_nr(current));
	/* It may have ended by now; what it was is told all the same. */
	add_u32(request, EGPU_A_MIGRATION_PID, U32_MAX);
	KUNIT_EXPECT_EQ(test, 0, say(request));
	KUNIT_EXPECT_EQ(test, told_pid, 0);
	KUNIT_EXPECT_EQ(test, events, 3);
}

/* --- what is passed on ------------------------------------------------------ */

static void release_skb(void *skb)
{
	nlmsg_free(skb);
}

static struct sk_buff *make_skb(struct kunit *test, size_t size)
{
	struct sk_buff *skb = nlmsg_new(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, release_skb, skb));
	return skb;
}

/* Without order and padding: of each attribute at most one. */
static void read_back(struct kunit *test, struct sk_buff *skb,
		      struct nlattr **attrs)
{
	struct nlattr *attr;
	int left;

	nla_for_each_attr(attr, (void *)skb->data, skb->len, left) {
		KUNIT_ASSERT_LE(test, nla_type(attr), EGPU_A_MIGRATION_MAX);
		if (nla_type(attr) == EGPU_A_MIGRATION_PAD)
			continue;
		KUNIT_EXPECT_NULL(test, attrs[nla_type(attr)]);
		attrs[nla_type(attr)] = attr;
	}
	KUNIT_EXPECT_EQ(test, left, 0);
}

/* Everything that can be said, as long as it can be. */
static struct request *make_full(struct kunit *test)
{
	struct request *request = make_request(test);

	add_u64(request, EGPU_A_MIGRATION_MIGRATION, U64_MAX);
	add_u32(request, EGPU_A_MIGRATION_PHASE, EGPU_MIGRATION_PHASE_COMPLETED);
	add_u32(request, EGPU_A_MIGRATION_ID, 3);
	add_u32(request, EGPU_A_MIGRATION_TARGET, 4);
	add(request, EGPU_A_MIGRATION_CPU, "", 0);
	add_u64(request, EGPU_A_MIGRATION_COOKIE, 5);
	add_text(request, EGPU_A_MIGRATION_COMM, 'c', 15);
	add_u64(request, EGPU_A_MIGRATION_BYTES, 6);
	add_u64(request, EGPU_A_MIGRATION_DURATION, 7);
	add_u64(request, EGPU_A_MIGRATION_STILL, 8);
	add_u64(request, EGPU_A_MIGRATION_LOST, 0);
	add_text(request, EGPU_A_MIGRATION_CHECKPOINT, 'i', 39);
	add_text(request, EGPU_A_MIGRATION_REASON, 'r', EGPU_REASON_LEN);
	return request;
}

static void everything_is_passed_on(struct kunit *test)
{
	struct request *request = make_full(test);
	struct egpu_migration said = {
		.attrs = request->attrs,
		.pid = 17,
		.helper = PORT,
	};
	struct sk_buff *skb = make_skb(test, EGPU_EVENT_ROOM);
	struct nlattr *attrs[EGPU_A_MIGRATION_MAX + 1] = {};
	int i;

	KUNIT_ASSERT_EQ(test, 0, egpu_put_migration(skb, &said));
	read_back(test, skb, attrs);
	for (i = EGPU_A_MIGRATION_MIGRATION; i < EGPU_A_MIGRATION_HELPER; i++) {
		KUNIT_ASSERT_NOT_NULL_MSG(test, attrs[i], "attribute %d", i);
		if (i == EGPU_A_MIGRATION_PID)
			continue;
		KUNIT_ASSERT_EQ(test, nla_len(attrs[i]),
				nla_len(request->attrs[i]));
		KUNIT_EXPECT_MEMEQ(test, nla_data(attrs[i]),
				   nla_data(request->attrs[i]),
				   nla_len(attrs[i]));
	}
	KUNIT_EXPECT_EQ(test, nla_get_u32(attrs[EGPU_A_MIGRATION_PID]), 17);
	KUNIT_EXPECT_EQ(test, nla_get_u32(attrs[EGPU_A_MIGRATION_HELPER]), PORT);
	/* There is room for the number and the time of the event, too. */
	KUNIT_EXPECT_LE(test, skb->len + 2 * nla_total_size_64bit(sizeof(u64)),
			EGPU_EVENT_ROOM);
}

static void nothing_is_added(struct kunit *test)
{
	struct request *request = make_request(test);
	struct egpu_migration said = { .attrs = request->attrs, .helper = PORT };
	struct sk_buff *skb = make_skb(test, EGPU_EVENT_ROOM);
	struct nlattr *attrs[EGPU_A_MIGRATION_MAX + 1] = {};
	int i;

	KUNIT_ASSERT_EQ(test, 0, egpu_put_migration(skb, &said));
	read_back(test, skb, attrs);
	for (i = 0; i <= EGPU_A_MIGRATION_MAX; i++)
		KUNIT_EXPECT_EQ_MSG(test, !!attrs[i],
				    i == EGPU_A_MIGRATION_MIGRATION ||
					    i == EGPU_A_MIGRATION_PHASE ||
					    i == EGPU_A_MIGRATION_HELPER,
				    "attribute %d", i);
}

/* No room for one attribute is noticed wherever it is missing. */
static void missing_room_is_noticed(struct kunit *test)
{
	struct request *request = make_full(test);
	struct egpu_migration said = {
		.attrs = request->attrs,
		.pid = 17,
		.helper = PORT,
	};
	struct sk_buff *skb = make_skb(test, EGPU_EVENT_ROOM);
	unsigned int full, i;

	KUNIT_ASSERT_EQ(test, 0, egpu_put_migration(skb, &said));
	full = skb->len;
	for (i = 0; i < full; i += NLA_ALIGNTO) {
		skb_trim(skb, 0);
		skb_put(skb, skb_tailroom(skb) - i);
		KUNIT_EXPECT_EQ_MSG(test, -EMSGSIZE,
				    egpu_put_migration(skb, &said),
				    "%u bytes of room", i);
	}
}

static struct kunit_case migrate_cases[] = {
	KUNIT_CASE(helper_must_listen),
	KUNIT_CASE(gpus_must_have_been_there),
	KUNIT_CASE(removal_must_have_been_there),
	KUNIT_CASE(work_goes_to_one_place),
	KUNIT_CASE(pid_is_a_process_of_the_sender),
	KUNIT_CASE(everything_is_passed_on),
	KUNIT_CASE(nothing_is_added),
	KUNIT_CASE(missing_room_is_noticed),
	{}
};

#else

static void needs_helpers_of_its_own(struct kunit *test)
{
	kunit_skip(test, "a helper can be made up in a module only");
}

static struct kunit_case migrate_cases[] = { KUNIT_CASE(needs_helpers_of_its_own),
					     {} };

#endif /* MODULE */

static struct kunit_suite migrate_suite = {
	.name = "egpu_migrate",
	.test_cases = migrate_cases,
};

kunit_test_suite(migrate_suite);

MODULE_DESCRIPTION("KUnit tests of what egpu passes on of migrations");
MODULE_LICENSE("GPL");
