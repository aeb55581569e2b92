// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests that are answered by one object or by none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* Sends @msg, which it frees; @full is whether an attribute found no room. */
static int finish(struct egpu_ctx *ctx, struct nl_msg *msg, int full,
		  egpu_reply_fn fn, void *arg)
{
	int err = full ? egpu_fail_errno(ctx, -ENOMEM) :
			 egpu_call(ctx, msg, fn, arg);

	nlmsg_free(msg);
	return err;
}

static int no_memory(struct egpu_ctx *ctx)
{
	return egpu_fail_errno(ctx, -ENOMEM);
}

/* A success without the object that was asked for is a malformed answer. */
static int complete(struct egpu_ctx *ctx, int err, const void *object)
{
	return err || object ? err : egpu_fail_errno(ctx, -EBADMSG);
}

static int take_device(struct nlmsghdr *nlh, void *arg)
{
	struct egpu_device **object = arg;

	return *object ? -EBADMSG : egpu_decode_device(nlh, object);
}

static int ask_device(struct egpu_ctx *ctx, struct nl_msg *msg, int full,
		      struct egpu_device **object)
{
	int err;

	*object = NULL;
	err = finish(ctx, msg, full, take_device, object);
	err = complete(ctx, err, *object);
	if (err) {
		free(*object);
		*object = NULL;
	}
	return err;
}

static int take_removal(struct nlmsghdr *nlh, void *arg)
{
	struct egpu_removal **object = arg;

	return *object ? -EBADMSG : egpu_decode_removal(nlh, object);
}

static int ask_removal(struct egpu_ctx *ctx, struct nl_msg *msg, int full,
		       struct egpu_removal **object)
{
	int err;

	*object = NULL;
	err = finish(ctx, msg, full, take_removal, object);
	err = complete(ctx, err, *object);
	if (err) {
		free(*object);
		*object = NULL;
	}
	return err;
}

static int take_settings(struct nlmsghdr *nlh, void *arg)
{
	struct egpu_settings **object = arg;

	return *object ? -EBADMSG : egpu_decode_settings(nlh, object);
}

static int ask_settings(struct egpu_ctx *ctx, struct nl_msg *msg, int full,
			struct egpu_settings **object)
{
	int err;

	*object = NULL;
	err = finish(ctx, msg, full, take_settings, object);
	err = complete(ctx, err, *object);
	if (err) {
		free(*object);
		*object = NULL;
	}
	return err;
}

static int take_quiesce(struct nlmsghdr *nlh, void *arg)
{
	struct egpu_quiesce **object = arg;

	return *object ? -EBADMSG : egpu_decode_quiesce(nlh, object);
}

static int ask_quiesce(struct egpu_ctx *ctx, struct nl_msg *msg, int full,
		       struct egpu_quiesce **object)
{
	int err;

	*object = NULL;
	err = finish(ctx, msg, full, take_quiesce, object);
	err = complete(ctx, err, *object);
	if (err) {
		free(*object);
		*object = NULL;
	}
	return err;
}

int egpu_device_get(struct egpu_ctx *ctx, uint32_t id, const char *address,
		    struct egpu_device **device)
{
	struct nl_msg *msg;
	int full;

	if (id)
		egpu_what(ctx, "find GPU %u", id);
	else
		egpu_what(ctx, "find GPU %.40s", address ? address : "");
	*device = NULL;
	if (!id && (!address || strlen(address) > EGPU_ADDRESS_LEN))
		return egpu_fail(ctx, -EINVAL,
				 "this is not an id or PCI address");
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_DEVICE_GET, 0);
	if (!msg)
		return no_memory(ctx);
	full = id ? nla_put_u32(msg, EGPU_A_DEVICE_ID, id) :
		    nla_put_string(msg, EGPU_A_DEVICE_ADDRESS, address);
	return ask_device(ctx, msg, full, device);
}

int egpu_removal_get(struct egpu_ctx *ctx, uint64_t cookie,
		     struct egpu_removal **removal)
{
	struct nl_msg *msg;

