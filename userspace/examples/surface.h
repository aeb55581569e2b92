/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory for a picture: on a GPU, by its own driver, or the machine's.
 */
#ifndef EXAMPLE_SURFACE_H
#define EXAMPLE_SURFACE_H

#include <egpu-session.h>

#include "picture.h"

/**
 * struct surface - one buffer of the work
 * @buffer: what it is, for the session
 * @fd: dma-buf, DRM node or memfd, as .buffer.kind says; -1 for none
 * @drm: DRM node that it is mapped through, if that is another, or -1
 * @size: bytes that are mapped
 * @canvas: the mapping
 */
struct surface {
	struct egpu_session_buffer buffer;
	int fd;
	int drm;
	size_t size;
	struct canvas canvas;
};

int surface_open_node(const char *node);
int surface_create(struct surface *surface, int drm, uint32_t id, uint32_t side);
int surface_adopt(struct surface *surface,
		  const struct egpu_session_buffer *buffer, int fd,
		  const char *node);
int surface_add(const struct surface *surface, struct egpu_session *session);
void surface_begin(const struct surface *surface, bool write);
void surface_end(const struct surface *surface, bool write);
void surface_close(struct surface *surface);

#endif
