// SPDX-License-Identifier: GPL-2.0
/*
 * A drain from its beginning to its end, over looks that the test makes up: what
 * each finds, and what happens meanwhile. Built in there are real looks only, so
 * there the suite says that it is skipped.
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#ifdef MODULE

/* Tracepoints are the module's own. */
#define _EGPU_TRACE_H
static inline void trace_egpu_quiesce(u32 id, u32 state, u32 result, u32 owner,
				      u32 passes, u32 waited, u32 pending)
{
}

static bool no_memory;

static void *room_for_drain(size_t size, gfp_t flags)
{
	return no_memory ? NULL : kvmalloc(size, flags | __GFP_ZERO);
}

#undef kvzalloc
#define kvzalloc(size, flags) room_for_drain(size, flags)
#include "../quiesce_fsm.c"
#include "../quiesce.c"

#define HELPER	 4711
#define STRANGER 4712
#define FOREVER	 600000

/* What a look finds, besides so many fences in flight. */
#define UNBINDING (-1)
#define FULL	  (-2)

/**
 * struct drained - a GPU, its clients and what is told of it
 * @test: the test
 * @edev: the GPU
 * @find: what one look after the other finds; the last of them is found for ever
 * @looks: so many there were
 * @stay: fences do not signal by themselves
 * @on_wait: called where a wait begins
 * @held: fences that are held
 * @asked_gone: the GPU was looked at when it had gone
 * @silent: it has gone
 * @events: so many were told
 */
struct drained {
	struct kunit *test;
	struct egpu_device *edev;
	const int *find;
	unsigned int looks;
	bool stay;
	void (*on_wait)(struct drained *drained);
	unsigned int held;
	bool asked_gone;
	bool silent;
	unsigned int events;
};

static struct drained *now;

/* As in the module. */
DEFINE_MUTEX(egpu_lock);
struct workqueue_struct *egpu_workqueue;

bool egpu_unloading(void)
{
	return false;
}

void egpu_device_get(struct egpu_device *edev)
{
	kref_get(&edev->ref);
}

static void not_released(struct kref *ref)
{
	KUNIT_FAIL(now->test, "a reference to the device too many was put");
}

void egpu_device_put(struct egpu_device *edev)
{
	kref_put(&edev->ref, not_released);
}

struct egpu_device *egpu_device_after(u32 id)
{
	return id < now->edev->id ? now->edev : NULL;
}

bool egpu_device_silent(struct pci_dev *pdev)
{
	return now->silent;
}

void egpu_event_quiesce(struct egpu_device *edev)
{
	lockdep_assert_held(&egpu_lock);
	now->events++;
}

/* The list ends with what is found for ever, which is behind it once more. */
static int next_find(void)
{
	int found = *now->find;

	if (now->find[1] != found)
		now->find++;
	return found;
}

int egpu_device_walk_begin(struct egpu_device *edev, bool *locked)
{
	now->asked_gone |= now->silent;
	*locked = true;
	if (*now->find != UNBINDING)
		return 0;
	next_find();
	return -EAGAIN;
}

void egpu_device_walk_end(struct egpu_device *edev, bool locked)
{
	KUNIT_EXPECT_TRUE(now->test, locked);
}

int egpu_fences_look(struct pci_dev *pdev, struct egpu_fences *fences)
{
	int found = next_find();

	now->looks++;
	KUNIT_EXPECT_EQ(now->test, fences->n, 0);
	fences->full = found == FULL;
	fences->n = found == FULL ? EGPU_FENCES_MAX : found;
	fences->clients = 1;
	fences->buffers = 5;
	now->held += fences->n;
	return 0;
}

int egpu_fences_blame(struct pci_dev *pdev, struct egpu_fences *fences,
		      struct egpu_blame *blame)
{
	int found = next_find();

	now->looks++;
	KUNIT_EXPECT_EQ(now->test, fences->n, 0);
	blame->clients = 1;
	blame->buffers = 5;
	blame->pending = found;
	if (found) {
		blame->n = 1;
		blame->culprit[0].fences = found;
		blame->culprit[0].client.pid = get_pid(task_tgid(current));
	}
	return 0;
}

