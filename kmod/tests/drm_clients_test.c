// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a GPU open, on a DRM device of KUnit's with files opened the way a
 * process opens them.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/pci.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#ifdef MODULE

/* Called where room is made, that is between the counting and the listing. */
static void (*while_room_is_made)(void *data);
static void *while_room_is_made_data;
static bool no_room;

static void *make_room_for_test(size_t n, size_t size, gfp_t flags)
{
	if (while_room_is_made)
		while_room_is_made(while_room_is_made_data);
	return no_room ? NULL : kvzalloc(array_size(n, size), flags);
}

#undef kvcalloc
#define kvcalloc(n, size, flags) make_room_for_test(n, size, flags)
#include "../drm_clients.c"

void egpu_client_list_free(struct egpu_client_list *list)
{
	while (list->n)
		put_pid(list->client[--list->n].pid);
	kvfree(list->client);
	list->client = NULL;
}

#else
#include "../egpu.h"
#endif

#include "drm_fake.h"

/* --- what is found --------------------------------------------------------- */

static struct egpu_client_list list_clients(struct fake *fake)
{
	struct egpu_client_list list = {};

	KUNIT_EXPECT_EQ(fake->test, egpu_drm_clients(fake->pdev, &list), 0);
	return list;
}

static const struct egpu_client *find_client(const struct egpu_client_list *list,
					     struct file *file)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (list->client[i].client_id == drm_file_of(file)->client_id)
			return &list->client[i];
	return NULL;
}

static u32 count_clients(struct fake *fake)
{
	struct egpu_drm_summary sum;

	egpu_drm_summarise(fake->pdev, &sum);
	return sum.clients;
}

static bool has_minor(const struct egpu_drm_summary *sum,
		      enum egpu_minor_type type, u32 index)
{
	unsigned int i;

	for (i = 0; i < sum->n_minors; i++)
		if (sum->minor[i].type == type && sum->minor[i].index == index)
			return true;
	return false;
}

/**
 * struct walk_case - a GPU and its files
 * @name: of the case
 * @features: of the driver
 * @primary: files of the primary node
 * @render: files of the render node
 * @buffers: of each file
 * @handles: to each buffer
 * @pages: of each buffer
 */
struct walk_case {
	const char *name;
	u32 features;
	unsigned int primary, render;
	unsigned int buffers, handles;
	unsigned int pages;
};

static const struct walk_case walk_cases[] = {
	{ "nobody", RENDER_GPU },
	{ "nobody, no render node", DRIVER_GEM },
	{ "a primary file", RENDER_GPU, 1, 0 },
	{ "a render file", RENDER_GPU, 0, 1 },
	{ "one of each", RENDER_GPU, 1, 1 },
	{ "several primary files", RENDER_GPU, 5, 0 },
	{ "several render files", RENDER_GPU, 0, 5 },
	{ "more than there is room for at first", RENDER_GPU, 4, 20 },
	{ "a file without render node", DRIVER_GEM, 1, 0, 1, 1, 1 },
	{ "a buffer", RENDER_GPU, 0, 1, 1, 1, 1 },
	{ "several buffers", RENDER_GPU, 1, 2, 7, 1, 3 },
	{ "two handles to one buffer", RENDER_GPU, 0, 1, 1, 2, 1 },
	{ "a buffer over 4 GiB", RENDER_GPU, 0, 1, 1, 1, 1 << 21 },
	{ "a driver without GEM", DRIVER_RENDER, 1, 2 },
};

