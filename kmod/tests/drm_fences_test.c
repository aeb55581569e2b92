// SPDX-License-Identifier: GPL-2.0
/*
 * Work in flight, on a DRM device of KUnit's whose buffers have fences that the
 * test signals when it likes.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/kthread.h>
#include <linux/pci.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#ifdef MODULE

#include "../drm_clients.c"
#include "../drm_fences.c"

void egpu_client_list_free(struct egpu_client_list *list)
{
}

#else
#include "../drm_fences.h"
#endif

#include "drm_fake.h"
#include "work_fake.h"

#define CHUNK 256

static unsigned int references(struct work *work)
{
	return kref_read(&work->fence.refcount);
}

/* --- looks ----------------------------------------------------------------- */

/**
 * struct looks - a GPU and who looks at it
 * @fake: the GPU
 * @file: a client
 * @wait: woken when all has signalled
 * @fences: what was found
 * @blame: whose it is
 */
struct looks {
	struct fake *fake;
	struct file *file;
	wait_queue_head_t wait;
	struct egpu_fences fences;
	struct egpu_blame blame;
};

static void end_looks(void *data)
{
	struct looks *looks = data;

	egpu_fences_drop(&looks->fences);
	while (looks->blame.n)
		put_pid(looks->blame.culprit[--looks->blame.n].client.pid);
}

static struct looks *make_looks(struct kunit *test)
{
	struct looks *looks = kunit_kzalloc(test, sizeof(*looks), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, looks);
	looks->fake = make_gpu(test, RENDER_GPU);
	looks->file = open_file(looks->fake, looks->fake->drm->render);
	init_waitqueue_head(&looks->wait);
	looks->fences.wake = &looks->wait;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_looks, looks));
	return looks;
}

static struct drm_gem_object *new_buffer(struct looks *looks)
{
	return add_buffer(looks->fake, looks->file, PAGE_SIZE, 1);
}

static void look(struct looks *looks)
{
	egpu_fences_drop(&looks->fences);
	KUNIT_EXPECT_EQ(looks->fake->test, 0,
			egpu_fences_look(looks->fake->pdev, &looks->fences));
}

static void nothing_is_in_flight(struct kunit *test)
{
	struct looks *looks = make_looks(test);

	open_file(looks->fake, looks->fake->drm->primary);
	new_buffer(looks);
	new_buffer(looks);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 0);
	KUNIT_EXPECT_EQ(test, looks->fences.clients, 2);
	KUNIT_EXPECT_EQ(test, looks->fences.buffers, 2);
	KUNIT_EXPECT_FALSE(test, looks->fences.full);
}

static void driver_without_buffers(struct kunit *test)
{
	struct looks *looks = kunit_kzalloc(test, sizeof(*looks), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, looks);
	looks->fake = make_gpu(test, DRIVER_RENDER);
	open_file(looks->fake, looks->fake->drm->render);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 0);
	KUNIT_EXPECT_EQ(test, looks->fences.clients, 1);
	KUNIT_EXPECT_EQ(test, looks->fences.buffers, 0);
}

static void work_is_waited_for(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct work *work = work_on(test, new_buffer(looks));
	unsigned int before = references(work);

	look(looks);
	KUNIT_ASSERT_EQ(test, looks->fences.n, 1);
	/* To look asks nothing of the driver, to wait does. */
	KUNIT_EXPECT_EQ(test, work->asked, 0);
	egpu_fences_arm(&looks->fences);
	KUNIT_EXPECT_EQ(test, work->asked, 1);
	KUNIT_EXPECT_FALSE(test, egpu_fences_signalled(&looks->fences));
	dma_fence_signal(&work->fence);
	KUNIT_EXPECT_TRUE(test, egpu_fences_signalled(&looks->fences));
	egpu_fences_drop(&looks->fences);
	KUNIT_EXPECT_EQ(test, references(work), before);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 0);
}

