// SPDX-License-Identifier: GPL-2.0
/*
 * What clients have on a GPU, on a DRM device of KUnit's.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#ifdef MODULE

#include "../drm_buffers.c"

/* Apart, for both have functions of the same names. */
#define make_room  make_room_for_clients
#define list_file  list_client_file
#define list_minor list_client_minor
#include "../drm_clients.c"
#undef make_room
#undef list_file
#undef list_minor

static bool others;

void egpu_client_list_free(struct egpu_client_list *list)
{
}

bool egpu_client_visible(const struct egpu_client *client, bool all)
{
	return all || !others;
}

u32 egpu_client_pid(const struct egpu_client *client)
{
	return pid_vnr(client->pid);
}

#else
#include "../egpu.h"
#endif

#include "drm_fake.h"
#include "work_fake.h"

/* --- lists ------------------------------------------------------------------ */

static void free_list(void *data)
{
	struct egpu_buffer_list *list = data;

	kvfree(list->buffer);
}

/* The buffers of all clients with their fences; there until the test's end. */
static struct egpu_buffer_list *list_buffers(struct fake *fake, bool all,
					     bool fences)
{
	struct egpu_buffer_list *list =
		kunit_kzalloc(fake->test, sizeof(*list), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(fake->test, list);
	list->all = all;
	list->fences = fences;
	KUNIT_EXPECT_EQ(fake->test, 0, egpu_drm_buffers(fake->pdev, list));
	KUNIT_ASSERT_EQ(fake->test, 0,
			kunit_add_action_or_reset(fake->test, free_list, list));
	return list;
}

static u32 count_of(const struct egpu_buffer_list *list, struct file *file)
{
	unsigned int i;
	u32 n = 0;

	for (i = 0; i < list->n; i++)
		n += list->buffer[i].client_id == drm_file_of(file)->client_id;
	return n;
}

/**
 * struct many_case - a client with so many buffers
 * @buffers: how many
 */
struct many_case {
	unsigned int buffers;
};

/* Around the places where the lock is given back and where room runs out. */
static const struct many_case many_cases[] = {
	{ 0 },	 { 1 },	   { 255 },  { 256 },  { 257 },
	{ 513 }, { 1024 }, { 1025 }, { 2049 }, { 10000 },
};

static void many_name(const struct many_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u buffers", c->buffers);
}

KUNIT_ARRAY_PARAM(many, many_cases, many_name);

/* Handles are given in order from 1 on. */
static void each_buffer_is_listed(struct kunit *test)
{
	const struct many_case *c = test->param_value;
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	const struct egpu_buffer_list *list;
	unsigned int i, wrong = 0;

	for (i = 0; i < c->buffers; i++)
		add_buffer(fake, file, (i + 1) * PAGE_SIZE, 1);
	list = list_buffers(fake, true, true);
	KUNIT_ASSERT_EQ(test, list->n, c->buffers);
	for (i = 0; i < list->n; i++)
		wrong += list->buffer[i].handle != i + 1 ||
			 list->buffer[i].size != (u64)(i + 1) * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void buffers_have_their_client(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *render = open_file(fake, fake->drm->render);
	struct file *primary = open_file(fake, fake->drm->primary);
	const struct egpu_buffer_list *list;

	add_buffer(fake, primary, PAGE_SIZE, 1);
	add_buffer(fake, render, PAGE_SIZE, 3);
	list = list_buffers(fake, true, true);
	KUNIT_ASSERT_EQ(test, list->n, 4);
	KUNIT_EXPECT_EQ(test, count_of(list, primary), 1);
	KUNIT_EXPECT_EQ(test, count_of(list, render), 3);
	KUNIT_EXPECT_EQ(test, list->buffer[0].pid, task_tgid_vnr(current));
	KUNIT_EXPECT_EQ(test, list->buffer[0].dma_buf, 0);
	KUNIT_EXPECT_FALSE(test, list->buffer[0].imported);
	close_file(fake, primary);
	list = list_buffers(fake, true, true);
	KUNIT_EXPECT_EQ(test, list->n, 3);
	KUNIT_EXPECT_EQ(test, count_of(list, render), 3);
}

static void driver_without_buffers(struct kunit *test)
{
	struct fake *fake = make_gpu(test, DRIVER_RENDER);

	open_file(fake, fake->drm->render);
	KUNIT_EXPECT_EQ(test, list_buffers(fake, true, true)->n, 0);
}

static void fences_are_counted(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *busy = add_buffer(fake, file, PAGE_SIZE, 1);
	const struct egpu_buffer_list *list;

	add_buffer(fake, file, PAGE_SIZE, 1);
	work_on(test, busy);
	work_on(test, busy);
	dma_fence_signal(&work_on(test, busy)->fence);
	list = list_buffers(fake, true, true);
	KUNIT_ASSERT_EQ(test, list->n, 2);
	KUNIT_EXPECT_EQ(test, list->buffer[0].pending, 2);
	KUNIT_EXPECT_EQ(test, list->buffer[1].pending, 0);
	/* Those of a device that has gone are not asked. */
	KUNIT_EXPECT_EQ(test, 0,
			list_buffers(fake, true, false)->buffer[0].pending);
}

static const struct egpu_buffer *only_buffer(struct fake *fake)
{
	const struct egpu_buffer_list *list = list_buffers(fake, true, true);

	KUNIT_ASSERT_EQ(fake->test, list->n, 1);
	return &list->buffer[0];
}

static void expect_write(struct fake *fake, const struct work *work)
{
	const struct egpu_buffer *buffer = only_buffer(fake);

	KUNIT_EXPECT_TRUE(fake->test, buffer->write_known);
	KUNIT_EXPECT_EQ(fake->test, buffer->write_context,
			work ? work->fence.context : 0);
	KUNIT_EXPECT_EQ(fake->test, buffer->write_seqno,
			work ? work->fence.seqno : 0);
}

static void last_write_is_told(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *object = add_buffer(fake, file, PAGE_SIZE, 1);
	struct work *work;

	expect_write(fake, NULL);
	work = work_on(test, object);
	expect_write(fake, work);
	/* What is done has been written, so it stays. */
	dma_fence_signal(&work->fence);
	expect_write(fake, work);
	KUNIT_EXPECT_EQ(test, 0, only_buffer(fake)->pending);
	/* Nobody was made to look at the hardware for that. */
	KUNIT_EXPECT_EQ(test, work->asked, 0);
}

/* Neither the first nor the last place in the reservation is always right. */
static void newest_of_several_writes_is_told(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *object = add_buffer(fake, file, PAGE_SIZE, 1);
	struct work *first = work_on(test, object);
	struct work *second = work_on(test, object);
	struct work *third = work_on(test, object);

	/* In flight is later than done. */
	dma_fence_signal_timestamp(&third->fence, ktime_set(30, 0));
	dma_fence_signal_timestamp(&first->fence, ktime_set(40, 0));
	expect_write(fake, second);
	dma_fence_signal_timestamp(&second->fence, ktime_set(20, 0));
	expect_write(fake, first);
}

/* One context can have two: what writes, and what reads afterwards. */
static void later_number_of_a_context_is_told(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *object = add_buffer(fake, file, PAGE_SIZE, 1);
	struct work *later = make_work(test);
	struct work *earlier = make_work(test);

	later->fence.context = earlier->fence.context;
	later->fence.seqno = earlier->fence.seqno + 1;
	add_work(test, object, later, DMA_RESV_USAGE_WRITE);
	add_work(test, object, earlier, DMA_RESV_USAGE_READ);
	expect_write(fake, later);
}

/* Of explicit synchronisation nobody knows whether it writes. */
static void work_of_any_usage_may_write(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *object = add_buffer(fake, file, PAGE_SIZE, 1);
	struct work *work = make_work(test);

	add_work(test, object, work, DMA_RESV_USAGE_BOOKKEEP);
	expect_write(fake, work);
}

static void locked_reservation_is_not_waited_for(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *object = add_buffer(fake, file, PAGE_SIZE, 1);
	struct work *work = work_on(test, object);
	const struct egpu_buffer *buffer;

	KUNIT_ASSERT_EQ(test, 0, dma_resv_lock(object->resv, NULL));
	buffer = only_buffer(fake);
	dma_resv_unlock(object->resv);
	KUNIT_EXPECT_FALSE(test, buffer->write_known);
	KUNIT_EXPECT_EQ(test, buffer->write_context, 0);
	/* Nor was it left locked by who looked. */
	expect_write(fake, work);
	KUNIT_EXPECT_TRUE(test, dma_resv_trylock(object->resv));
	dma_resv_unlock(object->resv);
}

static void gone_device_tells_no_write(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);

	work_on(test, add_buffer(fake, file, PAGE_SIZE, 1));
	KUNIT_EXPECT_FALSE(test,
			   list_buffers(fake, true, false)->buffer[0].write_known);
}

static void shared_buffers_are_told_apart(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_gem_object *exported = add_buffer(fake, file, PAGE_SIZE, 1);
	struct drm_gem_object *imported = add_buffer(fake, file, PAGE_SIZE, 1);
	struct dma_buf dma_buf = { .file = file };
	struct dma_buf_attachment attachment = { .dmabuf = &dma_buf };
	u64 inode = file_inode(file)->i_ino;
	const struct egpu_buffer_list *list;

	exported->dma_buf = &dma_buf;
	imported->import_attach = &attachment;
	list = list_buffers(fake, true, true);
	exported->dma_buf = NULL;
	imported->import_attach = NULL;
	KUNIT_ASSERT_EQ(test, list->n, 2);
	KUNIT_EXPECT_EQ(test, list->buffer[0].dma_buf, inode);
	KUNIT_EXPECT_FALSE(test, list->buffer[0].imported);
	KUNIT_EXPECT_EQ(test, list->buffer[1].dma_buf, inode);
	KUNIT_EXPECT_TRUE(test, list->buffer[1].imported);
}

static void own_buffers_are_shown(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);

	add_buffer(fake, file, PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, list_buffers(fake, false, true)->n, 1);
}

