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
#include <linux/sched.h>
#include <linux/slab.h>
#include <drm/drm_gem.h>

#include "compat/drm.h"
#include "drm_walk.h"
#include "egpu.h"

/* Nobody has that many DRM files open; what is beyond is not listed. */
#define EGPU_CLIENTS_MAX 65536

/* Those of a removal are kept as long as the removal. */
#define EGPU_VICTIMS_MAX 1024

struct minor_walk {
	egpu_minor_fn fn;
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

/**
 * egpu_drm_visit_minors - call a function for each DRM node
 * @pdev: the GPU; its driver stays during the call
 * @fn: called with the minor; another value than 0 ends the visit
 * @data: handed on
 *
 * Return: 0, or what @fn has returned.
 */
int egpu_drm_visit_minors(struct pci_dev *pdev, egpu_minor_fn fn, void *data)
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
	egpu_drm_visit_minors(pdev, summarise_minor, sum);
}

static void count_buffers(struct drm_file *file, struct egpu_client *client)
{
	struct drm_gem_object *object;
	int handle;

	if (!egpu_drm_has_buffers(file->minor))
		return;
	spin_lock(&file->table_lock);
	/* Passes over a handle that is being made or closed: it has no object. */
	idr_for_each_entry(&file->object_idr, object, handle) {
		client->buffers++;
		client->bytes += object->size;
	}
	spin_unlock(&file->table_lock);
}

/* Not all that is asked for later is still there then. */
static void describe_process(struct egpu_client *client)
{
	struct task_struct *task;

	rcu_read_lock();
	task = client->pid ? pid_task(client->pid, PIDTYPE_PID) : NULL;
	if (task) {
		client->known = true;
		client->uid = task_uid(task);
		get_task_comm(client->comm, task);
	}
	rcu_read_unlock();
}

/**
 * egpu_drm_describe - whose a DRM file is
 * @file: the file; filelist_mutex held
 * @client: overwritten, but its buffers are not counted; who keeps it gives
 *	back @client->pid
 */
void egpu_drm_describe(struct drm_file *file, struct egpu_client *client)
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
	describe_process(client);
}

static int make_room(struct egpu_client_list *list, unsigned int n)
{
	struct egpu_client *more;

	if (list->size - list->n >= n)
		return 0;
	if (n > EGPU_CLIENTS_MAX || list->n + n > EGPU_CLIENTS_MAX)
		return -E2BIG;
	n += list->n + 16;
	more = kvcalloc(n, sizeof(*more), GFP_KERNEL | __GFP_NOWARN);
	if (!more)
		return -ENOMEM;
	if (list->n)
		memcpy(more, list->client, list->n * sizeof(*more));
	kvfree(list->client);
	list->client = more;
	list->size = n;
	return 0;
}

static void list_file(struct drm_file *file, struct egpu_client_list *list)
{
	struct egpu_client *client = &list->client[list->n++];

	egpu_drm_describe(file, client);
	count_buffers(file, client);
}

/* Returns false when there are more files than there is room for. */
static bool list_files(struct drm_minor *minor, struct egpu_client_list *list)
{
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
		list_file(file, list);
	}
	mutex_unlock(&minor->dev->filelist_mutex);
	return complete;
}

static void shorten(struct egpu_client_list *list, unsigned int n)
{
	while (list->n > n)
		put_pid(list->client[--list->n].pid);
}

static int list_minor(struct drm_minor *minor, void *data)
{
	struct egpu_client_list *list = data;
	unsigned int before = list->n;
	int ret;

	for (;;) {
		ret = make_room(list, count_files(minor));
		if (ret || list_files(minor, list))
			return ret;
		/* Files were opened since there was made room for them. */
		shorten(list, before);
	}
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
	return egpu_drm_visit_minors(pdev, list_minor, list);
}

static int list_victims(struct drm_minor *minor, void *data)
{
	struct egpu_client_list *list = data;

	if (list->n == EGPU_VICTIMS_MAX ||
	    make_room(list, min(count_files(minor), EGPU_VICTIMS_MAX - list->n)))
		return 0;
	list_files(minor, list);
	shorten(list, EGPU_VICTIMS_MAX);
	return 0;
}

/**
 * egpu_drm_victims - who is about to lose a GPU
 * @pdev: the GPU; its driver stays during the call
 * @list: empty; egpu_client_list_free() when done
 *
 * Runs inside a removal: who cannot be listed for want of memory, or comes
 * after the first EGPU_VICTIMS_MAX, is left out.
 */
void egpu_drm_victims(struct pci_dev *pdev, struct egpu_client_list *list)
{
	egpu_drm_visit_minors(pdev, list_victims, list);
}
