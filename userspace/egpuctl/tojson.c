// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Objects as JSON: names and values are those of the netlink spec, with '-' in
 * keys turned into '_'. What a message did not have is null.
 */
#include "ctl.h"

void tojson_begin(struct ctl *ctl, struct json *json)
{
	json_begin(json, ctl->out);
	json_object(json, NULL);
	json_uint(json, "schema", JSON_SCHEMA);
}

void tojson_end(struct json *json)
{
	json_object_end(json);
	json_newline(json);
}

static void name(struct json *json, const char *key, enum egpu_names table,
		 uint32_t value)
{
	char buf[EGPU_NAME_SIZE];

	json_string(json, key, egpu_name_text(table, value, buf, sizeof(buf)));
}

static void uint_or_null(struct json *json, const char *key, bool there,
			 uint64_t value)
{
	if (there)
		json_uint(json, key, value);
	else
		json_null(json, key);
}

static void minor_object(struct json *json, const char *key,
			 const struct egpu_minor *minor)
{
	char path[32];

	json_object(json, key);
	name(json, "type", EGPU_NAMES_MINOR, minor->type);
	json_uint(json, "index", minor->index);
	egpu_minor_path(minor, path, sizeof(path));
	json_string_or_null(json, "node", path);
	json_object_end(json);
}

static void minor_array(struct json *json, const struct egpu_minor *minors,
			uint32_t n)
{
	uint32_t i;

	json_array(json, "minors");
	for (i = 0; i < n; i++)
		minor_object(json, NULL, &minors[i]);
	json_array_end(json);
}

void tojson_device(struct json *json, const char *key,
		   const struct egpu_device *device)
{
	json_object(json, key);
	json_uint(json, "id", device->id);
	json_string(json, "address", device->address);
	name(json, "state", EGPU_NAMES_STATE, device->state);
	json_bool(json, "external", device->external);
	name(json, "marker", EGPU_NAMES_MARKER, device->marker);
	json_hex(json, "vendor", 4, device->vendor);
	json_hex(json, "device", 4, device->device);
	json_hex(json, "subsystem_vendor", 4, device->subsystem_vendor);
	json_hex(json, "subsystem_device", 4, device->subsystem_device);
	json_hex(json, "class", 6, device->class_code);
	json_string_or_null(json, "driver", device->driver);
	json_string_or_null(json, "port", device->port);
	uint_or_null(json, "link_speed", device->link_speed, device->link_speed);
	uint_or_null(json, "link_width", device->link_width, device->link_width);
	minor_array(json, device->minors, device->n_minors);
	uint_or_null(json, "clients", EGPU_HAS(device, EGPU_A_DEVICE_CLIENTS),
		     device->clients);
	uint_or_null(json, "cookie", device->cookie, device->cookie);
	uint_or_null(json, "since", device->since, device->since);
	json_bool(json, "at_load", device->at_load);
	json_object_end(json);
}

static void evidence_array(struct json *json, uint32_t evidence)
{
	int bit;

	json_array(json, "evidence");
	for (bit = 0; bit < 32; bit++) {
		if (evidence & (1u << bit))
			name(json, NULL, EGPU_NAMES_EVIDENCE, 1u << bit);
	}
	json_array_end(json);
}

static void step_array(struct json *json, const struct egpu_removal *removal)
{
	struct ctl_step steps[STEPS_MAX];
	size_t i, n = steps_of(removal, steps);

	json_array(json, "steps");
	for (i = 0; i < n; i++) {
		json_object(json, NULL);
		name(json, "phase", EGPU_NAMES_PHASE, steps[i].phase);
		json_uint(json, "at_ns", steps[i].at);
		json_milli(json, "after_ms", steps[i].after);
		json_milli(json, "took_ms", steps[i].took);
		json_object_end(json);
	}
	json_array_end(json);
}

static void removal_times(struct json *json, const struct egpu_removal *removal)
{
	uint_or_null(json, "created", removal->created, removal->created);
	uint_or_null(json, "accepted", removal->accepted, removal->accepted);
	uint_or_null(json, "released", removal->released, removal->released);
	uint_or_null(json, "unbound", removal->unbound, removal->unbound);
	uint_or_null(json, "finished", removal->finished, removal->finished);
}

void tojson_removal(struct json *json, const char *key,
		    const struct egpu_removal *removal, bool steps)
{
	json_object(json, key);
	uint_or_null(json, "cookie", removal->cookie, removal->cookie);
	json_uint(json, "id", removal->id);
	json_string(json, "address", removal->address);
	name(json, "origin", EGPU_NAMES_ORIGIN, removal->origin);
	name(json, "phase", EGPU_NAMES_PHASE, removal->phase);
	name(json, "release", EGPU_NAMES_RELEASE, removal->release);
	name(json, "cause", EGPU_NAMES_CAUSE, removal->cause);
	evidence_array(json, removal->evidence);
	uint_or_null(json, "clients", EGPU_HAS(removal, EGPU_A_REMOVAL_CLIENTS),
		     removal->clients);
	json_bool(json, "force", removal->force);
	uint_or_null(json, "timeout_ms",
		     EGPU_HAS(removal, EGPU_A_REMOVAL_TIMEOUT_MS),
		     removal->timeout_ms);
	removal_times(json, removal);
	uint_or_null(json, "helper", removal->helper, removal->helper);
	name(json, "step", EGPU_NAMES_STEP, removal->step);
	json_bool(json, "vouched", removal->vouched);
	json_string_or_null(json, "reason", removal->reason);
	json_bool(json, "external", removal->external);
	json_hex(json, "vendor", 4, removal->vendor);
	json_hex(json, "device", 4, removal->device);
	json_string_or_null(json, "driver", removal->driver);
	json_string_or_null(json, "port", removal->port);
	if (removal->n_minors)
		minor_array(json, removal->minors, removal->n_minors);
	if (steps)
		step_array(json, removal);
	json_object_end(json);
}

