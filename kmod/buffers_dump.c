// SPDX-License-Identifier: GPL-2.0
/*
 * The dump of buffers: taken at once when it begins, told message by message.
 *
 * Who may see what is as in clients_dump.c.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "egpu.h"
#include "genl.h"

/**
 * struct buffer_dump - a dump in progress, in cb->args[0]
 * @device: id of the GPU
 * @next: first one not told yet
 * @list: the buffers
 */
struct buffer_dump {
	u32 device;
	unsigned int next;
	struct egpu_buffer_list list;
};

static int turn_down(struct netlink_callback *cb, int error)
{
	if (error == -ENOMEM)
		NL_SET_ERR_MSG(cb->extack, "there is no memory for the list");
	else if (error == -E2BIG)
		NL_SET_ERR_MSG(cb->extack, "there are too many buffers to list");
	else if (error == -EAGAIN)
		NL_SET_ERR_MSG(cb->extack,
			       "a driver is just being bound or unbound, ask again");
	else if (error == -ENODEV)
		NL_SET_ERR_MSG(cb->extack, "there is no such GPU");
	else if (error == -EINVAL)
		NL_SET_ERR_MSG(cb->extack, "say which GPU by its id");
	return error;
}

static int collect_device(struct buffer_dump *dump, struct egpu_device *edev)
{
	bool locked;
	int ret;

	ret = egpu_device_walk_begin(edev, &locked);
	if (ret)
		return ret;
	dump->list.fences = !pci_channel_offline(edev->pdev);
	ret = egpu_drm_buffers(edev->pdev, &dump->list);
	egpu_device_walk_end(edev, locked);
	return ret;
}

static int collect(struct buffer_dump *dump, u32 id)
{
	struct egpu_device *edev;
	int ret;

	mutex_lock(&egpu_lock);
	edev = egpu_device_find_id(id);
	if (edev)
		egpu_device_get(edev);
	mutex_unlock(&egpu_lock);
	if (!edev)
		return -ENODEV;
	dump->device = id;
	ret = collect_device(dump, edev);
	egpu_device_put(edev);
	return ret;
}

static void dump_free(struct buffer_dump *dump)
{
	kvfree(dump->list.buffer);
	kfree(dump);
}

int egpu_nl_buffer_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = egpu_compat_dump_attrs(cb);
	struct buffer_dump *dump;
	int ret;

	if (!attrs ||
	    NL_REQ_ATTR_CHECK(cb->extack, NULL, attrs, EGPU_A_BUFFER_ID))
		return turn_down(cb, -EINVAL);
	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return turn_down(cb, -ENOMEM);
	dump->list.all = netlink_capable(cb->skb, CAP_NET_ADMIN);
	ret = collect(dump, nla_get_u32(attrs[EGPU_A_BUFFER_ID]));
	if (ret) {
		dump_free(dump);
		return turn_down(cb, ret);
	}
	cb->args[0] = (long)dump;
	return 0;
}

int egpu_nl_buffer_done(struct netlink_callback *cb)
{
	if (cb->args[0])
		dump_free((struct buffer_dump *)cb->args[0]);
	cb->args[0] = 0;
	return 0;
}

static int put_client(struct sk_buff *skb, const struct egpu_buffer *buffer)
{
	if (buffer->client_id &&
	    nla_put_u64_64bit(skb, EGPU_A_BUFFER_CLIENT_ID, buffer->client_id,
			      EGPU_A_BUFFER_PAD))
		return -EMSGSIZE;
	if (buffer->pid && nla_put_u32(skb, EGPU_A_BUFFER_PID, buffer->pid))
		return -EMSGSIZE;
	return egpu_put_minor(skb, EGPU_A_BUFFER_MINOR, &buffer->minor);
}

static int put_write(struct sk_buff *skb, const struct egpu_buffer *buffer)
{
	if (!buffer->write_known)
		return 0;
	if (nla_put_u64_64bit(skb, EGPU_A_BUFFER_WRITE_CONTEXT,
			      buffer->write_context, EGPU_A_BUFFER_PAD))
		return -EMSGSIZE;
	return nla_put_u64_64bit(skb, EGPU_A_BUFFER_WRITE_SEQNO,
				 buffer->write_seqno, EGPU_A_BUFFER_PAD);
}

static int put_buffer(struct sk_buff *skb, u32 device,
		      const struct egpu_buffer *buffer)
{
	if (nla_put_u32(skb, EGPU_A_BUFFER_ID, device) ||
	    put_client(skb, buffer) ||
	    nla_put_u32(skb, EGPU_A_BUFFER_HANDLE, buffer->handle) ||
	    nla_put_u64_64bit(skb, EGPU_A_BUFFER_SIZE, buffer->size,
			      EGPU_A_BUFFER_PAD) ||
	    nla_put_u32(skb, EGPU_A_BUFFER_PENDING, buffer->pending))
		return -EMSGSIZE;
	if (buffer->dma_buf &&
	    nla_put_u64_64bit(skb, EGPU_A_BUFFER_DMA_BUF, buffer->dma_buf,
			      EGPU_A_BUFFER_PAD))
		return -EMSGSIZE;
	if (buffer->imported && nla_put_flag(skb, EGPU_A_BUFFER_IMPORTED))
		return -EMSGSIZE;
	return put_write(skb, buffer);
}

static int fill_buffer(struct sk_buff *skb, struct netlink_callback *cb,
		       u32 device, const struct egpu_buffer *buffer)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				 cb->nlh->nlmsg_seq, egpu_compat_family(),
				 NLM_F_MULTI, EGPU_CMD_BUFFER_GET);

	if (!head)
		return -EMSGSIZE;
	if (put_buffer(skb, device, buffer)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

int egpu_nl_buffer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct buffer_dump *dump = (struct buffer_dump *)cb->args[0];
	const struct egpu_buffer_list *list = &dump->list;

	while (dump->next < list->n &&
	       !fill_buffer(skb, cb, dump->device, &list->buffer[dump->next]))
		dump->next++;
	/* 0 lets the end of the dump go with the last of it. */
	return dump->next < list->n ? skb->len : 0;
}
