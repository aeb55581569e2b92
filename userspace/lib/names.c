// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of values and attributes, as the netlink spec has them. A unit test
 * compares these tables with the spec.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

struct name_table {
	const char *const *name;
	uint32_t count;
	bool bits;
};

static const char *const state_names[] = {
	[EGPU_DEVICE_STATE_PRESENT] = "present",
	[EGPU_DEVICE_STATE_READY] = "ready",
	[EGPU_DEVICE_STATE_LEAVING] = "leaving",
	[EGPU_DEVICE_STATE_DETACHED] = "detached",
	[EGPU_DEVICE_STATE_GONE] = "gone",
};

static const char *const marker_names[] = {
	[EGPU_MARKER_NONE] = "none",
	[EGPU_MARKER_REMOVABLE] = "removable",
	[EGPU_MARKER_THUNDERBOLT] = "thunderbolt",
	[EGPU_MARKER_OVERRIDE] = "override",
};

static const char *const placement_names[] = {
	[EGPU_PLACEMENT_AUTO] = "auto",
	[EGPU_PLACEMENT_EXTERNAL] = "external",
	[EGPU_PLACEMENT_INTERNAL] = "internal",
};

static const char *const cause_names[] = {
	[EGPU_CAUSE_UNKNOWN] = "unknown",
	[EGPU_CAUSE_GRACEFUL] = "graceful",
	[EGPU_CAUSE_SURPRISE] = "surprise",
	[EGPU_CAUSE_UNBIND] = "unbind",
};

/* By number of the bit. */
static const char *const evidence_names[] = {
	"marked",	 "absent",    "present",	"frozen",
	"slot-empty",	 "link-down", "hotplug-thread", "sysfs-remove",
	"driver-unload", "user-task", "eject",		"overtaken",
	"no-driver",
};

static const char *const origin_names[] = {
	[EGPU_ORIGIN_EJECT] = "eject",
	[EGPU_ORIGIN_OTHERS] = "others",
};

static const char *const phase_names[] = {
	[EGPU_PHASE_PENDING] = "pending",
	[EGPU_PHASE_ACCEPTED] = "accepted",
	[EGPU_PHASE_RELEASED] = "released",
	[EGPU_PHASE_UNBOUND] = "unbound",
	[EGPU_PHASE_DONE] = "done",
	[EGPU_PHASE_CANCELLED] = "cancelled",
	[EGPU_PHASE_REFUSED] = "refused",
};

static const char *const release_names[] = {
	[EGPU_RELEASE_NOT_YET] = "not-yet",
	[EGPU_RELEASE_ACKED] = "acked",
	[EGPU_RELEASE_UNATTENDED] = "unattended",
	[EGPU_RELEASE_NOT_ACCEPTED] = "not-accepted",
	[EGPU_RELEASE_TIMED_OUT] = "timed-out",
	[EGPU_RELEASE_HELPER_DIED] = "helper-died",
	[EGPU_RELEASE_GONE] = "gone",
	[EGPU_RELEASE_OVERTAKEN] = "overtaken",
	[EGPU_RELEASE_UNLOADED] = "unloaded",
	[EGPU_RELEASE_INTERNAL] = "internal",
	[EGPU_RELEASE_WITHDRAWN] = "withdrawn",
};

static const char *const minor_names[] = {
	[EGPU_MINOR_TYPE_PRIMARY] = "primary",
	[EGPU_MINOR_TYPE_RENDER] = "render",
	[EGPU_MINOR_TYPE_ACCEL] = "accel",
	[EGPU_MINOR_TYPE_OTHER] = "other",
};

static const char *const step_names[] = {
	[EGPU_STEP_NONE] = "none",   [EGPU_STEP_FENCE] = "fence",
	[EGPU_STEP_ASK] = "ask",     [EGPU_STEP_FREEZE] = "freeze",
	[EGPU_STEP_DRAIN] = "drain", [EGPU_STEP_REMOVE] = "remove",
};

static const char *const quiesce_names[] = {
	[EGPU_QUIESCE_STATE_RUNNING] = "running",
	[EGPU_QUIESCE_STATE_FENCED] = "fenced",
	[EGPU_QUIESCE_STATE_DRAINING] = "draining",
	[EGPU_QUIESCE_STATE_QUIESCED] = "quiesced",
	[EGPU_QUIESCE_STATE_RESUMED] = "resumed",
};

