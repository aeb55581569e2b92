/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences in struct drm_file between kernel versions.
 */
#ifndef _EGPU_COMPAT_DRM_H
#define _EGPU_COMPAT_DRM_H

#include <linux/rcupdate.h>
#include <linux/version.h>
#include <drm/drm_file.h>

/* DRM_MINOR_ACCEL, which has a name from 6.2 on. */
#define EGPU_COMPAT_MINOR_ACCEL 32

/**
 * egpu_compat_file_pid - whom a DRM file belongs to
 * @file: a file on a filelist, filelist_mutex held
 *
 * From 6.7 on the owner changes when another process uses the file.
 *
 * Return: the pid, valid inside this RCU read side section only.
 */
static inline struct pid *egpu_compat_file_pid(struct drm_file *file)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return file->pid;
#else
	return rcu_dereference(file->pid);
#endif
}

/**
 * egpu_compat_file_client_id - the DRM client id of a file
 * @file: the file
 *
 * Return: the id, 0 where the kernel has none.
 */
static inline u64 egpu_compat_file_client_id(const struct drm_file *file)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return 0;
#else
	return file->client_id;
#endif
}

#endif /* _EGPU_COMPAT_DRM_H */
