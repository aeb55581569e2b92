// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel does to make messages: the other side of lib/codec.c, and
 * written without it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "kernel.h"

#define OK(call) assert_int_equal(call, 0)

static struct nl_msg *begin(uint16_t type, uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 0, 0, type, 0, 0, cmd, 1));
	return msg;
}

static void put_minors(struct nl_msg *msg, int attr,
		       const struct egpu_minor *minors, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct nlattr *nest = nla_nest_start(msg, attr);

		assert_non_null(nest);
		OK(nla_put_u32(msg, EGPU_A_MINOR_TYPE, minors[i].type));
		OK(nla_put_u32(msg, EGPU_A_MINOR_INDEX, minors[i].index));
		nla_nest_end(msg, nest);
	}
}

static void put_string(struct nl_msg *msg, int attr, const char *text)
{
	if (*text)
		OK(nla_put_string(msg, attr, text));
}

static void put_time(struct nl_msg *msg, int attr, uint64_t time)
{
	if (time)
		OK(nla_put_u64(msg, attr, time));
}

struct nl_msg *encode_device(uint16_t type, uint8_t cmd,
			     const struct egpu_device *dev, bool event)
{
	struct nl_msg *msg = begin(type, cmd);

	OK(nla_put_u64(msg, EGPU_A_DEVICE_SEQ, dev->seq));
	if (event)
		OK(nla_put_u64(msg, EGPU_A_DEVICE_TIME, dev->time));
	OK(nla_put_u32(msg, EGPU_A_DEVICE_ID, dev->id));
	put_string(msg, EGPU_A_DEVICE_ADDRESS, dev->address);
	OK(nla_put_u32(msg, EGPU_A_DEVICE_STATE, dev->state));
	OK(nla_put_u8(msg, EGPU_A_DEVICE_EXTERNAL, dev->external));
	OK(nla_put_u32(msg, EGPU_A_DEVICE_MARKER, dev->marker));
	OK(nla_put_u16(msg, EGPU_A_DEVICE_VENDOR, dev->vendor));
	OK(nla_put_u16(msg, EGPU_A_DEVICE_DEVICE, dev->device));
	OK(nla_put_u16(msg, EGPU_A_DEVICE_SUBSYSTEM_VENDOR,
		       dev->subsystem_vendor));
	OK(nla_put_u16(msg, EGPU_A_DEVICE_SUBSYSTEM_DEVICE,
		       dev->subsystem_device));
	OK(nla_put_u32(msg, EGPU_A_DEVICE_CLASS, dev->class_code));
	put_string(msg, EGPU_A_DEVICE_DRIVER, dev->driver);
	put_string(msg, EGPU_A_DEVICE_PORT, dev->port);
	OK(nla_put_u32(msg, EGPU_A_DEVICE_LINK_SPEED, dev->link_speed));
	OK(nla_put_u32(msg, EGPU_A_DEVICE_LINK_WIDTH, dev->link_width));
	put_minors(msg, EGPU_A_DEVICE_MINOR, dev->minors, dev->n_minors);
	if (!event)
		OK(nla_put_u32(msg, EGPU_A_DEVICE_CLIENTS, dev->clients));
	if (dev->cookie)
		OK(nla_put_u64(msg, EGPU_A_DEVICE_COOKIE, dev->cookie));
	put_time(msg, EGPU_A_DEVICE_SINCE, dev->since);
	if (dev->at_load)
		OK(nla_put_flag(msg, EGPU_A_DEVICE_AT_LOAD));
	return msg;
}

