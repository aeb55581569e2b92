// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a GPU open, read from the DRM core's own lists.
 *
 * Only inline accessors and plain fields are used, so this module does not
 * pull in drm.ko, and nothing of the GPU's driver is called. The caller makes
 * sure that the driver stays: device_lock, or egpu_device_walk_begin().
 */
#include <linux/idr.h>
#include <linux/pci.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "compat/drm.h"
#include "egpu.h"

/* Nobody has that many DRM files open; what is beyond is not listed. */
#define EGPU_CLIENTS_MAX 65536

typedef int (*minor_fn)(struct drm_minor *minor, void *data);

struct minor_walk {
	minor_fn fn;
	void *data;
};

static int visit_child(struct device *child, void *data)
{
	struct minor_walk *walk = data;
	struct drm_minor *minor;

	/* Connectors are of the same class, so the type decides. */
	if (!child->type || !child->type->name ||
	    strcmp(child->type->name, "drm_minor"))
		return 0;
	minor = dev_get_drvdata(child);
	if (!minor || !minor->dev)
		return 0;
	return walk->fn(minor, walk->data);
}

static int visit_minors(struct pci_dev *pdev, minor_fn fn, void *data)
{
	struct minor_walk walk = { .fn = fn, .data = data };

	return device_for_each_child(&pdev->dev, &walk, visit_child);
}

static enum egpu_minor_type minor_type(const struct drm_minor *minor)
{
	switch ((int)minor->type) {
	case DRM_MINOR_PRIMARY:
		return EGPU_MINOR_TYPE_PRIMARY;
	case DRM_MINOR_RENDER:
		return EGPU_MINOR_TYPE_RENDER;
	case EGPU_COMPAT_MINOR_ACCEL:
		return EGPU_MINOR_TYPE_ACCEL;
	}
	return EGPU_MINOR_TYPE_OTHER;
}

static u32 count_files(struct drm_minor *minor)
{
	struct drm_file *file;
	u32 n = 0;

	/* All minors of a device share its list: count each with its own. */
	mutex_lock(&minor->dev->filelist_mutex);
	list_for_each_entry(file, &minor->dev->filelist, lhead)
		if (file->minor == minor)
			n++;
	mutex_unlock(&minor->dev->filelist_mutex);
	return n;
}

static int summarise_minor(struct drm_minor *minor, void *data)
{
	struct egpu_drm_summary *sum = data;

	sum->clients += count_files(minor);
	if (sum->n_minors == EGPU_MINORS_MAX)
		return 0;
	sum->minor[sum->n_minors].type = minor_type(minor);
	sum->minor[sum->n_minors].index = minor->index;
	sum->n_minors++;
	return 0;
}

/**
 * egpu_drm_summarise - nodes and number of clients
 * @pdev: the GPU; its driver stays during the call
 * @sum: filled; zero nodes when the driver made none
 */
void egpu_drm_summarise(struct pci_dev *pdev, struct egpu_drm_summary *sum)
{
	memset(sum, 0, sizeof(*sum));
	visit_minors(pdev, summarise_minor, sum);
}

static void count_buffers(struct drm_file *file, struct egpu_client *client)
{
	struct drm_gem_object *object;
	int handle;

	if (!drm_core_check_feature(file->minor->dev, DRIVER_GEM))
		return;
	spin_lock(&file->table_lock);
	/* Passes over a handle that is being made or closed: it has no object. */
	idr_for_each_entry(&file->object_idr, object, handle) {
		client->buffers++;
		client->bytes += object->size;
	}
	spin_unlock(&file->table_lock);
}

static void describe_file(struct drm_file *file, struct egpu_client *client)
{
	struct drm_minor *minor = file->minor;

	*client = (struct egpu_client){
		.client_id = egpu_compat_file_client_id(file),
		.minor.type = minor_type(minor),
		.minor.index = minor->index,
		/* A hint for people: read without master_mutex. */
		.master = READ_ONCE(file->is_master) &&
			  READ_ONCE(file->master) ==
				  READ_ONCE(minor->dev->master),
	};
	rcu_read_lock();
	client->pid = get_pid(egpu_compat_file_pid(file));
	rcu_read_unlock();
	count_buffers(file, client);
}

static int make_room(struct egpu_client_list *list, unsigned int n)
{
	struct egpu_client *more;

	if (list->size - list->n >= n)
		return 0;
	if (n > EGPU_CLIENTS_MAX || list->n + n > EGPU_CLIENTS_MAX)
		return -E2BIG;
	n += list->n + 16;
	more = kvcalloc(n, sizeof(*more), GFP_KERNEL);
	if (!more)
		return -ENOMEM;
	if (list->n)
		memcpy(more, list->client, list->n * sizeof(*more));
	kvfree(list->client);
	list->client = more;
	list->size = n;
	return 0;
}

/* Returns false when files were opened since there was made room for them. */
static bool list_files(struct drm_minor *minor, struct egpu_client_list *list)
{
	unsigned int start = list->n;
	struct drm_file *file;
	bool complete = true;

	mutex_lock(&minor->dev->filelist_mutex);
	list_for_each_entry(file, &minor->dev->filelist, lhead) {
		if (file->minor != minor)
			continue;
		if (list->n == list->size) {
			complete = false;
			break;
		}
		describe_file(file, &list->client[list->n++]);
	}
	mutex_unlock(&minor->dev->filelist_mutex);

	while (!complete && list->n > start)
		put_pid(list->client[--list->n].pid);
	return complete;
}

static int list_minor(struct drm_minor *minor, void *data)
{
	struct egpu_client_list *list = data;
	int ret;

	do {
		ret = make_room(list, count_files(minor));
		if (ret)
			return ret;
	} while (!list_files(minor, list));
	return 0;
}

/**
 * egpu_drm_clients - all open DRM files of a GPU
 * @pdev: the GPU; its driver stays during the call
 * @list: appended to; egpu_client_list_free() also after an error
 *
 * Return: 0, -ENOMEM, or -E2BIG when there are absurdly many.
 */
int egpu_drm_clients(struct pci_dev *pdev, struct egpu_client_list *list)
{
	return visit_minors(pdev, list_minor, list);
}
