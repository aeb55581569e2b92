// SPDX-License-Identifier: GPL-2.0
/*
 * What the clients of a GPU have on it, read as in drm_clients.c.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <drm/drm_gem.h>

#include "drm_walk.h"

/* Room at first, and the most there is. */
#define EGPU_BUFFERS_MIN 1024
#define EGPU_BUFFERS_MAX 1048576

/**
 * struct buffer_walk - a walk over buffers
 * @list: where they go
 * @client: whose are being listed
 * @pid: of @client, for the asker
 */
struct buffer_walk {
	struct egpu_buffer_list *list;
	struct egpu_client client;
	u32 pid;
};

/* Under object_name_lock, which keeps the dma-buf. */
static u64 dma_buf_inode(const struct drm_gem_object *object)
{
	struct dma_buf *dma_buf = object->dma_buf;

	if (!dma_buf && object->import_attach)
		dma_buf = object->import_attach->dmabuf;
	return dma_buf ? file_inode(dma_buf->file)->i_ino : 0;
}

/*
 * Numbers of different contexts say nothing of who came first, so times decide:
 * what has not signalled is later than what has. None of the driver's code runs.
 */
static bool is_later(struct dma_fence *fence, struct dma_fence *than)
{
	bool done = test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags);

	if (done != test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &than->flags))
		return !done;
	if (done)
		return ktime_after(fence->timestamp, than->timestamp);
	return fence->context != than->context ||
	       dma_fence_is_later(fence, than);
}

/*
 * Who merely looks does not make the driver look at its hardware, as the walk
 * without lock would: a fence that nobody has asked counts as pending. A
 * reservation that somebody is changing is passed over rather than waited for.
 *
 * Work that says it only reads is the last write, too. Drivers whose clients
 * synchronise themselves say so of everything, and a fence that has signalled
 * gives its place to whatever comes next: to leave reads out could hide a write.
 */
static void look_at_fences(struct drm_gem_object *object,
			   struct egpu_buffer *buffer)
{
	struct dma_fence *fence, *last = NULL;
	struct dma_resv_iter cursor;

	if (!dma_resv_trylock(object->resv))
		return;
	dma_resv_for_each_fence(&cursor, object->resv, DMA_RESV_USAGE_BOOKKEEP,
				fence) {
		buffer->pending +=
			!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
		if (!last || is_later(fence, last))
			last = fence;
	}
	buffer->write_known = true;
	if (last) {
		buffer->write_context = last->context;
		buffer->write_seqno = last->seqno;
	}
	dma_resv_unlock(object->resv);
}

static void list_buffer(struct buffer_walk *walk, u32 handle,
			struct drm_gem_object *object)
{
	struct egpu_buffer_list *list = walk->list;
	struct egpu_buffer *buffer = &list->buffer[list->n++];

	*buffer = (struct egpu_buffer){
		.client_id = walk->client.client_id,
		.pid = walk->pid,
		.minor = walk->client.minor,
		.handle = handle,
		.imported = object->import_attach,
		.size = object->size,
		.dma_buf = dma_buf_inode(object),
	};
	if (list->fences)
		look_at_fences(object, buffer);
}

/* Lists some buffers from handle @next on; 0 when there are no more. */
static int list_chunk(struct drm_file *file, struct buffer_walk *walk, int *next)
{
	struct egpu_buffer_list *list = walk->list;
	struct drm_gem_object *object;
	unsigned int n = 0;
	int ret = 0;

	mutex_lock(&file->minor->dev->object_name_lock);
	spin_lock(&file->table_lock);
	idr_for_each_entry_continue(&file->object_idr, object, *next) {
		if (list->n == list->size) {
			ret = -ENOSPC;
			break;
		}
		list_buffer(walk, *next, object);
		if (++n == EGPU_WALK_CHUNK)
			break;
	}
	spin_unlock(&file->table_lock);
	mutex_unlock(&file->minor->dev->object_name_lock);
	if (ret)
		return ret;
	(*next)++;
	return n == EGPU_WALK_CHUNK;
}

static int list_file(struct drm_file *file, struct buffer_walk *walk)
{
	int next = 0;
	int ret = 0;

	egpu_drm_describe(file, &walk->client);
	walk->pid = egpu_client_pid(&walk->client);
	if (egpu_client_visible(&walk->client, walk->list->all))
		while ((ret = list_chunk(file, walk, &next)) > 0)
			cond_resched();
	put_pid(walk->client.pid);
	return ret;
}

static int list_minor(struct drm_minor *minor, void *data)
{
	struct drm_file *file;
	int ret = 0;

	if (!egpu_drm_has_buffers(minor))
		return 0;
	mutex_lock(&minor->dev->filelist_mutex);
	list_for_each_entry(file, &minor->dev->filelist, lhead) {
		if (file->minor != minor)
			continue;
		ret = list_file(file, data);
		if (ret)
			break;
	}
	mutex_unlock(&minor->dev->filelist_mutex);
	return ret;
}

static int make_room(struct egpu_buffer_list *list)
{
	unsigned int size = list->size ? 2 * list->size : EGPU_BUFFERS_MIN;

	if (size > EGPU_BUFFERS_MAX)
		return -E2BIG;
	kvfree(list->buffer);
	list->n = 0;
	list->size = size;
	list->buffer = kvmalloc_array(size, sizeof(*list->buffer),
				      GFP_KERNEL | __GFP_NOWARN);
	return list->buffer ? 0 : -ENOMEM;
}

/**
 * egpu_drm_buffers - all buffers of all clients of a GPU
 * @pdev: the GPU; its driver stays during the call
 * @list: empty, says which are asked for; kvfree() its buffers also after an
 *	error
 *
 * Return: 0, -ENOMEM, or -E2BIG when there are absurdly many.
 */
int egpu_drm_buffers(struct pci_dev *pdev, struct egpu_buffer_list *list)
{
	struct buffer_walk walk = { .list = list };
	int ret;

	do {
		ret = make_room(list);
		if (!ret)
			ret = egpu_drm_visit_minors(pdev, list_minor, &walk);
	} while (ret == -ENOSPC);
	return ret;
}
