// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds a GPU, and what would happen to them if it was ejected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

enum { GPU, PID, PROCESS, ROLE, HOW, BUFFERS, SIZE, OUTCOME };

static const struct ctl_column columns[] = {
	[GPU] = { .name = "GPU", .right = true },
	[PID] = { .name = "PID", .right = true },
	[PROCESS] = { .name = "PROCESS", .truncate = true },
	[ROLE] = { .name = "ROLE" },
	[HOW] = { .name = "HOLDS" },
	[BUFFERS] = { .name = "BUFFERS", .right = true },
	[SIZE] = { .name = "SIZE", .right = true },
	[OUTCOME] = { .name = "IN AN EJECT", .truncate = true },
};

/**
 * ctl_policy() - what the daemon goes by
 * @ctl: context
 *
 * Read when it is first needed. With a file that has errors the daemon would go
 * by what it knew before, which is not known here.
 *
 * Return: the policy, or its defaults with .policy_error set.
 */
const struct policy_config *ctl_policy(struct ctl *ctl)
{
	char printable[sizeof(ctl->policy_error)];

	if (ctl->policy_known)
		return &ctl->policy;
	ctl->policy_known = true;
	ctl->policy_error[0] = '\0';
	if (!policy_load(ctl->policy_path, &ctl->policy, ctl->policy_error,
			 sizeof(ctl->policy_error)))
		return &ctl->policy;
	policy_defaults(&ctl->policy);
	if (!ctl->json)
		fprintf(ctl->err, "egpuctl: %s; the defaults are shown\n",
			text_printable(ctl->policy_error, printable,
				       sizeof(printable)));
	return &ctl->policy;
}

/* Who could be moved. Without the daemon's word nobody can. */
static void mark_cooperating(const struct ctl *ctl, struct ctl_held *held)
{
	struct session_lines *sessions;

	sessions = ctl->sessions_path ? malloc(sizeof(*sessions)) : NULL;
	if (sessions && !sessions_read(ctl->sessions_path, sessions))
		sessions_mark(sessions, held->device->id, &held->holders);
	free(sessions);
}

/**
 * ctl_holders() - find out who holds a GPU
 * @ctl: context and where the machine is
 * @device: the GPU
 * @held: filled, to be freed with ctl_holders_free(), also after an error
 *
 * Return: 0 or a negative errno, which is not reported.
 */
int ctl_holders(struct ctl *ctl, const struct egpu_device *device,
		struct ctl_held *held)
{
	int err;

	memset(held, 0, sizeof(*held));
	held->device = device;
	err = holders_of(ctl->ctx, ctl->roots, device, &held->holders);
	held->known = !err;
	if (!err)
		mark_cooperating(ctl, held);
	return err;
}

/* Whether there is anything to print. */
bool is_held(const struct ctl_held *held)
{
	return held->known && (held->holders.n || held->holders.unnamed);
}

void ctl_holders_free(struct ctl_held *held)
{
	holders_free(&held->holders);
}

/* Reports why ctl_holders() has failed; returns the exit code. */
int ctl_fail_holders(struct ctl *ctl, const struct ctl_held *held, int err)
{
	return ctl_fail(ctl, ctl_exit_of_errno(err), err,
			"cannot find out who holds GPU %u: %s", held->device->id,
			err == -EAGAIN ?
				"its driver is just coming or going, try again" :
				strerror(-err));
}

/* What an eject does to a holder, to go on where its name ends. */
const char *ctl_outcome(struct ctl *ctl, const struct holder *holder)
{
	return policy_outcome(ctl_policy(ctl), holder, ctl->force);
}

/* Nothing happens to whoever uses a GPU that cannot be ejected. */
static const char *outcome(struct ctl *ctl, const struct ctl_held *held,
			   const struct holder *holder)
{
	if (!held->device->external)
		return NULL;
	return ctl_outcome(ctl, holder);
}

static void put_holder(struct ctl *ctl, struct ctl_table *table,
		       const struct ctl_held *held, const struct holder *holder)
{
	const char *what = outcome(ctl, held, holder);
	char buf[TEXT_SIZE];

	table_row(table);
	table_cell(table, GPU, "%u", held->device->id);
	table_cell(table, PID, "%d", (int)holder->process.pid);
	table_cell(table, PROCESS, "%s",
		   holder->process.comm[0] ? holder->process.comm : "-");
	table_cell(table, ROLE, "%s%s", holder_role_name(holder->role),
		   holder->master ? ", master" : "");
	table_cell(table, HOW, "%s",
		   holder_how_text(holder->how, buf, sizeof(buf)));
	if (holder->files) {
		table_cell(table, BUFFERS, "%u", holder->buffers);
		table_cell(table, SIZE, "%s",
			   describe_bytes(holder->bytes, buf));
	} else {
		table_cell(table, BUFFERS, "-");
		table_cell(table, SIZE, "-");
	}
	table_cell(table, OUTCOME, "%s", what ? what : "-");
}

