// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl select: the device that work would go on with, and why, in the words
 * that programs understand
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

/* DRI_PRIME names a GPU "pci-0000_02_00_0". */
#define PRIME_SIZE  (EGPU_ADDRESS_LEN + 5)
#define VULKAN_SIZE 16

/**
 * struct choice - a selection and what it is about
 * @devices: the GPUs that the kernel lists
 * @need: what is asked for
 * @candidates: the devices
 * @selection: which of them
 * @device: the chosen GPU in @devices, NULL for the CPU and for none
 * @prime: value of DRI_PRIME for it
 * @vulkan: value of MESA_VK_DEVICE_SELECT for it
 */
struct choice {
	struct egpu_device_list *devices;
	struct need need;
	struct candidates candidates;
	struct selection selection;
	const struct egpu_device *device;
	char prime[PRIME_SIZE];
	char vulkan[VULKAN_SIZE];
};

static int set_need(struct ctl *ctl, struct choice *choice)
{
	const struct egpu_device *device;
	int code;
	size_t i;

	choice->need.bytes = ctl->bytes;
	choice->need.portable = true;
	choice->need.no_cpu = !ctl_policy(ctl)->cpu_fallback;
	for (i = 0; i < ctl->n_excluded; i++) {
		code = ctl_find_gpu(ctl, choice->devices, ctl->excluded[i],
				    &device);
		if (code)
			return code;
		choice->need.excluded[choice->need.n_excluded++] = device->id;
	}
	return EXIT_OK;
}

/* Programs whose work is there, as far as the daemon tells. */
static void count_sessions(const struct ctl *ctl, struct candidates *candidates)
{
	struct session_lines *sessions;
	size_t i;

	sessions = ctl->sessions_path ? malloc(sizeof(*sessions)) : NULL;
	if (sessions && !sessions_read(ctl->sessions_path, sessions)) {
		for (i = 0; i < candidates->n; i++)
			candidates->item[i].sessions =
				sessions_on(sessions, candidates->item[i].id);
	}
	free(sessions);
}

/* As the daemon does it: with its configuration, and its sensors. */
static void look(struct ctl *ctl, struct choice *choice)
{
	const struct policy_config *policy = ctl_policy(ctl);
	struct usage_roots roots = *ctl->roots;

	if (strcmp(policy->sensors, POLICY_SENSOR_PATH) != 0)
		roots.sys = policy->sensors;
	select_gather(&roots, choice->devices, ctl->bandwidth_dir,
		      &choice->candidates);
	count_sessions(ctl, &choice->candidates);
	select_rank(&choice->candidates, &choice->need, &choice->selection);
}

static void name_choice(struct choice *choice)
{
	const struct ranked *chosen = choice->selection.chosen;
	size_t i;
	char *at;

	for (i = 0; chosen && i < choice->devices->count; i++) {
		if (!chosen->candidate->cpu &&
		    choice->devices->item[i]->id == chosen->candidate->id)
			choice->device = choice->devices->item[i];
	}
	if (!choice->device)
		return;
	snprintf(choice->prime, sizeof(choice->prime), "pci-%s",
		 choice->device->address);
	for (at = choice->prime; *at; at++) {
		if (*at == ':' || *at == '.')
			*at = '_';
	}
	snprintf(choice->vulkan, sizeof(choice->vulkan), "%04x:%04x",
		 choice->device->vendor, choice->device->device);
}

/* The node that a program opens: not the one that makes it a display server. */
static const char *node_of(const struct egpu_device *device, char *buf,
			   size_t size)
{
	static const uint32_t types[] = { EGPU_MINOR_TYPE_RENDER,
					  EGPU_MINOR_TYPE_PRIMARY };
	uint32_t i;
	int t;

	for (t = 0; t < 2; t++) {
		for (i = 0; i < device->n_minors; i++) {
			if (device->minors[i].type == types[t] &&
			    egpu_minor_path(&device->minors[i], buf, size))
				return buf;
		}
	}
	buf[0] = '\0';
	return buf;
}

static void term_object(struct json *json, const struct term *term)
{
	json_object(json, NULL);
	json_string(json, "what", term->what);
	json_string(json, "value", term->value);
	json_decimal(json, "points", term->points * term->weight);
	json_decimal(json, "weight", term->weight);
	json_string(json, "source", term->source);
	json_object_end(json);
}