void egpu_fences_arm(struct egpu_fences *fences)
{
	atomic_set(&fences->left, now->stay ? fences->n : 0);
	if (now->on_wait)
		now->on_wait(now);
}

void egpu_fences_drop(struct egpu_fences *fences)
{
	now->held -= fences->n;
	fences->n = 0;
	fences->full = false;
	atomic_set(&fences->left, 0);
}

/* --- a GPU ------------------------------------------------------------------ */

static void end_drained(void *data)
{
	struct drained *drained = data;

	flush_work(&drained->edev->quiesce.work);
	KUNIT_EXPECT_EQ(drained->test, drained->held, 0);
	KUNIT_EXPECT_EQ(drained->test, drained->edev->quiesce.busy, 0);
	KUNIT_EXPECT_EQ(drained->test, kref_read(&drained->edev->ref), 1);
	KUNIT_EXPECT_FALSE(drained->test, drained->asked_gone);
	egpu_quiesce_release(&drained->edev->quiesce);
	no_memory = false;
}

static struct drained *make_drained(struct kunit *test, const int *find)
{
	struct drained *drained =
		kunit_kzalloc(test, sizeof(*drained), GFP_KERNEL);
	struct egpu_device *edev =
		kunit_kzalloc(test, sizeof(*edev), GFP_KERNEL);
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, drained);
	KUNIT_ASSERT_NOT_NULL(test, edev);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pdev->error_state = pci_channel_io_normal;
	kref_init(&edev->ref);
	INIT_LIST_HEAD(&edev->node);
	edev->pdev = pdev;
	edev->id = 1;
	edev->placement.external = true;
	egpu_quiesce_init(&edev->quiesce);
	drained->test = test;
	drained->edev = edev;
	drained->find = find;
	egpu_workqueue = system_unbound_wq;
	now = drained;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_drained, drained));
	return drained;
}

static void begin(struct drained *drained, u32 wait_ms)
{
	struct kunit *test = drained->test;
	const char *why;

	mutex_lock(&egpu_lock);
	KUNIT_EXPECT_EQ(test, 1,
			egpu_quiesce_fence(drained->edev, HELPER, &why));
	KUNIT_EXPECT_EQ(test, 1,
			egpu_quiesce_drain(drained->edev, HELPER, wait_ms, &why));
	mutex_unlock(&egpu_lock);
}

static const struct egpu_quiesce *drain_to_end(struct drained *drained,
					       u32 wait_ms)
{
	begin(drained, wait_ms);
	flush_work(&drained->edev->quiesce.work);
	return &drained->edev->quiesce;
}

static void expect_end(struct drained *drained, enum egpu_quiesce_state state,
		       enum egpu_drain_result result)
{
	KUNIT_EXPECT_EQ(drained->test, drained->edev->quiesce.fsm.state, state);
	KUNIT_EXPECT_EQ(drained->test, drained->edev->quiesce.fsm.result,
			result);
}

/* --- what looks find -------------------------------------------------------- */

static void quiet_from_the_start(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);
	const struct egpu_quiesce *quiesce = drain_to_end(drained, FOREVER);

	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	KUNIT_EXPECT_EQ(test, drained->looks, 2);
	KUNIT_EXPECT_EQ(test, quiesce->count.passes, 2);
	KUNIT_EXPECT_EQ(test, quiesce->count.waited, 0);
	KUNIT_EXPECT_EQ(test, quiesce->count.clients, 1);
	KUNIT_EXPECT_EQ(test, quiesce->count.buffers, 5);
}

static void quiet_looks_must_be_in_a_row(struct kunit *test)
{
	static const int find[] = { 3, 0, 2, 0, 1, 0, 0 };
	struct drained *drained = make_drained(test, find);
	const struct egpu_quiesce *quiesce = drain_to_end(drained, FOREVER);

	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	KUNIT_EXPECT_EQ(test, drained->looks, 7);
	KUNIT_EXPECT_EQ(test, quiesce->count.passes, 7);
	KUNIT_EXPECT_EQ(test, quiesce->count.waited, 6);
	KUNIT_EXPECT_EQ(test, quiesce->count.pending, 0);
}