static void walk_name(const struct walk_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(walk, walk_cases, walk_name);

static void check_summary(struct fake *fake, const struct walk_case *c)
{
	bool render = c->features & DRIVER_RENDER;
	struct kunit *test = fake->test;
	struct egpu_drm_summary sum;

	memset(&sum, 0xff, sizeof(sum));
	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_EXPECT_EQ(test, sum.clients, c->primary + c->render);
	KUNIT_ASSERT_EQ(test, sum.n_minors, render ? 2 : 1);
	KUNIT_EXPECT_TRUE(test, has_minor(&sum, EGPU_MINOR_TYPE_PRIMARY,
					  fake->drm->primary->index));
	if (render)
		KUNIT_EXPECT_TRUE(test, has_minor(&sum, EGPU_MINOR_TYPE_RENDER,
						  fake->drm->render->index));
}

static void check_client(struct kunit *test, const struct egpu_client *client,
			 const struct drm_file *file, const struct walk_case *c)
{
	KUNIT_EXPECT_EQ(test, client->minor.index, file->minor->index);
	KUNIT_EXPECT_EQ(test, client->minor.type,
			file->minor->type == DRM_MINOR_RENDER ?
				EGPU_MINOR_TYPE_RENDER :
				EGPU_MINOR_TYPE_PRIMARY);
	KUNIT_EXPECT_PTR_EQ(test, client->pid, task_tgid(current));
	KUNIT_EXPECT_EQ(test, client->buffers, c->buffers * c->handles);
	KUNIT_EXPECT_EQ(test, client->bytes,
			(u64)c->buffers * c->handles * c->pages * PAGE_SIZE);
}

static void walk_finds_each_file(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct fake *fake = make_gpu(test, c->features);
	unsigned int i, k, n = c->primary + c->render;
	const struct egpu_client *client;
	struct egpu_client_list list;
	struct file *files[FILES_MAX];

	for (i = 0; i < n; i++) {
		files[i] = open_file(fake, i < c->primary ? fake->drm->primary :
							    fake->drm->render);
		for (k = 0; k < c->buffers; k++)
			add_buffer(fake, files[i], c->pages * PAGE_SIZE,
				   c->handles);
	}
	check_summary(fake, c);
	list = list_clients(fake);
	KUNIT_EXPECT_EQ(test, list.n, n);
	for (i = 0; i < n; i++) {
		client = find_client(&list, files[i]);
		KUNIT_EXPECT_NOT_NULL(test, client);
		if (!client)
			continue;
		check_client(test, client, drm_file_of(files[i]), c);
		/* The first to open the primary node is its master. */
		KUNIT_EXPECT_EQ(test, client->master, c->primary && i == 0);
	}
	egpu_client_list_free(&list);
}

/* --- files and devices that come and go ------------------------------------ */

static void unregistered_device_has_no_nodes(struct kunit *test)
{
	struct fake *fake = make_fake(test, RENDER_GPU);
	struct egpu_drm_summary sum;
	struct egpu_client_list list = list_clients(fake);

	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_EXPECT_EQ(test, sum.n_minors, 0);
	KUNIT_EXPECT_EQ(test, sum.clients, 0);
	KUNIT_EXPECT_EQ(test, list.n, 0);
	egpu_client_list_free(&list);
}

/* As after a surprise: the node is gone, the process still has it open. */
static void file_outlives_its_node(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct egpu_drm_summary sum;

	open_file(fake, fake->drm->render);
	KUNIT_EXPECT_EQ(test, count_clients(fake), 1);
	kunit_release_action(test, unregister_drm, fake->drm);
	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_EXPECT_EQ(test, sum.n_minors, 0);
	KUNIT_EXPECT_EQ(test, sum.clients, 0);
}

static void file_closes_between_two_walks(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *stays = open_file(fake, fake->drm->render);
	struct file *goes = open_file(fake, fake->drm->primary);
	struct egpu_client_list before = list_clients(fake);
	struct egpu_client_list after;

	KUNIT_EXPECT_EQ(test, before.n, 2);
	close_file(fake, goes);
	after = list_clients(fake);
	KUNIT_EXPECT_EQ(test, after.n, 1);
	KUNIT_EXPECT_EQ(test, count_clients(fake), 1);
	KUNIT_EXPECT_NOT_NULL(test, find_client(&after, stays));
	/* What was listed is held by the list, whoever goes. */
	KUNIT_EXPECT_EQ(test, pid_nr(before.client[0].pid),
			pid_nr(before.client[1].pid));
	egpu_client_list_free(&before);
	egpu_client_list_free(&after);
}

static void master_is_dropped(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *first = open_file(fake, fake->drm->primary);
	struct file *second = open_file(fake, fake->drm->primary);
	struct egpu_client_list list;

	close_file(fake, first);
	list = list_clients(fake);
	KUNIT_ASSERT_NOT_NULL(test, find_client(&list, second));
	KUNIT_EXPECT_FALSE(test, find_client(&list, second)->master);
	egpu_client_list_free(&list);
}

/* A handle is in the table before its object is. */
static void handle_in_the_making_is_no_buffer(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *file = open_file(fake, fake->drm->render);
	struct drm_file *priv = drm_file_of(file);
	struct egpu_client_list list;
	int handle;

	add_buffer(fake, file, PAGE_SIZE, 1);
	idr_preload(GFP_KERNEL);
	spin_lock(&priv->table_lock);
	handle = idr_alloc(&priv->object_idr, NULL, 1, 0, GFP_NOWAIT);
	spin_unlock(&priv->table_lock);
	idr_preload_end();
	KUNIT_ASSERT_GT(test, handle, 0);
	add_buffer(fake, file, PAGE_SIZE, 1);
	list = list_clients(fake);
	KUNIT_EXPECT_EQ(test, list.n, 1);
	KUNIT_EXPECT_EQ(test, list.client[0].buffers, 2);
	KUNIT_EXPECT_EQ(test, list.client[0].bytes, 2 * PAGE_SIZE);
	egpu_client_list_free(&list);
	spin_lock(&priv->table_lock);
	idr_remove(&priv->object_idr, handle);
	spin_unlock(&priv->table_lock);
}

static int come_and_go(void *data)
{
	struct fake *fake = data;
	struct file *file;
	int ret = 0;

	while (!kthread_should_stop()) {
		file = ret ? NULL : open_minor(fake, fake->drm->render);
		if (IS_ERR(file))
			ret = PTR_ERR(file);
		else if (file)
			__fput_sync(file);
		cond_resched();
	}
	return ret;
}

static void others_come_and_go_meanwhile(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct task_struct *other;
	struct egpu_client_list list;
	unsigned int i;

	open_file(fake, fake->drm->primary);
	other = kthread_run(come_and_go, fake, "egpu-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	for (i = 0; i < 200; i++) {
		list = list_clients(fake);
		KUNIT_EXPECT_GE(test, list.n, 1);
		KUNIT_EXPECT_LE(test, list.n, 2);
		egpu_client_list_free(&list);
		KUNIT_EXPECT_LE(test, count_clients(fake), 2);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(other), 0);
}

/* --- other children of the GPU --------------------------------------------- */

/**
 * struct child - a device below the GPU
 * @dev: the device
 * @minor: what a DRM minor would have as its driver's data
 */
struct child {
	struct device dev;
	struct drm_minor minor;
};

static const struct device_type minor_device = { .name = "drm_minor" };
static const struct device_type nameless_device = {};
static const struct device_type other_device = { .name = "drm_connector" };

static void free_child(struct device *dev)
{
	kfree(container_of(dev, struct child, dev));
}

KUNIT_DEFINE_ACTION_WRAPPER(unregister_child, device_unregister,
			    struct device *);

static struct child *add_child(struct fake *fake,
			       const struct device_type *type, int number)
{
	struct child *child = kzalloc(sizeof(*child), GFP_KERNEL);
	struct kunit *test = fake->test;

	KUNIT_ASSERT_NOT_NULL(test, child);
	device_initialize(&child->dev);
	child->dev.parent = fake->dev;
	child->dev.release = free_child;
	child->dev.type = type;
	child->minor.dev = fake->drm;
	child->minor.index = number;
	dev_set_drvdata(&child->dev, &child->minor);
	KUNIT_ASSERT_EQ(test, 0,
			dev_set_name(&child->dev, "egpu-kunit-%d", number));
	KUNIT_ASSERT_EQ(test, device_add(&child->dev), 0);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister_child,
						  &child->dev));
	return child;
}

