// SPDX-License-Identifier: GPL-2.0
/*
 * Removal requests: the state machine of request_fsm.c with a lock, a clock,
 * a wait queue, events and tracepoints.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "egpu.h"
#include "genl.h"
#include "trace.h"

/*
 * How often a waiting removal looks whether its device is still there: the
 * thread that would mark it may be the one that waits. A wait ends within
 * 50 ms of a pull, so look more often than that.
 */
#define EGPU_LOOK_MS 10

/*
 * How long after an unbind a departure from the bus still belongs to it. The
 * two follow each other at once; only the driver's own remove comes between
 * UNBIND and UNBOUND, and this runs from UNBOUND.
 */
#define EGPU_SETTLE_MS 1000

static LIST_HEAD(egpu_requests);
static u64 egpu_last_cookie;

static void settle(struct work_struct *work)
{
	struct egpu_request *req = container_of(to_delayed_work(work),
						struct egpu_request, settle);
	struct egpu_device *edev;
	const char *why;

	mutex_lock(&egpu_lock);
	edev = egpu_device_find_id(req->id);
	if (edev && edev->request == req) {
		egpu_request_step(req, EGPU_FSM_DONE, 0, &why);
		egpu_request_close(edev);
	}
	/* Before anybody could have use for it: see recycle_oldest(). */
	egpu_request_put(req);
	mutex_unlock(&egpu_lock);
}

static void request_init(struct egpu_request *req)
{
	kref_init(&req->ref);
	INIT_LIST_HEAD(&req->node);
	init_waitqueue_head(&req->wait);
	INIT_DELAYED_WORK(&req->settle, settle);
}

/**
 * egpu_request_alloc - memory for a request to come
 *
 * Return: a request with one reference, in no list; NULL without memory.
 */
struct egpu_request *egpu_request_alloc(void)
{
	struct egpu_request *req =
		kzalloc(sizeof(*req), GFP_KERNEL | __GFP_NOWARN);

	if (req)
		request_init(req);
	return req;
}

static void request_release(struct kref *ref)
{
	struct egpu_request *req = container_of(ref, struct egpu_request, ref);

	if (req->edev)
		egpu_device_put(req->edev);
	egpu_client_list_free(&req->victims);
	kfree(req);
}

/**
 * egpu_request_get - take a reference
 * @req: the request
 */
void egpu_request_get(struct egpu_request *req)
{
	kref_get(&req->ref);
}

/**
 * egpu_request_put - give a reference back
 * @req: the request, not to be used afterwards
 */
void egpu_request_put(struct egpu_request *req)
{
	kref_put(&req->ref, request_release);
}

static void drop_oldest_finished(void)
{
	struct egpu_request *req, *oldest = NULL;
	unsigned int n = 0;

	list_for_each_entry_reverse(req, &egpu_requests, node) {
		if (!egpu_fsm_finished(&req->fsm))
			continue;
		oldest = req;
		n++;
	}
	if (n <= EGPU_HISTORY_MAX)
		return;
	list_del_init(&oldest->node);
	egpu_request_put(oldest);
}

/*
 * Without memory the past makes room for the present. References are taken
 * under egpu_lock only, so what has but the list's is nobody else's. One that
 * still refers to its device would lose that reference.
 */
static struct egpu_request *recycle_oldest(void)
{
	struct egpu_request *req;

	list_for_each_entry(req, &egpu_requests, node) {
		if (!egpu_fsm_finished(&req->fsm) || req->edev ||
		    kref_read(&req->ref) != 1)
			continue;
		list_del_init(&req->node);
		egpu_client_list_free(&req->victims);
		memset(req, 0, sizeof(*req));
		request_init(req);
		return req;
	}
	return NULL;
}

/*
 * Who ejects can be told that there is no memory; a removal by others takes its
 * course, so it has its request beforehand. A device without spare has used it
 * since memory ran out, so there is a past to recycle.
 */
static struct egpu_request *request_for(struct egpu_device *edev,
					enum egpu_origin origin)
{
	struct egpu_request *req;

	if (origin == EGPU_ORIGIN_EJECT)
		return egpu_request_alloc();
	req = edev->spare ?: egpu_request_alloc();
	edev->spare = NULL;
	return req ?: recycle_oldest();
}

static void describe(struct egpu_request *req, const struct egpu_device *edev)
{
	req->id = edev->id;
	req->vendor = edev->pdev->vendor;
	req->device = edev->pdev->device;
	req->external = edev->placement.external;
	req->drm = edev->drm;
	strscpy(req->address, pci_name(edev->pdev), sizeof(req->address));
	strscpy(req->driver, edev->driver, sizeof(req->driver));
	strscpy(req->port, edev->port, sizeof(req->port));
}

