// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which contents mean the same on another device: bytes that nobody interprets,
 * and pixels that lie line by line. What is tiled or compressed is laid out as
 * one maker's devices like it.
 */
#include <drm_fourcc.h>

#include "private.h"

/* One plane, whole bytes to the pixel. */
static const struct {
	uint32_t fourcc;
	uint32_t bytes;
} formats[] = {
	{ DRM_FORMAT_C8, 1 },
	{ DRM_FORMAT_R8, 1 },
	{ DRM_FORMAT_R16, 2 },
	{ DRM_FORMAT_RG88, 2 },
	{ DRM_FORMAT_GR88, 2 },
	{ DRM_FORMAT_RG1616, 4 },
	{ DRM_FORMAT_GR1616, 4 },
	{ DRM_FORMAT_RGB565, 2 },
	{ DRM_FORMAT_BGR565, 2 },
	{ DRM_FORMAT_XRGB1555, 2 },
	{ DRM_FORMAT_ARGB1555, 2 },
	{ DRM_FORMAT_XRGB4444, 2 },
	{ DRM_FORMAT_ARGB4444, 2 },
	{ DRM_FORMAT_RGB888, 3 },
	{ DRM_FORMAT_BGR888, 3 },
	{ DRM_FORMAT_XRGB8888, 4 },
	{ DRM_FORMAT_XBGR8888, 4 },
	{ DRM_FORMAT_RGBX8888, 4 },
	{ DRM_FORMAT_BGRX8888, 4 },
	{ DRM_FORMAT_ARGB8888, 4 },
	{ DRM_FORMAT_ABGR8888, 4 },
	{ DRM_FORMAT_RGBA8888, 4 },
	{ DRM_FORMAT_BGRA8888, 4 },
	{ DRM_FORMAT_XRGB2101010, 4 },
	{ DRM_FORMAT_XBGR2101010, 4 },
	{ DRM_FORMAT_ARGB2101010, 4 },
	{ DRM_FORMAT_ABGR2101010, 4 },
	{ DRM_FORMAT_XRGB16161616F, 8 },
	{ DRM_FORMAT_XBGR16161616F, 8 },
	{ DRM_FORMAT_ARGB16161616F, 8 },
	{ DRM_FORMAT_ABGR16161616F, 8 },
};

/**
 * pixel_bytes() - bytes of a pixel
 * @fourcc: DRM format
 *
 * Return: them, 0 for formats that are not known or have more than one plane.
 */
uint32_t pixel_bytes(uint32_t fourcc)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i].fourcc == fourcc)
			return formats[i].bytes;
	}
	return 0;
}

/**
 * buffer_line_bytes() - bytes of a line that are pixels
 * @buffer: a buffer that is portable
 *
 * Return: them, 0 for a buffer without a format.
 */
uint32_t buffer_line_bytes(const struct wire_buffer *buffer)
{
	return buffer->width * pixel_bytes(buffer->format);
}

/**
 * buffer_not_portable() - why a buffer cannot go to another device
 * @buffer: the buffer
 *
 * Safe for the daemon.
 *
 * Return: a sentence without a full stop, or NULL when it can.
 */
const char *buffer_not_portable(const struct wire_buffer *buffer)
{
	uint64_t bytes;

	if (buffer->modifier != DRM_FORMAT_MOD_LINEAR &&
	    buffer->modifier != DRM_FORMAT_MOD_INVALID)
		return "it is not laid out line by line (its modifier is not linear)";
	if (!buffer->format)
		return buffer->width || buffer->height || buffer->stride ?
			       "it has lines but no format" :
			       NULL;
	bytes = pixel_bytes(buffer->format);
	if (!bytes)
		return "its format is not one that can be moved";
	if (!buffer->width || !buffer->height)
		return "it has a format but no pixels";
	if (bytes * buffer->width > buffer->stride)
		return "its lines are longer than its stride";
	if ((uint64_t)buffer->stride * buffer->height > buffer->size)
		return "its lines need more bytes than it has";
	return NULL;
}
