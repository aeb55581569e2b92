// SPDX-License-Identifier: GPL-2.0
#include "family.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const phase_names[] = {
	"pending", "accepted",	"released", "unbound",
	"done",	   "cancelled", "refused",
};

const char *const release_names[] = {
	"not-yet",   "acked",	    "unattended", "not-accepted",
	"timed-out", "helper-died", "gone",	  "overtaken",
	"unloaded",  "internal",    "withdrawn",
};

const char *const quiesce_names[] = {
	"running", "fenced", "draining", "quiesced", "resumed",
};

const char *const migration_names[] = {
	"started",
	"completed",
	"failed",
	"checkpointed",
};

const char *const drain_names[] = {
	"none", "drained", "timed-out", "gone", "stopped", "no-memory",
};

/**
 * now_ns - the clock of the family's times
 *
 * Return: ns of CLOCK_BOOTTIME.
 */
uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void read_group(struct family *family, const void *attrs, size_t len)
{
	const char *name = attr_text(attrs, len, CTRL_ATTR_MCAST_GRP_NAME);
	uint32_t number = attr_u32(attrs, len, CTRL_ATTR_MCAST_GRP_ID);

	if (name && !strcmp(name, EGPU_MCGRP_EVENTS))
		family->events = number;
	if (name && !strcmp(name, EGPU_MCGRP_HELPER))
		family->helper = number;
}

static void read_groups(struct family *family, const char *groups, size_t len)
{
	const struct nlattr *group;

	while (len >= NLA_HDRLEN) {
		group = (const void *)groups;
		if (group->nla_len < NLA_HDRLEN || group->nla_len > len)
			return;
		read_group(family, groups + NLA_HDRLEN,
			   group->nla_len - NLA_HDRLEN);
		if ((size_t)NLA_ALIGN(group->nla_len) >= len)
			return;
		groups += NLA_ALIGN(group->nla_len);
		len -= NLA_ALIGN(group->nla_len);
	}
}

/**
 * family_resolve - ask for the family's numbers
 * @family: overwritten
 *
 * Return: 0, -ENOENT when the module is not there, or another error.
 */
