// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds a GPU, with what the kernel lists for it.
 */
#include <errno.h>
#include <string.h>

#include "private.h"

/* A module from before there was a list of buffers still tells the clients. */
static int ask_kernel(struct egpu_ctx *ctx, uint32_t id,
		      struct egpu_client_list **clients,
		      struct egpu_buffer_list **buffers)
{
	int err;

	err = egpu_client_list(ctx, id, clients);
	if (err)
		return err;
	err = egpu_buffer_list(ctx, id, buffers);
	return err == -EOPNOTSUPP ? 0 : err;
}

/**
 * holders_of() - find out who holds a GPU, the kernel asked
 * @ctx: context to ask with
 * @roots: where the machine is
 * @device: the GPU
 * @holders: where to put them; free with holders_free(), also after an error
 *
 * Looks for the nodes of the GPU in sysfs. Who has kept them from before, as a
 * daemon does, asks the kernel itself and calls holders_find().
 *
 * Return: 0, or what nodes_find(), egpu_client_list(), egpu_buffer_list() and
 * holders_find() return; egpu_error() is set if it was the kernel that failed.
 */
int holders_of(struct egpu_ctx *ctx, const struct usage_roots *roots,
	       const struct egpu_device *device, struct holders *holders)
{
	struct egpu_client_list *clients = NULL;
	struct egpu_buffer_list *buffers = NULL;
	struct holders_query query = { .roots = roots };
	struct nodes nodes;
	int err;

	memset(holders, 0, sizeof(*holders));
	err = nodes_find(roots, device->address, &nodes);
	if (!err)
		err = ask_kernel(ctx, device->id, &clients, &buffers);
	if (!err) {
		query.nodes = &nodes;
		query.clients = clients;
		query.buffers = buffers;
		err = holders_find(&query, holders);
	}
	egpu_buffer_list_free(buffers);
	egpu_client_list_free(clients);
	nodes_free(&nodes);
	return err;
}