struct nl_msg *encode_removal(uint16_t type, uint8_t cmd,
			      const struct egpu_removal *rem, bool event)
{
	struct nl_msg *msg = begin(type, cmd);

	OK(nla_put_u64(msg, EGPU_A_REMOVAL_SEQ, rem->seq));
	if (event)
		OK(nla_put_u64(msg, EGPU_A_REMOVAL_TIME, rem->time));
	OK(nla_put_u64(msg, EGPU_A_REMOVAL_COOKIE, rem->cookie));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_ID, rem->id));
	put_string(msg, EGPU_A_REMOVAL_ADDRESS, rem->address);
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_ORIGIN, rem->origin));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_PHASE, rem->phase));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_RELEASE, rem->release));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_CAUSE, rem->cause));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_EVIDENCE, rem->evidence));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_CLIENTS, rem->clients));
	if (rem->force)
		OK(nla_put_flag(msg, EGPU_A_REMOVAL_FORCE));
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_TIMEOUT_MS, rem->timeout_ms));
	put_time(msg, EGPU_A_REMOVAL_CREATED, rem->created);
	put_time(msg, EGPU_A_REMOVAL_ACCEPTED, rem->accepted);
	put_time(msg, EGPU_A_REMOVAL_RELEASED, rem->released);
	put_time(msg, EGPU_A_REMOVAL_UNBOUND, rem->unbound);
	put_time(msg, EGPU_A_REMOVAL_FINISHED, rem->finished);
	if (rem->helper)
		OK(nla_put_u32(msg, EGPU_A_REMOVAL_HELPER, rem->helper));
	put_string(msg, EGPU_A_REMOVAL_REASON, rem->reason);
	OK(nla_put_u8(msg, EGPU_A_REMOVAL_EXTERNAL, rem->external));
	OK(nla_put_u16(msg, EGPU_A_REMOVAL_VENDOR, rem->vendor));
	OK(nla_put_u16(msg, EGPU_A_REMOVAL_DEVICE, rem->device));
	put_string(msg, EGPU_A_REMOVAL_DRIVER, rem->driver);
	put_string(msg, EGPU_A_REMOVAL_PORT, rem->port);
	OK(nla_put_u32(msg, EGPU_A_REMOVAL_STEP, rem->step));
	if (rem->vouched)
		OK(nla_put_flag(msg, EGPU_A_REMOVAL_VOUCHED));
	if (cmd == EGPU_CMD_REMOVAL_PENDING)
		put_minors(msg, EGPU_A_REMOVAL_MINOR, rem->minors,
			   rem->n_minors);
	return msg;
}

struct nl_msg *encode_client(uint16_t type, const struct egpu_client *client)
{
	struct nl_msg *msg = begin(type, EGPU_CMD_CLIENT_GET);

	OK(nla_put_u32(msg, EGPU_A_CLIENT_ID, client->id));
	if (client->client_id)
		OK(nla_put_u64(msg, EGPU_A_CLIENT_CLIENT_ID, client->client_id));
	if (client->pid)
		OK(nla_put_u32(msg, EGPU_A_CLIENT_PID, client->pid));
	put_string(msg, EGPU_A_CLIENT_COMM, client->comm);
	put_minors(msg, EGPU_A_CLIENT_MINOR, &client->minor, 1);
	if (client->master)
		OK(nla_put_flag(msg, EGPU_A_CLIENT_MASTER));
	OK(nla_put_u32(msg, EGPU_A_CLIENT_BUFFERS, client->buffers));
	OK(nla_put_u64(msg, EGPU_A_CLIENT_BYTES, client->bytes));
	return msg;
}

struct nl_msg *encode_buffer(uint16_t type, const struct egpu_buffer *buffer)
{
	struct nl_msg *msg = begin(type, EGPU_CMD_BUFFER_GET);

	OK(nla_put_u32(msg, EGPU_A_BUFFER_ID, buffer->id));
	if (buffer->client_id)
		OK(nla_put_u64(msg, EGPU_A_BUFFER_CLIENT_ID, buffer->client_id));
	if (buffer->pid)
		OK(nla_put_u32(msg, EGPU_A_BUFFER_PID, buffer->pid));
	put_minors(msg, EGPU_A_BUFFER_MINOR, &buffer->minor, 1);
	OK(nla_put_u32(msg, EGPU_A_BUFFER_HANDLE, buffer->handle));
	OK(nla_put_u64(msg, EGPU_A_BUFFER_SIZE, buffer->size));
	if (buffer->dma_buf)
		OK(nla_put_u64(msg, EGPU_A_BUFFER_DMA_BUF, buffer->dma_buf));
	if (buffer->imported)
		OK(nla_put_flag(msg, EGPU_A_BUFFER_IMPORTED));
	OK(nla_put_u32(msg, EGPU_A_BUFFER_PENDING, buffer->pending));
	if (!EGPU_HAS(buffer, EGPU_A_BUFFER_WRITE_CONTEXT))
		return msg;
	OK(nla_put_u64(msg, EGPU_A_BUFFER_WRITE_CONTEXT, buffer->write_context));
	OK(nla_put_u64(msg, EGPU_A_BUFFER_WRITE_SEQNO, buffer->write_seqno));
	return msg;
}

static void put_culprits(struct nl_msg *msg, const struct egpu_quiesce *quiesce)
{
	uint32_t i;

	for (i = 0; i < quiesce->n_culprits; i++) {
		const struct egpu_culprit *culprit = &quiesce->culprits[i];
		struct nlattr *nest;

		nest = nla_nest_start(msg, EGPU_A_QUIESCE_CULPRIT);
		assert_non_null(nest);
		if (culprit->pid)
			OK(nla_put_u32(msg, EGPU_A_CULPRIT_PID, culprit->pid));
		put_string(msg, EGPU_A_CULPRIT_COMM, culprit->comm);
		if (culprit->client_id)
			OK(nla_put_u64(msg, EGPU_A_CULPRIT_CLIENT_ID,
				       culprit->client_id));
		put_minors(msg, EGPU_A_CULPRIT_MINOR, &culprit->minor, 1);
		OK(nla_put_u32(msg, EGPU_A_CULPRIT_FENCES, culprit->fences));
		nla_nest_end(msg, nest);
	}
}