	egpu_what(ctx, "find removal %llu", (unsigned long long)cookie);
	*removal = NULL;
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_REMOVAL_GET, 0);
	if (!msg)
		return no_memory(ctx);
	return ask_removal(ctx, msg,
			   nla_put_u64(msg, EGPU_A_REMOVAL_COOKIE, cookie),
			   removal);
}

int egpu_quiesce_get(struct egpu_ctx *ctx, uint32_t id,
		     struct egpu_quiesce **quiesce)
{
	struct nl_msg *msg;

	egpu_what(ctx, "see how far GPU %u is quiesced", id);
	*quiesce = NULL;
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_QUIESCE_GET, 0);
	if (!msg)
		return no_memory(ctx);
	return ask_quiesce(ctx, msg, nla_put_u32(msg, EGPU_A_QUIESCE_ID, id),
			   quiesce);
}

int egpu_settings_get(struct egpu_ctx *ctx, struct egpu_settings **settings)
{
	struct nl_msg *msg;

	egpu_what(ctx, "read the settings");
	*settings = NULL;
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_SETTINGS_GET, 0);
	if (!msg)
		return no_memory(ctx);
	return ask_settings(ctx, msg, 0, settings);
}

int egpu_eject(struct egpu_ctx *ctx, uint32_t id,
	       const struct egpu_eject_options *options, uint64_t *cookie)
{
	struct egpu_eject_options o = { .size = sizeof(o) };
	struct egpu_removal *removal;
	struct nl_msg *msg;
	int err, full;

	egpu_what(ctx, "eject GPU %u", id);
	if (options && options->size < sizeof(options->size))
		return egpu_fail(ctx, -EINVAL, "the options carry no size");
	if (options)
		memcpy(&o, options,
		       options->size < sizeof(o) ? options->size : sizeof(o));
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_EJECT, 0);
	if (!msg)
		return no_memory(ctx);
	full = nla_put_u32(msg, EGPU_A_REMOVAL_ID, id);
	if (!full && o.timeout_ms)
		full = nla_put_u32(msg, EGPU_A_REMOVAL_TIMEOUT_MS, o.timeout_ms);
	if (!full && o.force)
		full = nla_put_flag(msg, EGPU_A_REMOVAL_FORCE);
	err = ask_removal(ctx, msg, full, &removal);
	if (err)
		return err;
	if (cookie)
		*cookie = removal->cookie;
	egpu_removal_free(removal);
	return 0;
}

/**
 * struct word - what a command on one removal says, but for whose it is
 * @cmd: EGPU_CMD_*
 * @reason: why, or NULL
 * @step: enum egpu_step, in EGPU_CMD_REPORT
 * @vouched: although clients have the GPU open
 */
struct word {
	uint8_t cmd;
	const char *reason;
	uint32_t step;
	bool vouched;
};

/* A command on one removal that is answered by nothing but an errno. */
static int tell(struct egpu_ctx *ctx, uint64_t cookie, const struct word *word)
{
	struct nl_msg *msg;
	int full;

	if (word->reason && strlen(word->reason) > EGPU_REASON_LEN)
		return egpu_fail(ctx, -EINVAL,
				 "the reason is longer than %d bytes",
				 EGPU_REASON_LEN);
	msg = egpu_msg_new(ctx, 0, word->cmd, 0);
	if (!msg)
		return no_memory(ctx);
	full = nla_put_u64(msg, EGPU_A_REMOVAL_COOKIE, cookie);
	if (!full && word->reason)
		full = nla_put_string(msg, EGPU_A_REMOVAL_REASON, word->reason);
	if (!full && word->cmd == EGPU_CMD_REPORT)
		full = nla_put_u32(msg, EGPU_A_REMOVAL_STEP, word->step);
	if (!full && word->vouched)
		full = nla_put_flag(msg, EGPU_A_REMOVAL_VOUCHED);
	return finish(ctx, msg, full, NULL, NULL);
}

int egpu_cancel(struct egpu_ctx *ctx, uint64_t cookie, const char *reason)
{
	const struct word word = { .cmd = EGPU_CMD_CANCEL, .reason = reason };

	egpu_what(ctx, "cancel removal %llu", (unsigned long long)cookie);
	return tell(ctx, cookie, &word);
}

