/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/egpu.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_EGPU_GEN_H
#define _LINUX_EGPU_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/egpu.h>

int egpu_nl_client_start(struct netlink_callback *cb);
int egpu_nl_buffer_start(struct netlink_callback *cb);
int egpu_nl_client_done(struct netlink_callback *cb);
int egpu_nl_buffer_done(struct netlink_callback *cb);

int egpu_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int egpu_nl_client_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int egpu_nl_removal_get_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_removal_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int egpu_nl_eject_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_accept_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_ack_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_cancel_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_settings_get_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_override_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int egpu_nl_override_set_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_refuse_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_report_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_buffer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int egpu_nl_quiesce_get_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_quiesce_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int egpu_nl_fence_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_drain_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_resume_doit(struct sk_buff *skb, struct genl_info *info);
int egpu_nl_migrate_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	EGPU_NLGRP_EVENTS,
	EGPU_NLGRP_HELPER,
};

extern struct genl_family egpu_nl_family;

#endif /* _LINUX_EGPU_GEN_H */
