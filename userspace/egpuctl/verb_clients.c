// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl clients: who holds GPUs, how, and what would happen to them
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/**
 * struct clients - who holds the GPUs that were asked for
 * @devices: all GPUs
 * @one: the one that was asked for, in @devices, or NULL for all
 * @listed: what the kernel lists for them, only for JSON
 * @n: entries of @held in use
 * @held: by GPU
 */
struct clients {
	struct egpu_device_list *devices;
	const struct egpu_device *one;
	struct egpu_client_list *listed;
	size_t n;
	struct ctl_held *held;
};

static int find_devices(struct ctl *ctl, const char *name,
			struct clients *clients)
{
	int err;

	err = egpu_device_list(ctl->ctx, &clients->devices);
	if (err)
		return ctl_fail_lib(ctl, err);
	if (name)
		return ctl_find_gpu(ctl, clients->devices, name, &clients->one);
	return EXIT_OK;
}

static int find_holders(struct ctl *ctl, struct clients *clients)
{
	size_t i, count = clients->devices->count;
	int err;

	/* One more, since nothing of no size is NULL to some. */
	clients->held = calloc(count + 1, sizeof(*clients->held));
	if (!clients->held)
		return ctl_fail(ctl, EXIT_OTHER, -ENOMEM,
				"cannot list the holders: %s", strerror(ENOMEM));
	for (i = 0; i < count; i++) {
		const struct egpu_device *dev = clients->devices->item[i];
		struct ctl_held *held = &clients->held[clients->n];

		if (clients->one && clients->one != dev)
			continue;
		err = ctl_holders(ctl, dev, held);
		clients->n++;
		/* Of all GPUs, one may just be coming or going. */
		if (err && (clients->one || (err != -ENODEV && err != -EAGAIN)))
			return ctl_fail_holders(ctl, held, err);
	}
	return EXIT_OK;
}

static int find_listed(struct ctl *ctl, struct clients *clients)
{
	int err = egpu_client_list(ctl->ctx, clients->one ? clients->one->id : 0,
				   &clients->listed);

	return err ? ctl_fail_lib(ctl, err) : EXIT_OK;
}

static void write_json(struct ctl *ctl, const struct clients *clients)
{
	struct json json;
	size_t i;

	tojson_begin(ctl, &json);
	tojson_clients(&json, clients->listed);
	json_array(&json, "usage");
	for (i = 0; i < clients->n; i++)
		tojson_held(ctl, &json, NULL, &clients->held[i]);
	json_array_end(&json);
	tojson_end(&json);
}

static int write_text(struct ctl *ctl, const struct clients *clients)
{
	size_t i, holders = 0;

	for (i = 0; i < clients->n; i++)
		holders += clients->held[i].holders.n;
	if (!holders && clients->one)
		fprintf(ctl->out, "Nobody is seen to hold GPU %u.\n",
			clients->one->id);
	else if (!holders)
		fputs("Nobody is seen to hold a GPU.\n", ctl->out);
	return print_holders(ctl, clients->held, clients->n);
}

static void free_clients(struct clients *clients)
{
	size_t i;

	for (i = 0; i < clients->n; i++)
		ctl_holders_free(&clients->held[i]);
	free(clients->held);
	egpu_client_list_free(clients->listed);
	egpu_device_list_free(clients->devices);
}

int verb_clients(struct ctl *ctl, int argc, char **argv)
{
	struct clients clients = { 0 };
	int code;

	code = ctl_open(ctl);
	if (!code)
		code = find_devices(ctl, argc ? argv[0] : NULL, &clients);
	if (!code)
		code = find_holders(ctl, &clients);
	if (!code && ctl->json)
		code = find_listed(ctl, &clients);
	if (!code && ctl->json)
		write_json(ctl, &clients);
	else if (!code)
		code = write_text(ctl, &clients);
	free_clients(&clients);
	return code;
}
