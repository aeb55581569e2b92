/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work in flight on the buffers of a fake GPU: fences that the test signals when
 * it likes.
 */
#ifndef _EGPU_TESTS_WORK_FAKE_H
#define _EGPU_TESTS_WORK_FAKE_H

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <drm/drm_gem.h>

/**
 * struct work - work in flight
 * @fence: signals when it is done
 * @lock: of @fence
 * @asked: how often the driver was asked to signal it
 */
struct work {
	struct dma_fence fence;
	spinlock_t lock; /* of fence */
	unsigned int asked;
};

static const char *work_name(struct dma_fence *fence)
{
	return "egpu-kunit";
}

static bool ask_for_signal(struct dma_fence *fence)
{
	container_of(fence, struct work, fence)->asked++;
	return true;
}

static const struct dma_fence_ops work_ops = {
	.get_driver_name = work_name,
	.get_timeline_name = work_name,
	.enable_signaling = ask_for_signal,
};

/* What is not done at the end of a test is done then: nothing is left behind. */
static void end_work(void *data)
{
	struct work *work = data;

	dma_fence_signal(&work->fence);
	dma_fence_put(&work->fence);
}

static struct work *make_work(struct kunit *test)
{
	struct work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, work);
	spin_lock_init(&work->lock);
	/* A context each, or one would take the other's place. */
	dma_fence_init(&work->fence, &work_ops, &work->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_work, work));
	return work;
}

static void add_work(struct kunit *test, struct drm_gem_object *object,
		     struct work *work, enum dma_resv_usage usage)
{
	KUNIT_ASSERT_EQ(test, 0, dma_resv_lock(object->resv, NULL));
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(object->resv, 1));
	dma_resv_add_fence(object->resv, &work->fence, usage);
	dma_resv_unlock(object->resv);
}

static struct work *work_on(struct kunit *test, struct drm_gem_object *object)
{
	struct work *work = make_work(test);

	add_work(test, object, work, DMA_RESV_USAGE_WRITE);
	return work;
}

#endif /* _EGPU_TESTS_WORK_FAKE_H */