static void others_buffers_are_not(struct kunit *test)
{
#ifdef MODULE
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);

	add_buffer(fake, file, PAGE_SIZE, 1);
	others = true;
	KUNIT_EXPECT_EQ(test, list_buffers(fake, false, true)->n, 0);
	KUNIT_EXPECT_EQ(test, list_buffers(fake, true, true)->n, 1);
	others = false;
#else
	kunit_skip(test, "another user can be made up in a module only");
#endif
}

static struct kunit_case drm_buffers_cases[] = {
	KUNIT_CASE_PARAM(each_buffer_is_listed, many_gen_params),
	KUNIT_CASE(buffers_have_their_client),
	KUNIT_CASE(driver_without_buffers),
	KUNIT_CASE(fences_are_counted),
	KUNIT_CASE(last_write_is_told),
	KUNIT_CASE(newest_of_several_writes_is_told),
	KUNIT_CASE(later_number_of_a_context_is_told),
	KUNIT_CASE(work_of_any_usage_may_write),
	KUNIT_CASE(locked_reservation_is_not_waited_for),
	KUNIT_CASE(gone_device_tells_no_write),
	KUNIT_CASE(shared_buffers_are_told_apart),
	KUNIT_CASE(own_buffers_are_shown),
	KUNIT_CASE(others_buffers_are_not),
	{}
};

static struct kunit_suite drm_buffers_suite = {
	.name = "egpu_drm_buffers",
	.test_cases = drm_buffers_cases,
};

kunit_test_suite(drm_buffers_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's walk over buffers");
MODULE_LICENSE("GPL");
