// SPDX-License-Identifier: GPL-2.0
/*
 * egpu: tells who wants to know when an external GPU comes, leaves or is
 * about to leave, and lets a helper save its work before it does.
 */
#include <linux/module.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "egpu.h"

static char *override;
module_param(override, charp, 0444);
MODULE_PARM_DESC(override,
		 "What is external: 0000:00:04.0=external,0000:00:05.0=internal");

static unsigned int hold_ms = 2000;
module_param(hold_ms, uint, 0444);
MODULE_PARM_DESC(hold_ms,
		 "Longest wait of a removal for a helper at load (0 to 5000, default 2000)");

static unsigned int accept_ms = 250;
module_param(accept_ms, uint, 0444);
MODULE_PARM_DESC(accept_ms,
		 "How long a removal waits for a helper to accept at load (0 to 5000, default 250)");

static unsigned int eject_ms = 30000;
module_param(eject_ms, uint, 0444);
MODULE_PARM_DESC(eject_ms,
		 "Deadline of an eject that names none at load (1 to 600000, default 30000)");

static unsigned int drain_ms = 2000;
module_param(drain_ms, uint, 0444);
MODULE_PARM_DESC(drain_ms,
		 "How long a forced eject waits for work in flight at load (0 to 60000, default 2000)");

/* Ejects wait here for their helpers, each in a worker of its own. */
struct workqueue_struct *egpu_workqueue;

static bool unloading;
static u64 instance;

/**
 * egpu_unloading - is the module on its way out
 *
 * Return: true once nothing may begin to wait any more.
 */
bool egpu_unloading(void)
{
	return READ_ONCE(unloading);
}

/**
 * egpu_instance - which load of the module this is
 *
 * Return: ns of CLOCK_BOOTTIME at load, so different for each load.
 */
u64 egpu_instance(void)
{
	return instance;
}

static bool param_fits(const char *name, unsigned int value, unsigned int low,
		       unsigned int high)
{
	if (value >= low && value <= high)
		return true;
	pr_err("egpu: parameter %s: expected %u to %u, found %u\n", name, low,
	       high, value);
	return false;
}

static int take_params(void)
{
	if (!param_fits("hold_ms", hold_ms, 0, EGPU_HOLD_MS_MAX) ||
	    !param_fits("accept_ms", accept_ms, 0, EGPU_HOLD_MS_MAX) ||
	    !param_fits("eject_ms", eject_ms, 1, EGPU_EJECT_MS_MAX) ||
	    !param_fits("drain_ms", drain_ms, 0, EGPU_DRAIN_MS_MAX))
		return -EINVAL;
	egpu_settings.hold_ms = hold_ms;
	egpu_settings.accept_ms = accept_ms;
	egpu_settings.eject_ms = eject_ms;
	egpu_settings.drain_ms = drain_ms;
	return egpu_overrides_parse(override);
}

/*
 * The family comes before the devices, so that a listener that joins at once
 * hears of each of them; what is not there yet is told by its own event.
 */
static int __init egpu_init(void)
{
	int ret;

	instance = ktime_get_boottime_ns();
	ret = take_params();
	if (ret)
		return ret;
	egpu_workqueue = alloc_workqueue("egpu", WQ_UNBOUND, 0);
	if (!egpu_workqueue)
		return -ENOMEM;
	ret = egpu_reserve_init();
	if (ret)
		goto err_workqueue;
	ret = egpu_netlink_init();
	if (ret)
		goto err_reserve;
	ret = egpu_hotplug_init();
	if (ret)
		goto err_netlink;
	return 0;

err_netlink:
	egpu_netlink_exit();
err_reserve:
	egpu_reserve_exit();
err_workqueue:
	destroy_workqueue(egpu_workqueue);
	return ret;
}

/*
 * First nothing waits and no eject begins any more, then what runs comes to
 * its end, then nothing new comes in.
 */
static void __exit egpu_exit(void)
{
	WRITE_ONCE(unloading, true);
	egpu_requests_unload();
	egpu_quiesce_unload();
	flush_workqueue(egpu_workqueue);
	egpu_hotplug_exit();
	egpu_netlink_exit();
	egpu_reserve_stop();
	egpu_devices_drop_all();
	destroy_workqueue(egpu_workqueue);
	egpu_requests_free_all();
	egpu_reserve_exit();
}

module_init(egpu_init);
module_exit(egpu_exit);

MODULE_DESCRIPTION("Hotplug of external GPUs: tells who, why and when, and waits for a helper");
MODULE_AUTHOR("The egpu project");
MODULE_LICENSE("GPL");
MODULE_VERSION(EGPU_VERSION);