int egpu_accept(struct egpu_ctx *ctx, uint64_t cookie)
{
	const struct word word = { .cmd = EGPU_CMD_ACCEPT };

	egpu_what(ctx, "accept removal %llu", (unsigned long long)cookie);
	return tell(ctx, cookie, &word);
}

static int acknowledge(struct egpu_ctx *ctx, uint64_t cookie, bool vouched)
{
	const struct word word = { .cmd = EGPU_CMD_ACK, .vouched = vouched };

	egpu_what(ctx, "acknowledge removal %llu", (unsigned long long)cookie);
	return tell(ctx, cookie, &word);
}

int egpu_ack(struct egpu_ctx *ctx, uint64_t cookie)
{
	return acknowledge(ctx, cookie, false);
}

int egpu_ack_vouched(struct egpu_ctx *ctx, uint64_t cookie)
{
	return acknowledge(ctx, cookie, true);
}

int egpu_refuse(struct egpu_ctx *ctx, uint64_t cookie, const char *reason)
{
	const struct word word = { .cmd = EGPU_CMD_REFUSE, .reason = reason };

	egpu_what(ctx, "refuse removal %llu", (unsigned long long)cookie);
	return tell(ctx, cookie, &word);
}

int egpu_report(struct egpu_ctx *ctx, uint64_t cookie, uint32_t step)
{
	const struct word word = { .cmd = EGPU_CMD_REPORT, .step = step };

	egpu_what(ctx, "report a step of removal %llu",
		  (unsigned long long)cookie);
	return tell(ctx, cookie, &word);
}

/* A command on the quiescing of a GPU; @timeout_ms is not sent when it is 0. */
static int tell_quiesce(struct egpu_ctx *ctx, uint8_t cmd, uint32_t id,
			uint32_t timeout_ms)
{
	struct nl_msg *msg;
	int full;

	msg = egpu_msg_new(ctx, 0, cmd, 0);
	if (!msg)
		return no_memory(ctx);
	full = nla_put_u32(msg, EGPU_A_QUIESCE_ID, id);
	if (!full && timeout_ms)
		full = nla_put_u32(msg, EGPU_A_QUIESCE_TIMEOUT_MS, timeout_ms);
	return finish(ctx, msg, full, NULL, NULL);
}

int egpu_fence(struct egpu_ctx *ctx, uint32_t id)
{
	egpu_what(ctx, "fence GPU %u", id);
	return tell_quiesce(ctx, EGPU_CMD_FENCE, id, 0);
}

int egpu_drain(struct egpu_ctx *ctx, uint32_t id, uint32_t timeout_ms)
{
	egpu_what(ctx, "drain GPU %u", id);
	/* The kernel would fall back on a time of its own. */
	if (!timeout_ms)
		return egpu_fail(ctx, -EINVAL, "the time is 0");
	return tell_quiesce(ctx, EGPU_CMD_DRAIN, id, timeout_ms);
}

int egpu_resume(struct egpu_ctx *ctx, uint32_t id)
{
	egpu_what(ctx, "resume GPU %u", id);
	return tell_quiesce(ctx, EGPU_CMD_RESUME, id, 0);
}

static int put_number(struct nl_msg *msg, int attr, uint64_t value)
{
	return value ? nla_put_u64(msg, attr, value) : 0;
}

static int put_id(struct nl_msg *msg, int attr, uint32_t value)
{
	return value ? nla_put_u32(msg, attr, value) : 0;
}

static int put_text(struct nl_msg *msg, int attr, const char *text)
{
	return *text ? nla_put_string(msg, attr, text) : 0;
}

