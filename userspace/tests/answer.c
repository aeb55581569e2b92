// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the kernel for unit tests answers requests.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "answer.h"

/* One request while it is answered. */
struct question {
	struct kernel *kernel;
	struct kernel_link *link;
	struct nlmsghdr *nlh;
	uint8_t cmd;
	bool interrupted;
};

static void reply(struct question *q, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	nlh->nlmsg_seq = q->nlh->nlmsg_seq;
	if ((q->nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_MULTI;
	if (q->interrupted)
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	link_push(q->link, nlh, nlh->nlmsg_len, false);
	nlmsg_free(msg);
}

/* NLMSG_ERROR as the kernel makes it with NETLINK_EXT_ACK, not capped. */
static void acknowledge(struct question *q, int err, const char *text, int attr)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsghdr *nlh;
	struct nlmsgerr *error;
	struct nlattr *pos;
	size_t body = err ? q->nlh->nlmsg_len : sizeof(*q->nlh);

	nlh = nlmsg_put(msg, 0, q->nlh->nlmsg_seq, NLMSG_ERROR,
			(int)(sizeof(int) + body), 0);
	assert_non_null(nlh);
	error = nlmsg_data(nlh);
	error->error = err;
	memcpy(&error->msg, q->nlh, body);
	if (!err)
		nlh->nlmsg_flags |= NLM_F_CAPPED;
	if (text) {
		nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
		nla_put_string(msg, NLMSGERR_ATTR_MSG, text);
	}
	pos = nlmsg_find_attr(q->nlh, GENL_HDRLEN, attr);
	if (attr >= 0 && pos) {
		nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
		nla_put_u32(msg, NLMSGERR_ATTR_OFFS,
			    (uint32_t)((char *)pos - (char *)q->nlh));
	}
	link_push(q->link, nlh, nlh->nlmsg_len, false);
	nlmsg_free(msg);
}

static void done(struct question *q)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(msg, 0, q->nlh->nlmsg_seq, NLMSG_DONE, sizeof(int),
			NLM_F_MULTI);
	assert_non_null(nlh);
	memset(nlmsg_data(nlh), 0, sizeof(int));
	if (q->interrupted)
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	link_push(q->link, nlh, nlh->nlmsg_len, false);
	nlmsg_free(msg);
}

static void put_group(struct nl_msg *msg, const char *name, uint32_t id)
{
	struct nlattr *nest = nla_nest_start(msg, (int)id);

	nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, name);
	nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, id);
	nla_nest_end(msg, nest);
}

struct nl_msg *encode_family(struct kernel *kernel, uint8_t cmd, uint32_t seq)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *groups;

	genlmsg_put(msg, 0, seq, GENL_ID_CTRL, 0, 0, cmd, 2);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, EGPU_FAMILY_NAME);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, kernel->family.id);
	groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS);
	put_group(msg, EGPU_MCGRP_EVENTS, kernel->family.events);
	put_group(msg, EGPU_MCGRP_HELPER, kernel->family.helper);
	nla_nest_end(msg, groups);
	return msg;
}

/* Another family first, so that taking the first one is not enough. */
static void dump_families(struct question *q)
{
	struct nl_msg *msg = nlmsg_alloc();

	q->kernel->lookups++;
	if (q->kernel->in_lookup)
		q->kernel->in_lookup(q->kernel);
	if (nlmsg_find_attr(q->nlh, GENL_HDRLEN, CTRL_ATTR_FAMILY_NAME))
		q->kernel->named++;
	genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_NEWFAMILY, 2);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "egpu2");
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, 0x1f);
	reply(q, msg);
	if (q->kernel->loaded)
		reply(q, encode_family(q->kernel, CTRL_CMD_NEWFAMILY, 0));
	done(q);
}

static void dump_devices(struct question *q)
{
	struct kernel *k = q->kernel;
	size_t i;

	k->dumps++;
	for (i = 0; i < k->n_devices; i++) {
		struct egpu_device dev = k->devices[i];

		dev.seq = k->settings.seq;
		reply(q, encode_device(k->family.id, EGPU_CMD_DEVICE_GET, &dev,
				       false));
	}
	done(q);
	if (k->in_dump)
		k->in_dump(k);
}