/* What the table cannot show. */
static void print_notes(struct ctl *ctl, const struct ctl_held *held, size_t n)
{
	uint32_t unseen = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct holders *holders = &held[i].holders;

		if (!held[i].known)
			fprintf(ctl->out,
				"GPU %u is just coming or going, who holds it is not known.\n",
				held[i].device->id);
		if (holders->unnamed)
			fprintf(ctl->out,
				"%u DRM file%s of GPU %u %s open that no process seen here has.\n",
				holders->unnamed,
				holders->unnamed == 1 ? "" : "s",
				held[i].device->id,
				holders->unnamed == 1 ? "is" : "are");
		/* Each look is at all processes, so it is the same ones. */
		if (holders->unseen > unseen)
			unseen = holders->unseen;
	}
	if (unseen)
		fprintf(ctl->out,
			"%u process%s could not be looked into, root can.\n",
			unseen, unseen == 1 ? "" : "es");
}

/**
 * print_holders() - print who holds GPUs, in one table
 * @ctl: where to
 * @held: by GPU
 * @n: how many
 *
 * Return: an exit code.
 */
int print_holders(struct ctl *ctl, const struct ctl_held *held, size_t n)
{
	struct ctl_table *table;
	bool any = false;
	int code = EXIT_OK;
	size_t i, j;

	for (i = 0; i < n; i++)
		any = any || held[i].holders.n;
	if (any) {
		table = table_new(ctl, columns,
				  sizeof(columns) / sizeof(columns[0]));
		for (i = 0; table && i < n; i++) {
			for (j = 0; j < held[i].holders.n; j++)
				put_holder(ctl, table, &held[i],
					   &held[i].holders.item[j]);
		}
		code = table_print(ctl, table);
	}
	if (!code)
		print_notes(ctl, held, n);
	return code;
}

/* The bits by their names, as the text has them. */
static void how_array(struct json *json, unsigned int how)
{
	char buf[TEXT_SIZE];
	unsigned int bit;

	json_array(json, "how");
	for (bit = 1; bit; bit <<= 1) {
		if (how & bit)
			json_string(json, NULL,
				    holder_how_text(bit, buf, sizeof(buf)));
	}
	json_array_end(json);
}

static void holder_object(struct ctl *ctl, struct json *json,
			  const struct ctl_held *held,
			  const struct holder *holder)
{
	const struct process *process = &holder->process;
	const char *what = outcome(ctl, held, holder);
	enum policy_action action;

	json_object(json, NULL);
	json_uint(json, "pid", process->pid);
	json_uint(json, "start", process->start);
	json_uint(json, "uid", process->uid);
	json_string_or_null(json, "comm", process->comm);
	json_string_or_null(json, "cgroup", process->cgroup);
	json_string(json, "role", holder_role_name(holder->role));
	json_bool(json, "master", holder->master);
	json_bool(json, "cooperates", holder->cooperates);
	how_array(json, holder->how);
	json_uint(json, "files", holder->files);
	json_uint(json, "buffers", holder->buffers);
	json_uint(json, "bytes", holder->bytes);
	if (what) {
		action = policy_action_of(ctl_policy(ctl), holder, ctl->force);
		json_string(json, "action", policy_action_name(action));
		json_string(json, "outcome", what);
	} else {
		json_null(json, "action");
		json_null(json, "outcome");
	}
	json_object_end(json);
}

/**
 * tojson_held() - write who holds a GPU
 * @ctl: for what would happen to them
 * @json: where to
 * @key: key of the object, NULL in an array
 * @held: who; as null when it is not known
 */
void tojson_held(struct ctl *ctl, struct json *json, const char *key,
		 const struct ctl_held *held)
{
	size_t i;

	json_object(json, key);
	json_uint(json, "id", held->device->id);
	json_string(json, "address", held->device->address);
	if (!held->known) {
		json_null(json, "holders");
		json_object_end(json);
		return;
	}
	json_array(json, "holders");
	for (i = 0; i < held->holders.n; i++)
		holder_object(ctl, json, held, &held->holders.item[i]);
	json_array_end(json);
	json_uint(json, "unnamed", held->holders.unnamed);
	json_uint(json, "unseen", held->holders.unseen);
	/* With errors in the file, the outcomes are those of the defaults. */
	ctl_policy(ctl);
	json_string_or_null(json, "policy_error", ctl->policy_error);
	json_object_end(json);
}
