// SPDX-License-Identifier: GPL-2.0
/*
 * The family "egpu": devices, settings, rules. Removals are in
 * netlink_requests.c, quiescing in netlink_quiesce.c, migrations in
 * netlink_migrate.c, clients and buffers in clients_dump.c and buffers_dump.c.
 *
 * Handlers run in parallel and never wait for device_lock or the rescan
 * lock: who holds them may be waiting for the message.
 */
#include <linux/notifier.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "egpu.h"
#include "genl.h"

struct egpu_settings egpu_settings;

/**
 * egpu_error - say what was wrong with a message
 * @info: the message
 * @attr: the attribute that was wrong, 0 for none
 * @error: negative error
 * @why: a sentence, static storage
 *
 * Return: @error.
 */
int egpu_error(struct genl_info *info, int attr, int error, const char *why)
{
	if (!info->extack)
		return error;
	info->extack->_msg = why;
	if (attr && info->attrs && info->attrs[attr])
		NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
	return error;
}

/**
 * egpu_reply_new - memory for a reply
 * @info: the message that is answered
 *
 * Return: the reply, NULL without memory; the extended ack says so then.
 */
struct sk_buff *egpu_reply_new(struct genl_info *info)
{
	struct sk_buff *reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!reply)
		egpu_error(info, 0, -ENOMEM, "there is no memory for a reply");
	return reply;
}

/**
 * egpu_dump_takes_none - turn down attributes of a dump that takes none
 * @cb: the dump
 *
 * Before 6.2 one policy serves do and dump, and from 6.2 on an operation
 * without a policy is not looked at.
 *
 * Return: 0 or -EINVAL with the reason in the extended ack.
 */
int egpu_dump_takes_none(struct netlink_callback *cb)
{
	if (nlmsg_attrlen(cb->nlh, GENL_HDRLEN) <= 0)
		return 0;
	NL_SET_ERR_MSG(cb->extack, "this dump takes no attributes");
	return -EINVAL;
}

/* Finds the device that a do request names; egpu_lock held. */
static struct egpu_device *named_device(struct genl_info *info, int *error)
{
	struct nlattr *id = info->attrs[EGPU_A_DEVICE_ID];
	struct nlattr *address = info->attrs[EGPU_A_DEVICE_ADDRESS];
	struct egpu_pci_address at;
	struct egpu_device *edev;

	if (!id == !address) {
		*error = egpu_error(info, EGPU_A_DEVICE_ADDRESS, -EINVAL,
				    "name the GPU by either id or address");
		return NULL;
	}
	if (address && egpu_address_parse(nla_data(address), &at)) {
		*error = egpu_error(info, EGPU_A_DEVICE_ADDRESS, -EINVAL,
				    "not a PCI address like 0000:01:00.0");
		return NULL;
	}
	edev = id ? egpu_device_find_id(nla_get_u32(id)) :
		    egpu_device_find_address(&at);
	if (!edev)
		*error = egpu_error(info,
				    id ? EGPU_A_DEVICE_ID :
					 EGPU_A_DEVICE_ADDRESS,
				    -ENODEV, "there is no such GPU");
	return edev;
}

static int fill_device(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		       const struct egpu_device *edev,
		       struct netlink_callback *cb)
{
	void *head = genlmsg_put(skb, portid, seq, egpu_compat_family(), flags,
				 EGPU_CMD_DEVICE_GET);

	if (!head)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, head);
	if (nla_put_u64_64bit(skb, EGPU_A_DEVICE_SEQ, egpu_event_seq(),
			      EGPU_A_DEVICE_PAD) ||
	    egpu_put_device(skb, edev)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

int egpu_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct egpu_device *edev;
	struct sk_buff *reply;
	int ret = 0;

	mutex_lock(&egpu_lock);
	edev = named_device(info, &ret);
	if (edev)
		egpu_device_get(edev);
	mutex_unlock(&egpu_lock);
	if (!edev)
		return ret;

	egpu_device_refresh(edev);
	reply = egpu_reply_new(info);
	if (reply) {
		mutex_lock(&egpu_lock);
		ret = fill_device(reply, info->snd_portid, info->snd_seq, 0,
				  edev, NULL);
		mutex_unlock(&egpu_lock);
	} else {
		ret = -ENOMEM;
	}
	egpu_device_put(edev);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	return genlmsg_reply(reply, info);
}

