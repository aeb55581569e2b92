// SPDX-License-Identifier: GPL-2.0
/*
 * What a shortage of memory may delay, but not hide: that a GPU comes or goes.
 *
 * A GPU that appears while there is no memory is taken in with what was set
 * aside at load. What is used up is made good as soon as there is memory again;
 * until then a work looks every second, as long as anything is missing.
 */
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "egpu.h"

/* As many GPUs can appear in one shortage; those after them come in later. */
#define EGPU_RESERVE 4

#define EGPU_MEND_MS 1000

static LIST_HEAD(egpu_reserve);
static unsigned int egpu_n_reserve;
/* A GPU is there that could not be taken in. */
static bool egpu_missed_one;

static bool fill_reserve(void)
{
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	while (egpu_n_reserve < EGPU_RESERVE) {
		edev = egpu_device_alloc();
		if (!edev)
			return false;
		list_add(&edev->node, &egpu_reserve);
		egpu_n_reserve++;
	}
	return true;
}

static void mend(struct work_struct *work)
{
	bool whole, look;

	mutex_lock(&egpu_lock);
	whole = egpu_devices_fill_spares() && fill_reserve();
	look = egpu_missed_one;
	egpu_missed_one = false;
	if (!whole)
		egpu_reserve_mend();
	mutex_unlock(&egpu_lock);
	if (look)
		egpu_hotplug_take_in(false);
}

static DECLARE_DELAYED_WORK(mend_work, mend);

/**
 * egpu_reserve_init - set memory aside
 *
 * Return: 0 or -ENOMEM.
 */
int egpu_reserve_init(void)
{
	bool whole;

	mutex_lock(&egpu_lock);
	whole = fill_reserve();
	mutex_unlock(&egpu_lock);
	if (whole)
		return 0;
	egpu_reserve_exit();
	return -ENOMEM;
}

/**
 * egpu_reserve_take - a device for a GPU that there was no memory for
 *
 * Return: what egpu_device_alloc() would have given, or NULL.
 */
struct egpu_device *egpu_reserve_take(void)
{
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	egpu_reserve_mend();
	edev = list_first_entry_or_null(&egpu_reserve, struct egpu_device, node);
	if (!edev) {
		egpu_missed_one = true;
		return NULL;
	}
	list_del_init(&edev->node);
	egpu_n_reserve--;
	return edev;
}

/**
 * egpu_reserve_mend - something is missing for want of memory, see to it soon
 */
void egpu_reserve_mend(void)
{
	lockdep_assert_held(&egpu_lock);
	if (egpu_unloading())
		return;
	queue_delayed_work(egpu_workqueue, &mend_work,
			   msecs_to_jiffies(EGPU_MEND_MS));
}

/**
 * egpu_reserve_stop - let nothing be mended any more
 *
 * egpu_unloading() is true already. Waits for the work, which may wait for a
 * removal that is under way.
 */
void egpu_reserve_stop(void)
{
	cancel_delayed_work_sync(&mend_work);
}

/**
 * egpu_reserve_exit - give back what was set aside
 */
void egpu_reserve_exit(void)
{
	struct egpu_device *edev, *next;

	list_for_each_entry_safe(edev, next, &egpu_reserve, node) {
		list_del_init(&edev->node);
		egpu_device_put(edev);
	}
	egpu_n_reserve = 0;
}