static void dump_removals(struct question *q)
{
	struct kernel *k = q->kernel;
	size_t i;

	for (i = 0; i < k->n_removals; i++) {
		struct egpu_removal rem = k->removals[i];

		rem.seq = k->settings.seq;
		reply(q, encode_removal(k->family.id, EGPU_CMD_REMOVAL_GET,
					&rem, false));
	}
	done(q);
}

static uint32_t u32_of(struct question *q, int attr)
{
	struct nlattr *a = nlmsg_find_attr(q->nlh, GENL_HDRLEN, attr);

	return a ? nla_get_u32(a) : 0;
}

static uint64_t u64_of(struct question *q, int attr)
{
	struct nlattr *a = nlmsg_find_attr(q->nlh, GENL_HDRLEN, attr);

	return a ? nla_get_u64(a) : 0;
}

static const char *string_of(struct question *q, int attr)
{
	struct nlattr *a = nlmsg_find_attr(q->nlh, GENL_HDRLEN, attr);

	return a ? nla_get_string(a) : "";
}

static struct egpu_removal *find_removal(struct question *q, int attr)
{
	uint64_t cookie = u64_of(q, attr);
	size_t i;

	for (i = 0; i < q->kernel->n_removals; i++) {
		if (q->kernel->removals[i].cookie == cookie)
			return &q->kernel->removals[i];
	}
	return NULL;
}

static void dump_clients(struct question *q)
{
	const struct egpu_client *client = q->kernel->clients;
	uint32_t id = u32_of(q, EGPU_A_CLIENT_ID);
	size_t i, n = q->kernel->n_clients;

	if (u64_of(q, EGPU_A_CLIENT_COOKIE)) {
		if (!find_removal(q, EGPU_A_CLIENT_COOKIE)) {
			acknowledge(q, -ENOENT, "there is no such removal", -1);
			return;
		}
		client = q->kernel->victims;
		n = q->kernel->n_victims;
	}
	for (i = 0; i < n; i++) {
		if (!id || id == client[i].id)
			reply(q,
			      encode_client(q->kernel->family.id, &client[i]));
	}
	done(q);
}

static void dump_buffers(struct question *q)
{
	struct kernel *k = q->kernel;
	uint32_t id = u32_of(q, EGPU_A_BUFFER_ID);
	size_t i;

	if (!kernel_device(k, id)) {
		acknowledge(q, -ENODEV, "there is no such GPU", -1);
		return;
	}
	for (i = 0; i < k->n_buffers; i++) {
		if (id == k->buffers[i].id)
			reply(q, encode_buffer(k->family.id, &k->buffers[i]));
	}
	done(q);
}

static bool flag_of(struct question *q, int attr)
{
	return nlmsg_find_attr(q->nlh, GENL_HDRLEN, attr);
}

static void dump(struct question *q)
{
	struct kernel *k = q->kernel;
	size_t i;

	if (k->interrupted) {
		k->interrupted--;
		q->interrupted = true;
	}
	switch (q->cmd) {
	case EGPU_CMD_DEVICE_GET:
		dump_devices(q);
		return;
	case EGPU_CMD_REMOVAL_GET:
		dump_removals(q);
		return;
	case EGPU_CMD_CLIENT_GET:
		dump_clients(q);
		return;
	case EGPU_CMD_BUFFER_GET:
		dump_buffers(q);
		return;
	case EGPU_CMD_OVERRIDE_GET:
		for (i = 0; i < k->n_overrides; i++)
			reply(q,
			      encode_override(k->family.id, &k->overrides[i]));
		break;
	}
	done(q);
}

static void finish_removal(struct kernel *k, struct egpu_removal *rem)
{
	kernel_phase(k, rem, EGPU_PHASE_UNBOUND, rem->release);
	kernel_disconnect(k, rem);
	kernel_phase(k, rem, EGPU_PHASE_DONE, rem->release);
}