static void a_look_cut_short_is_no_pass(struct kunit *test)
{
	static const int find[] = { FULL, 1, 0, 0 };
	struct drained *drained = make_drained(test, find);
	const struct egpu_quiesce *quiesce = drain_to_end(drained, FOREVER);

	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	KUNIT_EXPECT_EQ(test, quiesce->count.passes, 3);
	KUNIT_EXPECT_EQ(test, quiesce->count.waited, EGPU_FENCES_MAX + 1);
}

static void a_driver_that_comes_or_goes_is_waited_for(struct kunit *test)
{
	static const int find[] = { UNBINDING, 0, UNBINDING, 0, 0 };
	struct drained *drained = make_drained(test, find);

	drain_to_end(drained, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
}

/* fenced, draining, quiesced, and one in between for what has changed */
static void each_change_is_told_once(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);

	drain_to_end(drained, FOREVER);
	KUNIT_EXPECT_EQ(test, drained->events, 4);
}

/* --- out of time ------------------------------------------------------------ */

/* The time is over while fences are waited for, however slow the machine is. */
static void run_out_of_time(struct drained *drained)
{
	WRITE_ONCE(drained->edev->quiesce.fsm.deadline, 0);
}

static void culprits_stay_known(struct kunit *test)
{
	static const int find[] = { 3, 3 };
	struct drained *drained = make_drained(test, find);
	const struct egpu_quiesce *quiesce;
	const char *why;

	drained->stay = true;
	drained->on_wait = run_out_of_time;
	quiesce = drain_to_end(drained, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_FENCED,
		   EGPU_DRAIN_RESULT_TIMED_OUT);
	KUNIT_EXPECT_EQ(test, quiesce->count.pending, 3);
	KUNIT_ASSERT_EQ(test, quiesce->blame.n, 1);
	KUNIT_EXPECT_EQ(test, quiesce->blame.culprit[0].fences, 3);
	mutex_lock(&egpu_lock);
	egpu_quiesce_resume(drained->edev, HELPER, &why);
	mutex_unlock(&egpu_lock);
	KUNIT_EXPECT_EQ(test, quiesce->blame.n, 1);
	drained->find = (const int[]){ 0, 0 };
	drain_to_end(drained, FOREVER);
	KUNIT_EXPECT_EQ(test, quiesce->blame.n, 0);
}

/* The look for culprits is one, too: it may find that all is quiet. */
static void quiet_at_the_last_moment(struct kunit *test)
{
	static const int find[] = { 3, 0, 0 };
	struct drained *drained = make_drained(test, find);

	drained->stay = true;
	drained->on_wait = run_out_of_time;
	drain_to_end(drained, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
}

static void never_looked(struct kunit *test)
{
	static const int find[] = { UNBINDING, UNBINDING };
	struct drained *drained = make_drained(test, find);

	drain_to_end(drained, 30);
	expect_end(drained, EGPU_QUIESCE_STATE_FENCED,
		   EGPU_DRAIN_RESULT_TIMED_OUT);
	KUNIT_EXPECT_EQ(test, drained->looks, 0);
}

static void no_memory_to_look(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);

	no_memory = true;
	drain_to_end(drained, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_FENCED,
		   EGPU_DRAIN_RESULT_NO_MEMORY);
}

/* --- something happens meanwhile -------------------------------------------- */

static void fall_silent(struct drained *drained)
{
	drained->silent = true;
}

static void freeze(struct drained *drained)
{
	drained->edev->pdev->error_state = pci_channel_io_frozen;
}

static void resume(struct drained *drained)
{
	const char *why;

	mutex_lock(&egpu_lock);
	KUNIT_EXPECT_EQ(drained->test, -EPERM,
			egpu_quiesce_resume(drained->edev, STRANGER, &why));
	KUNIT_EXPECT_EQ(drained->test, 1,
			egpu_quiesce_resume(drained->edev, HELPER, &why));
	mutex_unlock(&egpu_lock);
}

