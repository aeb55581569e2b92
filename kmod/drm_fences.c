// SPDX-License-Identifier: GPL-2.0
/*
 * Work in flight on a GPU, read from the reservations of its clients' buffers.
 *
 * No reference to a buffer is taken: giving one back may call the driver, and
 * would pull in drm.ko. A fence is referenced under the buffer's lock and then
 * stands for itself. Its code is the driver's, so the driver's module stays as
 * long as the fence is held.
 *
 * A look at a reservation asks the fences themselves whether they have
 * signalled, as everybody's does who waits for a buffer; so the caller looks
 * only as long as the device is there.
 */
#include <linux/dma-resv.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <drm/drm_gem.h>

#include "drm_fences.h"
#include "drm_walk.h"

/* With the fence's lock held, maybe in an interrupt. */
static void on_signal(struct dma_fence *fence, struct dma_fence_cb *callback)
{
	struct egpu_fence_entry *entry =
		container_of(callback, struct egpu_fence_entry, callback);

	if (atomic_dec_and_test(&entry->fences->left))
		wake_up_all(entry->fences->wake);
	/* From here on the entry may be gone; pairs with drop_entry(). */
	smp_store_release(&entry->called, true);
}

/**
 * egpu_fences_arm - begin to wait for what a look has found
 * @fences: as left by the look; wait for egpu_fences_signalled(), then, or
 *	when it takes too long, egpu_fences_drop()
 *
 * Asks the driver to signal them, so the device must be there. Sleeps not.
 */
void egpu_fences_arm(struct egpu_fences *fences)
{
	struct egpu_fence_entry *entry;

	atomic_set(&fences->left, fences->n);
	for (entry = fences->entry; entry < fences->entry + fences->n; entry++) {
		entry->armed = !dma_fence_add_callback(entry->fence,
						       &entry->callback,
						       on_signal);
		if (!entry->armed)
			atomic_dec(&fences->left);
	}
}

/*
 * A fence that has signalled need not have a lock any more: that may have been
 * the driver's. So it is taken only where it must be there still, either because
 * the fence has not signalled or because it is just calling us.
 */
static void drop_entry(struct egpu_fence_entry *entry)
{
	/* Pairs with the release in on_signal(). */
	if (entry->armed && !smp_load_acquire(&entry->called))
		dma_fence_remove_callback(entry->fence, &entry->callback);
	dma_fence_put(entry->fence);
	module_put(entry->owner);
}

/**
 * egpu_fences_drop - wait no more
 * @fences: empty afterwards, for the next look
 */
void egpu_fences_drop(struct egpu_fences *fences)
{
	while (fences->n)
		drop_entry(&fences->entry[--fences->n]);
	atomic_set(&fences->left, 0);
	fences->full = false;
	fences->clients = 0;
	fences->buffers = 0;
}

static bool is_known(const struct egpu_fences *fences,
		     const struct dma_fence *fence)
{
	unsigned int i;

	for (i = fences->n; i > 0; i--)
		if (fences->entry[i - 1].fence == fence)
			return true;
	return false;
}

/* 0, or why the look cannot go on. */
static int add_fence(struct egpu_fences *fences, struct dma_fence *fence,
		     struct module *owner)
{
	struct egpu_fence_entry *entry;

	if (is_known(fences, fence))
		return 0;
	if (fences->n == EGPU_FENCES_MAX) {
		fences->full = true;
		return -ENOSPC;
	}
	/* A driver that is being unloaded is about to be unbound. */
	if (!try_module_get(owner))
		return -EAGAIN;
	entry = &fences->entry[fences->n++];
	*entry = (struct egpu_fence_entry){
		.fence = dma_fence_get(fence),
		.owner = owner,
		.fences = fences,
	};
	return 0;
}

/* Under table_lock, which keeps the buffer. */
static int look_at_buffer(struct drm_gem_object *object,
			  struct egpu_fences *fences, struct module *owner)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret = 0;

	fences->buffers++;
	dma_resv_iter_begin(&cursor, object->resv, DMA_RESV_USAGE_BOOKKEEP);
	/* Only those that have not signalled; from the beginning again when the
	 * reservation changes meanwhile.
	 */
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		ret = add_fence(fences, fence, owner);
		if (ret)
			break;
	}
	dma_resv_iter_end(&cursor);
	return ret;
}

