// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, removals and quiescing as netlink attributes, for replies and events alike.
 */
#include "egpu.h"
#include "genl.h"

/**
 * egpu_put_minor - put a nested DRM node
 * @skb: the message
 * @attr: attribute of the nest
 * @minor: the node
 *
 * Return: 0 or -EMSGSIZE.
 */
int egpu_put_minor(struct sk_buff *skb, int attr, const struct egpu_minor *minor)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, EGPU_A_MINOR_TYPE, minor->type) ||
	    nla_put_u32(skb, EGPU_A_MINOR_INDEX, minor->index)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_minors(struct sk_buff *skb, int attr,
		      const struct egpu_drm_summary *sum)
{
	unsigned int i;

	for (i = 0; i < sum->n_minors; i++)
		if (egpu_put_minor(skb, attr, &sum->minor[i]))
			return -EMSGSIZE;
	return 0;
}

static int put_text(struct sk_buff *skb, int attr, const char *text)
{
	return *text ? nla_put_string(skb, attr, text) : 0;
}

static int put_time(struct sk_buff *skb, int attr, u64 ns)
{
	return ns ? nla_put_u64_64bit(skb, attr, ns, EGPU_A_REMOVAL_PAD) : 0;
}

static int put_device_identity(struct sk_buff *skb,
			       const struct egpu_device *edev)
{
	const struct pci_dev *pdev = edev->pdev;

	if (nla_put_u32(skb, EGPU_A_DEVICE_ID, edev->id) ||
	    nla_put_string(skb, EGPU_A_DEVICE_ADDRESS, pci_name(pdev)) ||
	    nla_put_u16(skb, EGPU_A_DEVICE_VENDOR, pdev->vendor) ||
	    nla_put_u16(skb, EGPU_A_DEVICE_DEVICE, pdev->device) ||
	    nla_put_u16(skb, EGPU_A_DEVICE_SUBSYSTEM_VENDOR,
			pdev->subsystem_vendor) ||
	    nla_put_u16(skb, EGPU_A_DEVICE_SUBSYSTEM_DEVICE,
			pdev->subsystem_device) ||
	    nla_put_u32(skb, EGPU_A_DEVICE_CLASS, pdev->class) ||
	    put_text(skb, EGPU_A_DEVICE_DRIVER, edev->driver) ||
	    put_text(skb, EGPU_A_DEVICE_PORT, edev->port))
		return -EMSGSIZE;
	return 0;
}

static int put_device_state(struct sk_buff *skb, const struct egpu_device *edev)
{
	if (nla_put_u32(skb, EGPU_A_DEVICE_STATE, edev->state) ||
	    nla_put_u8(skb, EGPU_A_DEVICE_EXTERNAL, edev->placement.external) ||
	    nla_put_u32(skb, EGPU_A_DEVICE_MARKER, edev->placement.marker) ||
	    nla_put_u32(skb, EGPU_A_DEVICE_LINK_SPEED, edev->link_speed) ||
	    nla_put_u32(skb, EGPU_A_DEVICE_LINK_WIDTH, edev->link_width) ||
	    nla_put_u64_64bit(skb, EGPU_A_DEVICE_SINCE, edev->since,
			      EGPU_A_DEVICE_PAD) ||
	    nla_put_u32(skb, EGPU_A_DEVICE_CLIENTS, edev->drm.clients))
		return -EMSGSIZE;
	if (edev->at_load && nla_put_flag(skb, EGPU_A_DEVICE_AT_LOAD))
		return -EMSGSIZE;
	return 0;
}

/**
 * egpu_put_device - put the attributes of a device
 * @skb: the message
 * @edev: the device; egpu_lock held
 *
 * Return: 0 or -EMSGSIZE.
 */
int egpu_put_device(struct sk_buff *skb, const struct egpu_device *edev)
{
	if (put_device_identity(skb, edev) || put_device_state(skb, edev))
		return -EMSGSIZE;
	if (edev->request &&
	    nla_put_u64_64bit(skb, EGPU_A_DEVICE_COOKIE, edev->request->cookie,
			      EGPU_A_DEVICE_PAD))
		return -EMSGSIZE;
	return put_minors(skb, EGPU_A_DEVICE_MINOR, &edev->drm);
}

static int put_removal_device(struct sk_buff *skb,
			      const struct egpu_request *req)
{
	if (nla_put_u32(skb, EGPU_A_REMOVAL_ID, req->id) ||
	    nla_put_string(skb, EGPU_A_REMOVAL_ADDRESS, req->address) ||
	    nla_put_u8(skb, EGPU_A_REMOVAL_EXTERNAL, req->external) ||
	    nla_put_u16(skb, EGPU_A_REMOVAL_VENDOR, req->vendor) ||
	    nla_put_u16(skb, EGPU_A_REMOVAL_DEVICE, req->device) ||
	    put_text(skb, EGPU_A_REMOVAL_DRIVER, req->driver) ||
	    put_text(skb, EGPU_A_REMOVAL_PORT, req->port))
		return -EMSGSIZE;
	return 0;
}

