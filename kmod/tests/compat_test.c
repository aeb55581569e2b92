// SPDX-License-Identifier: GPL-2.0
/*
 * What makes kernels look alike: the family's registration, the accessors,
 * and the merging of split operations that kernels before 6.2 need.
 */
#include <kunit/test.h>
#include <drm/drm_file.h>

#include "../compat/compat.h"
#include "../compat/drm.h"
#include "../compat/genl_merge.h"
#include "family.h"

/* --- split operations merged ----------------------------------------------- */

/**
 * struct merge_case - a command and which halves it has
 * @name: of the command
 * @cmd: the command
 * @halves: GENL_CMD_CAP_DO, GENL_CMD_CAP_DUMP or both
 * @admin: for CAP_NET_ADMIN only
 * @maxattr: of its policy, 0 for none
 */
struct merge_case {
	const char *name;
	u8 cmd;
	u8 halves;
	bool admin;
	unsigned int maxattr;
};

#define DO   GENL_CMD_CAP_DO
#define DUMP GENL_CMD_CAP_DUMP

static const struct merge_case merge_cases[] = {
	{ "device-get", EGPU_CMD_DEVICE_GET, DO | DUMP, false,
	  EGPU_A_DEVICE_ADDRESS },
	{ "client-get", EGPU_CMD_CLIENT_GET, DUMP, false, EGPU_A_CLIENT_COOKIE },
	{ "removal-get", EGPU_CMD_REMOVAL_GET, DO | DUMP, false,
	  EGPU_A_REMOVAL_COOKIE },
	{ "eject", EGPU_CMD_EJECT, DO, true, EGPU_A_REMOVAL_TIMEOUT_MS },
	{ "accept", EGPU_CMD_ACCEPT, DO, true, EGPU_A_REMOVAL_COOKIE },
	{ "ack", EGPU_CMD_ACK, DO, true, EGPU_A_REMOVAL_VOUCHED },
	{ "cancel", EGPU_CMD_CANCEL, DO, true, EGPU_A_REMOVAL_REASON },
	{ "settings-get", EGPU_CMD_SETTINGS_GET, DO, false, 0 },
	{ "settings-set", EGPU_CMD_SETTINGS_SET, DO, true,
	  EGPU_A_SETTINGS_DRAIN_MS },
	{ "override-get", EGPU_CMD_OVERRIDE_GET, DUMP, false, 0 },
	{ "override-set", EGPU_CMD_OVERRIDE_SET, DO, true,
	  EGPU_A_OVERRIDE_PLACEMENT },
	{ "refuse", EGPU_CMD_REFUSE, DO, true, EGPU_A_REMOVAL_REASON },
	{ "report", EGPU_CMD_REPORT, DO, true, EGPU_A_REMOVAL_STEP },
	{ "buffer-get", EGPU_CMD_BUFFER_GET, DUMP, false, EGPU_A_BUFFER_ID },
	{ "quiesce-get", EGPU_CMD_QUIESCE_GET, DO | DUMP, false,
	  EGPU_A_QUIESCE_ID },
	{ "fence", EGPU_CMD_FENCE, DO, true, EGPU_A_QUIESCE_ID },
	{ "drain", EGPU_CMD_DRAIN, DO, true, EGPU_A_QUIESCE_TIMEOUT_MS },
	{ "resume", EGPU_CMD_RESUME, DO, true, EGPU_A_QUIESCE_ID },
	{ "migrate", EGPU_CMD_MIGRATE, DO, true, EGPU_A_MIGRATION_REASON },
};