static void trace_request(const struct egpu_request *req)
{
	trace_egpu_removal(req->cookie, req->id, req->fsm.phase,
			   req->fsm.release, req->fsm.cause, req->fsm.evidence,
			   req->fsm.helper, req->drm.clients);
}

/**
 * egpu_request_open - announce a removal
 * @edev: the device, without an open request
 * @terms: what the request is given
 *
 * The caller holds egpu_lock. The device enters the state leaving and keeps
 * the request until egpu_request_close(). A removal that others have begun
 * needs no memory.
 *
 * Return: the request, the device's; NULL when there is no memory for an eject,
 * or when more than EGPU_HISTORY_MAX devices had their spares used up.
 */
struct egpu_request *egpu_request_open(struct egpu_device *edev,
				       const struct egpu_request_terms *terms)
{
	struct egpu_request *req = request_for(edev, terms->origin);
	struct egpu_fsm_start start = {
		.origin = terms->origin,
		.cause = terms->verdict.cause,
		.evidence = terms->verdict.evidence,
		.gone = terms->gone,
		.external = edev->placement.external,
		.helpers = egpu_helper_listens() && !egpu_unloading(),
		.now = ktime_get_boottime_ns(),
		.accept_ns = (u64)egpu_settings.accept_ms * NSEC_PER_MSEC,
		.wait_ns = (u64)terms->wait_ms * NSEC_PER_MSEC,
	};

	lockdep_assert_held(&egpu_lock);
	if (!req)
		return NULL;
	describe(req, edev);
	req->cookie = ++egpu_last_cookie;
	req->wait_ms = terms->wait_ms;
	req->force = terms->force;
	egpu_fsm_begin(&req->fsm, &start);
	list_add_tail(&req->node, &egpu_requests);
	egpu_request_get(req);
	edev->request = req;
	egpu_device_set_state(edev, EGPU_DEVICE_STATE_LEAVING);
	trace_request(req);
	egpu_event_removal(EGPU_CMD_REMOVAL_PENDING, req);
	return req;
}

/**
 * egpu_request_changed - tell everybody, and who waits, of a change
 * @req: a request that has changed; egpu_lock held
 */
void egpu_request_changed(struct egpu_request *req)
{
	lockdep_assert_held(&egpu_lock);
	trace_request(req);
	wake_up_all(&req->wait);
	egpu_event_removal(EGPU_CMD_REMOVAL_PROGRESS, req);
}

/**
 * egpu_request_step - something happened to a request
 * @req: the request; egpu_lock held
 * @input: what
 * @port: netlink port it came from, or 0
 * @why: set to a sentence when an error is returned
 *
 * Return: as egpu_fsm_step(); the change has been told of.
 */
int egpu_request_step(struct egpu_request *req, enum egpu_fsm_input input,
		      u32 port, const char **why)
{
	int ret;

	lockdep_assert_held(&egpu_lock);
	ret = egpu_fsm_step(&req->fsm, input, port, ktime_get_boottime_ns(),
			    why);
	if (ret > 0)
		egpu_request_changed(req);
	return ret;
}

/**
 * egpu_request_close - take a device's request away from it
 * @edev: the device; it may have none
 *
 * The request stays in the list, as history, if it is finished.
 */
void egpu_request_close(struct egpu_device *edev)
{
	struct egpu_request *req = edev->request;

	lockdep_assert_held(&egpu_lock);
	if (!req)
		return;
	edev->request = NULL;
	if (cancel_delayed_work(&req->settle))
		egpu_request_put(req);
	egpu_request_put(req);
	drop_oldest_finished();
	if (edev->spare || edev->state == EGPU_DEVICE_STATE_GONE)
		return;
	edev->spare = egpu_request_alloc();
	if (!edev->spare)
		egpu_reserve_mend();
}

/**
 * egpu_request_hits - remember who had the GPU open
 * @req: the request; egpu_lock held
 * @victims: who; the request's afterwards, the list is empty then
 */
void egpu_request_hits(struct egpu_request *req,
		       struct egpu_client_list *victims)
{
	lockdep_assert_held(&egpu_lock);
	egpu_client_list_free(&req->victims);
	req->victims = *victims;
	*victims = (struct egpu_client_list){};
}

static void look_around(struct egpu_request *req, struct pci_dev *pdev)
{
	bool silent = egpu_device_silent(pdev);
	bool helpers = egpu_helper_listens();
	const char *why;

	mutex_lock(&egpu_lock);
	if (silent)
		egpu_request_step(req, EGPU_FSM_SURPRISE, 0, &why);
	if (!helpers)
		egpu_request_step(req, EGPU_FSM_NO_HELPER, 0, &why);
	if (egpu_unloading())
		egpu_request_step(req, EGPU_FSM_UNLOAD, 0, &why);
	egpu_request_step(req, EGPU_FSM_TICK, 0, &why);
	mutex_unlock(&egpu_lock);
}