static void candidate_object(struct json *json, const struct ranked *ranked)
{
	const struct candidate *candidate = ranked->candidate;
	size_t i;

	json_object(json, NULL);
	json_bool(json, "cpu", candidate->cpu);
	if (candidate->cpu)
		json_null(json, "id");
	else
		json_uint(json, "id", candidate->id);
	json_string_or_null(json, "address", candidate->address);
	json_string_or_null(json, "driver", candidate->driver);
	json_bool(json, "external", candidate->external);
	json_bool(json, "boot_display", candidate->boot_display);
	json_uint(json, "sessions", candidate->sessions);
	json_string_or_null(json, "gate", ranked->gate);
	json_decimal(json, "score", ranked->score);
	json_array(json, "terms");
	for (i = 0; i < ranked->n_terms; i++)
		term_object(json, &ranked->term[i]);
	json_array_end(json);
	json_object_end(json);
}

static void chosen_object(struct json *json, const struct choice *choice)
{
	const struct ranked *chosen = choice->selection.chosen;
	char node[64] = "";

	if (!chosen) {
		json_null(json, "choice");
		return;
	}
	json_object(json, "choice");
	json_bool(json, "cpu", chosen->candidate->cpu);
	if (choice->device)
		json_uint(json, "id", choice->device->id);
	else
		json_null(json, "id");
	json_string_or_null(json, "address", chosen->candidate->address);
	if (choice->device)
		node_of(choice->device, node, sizeof(node));
	json_string_or_null(json, "node", node);
	json_string_or_null(json, "dri_prime", choice->prime);
	json_string_or_null(json, "mesa_vk_device_select", choice->vulkan);
	json_object_end(json);
}

static void write_json(struct ctl *ctl, const struct choice *choice)
{
	const struct selection *selection = &choice->selection;
	struct json json;
	size_t i;

	tojson_begin(ctl, &json);
	json_object(&json, "select");
	chosen_object(&json, choice);
	json_string(&json, "why", selection->why);
	json_uint(&json, "bytes", choice->need.bytes);
	json_string_or_null(&json, "policy_error", ctl->policy_error);
	json_array(&json, "candidates");
	for (i = 0; i < selection->n; i++)
		candidate_object(&json, &selection->item[i]);
	json_array_end(&json);
	json_object_end(&json);
	if (!selection->chosen) {
		ctl_json_error(ctl, &json, EXIT_NOT_FOUND, 0, selection->why);
		json_object_end(&json);
	}
	tojson_end(&json);
}

/* What a program is to be started with, so that it takes the choice. */
static void write_names(struct ctl *ctl, const struct choice *choice)
{
	char node[64];

	if (!choice->device) {
		fputs("LIBGL_ALWAYS_SOFTWARE=1\n", ctl->out);
		return;
	}
	node_of(choice->device, node, sizeof(node));
	if (node[0])
		fprintf(ctl->out, "Node: %s\n", node);
	fprintf(ctl->out, "DRI_PRIME=%s\nMESA_VK_DEVICE_SELECT=%s\n",
		choice->prime, choice->vulkan);
}

static int write_text(struct ctl *ctl, const struct choice *choice)
{
	if (ctl->explain)
		select_print(&choice->selection, ctl->out);
	else if (choice->selection.chosen)
		select_print_choice(&choice->selection, ctl->out);
	if (choice->selection.chosen) {
		write_names(ctl, choice);
		return EXIT_OK;
	}
	return ctl_fail(ctl, EXIT_NOT_FOUND, 0, "%s", choice->selection.why);
}

static int choose(struct ctl *ctl, struct choice *choice)
{
	int err, code;

	err = egpu_device_list(ctl->ctx, &choice->devices);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = set_need(ctl, choice);
	if (code)
		return code;
	look(ctl, choice);
	name_choice(choice);
	if (!ctl->json)
		return write_text(ctl, choice);
	write_json(ctl, choice);
	return choice->selection.chosen ? EXIT_OK : EXIT_NOT_FOUND;
}

int verb_select(struct ctl *ctl, int argc, char **argv)
{
	struct choice *choice;
	int code;

	(void)argc;
	(void)argv;
	code = ctl_open(ctl);
	if (code)
		return code;
	choice = calloc(1, sizeof(*choice));
	if (!choice)
		return ctl_fail(ctl, EXIT_OTHER, -ENOMEM, "cannot choose: %s",
				strerror(ENOMEM));
	code = choose(ctl, choice);
	egpu_device_list_free(choice->devices);
	free(choice);
	return code;
}
