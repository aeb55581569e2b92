/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split generic netlink operations for kernels before 6.2.
 *
 * The generator of the kernel's netlink specs emits split operations only.
 * Where the kernel does not know them, this defines them, lets the generated
 * table fill a family of our own shape, and genl_split.c translates that into
 * the kernel's at registration. Included before every source file, so that
 * the generated ones need no change.
 */
#ifndef _EGPU_COMPAT_GENL_SPLIT_H
#define _EGPU_COMPAT_GENL_SPLIT_H

#include <linux/version.h>
#include <net/genetlink.h>

struct genl_family *egpu_compat_family(void);
int egpu_compat_register_family(const struct genl_multicast_group *groups);
void egpu_compat_unregister_family(void);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

struct genl_split_ops {
	union {
		struct {
			int (*pre_doit)(const struct genl_split_ops *ops,
					struct sk_buff *skb,
					struct genl_info *info);
			int (*doit)(struct sk_buff *skb, struct genl_info *info);
			void (*post_doit)(const struct genl_split_ops *ops,
					  struct sk_buff *skb,
					  struct genl_info *info);
		};
		struct {
			int (*start)(struct netlink_callback *cb);
			int (*dumpit)(struct sk_buff *skb,
				      struct netlink_callback *cb);
			int (*done)(struct netlink_callback *cb);
		};
	};
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 internal_flags;
	u8 flags;
	u8 validate;
};

struct egpu_split_family {
	char name[GENL_NAMSIZ];
	unsigned int version;
	u8 netnsok:1;
	u8 parallel_ops:1;
	struct module *module;
	const struct genl_split_ops *split_ops;
	u8 n_split_ops;
	const struct genl_multicast_group *mcgrps;
	u8 n_mcgrps;
};

/* Ranges became const in 6.3; nothing writes to them before, either. */
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range)                                      \
	{                                                                      \
		.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),                    \
		.validation_type = NLA_VALIDATE_RANGE_PTR,                     \
		.range = (struct netlink_range_validation *)(_range),          \
	}

/* What the generated files call a family is ours from here on. */
#define genl_family egpu_split_family

#endif /* < 6.2 */

#endif /* _EGPU_COMPAT_GENL_SPLIT_H */
