// SPDX-License-Identifier: GPL-2.0
/*
 * Stopping the clients of a GPU: the state machine of quiesce_fsm.c with a
 * lock, a clock, a wait queue, events, and somebody who drains.
 *
 * Keeping new clients away is the helper's, and so is stopping those that are
 * there: the kernel only waits until nothing is in flight any more. It waits
 * with no lock held and with references to fences only, and has let go of those
 * before the driver's remove begins: see egpu_quiesce_let_go().
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "drm_fences.h"
#include "egpu.h"
#include "trace.h"

/*
 * How often a drain looks whether the device is still there, and the least time
 * between two looks at its buffers.
 */
#define EGPU_DRAIN_LOOK_MS 10

/* How often it tells that it goes on. */
#define EGPU_DRAIN_TELL_MS 100

static void drain_work(struct work_struct *work);

/**
 * egpu_quiesce_init - a GPU that has just come
 * @quiesce: zeroed
 */
void egpu_quiesce_init(struct egpu_quiesce *quiesce)
{
	init_waitqueue_head(&quiesce->wait);
	INIT_WORK(&quiesce->work, drain_work);
}

/**
 * egpu_blame_clear - blame nobody
 * @blame: empty afterwards
 */
void egpu_blame_clear(struct egpu_blame *blame)
{
	while (blame->n)
		put_pid(blame->culprit[--blame->n].client.pid);
	memset(blame, 0, sizeof(*blame));
}

/**
 * egpu_quiesce_release - a GPU that nobody knows any more
 * @quiesce: its
 */
void egpu_quiesce_release(struct egpu_quiesce *quiesce)
{
	egpu_blame_clear(&quiesce->blame);
}

static void tell(struct egpu_device *edev)
{
	const struct egpu_quiesce *quiesce = &edev->quiesce;

	trace_egpu_quiesce(edev->id, quiesce->fsm.state, quiesce->fsm.result,
			   quiesce->fsm.owner, quiesce->count.passes,
			   quiesce->count.waited, quiesce->count.pending);
	egpu_event_quiesce(edev);
}

static int step(struct egpu_device *edev, enum egpu_quiesce_input input,
		u32 port, const char **why)
{
	struct egpu_quiesce_message message = {
		.input = input,
		.port = port,
		.wait_ns = (u64)edev->quiesce.wait_ms * NSEC_PER_MSEC,
		.now = ktime_get_boottime_ns(),
	};
	const char *unused;
	int ret;

	lockdep_assert_held(&egpu_lock);
	ret = egpu_quiesce_fsm_step(&edev->quiesce.fsm, &message,
				    why ?: &unused);
	if (ret > 0) {
		tell(edev);
		wake_up_all(&edev->quiesce.wait);
	}
	return ret;
}

/**
 * egpu_quiesce_fence - a helper keeps new clients away
 * @edev: the device; egpu_lock held
 * @port: the helper's netlink port
 * @why: set to a sentence when an error is returned
 *
 * Return: 1, -EOPNOTSUPP it is internal, -ESHUTDOWN, or as
 * egpu_quiesce_fsm_step().
 */
int egpu_quiesce_fence(struct egpu_device *edev, u32 port, const char **why)
{
	lockdep_assert_held(&egpu_lock);
	if (egpu_unloading()) {
		*why = "the module is being unloaded";
		return -ESHUTDOWN;
	}
	if (!edev->placement.external) {
		*why = "this GPU is not external; if it hangs on a cable, say so with override-set";
		return -EOPNOTSUPP;
	}
	return step(edev, EGPU_QUIESCE_FENCE, port, why);
}

/* A drain begins; what is known of the one before it is forgotten then. */
static int begin_drain(struct egpu_device *edev, u32 port, u32 wait_ms,
		       const char **why)
{
	struct egpu_quiesce *quiesce = &edev->quiesce;
	struct egpu_drain_counts count = quiesce->count;
	u32 before = quiesce->wait_ms;
	int ret;

	/* The event of the step tells these, so they must stand there. */
	quiesce->wait_ms = wait_ms;
	quiesce->count = (struct egpu_drain_counts){};
	ret = step(edev, EGPU_QUIESCE_DRAIN, port, why);
	if (ret > 0) {
		egpu_blame_clear(&quiesce->blame);
	} else {
		quiesce->wait_ms = before;
		quiesce->count = count;
	}
	return ret;
}

