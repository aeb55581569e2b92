// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl list
 */
#include "ctl.h"

enum { DOT, ID, ADDRESS, NAME, PLACEMENT, LINK, NODES, CLIENTS, STATE };

static const struct ctl_column columns[] = {
	[DOT] = { .name = "", .terminal_only = true },
	[ID] = { .name = "ID", .right = true },
	[ADDRESS] = { .name = "ADDRESS" },
	[NAME] = { .name = "NAME", .truncate = true },
	[PLACEMENT] = { .name = "PLACEMENT" },
	[LINK] = { .name = "LINK" },
	[NODES] = { .name = "NODES" },
	[CLIENTS] = { .name = "CLIENTS", .right = true },
	[STATE] = { .name = "STATE" },
};

/* Filled while a driver has the GPU, in the colour of what one may do now. */
static void put_dot(struct ctl_table *table, uint32_t state)
{
	bool bound = state == EGPU_DEVICE_STATE_READY ||
		     state == EGPU_DEVICE_STATE_LEAVING;

	table_cell(table, DOT, "%s", bound ? "●" : "○");
	if (bound)
		table_color(table, DOT,
			    state == EGPU_DEVICE_STATE_READY ? "green" :
							       "yellow");
}

static void put_device(struct ctl *ctl, struct ctl_table *table,
		       const struct egpu_device *dev)
{
	char buf[TEXT_SIZE], name[EGPU_NAME_SIZE];

	table_row(table);
	put_dot(table, dev->state);
	table_cell(table, ID, "%u", dev->id);
	table_cell(table, ADDRESS, "%s", dev->address);
	pciids_name(ctl, dev->vendor, dev->device, buf, sizeof(buf));
	table_cell(table, NAME, "%s (%s)", buf,
		   dev->driver[0] ? dev->driver : "no driver");
	table_cell(table, PLACEMENT, "%s", describe_placement(dev, buf));
	table_cell(table, LINK, "%s", describe_link(dev, buf));
	table_cell(table, NODES, "%s",
		   describe_nodes(dev->minors, dev->n_minors, buf));
	if (EGPU_HAS(dev, EGPU_A_DEVICE_CLIENTS))
		table_cell(table, CLIENTS, "%u", dev->clients);
	else
		table_cell(table, CLIENTS, "-");
	table_cell(table, STATE, "%s",
		   egpu_name_text(EGPU_NAMES_STATE, dev->state, name,
				  sizeof(name)));
}

static int print_list(struct ctl *ctl, const struct egpu_device_list *list)
{
	struct ctl_table *table;
	size_t i;

	if (!list->count) {
		fputs("There is no GPU.\n", ctl->out);
		return EXIT_OK;
	}
	table = table_new(ctl, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; table && i < list->count; i++)
		put_device(ctl, table, list->item[i]);
	return table_print(ctl, table);
}

int verb_list(struct ctl *ctl, int argc, char **argv)
{
	struct egpu_device_list *list;
	struct json json;
	int err, code;
	size_t i;

	(void)argc;
	(void)argv;
	code = ctl_open(ctl);
	if (code)
		return code;
	err = egpu_device_list(ctl->ctx, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_array(&json, "devices");
		for (i = 0; i < list->count; i++)
			tojson_device(&json, NULL, list->item[i]);
		json_array_end(&json);
		tojson_end(&json);
	} else {
		code = print_list(ctl, list);
	}
	egpu_device_list_free(list);
	return code;
}
