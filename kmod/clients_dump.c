// SPDX-License-Identifier: GPL-2.0
/*
 * The dump of clients, those that are there or those that a removal has hit:
 * taken at once when it begins, told message by message.
 *
 * Without CAP_NET_ADMIN in the initial user namespace an asker sees the
 * clients of its own user only, and pids are given in its own pid namespace.
 */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "egpu.h"
#include "genl.h"

/**
 * struct told_client - a client as the asker may see it
 * @device: id of the GPU
 * @pid: in the asker's pid namespace, 0 when not visible there
 * @client: the rest; its pid is not used
 */
struct told_client {
	u32 device;
	u32 pid;
	struct egpu_client client;
};

/**
 * struct client_dump - a dump in progress, in cb->args[0]
 * @n: clients in @told
 * @next: first one not told yet
 * @told: the clients
 */
struct client_dump {
	unsigned int n;
	unsigned int next;
	struct told_client *told;
};

/**
 * egpu_client_list_free - give back what a list of clients holds
 * @list: the list; empty afterwards
 */
void egpu_client_list_free(struct egpu_client_list *list)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		put_pid(list->client[i].pid);
	kvfree(list->client);
	*list = (struct egpu_client_list){};
}

/**
 * egpu_client_visible - may the asker see a client
 * @client: the client
 * @all: the asker may see everybody's
 *
 * Return: true if so, or if it is the asker's own.
 */
bool egpu_client_visible(const struct egpu_client *client, bool all)
{
	return all || (client->known && uid_eq(client->uid, current_euid()));
}

/**
 * egpu_client_pid - the process of a client for the asker
 * @client: the client
 *
 * Return: its number in the asker's pid namespace, 0 when not visible there.
 */
u32 egpu_client_pid(const struct egpu_client *client)
{
	return client->pid ? pid_vnr(client->pid) : 0;
}

static int make_room(struct client_dump *dump, unsigned int n)
{
	struct told_client *more;

	if (!n)
		return 0;
	more = kvmalloc_array(dump->n + n, sizeof(*more), GFP_KERNEL);
	if (!more)
		return -ENOMEM;
	if (dump->n)
		memcpy(more, dump->told, dump->n * sizeof(*more));
	kvfree(dump->told);
	dump->told = more;
	return 0;
}

static int add_clients(struct client_dump *dump, u32 device,
		       const struct egpu_client_list *list, bool all)
{
	struct told_client *told;
	unsigned int i;
	int ret = make_room(dump, list->n);

	if (ret)
		return ret;
	for (i = 0; i < list->n; i++) {
		if (!egpu_client_visible(&list->client[i], all))
			continue;
		told = &dump->told[dump->n++];
		told->device = device;
		told->pid = egpu_client_pid(&list->client[i]);
		told->client = list->client[i];
	}
	return 0;
}

static int collect_device(struct client_dump *dump, struct egpu_device *edev,
			  bool all)
{
	struct egpu_client_list list = {};
	bool locked;
	int ret;

	ret = egpu_device_walk_begin(edev, &locked);
	if (ret)
		return ret;
	ret = egpu_drm_clients(edev->pdev, &list);
	egpu_device_walk_end(edev, locked);
	if (!ret)
		ret = add_clients(dump, edev->id, &list, all);
	egpu_client_list_free(&list);
	return ret;
}

static struct egpu_device *next_device(u32 after, u32 only)
{
	struct egpu_device *edev;

	mutex_lock(&egpu_lock);
	edev = only ? egpu_device_find_id(only) : egpu_device_after(after);
	if (edev)
		egpu_device_get(edev);
	mutex_unlock(&egpu_lock);
	return edev;
}

static int collect_one(struct client_dump *dump, u32 id, bool all,
		       struct netlink_ext_ack *extack)
{
	struct egpu_device *edev = next_device(0, id);
	int ret;

	if (!edev) {
		NL_SET_ERR_MSG(extack, "there is no such GPU");
		return -ENODEV;
	}
	ret = collect_device(dump, edev, all);
	if (ret == -EAGAIN)
		NL_SET_ERR_MSG(extack,
			       "a driver is just being bound or unbound, ask again");
	egpu_device_put(edev);
	return ret;
}

/* A GPU whose driver is just coming or going has no clients to tell of. */
static int collect_all(struct client_dump *dump, bool all)
{
	struct egpu_device *edev;
	u32 id = 0;
	int ret = 0;

	while ((!ret || ret == -EAGAIN) && (edev = next_device(id, 0))) {
		id = edev->id;
		ret = collect_device(dump, edev, all);
		egpu_device_put(edev);
	}
	return ret == -EAGAIN ? 0 : ret;
}