struct nl_msg *encode_quiesce(uint16_t type, uint8_t cmd,
			      const struct egpu_quiesce *quiesce, bool event)
{
	struct nl_msg *msg = begin(type, cmd);

	OK(nla_put_u64(msg, EGPU_A_QUIESCE_SEQ, quiesce->seq));
	if (event)
		OK(nla_put_u64(msg, EGPU_A_QUIESCE_TIME, quiesce->time));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_ID, quiesce->id));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_STATE, quiesce->state));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_RESULT, quiesce->result));
	if (quiesce->owner)
		OK(nla_put_u32(msg, EGPU_A_QUIESCE_OWNER, quiesce->owner));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_TIMEOUT_MS, quiesce->timeout_ms));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_CLIENTS, quiesce->clients));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_BUFFERS, quiesce->buffers));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_PASSES, quiesce->passes));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_WAITED, quiesce->waited));
	OK(nla_put_u32(msg, EGPU_A_QUIESCE_PENDING, quiesce->pending));
	put_time(msg, EGPU_A_QUIESCE_STARTED, quiesce->started);
	put_time(msg, EGPU_A_QUIESCE_ENDED, quiesce->ended);
	if (!event)
		put_culprits(msg, quiesce);
	return msg;
}

static void put_u32(struct nl_msg *msg, int attr, uint32_t value)
{
	if (value)
		OK(nla_put_u32(msg, attr, value));
}

struct nl_msg *encode_migration(uint16_t type, uint8_t cmd,
				const struct egpu_migration *migration)
{
	struct nl_msg *msg = begin(type, cmd);

	put_time(msg, EGPU_A_MIGRATION_SEQ, migration->seq);
	put_time(msg, EGPU_A_MIGRATION_TIME, migration->time);
	put_time(msg, EGPU_A_MIGRATION_MIGRATION, migration->migration);
	OK(nla_put_u32(msg, EGPU_A_MIGRATION_PHASE, migration->phase));
	put_u32(msg, EGPU_A_MIGRATION_ID, migration->id);
	put_u32(msg, EGPU_A_MIGRATION_TARGET, migration->target);
	if (migration->cpu)
		OK(nla_put_flag(msg, EGPU_A_MIGRATION_CPU));
	put_time(msg, EGPU_A_MIGRATION_COOKIE, migration->cookie);
	put_u32(msg, EGPU_A_MIGRATION_PID, migration->pid);
	put_string(msg, EGPU_A_MIGRATION_COMM, migration->comm);
	put_time(msg, EGPU_A_MIGRATION_BYTES, migration->bytes);
	put_time(msg, EGPU_A_MIGRATION_DURATION, migration->duration);
	put_time(msg, EGPU_A_MIGRATION_STILL, migration->still);
	put_time(msg, EGPU_A_MIGRATION_LOST, migration->lost);
	put_string(msg, EGPU_A_MIGRATION_CHECKPOINT, migration->checkpoint);
	put_string(msg, EGPU_A_MIGRATION_REASON, migration->reason);
	put_u32(msg, EGPU_A_MIGRATION_HELPER, migration->helper);
	return msg;
}

struct nl_msg *encode_settings(uint16_t type, const struct egpu_settings *set)
{
	struct nl_msg *msg = begin(type, EGPU_CMD_SETTINGS_GET);

	OK(nla_put_u32(msg, EGPU_A_SETTINGS_HOLD_MS, set->hold_ms));
	OK(nla_put_u32(msg, EGPU_A_SETTINGS_ACCEPT_MS, set->accept_ms));
	OK(nla_put_u32(msg, EGPU_A_SETTINGS_EJECT_MS, set->eject_ms));
	OK(nla_put_u64(msg, EGPU_A_SETTINGS_INSTANCE, set->instance));
	OK(nla_put_u64(msg, EGPU_A_SETTINGS_SEQ, set->seq));
	OK(nla_put_u8(msg, EGPU_A_SETTINGS_HELPERS, set->helpers));
	put_string(msg, EGPU_A_SETTINGS_VERSION, set->version);
	OK(nla_put_u32(msg, EGPU_A_SETTINGS_DRAIN_MS, set->drain_ms));
	return msg;
}

struct nl_msg *encode_override(uint16_t type, const struct egpu_override *rule)
{
	struct nl_msg *msg = begin(type, EGPU_CMD_OVERRIDE_GET);

	put_string(msg, EGPU_A_OVERRIDE_ADDRESS, rule->address);
	OK(nla_put_u32(msg, EGPU_A_OVERRIDE_PLACEMENT, rule->placement));
	return msg;
}
