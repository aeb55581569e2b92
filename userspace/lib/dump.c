// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests that are answered by a list.
 */
#include <errno.h>
#include <stdlib.h>

#include "private.h"

/* A dump during which the state changed is made again, this often. */
#define DUMP_TRIES 32

/* How to take one kind of object into a vec. */
typedef int (*take_fn)(struct nlmsghdr *nlh, struct egpu_vec *vec);

struct dump {
	take_fn take;
	struct egpu_vec *vec;
};

/* Pushes an object made from a message, of any kind. */
static int push(struct egpu_vec *vec, void *object)
{
	int err = egpu_vec_push(vec, object);

	if (err)
		free(object);
	return err;
}

static int take_device(struct nlmsghdr *nlh, struct egpu_vec *vec)
{
	struct egpu_device *object;
	int err = egpu_decode_device(nlh, &object);

	return err ? err : push(vec, object);
}

static int take_removal(struct nlmsghdr *nlh, struct egpu_vec *vec)
{
	struct egpu_removal *object;
	int err = egpu_decode_removal(nlh, &object);

	return err ? err : push(vec, object);
}

static int take_client(struct nlmsghdr *nlh, struct egpu_vec *vec)
{
	struct egpu_client *object;
	int err = egpu_decode_client(nlh, &object);

	return err ? err : push(vec, object);
}

static int take_buffer(struct nlmsghdr *nlh, struct egpu_vec *vec)
{
	struct egpu_buffer *object;
	int err = egpu_decode_buffer(nlh, &object);

	return err ? err : push(vec, object);
}

static int take_override(struct nlmsghdr *nlh, struct egpu_vec *vec)
{
	struct egpu_override *object;
	int err = egpu_decode_override(nlh, &object);

	return err ? err : push(vec, object);
}

static int take_reply(struct nlmsghdr *nlh, void *arg)
{
	struct dump *dump = arg;

	return dump->take(nlh, dump->vec);
}

/* The names of an object go into the request unless they are 0. */
struct scope {
	int id_attr;
	uint32_t id;
	int cookie_attr;
	uint64_t cookie;
};

static const struct scope everything;

static int put_scope(struct nl_msg *msg, const struct scope *scope)
{
	int full = 0;

	if (scope->id)
		full = nla_put_u32(msg, scope->id_attr, scope->id);
	if (!full && scope->cookie)
		full = nla_put_u64(msg, scope->cookie_attr, scope->cookie);
	return full;
}