/* Looks at some buffers from handle @next on; 0 when there are no more. */
static int look_at_chunk(struct drm_file *file, struct egpu_fences *fences,
			 struct module *owner, int *next)
{
	struct drm_gem_object *object;
	unsigned int n = 0;
	int ret = 0;

	spin_lock(&file->table_lock);
	idr_for_each_entry_continue(&file->object_idr, object, *next) {
		ret = look_at_buffer(object, fences, owner);
		if (ret || ++n == EGPU_WALK_CHUNK)
			break;
	}
	spin_unlock(&file->table_lock);
	if (ret)
		return ret;
	(*next)++;
	return n == EGPU_WALK_CHUNK;
}

static int look_at_file(struct drm_file *file, struct egpu_fences *fences)
{
	const struct file_operations *fops = file->minor->dev->driver->fops;
	struct module *owner = fops ? fops->owner : NULL;
	int next = 0;
	int ret;

	fences->clients++;
	if (!egpu_drm_has_buffers(file->minor))
		return 0;
	while ((ret = look_at_chunk(file, fences, owner, &next)) > 0)
		cond_resched();
	return ret;
}

static int look_at_minor(struct drm_minor *minor, void *data)
{
	struct egpu_fences *fences = data;
	struct drm_file *file;
	int ret = 0;

	/* All minors of a device share its list: look at each with its own. */
	mutex_lock(&minor->dev->filelist_mutex);
	list_for_each_entry(file, &minor->dev->filelist, lhead) {
		if (file->minor != minor)
			continue;
		ret = look_at_file(file, fences);
		if (ret)
			break;
	}
	mutex_unlock(&minor->dev->filelist_mutex);
	return ret;
}

/**
 * egpu_fences_look - look for work in flight
 * @pdev: the GPU; it is there, and its driver stays during the call
 * @fences: empty; what is found, maybe not all of it (@fences->full)
 *
 * Return: 0, -EAGAIN when the driver's module is being unloaded.
 */
int egpu_fences_look(struct pci_dev *pdev, struct egpu_fences *fences)
{
	int ret = egpu_drm_visit_minors(pdev, look_at_minor, fences);

	return ret == -ENOSPC ? 0 : ret;
}

struct blame_walk {
	struct egpu_fences *fences;
	struct egpu_blame *blame;
};

static void blame_file(struct drm_file *file, u32 fences,
		       struct egpu_blame *blame)
{
	struct egpu_culprit *culprit;

	if (!fences)
		return;
	blame->pending += fences;
	if (blame->n == EGPU_CULPRITS_MAX)
		return;
	culprit = &blame->culprit[blame->n++];
	culprit->fences = fences;
	egpu_drm_describe(file, &culprit->client);
}

static int blame_minor(struct drm_minor *minor, void *data)
{
	struct blame_walk *walk = data;
	struct drm_file *file;
	int ret = 0;

	mutex_lock(&minor->dev->filelist_mutex);
	list_for_each_entry(file, &minor->dev->filelist, lhead) {
		if (file->minor != minor)
			continue;
		ret = look_at_file(file, walk->fences);
		blame_file(file, walk->fences->n, walk->blame);
		walk->blame->clients += walk->fences->clients;
		walk->blame->buffers += walk->fences->buffers;
		egpu_fences_drop(walk->fences);
		/* More than there is room for is enough to be blamed for. */
		if (ret && ret != -ENOSPC)
			break;
		ret = 0;
	}
	mutex_unlock(&minor->dev->filelist_mutex);
	return ret;
}

/**
 * egpu_fences_blame - look whose work is in flight
 * @pdev: the GPU; it is there, and its driver stays during the call
 * @fences: empty, and so afterwards
 * @blame: empty; filled, egpu_blame_clear() when done
 *
 * A fence of a buffer that clients share counts for each of them; of one
 * client no more than EGPU_FENCES_MAX are counted.
 *
 * Return: as egpu_fences_look().
 */
int egpu_fences_blame(struct pci_dev *pdev, struct egpu_fences *fences,
		      struct egpu_blame *blame)
{
	struct blame_walk walk = { .fences = fences, .blame = blame };

	return egpu_drm_visit_minors(pdev, blame_minor, &walk);
}
