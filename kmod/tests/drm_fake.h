/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A GPU made of KUnit's device and a DRM device on it, and files opened by
 * drm_open() itself.
 */
#ifndef _EGPU_TESTS_DRM_FAKE_H
#define _EGPU_TESTS_DRM_FAKE_H

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>

#define RENDER_GPU (DRIVER_GEM | DRIVER_RENDER)
#define FILES_MAX  24

/**
 * struct fake - a GPU with its DRM device and who has it open
 * @test: the test
 * @dev: KUnit's device
 * @pdev: @dev for those who want a PCI device: only its dev may be touched
 * @driver: of @drm
 * @drm: the DRM device
 * @inode: to open a file with
 */
struct fake {
	struct kunit *test;
	struct device *dev;
	struct pci_dev *pdev;
	struct drm_driver driver;
	struct drm_device *drm;
	struct inode *inode;
};

/* A DRM device that is not registered yet. */
static struct fake *make_fake(struct kunit *test, u32 features)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->test = test;
	fake->inode = kunit_kzalloc(test, sizeof(*fake->inode), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake->inode);
	fake->dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->dev);
	fake->pdev = to_pci_dev(fake->dev);
	fake->driver.driver_features = features;
	fake->driver.name = "egpu-kunit";
	fake->driver.desc = "fake GPU";
	fake->drm =
		__drm_kunit_helper_alloc_drm_device_with_driver(test, fake->dev,
								sizeof(*fake->drm),
								0,
								&fake->driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->drm);
	return fake;
}

KUNIT_DEFINE_ACTION_WRAPPER(unregister_drm, drm_dev_unregister,
			    struct drm_device *);

static struct fake *make_gpu(struct kunit *test, u32 features)
{
	struct fake *fake = make_fake(test, features);

	KUNIT_ASSERT_EQ(test, drm_dev_register(fake->drm, 0), 0);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister_drm,
						  fake->drm));
	return fake;
}

/* --- files ----------------------------------------------------------------- */

static int release_file(struct inode *inode, struct file *file)
{
	return file->private_data ? drm_release(inode, file) : 0;
}

static const struct file_operations file_ops = {
	.owner = THIS_MODULE,
	.release = release_file,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static struct file *open_minor(struct fake *fake, struct drm_minor *minor)
{
	struct file *file;
	int ret;

	file = anon_inode_getfile("egpu-kunit", &file_ops, NULL, O_RDWR);
	if (IS_ERR(file))
		return file;
	/* drm_open() asks for the minor number alone. */
	fake->inode->i_rdev = MKDEV(0, minor->index);
	ret = drm_open(fake->inode, file);
	if (!ret)
		return file;
	__fput_sync(file);
	return ERR_PTR(ret);
}

KUNIT_DEFINE_ACTION_WRAPPER(close_later, __fput_sync, struct file *);

/* Open until the end of the test, or until close_file(). */
static struct file *open_file(struct fake *fake, struct drm_minor *minor)
{
	struct file *file = open_minor(fake, minor);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fake->test, file);
	KUNIT_ASSERT_EQ(fake->test, 0,
			kunit_add_action_or_reset(fake->test, close_later, file));
	return file;
}

static void close_file(struct fake *fake, struct file *file)
{
	kunit_release_action(fake->test, close_later, file);
}

static struct drm_file *drm_file_of(struct file *file)
{
	return file->private_data;
}

static void free_buffer(struct drm_gem_object *object)
{
	drm_gem_object_release(object);
	kfree(object);
}

static const struct drm_gem_object_funcs buffer_funcs = {
	.free = free_buffer,
};

/*
 * A buffer to which the file gets some handles, and nobody else any. It is there
 * as long as the file is open.
 */
static struct drm_gem_object *add_buffer(struct fake *fake, struct file *file,
					 size_t size, unsigned int handles)
{
	struct drm_gem_object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(fake->test, object);
	object->funcs = &buffer_funcs;
	drm_gem_private_object_init(fake->drm, object, size);
	while (handles--)
		KUNIT_EXPECT_EQ(fake->test, 0,
				drm_gem_handle_create(drm_file_of(file), object,
						      &handle));
	drm_gem_object_put(object);
	return object;
}

#endif /* _EGPU_TESTS_DRM_FAKE_H */