static int dump_all(struct egpu_ctx *ctx, uint8_t cmd, const struct scope *scope,
		    take_fn take, struct egpu_vec *vec)
{
	struct dump dump = { .take = take, .vec = vec };
	struct nl_msg *msg;
	int err, tries = DUMP_TRIES;

	msg = egpu_msg_new(ctx, 0, cmd, NLM_F_DUMP);
	if (!msg || put_scope(msg, scope)) {
		nlmsg_free(msg);
		return egpu_fail_errno(ctx, -ENOMEM);
	}
	do {
		egpu_vec_clear(vec);
		err = egpu_call(ctx, msg, take_reply, &dump);
	} while (err == -EINTR && --tries);
	nlmsg_free(msg);
	if (err)
		egpu_vec_clear(vec);
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct egpu_device *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static int by_cookie(const void *a, const void *b)
{
	const struct egpu_removal *const *x = a, *const *y = b;

	return ((*x)->cookie > (*y)->cookie) - ((*x)->cookie < (*y)->cookie);
}

static void sort(struct egpu_vec *vec,
		 int (*compare)(const void *, const void *))
{
	if (vec->count)
		qsort(vec->item, vec->count, sizeof(*vec->item), compare);
}

/* Fills @vec with all GPUs in the order of their ids; empty on failure. */
int egpu_dump_devices(struct egpu_ctx *ctx, struct egpu_vec *vec)
{
	int err;

	egpu_what(ctx, "list the GPUs");
	err = dump_all(ctx, EGPU_CMD_DEVICE_GET, &everything, take_device, vec);
	if (!err)
		sort(vec, by_id);
	return err;
}

/* Fills @vec with all removals in the order of their cookies. */
int egpu_dump_removals(struct egpu_ctx *ctx, struct egpu_vec *vec)
{
	int err;

	egpu_what(ctx, "list the removals");
	err = dump_all(ctx, EGPU_CMD_REMOVAL_GET, &everything, take_removal,
		       vec);
	if (!err)
		sort(vec, by_cookie);
	return err;
}

/* Ends a list call; without memory for @list it clears @vec. */
static int handed_out(struct egpu_ctx *ctx, struct egpu_vec *vec,
		      const void *list)
{
	if (list)
		return 0;
	egpu_vec_clear(vec);
	return egpu_fail_errno(ctx, -ENOMEM);
}

int egpu_device_list(struct egpu_ctx *ctx, struct egpu_device_list **list)
{
	struct egpu_vec vec = { 0 };
	int err = egpu_dump_devices(ctx, &vec);

	if (err)
		return err;
	*list = egpu_vec_to_devices(&vec);
	return handed_out(ctx, &vec, *list);
}

int egpu_removal_list(struct egpu_ctx *ctx, struct egpu_removal_list **list)
{
	struct egpu_vec vec = { 0 };
	int err = egpu_dump_removals(ctx, &vec);

	if (err)
		return err;
	*list = egpu_vec_to_removals(&vec);
	return handed_out(ctx, &vec, *list);
}

static int list_clients(struct egpu_ctx *ctx, const struct scope *scope,
			struct egpu_client_list **list)
{
	struct egpu_vec vec = { 0 };
	int err;

	err = dump_all(ctx, EGPU_CMD_CLIENT_GET, scope, take_client, &vec);
	if (err)
		return err;
	*list = egpu_vec_to_clients(&vec);
	return handed_out(ctx, &vec, *list);
}

int egpu_client_list(struct egpu_ctx *ctx, uint32_t id,
		     struct egpu_client_list **list)
{
	const struct scope scope = { .id_attr = EGPU_A_CLIENT_ID, .id = id };

	if (id)
		egpu_what(ctx, "list the clients of GPU %u", id);
	else
		egpu_what(ctx, "list the clients");
	return list_clients(ctx, &scope, list);
}

int egpu_client_list_of(struct egpu_ctx *ctx, uint64_t cookie,
			struct egpu_client_list **list)
{
	const struct scope scope = { .cookie_attr = EGPU_A_CLIENT_COOKIE,
				     .cookie = cookie };

	egpu_what(ctx, "list whom removal %llu has hit",
		  (unsigned long long)cookie);
	/* Without a cookie the kernel would list who has GPUs open now. */
	if (!cookie)
		return egpu_fail(ctx, -ENOENT, "no removal has this cookie");
	return list_clients(ctx, &scope, list);
}

int egpu_buffer_list(struct egpu_ctx *ctx, uint32_t id,
		     struct egpu_buffer_list **list)
{
	const struct scope scope = { .id_attr = EGPU_A_BUFFER_ID, .id = id };
	struct egpu_vec vec = { 0 };
	int err;

	egpu_what(ctx, "list the buffers of GPU %u", id);
	if (!id)
		return egpu_fail(ctx, -ENODEV, "no GPU has this id");
	err = dump_all(ctx, EGPU_CMD_BUFFER_GET, &scope, take_buffer, &vec);
	if (err)
		return err;
	*list = egpu_vec_to_buffers(&vec);
	return handed_out(ctx, &vec, *list);
}

int egpu_override_list(struct egpu_ctx *ctx, struct egpu_override_list **list)
{
	struct egpu_vec vec = { 0 };
	int err;

	egpu_what(ctx, "list the overrides");
	err = dump_all(ctx, EGPU_CMD_OVERRIDE_GET, &everything, take_override,
		       &vec);
	if (err)
		return err;
	*list = egpu_vec_to_overrides(&vec);
	return handed_out(ctx, &vec, *list);
}
