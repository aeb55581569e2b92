// SPDX-License-Identifier: GPL-2.0
/*
 * What the PCI core tells of GPUs that come and go.
 *
 * The callbacks run inside the PCI core's removal: device_lock is held at
 * BOUND, UNBIND and UNBOUND, the rescan lock during a removal from the bus.
 */
#include <linux/pci.h>

#include "egpu.h"
#include "genl.h"
#include "trace.h"

static void say_not_watched(struct pci_dev *pdev)
{
	pci_warn(pdev, "egpu: no memory to watch this GPU, will try again\n");
}

static void on_add(struct pci_dev *pdev)
{
	struct egpu_device *edev;

	mutex_lock(&egpu_lock);
	if (!egpu_device_find(pdev)) {
		edev = egpu_device_add(pdev, false);
		if (edev)
			egpu_event_device(EGPU_CMD_CONNECTED, edev);
		else
			say_not_watched(pdev);
	}
	mutex_unlock(&egpu_lock);
}

/* The device of a callback, with a reference. */
static struct egpu_device *device_of(struct pci_dev *pdev)
{
	struct egpu_device *edev;

	mutex_lock(&egpu_lock);
	edev = egpu_device_find(pdev);
	if (edev)
		egpu_device_get(edev);
	mutex_unlock(&egpu_lock);
	return edev;
}

/* An unbind that a new driver follows was no more than that. */
static void end_unbind(struct egpu_device *edev)
{
	const char *why;

	if (!edev->request || egpu_fsm_waiting(&edev->request->fsm))
		return;
	egpu_request_step(edev->request, EGPU_FSM_DONE, 0, &why);
	egpu_request_close(edev);
}

static void on_bound(struct egpu_device *edev)
{
	struct egpu_drm_summary sum;

	egpu_drm_summarise(edev->pdev, &sum);
	mutex_lock(&egpu_lock);
	edev->drm = sum;
	egpu_device_read_driver(edev);
	egpu_device_read_link(edev);
	end_unbind(edev);
	egpu_quiesce_bound(edev);
	if (!edev->request)
		egpu_device_set_state(edev, EGPU_DEVICE_STATE_READY);
	egpu_event_device(EGPU_CMD_CHANGED, edev);
	mutex_unlock(&egpu_lock);
}

static bool is_own_eject(const struct egpu_device *edev)
{
	return edev->request && edev->request->worker == current;
}

/*
 * Begin a request, or go on with that of an eject: our own, which has asked
 * already, or one that somebody else's removal has overtaken.
 */
static struct egpu_request *leave(struct egpu_device *edev,
				  const struct egpu_cause_facts *facts,
				  u32 wait_ms)
{
	struct egpu_request_terms terms = {
		.origin = EGPU_ORIGIN_OTHERS,
		.verdict = egpu_classify_cause(facts),
		.gone = egpu_facts_say_gone(facts),
		.wait_ms = wait_ms,
	};
	struct egpu_request *req = edev->request;

	if (!req)
		return egpu_request_open(edev, &terms);
	if (is_own_eject(edev)) {
		req->fsm.evidence |= terms.verdict.evidence;
		return req;
	}
	if (egpu_fsm_finished(&req->fsm)) {
		egpu_request_close(edev);
		return egpu_request_open(edev, &terms);
	}
	egpu_fsm_take_over(&req->fsm, terms.verdict.cause,
			   terms.verdict.evidence, (u64)wait_ms * NSEC_PER_MSEC,
			   ktime_get_boottime_ns());
	egpu_request_changed(req);
	return req;
}

static void gather(struct egpu_device *edev, struct egpu_cause_facts *facts)
{
	bool own;

	mutex_lock(&egpu_lock);
	own = is_own_eject(edev);
	mutex_unlock(&egpu_lock);
	egpu_gather_facts(edev->pdev, own, facts);
}

/*
 * While our callback runs, device_lock stays with our caller: who is told of
 * the removal can look at its clients from the first moment on.
 */
static void set_held(struct egpu_device *edev, bool held)
{
	mutex_lock(&edev->walk_lock);
	edev->held = held;
	mutex_unlock(&edev->walk_lock);
}

static void on_unbind(struct egpu_device *edev)
{
	struct egpu_client_list victims = {};
	struct egpu_drm_summary sum;
	struct egpu_cause_facts facts;
	struct egpu_request *req;

	trace_egpu_leave_begin(edev->id, pci_name(edev->pdev),
			       pci_dev_is_disconnected(edev->pdev));
	set_held(edev, true);
	gather(edev, &facts);
	egpu_drm_summarise(edev->pdev, &sum);
	egpu_drm_victims(edev->pdev, &victims);

	mutex_lock(&egpu_lock);
	edev->drm = sum;
	egpu_device_read_driver(edev);
	req = leave(edev, &facts, egpu_settings.hold_ms);
	if (req) {
		egpu_request_get(req);
		egpu_request_hits(req, &victims);
	}
	mutex_unlock(&egpu_lock);
	if (req) {
		egpu_request_wait(req, edev->pdev);
		egpu_request_put(req);
	} else {
		pci_warn(edev->pdev,
			 "egpu: no memory to announce this removal\n");
		egpu_client_list_free(&victims);
	}
	set_held(edev, false);
	egpu_quiesce_let_go(edev);
}

