/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split operations as ones of both halves, for kernels before 6.2. Apart from
 * genl_split.c, so that its test can be built for a kernel that has KUnit.
 */
#ifndef _EGPU_COMPAT_GENL_MERGE_H
#define _EGPU_COMPAT_GENL_MERGE_H

#include <net/genetlink.h>

static inline void egpu_compat_merge_op(struct genl_ops *op,
					const struct genl_split_ops *split)
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

/**
 * egpu_compat_merge_ops - make whole operations of split ones
 * @split: the split ones; the halves of a command stand next to each other
 * @n_split: how many
 * @ops: filled, zero before
 * @size: how many there is room for
 *
 * Return: how many it has become, 0 when there is not enough room.
 */
static inline unsigned int
egpu_compat_merge_ops(const struct genl_split_ops *split, unsigned int n_split,
		      struct genl_ops *ops, unsigned int size)
{
	unsigned int i, n = 0;

	for (i = 0; i < n_split; i++) {
		if (!n || ops[n - 1].cmd != split[i].cmd) {
			if (n == size)
				return 0;
			n++;
		}
		egpu_compat_merge_op(&ops[n - 1], &split[i]);
	}
	return n;
}

#endif /* _EGPU_COMPAT_GENL_MERGE_H */