static int put_removal_times(struct sk_buff *skb, const struct egpu_fsm *fsm)
{
	if (put_time(skb, EGPU_A_REMOVAL_CREATED, fsm->created) ||
	    put_time(skb, EGPU_A_REMOVAL_ACCEPTED, fsm->accepted) ||
	    put_time(skb, EGPU_A_REMOVAL_RELEASED, fsm->released) ||
	    put_time(skb, EGPU_A_REMOVAL_UNBOUND, fsm->unbound) ||
	    put_time(skb, EGPU_A_REMOVAL_FINISHED, fsm->finished))
		return -EMSGSIZE;
	return 0;
}

static int put_removal_said(struct sk_buff *skb, const struct egpu_said *said)
{
	if (nla_put_u32(skb, EGPU_A_REMOVAL_STEP, said->step))
		return -EMSGSIZE;
	if (said->vouched && nla_put_flag(skb, EGPU_A_REMOVAL_VOUCHED))
		return -EMSGSIZE;
	return put_text(skb, EGPU_A_REMOVAL_REASON, said->reason);
}

static int put_removal_state(struct sk_buff *skb, const struct egpu_request *req)
{
	const struct egpu_fsm *fsm = &req->fsm;

	if (nla_put_u64_64bit(skb, EGPU_A_REMOVAL_COOKIE, req->cookie,
			      EGPU_A_REMOVAL_PAD) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_ORIGIN, fsm->origin) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_PHASE, fsm->phase) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_RELEASE, fsm->release) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_CAUSE, fsm->cause) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_EVIDENCE, fsm->evidence) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_CLIENTS, req->drm.clients) ||
	    nla_put_u32(skb, EGPU_A_REMOVAL_TIMEOUT_MS, req->wait_ms))
		return -EMSGSIZE;
	if (req->force && nla_put_flag(skb, EGPU_A_REMOVAL_FORCE))
		return -EMSGSIZE;
	if (fsm->helper && nla_put_u32(skb, EGPU_A_REMOVAL_HELPER, fsm->helper))
		return -EMSGSIZE;
	return put_removal_said(skb, &req->said);
}

/**
 * egpu_put_removal - put the attributes of a removal
 * @skb: the message
 * @req: the request; egpu_lock held
 * @with_minors: the DRM nodes, too
 *
 * Return: 0 or -EMSGSIZE.
 */
int egpu_put_removal(struct sk_buff *skb, const struct egpu_request *req,
		     bool with_minors)
{
	if (put_removal_state(skb, req) || put_removal_times(skb, &req->fsm) ||
	    put_removal_device(skb, req))
		return -EMSGSIZE;
	return with_minors ? put_minors(skb, EGPU_A_REMOVAL_MINOR, &req->drm) :
			     0;
}

static int put_drain_counts(struct sk_buff *skb,
			    const struct egpu_drain_counts *count)
{
	if (nla_put_u32(skb, EGPU_A_QUIESCE_CLIENTS, count->clients) ||
	    nla_put_u32(skb, EGPU_A_QUIESCE_BUFFERS, count->buffers) ||
	    nla_put_u32(skb, EGPU_A_QUIESCE_PASSES, count->passes) ||
	    nla_put_u32(skb, EGPU_A_QUIESCE_WAITED, count->waited) ||
	    nla_put_u32(skb, EGPU_A_QUIESCE_PENDING, count->pending))
		return -EMSGSIZE;
	return 0;
}

/**
 * egpu_put_quiesce - put how far the clients of a GPU are stopped
 * @skb: the message
 * @edev: the device; egpu_lock held
 *
 * Return: 0 or -EMSGSIZE.
 */
int egpu_put_quiesce(struct sk_buff *skb, const struct egpu_device *edev)
{
	const struct egpu_quiesce *quiesce = &edev->quiesce;
	const struct egpu_quiesce_fsm *fsm = &quiesce->fsm;

	if (nla_put_u32(skb, EGPU_A_QUIESCE_ID, edev->id) ||
	    nla_put_u32(skb, EGPU_A_QUIESCE_STATE, fsm->state) ||
	    nla_put_u32(skb, EGPU_A_QUIESCE_RESULT, fsm->result))
		return -EMSGSIZE;
	if (fsm->owner && nla_put_u32(skb, EGPU_A_QUIESCE_OWNER, fsm->owner))
		return -EMSGSIZE;
	/* The rest is of a drain. */
	if (!fsm->started)
		return 0;
	if (nla_put_u32(skb, EGPU_A_QUIESCE_TIMEOUT_MS, quiesce->wait_ms) ||
	    put_drain_counts(skb, &quiesce->count) ||
	    nla_put_u64_64bit(skb, EGPU_A_QUIESCE_STARTED, fsm->started,
			      EGPU_A_QUIESCE_PAD))
		return -EMSGSIZE;
	return fsm->ended ? nla_put_u64_64bit(skb, EGPU_A_QUIESCE_ENDED,
					      fsm->ended, EGPU_A_QUIESCE_PAD) :
			    0;
}