/**
 * egpu_quiesce_drain - begin to wait for the work in flight
 * @edev: the device; egpu_lock held
 * @port: netlink port of the helper that has fenced it
 * @wait_ms: how long to wait
 * @why: set to a sentence when an error is returned
 *
 * Return: 1, or as egpu_quiesce_fsm_step().
 */
int egpu_quiesce_drain(struct egpu_device *edev, u32 port, u32 wait_ms,
		       const char **why)
{
	int ret;

	lockdep_assert_held(&egpu_lock);
	ret = begin_drain(edev, port, wait_ms, why);
	if (ret <= 0)
		return ret;
	edev->quiesce.work_run = edev->quiesce.fsm.run;
	egpu_device_get(edev);
	if (!queue_work(egpu_workqueue, &edev->quiesce.work))
		egpu_device_put(edev);
	return ret;
}

/**
 * egpu_quiesce_resume - let clients come again
 * @edev: the device; egpu_lock held
 * @port: netlink port of the helper that has fenced it
 * @why: set to a sentence when an error is returned
 *
 * Return: 1, or as egpu_quiesce_fsm_step().
 */
int egpu_quiesce_resume(struct egpu_device *edev, u32 port, const char **why)
{
	return step(edev, EGPU_QUIESCE_RESUME, port, why);
}

/* --- draining --------------------------------------------------------------- */

/**
 * struct drain - a drain as seen by who drains
 * @edev: the device, referenced
 * @run: of the state machine; another drain has another
 * @fences: what the last look has found
 * @blame: whose they are, at the end
 * @told: the counts that the last event told
 * @tell_at: ns, when the next event may be made
 */
struct drain {
	struct egpu_device *edev;
	u32 run;
	struct egpu_fences fences;
	struct egpu_blame blame;
	struct egpu_drain_counts told;
	u64 tell_at;
};

/* Without lock, for who waits; what is done then is decided under it. */
static bool goes_on(const struct drain *drain)
{
	const struct egpu_quiesce_fsm *fsm = &drain->edev->quiesce.fsm;

	return READ_ONCE(fsm->state) == EGPU_QUIESCE_STATE_DRAINING &&
	       READ_ONCE(fsm->run) == drain->run;
}

static bool is_late(const struct drain *drain)
{
	return ktime_get_boottime_ns() >=
	       READ_ONCE(drain->edev->quiesce.fsm.deadline);
}

/* A frozen channel signals nothing, and is not to be touched. */
static bool is_lost(struct pci_dev *pdev)
{
	return pci_channel_offline(pdev) || egpu_device_silent(pdev);
}

/* Listeners hear of what has changed, but not of every look. */
static void tell_progress(struct drain *drain)
{
	const struct egpu_drain_counts *count = &drain->edev->quiesce.count;
	u64 now = ktime_get_boottime_ns();

	if (now < drain->tell_at || (count->clients == drain->told.clients &&
				     count->buffers == drain->told.buffers &&
				     count->pending == drain->told.pending))
		return;
	drain->told = *count;
	drain->tell_at = now + EGPU_DRAIN_TELL_MS * NSEC_PER_MSEC;
	tell(drain->edev);
}

static void note_look(struct drain *drain, u32 clients, u32 buffers, u32 pending)
{
	struct egpu_drain_counts *count = &drain->edev->quiesce.count;
	enum egpu_quiesce_input input = pending ? EGPU_QUIESCE_BUSY :
						  EGPU_QUIESCE_CLEAN;

	mutex_lock(&egpu_lock);
	if (goes_on(drain)) {
		count->clients = clients;
		count->buffers = buffers;
		count->pending = pending;
		/* With more fences than there is room for it was no whole one. */
		if (!drain->fences.full)
			count->passes++;
		if (!step(drain->edev, input, 0, NULL))
			tell_progress(drain);
	}
	mutex_unlock(&egpu_lock);
}

/* Nothing is found while a driver is just coming or going; ask again then. */
static void look(struct drain *drain)
{
	struct egpu_fences *fences = &drain->fences;
	struct egpu_device *edev = drain->edev;
	bool locked;
	int ret;

	if (egpu_device_walk_begin(edev, &locked))
		return;
	ret = egpu_fences_look(edev->pdev, fences);
	egpu_device_walk_end(edev, locked);
	if (ret)
		egpu_fences_drop(fences);
	else
		note_look(drain, fences->clients, fences->buffers, fences->n);
}