static struct egpu_device *next_device(u32 id)
{
	struct egpu_device *edev;

	mutex_lock(&egpu_lock);
	edev = egpu_device_after(id);
	if (edev)
		egpu_device_get(edev);
	mutex_unlock(&egpu_lock);
	return edev;
}

/* cb->args[0] is the id of the last device told. */
int egpu_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct egpu_device *edev;
	int ret = egpu_dump_takes_none(cb);

	if (ret)
		return ret;
	while (!ret && (edev = next_device(cb->args[0]))) {
		egpu_device_refresh(edev);
		mutex_lock(&egpu_lock);
		cb->seq = (u32)egpu_event_seq() + 1;
		if (!list_empty(&edev->node))
			ret = fill_device(skb, NETLINK_CB(cb->skb).portid,
					  cb->nlh->nlmsg_seq, NLM_F_MULTI, edev,
					  cb);
		mutex_unlock(&egpu_lock);
		if (!ret)
			cb->args[0] = edev->id;
		egpu_device_put(edev);
	}
	/* One device fits into any buffer; a full one is no error. */
	return ret == -EMSGSIZE && skb->len ? skb->len : ret;
}

static int fill_settings(struct sk_buff *skb)
{
	if (nla_put_u32(skb, EGPU_A_SETTINGS_HOLD_MS, egpu_settings.hold_ms) ||
	    nla_put_u32(skb, EGPU_A_SETTINGS_ACCEPT_MS, egpu_settings.accept_ms) ||
	    nla_put_u32(skb, EGPU_A_SETTINGS_EJECT_MS, egpu_settings.eject_ms) ||
	    nla_put_u32(skb, EGPU_A_SETTINGS_DRAIN_MS, egpu_settings.drain_ms) ||
	    nla_put_u64_64bit(skb, EGPU_A_SETTINGS_INSTANCE, egpu_instance(),
			      EGPU_A_SETTINGS_PAD) ||
	    nla_put_u64_64bit(skb, EGPU_A_SETTINGS_SEQ, egpu_event_seq(),
			      EGPU_A_SETTINGS_PAD) ||
	    nla_put_u8(skb, EGPU_A_SETTINGS_HELPERS, egpu_helper_listens()) ||
	    nla_put_string(skb, EGPU_A_SETTINGS_VERSION, EGPU_VERSION))
		return -EMSGSIZE;
	return 0;
}

int egpu_nl_settings_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *head;
	int ret;

	/* Without a policy nobody has looked. */
	if (nlmsg_attrlen(info->nlhdr, GENL_HDRLEN) > 0)
		return egpu_error(info, 0, -EINVAL,
				  "settings-get takes no attributes");
	reply = egpu_reply_new(info);
	if (!reply)
		return -ENOMEM;
	head = genlmsg_put_reply(reply, info, egpu_compat_family(), 0,
				 EGPU_CMD_SETTINGS_GET);
	if (!head) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	mutex_lock(&egpu_lock);
	ret = fill_settings(reply);
	mutex_unlock(&egpu_lock);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}

static void take_setting(struct genl_info *info, int attr, u32 *setting)
{
	if (info->attrs[attr])
		*setting = nla_get_u32(info->attrs[attr]);
}

/* The policy has checked the ranges. */
int egpu_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	mutex_lock(&egpu_lock);
	take_setting(info, EGPU_A_SETTINGS_HOLD_MS, &egpu_settings.hold_ms);
	take_setting(info, EGPU_A_SETTINGS_ACCEPT_MS, &egpu_settings.accept_ms);
	take_setting(info, EGPU_A_SETTINGS_EJECT_MS, &egpu_settings.eject_ms);
	take_setting(info, EGPU_A_SETTINGS_DRAIN_MS, &egpu_settings.drain_ms);
	mutex_unlock(&egpu_lock);
	return 0;
}

