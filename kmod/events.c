// SPDX-License-Identifier: GPL-2.0
/*
 * What everybody is told. Sent under egpu_lock, so that the sequence numbers
 * come in the order of what happened.
 */
#include <linux/timekeeping.h>
#include <net/net_namespace.h>

#include "egpu.h"
#include "genl.h"
#include "trace.h"

static u64 egpu_last_seq;

/**
 * egpu_event_seq - number of the last event
 *
 * Return: the number, 0 before the first; under egpu_lock.
 */
u64 egpu_event_seq(void)
{
	lockdep_assert_held(&egpu_lock);
	return egpu_last_seq;
}

/**
 * egpu_helper_listens - has anybody joined the group of helpers
 *
 * Return: true when a removal may wait for one of them.
 */
bool egpu_helper_listens(void)
{
	return genl_has_listeners(egpu_compat_family(), &init_net,
				  EGPU_NLGRP_HELPER);
}

static int put_head(struct sk_buff *skb, int seq_attr, int time_attr, int pad)
{
	if (nla_put_u64_64bit(skb, seq_attr, egpu_last_seq, pad) ||
	    nla_put_u64_64bit(skb, time_attr, ktime_get_boottime_ns(), pad))
		return -EMSGSIZE;
	return 0;
}

/* Listeners hear of a loss as of any other, and look again. */
static void tell_loss(void)
{
	pr_warn_ratelimited("egpu: event %llu is lost, listeners are told to look again\n",
			    egpu_last_seq);
	genl_set_err(egpu_compat_family(), &init_net, 0, EGPU_NLGRP_EVENTS,
		     -ENOBUFS);
}

static struct sk_buff *event_new(u8 cmd, void **head)
{
	struct sk_buff *skb;

	lockdep_assert_held(&egpu_lock);
	egpu_last_seq++;
	if (!genl_has_listeners(egpu_compat_family(), &init_net,
				EGPU_NLGRP_EVENTS))
		return NULL;
	skb = genlmsg_new(EGPU_EVENT_ROOM, GFP_KERNEL);
	if (!skb)
		goto lost;
	*head = genlmsg_put(skb, 0, 0, egpu_compat_family(), 0, cmd);
	if (*head)
		return skb;
	nlmsg_free(skb);
lost:
	tell_loss();
	return NULL;
}

static int event_send(struct sk_buff *skb, void *head, int filled)
{
	if (filled) {
		nlmsg_free(skb);
		tell_loss();
		return filled;
	}
	genlmsg_end(skb, head);
	return genlmsg_multicast(egpu_compat_family(), skb, 0,
				 EGPU_NLGRP_EVENTS, GFP_KERNEL);
}

/**
 * egpu_event_device - tell of a device
 * @cmd: EGPU_CMD_CONNECTED or EGPU_CMD_CHANGED
 * @edev: the device; egpu_lock held
 */
void egpu_event_device(u8 cmd, struct egpu_device *edev)
{
	int ret = -ESRCH;
	struct sk_buff *skb;
	void *head;

	skb = event_new(cmd, &head);
	if (skb) {
		ret = put_head(skb, EGPU_A_DEVICE_SEQ, EGPU_A_DEVICE_TIME,
			       EGPU_A_DEVICE_PAD);
		if (!ret)
			ret = egpu_put_device(skb, edev);
		ret = event_send(skb, head, ret);
	}
	trace_egpu_event(egpu_last_seq, cmd, edev->id, ret);
}

/**
 * egpu_event_removal - tell of a removal
 * @cmd: EGPU_CMD_REMOVAL_PENDING, EGPU_CMD_REMOVAL_PROGRESS or
 *	EGPU_CMD_DISCONNECTED
 * @req: the request; egpu_lock held
 */
void egpu_event_removal(u8 cmd, struct egpu_request *req)
{
	int ret = -ESRCH;
	struct sk_buff *skb;
	void *head;

	skb = event_new(cmd, &head);
	if (skb) {
		ret = put_head(skb, EGPU_A_REMOVAL_SEQ, EGPU_A_REMOVAL_TIME,
			       EGPU_A_REMOVAL_PAD);
		if (!ret)
			ret = egpu_put_removal(skb, req,
					       cmd == EGPU_CMD_REMOVAL_PENDING);
		ret = event_send(skb, head, ret);
	}
	trace_egpu_event(egpu_last_seq, cmd, req->id, ret);
}

/**
 * egpu_event_quiesce - tell how far the clients of a GPU are stopped
 * @edev: the device; egpu_lock held
 */
void egpu_event_quiesce(struct egpu_device *edev)
{
	int ret = -ESRCH;
	struct sk_buff *skb;
	void *head;

	skb = event_new(EGPU_CMD_QUIESCE, &head);
	if (skb) {
		ret = put_head(skb, EGPU_A_QUIESCE_SEQ, EGPU_A_QUIESCE_TIME,
			       EGPU_A_QUIESCE_PAD);
		if (!ret)
			ret = egpu_put_quiesce(skb, edev);
		ret = event_send(skb, head, ret);
	}
	trace_egpu_event(egpu_last_seq, EGPU_CMD_QUIESCE, edev->id, ret);
}

/**
 * egpu_event_migration - pass on how a program gets to another device
 * @said: by a helper; egpu_lock held
 */
void egpu_event_migration(const struct egpu_migration *said)
{
	struct nlattr *id = said->attrs[EGPU_A_MIGRATION_ID];
	int ret = -ESRCH;
	struct sk_buff *skb;
	void *head;

	skb = event_new(EGPU_CMD_MIGRATION, &head);
	if (skb) {
		ret = put_head(skb, EGPU_A_MIGRATION_SEQ, EGPU_A_MIGRATION_TIME,
			       EGPU_A_MIGRATION_PAD);
		if (!ret)
			ret = egpu_put_migration(skb, said);
		ret = event_send(skb, head, ret);
	}
	trace_egpu_event(egpu_last_seq, EGPU_CMD_MIGRATION,
			 id ? nla_get_u32(id) : 0, ret);
}

/**
 * egpu_event_lost - something happened that no event can be made of
 *
 * The number is missing in the sequence then. The caller holds egpu_lock.
 */
void egpu_event_lost(void)
{
	lockdep_assert_held(&egpu_lock);
	egpu_last_seq++;
	tell_loss();
}