int family_resolve(struct family *family)
{
	static _Thread_local struct answer answer;
	static _Thread_local struct msg msg;
	const char *groups;
	struct nl nl;
	size_t size;
	int error = nl_open(&nl);

	memset(family, 0, sizeof(*family));
	if (error)
		return error;
	msg_begin(&msg, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	msg_put_text(&msg, CTRL_ATTR_FAMILY_NAME, EGPU_FAMILY_NAME);
	error = nl_ask(&nl, &msg, &answer);
	nl_close(&nl);
	if (error)
		return error;
	family->id = attr_u32(answer.data, answer.len, CTRL_ATTR_FAMILY_ID);
	groups = attr_find(answer.data, answer.len, CTRL_ATTR_MCAST_GROUPS,
			   &size);
	if (groups)
		read_groups(family, groups, size);
	return family->id && family->events && family->helper ? 0 : -EPROTO;
}

/**
 * family_open - open a socket and ask for the family
 * @nl: overwritten
 * @family: overwritten
 *
 * Return: 0 or a negative errno.
 */
int family_open(struct nl *nl, struct family *family)
{
	int error = family_resolve(family);

	return error ? error : nl_open(nl);
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

void removal_read(struct removal *removal, const void *attrs, size_t len)
{
	removal->seq = attr_u64(attrs, len, EGPU_A_REMOVAL_SEQ);
	removal->cookie = attr_u64(attrs, len, EGPU_A_REMOVAL_COOKIE);
	removal->id = attr_u32(attrs, len, EGPU_A_REMOVAL_ID);
	removal->origin = attr_u32(attrs, len, EGPU_A_REMOVAL_ORIGIN);
	removal->phase = attr_u32(attrs, len, EGPU_A_REMOVAL_PHASE);
	removal->release = attr_u32(attrs, len, EGPU_A_REMOVAL_RELEASE);
	removal->cause = attr_u32(attrs, len, EGPU_A_REMOVAL_CAUSE);
	removal->evidence = attr_u32(attrs, len, EGPU_A_REMOVAL_EVIDENCE);
	removal->clients = attr_u32(attrs, len, EGPU_A_REMOVAL_CLIENTS);
	removal->helper = attr_u32(attrs, len, EGPU_A_REMOVAL_HELPER);
	removal->created = attr_u64(attrs, len, EGPU_A_REMOVAL_CREATED);
	removal->accepted = attr_u64(attrs, len, EGPU_A_REMOVAL_ACCEPTED);
	removal->released = attr_u64(attrs, len, EGPU_A_REMOVAL_RELEASED);
	removal->unbound = attr_u64(attrs, len, EGPU_A_REMOVAL_UNBOUND);
	removal->finished = attr_u64(attrs, len, EGPU_A_REMOVAL_FINISHED);
	removal->timeout_ms = attr_u32(attrs, len, EGPU_A_REMOVAL_TIMEOUT_MS);
	removal->step = attr_u32(attrs, len, EGPU_A_REMOVAL_STEP);
	removal->vouched = attr_there(attrs, len, EGPU_A_REMOVAL_VOUCHED);
	removal->external = attr_u32(attrs, len, EGPU_A_REMOVAL_EXTERNAL);
	copy_text(removal->address, sizeof(removal->address),
		  attr_text(attrs, len, EGPU_A_REMOVAL_ADDRESS));
	copy_text(removal->reason, sizeof(removal->reason),
		  attr_text(attrs, len, EGPU_A_REMOVAL_REASON));
}

void gpu_read(struct gpu *gpu, const void *attrs, size_t len)
{
	gpu->id = attr_u32(attrs, len, EGPU_A_DEVICE_ID);
	gpu->state = attr_u32(attrs, len, EGPU_A_DEVICE_STATE);
	gpu->external = attr_u32(attrs, len, EGPU_A_DEVICE_EXTERNAL);
	gpu->clients = attr_u32(attrs, len, EGPU_A_DEVICE_CLIENTS);
	gpu->cookie = attr_u64(attrs, len, EGPU_A_DEVICE_COOKIE);
	copy_text(gpu->address, sizeof(gpu->address),
		  attr_text(attrs, len, EGPU_A_DEVICE_ADDRESS));
}

void quiesce_read(struct quiesce *quiesce, const void *attrs, size_t len)
{
	quiesce->seq = attr_u64(attrs, len, EGPU_A_QUIESCE_SEQ);
	quiesce->id = attr_u32(attrs, len, EGPU_A_QUIESCE_ID);
	quiesce->state = attr_u32(attrs, len, EGPU_A_QUIESCE_STATE);
	quiesce->result = attr_u32(attrs, len, EGPU_A_QUIESCE_RESULT);
	quiesce->owner = attr_u32(attrs, len, EGPU_A_QUIESCE_OWNER);
	quiesce->clients = attr_u32(attrs, len, EGPU_A_QUIESCE_CLIENTS);
	quiesce->buffers = attr_u32(attrs, len, EGPU_A_QUIESCE_BUFFERS);
	quiesce->passes = attr_u32(attrs, len, EGPU_A_QUIESCE_PASSES);
	quiesce->waited = attr_u32(attrs, len, EGPU_A_QUIESCE_WAITED);
	quiesce->pending = attr_u32(attrs, len, EGPU_A_QUIESCE_PENDING);
	quiesce->started = attr_u64(attrs, len, EGPU_A_QUIESCE_STARTED);
	quiesce->ended = attr_u64(attrs, len, EGPU_A_QUIESCE_ENDED);
}

void migration_read(struct migration *migration, const void *attrs, size_t len)
{
	migration->seq = attr_u64(attrs, len, EGPU_A_MIGRATION_SEQ);
	migration->migration = attr_u64(attrs, len, EGPU_A_MIGRATION_MIGRATION);
	migration->phase = attr_u32(attrs, len, EGPU_A_MIGRATION_PHASE);
	migration->id = attr_u32(attrs, len, EGPU_A_MIGRATION_ID);
	migration->target = attr_u32(attrs, len, EGPU_A_MIGRATION_TARGET);
	migration->pid = attr_u32(attrs, len, EGPU_A_MIGRATION_PID);
	migration->helper = attr_u32(attrs, len, EGPU_A_MIGRATION_HELPER);
	migration->lost = attr_u64(attrs, len, EGPU_A_MIGRATION_LOST);
	migration->cpu = attr_there(attrs, len, EGPU_A_MIGRATION_CPU);
	copy_text(migration->reason, sizeof(migration->reason),
		  attr_text(attrs, len, EGPU_A_MIGRATION_REASON));
}

/**
 * gpu_get - ask for one GPU
 * @nl: the socket
 * @family: the family
 * @id: its id
 * @gpu: filled
 *
 * Return: 0 or a negative errno.
 */
int gpu_get(struct nl *nl, const struct family *family, uint32_t id,
	    struct gpu *gpu)
{
	static _Thread_local struct answer answer;
	static _Thread_local struct msg msg;
	int error;

	msg_begin(&msg, family->id, 0, EGPU_CMD_DEVICE_GET);
	msg_put_u32(&msg, EGPU_A_DEVICE_ID, id);
	error = nl_ask(nl, &msg, &answer);
	if (!error)
		gpu_read(gpu, answer.data, answer.len);
	return error;
}

struct gpu_search {
	bool external;
	bool found;
	struct gpu *gpu;
};

static void look_at_gpu(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct gpu_search *search = data;
	struct gpu gpu;

	(void)cmd;
	gpu_read(&gpu, attrs, len);
	if (search->found || gpu.external != search->external)
		return;
	search->found = true;
	*search->gpu = gpu;
}

/**
 * gpu_find - find the first external or internal GPU
 * @nl: the socket
 * @family: the family
 * @external: which
 * @gpu: filled
 *
 * Return: 0, -ENODEV when there is none, or another error.
 */
int gpu_find(struct nl *nl, const struct family *family, bool external,
	     struct gpu *gpu)
{
	struct gpu_search search = { .external = external, .gpu = gpu };
	static _Thread_local struct answer answer;
	static _Thread_local struct msg msg;
	int error;

	msg_begin(&msg, family->id, NLM_F_DUMP, EGPU_CMD_DEVICE_GET);
	error = nl_dump(nl, &msg, look_at_gpu, &search, &answer);
	if (error)
		return error;
	return search.found ? 0 : -ENODEV;
}

/**
 * step - send one of the commands that only name a removal
 * @nl: the socket
 * @family: the family
 * @cmd: EGPU_CMD_ACCEPT, ACK, CANCEL or REMOVAL_GET
 * @cookie: the removal
 * @answer: overwritten
 *
 * Return: 0 or a negative errno.
 */
int step(struct nl *nl, const struct family *family, uint8_t cmd,
	 uint64_t cookie, struct answer *answer)
{
	static _Thread_local struct msg msg;

	msg_begin(&msg, family->id, 0, cmd);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, cookie);
	return nl_ask(nl, &msg, answer);
}

/**
 * removal_get - ask for one removal
 * @nl: the socket
 * @family: the family
 * @cookie: which
 * @removal: filled
 *
 * Return: 0 or a negative errno.
 */
int removal_get(struct nl *nl, const struct family *family, uint64_t cookie,
		struct removal *removal)
{
	static _Thread_local struct answer answer;
	int error = step(nl, family, EGPU_CMD_REMOVAL_GET, cookie, &answer);

	if (!error)
		removal_read(removal, answer.data, answer.len);
	return error;
}

/**
 * quiesce_step - send one of the commands that stop the clients of a GPU
 * @nl: the socket, which owns what it fences
 * @family: the family
 * @cmd: EGPU_CMD_FENCE, DRAIN, RESUME or QUIESCE_GET
 * @id: of the GPU
 * @timeout_ms: of a drain
 * @quiesce: filled by QUIESCE_GET, or NULL
 *
 * Return: 0 or a negative errno.
 */
int quiesce_step(struct nl *nl, const struct family *family, uint8_t cmd,
		 uint32_t id, uint32_t timeout_ms, struct quiesce *quiesce)
{
	static _Thread_local struct answer answer;
	static _Thread_local struct msg msg;
	int error;

	msg_begin(&msg, family->id, 0, cmd);
	msg_put_u32(&msg, EGPU_A_QUIESCE_ID, id);
	if (cmd == EGPU_CMD_DRAIN)
		msg_put_u32(&msg, EGPU_A_QUIESCE_TIMEOUT_MS, timeout_ms);
	error = nl_ask(nl, &msg, &answer);
	if (!error && quiesce)
		quiesce_read(quiesce, answer.data, answer.len);
	return error;
}

/**
 * setting_set - change one setting
 * @nl: the socket
 * @family: the family
 * @attr: EGPU_A_SETTINGS_*
 * @value: in ms
 *
 * Return: 0 or a negative errno.
 */
int setting_set(struct nl *nl, const struct family *family, int attr,
		uint32_t value)
{
	static _Thread_local struct answer answer;
	static _Thread_local struct msg msg;

	msg_begin(&msg, family->id, 0, EGPU_CMD_SETTINGS_SET);
	msg_put_u32(&msg, attr, value);
	return nl_ask(nl, &msg, &answer);
}

/**
 * override_set - make or take away a rule
 * @nl: the socket
 * @family: the family
 * @address: PCI address
 * @placement: enum egpu_placement
 *
 * Return: 0 or a negative errno.
 */
int override_set(struct nl *nl, const struct family *family,
		 const char *address, uint32_t placement)
{
	static _Thread_local struct answer answer;
	static _Thread_local struct msg msg;

	msg_begin(&msg, family->id, 0, EGPU_CMD_OVERRIDE_SET);
	msg_put_text(&msg, EGPU_A_OVERRIDE_ADDRESS, address);
	msg_put_u32(&msg, EGPU_A_OVERRIDE_PLACEMENT, placement);
	return nl_ask(nl, &msg, &answer);
}
