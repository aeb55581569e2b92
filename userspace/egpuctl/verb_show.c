// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl show: one GPU, whether it can be used and unplugged, who holds it, and
 * what became of it before
 */
#include <inttypes.h>
#include <stdarg.h>

#include "../common/text.h"
#include "ctl.h"

__attribute__((format(printf, 3, 4))) static void
line(struct ctl *ctl, const char *what, const char *format, ...)
{
	char raw[VERDICT_TEXT_SIZE], printable[VERDICT_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	fprintf(ctl->out, "%12s: %s\n", what,
		text_printable(raw, printable, sizeof(printable)));
}

static void print_nodes(struct ctl *ctl, const struct egpu_device *dev)
{
	char path[32];
	uint32_t i;

	for (i = 0; i < dev->n_minors; i++) {
		if (egpu_minor_path(&dev->minors[i], path, sizeof(path)))
			line(ctl, "node", "%s", path);
	}
}

static void print_device(struct ctl *ctl, const struct egpu_device *dev)
{
	char buf[TEXT_SIZE], name[EGPU_NAME_SIZE];

	line(ctl, "GPU", "%u", dev->id);
	line(ctl, "address", "%s", dev->address);
	line(ctl, "name", "%s",
	     pciids_name(ctl, dev->vendor, dev->device, buf, sizeof(buf)));
	line(ctl, "ids", "%04x:%04x, subsystem %04x:%04x, class %06x",
	     dev->vendor, dev->device, dev->subsystem_vendor,
	     dev->subsystem_device, dev->class_code);
	line(ctl, "driver", "%s", dev->driver[0] ? dev->driver : "none");
	line(ctl, "placement", "%s", describe_placement(dev, buf));
	line(ctl, "port", "%s",
	     dev->port[0] ? dev->port : "none that is hotplug-capable");
	line(ctl, "link", "%s", describe_link(dev, buf));
	print_nodes(ctl, dev);
	line(ctl, "state", "%s%s",
	     egpu_name_text(EGPU_NAMES_STATE, dev->state, name, sizeof(name)),
	     dev->at_load ? ", there since before the module" : "");
	if (dev->cookie)
		line(ctl, "removal", "%" PRIu64 " is open", dev->cookie);
	if (EGPU_HAS(dev, EGPU_A_DEVICE_CLIENTS))
		line(ctl, "clients", "%u", dev->clients);
}

/**
 * struct shown - all that is shown of a GPU
 * @devices: all GPUs
 * @device: the one that was asked for, in @devices
 * @clients: who has it open, only for JSON
 * @removals: all removals that the kernel remembers
 * @held: who holds it
 * @verdict: whether its cable can be pulled
 * @settled: it is not leaving, so that @ready can be told
 * @ready: whether it can be used
 */
struct shown {
	struct egpu_device_list *devices;
	const struct egpu_device *device;
	struct egpu_client_list *clients;
	struct egpu_removal_list *removals;
	struct ctl_held held;
	struct verdict verdict;
	bool settled;
	struct readiness ready;
};

/* The latest removal of the GPU; they come in the order of their cookies. */
static const struct egpu_removal *last_removal(const struct shown *shown)
{
	size_t i;

	for (i = shown->removals->count; i-- > 0;) {
		if (shown->removals->item[i]->id == shown->device->id)
			return shown->removals->item[i];
	}
	return NULL;
}

static void judge(struct ctl *ctl, struct shown *shown)
{
	const struct verdict_facts facts = {
		.device = shown->device,
		.removal = last_removal(shown),
		.holders = &shown->held.holders,
		.left = nodes_left(ctl->roots, shown->device->address),
	};

	verdict_of(&facts, &shown->verdict);
}

/* Not while it leaves: opening a node then would be in the way. */
static void look_whether_ready(struct ctl *ctl, struct shown *shown)
{
	shown->settled = !shown->device->cookie &&
			 shown->device->state != EGPU_DEVICE_STATE_LEAVING;
	if (shown->settled)
		ctl_readiness(ctl, shown->device, &shown->ready);
}

static int gather(struct ctl *ctl, const char *name, struct shown *shown)
{
	int err, code;

	err = egpu_device_list(ctl->ctx, &shown->devices);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = ctl_find_gpu(ctl, shown->devices, name, &shown->device);
	if (code)
		return code;
	err = egpu_removal_list(ctl->ctx, &shown->removals);
	if (!err && ctl->json)
		err = egpu_client_list(ctl->ctx, shown->device->id,
				       &shown->clients);
	if (err)
		return ctl_fail_lib(ctl, err);
	err = ctl_holders(ctl, shown->device, &shown->held);
	if (err)
		return ctl_fail_holders(ctl, &shown->held, err);
	judge(ctl, shown);
	look_whether_ready(ctl, shown);
	return EXIT_OK;
}

static void write_json(struct ctl *ctl, const struct shown *shown)
{
	struct json json;
	size_t i;

	tojson_begin(ctl, &json);
	tojson_device(&json, "device", shown->device);
	tojson_clients(&json, shown->clients);
	tojson_held(ctl, &json, "usage", &shown->held);
	json_object(&json, "verdict");
	json_string(&json, "name", shown->verdict.name);
	tojson_reasons(&json, &shown->verdict);
	json_object_end(&json);
	if (shown->settled)
		tojson_readiness(&json, "readiness", &shown->ready);
	else
		json_null(&json, "readiness");
	json_array(&json, "removals");
	for (i = 0; i < shown->removals->count; i++) {
		if (shown->removals->item[i]->id == shown->device->id)
			tojson_removal(&json, NULL, shown->removals->item[i],
				       false);
	}
	json_array_end(&json);
	tojson_end(&json);
}

static void print_answers(struct ctl *ctl, const struct shown *shown)
{
	char text[VERDICT_TEXT_SIZE];

	if (shown->settled)
		line(ctl, "ready", "%s%s%s", shown->ready.ready ? "yes" : "no",
		     shown->ready.why[0] ? ", " : "", shown->ready.why);
	/* Whoever holds it is in the table that follows. */
	line(ctl, "verdict", "%s",
	     verdict_text(&shown->verdict,
			  is_held(&shown->held) ? 1 : VERDICT_REASONS_MAX, text,
			  sizeof(text)));
}

static int write_text(struct ctl *ctl, const struct shown *shown)
{
	int code = EXIT_OK;
	size_t i;

	print_device(ctl, shown->device);
	print_answers(ctl, shown);
	if (is_held(&shown->held)) {
		putc('\n', ctl->out);
		code = print_holders(ctl, &shown->held, 1);
	}
	for (i = 0; !code && i < shown->removals->count; i++) {
		if (shown->removals->item[i]->id != shown->device->id)
			continue;
		putc('\n', ctl->out);
		code = print_timeline(ctl, shown->removals->item[i]);
	}
	return code;
}

int verb_show(struct ctl *ctl, int argc, char **argv)
{
	struct shown shown = { 0 };
	int code;

	(void)argc;
	code = ctl_open(ctl);
	if (!code)
		code = gather(ctl, argv[0], &shown);
	if (!code && ctl->json)
		write_json(ctl, &shown);
	else if (!code)
		code = write_text(ctl, &shown);
	ctl_holders_free(&shown.held);
	egpu_removal_list_free(shown.removals);
	egpu_client_list_free(shown.clients);
	egpu_device_list_free(shown.devices);
	return code;
}