static void merge_name(const struct merge_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(merge, merge_cases, merge_name);

static unsigned int merge(struct genl_ops *ops, unsigned int size)
{
	memset(ops, 0, size * sizeof(*ops));
	return egpu_compat_merge_ops(egpu_nl_family.split_ops,
				     egpu_nl_family.n_split_ops, ops, size);
}

static const struct genl_split_ops *half_of(u8 cmd, u8 half)
{
	const struct genl_split_ops *split = egpu_nl_family.split_ops;
	unsigned int i;

	for (i = 0; i < egpu_nl_family.n_split_ops; i++)
		if (split[i].cmd == cmd && split[i].flags & half)
			return &split[i];
	return NULL;
}

static void check_handlers(struct kunit *test, const struct genl_ops *op,
			   const struct merge_case *c)
{
	const struct genl_split_ops *doit = half_of(c->cmd, DO);
	const struct genl_split_ops *dump = half_of(c->cmd, DUMP);

	KUNIT_EXPECT_EQ(test, !!doit, !!(c->halves & DO));
	KUNIT_EXPECT_EQ(test, !!dump, !!(c->halves & DUMP));
	KUNIT_EXPECT_TRUE(test, op->doit == (doit ? doit->doit : NULL));
	KUNIT_EXPECT_TRUE(test, op->start == (dump ? dump->start : NULL));
	KUNIT_EXPECT_TRUE(test, op->dumpit == (dump ? dump->dumpit : NULL));
	KUNIT_EXPECT_TRUE(test, op->done == (dump ? dump->done : NULL));
}

static void command_is_merged(struct kunit *test)
{
	const struct merge_case *c = test->param_value;
	struct genl_ops ops[EGPU_CMD_MAX];
	unsigned int i, n = merge(ops, ARRAY_SIZE(ops)), found = 0;

	for (i = 0; i < n; i++) {
		if (ops[i].cmd != c->cmd)
			continue;
		found++;
		KUNIT_EXPECT_EQ(test, ops[i].flags,
				c->halves | (c->admin ? GENL_ADMIN_PERM : 0));
		KUNIT_EXPECT_EQ(test, ops[i].maxattr, c->maxattr);
		KUNIT_EXPECT_EQ(test, !ops[i].policy, !c->maxattr);
		KUNIT_EXPECT_EQ(test, ops[i].validate, 0);
		check_handlers(test, &ops[i], c);
	}
	KUNIT_EXPECT_EQ(test, found, 1);
}

static void every_command_is_merged(struct kunit *test)
{
	struct genl_ops ops[EGPU_CMD_MAX];

	KUNIT_EXPECT_EQ(test, merge(ops, ARRAY_SIZE(ops)),
			ARRAY_SIZE(merge_cases));
}

static void merging_stays_in_its_bounds(struct kunit *test)
{
	struct genl_ops ops[ARRAY_SIZE(merge_cases) + 1];
	unsigned int size = ARRAY_SIZE(merge_cases);

	memset(&ops[size], 0x5a, sizeof(ops[size]));
	KUNIT_EXPECT_EQ(test, merge(ops, size), size);
	KUNIT_EXPECT_EQ(test, merge(ops, size - 1), 0);
	KUNIT_EXPECT_EQ(test, merge(ops, 0), 0);
	KUNIT_EXPECT_EQ(test, ops[size].cmd, 0x5a);
}

static struct genl_family merged_family = {
	.name = "egpu-kunit",
	.version = 1,
	.parallel_ops = true,
	.module = THIS_MODULE,
};

static void kernel_takes_the_merged(struct kunit *test)
{
	static struct genl_ops ops[EGPU_CMD_MAX];

	merged_family.n_ops = merge(ops, ARRAY_SIZE(ops));
	merged_family.ops = ops;
	KUNIT_ASSERT_EQ(test, genl_register_family(&merged_family), 0);
	KUNIT_EXPECT_EQ(test, genl_unregister_family(&merged_family), 0);
}

/* --- the family ------------------------------------------------------------ */

#ifdef MODULE
static void withdraw(void *unused)
{
	egpu_netlink_exit();
}
#endif

/* Built in, the family is there already. */
static const struct genl_family *make_family(struct kunit *test)
{
#ifdef MODULE
	KUNIT_ASSERT_EQ_MSG(test, egpu_netlink_init(), 0, "is egpu.ko loaded?");
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, withdraw, NULL));
#endif
	return egpu_compat_family();
}

