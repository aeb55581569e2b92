// SPDX-License-Identifier: GPL-2.0
/*
 * The family's commands about quiescing: look, fence, drain, resume.
 */
#include "egpu.h"
#include "genl.h"

/* The device that a request names by id; egpu_lock held. */
static struct egpu_device *named_gpu(struct genl_info *info, int *error)
{
	struct egpu_device *edev;

	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_QUIESCE_ID)) {
		*error = egpu_error(info, 0, -EINVAL, "say which GPU by its id");
		return NULL;
	}
	edev = egpu_device_find_id(nla_get_u32(info->attrs[EGPU_A_QUIESCE_ID]));
	if (!edev)
		*error = egpu_error(info, EGPU_A_QUIESCE_ID, -ENODEV,
				    "there is no such GPU");
	return edev;
}

static int put_process(struct sk_buff *skb, const struct egpu_client *client)
{
	u32 pid = egpu_client_pid(client);

	if (pid && nla_put_u32(skb, EGPU_A_CULPRIT_PID, pid))
		return -EMSGSIZE;
	if (client->comm[0] &&
	    nla_put_string(skb, EGPU_A_CULPRIT_COMM, client->comm))
		return -EMSGSIZE;
	if (client->client_id &&
	    nla_put_u64_64bit(skb, EGPU_A_CULPRIT_CLIENT_ID, client->client_id,
			      EGPU_A_CULPRIT_PAD))
		return -EMSGSIZE;
	return egpu_put_minor(skb, EGPU_A_CULPRIT_MINOR, &client->minor);
}

static int put_culprit(struct sk_buff *skb, const struct egpu_culprit *culprit)
{
	struct nlattr *nest = nla_nest_start(skb, EGPU_A_QUIESCE_CULPRIT);

	if (!nest)
		return -EMSGSIZE;
	if (put_process(skb, &culprit->client) ||
	    nla_put_u32(skb, EGPU_A_CULPRIT_FENCES, culprit->fences)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_culprits(struct sk_buff *skb, const struct egpu_blame *blame,
			bool all)
{
	unsigned int i;

	for (i = 0; i < blame->n; i++)
		if (egpu_client_visible(&blame->culprit[i].client, all) &&
		    put_culprit(skb, &blame->culprit[i]))
			return -EMSGSIZE;
	return 0;
}

static int fill_quiesce(struct sk_buff *skb, u32 portid, u32 seq, int flags,
			const struct egpu_device *edev, bool all)
{
	void *head = genlmsg_put(skb, portid, seq, egpu_compat_family(), flags,
				 EGPU_CMD_QUIESCE_GET);

	if (!head)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, EGPU_A_QUIESCE_SEQ, egpu_event_seq(),
			      EGPU_A_QUIESCE_PAD) ||
	    egpu_put_quiesce(skb, edev) ||
	    put_culprits(skb, &edev->quiesce.blame, all)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

int egpu_nl_quiesce_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = egpu_reply_new(info);
	struct egpu_device *edev;
	int ret = 0;

	if (!reply)
		return -ENOMEM;
	mutex_lock(&egpu_lock);
	edev = named_gpu(info, &ret);
	if (edev)
		ret = fill_quiesce(reply, info->snd_portid, info->snd_seq, 0,
				   edev, netlink_capable(skb, CAP_NET_ADMIN));
	mutex_unlock(&egpu_lock);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	return genlmsg_reply(reply, info);
}

/* cb->args[0] is the id of the last device told. */
int egpu_nl_quiesce_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct egpu_device *edev;
	int ret = egpu_dump_takes_none(cb);
	bool all;

	if (ret)
		return ret;
	all = netlink_capable(cb->skb, CAP_NET_ADMIN);
	mutex_lock(&egpu_lock);
	while (!ret && (edev = egpu_device_after(cb->args[0]))) {
		ret = fill_quiesce(skb, NETLINK_CB(cb->skb).portid,
				   cb->nlh->nlmsg_seq, NLM_F_MULTI, edev, all);
		if (!ret)
			cb->args[0] = edev->id;
	}
	mutex_unlock(&egpu_lock);
	/* One device fits into any buffer; a full one is no error. */
	return ret == -EMSGSIZE && skb->len ? skb->len : ret;
}

int egpu_nl_fence_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct egpu_device *edev;
	const char *why;
	int ret = 0;

	mutex_lock(&egpu_lock);
	edev = named_gpu(info, &ret);
	if (edev) {
		ret = egpu_quiesce_fence(edev, info->snd_portid, &why);
		if (ret < 0)
			egpu_error(info, EGPU_A_QUIESCE_ID, ret, why);
	}
	mutex_unlock(&egpu_lock);
	return min(ret, 0);
}

int egpu_nl_drain_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct egpu_device *edev;
	const char *why;
	int ret = 0;

	if (attrs[EGPU_A_QUIESCE_ID] &&
	    GENL_REQ_ATTR_CHECK(info, EGPU_A_QUIESCE_TIMEOUT_MS))
		return egpu_error(info, 0, -EINVAL,
				  "say how long to wait by timeout-ms");
	mutex_lock(&egpu_lock);
	edev = named_gpu(info, &ret);
	if (edev) {
		ret = egpu_quiesce_drain(edev, info->snd_portid,
					 nla_get_u32(attrs[EGPU_A_QUIESCE_TIMEOUT_MS]),
					 &why);
		if (ret < 0)
			egpu_error(info, EGPU_A_QUIESCE_ID, ret, why);
	}
	mutex_unlock(&egpu_lock);
	return min(ret, 0);
}

int egpu_nl_resume_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct egpu_device *edev;
	const char *why;
	int ret = 0;

	mutex_lock(&egpu_lock);
	edev = named_gpu(info, &ret);
	if (edev) {
		ret = egpu_quiesce_resume(edev, info->snd_portid, &why);
		if (ret < 0)
			egpu_error(info, EGPU_A_QUIESCE_ID, ret, why);
	}
	mutex_unlock(&egpu_lock);
	return min(ret, 0);
}
