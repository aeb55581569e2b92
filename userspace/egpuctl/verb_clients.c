// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl clients: who has GPUs open
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

enum { GPU, PID, PROCESS, NODE, MASTER, BUFFERS, SIZE };

static const struct ctl_column columns[] = {
	[GPU] = { .name = "GPU", .right = true },
	[PID] = { .name = "PID", .right = true },
	[PROCESS] = { .name = "PROCESS", .truncate = true },
	[NODE] = { .name = "NODE" },
	[MASTER] = { .name = "DISPLAY" },
	[BUFFERS] = { .name = "BUFFERS", .right = true },
	[SIZE] = { .name = "SIZE", .right = true },
};

static void put_client(struct ctl_table *table, const struct egpu_client *client)
{
	char buf[TEXT_SIZE];

	table_row(table);
	table_cell(table, GPU, "%u", client->id);
	if (EGPU_HAS(client, EGPU_A_CLIENT_PID))
		table_cell(table, PID, "%u", client->pid);
	else
		table_cell(table, PID, "-");
	table_cell(table, PROCESS, "%s", client->comm[0] ? client->comm : "-");
	if (EGPU_HAS(client, EGPU_A_CLIENT_MINOR))
		table_cell(table, NODE, "%s",
			   describe_nodes(&client->minor, 1, buf));
	else
		table_cell(table, NODE, "-");
	table_cell(table, MASTER, "%s", client->master ? "master" : "-");
	table_cell(table, BUFFERS, "%u", client->buffers);
	table_cell(table, SIZE, "%s", describe_bytes(client->bytes, buf));
}

/* Prints the table of @list, which is not empty; returns an exit code. */
int print_clients(struct ctl *ctl, const struct egpu_client_list *list)
{
	struct ctl_table *table;
	size_t i;

	table = table_new(ctl, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; table && i < list->count; i++)
		put_client(table, list->item[i]);
	return table_print(ctl, table);
}

/* 0 for all GPUs, or the id of the one that is named. */
static int find_id(struct ctl *ctl, const char *name, uint32_t *id)
{
	const struct egpu_device *dev;
	struct egpu_device_list *list;
	int err, code;

	*id = 0;
	if (!name)
		return EXIT_OK;
	err = egpu_device_list(ctl->ctx, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = ctl_find_gpu(ctl, list, name, &dev);
	if (!code)
		*id = dev->id;
	egpu_device_list_free(list);
	return code;
}

static int print_found(struct ctl *ctl, const struct egpu_client_list *list)
{
	struct json json;

	if (ctl->json) {
		tojson_begin(ctl, &json);
		tojson_clients(&json, list);
		tojson_end(&json);
		return EXIT_OK;
	}
	if (list->count)
		return print_clients(ctl, list);
	fprintf(ctl->out, "No client%s.\n",
		geteuid() ? " of yours (root sees all)" : "");
	return EXIT_OK;
}

int verb_clients(struct ctl *ctl, int argc, char **argv)
{
	struct egpu_client_list *list;
	uint32_t id;
	int err, code;

	code = ctl_open(ctl);
	if (!code)
		code = find_id(ctl, argc ? argv[0] : NULL, &id);
	if (code)
		return code;
	err = egpu_client_list(ctl->ctx, id, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = print_found(ctl, list);
	egpu_client_list_free(list);
	return code;
}
