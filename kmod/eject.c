// SPDX-License-Identifier: GPL-2.0
/*
 * Eject: a removal that we carry out ourselves, in a worker, so that the
 * helper is asked before any lock of the removal is taken.
 */
#include <linux/pci.h>
#include <linux/workqueue.h>

#include "egpu.h"

/* Functions of one slot, the GPU's included, highest first: the audio
 * function goes before the GPU, as in a removal by the PCI core.
 */
static void remove_slot(struct pci_dev *pdev)
{
	unsigned int slot = PCI_SLOT(pdev->devfn);
	struct pci_dev *fn;
	int i;

	for (i = 7; i >= 0; i--) {
		fn = pci_get_domain_bus_and_slot(pci_domain_nr(pdev->bus),
						 pdev->bus->number,
						 PCI_DEVFN(slot, i));
		if (!fn)
			continue;
		pci_stop_and_remove_bus_device_locked(fn);
		pci_dev_put(fn);
	}
}

static void back_to_work(struct egpu_device *edev)
{
	egpu_request_close(edev);
	egpu_device_set_state(edev, edev->driver[0] ? EGPU_DEVICE_STATE_READY :
						      EGPU_DEVICE_STATE_PRESENT);
	egpu_event_device(EGPU_CMD_CHANGED, edev);
}

/* May it be taken from clients that have it open? */
static bool may_break(const struct egpu_request *req)
{
	return req->force || req->said.vouched;
}

/*
 * The wait is over: is the GPU ours to remove now? Says so, or ends the
 * request.
 */
static bool may_remove(struct egpu_request *req)
{
	struct egpu_device *edev = req->edev;
	const char *why;
	bool go = false;

	egpu_device_refresh(edev);
	mutex_lock(&egpu_lock);
	if (edev->request != req || req->fsm.taken_over)
		goto unlock;
	if (egpu_fsm_finished(&req->fsm)) {
		back_to_work(edev);
		goto unlock;
	}
	/* What has gone by itself is the PCI core's to clear away. */
	if (req->fsm.cause == EGPU_CAUSE_SURPRISE)
		goto unlock;
	if (edev->drm.clients && !may_break(req)) {
		snprintf(req->said.reason, sizeof(req->said.reason),
			 "the GPU is still open in %u client%s",
			 edev->drm.clients, edev->drm.clients == 1 ? "" : "s");
		egpu_request_step(req, EGPU_FSM_REFUSE, 0, &why);
		back_to_work(edev);
		goto unlock;
	}
	req->worker = current;
	go = true;
unlock:
	mutex_unlock(&egpu_lock);
	return go;
}

/*
 * How long to wait for what clients have in flight; 0 when it is not for us to
 * wait: there are none, their helper has seen to it, or nothing is removed.
 */
static u32 drain_time(struct egpu_request *req)
{
	struct egpu_device *edev = req->edev;
	u32 wait_ms = 0;

	egpu_device_refresh(edev);
	mutex_lock(&egpu_lock);
	if (edev->request == req && !req->fsm.taken_over &&
	    req->fsm.phase == EGPU_PHASE_RELEASED &&
	    req->fsm.cause != EGPU_CAUSE_SURPRISE && may_break(req) &&
	    edev->drm.clients &&
	    edev->quiesce.fsm.state != EGPU_QUIESCE_STATE_QUIESCED)
		wait_ms = egpu_settings.drain_ms;
	mutex_unlock(&egpu_lock);
	return wait_ms;
}

/* Whatever comes of it, the GPU is removed. Unless it went meanwhile. */
static void drain(struct egpu_request *req, u32 wait_ms)
{
	struct egpu_device *edev = req->edev;
	const char *why;

	egpu_quiesce_for_eject(edev, wait_ms);
	if (!egpu_device_silent(edev->pdev))
		return;
	mutex_lock(&egpu_lock);
	egpu_request_step(req, EGPU_FSM_SURPRISE, 0, &why);
	mutex_unlock(&egpu_lock);
}

static void eject_work(struct work_struct *work)
{
	struct egpu_request *req = container_of(work, struct egpu_request, work);
	u32 wait_ms;

	egpu_request_wait(req, req->edev->pdev);
	wait_ms = drain_time(req);
	if (wait_ms)
		drain(req, wait_ms);
	if (may_remove(req))
		remove_slot(req->edev->pdev);
	egpu_quiesce_after_eject(req->edev);
	/* The request stays as history, the GPU that has gone should not. */
	egpu_device_put(req->edev);
	req->edev = NULL;
	egpu_request_put(req);
}

static int check_ejectable(const struct egpu_device *edev, bool force,
			   const char **why)
{
	if (egpu_unloading()) {
		*why = "the module is being unloaded";
		return -ESHUTDOWN;
	}
	if (edev->request || edev->state == EGPU_DEVICE_STATE_GONE) {
		*why = "this GPU is being removed already";
		return -EALREADY;
	}
	if (!edev->placement.external) {
		*why = "this GPU is not external; if it hangs on a cable, say so with override-set";
		return -EOPNOTSUPP;
	}
	if (edev->drm.clients && !force && !egpu_helper_listens()) {
		*why = "this GPU is in use and no helper listens; end its clients, or force";
		return -EBUSY;
	}
	return 0;
}

/**
 * egpu_eject_begin - begin to eject a GPU
 * @edev: the device; egpu_lock held, clients just counted
 * @wait_ms: time to the deadline
 * @force: go on although clients have it open
 * @cookie: set on success
 * @why: set to a sentence when an error is returned
 *
 * Return: 0, -EALREADY it is leaving, -EOPNOTSUPP it is internal, -EBUSY in
 * use, -ENOMEM, -ESHUTDOWN.
 */
int egpu_eject_begin(struct egpu_device *edev, u32 wait_ms, bool force,
		     u64 *cookie, const char **why)
{
	struct egpu_request_terms terms = {
		.origin = EGPU_ORIGIN_EJECT,
		.verdict.cause = EGPU_CAUSE_GRACEFUL,
		.verdict.evidence = EGPU_EVIDENCE_EJECT,
		.wait_ms = wait_ms,
		.force = force,
	};
	struct egpu_request *req;
	int ret;

	lockdep_assert_held(&egpu_lock);
	ret = check_ejectable(edev, force, why);
	if (ret)
		return ret;
	req = egpu_request_open(edev, &terms);
	if (!req) {
		*why = "there is no memory to eject it";
		return -ENOMEM;
	}
	*cookie = req->cookie;
	egpu_device_get(edev);
	req->edev = edev;
	egpu_request_get(req);
	INIT_WORK(&req->work, eject_work);
	queue_work(egpu_workqueue, &req->work);
	return 0;
}