static void die(struct drained *drained)
{
	egpu_quiesce_helper_gone(STRANGER);
	egpu_quiesce_helper_gone(HELPER);
}

static void unload(struct drained *drained)
{
	egpu_quiesce_unload();
}

static void leave_bus(struct drained *drained)
{
	mutex_lock(&egpu_lock);
	egpu_quiesce_gone(drained->edev);
	mutex_unlock(&egpu_lock);
}

/**
 * struct meanwhile_case - what ends a drain whose fences never signal
 * @name: what
 * @happens: it
 * @state: in the end
 * @result: in the end
 */
struct meanwhile_case {
	const char *name;
	void (*happens)(struct drained *drained);
	enum egpu_quiesce_state state;
	enum egpu_drain_result result;
};

static const struct meanwhile_case meanwhile_cases[] = {
	{ "the device goes", fall_silent, EGPU_QUIESCE_STATE_FENCED,
	  EGPU_DRAIN_RESULT_GONE },
	{ "its channel is frozen", freeze, EGPU_QUIESCE_STATE_FENCED,
	  EGPU_DRAIN_RESULT_GONE },
	{ "it leaves the bus", leave_bus, EGPU_QUIESCE_STATE_FENCED,
	  EGPU_DRAIN_RESULT_GONE },
	{ "its helper resumes", resume, EGPU_QUIESCE_STATE_RESUMED,
	  EGPU_DRAIN_RESULT_STOPPED },
	{ "its helper dies", die, EGPU_QUIESCE_STATE_RESUMED,
	  EGPU_DRAIN_RESULT_STOPPED },
	{ "the module goes", unload, EGPU_QUIESCE_STATE_RESUMED,
	  EGPU_DRAIN_RESULT_STOPPED },
};

static void meanwhile_name(const struct meanwhile_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(meanwhile, meanwhile_cases, meanwhile_name);

static void drain_is_ended(struct kunit *test)
{
	static const int find[] = { 3, 3 };
	const struct meanwhile_case *c = test->param_value;
	struct drained *drained = make_drained(test, find);

	drained->stay = true;
	drained->on_wait = c->happens;
	drain_to_end(drained, FOREVER);
	expect_end(drained, c->state, c->result);
	KUNIT_EXPECT_EQ(test, drained->looks, 1);
}

static void gone_before_the_first_look(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);

	drained->silent = true;
	drain_to_end(drained, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_FENCED, EGPU_DRAIN_RESULT_GONE);
	KUNIT_EXPECT_EQ(test, drained->looks, 0);
}

static DECLARE_COMPLETION(waiting);

static void say_waiting(struct drained *drained)
{
	complete(&waiting);
}

/* Before the driver's remove begins no fence of it is held. */
static void fences_are_let_go(struct kunit *test)
{
	static const int find[] = { 3, 3 };
	struct drained *drained = make_drained(test, find);

	reinit_completion(&waiting);
	drained->stay = true;
	drained->on_wait = say_waiting;
	begin(drained, FOREVER);
	wait_for_completion(&waiting);
	KUNIT_EXPECT_EQ(test, drained->held, 3);
	egpu_quiesce_let_go(drained->edev);
	KUNIT_EXPECT_EQ(test, drained->held, 0);
	expect_end(drained, EGPU_QUIESCE_STATE_FENCED, EGPU_DRAIN_RESULT_GONE);
}

static void resume_and_begin_anew(struct drained *drained)
{
	drained->on_wait = NULL;
	drained->stay = false;
	resume(drained);
	begin(drained, FOREVER);
}

/* Who drained for the first must not go on for the second. */
static void drained_anew_at_once(struct kunit *test)
{
	static const int find[] = { 3, 2, 0, 0 };
	struct drained *drained = make_drained(test, find);
	const struct egpu_quiesce *quiesce;

	drained->stay = true;
	drained->on_wait = resume_and_begin_anew;
	quiesce = drain_to_end(drained, FOREVER);
	/* The first may not have queued the second when it was waited for. */
	flush_work(&drained->edev->quiesce.work);
	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	KUNIT_EXPECT_EQ(test, quiesce->fsm.run, 2);
	KUNIT_EXPECT_EQ(test, quiesce->count.waited, 2);
	KUNIT_EXPECT_EQ(test, quiesce->count.passes, 3);
}

