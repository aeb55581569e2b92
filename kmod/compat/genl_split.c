// SPDX-License-Identifier: GPL-2.0
#include "../genl.h"
#include "genl_merge.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/* The kernel's own type again; genl.h above has used ours. */
#undef genl_family

static struct genl_ops egpu_ops[EGPU_CMD_MAX];
static struct genl_family egpu_family;

int egpu_compat_register_family(const struct genl_multicast_group *groups)
{
	unsigned int n = egpu_compat_merge_ops(egpu_nl_family.split_ops,
					       egpu_nl_family.n_split_ops,
					       egpu_ops, ARRAY_SIZE(egpu_ops));

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