static void all_are_waited_for(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct drm_gem_object *object = new_buffer(looks);
	struct work *first = work_on(test, object);
	struct work *second = work_on(test, new_buffer(looks));
	struct work *third = work_on(test, object);

	look(looks);
	KUNIT_ASSERT_EQ(test, looks->fences.n, 3);
	dma_fence_signal(&second->fence);
	egpu_fences_arm(&looks->fences);
	KUNIT_EXPECT_FALSE(test, egpu_fences_signalled(&looks->fences));
	dma_fence_signal(&third->fence);
	KUNIT_EXPECT_FALSE(test, egpu_fences_signalled(&looks->fences));
	dma_fence_signal(&first->fence);
	KUNIT_EXPECT_TRUE(test, egpu_fences_signalled(&looks->fences));
}

static void every_usage_is_seen(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct drm_gem_object *object = new_buffer(looks);

	add_work(test, object, make_work(test), DMA_RESV_USAGE_KERNEL);
	add_work(test, object, make_work(test), DMA_RESV_USAGE_WRITE);
	add_work(test, object, make_work(test), DMA_RESV_USAGE_READ);
	add_work(test, object, make_work(test), DMA_RESV_USAGE_BOOKKEEP);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 4);
}

static void a_fence_is_found_once(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct work *work = make_work(test);
	unsigned int i;

	for (i = 0; i < 7; i++)
		add_work(test, new_buffer(looks), work, DMA_RESV_USAGE_READ);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 1);
	KUNIT_EXPECT_EQ(test, looks->fences.buffers, 7);
}

/* What is given up before it has signalled is nobody's concern any more. */
static void work_is_given_up(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct work *work = work_on(test, new_buffer(looks));
	unsigned int before = references(work);

	look(looks);
	egpu_fences_arm(&looks->fences);
	egpu_fences_drop(&looks->fences);
	KUNIT_EXPECT_EQ(test, references(work), before);
	KUNIT_EXPECT_TRUE(test, list_empty(&work->fence.cb_list));
	/* A callback that is still there would write where it was. */
	memset(&looks->fences.entry, 0x5a, sizeof(looks->fences.entry));
	dma_fence_signal(&work->fence);
	KUNIT_EXPECT_EQ(test, 0x5a, *(u8 *)&looks->fences.entry[0].called);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 0);
}

/* Nobody keeps the buffer for our sake, only the fence. */
static void client_closes_meanwhile(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct file *goes = open_file(looks->fake, looks->fake->drm->primary);
	struct work *work =
		work_on(test, add_buffer(looks->fake, goes, PAGE_SIZE, 1));

	look(looks);
	egpu_fences_arm(&looks->fences);
	close_file(looks->fake, goes);
	/* The test's and that of the look. */
	KUNIT_EXPECT_EQ(test, references(work), 2);
	KUNIT_EXPECT_FALSE(test, egpu_fences_signalled(&looks->fences));
	dma_fence_signal(&work->fence);
	KUNIT_EXPECT_TRUE(test, egpu_fences_signalled(&looks->fences));
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 0);
	KUNIT_EXPECT_EQ(test, looks->fences.clients, 1);
}

static void more_than_there_is_room_for(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct drm_gem_object *object = NULL;
	struct work **work;
	unsigned int i;

	work = kunit_kcalloc(test, EGPU_FENCES_MAX + 1, sizeof(*work),
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, work);
	for (i = 0; i <= EGPU_FENCES_MAX; i++) {
		if (i % 32 == 0)
			object = new_buffer(looks);
		work[i] = work_on(test, object);
	}
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, EGPU_FENCES_MAX);
	KUNIT_EXPECT_TRUE(test, looks->fences.full);
	egpu_fences_arm(&looks->fences);
	for (i = 0; i < EGPU_FENCES_MAX; i++)
		dma_fence_signal(&work[i]->fence);
	KUNIT_EXPECT_TRUE(test, egpu_fences_signalled(&looks->fences));
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.n, 1);
	KUNIT_EXPECT_FALSE(test, looks->fences.full);
}

/**
 * struct chunk_case - so many buffers, with work on the first and the last
 * @buffers: how many
 */
struct chunk_case {
	unsigned int buffers;
};

static const struct chunk_case chunk_cases[] = {
	{ 1 },	       { 2 },	      { CHUNK - 1 },	 { CHUNK },
	{ CHUNK + 1 }, { 2 * CHUNK }, { 2 * CHUNK + 1 }, { 10000 },
};