static int put_migration(struct nl_msg *msg, const struct egpu_migration *mig)
{
	if (put_number(msg, EGPU_A_MIGRATION_MIGRATION, mig->migration) ||
	    nla_put_u32(msg, EGPU_A_MIGRATION_PHASE, mig->phase) ||
	    put_id(msg, EGPU_A_MIGRATION_ID, mig->id) ||
	    put_id(msg, EGPU_A_MIGRATION_TARGET, mig->target) ||
	    (mig->cpu && nla_put_flag(msg, EGPU_A_MIGRATION_CPU)) ||
	    put_number(msg, EGPU_A_MIGRATION_COOKIE, mig->cookie) ||
	    put_id(msg, EGPU_A_MIGRATION_PID, mig->pid) ||
	    put_text(msg, EGPU_A_MIGRATION_COMM, mig->comm) ||
	    put_number(msg, EGPU_A_MIGRATION_BYTES, mig->bytes) ||
	    put_number(msg, EGPU_A_MIGRATION_DURATION, mig->duration) ||
	    put_number(msg, EGPU_A_MIGRATION_STILL, mig->still) ||
	    put_number(msg, EGPU_A_MIGRATION_LOST, mig->lost) ||
	    put_text(msg, EGPU_A_MIGRATION_CHECKPOINT, mig->checkpoint))
		return -EMSGSIZE;
	return put_text(msg, EGPU_A_MIGRATION_REASON, mig->reason);
}

#define ENDS(array) memchr(array, '\0', sizeof(array))

int egpu_migrate(struct egpu_ctx *ctx, const struct egpu_migration *migration)
{
	struct egpu_migration said = { 0 };
	struct nl_msg *msg;

	egpu_what(ctx, "tell of a migration");
	if (migration->size <
	    offsetof(struct egpu_migration, size) + sizeof(migration->size))
		return egpu_fail(ctx, -EINVAL, "it carries no size");
	memcpy(&said, migration,
	       migration->size < sizeof(said) ? migration->size : sizeof(said));
	if (!ENDS(said.comm) || !ENDS(said.checkpoint) || !ENDS(said.reason))
		return egpu_fail(ctx, -EINVAL, "a text in it has no end");
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_MIGRATE, 0);
	if (!msg)
		return no_memory(ctx);
	return finish(ctx, msg, put_migration(msg, &said), NULL, NULL);
}

int egpu_settings_set(struct egpu_ctx *ctx, const int *attrs,
		      const uint32_t *values, size_t count)
{
	struct nl_msg *msg;
	int full = 0;
	size_t i;

	egpu_what(ctx, "change the settings");
	for (i = 0; i < count; i++) {
		if (attrs[i] != EGPU_A_SETTINGS_HOLD_MS &&
		    attrs[i] != EGPU_A_SETTINGS_ACCEPT_MS &&
		    attrs[i] != EGPU_A_SETTINGS_EJECT_MS &&
		    attrs[i] != EGPU_A_SETTINGS_DRAIN_MS)
			return egpu_fail(ctx, -EINVAL,
					 "attribute %d cannot be set", attrs[i]);
	}
	if (!count)
		return egpu_fail(ctx, -EINVAL, "none is named");
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_SETTINGS_SET, 0);
	if (!msg)
		return no_memory(ctx);
	for (i = 0; i < count && !full; i++)
		full = nla_put_u32(msg, attrs[i], values[i]);
	return finish(ctx, msg, full, NULL, NULL);
}

int egpu_setting_set(struct egpu_ctx *ctx, int attr, uint32_t value)
{
	return egpu_settings_set(ctx, &attr, &value, 1);
}

int egpu_override_set(struct egpu_ctx *ctx, const char *address,
		      uint32_t placement)
{
	struct nl_msg *msg;
	int full;

	egpu_what(ctx, "set the override of %.40s", address);
	if (strlen(address) > EGPU_ADDRESS_LEN)
		return egpu_fail(ctx, -EINVAL, "this is not a PCI address");
	msg = egpu_msg_new(ctx, 0, EGPU_CMD_OVERRIDE_SET, 0);
	if (!msg)
		return no_memory(ctx);
	full = nla_put_string(msg, EGPU_A_OVERRIDE_ADDRESS, address);
	if (!full)
		full = nla_put_u32(msg, EGPU_A_OVERRIDE_PLACEMENT, placement);
	return finish(ctx, msg, full, NULL, NULL);
}