static const char *const drain_names[] = {
	[EGPU_DRAIN_RESULT_NONE] = "none",
	[EGPU_DRAIN_RESULT_DRAINED] = "drained",
	[EGPU_DRAIN_RESULT_TIMED_OUT] = "timed-out",
	[EGPU_DRAIN_RESULT_GONE] = "gone",
	[EGPU_DRAIN_RESULT_STOPPED] = "stopped",
	[EGPU_DRAIN_RESULT_NO_MEMORY] = "no-memory",
};

static const char *const migration_names[] = {
	[EGPU_MIGRATION_PHASE_STARTED] = "started",
	[EGPU_MIGRATION_PHASE_COMPLETED] = "completed",
	[EGPU_MIGRATION_PHASE_FAILED] = "failed",
	[EGPU_MIGRATION_PHASE_CHECKPOINTED] = "checkpointed",
};

static const char *const event_names[] = {
	[EGPU_EVENT_START] = "start",
	[EGPU_EVENT_CONNECTED] = "connected",
	[EGPU_EVENT_CHANGED] = "changed",
	[EGPU_EVENT_REMOVAL_PENDING] = "removal-pending",
	[EGPU_EVENT_REMOVAL_PROGRESS] = "removal-progress",
	[EGPU_EVENT_DISCONNECTED] = "disconnected",
	[EGPU_EVENT_RESYNC] = "resync",
	[EGPU_EVENT_MODULE_GONE] = "module-gone",
	[EGPU_EVENT_MODULE_BACK] = "module-back",
	[EGPU_EVENT_QUIESCE] = "quiesce",
	[EGPU_EVENT_MIGRATION] = "migration",
};

static const char *const loss_names[] = {
	[EGPU_LOSS_NONE] = "none",
	[EGPU_LOSS_OVERFLOW] = "overflow",
	[EGPU_LOSS_GAP] = "gap",
	[EGPU_LOSS_MALFORMED] = "malformed",
};

#define TABLE(names)                                                           \
	{                                                                      \
		names, ARRAY_SIZE(names), false                                \
	}

static const struct name_table tables[] = {
	[EGPU_NAMES_STATE] = TABLE(state_names),
	[EGPU_NAMES_MARKER] = TABLE(marker_names),
	[EGPU_NAMES_PLACEMENT] = TABLE(placement_names),
	[EGPU_NAMES_CAUSE] = TABLE(cause_names),
	[EGPU_NAMES_EVIDENCE] = { evidence_names, ARRAY_SIZE(evidence_names),
				  true },
	[EGPU_NAMES_ORIGIN] = TABLE(origin_names),
	[EGPU_NAMES_PHASE] = TABLE(phase_names),
	[EGPU_NAMES_RELEASE] = TABLE(release_names),
	[EGPU_NAMES_MINOR] = TABLE(minor_names),
	[EGPU_NAMES_EVENT] = TABLE(event_names),
	[EGPU_NAMES_LOSS] = TABLE(loss_names),
	[EGPU_NAMES_STEP] = TABLE(step_names),
	[EGPU_NAMES_QUIESCE] = TABLE(quiesce_names),
	[EGPU_NAMES_DRAIN] = TABLE(drain_names),
	[EGPU_NAMES_MIGRATION] = TABLE(migration_names),
};

static const struct name_table *find_table(enum egpu_names table)
{
	return (size_t)table < ARRAY_SIZE(tables) ? &tables[table] : NULL;
}

const char *egpu_name(enum egpu_names table, uint32_t value)
{
	const struct name_table *t = find_table(table);

	if (!t)
		return NULL;
	if (t->bits) {
		if (!value || (value & (value - 1)))
			return NULL;
		value = __builtin_ctz(value);
	}
	return value < t->count ? t->name[value] : NULL;
}

const char *egpu_name_text(enum egpu_names table, uint32_t value, char *buf,
			   size_t size)
{
	const char *name = egpu_name(table, value);

	if (name)
		return name;
	snprintf(buf, size, "unknown(%u)", value);
	return buf;
}

int egpu_value(enum egpu_names table, const char *name, uint32_t *value)
{
	const struct name_table *t = find_table(table);
	uint32_t i;

	for (i = 0; t && i < t->count; i++) {
		if (!strcmp(t->name[i], name)) {
			*value = t->bits ? 1u << i : i;
			return 0;
		}
	}
	return -ENOENT;
}