/* --- an eject of our own ---------------------------------------------------- */

static void eject_drains(struct kunit *test)
{
	static const int find[] = { 2, 0, 0 };
	struct drained *drained = make_drained(test, find);

	egpu_quiesce_for_eject(drained->edev, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	KUNIT_EXPECT_EQ(test, drained->edev->quiesce.fsm.owner, 0);
}

/* Its own fence goes with it, a helper's does not. */
static void eject_that_came_to_nothing(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);
	LIST_HEAD(registry);
	const char *why;

	list_add(&drained->edev->node, &registry);
	egpu_quiesce_for_eject(drained->edev, FOREVER);
	egpu_quiesce_after_eject(drained->edev);
	expect_end(drained, EGPU_QUIESCE_STATE_RESUMED,
		   EGPU_DRAIN_RESULT_DRAINED);
	mutex_lock(&egpu_lock);
	KUNIT_EXPECT_EQ(test, 1,
			egpu_quiesce_fence(drained->edev, HELPER, &why));
	mutex_unlock(&egpu_lock);
	egpu_quiesce_after_eject(drained->edev);
	KUNIT_EXPECT_EQ(test, drained->edev->quiesce.fsm.owner, HELPER);
}

static void eject_drains_for_its_helper(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);
	const char *why;

	mutex_lock(&egpu_lock);
	egpu_quiesce_fence(drained->edev, HELPER, &why);
	mutex_unlock(&egpu_lock);
	egpu_quiesce_for_eject(drained->edev, FOREVER);
	expect_end(drained, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	KUNIT_EXPECT_EQ(test, drained->edev->quiesce.fsm.owner, HELPER);
}

static void internal_gpu_is_not_fenced(struct kunit *test)
{
	static const int find[] = { 0, 0 };
	struct drained *drained = make_drained(test, find);
	const char *why = NULL;

	drained->edev->placement.external = false;
	mutex_lock(&egpu_lock);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			egpu_quiesce_fence(drained->edev, HELPER, &why));
	mutex_unlock(&egpu_lock);
	KUNIT_EXPECT_NOT_NULL(test, why);
	KUNIT_EXPECT_EQ(test, drained->events, 0);
}

static struct kunit_case quiesce_cases[] = {
	KUNIT_CASE(quiet_from_the_start),
	KUNIT_CASE(quiet_looks_must_be_in_a_row),
	KUNIT_CASE(a_look_cut_short_is_no_pass),
	KUNIT_CASE(a_driver_that_comes_or_goes_is_waited_for),
	KUNIT_CASE(each_change_is_told_once),
	KUNIT_CASE(culprits_stay_known),
	KUNIT_CASE(quiet_at_the_last_moment),
	KUNIT_CASE(never_looked),
	KUNIT_CASE(no_memory_to_look),
	KUNIT_CASE_PARAM(drain_is_ended, meanwhile_gen_params),
	KUNIT_CASE(gone_before_the_first_look),
	KUNIT_CASE(fences_are_let_go),
	KUNIT_CASE(drained_anew_at_once),
	KUNIT_CASE(eject_drains),
	KUNIT_CASE(eject_that_came_to_nothing),
	KUNIT_CASE(eject_drains_for_its_helper),
	KUNIT_CASE(internal_gpu_is_not_fenced),
	{}
};

#else

static void only_as_a_module(struct kunit *test)
{
	kunit_skip(test, "looks can be made up in a module only");
}

static struct kunit_case quiesce_cases[] = { KUNIT_CASE(only_as_a_module), {} };

#endif

static struct kunit_suite quiesce_suite = {
	.name = "egpu_quiesce",
	.test_cases = quiesce_cases,
};

kunit_test_suite(quiesce_suite);

MODULE_DESCRIPTION("KUnit tests of how egpu drains a GPU");
MODULE_LICENSE("GPL");