static void chunk_name(const struct chunk_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u buffers", c->buffers);
}

KUNIT_ARRAY_PARAM(chunk, chunk_cases, chunk_name);

static void no_buffer_is_passed_over(struct kunit *test)
{
	const struct chunk_case *c = test->param_value;
	struct looks *looks = make_looks(test);
	struct drm_gem_object *object = NULL;
	unsigned int i;

	for (i = 0; i < c->buffers; i++) {
		object = new_buffer(looks);
		if (i == 0)
			work_on(test, object);
	}
	if (c->buffers > 1)
		work_on(test, object);
	look(looks);
	KUNIT_EXPECT_EQ(test, looks->fences.buffers, c->buffers);
	KUNIT_EXPECT_EQ(test, looks->fences.n, min(c->buffers, 2U));
}

/* --- somebody signals meanwhile -------------------------------------------- */

static int signal_later(void *data)
{
	struct work **work = data;

	for (; *work; work++) {
		usleep_range(100, 300);
		dma_fence_signal(&(*work)->fence);
	}
	return 0;
}

static void waiter_is_woken(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct work *work[9] = {};
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(work) - 1; i++)
		work[i] = work_on(test, new_buffer(looks));
	look(looks);
	egpu_fences_arm(&looks->fences);
	task = kthread_run(signal_later, work, "egpu-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	KUNIT_EXPECT_NE(test, 0,
			wait_event_timeout(looks->wait,
					   egpu_fences_signalled(&looks->fences),
					   60 * HZ));
	egpu_fences_drop(&looks->fences);
	kthread_stop_put(task);
}

/* The last callback may still run while what it belongs to is dropped. */
static void dropped_while_signalled(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct work *work[33] = {};
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(work) - 1; i++)
		work[i] = work_on(test, new_buffer(looks));
	task = kthread_run(signal_later, work, "egpu-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	do {
		look(looks);
		egpu_fences_arm(&looks->fences);
		usleep_range(50, 250);
		i = looks->fences.n;
		egpu_fences_drop(&looks->fences);
		memset(&looks->fences.entry, 0x5a, sizeof(looks->fences.entry));
	} while (i);
	kthread_stop_put(task);
	for (i = 0; i < ARRAY_SIZE(work) - 1; i++)
		KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&work[i]->fence));
}

/* --- whose it is ------------------------------------------------------------ */

static void blame(struct looks *looks)
{
	KUNIT_EXPECT_EQ(looks->fake->test, 0,
			egpu_fences_blame(looks->fake->pdev, &looks->fences,
					  &looks->blame));
	KUNIT_EXPECT_EQ(looks->fake->test, looks->fences.n, 0);
}

static const struct egpu_culprit *culprit_of(struct looks *looks,
					     struct file *file)
{
	unsigned int i;

	for (i = 0; i < looks->blame.n; i++)
		if (looks->blame.culprit[i].client.client_id ==
		    drm_file_of(file)->client_id)
			return &looks->blame.culprit[i];
	return NULL;
}

static void culprits_are_named(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct fake *fake = looks->fake;
	struct file *busy = open_file(fake, fake->drm->primary);
	struct file *idle = open_file(fake, fake->drm->render);
	const struct egpu_culprit *culprit;

	work_on(test, new_buffer(looks));
	work_on(test, add_buffer(fake, busy, PAGE_SIZE, 1));
	work_on(test, add_buffer(fake, busy, PAGE_SIZE, 1));
	dma_fence_signal(&work_on(test, add_buffer(fake, idle, PAGE_SIZE, 1))
				  ->fence);
	blame(looks);
	KUNIT_EXPECT_EQ(test, looks->blame.n, 2);
	KUNIT_EXPECT_EQ(test, looks->blame.pending, 3);
	KUNIT_EXPECT_EQ(test, looks->blame.clients, 3);
	KUNIT_EXPECT_EQ(test, looks->blame.buffers, 4);
	KUNIT_EXPECT_NULL(test, culprit_of(looks, idle));
	culprit = culprit_of(looks, busy);
	KUNIT_ASSERT_NOT_NULL(test, culprit);
	KUNIT_EXPECT_EQ(test, culprit->fences, 2);
	KUNIT_EXPECT_EQ(test, culprit->client.minor.type,
			EGPU_MINOR_TYPE_PRIMARY);
	KUNIT_EXPECT_EQ(test, culprit->client.minor.index,
			fake->drm->primary->index);
	KUNIT_EXPECT_PTR_EQ(test, culprit->client.pid, task_tgid(current));
	KUNIT_ASSERT_NOT_NULL(test, culprit_of(looks, looks->file));
	KUNIT_EXPECT_EQ(test, culprit_of(looks, looks->file)->fences, 1);
}