static void on_unbound(struct egpu_device *edev)
{
	struct egpu_request *req;
	const char *why;

	mutex_lock(&egpu_lock);
	edev->driver[0] = '\0';
	memset(&edev->drm, 0, sizeof(edev->drm));
	req = edev->request;
	if (req) {
		if (pci_dev_is_disconnected(edev->pdev))
			egpu_request_step(req, EGPU_FSM_SURPRISE, 0, &why);
		egpu_request_step(req, EGPU_FSM_UNBOUND, 0, &why);
		if (req->fsm.cause == EGPU_CAUSE_UNBIND)
			egpu_request_settle_later(req);
	}
	egpu_device_set_state(edev, EGPU_DEVICE_STATE_DETACHED);
	egpu_event_device(EGPU_CMD_CHANGED, edev);
	mutex_unlock(&egpu_lock);
}

/* No driver has let go, so DEL_DEVICE is the first that is known of it. */
static void leave_without_driver(struct egpu_device *edev)
{
	struct egpu_cause_facts facts;
	bool open;

	mutex_lock(&egpu_lock);
	open = edev->request && !egpu_fsm_finished(&edev->request->fsm);
	mutex_unlock(&egpu_lock);
	if (open)
		return;
	trace_egpu_leave_begin(edev->id, pci_name(edev->pdev),
			       pci_dev_is_disconnected(edev->pdev));
	gather(edev, &facts);
	mutex_lock(&egpu_lock);
	leave(edev, &facts, 0);
	mutex_unlock(&egpu_lock);
}

static void on_del(struct egpu_device *edev)
{
	struct egpu_request *req;
	const char *why;

	leave_without_driver(edev);
	mutex_lock(&egpu_lock);
	req = edev->request;
	egpu_quiesce_gone(edev);
	egpu_device_set_state(edev, EGPU_DEVICE_STATE_GONE);
	if (req) {
		egpu_fsm_left_bus(&req->fsm,
				  pci_dev_is_disconnected(edev->pdev));
		egpu_event_removal(EGPU_CMD_DISCONNECTED, req);
		egpu_request_step(req, EGPU_FSM_DONE, 0, &why);
		egpu_request_close(edev);
	} else {
		egpu_event_lost();
	}
	egpu_device_drop(edev);
	mutex_unlock(&egpu_lock);
}

/* There was no memory when it came, or it was leaving when the module came. */
static void on_del_unknown(struct pci_dev *pdev)
{
	pci_warn(pdev, "egpu: this GPU leaves before it could be watched\n");
	mutex_lock(&egpu_lock);
	egpu_event_lost();
	mutex_unlock(&egpu_lock);
}

static int hotplug_notify(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct egpu_device *edev;

	if (!egpu_is_gpu(pdev))
		return NOTIFY_DONE;
	if (action == BUS_NOTIFY_ADD_DEVICE) {
		on_add(pdev);
		return NOTIFY_DONE;
	}
	edev = device_of(pdev);
	if (!edev) {
		if (action == BUS_NOTIFY_DEL_DEVICE)
			on_del_unknown(pdev);
		return NOTIFY_DONE;
	}
	switch (action) {
	case BUS_NOTIFY_BOUND_DRIVER:
		on_bound(edev);
		break;
	case BUS_NOTIFY_UNBIND_DRIVER:
		on_unbind(edev);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		on_unbound(edev);
		break;
	case BUS_NOTIFY_DEL_DEVICE:
		on_del(edev);
		break;
	}
	egpu_device_put(edev);
	return NOTIFY_DONE;
}

static struct notifier_block hotplug_block = {
	.notifier_call = hotplug_notify,
};

/*
 * device_lock keeps the driver as it is found; a BOUND or UNBIND that comes
 * right after finds the device in the registry.
 */
static void add_present(struct pci_dev *pdev, bool at_load)
{
	struct egpu_drm_summary sum;
	struct egpu_device *edev;

	device_lock(&pdev->dev);
	egpu_drm_summarise(pdev, &sum);
	mutex_lock(&egpu_lock);
	if (egpu_device_find(pdev))
		goto unlock;
	edev = egpu_device_add(pdev, at_load);
	if (edev) {
		edev->drm = sum;
		egpu_device_read_driver(edev);
		if (edev->driver[0])
			egpu_device_set_state(edev, EGPU_DEVICE_STATE_READY);
		egpu_event_device(EGPU_CMD_CONNECTED, edev);
	} else if (at_load) {
		say_not_watched(pdev);
	}
unlock:
	mutex_unlock(&egpu_lock);
	device_unlock(&pdev->dev);
}

/**
 * egpu_hotplug_take_in - take in what is there and not in the registry
 * @at_load: it was there before the module
 *
 * The rescan lock keeps devices from leaving between being found and being
 * registered; it waits for a removal that is under way.
 */
void egpu_hotplug_take_in(bool at_load)
{
	struct pci_dev *pdev = NULL;

	pci_lock_rescan_remove();
	for_each_pci_dev(pdev)
		if (egpu_is_gpu(pdev))
			add_present(pdev, at_load);
	pci_unlock_rescan_remove();
}

/**
 * egpu_hotplug_init - hook the PCI bus and take in what is there
 *
 * Return: 0 or the error of the registration.
 */
int egpu_hotplug_init(void)
{
	int ret = bus_register_notifier(&pci_bus_type, &hotplug_block);

	if (ret)
		return ret;
	egpu_hotplug_take_in(true);
	return 0;
}

/**
 * egpu_hotplug_exit - unhook; waits for the callbacks that are running
 */
void egpu_hotplug_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &hotplug_block);
}