static void wait_for_fences(struct drain *drain)
{
	struct egpu_quiesce *quiesce = &drain->edev->quiesce;
	struct egpu_fences *fences = &drain->fences;

	egpu_fences_arm(fences);
	mutex_lock(&egpu_lock);
	if (goes_on(drain))
		quiesce->count.waited += fences->n;
	mutex_unlock(&egpu_lock);
	while (goes_on(drain) && !egpu_fences_signalled(fences) &&
	       !is_late(drain) && !is_lost(drain->edev->pdev))
		wait_event_idle_timeout(quiesce->wait,
					egpu_fences_signalled(fences) ||
						!goes_on(drain),
					msecs_to_jiffies(EGPU_DRAIN_LOOK_MS));
}

/* Returns false when there is nobody to be blamed. */
static bool find_culprits(struct drain *drain)
{
	struct egpu_device *edev = drain->edev;
	struct egpu_blame *blame = &drain->blame;
	bool locked;
	int ret;

	egpu_blame_clear(blame);
	if (egpu_device_walk_begin(edev, &locked))
		return false;
	ret = egpu_fences_blame(edev->pdev, &drain->fences, blame);
	egpu_device_walk_end(edev, locked);
	if (!ret)
		note_look(drain, blame->clients, blame->buffers, blame->pending);
	return blame->pending;
}

/* The time is over. It may just have become quiet, else somebody is to blame. */
static void give_up(struct drain *drain)
{
	struct egpu_device *edev = drain->edev;
	unsigned int i;

	for (i = 0; i < EGPU_QUIESCE_LOOKS; i++)
		if (find_culprits(drain))
			break;
	mutex_lock(&egpu_lock);
	if (goes_on(drain)) {
		egpu_blame_clear(&edev->quiesce.blame);
		edev->quiesce.blame = drain->blame;
		memset(&drain->blame, 0, sizeof(drain->blame));
		step(edev, EGPU_QUIESCE_TICK, 0, NULL);
	}
	mutex_unlock(&egpu_lock);
	egpu_blame_clear(&drain->blame);
}

static void lose(struct drain *drain)
{
	mutex_lock(&egpu_lock);
	if (goes_on(drain))
		step(drain->edev, EGPU_QUIESCE_GONE, 0, NULL);
	mutex_unlock(&egpu_lock);
}

static void drain_until_quiet(struct drain *drain)
{
	struct egpu_quiesce *quiesce = &drain->edev->quiesce;

	while (goes_on(drain)) {
		if (is_lost(drain->edev->pdev)) {
			lose(drain);
		} else if (is_late(drain)) {
			give_up(drain);
		} else {
			look(drain);
			if (drain->fences.n)
				wait_for_fences(drain);
			egpu_fences_drop(&drain->fences);
			wait_event_idle_timeout(quiesce->wait, !goes_on(drain),
						msecs_to_jiffies(EGPU_DRAIN_LOOK_MS));
		}
	}
}

/* Returns false when the drain is not to go on, or cannot. */
static bool enter(struct egpu_device *edev, u32 run, struct drain *drain)
{
	struct egpu_quiesce *quiesce = &edev->quiesce;
	bool entered = false;

	mutex_lock(&egpu_lock);
	if (quiesce->fsm.run != run)
		goto unlock;
	if (!drain) {
		step(edev, EGPU_QUIESCE_NO_MEMORY, 0, NULL);
		goto unlock;
	}
	drain->edev = edev;
	drain->run = run;
	drain->fences.wake = &quiesce->wait;
	entered = goes_on(drain);
	quiesce->busy += entered;
unlock:
	mutex_unlock(&egpu_lock);
	return entered;
}

static void leave(struct egpu_quiesce *quiesce)
{
	mutex_lock(&egpu_lock);
	quiesce->busy--;
	wake_up_all(&quiesce->wait);
	mutex_unlock(&egpu_lock);
}

static void drain_run(struct egpu_device *edev, u32 run)
{
	struct drain *drain =
		kvzalloc(sizeof(*drain), GFP_KERNEL | __GFP_NOWARN);

	if (enter(edev, run, drain)) {
		drain_until_quiet(drain);
		leave(&edev->quiesce);
	}
	kvfree(drain);
}