static bool still_waiting(struct egpu_request *req)
{
	bool waiting;

	mutex_lock(&egpu_lock);
	waiting = egpu_fsm_waiting(&req->fsm);
	mutex_unlock(&egpu_lock);
	return waiting;
}

static unsigned long next_look(struct egpu_request *req)
{
	u64 now = ktime_get_boottime_ns();
	u64 at;

	mutex_lock(&egpu_lock);
	at = egpu_fsm_wake_at(&req->fsm);
	mutex_unlock(&egpu_lock);
	if (at <= now)
		return 1;
	return clamp_t(unsigned long, nsecs_to_jiffies(at - now), 1,
		       msecs_to_jiffies(EGPU_LOOK_MS));
}

/**
 * egpu_request_wait - wait until a request is released, cancelled or refused
 * @req: the request, referenced; egpu_lock is not held
 * @pdev: its device
 *
 * Bounded by the request's deadline. Ends at once on an ack, when the helper
 * dies, when the last helper stops listening before one has accepted, when
 * the device goes, or at unload.
 */
void egpu_request_wait(struct egpu_request *req, struct pci_dev *pdev)
{
	if (!still_waiting(req))
		return;
	trace_egpu_hold_begin(req->cookie, req->id, req->fsm.release);
	do {
		wait_event_idle_timeout(req->wait, !egpu_fsm_waiting(&req->fsm),
					next_look(req));
		look_around(req, pdev);
	} while (still_waiting(req));
	trace_egpu_hold_end(req->cookie, req->id, req->fsm.release);
}

/**
 * egpu_request_settle_later - end an unbind after which nothing more comes
 * @req: an open request whose driver has let go; egpu_lock held
 */
void egpu_request_settle_later(struct egpu_request *req)
{
	egpu_request_get(req);
	if (!queue_delayed_work(egpu_workqueue, &req->settle,
				msecs_to_jiffies(EGPU_SETTLE_MS)))
		egpu_request_put(req);
}

/**
 * egpu_request_find - the request of a cookie
 * @cookie: the cookie
 *
 * Return: the request, open or in history, or NULL; valid under egpu_lock.
 */
struct egpu_request *egpu_request_find(u64 cookie)
{
	struct egpu_request *req = egpu_request_after(cookie - 1);

	return req && req->cookie == cookie ? req : NULL;
}

/**
 * egpu_request_was_there - was a cookie ever given
 * @cookie: the cookie
 *
 * Return: true also when the removal is forgotten; under egpu_lock.
 */
bool egpu_request_was_there(u64 cookie)
{
	lockdep_assert_held(&egpu_lock);
	return cookie && cookie <= egpu_last_cookie;
}

/**
 * egpu_request_after - the first request with a larger cookie
 * @cookie: the cookie, 0 for the first of all
 *
 * Return: the request or NULL; valid under egpu_lock.
 */
struct egpu_request *egpu_request_after(u64 cookie)
{
	struct egpu_request *req;

	lockdep_assert_held(&egpu_lock);
	list_for_each_entry(req, &egpu_requests, node)
		if (req->cookie > cookie)
			return req;
	return NULL;
}

/**
 * egpu_requests_helper_gone - a netlink port was closed
 * @port: the port; whatever it had accepted is released
 */
void egpu_requests_helper_gone(u32 port)
{
	struct egpu_request *req;
	const char *why;

	mutex_lock(&egpu_lock);
	list_for_each_entry(req, &egpu_requests, node) {
		if (!egpu_fsm_waiting(&req->fsm) || req->fsm.helper != port)
			continue;
		trace_egpu_helper_gone(port);
		egpu_request_step(req, EGPU_FSM_HELPER_GONE, port, &why);
	}
	mutex_unlock(&egpu_lock);
}

/**
 * egpu_requests_unload - release everything that waits
 *
 * egpu_unloading() is true already, so nothing begins to wait afterwards.
 */
void egpu_requests_unload(void)
{
	struct egpu_request *req;
	const char *why;

	mutex_lock(&egpu_lock);
	list_for_each_entry(req, &egpu_requests, node)
		egpu_request_step(req, EGPU_FSM_UNLOAD, 0, &why);
	mutex_unlock(&egpu_lock);
}

/**
 * egpu_requests_free_all - forget all requests at unload
 *
 * No device has one any more, so no work of theirs is pending or running.
 */
void egpu_requests_free_all(void)
{
	struct egpu_request *req, *next;

	list_for_each_entry_safe(req, next, &egpu_requests, node) {
		list_del_init(&req->node);
		egpu_request_put(req);
	}
}