static void only_minors_are_nodes(struct kunit *test)
{
	struct fake *fake = make_fake(test, RENDER_GPU);
	struct egpu_drm_summary sum;

	add_child(fake, NULL, 1);
	add_child(fake, &nameless_device, 2);
	add_child(fake, &other_device, 3);
	dev_set_drvdata(&add_child(fake, &minor_device, 4)->dev, NULL);
	add_child(fake, &minor_device, 5)->minor.dev = NULL;
	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_EXPECT_EQ(test, sum.n_minors, 0);
	add_child(fake, &minor_device, 6);
	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_EXPECT_EQ(test, sum.n_minors, 1);
	KUNIT_EXPECT_EQ(test, sum.minor[0].index, 6);
}

/**
 * struct kind_case - what DRM calls a minor and what we do
 * @name: of the case
 * @drm: DRM's number
 * @ours: ours
 */
struct kind_case {
	const char *name;
	int drm;
	enum egpu_minor_type ours;
};

static const struct kind_case kind_cases[] = {
	{ "primary", DRM_MINOR_PRIMARY, EGPU_MINOR_TYPE_PRIMARY },
	{ "control", DRM_MINOR_CONTROL, EGPU_MINOR_TYPE_OTHER },
	{ "render", DRM_MINOR_RENDER, EGPU_MINOR_TYPE_RENDER },
	{ "accel", DRM_MINOR_ACCEL, EGPU_MINOR_TYPE_ACCEL },
	{ "one that is not known yet", 99, EGPU_MINOR_TYPE_OTHER },
};