static void drain_work(struct work_struct *work)
{
	struct egpu_quiesce *quiesce =
		container_of(work, struct egpu_quiesce, work);
	struct egpu_device *edev =
		container_of(quiesce, struct egpu_device, quiesce);
	u32 run;

	mutex_lock(&egpu_lock);
	run = quiesce->work_run;
	mutex_unlock(&egpu_lock);
	drain_run(edev, run);
	egpu_device_put(edev);
}

/* --- what others do --------------------------------------------------------- */

/**
 * egpu_quiesce_bound - a driver was bound
 * @edev: the device; egpu_lock held
 */
void egpu_quiesce_bound(struct egpu_device *edev)
{
	step(edev, EGPU_QUIESCE_BOUND, 0, NULL);
}

/**
 * egpu_quiesce_gone - the device leaves the bus
 * @edev: the device; egpu_lock held
 */
void egpu_quiesce_gone(struct egpu_device *edev)
{
	step(edev, EGPU_QUIESCE_GONE, 0, NULL);
}

/**
 * egpu_quiesce_let_go - the driver is about to be unbound
 * @edev: the device; egpu_lock is not held, device_lock is
 *
 * What a fence refers to may end with the driver. So a drain ends here, and
 * this waits until it has let go of its fences, which it does at once. With
 * device_lock held nobody can find new ones.
 */
void egpu_quiesce_let_go(struct egpu_device *edev)
{
	mutex_lock(&egpu_lock);
	egpu_quiesce_gone(edev);
	mutex_unlock(&egpu_lock);
	wait_event_idle(edev->quiesce.wait, !READ_ONCE(edev->quiesce.busy));
}

/**
 * egpu_quiesce_for_eject - wait for the work in flight before an eject goes on
 * @edev: the device, referenced; egpu_lock is not held
 * @wait_ms: how long
 *
 * A helper's fence is used if there is one, and its drain if that goes on.
 */
void egpu_quiesce_for_eject(struct egpu_device *edev, u32 wait_ms)
{
	struct egpu_quiesce *quiesce = &edev->quiesce;
	struct egpu_quiesce_fsm *fsm = &quiesce->fsm;
	bool ours = false;
	u32 run;

	mutex_lock(&egpu_lock);
	if (!egpu_unloading()) {
		if (!egpu_quiesce_fsm_fenced(fsm))
			step(edev, EGPU_QUIESCE_FENCE, 0, NULL);
		ours = begin_drain(edev, fsm->owner, wait_ms, NULL) > 0;
	}
	run = fsm->run;
	mutex_unlock(&egpu_lock);
	if (ours)
		drain_run(edev, run);
	else
		wait_event_idle_timeout(quiesce->wait,
					READ_ONCE(fsm->state) !=
						EGPU_QUIESCE_STATE_DRAINING,
					msecs_to_jiffies(wait_ms));
}

/**
 * egpu_quiesce_after_eject - an eject is over
 * @edev: the device, referenced; egpu_lock is not held
 *
 * If it is still there nobody keeps new clients away for us.
 */
void egpu_quiesce_after_eject(struct egpu_device *edev)
{
	mutex_lock(&egpu_lock);
	if (!list_empty(&edev->node))
		step(edev, EGPU_QUIESCE_RESUME, 0, NULL);
	mutex_unlock(&egpu_lock);
}

/**
 * egpu_quiesce_helper_gone - a netlink port was closed
 * @port: the port; whatever it had fenced is resumed
 */
void egpu_quiesce_helper_gone(u32 port)
{
	struct egpu_device *edev;
	u32 id = 0;

	mutex_lock(&egpu_lock);
	while ((edev = egpu_device_after(id))) {
		id = edev->id;
		step(edev, EGPU_QUIESCE_OWNER_GONE, port, NULL);
	}
	mutex_unlock(&egpu_lock);
}

/**
 * egpu_quiesce_unload - resume everything
 *
 * egpu_unloading() is true already, so nothing is fenced afterwards. Who drains
 * comes to its end when the work queue is flushed.
 */
void egpu_quiesce_unload(void)
{
	struct egpu_device *edev;
	u32 id = 0;

	mutex_lock(&egpu_lock);
	while ((edev = egpu_device_after(id))) {
		id = edev->id;
		step(edev, EGPU_QUIESCE_UNLOAD, 0, NULL);
	}
	mutex_unlock(&egpu_lock);
}