static int fill_rule(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct egpu_rule *rule)
{
	const struct egpu_pci_address *at = &rule->address;
	char text[EGPU_NAME_LEN];
	void *head;

	head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   egpu_compat_family(), NLM_F_MULTI,
			   EGPU_CMD_OVERRIDE_GET);
	if (!head)
		return -EMSGSIZE;
	snprintf(text, sizeof(text), "%04x:%02x:%02x.%d", at->domain, at->bus,
		 PCI_SLOT(at->devfn), PCI_FUNC(at->devfn));
	if (nla_put_string(skb, EGPU_A_OVERRIDE_ADDRESS, text) ||
	    nla_put_u32(skb, EGPU_A_OVERRIDE_PLACEMENT, rule->placement)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* cb->args[0] is the number of rules told. */
int egpu_nl_override_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct egpu_rule *rules;
	int ret = egpu_dump_takes_none(cb);
	unsigned int n;

	if (ret)
		return ret;
	mutex_lock(&egpu_lock);
	rules = egpu_overrides(&n);
	while (cb->args[0] < n && !fill_rule(skb, cb, &rules[cb->args[0]]))
		cb->args[0]++;
	ret = cb->args[0] < n ? skb->len : 0;
	mutex_unlock(&egpu_lock);
	return ret;
}

int egpu_nl_override_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct egpu_pci_address address;
	const char *why;
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_OVERRIDE_ADDRESS))
		return egpu_error(info, 0, -EINVAL,
				  "say of which address, like 0000:00:04.0");
	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_OVERRIDE_PLACEMENT))
		return egpu_error(info, 0, -EINVAL,
				  "say auto, external or internal");
	if (egpu_address_parse(nla_data(info->attrs[EGPU_A_OVERRIDE_ADDRESS]),
			       &address))
		return egpu_error(info, EGPU_A_OVERRIDE_ADDRESS, -EINVAL,
				  "not a PCI address like 0000:01:00.0");

	mutex_lock(&egpu_lock);
	ret = egpu_override_set(&address,
				nla_get_u32(info->attrs[EGPU_A_OVERRIDE_PLACEMENT]),
				&why);
	if (ret > 0)
		egpu_devices_reclassify();
	mutex_unlock(&egpu_lock);
	return ret < 0 ? egpu_error(info, 0, ret, why) : 0;
}

static int netlink_notify(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	struct netlink_notify *notify = data;

	if (action == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC &&
	    net_eq(notify->net, &init_net)) {
		egpu_requests_helper_gone(notify->portid);
		egpu_quiesce_helper_gone(notify->portid);
	}
	return NOTIFY_DONE;
}

static struct notifier_block netlink_block = {
	.notifier_call = netlink_notify,
};

/* As in the spec, and with the privilege that the spec cannot express. */
static const struct genl_multicast_group groups[] = {
	[EGPU_NLGRP_EVENTS] = { .name = EGPU_MCGRP_EVENTS },
	[EGPU_NLGRP_HELPER] = { .name = EGPU_MCGRP_HELPER,
				.flags = GENL_MCAST_CAP_NET_ADMIN },
};

/**
 * egpu_netlink_init - make the family known
 *
 * Everything it serves must be there. In the initial network namespace only.
 *
 * Return: 0 or an error.
 */
int egpu_netlink_init(void)
{
	int ret = netlink_register_notifier(&netlink_block);

	if (ret)
		return ret;
	ret = egpu_compat_register_family(groups);
	if (ret)
		netlink_unregister_notifier(&netlink_block);
	return ret;
}

/**
 * egpu_netlink_exit - withdraw the family; waits for the handlers running
 */
void egpu_netlink_exit(void)
{
	egpu_compat_unregister_family();
	netlink_unregister_notifier(&netlink_block);
}