size_t egpu_minor_path(const struct egpu_minor *minor, char *buf, size_t size)
{
	static const char *const format[] = {
		[EGPU_MINOR_TYPE_PRIMARY] = "/dev/dri/card%u",
		[EGPU_MINOR_TYPE_RENDER] = "/dev/dri/renderD%u",
		[EGPU_MINOR_TYPE_ACCEL] = "/dev/accel/accel%u",
	};
	int len;

	if (size)
		buf[0] = '\0';
	if (minor->type >= ARRAY_SIZE(format))
		return 0;
	len = snprintf(buf, size, format[minor->type], minor->index);
	return len < 0 ? 0 : (size_t)len;
}

static const char *const device_attrs[EGPU_A_DEVICE_MAX + 1] = {
	NULL,
	"pad",
	"id",
	"address",
	"state",
	"external",
	"marker",
	"vendor",
	"device",
	"subsystem-vendor",
	"subsystem-device",
	"class",
	"driver",
	"port",
	"link-speed",
	"link-width",
	"minor",
	"clients",
	"cookie",
	"since",
	"at-load",
	"seq",
	"time",
};

static const char *const removal_attrs[EGPU_A_REMOVAL_MAX + 1] = {
	NULL,	      "pad",	 "cookie",   "id",	 "address", "origin",
	"phase",      "release", "cause",    "evidence", "clients", "force",
	"timeout-ms", "created", "accepted", "released", "unbound", "finished",
	"helper",     "reason",	 "external", "vendor",	 "device",  "driver",
	"port",	      "minor",	 "seq",	     "time",	 "step",    "vouched",
};

static const char *const client_attrs[EGPU_A_CLIENT_MAX + 1] = {
	NULL,	 "pad",	   "id",      "client-id", "pid",    "comm",
	"minor", "master", "buffers", "bytes",	   "cookie",
};

static const char *const buffer_attrs[EGPU_A_BUFFER_MAX + 1] = {
	NULL,	   "pad",	    "id",	   "client-id", "pid",
	"minor",   "handle",	    "size",	   "dma-buf",	"imported",
	"pending", "write-context", "write-seqno",
};

static const char *const migration_attrs[EGPU_A_MIGRATION_MAX + 1] = {
	NULL,	  "pad",      "migration", "phase", "id",
	"target", "cpu",      "cookie",	   "pid",   "comm",
	"bytes",  "duration", "still",	   "lost",  "checkpoint",
	"reason", "helper",   "seq",	   "time",
};

static const char *const quiesce_attrs[EGPU_A_QUIESCE_MAX + 1] = {
	NULL,	      "pad",	 "id",	    "state",  "result", "owner",
	"timeout-ms", "clients", "buffers", "passes", "waited", "pending",
	"started",    "ended",	 "culprit", "seq",    "time",
};

static const char *const settings_attrs[EGPU_A_SETTINGS_MAX + 1] = {
	NULL,	    "pad", "hold-ms", "accept-ms", "eject-ms",
	"instance", "seq", "helpers", "version",   "drain-ms",
};

static const char *const override_attrs[EGPU_A_OVERRIDE_MAX + 1] = {
	NULL,
	"address",
	"placement",
};

#define PICK(names) ((size_t)attr < ARRAY_SIZE(names) ? (names)[attr] : NULL)

/**
 * egpu_attr_name() - the name of an attribute in a command's message
 * @cmd: EGPU_CMD_*
 * @attr: number of the attribute
 *
 * Return: a constant string, or NULL when it is unknown.
 */
const char *egpu_attr_name(uint8_t cmd, int attr)
{
	if (attr < 0)
		return NULL;
	switch (cmd) {
	case EGPU_CMD_DEVICE_GET:
	case EGPU_CMD_CONNECTED:
	case EGPU_CMD_CHANGED:
		return PICK(device_attrs);
	case EGPU_CMD_CLIENT_GET:
		return PICK(client_attrs);
	case EGPU_CMD_BUFFER_GET:
		return PICK(buffer_attrs);
	case EGPU_CMD_QUIESCE_GET:
	case EGPU_CMD_FENCE:
	case EGPU_CMD_DRAIN:
	case EGPU_CMD_RESUME:
	case EGPU_CMD_QUIESCE:
		return PICK(quiesce_attrs);
	case EGPU_CMD_MIGRATE:
	case EGPU_CMD_MIGRATION:
		return PICK(migration_attrs);
	case EGPU_CMD_SETTINGS_GET:
	case EGPU_CMD_SETTINGS_SET:
		return PICK(settings_attrs);
	case EGPU_CMD_OVERRIDE_GET:
	case EGPU_CMD_OVERRIDE_SET:
		return PICK(override_attrs);
	default:
		return PICK(removal_attrs);
	}
}