static void play_steps(struct kernel *k, struct egpu_removal *rem)
{
	struct egpu_quiesce *quiesce = kernel_quiesce_of(k, rem->id);

	kernel_step(k, rem, EGPU_STEP_FENCE);
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_FENCED);
	kernel_step(k, rem, EGPU_STEP_ASK);
	kernel_move(k, rem, k->outcome != OUTCOME_HELPER_REFUSED);
	if (k->outcome == OUTCOME_HELPER_REFUSED)
		return;
	kernel_step(k, rem, EGPU_STEP_FREEZE);
	kernel_step(k, rem, EGPU_STEP_DRAIN);
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_DRAINING);
	quiesce->result = EGPU_DRAIN_RESULT_DRAINED;
	quiesce->clients = 1;
	quiesce->buffers = 40;
	quiesce->passes = 2;
	quiesce->waited = 3;
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_QUIESCED);
	rem->step = EGPU_STEP_REMOVE;
	rem->vouched = true;
}

static void play(struct kernel *k, struct egpu_removal *rem)
{
	switch (k->outcome) {
	case OUTCOME_DONE:
		kernel_phase(k, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
		kernel_phase(k, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED);
		finish_removal(k, rem);
		break;
	case OUTCOME_STEPS:
		kernel_phase(k, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
		play_steps(k, rem);
		kernel_phase(k, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_ACKED);
		finish_removal(k, rem);
		break;
	case OUTCOME_HELPER_REFUSED:
		kernel_phase(k, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
		play_steps(k, rem);
		strcpy(rem->reason, "blender (4242) was asked to quit in vain");
		kernel_phase(k, rem, EGPU_PHASE_REFUSED, EGPU_RELEASE_WITHDRAWN);
		break;
	case OUTCOME_REFUSED:
		strcpy(rem->reason, "1 client has it open");
		kernel_phase(k, rem, EGPU_PHASE_REFUSED, EGPU_RELEASE_WITHDRAWN);
		break;
	case OUTCOME_SURPRISE:
		rem->cause = EGPU_CAUSE_SURPRISE;
		rem->evidence |= EGPU_EVIDENCE_OVERTAKEN | EGPU_EVIDENCE_ABSENT;
		kernel_phase(k, rem, EGPU_PHASE_RELEASED,
			     EGPU_RELEASE_OVERTAKEN);
		finish_removal(k, rem);
		break;
	case OUTCOME_HANG:
		kernel_phase(k, rem, EGPU_PHASE_ACCEPTED, EGPU_RELEASE_NOT_YET);
		break;
	case OUTCOME_RELEASED:
		kernel_phase(k, rem, EGPU_PHASE_RELEASED,
			     EGPU_RELEASE_UNATTENDED);
		break;
	}
}

static int do_eject(struct question *q, struct nl_msg **answer)
{
	struct kernel *k = q->kernel;
	struct egpu_device *dev = kernel_device(k, u32_of(q, EGPU_A_REMOVAL_ID));
	struct egpu_removal *rem;
	uint32_t timeout = u32_of(q, EGPU_A_REMOVAL_TIMEOUT_MS);

	if (!dev)
		return -ENODEV;
	if (!dev->external)
		return -EOPNOTSUPP;
	if (dev->cookie)
		return -EALREADY;
	if (k->refuse)
		return k->refuse;
	rem = kernel_begin(k, dev, EGPU_ORIGIN_EJECT);
	if (timeout)
		rem->timeout_ms = timeout;
	*answer = nlmsg_alloc();
	genlmsg_put(*answer, 0, 0, k->family.id, 0, 0, q->cmd, 1);
	nla_put_u64(*answer, EGPU_A_REMOVAL_COOKIE, rem->cookie);
	play(k, rem);
	return 0;
}

/* Whether the asker is the helper that has accepted. */
static int check_helper(struct question *q, const struct egpu_removal *rem)
{
	if (!rem->helper)
		return -EPROTO;
	return rem->helper == q->link->port ? 0 : -EPERM;
}

static void end_eject(struct question *q, struct egpu_removal *rem,
		      uint32_t phase)
{
	strncpy(rem->reason, string_of(q, EGPU_A_REMOVAL_REASON),
		sizeof(rem->reason) - 1);
	kernel_phase(q->kernel, rem, phase, EGPU_RELEASE_WITHDRAWN);
}

/* What only the helper that has accepted may say. */
static int do_helpers_word(struct question *q, struct egpu_removal *rem)
{
	int err = check_helper(q, rem);

	if (err)
		return err;
	switch (q->cmd) {
	case EGPU_CMD_ACK:
		rem->vouched = flag_of(q, EGPU_A_REMOVAL_VOUCHED);
		rem->step = EGPU_STEP_REMOVE;
		kernel_phase(q->kernel, rem, EGPU_PHASE_RELEASED,
			     EGPU_RELEASE_ACKED);
		return 0;
	case EGPU_CMD_REFUSE:
		if (rem->origin != EGPU_ORIGIN_EJECT)
			return -EINVAL;
		end_eject(q, rem, EGPU_PHASE_REFUSED);
		return 0;
	default:
		kernel_step(q->kernel, rem, u32_of(q, EGPU_A_REMOVAL_STEP));
		return 0;
	}
}

static int do_handshake(struct question *q)
{
	struct egpu_removal *rem = find_removal(q, EGPU_A_REMOVAL_COOKIE);

	if (!rem)
		return -ENOENT;
	if (rem->release != EGPU_RELEASE_NOT_YET)
		return q->cmd == EGPU_CMD_REPORT ? -ETIME : -EALREADY;
	switch (q->cmd) {
	case EGPU_CMD_ACCEPT:
		if (rem->helper)
			return rem->helper == q->link->port ? -EALREADY : -EBUSY;
		rem->helper = q->link->port;
		kernel_phase(q->kernel, rem, EGPU_PHASE_ACCEPTED,
			     EGPU_RELEASE_NOT_YET);
		return 0;
	case EGPU_CMD_CANCEL:
		end_eject(q, rem, EGPU_PHASE_CANCELLED);
		return 0;
	default:
		return do_helpers_word(q, rem);
	}
}

static int do_fence(struct question *q, const struct egpu_device *dev,
		    struct egpu_quiesce *quiesce)
{
	if (!dev->external)
		return -EOPNOTSUPP;
	if (quiesce->owner)
		return quiesce->owner == q->link->port ? -EALREADY : -EBUSY;
	quiesce->owner = q->link->port;
	kernel_quiesce(q->kernel, quiesce, EGPU_QUIESCE_STATE_FENCED);
	return 0;
}

/* A drain goes as far as the test lets it, see kernel_quiesce(). */
static int do_drain(struct question *q, struct egpu_quiesce *quiesce)
{
	if (quiesce->state != EGPU_QUIESCE_STATE_FENCED)
		return -EALREADY;
	quiesce->timeout_ms = u32_of(q, EGPU_A_QUIESCE_TIMEOUT_MS);
	kernel_quiesce(q->kernel, quiesce, EGPU_QUIESCE_STATE_DRAINING);
	return 0;
}

static int do_quiesce(struct question *q)
{
	struct kernel *k = q->kernel;
	struct egpu_device *dev = kernel_device(k, u32_of(q, EGPU_A_QUIESCE_ID));
	struct egpu_quiesce *quiesce;

	if (!dev)
		return -ENODEV;
	quiesce = kernel_quiesce_of(k, dev->id);
	if (q->cmd == EGPU_CMD_FENCE)
		return do_fence(q, dev, quiesce);
	if (!quiesce->owner)
		return q->cmd == EGPU_CMD_DRAIN ? -EPROTO : -EALREADY;
	if (quiesce->owner != q->link->port)
		return -EPERM;
	if (q->cmd == EGPU_CMD_DRAIN)
		return do_drain(q, quiesce);
	quiesce->owner = 0;
	kernel_quiesce(k, quiesce, EGPU_QUIESCE_STATE_RESUMED);
	return 0;
}

/* As it came in it goes to everybody. */
static int do_migrate(struct question *q)
{
	struct kernel *k = q->kernel;
	struct egpu_migration *said;
	int err = -EPERM;

	if (egpu_decode_migration(q->nlh, &said))
		return -EINVAL;
	if (said->cpu && said->target)
		err = -EINVAL;
	else if (k->settings.helpers)
		err = 0;
	said->helper = q->link->port;
	if (!err)
		kernel_migration(k, said);
	free(said);
	return err;
}

static int do_quiesce_get(struct question *q, struct nl_msg **answer)
{
	struct kernel *k = q->kernel;
	struct egpu_quiesce *quiesce =
		kernel_quiesce_of(k, u32_of(q, EGPU_A_QUIESCE_ID));

	if (!quiesce)
		return -ENODEV;
	*answer = encode_quiesce(k->family.id, q->cmd, quiesce, false);
	return 0;
}

static int do_device_get(struct question *q, struct nl_msg **answer)
{
	struct kernel *k = q->kernel;
	const char *address = string_of(q, EGPU_A_DEVICE_ADDRESS);
	uint32_t id = u32_of(q, EGPU_A_DEVICE_ID);
	size_t i;

	for (i = 0; i < k->n_devices; i++) {
		if (k->devices[i].id != id &&
		    strcmp(k->devices[i].address, address))
			continue;
		*answer = encode_device(k->family.id, q->cmd, &k->devices[i],
					false);
		return 0;
	}
	return -ENODEV;
}

static int do_removal_get(struct question *q, struct nl_msg **answer)
{
	struct egpu_removal *rem = find_removal(q, EGPU_A_REMOVAL_COOKIE);

	if (!rem)
		return -ENOENT;
	*answer = encode_removal(q->kernel->family.id, q->cmd, rem, false);
	return 0;
}

static int do_settings_set(struct question *q)
{
	struct egpu_settings *set = &q->kernel->settings;

	if (nlmsg_find_attr(q->nlh, GENL_HDRLEN, EGPU_A_SETTINGS_HOLD_MS))
		set->hold_ms = u32_of(q, EGPU_A_SETTINGS_HOLD_MS);
	if (nlmsg_find_attr(q->nlh, GENL_HDRLEN, EGPU_A_SETTINGS_ACCEPT_MS))
		set->accept_ms = u32_of(q, EGPU_A_SETTINGS_ACCEPT_MS);
	if (nlmsg_find_attr(q->nlh, GENL_HDRLEN, EGPU_A_SETTINGS_EJECT_MS))
		set->eject_ms = u32_of(q, EGPU_A_SETTINGS_EJECT_MS);
	if (nlmsg_find_attr(q->nlh, GENL_HDRLEN, EGPU_A_SETTINGS_DRAIN_MS))
		set->drain_ms = u32_of(q, EGPU_A_SETTINGS_DRAIN_MS);
	return 0;
}

static int do_override_set(struct question *q)
{
	struct kernel *k = q->kernel;
	const char *address = string_of(q, EGPU_A_OVERRIDE_ADDRESS);
	uint32_t placement = u32_of(q, EGPU_A_OVERRIDE_PLACEMENT);
	size_t i;

	for (i = 0; i < k->n_overrides; i++) {
		if (!strcmp(k->overrides[i].address, address))
			break;
	}
	if (placement == EGPU_PLACEMENT_AUTO) {
		if (i == k->n_overrides)
			return -ENOENT;
		k->overrides[i] = k->overrides[--k->n_overrides];
		return 0;
	}
	strcpy(k->overrides[i].address, address);
	k->overrides[i].placement = placement;
	if (i == k->n_overrides)
		k->n_overrides++;
	return 0;
}

static bool is_quiesce(uint8_t cmd)
{
	return cmd == EGPU_CMD_FENCE || cmd == EGPU_CMD_DRAIN ||
	       cmd == EGPU_CMD_RESUME;
}

static void record(struct question *q)
{
	struct kernel *k = q->kernel;
	struct kernel_call *call = &k->calls[k->n_calls];

	if (k->n_calls == KERNEL_MAX)
		return;
	memset(call, 0, sizeof(*call));
	call->cmd = q->cmd;
	call->port = q->link->port;
	if (q->cmd == EGPU_CMD_OVERRIDE_SET) {
		strcpy(call->text, string_of(q, EGPU_A_OVERRIDE_ADDRESS));
		call->value = u32_of(q, EGPU_A_OVERRIDE_PLACEMENT);
	} else if (is_quiesce(q->cmd)) {
		call->id = u32_of(q, EGPU_A_QUIESCE_ID);
		call->value = u32_of(q, EGPU_A_QUIESCE_TIMEOUT_MS);
	} else if (q->cmd != EGPU_CMD_SETTINGS_SET &&
		   q->cmd != EGPU_CMD_MIGRATE) {
		call->cookie = u64_of(q, EGPU_A_REMOVAL_COOKIE);
		call->id = u32_of(q, EGPU_A_REMOVAL_ID);
		call->value = u32_of(q, EGPU_A_REMOVAL_TIMEOUT_MS);
		call->step = u32_of(q, EGPU_A_REMOVAL_STEP);
		call->force = flag_of(q, EGPU_A_REMOVAL_FORCE);
		call->vouched = flag_of(q, EGPU_A_REMOVAL_VOUCHED);
		strcpy(call->text, string_of(q, EGPU_A_REMOVAL_REASON));
	}
	k->n_calls++;
}

static int change(struct question *q, struct nl_msg **answer)
{
	record(q);
	if (!q->kernel->admin)
		return -EPERM;
	switch (q->cmd) {
	case EGPU_CMD_EJECT:
		return do_eject(q, answer);
	case EGPU_CMD_SETTINGS_SET:
		return do_settings_set(q);
	case EGPU_CMD_OVERRIDE_SET:
		return do_override_set(q);
	case EGPU_CMD_MIGRATE:
		return do_migrate(q);
	default:
		return is_quiesce(q->cmd) ? do_quiesce(q) : do_handshake(q);
	}
}

static int answer_do(struct question *q, struct nl_msg **answer)
{
	switch (q->cmd) {
	case EGPU_CMD_DEVICE_GET:
		return do_device_get(q, answer);
	case EGPU_CMD_REMOVAL_GET:
		return do_removal_get(q, answer);
	case EGPU_CMD_QUIESCE_GET:
		return do_quiesce_get(q, answer);
	case EGPU_CMD_SETTINGS_GET:
		*answer = encode_settings(q->kernel->family.id,
					  &q->kernel->settings);
		return 0;
	default:
		return change(q, answer);
	}
}

static void answer_family(struct question *q)
{
	struct kernel *k = q->kernel;
	struct nl_msg *answer = NULL;
	int err;

	if (k->next_error) {
		acknowledge(q, k->next_error, k->next_text, k->next_attr);
		k->next_error = 0;
		return;
	}
	if ((q->nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
		dump(q);
		return;
	}
	err = answer_do(q, &answer);
	if (!err && answer)
		reply(q, answer);
	acknowledge(q, err, NULL, -1);
	if (q->cmd == EGPU_CMD_SETTINGS_GET && k->after_settings)
		k->after_settings(k);
	if (q->cmd == EGPU_CMD_EJECT && k->after_eject)
		k->after_eject(k);
}

void kernel_answer(struct kernel *kernel, struct kernel_link *link,
		   struct nlmsghdr *request)
{
	struct genlmsghdr *genl = nlmsg_data(request);
	struct question q = {
		.kernel = kernel,
		.link = link,
		.nlh = request,
		.cmd = genl->cmd,
	};

	assert_true(nlmsg_datalen(request) >= (int)GENL_HDRLEN);
	if (kernel->stray) {
		request->nlmsg_seq--;
		acknowledge(&q, -EIO, "of an older request", -1);
		request->nlmsg_seq++;
	}
	if (request->nlmsg_type == GENL_ID_CTRL)
		dump_families(&q);
	else if (kernel->loaded && request->nlmsg_type == kernel->family.id)
		answer_family(&q);
	else
		acknowledge(&q, -ENOENT, NULL, -1);
}
