// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A buffer of a checkpoint as a picture. Rows are read and written one by one,
 * so a large picture takes no more memory than a row of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"

#define FOURCC(a, b, c, d)                                                     \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 |            \
	 (uint32_t)(d) << 24)
#define XRGB8888 FOURCC('X', 'R', '2', '4')
#define ARGB8888 FOURCC('A', 'R', '2', '4')

/* More than any screen, and little enough that no sum here overflows. */
#define SIDE_MAX 65536u

/**
 * struct picture - a picture being written
 * @reader: where it comes from
 * @index: which buffer
 * @buffer: what that is
 * @row: room for one row
 * @png: libpng's
 * @info: libpng's
 * @why: why libpng gave up
 */
struct picture {
	struct store_reader *reader;
	size_t index;
	const struct store_buffer *buffer;
	uint8_t *row;
	png_structp png;
	png_infop info;
	char why[STORE_ERROR];
};

/* Why a buffer is no picture that can be shown; NULL if it can. */
static const char *not_shown(const struct store_buffer *b)
{
	if (b->format != XRGB8888 && b->format != ARGB8888)
		return "only XRGB8888 and ARGB8888 can be shown";
	if (b->modifier)
		return "it is tiled or compressed, and only its driver knows how";
	if (!b->width || !b->height || b->width > SIDE_MAX ||
	    b->height > SIDE_MAX || b->stride < 4 * b->width ||
	    (uint64_t)(b->height - 1) * b->stride + 4 * b->width > b->size)
		return "its width, height and stride do not fit its size";
	return NULL;
}

/* Finds buffer @id, or the first that can be shown if it is 0. */
static int choose(struct ctl *ctl, struct picture *picture, uint32_t id)
{
	const struct store_buffer *buffer;
	size_t n, i;

	buffer = store_buffers(picture->reader, &n);
	for (i = 0; i < n; i++) {
		if (id ? buffer[i].id == id : !not_shown(&buffer[i]))
			break;
	}
	if (i == n && id)
		return ctl_fail(ctl, EXIT_NOT_FOUND, -ENOENT,
				"the checkpoint has no buffer %" PRIu32, id);
	if (i == n)
		return ctl_fail(ctl, EXIT_NOT_FOUND, -ENOENT,
				"the checkpoint has no buffer that is a linear picture of XRGB8888 or ARGB8888");
	if (not_shown(&buffer[i]))
		return ctl_fail(ctl, EXIT_OTHER, -EINVAL,
				"buffer %" PRIu32 " cannot be shown: %s", id,
				not_shown(&buffer[i]));
	picture->index = i;
	picture->buffer = &buffer[i];
	return EXIT_OK;
}

__attribute__((noreturn)) static void png_failed(png_structp png,
						 const char *why)
{
	struct picture *picture = png_get_error_ptr(png);

	snprintf(picture->why, sizeof(picture->why), "%s", why);
	png_longjmp(png, 1);
}

static void png_warned(png_structp png, const char *why)
{
	(void)png;
	(void)why;
}

/* Everything that may end in png_failed(). */
static void write_png(struct picture *picture, FILE *file)
{
	const struct store_buffer *b = picture->buffer;
	bool alpha = b->format == ARGB8888;
	uint32_t y;

	png_init_io(picture->png, file);
	png_set_IHDR(picture->png, picture->info, b->width, b->height, 8,
		     alpha ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_write_info(picture->png, picture->info);
	/* In memory a pixel is blue, green, red, and alpha or nothing. */
	png_set_bgr(picture->png);
	if (!alpha)
		png_set_filler(picture->png, 0, PNG_FILLER_AFTER);
	for (y = 0; y < b->height; y++) {
		if (store_read(picture->reader, picture->index,
			       (uint64_t)y * b->stride, picture->row,
			       4 * (size_t)b->width))
			png_error(picture->png,
				  store_reader_error(picture->reader));
		png_write_row(picture->png, picture->row);
	}
	png_write_end(picture->png, NULL);
}

/* False when libpng gave up. */
static bool encode(struct picture *picture, FILE *file)
{
	picture->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, picture,
					       png_failed, png_warned);
	if (picture->png)
		picture->info = png_create_info_struct(picture->png);
	if (!picture->info) {
		strcpy(picture->why, strerror(ENOMEM));
		png_destroy_write_struct(&picture->png, NULL);
		return false;
	}
	if (setjmp(png_jmpbuf(picture->png))) {
		png_destroy_write_struct(&picture->png, &picture->info);
		return false;
	}
	write_png(picture, file);
	png_destroy_write_struct(&picture->png, &picture->info);
	return true;
}

/* A file that @path itself is: neither a device nor what a link leads to. */
static bool is_plain_file(FILE *file, const char *path)
{
	struct stat there, open;

	return !fstat(fileno(file), &open) && !lstat(path, &there) &&
	       S_ISREG(there.st_mode) && there.st_ino == open.st_ino &&
	       there.st_dev == open.st_dev;
}

/**
 * png_write_buffer() - write a buffer as a PNG file
 * @ctl: where to report
 * @reader: the checkpoint
 * @path: the file; made anew, and removed again if it fails, unless it is a
 *	device, say
 * @id: the program's number of the buffer, 0 for the first picture
 *
 * Return: enum ctl_exit.
 */
int png_write_buffer(struct ctl *ctl, struct store_reader *reader,
		     const char *path, uint32_t id)
{
	struct picture picture = { .reader = reader };
	int code = choose(ctl, &picture, id);
	bool done, remove;
	FILE *file;

	if (code)
		return code;
	picture.row = malloc(4 * (size_t)picture.buffer->width);
	file = picture.row ? fopen(path, "we") : NULL;
	if (!file) {
		code = ctl_fail(ctl, EXIT_OTHER, -errno, "%s: %s", path,
				strerror(errno));
		free(picture.row);
		return code;
	}
	remove = is_plain_file(file, path);
	done = encode(&picture, file);
	if (fclose(file) && done) {
		snprintf(picture.why, sizeof(picture.why), "%s",
			 strerror(errno));
		done = false;
	}
	free(picture.row);
	if (done)
		return EXIT_OK;
	if (remove)
		unlink(path);
	return ctl_fail(ctl, EXIT_OTHER, 0, "%s cannot be written: %s", path,
			picture.why);
}