static void kind_name(const struct kind_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kind_cases, kind_name);

static void node_has_its_kind(struct kunit *test)
{
	const struct kind_case *c = test->param_value;
	struct fake *fake = make_fake(test, RENDER_GPU);
	struct egpu_drm_summary sum;

	add_child(fake, &minor_device, 1)->minor.type = c->drm;
	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_ASSERT_EQ(test, sum.n_minors, 1);
	KUNIT_EXPECT_EQ(test, sum.minor[0].type, c->ours);
}

/* What there is no room for is left out, its clients are not. */
static void clients_of_all_nodes_count(struct kunit *test)
{
	struct fake *fake = make_fake(test, DRIVER_RENDER);
	struct drm_file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	struct egpu_drm_summary sum;
	struct child *child = NULL;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, file);
	for (i = 0; i < EGPU_MINORS_MAX + 2; i++)
		child = add_child(fake, &minor_device, i);
	file->minor = &child->minor;
	mutex_lock(&fake->drm->filelist_mutex);
	list_add(&file->lhead, &fake->drm->filelist);
	mutex_unlock(&fake->drm->filelist_mutex);
	egpu_drm_summarise(fake->pdev, &sum);
	KUNIT_EXPECT_EQ(test, sum.n_minors, EGPU_MINORS_MAX);
	KUNIT_EXPECT_EQ(test, sum.clients, 1);
	mutex_lock(&fake->drm->filelist_mutex);
	list_del(&file->lhead);
	mutex_unlock(&fake->drm->filelist_mutex);
}

/* --- room in the list ------------------------------------------------------ */

static void list_is_appended_to(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct egpu_client_list list;
	unsigned int i;

	open_file(fake, fake->drm->render);
	list = list_clients(fake);
	for (i = 2; i < 40; i++) {
		KUNIT_ASSERT_EQ(test, egpu_drm_clients(fake->pdev, &list), 0);
		KUNIT_ASSERT_EQ(test, list.n, i);
		KUNIT_ASSERT_LE(test, list.n, list.size);
		KUNIT_EXPECT_PTR_EQ(test, list.client[i - 1].pid,
				    task_tgid(current));
		KUNIT_EXPECT_PTR_EQ(test, list.client[0].pid,
				    task_tgid(current));
	}
	egpu_client_list_free(&list);
}

