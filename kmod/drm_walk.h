/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The walk over the DRM side of a GPU, for the files named drm_*.c and
 * buffers_dump.c. The caller makes sure that the driver stays: device_lock, or
 * egpu_device_walk_begin().
 *
 * Locks of the DRM core, in their order: filelist_mutex keeps a file,
 * object_name_lock its buffers' dma-bufs, table_lock (a spinlock) its buffers.
 */
#ifndef _EGPU_DRM_WALK_H
#define _EGPU_DRM_WALK_H

#include <linux/pci.h>
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "egpu.h"

/* Buffers looked at before table_lock is given back for a moment. */
#define EGPU_WALK_CHUNK 256

typedef int (*egpu_minor_fn)(struct drm_minor *minor, void *data);

int egpu_drm_visit_minors(struct pci_dev *pdev, egpu_minor_fn fn, void *data);
void egpu_drm_describe(struct drm_file *file, struct egpu_client *client);

/**
 * egpu_drm_has_buffers - can files of a minor have GEM handles
 * @minor: the minor
 *
 * Return: false when the files' tables were not even made.
 */
static inline bool egpu_drm_has_buffers(const struct drm_minor *minor)
{
	return drm_core_check_feature(minor->dev, DRIVER_GEM);
}

#endif /* _EGPU_DRM_WALK_H */
