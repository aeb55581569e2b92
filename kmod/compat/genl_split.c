// SPDX-License-Identifier: GPL-2.0
#include "../genl.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/* The kernel's own type again; genl.h above has used ours. */
#undef genl_family

static struct genl_ops egpu_ops[EGPU_CMD_MAX];
static struct genl_family egpu_family;

static void merge_op(struct genl_ops *op, const struct genl_split_ops *split)
{
	op->cmd = split->cmd;
	op->flags |= split->flags;
	op->validate = split->validate;
	if (split->flags & GENL_CMD_CAP_DO)
		op->doit = split->doit;
	if (split->flags & GENL_CMD_CAP_DUMP) {
		op->start = split->start;
		op->dumpit = split->dumpit;
		op->done = split->done;
	}
	/* Where do and dump differ, the dump handler turns attributes down. */
	if (split->policy) {
		op->policy = split->policy;
		op->maxattr = split->maxattr;
	}
}

/* The two halves of one command stand next to each other in the table. */
static unsigned int merge_ops(void)
{
	const struct genl_split_ops *split = egpu_nl_family.split_ops;
	unsigned int i, n = 0;

	for (i = 0; i < egpu_nl_family.n_split_ops; i++) {
		if (!n || egpu_ops[n - 1].cmd != split[i].cmd) {
			if (n == ARRAY_SIZE(egpu_ops))
				return 0;
			n++;
		}
		merge_op(&egpu_ops[n - 1], &split[i]);
	}
	return n;
}

int egpu_compat_register_family(const struct genl_multicast_group *groups)
{
	unsigned int n = merge_ops();

	if (!n)
		return -E2BIG;
	egpu_family.version = egpu_nl_family.version;
	egpu_family.parallel_ops = egpu_nl_family.parallel_ops;
	egpu_family.module = egpu_nl_family.module;
	egpu_family.ops = egpu_ops;
	egpu_family.n_ops = n;
	egpu_family.mcgrps = groups;
	egpu_family.n_mcgrps = egpu_nl_family.n_mcgrps;
	strscpy(egpu_family.name, egpu_nl_family.name, GENL_NAMSIZ);
	return genl_register_family(&egpu_family);
}

void egpu_compat_unregister_family(void)
{
	genl_unregister_family(&egpu_family);
}

struct genl_family *egpu_compat_family(void)
{
	return &egpu_family;
}

#else

int egpu_compat_register_family(const struct genl_multicast_group *groups)
{
	egpu_nl_family.netnsok = false;
	egpu_nl_family.mcgrps = groups;
	return genl_register_family(&egpu_nl_family);
}

void egpu_compat_unregister_family(void)
{
	genl_unregister_family(&egpu_nl_family);
}

struct genl_family *egpu_compat_family(void)
{
	return &egpu_nl_family;
}

#endif
