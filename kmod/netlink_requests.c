// SPDX-License-Identifier: GPL-2.0
/*
 * The family's commands about removals: look, eject, accept, report, ack,
 * refuse, cancel.
 */
#include "egpu.h"
#include "genl.h"

/* The removal that a request names by cookie; egpu_lock held. */
static struct egpu_request *named_request(struct genl_info *info, int *error)
{
	struct egpu_request *req;

	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_REMOVAL_COOKIE)) {
		*error = egpu_error(info, 0, -EINVAL,
				    "say which removal by its cookie");
		return NULL;
	}
	req = egpu_request_find(nla_get_u64(info->attrs[EGPU_A_REMOVAL_COOKIE]));
	if (!req)
		*error = egpu_error(info, EGPU_A_REMOVAL_COOKIE, -ENOENT,
				    "there is no such removal");
	return req;
}

static int fill_removal(struct sk_buff *skb, u32 portid, u32 seq, int flags,
			const struct egpu_request *req)
{
	void *head = genlmsg_put(skb, portid, seq, egpu_compat_family(), flags,
				 EGPU_CMD_REMOVAL_GET);

	if (!head)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, EGPU_A_REMOVAL_SEQ, egpu_event_seq(),
			      EGPU_A_REMOVAL_PAD) ||
	    egpu_put_removal(skb, req, false)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

int egpu_nl_removal_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = egpu_reply_new(info);
	struct egpu_request *req;
	int ret = 0;

	if (!reply)
		return -ENOMEM;
	mutex_lock(&egpu_lock);
	req = named_request(info, &ret);
	if (req)
		ret = fill_removal(reply, info->snd_portid, info->snd_seq, 0,
				   req);
	mutex_unlock(&egpu_lock);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	return genlmsg_reply(reply, info);
}

/* cb->args[0] is the cookie of the last removal told, low and high half. */
int egpu_nl_removal_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct egpu_request *req;
	int ret = egpu_dump_takes_none(cb);
	u64 last = (u64)cb->args[1] << 32 | (u32)cb->args[0];

	if (ret)
		return ret;
	mutex_lock(&egpu_lock);
	while ((req = egpu_request_after(last))) {
		ret = fill_removal(skb, NETLINK_CB(cb->skb).portid,
				   cb->nlh->nlmsg_seq, NLM_F_MULTI, req);
		if (ret)
			break;
		last = req->cookie;
	}
	mutex_unlock(&egpu_lock);
	cb->args[0] = (u32)last;
	cb->args[1] = last >> 32;
	/* A full buffer is no error; 0 ends the dump with what is in it. */
	return ret == -EMSGSIZE && skb->len ? skb->len : ret;
}

static int reply_cookie(struct sk_buff *reply, struct genl_info *info,
			u64 cookie)
{
	void *head = genlmsg_put_reply(reply, info, egpu_compat_family(), 0,
				       EGPU_CMD_EJECT);

	/* The reply was made large enough for this before the eject began. */
	if (!head || nla_put_u64_64bit(reply, EGPU_A_REMOVAL_COOKIE, cookie,
				       EGPU_A_REMOVAL_PAD)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}

static int begin_eject(struct genl_info *info, struct egpu_device *edev,
		       u64 *cookie)
{
	struct nlattr *timeout = info->attrs[EGPU_A_REMOVAL_TIMEOUT_MS];
	bool force = nla_get_flag(info->attrs[EGPU_A_REMOVAL_FORCE]);
	const char *why;
	int ret;

	/* The newest count, unless a driver is just coming or going. */
	egpu_device_refresh(edev);
	mutex_lock(&egpu_lock);
	if (list_empty(&edev->node)) {
		why = "the GPU has just left";
		ret = -ENODEV;
	} else {
		ret = egpu_eject_begin(edev,
				       timeout ? nla_get_u32(timeout) :
						 egpu_settings.eject_ms,
				       force, cookie, &why);
	}
	mutex_unlock(&egpu_lock);
	return ret ? egpu_error(info, EGPU_A_REMOVAL_ID, ret, why) : 0;
}

int egpu_nl_eject_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct egpu_device *edev;
	struct sk_buff *reply;
	u64 cookie;
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_REMOVAL_ID))
		return egpu_error(info, 0, -EINVAL, "say which GPU by its id");
	mutex_lock(&egpu_lock);
	edev = egpu_device_find_id(nla_get_u32(info->attrs[EGPU_A_REMOVAL_ID]));
	if (edev)
		egpu_device_get(edev);
	mutex_unlock(&egpu_lock);
	if (!edev)
		return egpu_error(info, EGPU_A_REMOVAL_ID, -ENODEV,
				  "there is no such GPU");

	reply = egpu_reply_new(info);
	ret = reply ? begin_eject(info, edev, &cookie) : -ENOMEM;
	egpu_device_put(edev);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	return reply_cookie(reply, info, cookie);
}

/* What a message says of a removal besides what it asks for. */
static void take_said(struct genl_info *info, enum egpu_fsm_input input,
		      struct egpu_said *said)
{
	struct nlattr **attrs = info->attrs;

	/* One table of attributes, but each command takes its own only. */
	if (input == EGPU_FSM_ACK) {
		said->step = EGPU_STEP_REMOVE;
		said->vouched = nla_get_flag(attrs[EGPU_A_REMOVAL_VOUCHED]);
	} else if (input == EGPU_FSM_REPORT) {
		said->step = nla_get_u32(attrs[EGPU_A_REMOVAL_STEP]);
	} else if (input != EGPU_FSM_ACCEPT && attrs[EGPU_A_REMOVAL_REASON]) {
		nla_strscpy(said->reason, attrs[EGPU_A_REMOVAL_REASON],
			    sizeof(said->reason));
	}
}

static int step_named(struct genl_info *info, enum egpu_fsm_input input)
{
	struct egpu_request *req;
	struct egpu_said before;
	const char *why;
	int ret = 0;

	mutex_lock(&egpu_lock);
	req = named_request(info, &ret);
	if (!req)
		goto unlock;
	/* The event of the step tells what was said, so it must stand there. */
	before = req->said;
	take_said(info, input, &req->said);
	ret = egpu_request_step(req, input, info->snd_portid, &why);
	if (ret < 0) {
		req->said = before;
		ret = egpu_error(info, EGPU_A_REMOVAL_COOKIE, ret, why);
	}
unlock:
	mutex_unlock(&egpu_lock);
	return min(ret, 0);
}

int egpu_nl_accept_doit(struct sk_buff *skb, struct genl_info *info)
{
	return step_named(info, EGPU_FSM_ACCEPT);
}

int egpu_nl_ack_doit(struct sk_buff *skb, struct genl_info *info)
{
	return step_named(info, EGPU_FSM_ACK);
}

int egpu_nl_report_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_REMOVAL_STEP))
		return egpu_error(info, 0, -EINVAL, "say which step");
	return step_named(info, EGPU_FSM_REPORT);
}

int egpu_nl_refuse_doit(struct sk_buff *skb, struct genl_info *info)
{
	return step_named(info, EGPU_FSM_REFUSE);
}

int egpu_nl_cancel_doit(struct sk_buff *skb, struct genl_info *info)
{
	return step_named(info, EGPU_FSM_CANCEL);
}