/* Under egpu_lock, for the past makes room for the present. */
static int collect_victims(struct client_dump *dump, u64 cookie, bool all,
			   struct netlink_ext_ack *extack)
{
	struct egpu_request *req;
	int ret = -ENOENT;

	mutex_lock(&egpu_lock);
	req = egpu_request_find(cookie);
	if (req)
		ret = add_clients(dump, req->id, &req->victims, all);
	mutex_unlock(&egpu_lock);
	if (!req)
		NL_SET_ERR_MSG(extack, "there is no such removal");
	return ret;
}

static int collect(struct client_dump *dump, struct netlink_callback *cb)
{
	struct nlattr **attrs = egpu_compat_dump_attrs(cb);
	struct nlattr *id = attrs ? attrs[EGPU_A_CLIENT_ID] : NULL;
	struct nlattr *cookie = attrs ? attrs[EGPU_A_CLIENT_COOKIE] : NULL;
	bool all = netlink_capable(cb->skb, CAP_NET_ADMIN);

	if (id && cookie) {
		NL_SET_ERR_MSG_ATTR(cb->extack, cookie,
				    "name either a GPU or a removal, which has its own");
		return -EINVAL;
	}
	if (cookie)
		return collect_victims(dump, nla_get_u64(cookie), all,
				       cb->extack);
	if (id)
		return collect_one(dump, nla_get_u32(id), all, cb->extack);
	return collect_all(dump, all);
}

static void dump_free(struct client_dump *dump)
{
	kvfree(dump->told);
	kfree(dump);
}

static int no_memory(struct netlink_callback *cb)
{
	NL_SET_ERR_MSG(cb->extack, "there is no memory for the list");
	return -ENOMEM;
}

int egpu_nl_client_start(struct netlink_callback *cb)
{
	struct client_dump *dump;
	int ret;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return no_memory(cb);
	ret = collect(dump, cb);
	if (ret) {
		if (ret == -ENOMEM)
			no_memory(cb);
		dump_free(dump);
		return ret;
	}
	cb->args[0] = (long)dump;
	return 0;
}

int egpu_nl_client_done(struct netlink_callback *cb)
{
	if (cb->args[0])
		dump_free((struct client_dump *)cb->args[0]);
	cb->args[0] = 0;
	return 0;
}

static int put_process(struct sk_buff *skb, const struct told_client *told)
{
	const char *comm = told->client.comm;

	if (told->pid && nla_put_u32(skb, EGPU_A_CLIENT_PID, told->pid))
		return -EMSGSIZE;
	if (*comm && nla_put_string(skb, EGPU_A_CLIENT_COMM, comm))
		return -EMSGSIZE;
	return 0;
}

static int put_client(struct sk_buff *skb, const struct told_client *told)
{
	const struct egpu_client *client = &told->client;

	if (nla_put_u32(skb, EGPU_A_CLIENT_ID, told->device) ||
	    put_process(skb, told) ||
	    egpu_put_minor(skb, EGPU_A_CLIENT_MINOR, &client->minor) ||
	    nla_put_u32(skb, EGPU_A_CLIENT_BUFFERS, client->buffers) ||
	    nla_put_u64_64bit(skb, EGPU_A_CLIENT_BYTES, client->bytes,
			      EGPU_A_CLIENT_PAD))
		return -EMSGSIZE;
	if (client->client_id &&
	    nla_put_u64_64bit(skb, EGPU_A_CLIENT_CLIENT_ID, client->client_id,
			      EGPU_A_CLIENT_PAD))
		return -EMSGSIZE;
	if (client->master && nla_put_flag(skb, EGPU_A_CLIENT_MASTER))
		return -EMSGSIZE;
	return 0;
}

static int fill_client(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct told_client *told)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				 cb->nlh->nlmsg_seq, egpu_compat_family(),
				 NLM_F_MULTI, EGPU_CMD_CLIENT_GET);

	if (!head)
		return -EMSGSIZE;
	if (put_client(skb, told)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

int egpu_nl_client_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct client_dump *dump = (struct client_dump *)cb->args[0];

	while (dump->next < dump->n &&
	       !fill_client(skb, cb, &dump->told[dump->next]))
		dump->next++;
	/* 0 lets the end of the dump go with the last of it. */
	return dump->next < dump->n ? skb->len : 0;
}