/* 65536 clients are listed, one more is an error. */
static void absurdly_many_clients_are_refused(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct egpu_client_list list = { .n = 65535, .size = 65535 };

	open_file(fake, fake->drm->render);
	list.client = kvcalloc(list.size, sizeof(*list.client), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list.client);
	KUNIT_EXPECT_EQ(test, egpu_drm_clients(fake->pdev, &list), 0);
	KUNIT_EXPECT_EQ(test, list.n, 65536);
	list.size = list.n;
	KUNIT_EXPECT_EQ(test, egpu_drm_clients(fake->pdev, &list), -E2BIG);
	KUNIT_EXPECT_EQ(test, list.n, 65536);
	egpu_client_list_free(&list);
}

#ifdef MODULE

/* Opened while room is made for one; goes on until there is none left. */
static struct file *newcomers[FILES_MAX];
static struct file *leaver;

static void newcomers_open(void *data)
{
	struct fake *fake = data;
	int i;

	while_room_is_made = NULL;
	for (i = 0; i < FILES_MAX; i++)
		newcomers[i] = open_minor(fake, fake->drm->render);
}

static void files_open_while_room_is_made(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct egpu_client_list list;
	int i;

	open_file(fake, fake->drm->render);
	open_file(fake, fake->drm->primary);
	while_room_is_made = newcomers_open;
	while_room_is_made_data = fake;
	list = list_clients(fake);
	KUNIT_EXPECT_EQ(test, list.n, 2 + FILES_MAX);
	egpu_client_list_free(&list);
	for (i = 0; i < FILES_MAX; i++)
		if (!IS_ERR_OR_NULL(newcomers[i]))
			__fput_sync(newcomers[i]);
}

static void leaver_closes(void *data)
{
	while_room_is_made = NULL;
	close_file(data, leaver);
}

static void file_closes_while_room_is_made(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct file *stays = open_file(fake, fake->drm->render);
	struct egpu_client_list list;

	leaver = open_file(fake, fake->drm->render);
	while_room_is_made = leaver_closes;
	while_room_is_made_data = fake;
	list = list_clients(fake);
	KUNIT_EXPECT_EQ(test, list.n, 1);
	KUNIT_EXPECT_NOT_NULL(test, find_client(&list, stays));
	egpu_client_list_free(&list);
}

static void want_of_memory_is_told(struct kunit *test)
{
	struct fake *fake = make_gpu(test, RENDER_GPU);
	struct egpu_client_list list = {};

	open_file(fake, fake->drm->render);
	no_room = true;
	KUNIT_EXPECT_EQ(test, egpu_drm_clients(fake->pdev, &list), -ENOMEM);
	no_room = false;
	KUNIT_EXPECT_EQ(test, list.n, 0);
	egpu_client_list_free(&list);
}

#endif /* MODULE */

static struct kunit_case drm_clients_cases[] = {
	KUNIT_CASE_PARAM(walk_finds_each_file, walk_gen_params),
	KUNIT_CASE(unregistered_device_has_no_nodes),
	KUNIT_CASE(file_outlives_its_node),
	KUNIT_CASE(file_closes_between_two_walks),
	KUNIT_CASE(master_is_dropped),
	KUNIT_CASE(handle_in_the_making_is_no_buffer),
	KUNIT_CASE(others_come_and_go_meanwhile),
	KUNIT_CASE(only_minors_are_nodes),
	KUNIT_CASE_PARAM(node_has_its_kind, kind_gen_params),
	KUNIT_CASE(clients_of_all_nodes_count),
	KUNIT_CASE(list_is_appended_to),
	KUNIT_CASE(absurdly_many_clients_are_refused),
#ifdef MODULE
	/* Built in, what makes room is the kernel's own. */
	KUNIT_CASE(files_open_while_room_is_made),
	KUNIT_CASE(file_closes_while_room_is_made),
	KUNIT_CASE(want_of_memory_is_told),
#endif
	{}
};

static struct kunit_suite drm_clients_suite = {
	.name = "egpu_drm_clients",
	.test_cases = drm_clients_cases,
};

kunit_test_suite(drm_clients_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's walk over DRM clients");
MODULE_LICENSE("GPL");