/* Members of the object that the verdict's name is in. */
void tojson_reasons(struct json *json, const struct verdict *verdict)
{
	size_t i;

	json_bool(json, "safe", verdict->safe);
	json_array(json, "reasons");
	for (i = 0; i < verdict->n; i++)
		json_string(json, NULL, verdict->reason[i]);
	json_array_end(json);
}

void tojson_readiness(struct json *json, const char *key,
		      const struct readiness *readiness)
{
	json_object(json, key);
	json_bool(json, "ready", readiness->ready);
	json_bool(json, "bars", readiness->bars);
	json_bool(json, "driver", readiness->driver);
	json_bool(json, "opens", readiness->opens);
	json_string_or_null(json, "why", readiness->why);
	json_object_end(json);
}

void tojson_quiesce(struct json *json, const char *key,
		    const struct egpu_quiesce *quiesce)
{
	json_object(json, key);
	json_uint(json, "id", quiesce->id);
	name(json, "state", EGPU_NAMES_QUIESCE, quiesce->state);
	name(json, "result", EGPU_NAMES_DRAIN, quiesce->result);
	uint_or_null(json, "owner", quiesce->owner, quiesce->owner);
	uint_or_null(json, "timeout_ms", quiesce->timeout_ms,
		     quiesce->timeout_ms);
	json_uint(json, "clients", quiesce->clients);
	json_uint(json, "buffers", quiesce->buffers);
	json_uint(json, "passes", quiesce->passes);
	json_uint(json, "waited", quiesce->waited);
	json_uint(json, "pending", quiesce->pending);
	uint_or_null(json, "started", quiesce->started, quiesce->started);
	uint_or_null(json, "ended", quiesce->ended, quiesce->ended);
	json_object_end(json);
}

void tojson_migration(struct json *json, const char *key,
		      const struct egpu_migration *migration)
{
	json_object(json, key);
	json_uint(json, "migration", migration->migration);
	name(json, "phase", EGPU_NAMES_MIGRATION, migration->phase);
	uint_or_null(json, "id", migration->id, migration->id);
	uint_or_null(json, "target", migration->target, migration->target);
	json_bool(json, "cpu", migration->cpu);
	uint_or_null(json, "cookie", migration->cookie, migration->cookie);
	uint_or_null(json, "pid", migration->pid, migration->pid);
	json_string_or_null(json, "comm", migration->comm);
	uint_or_null(json, "bytes", EGPU_HAS(migration, EGPU_A_MIGRATION_BYTES),
		     migration->bytes);
	uint_or_null(json, "duration",
		     EGPU_HAS(migration, EGPU_A_MIGRATION_DURATION),
		     migration->duration);
	uint_or_null(json, "still", EGPU_HAS(migration, EGPU_A_MIGRATION_STILL),
		     migration->still);
	uint_or_null(json, "lost", EGPU_HAS(migration, EGPU_A_MIGRATION_LOST),
		     migration->lost);
	json_string_or_null(json, "checkpoint", migration->checkpoint);
	json_string_or_null(json, "reason", migration->reason);
	uint_or_null(json, "helper", migration->helper, migration->helper);
	json_object_end(json);
}

void tojson_client(struct json *json, const struct egpu_client *client)
{
	json_object(json, NULL);
	json_uint(json, "id", client->id);
	uint_or_null(json, "client_id",
		     EGPU_HAS(client, EGPU_A_CLIENT_CLIENT_ID),
		     client->client_id);
	uint_or_null(json, "pid", EGPU_HAS(client, EGPU_A_CLIENT_PID),
		     client->pid);
	json_string_or_null(json, "comm", client->comm);
	if (EGPU_HAS(client, EGPU_A_CLIENT_MINOR))
		minor_object(json, "minor", &client->minor);
	else
		json_null(json, "minor");
	json_bool(json, "master", client->master);
	uint_or_null(json, "buffers", EGPU_HAS(client, EGPU_A_CLIENT_BUFFERS),
		     client->buffers);
	uint_or_null(json, "bytes", EGPU_HAS(client, EGPU_A_CLIENT_BYTES),
		     client->bytes);
	json_object_end(json);
}

void tojson_clients(struct json *json, const struct egpu_client_list *list)
{
	size_t i;

	json_array(json, "clients");
	for (i = 0; i < list->count; i++)
		tojson_client(json, list->item[i]);
	json_array_end(json);
}
