/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions; the only place that looks at them.
 */
#ifndef _EGPU_COMPAT_H
#define _EGPU_COMPAT_H

#include <linux/version.h>
#include <net/genetlink.h>

/* 6.10: __assign_str() takes the field alone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define egpu_assign_str(field, value) __assign_str(field, value)
#else
#define egpu_assign_str(field, value) __assign_str(field)
#endif

/**
 * egpu_compat_dump_attrs - the parsed attributes of a dump request
 * @cb: the dump
 *
 * Return: the table, indexed by attribute; NULL when the command takes none.
 */
static inline struct nlattr **egpu_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_dumpit_info(cb)->info.attrs;
#endif
}

#endif /* _EGPU_COMPAT_H */
