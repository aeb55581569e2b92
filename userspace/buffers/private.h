/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of buffers share and nobody else sees. One section per .c file.
 */
#ifndef BUFFERS_PRIVATE_H
#define BUFFERS_PRIVATE_H

#include "buffers.h"

#define DRM_MAJOR 226

/* ------------------------------------------------------------- check.c */

int buffer_fail(char *error, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool buffer_is_drm_node(int fd, uint32_t *minor);

/* ------------------------------------------------------------- format.c */

uint32_t pixel_bytes(uint32_t fourcc);

/* ------------------------------------------------------------- map.c */

int handle_export(int drm, uint32_t handle);
bool buffer_is_refused(int err);
int map_dma_buf(int fd, uint64_t size, bool write, struct mapping *mapping,
		char *error);
int map_dumb(int drm, uint32_t handle, uint64_t size, bool write,
	     struct mapping *mapping, char *error);
int map_memory(int fd, uint64_t size, bool write, struct mapping *mapping,
	       char *error);

#endif