static void family_is_as_in_the_spec(struct kunit *test)
{
	const struct genl_family *family = make_family(test);

	KUNIT_EXPECT_GE(test, family->id, GENL_MIN_ID);
	KUNIT_EXPECT_STREQ(test, family->name, "egpu");
	KUNIT_EXPECT_EQ(test, family->version, 1);
	KUNIT_EXPECT_TRUE(test, family->parallel_ops);
	KUNIT_EXPECT_PTR_EQ(test, family->module, THIS_MODULE);
}

/* Devices are the machine's: no other namespace sees them. */
static void family_is_in_one_namespace(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, make_family(test)->netnsok);
}

static void groups_are_as_privileged_as_they_should(struct kunit *test)
{
	const struct genl_family *family = make_family(test);

	KUNIT_ASSERT_EQ(test, family->n_mcgrps, 2);
	KUNIT_EXPECT_STREQ(test, family->mcgrps[EGPU_NLGRP_EVENTS].name,
			   "events");
	KUNIT_EXPECT_EQ(test, family->mcgrps[EGPU_NLGRP_EVENTS].flags, 0);
	KUNIT_EXPECT_STREQ(test, family->mcgrps[EGPU_NLGRP_HELPER].name,
			   "helper");
	KUNIT_EXPECT_EQ(test, family->mcgrps[EGPU_NLGRP_HELPER].flags,
			GENL_MCAST_CAP_NET_ADMIN);
}

static void family_is_there_once(struct kunit *test)
{
	const struct genl_family *family = make_family(test);
	int id = family->id;

	KUNIT_EXPECT_EQ(test, -EEXIST,
			egpu_compat_register_family(family->mcgrps));
	KUNIT_EXPECT_EQ(test, family->id, id);
}

/* --- accessors ------------------------------------------------------------- */

static void dump_has_its_attributes(struct kunit *test)
{
	struct nlattr *attrs[EGPU_A_CLIENT_MAX + 1] = {};
	struct genl_dumpit_info dump = { .info.attrs = attrs };
	struct netlink_callback cb = { .data = &dump };

	KUNIT_EXPECT_PTR_EQ(test, egpu_compat_dump_attrs(&cb), &attrs[0]);
	dump.info.attrs = NULL;
	KUNIT_EXPECT_NULL(test, egpu_compat_dump_attrs(&cb));
}

static struct drm_file *make_file(struct kunit *test)
{
	struct drm_file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, file);
	return file;
}

static void file_has_its_pid(struct kunit *test)
{
	struct drm_file *file = make_file(test);

	rcu_assign_pointer(file->pid, task_tgid(current));
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, egpu_compat_file_pid(file),
			    task_tgid(current));
	rcu_read_unlock();
}

static void file_has_its_client_id(struct kunit *test)
{
	struct drm_file *file = make_file(test);

	file->client_id = 0x123456789abcdefULL;
	KUNIT_EXPECT_EQ(test, egpu_compat_file_client_id(file),
			0x123456789abcdefULL);
}

static void accel_minor_is_the_kernels(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, EGPU_COMPAT_MINOR_ACCEL, (int)DRM_MINOR_ACCEL);
}

/* Once, at load or boot: later the family is read-only. */
static struct kunit_case compat_cases[] = {
	KUNIT_CASE_PARAM(command_is_merged, merge_gen_params),
	KUNIT_CASE(every_command_is_merged),
	KUNIT_CASE(merging_stays_in_its_bounds),
	KUNIT_CASE(kernel_takes_the_merged),
	KUNIT_CASE(family_is_as_in_the_spec),
	KUNIT_CASE(family_is_in_one_namespace),
	KUNIT_CASE(groups_are_as_privileged_as_they_should),
	KUNIT_CASE(family_is_there_once),
	KUNIT_CASE(dump_has_its_attributes),
	KUNIT_CASE(file_has_its_pid),
	KUNIT_CASE(file_has_its_client_id),
	KUNIT_CASE(accel_minor_is_the_kernels),
	{}
};

static struct kunit_suite compat_suite = {
	.name = "egpu_compat",
	.test_cases = compat_cases,
};

kunit_test_suite(compat_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's shims between kernels");
MODULE_LICENSE("GPL");