static void shared_work_is_everybodys(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct file *other = open_file(looks->fake, looks->fake->drm->render);
	struct drm_gem_object *object = new_buffer(looks);
	u32 handle;

	KUNIT_ASSERT_EQ(test, 0,
			drm_gem_handle_create(drm_file_of(other), object,
					      &handle));
	work_on(test, object);
	blame(looks);
	KUNIT_EXPECT_EQ(test, looks->blame.n, 2);
	KUNIT_EXPECT_EQ(test, looks->blame.pending, 2);
}

static void more_culprits_than_are_kept(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct fake *fake = looks->fake;
	unsigned int i;

	for (i = 0; i < EGPU_CULPRITS_MAX + 3; i++)
		work_on(test,
			add_buffer(fake, open_file(fake, fake->drm->render),
				   PAGE_SIZE, 1));
	blame(looks);
	KUNIT_EXPECT_EQ(test, looks->blame.n, EGPU_CULPRITS_MAX);
	KUNIT_EXPECT_EQ(test, looks->blame.pending, EGPU_CULPRITS_MAX + 3);
}

/* One that has more than there is room for does not hide who comes after. */
static void culprit_beside_a_greater_one(struct kunit *test)
{
	struct looks *looks = make_looks(test);
	struct fake *fake = looks->fake;
	struct file *other = open_file(fake, fake->drm->render);
	struct file *greater = open_file(fake, fake->drm->render);
	struct drm_gem_object *object = add_buffer(fake, greater, PAGE_SIZE, 1);
	unsigned int i;

	work_on(test, new_buffer(looks));
	work_on(test, add_buffer(fake, other, PAGE_SIZE, 1));
	for (i = 0; i < EGPU_FENCES_MAX + 10; i++)
		work_on(test, object);
	blame(looks);
	KUNIT_EXPECT_EQ(test, looks->blame.n, 3);
	KUNIT_EXPECT_EQ(test, looks->blame.pending, EGPU_FENCES_MAX + 2);
	KUNIT_ASSERT_NOT_NULL(test, culprit_of(looks, greater));
	KUNIT_EXPECT_EQ(test, culprit_of(looks, greater)->fences,
			EGPU_FENCES_MAX);
	KUNIT_EXPECT_NOT_NULL(test, culprit_of(looks, other));
}

static struct kunit_case drm_fences_cases[] = {
	KUNIT_CASE(nothing_is_in_flight),
	KUNIT_CASE(driver_without_buffers),
	KUNIT_CASE(work_is_waited_for),
	KUNIT_CASE(all_are_waited_for),
	KUNIT_CASE(every_usage_is_seen),
	KUNIT_CASE(a_fence_is_found_once),
	KUNIT_CASE(work_is_given_up),
	KUNIT_CASE(client_closes_meanwhile),
	KUNIT_CASE(more_than_there_is_room_for),
	KUNIT_CASE_PARAM(no_buffer_is_passed_over, chunk_gen_params),
	KUNIT_CASE(waiter_is_woken),
	KUNIT_CASE(dropped_while_signalled),
	KUNIT_CASE(culprits_are_named),
	KUNIT_CASE(shared_work_is_everybodys),
	KUNIT_CASE(more_culprits_than_are_kept),
	KUNIT_CASE(culprit_beside_a_greater_one),
	{}
};

static struct kunit_suite drm_fences_suite = {
	.name = "egpu_drm_fences",
	.test_cases = drm_fences_cases,
};

kunit_test_suite(drm_fences_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's looks at the work in flight");
MODULE_LICENSE("GPL");
