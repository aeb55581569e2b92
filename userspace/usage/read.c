// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Small files of /proc and /sys. What stands in them is hostile where a process
 * has a say in it, so every length is bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/text.h"
#include "private.h"

const struct usage_roots usage_roots_here = {
	.proc = "/proc",
	.sys = "/sys",
	.dev = "/dev",
};

/**
 * read_text() - read a whole small file
 * @dir: directory that @path is relative to, or AT_FDCWD
 * @path: path
 * @buf: where to put its text, with a NUL behind
 * @size: size of @buf
 *
 * Return: the length, -E2BIG when it does not fit into @buf, or another errno.
 */
int read_text(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t at = 0;
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + at, size - at);
		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0)
			at += n;
		if (at == size)
			err = -E2BIG;
	} while (!err && n);
	close(fd);
	if (err)
		return err;
	buf[at] = '\0';
	return at;
}

/**
 * read_link_name() - the last part of what a symbolic link points to
 * @dir: directory that @path is relative to, or AT_FDCWD
 * @path: the link
 * @buf: where to put the name
 * @size: size of @buf
 *
 * Return: 0, -E2BIG when it does not fit, or another errno.
 */
int read_link_name(int dir, const char *path, char *buf, size_t size)
{
	char target[PATH_MAX];
	const char *name;
	ssize_t len;

	len = readlinkat(dir, path, target, sizeof(target));
	if (len < 0)
		return -errno;
	if (len == (ssize_t)sizeof(target))
		return -E2BIG;
	target[len] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -E2BIG;
	strcpy(buf, name);
	return 0;
}

/* The names of processes, threads and descriptors: digits, no leading zero. */
bool read_number(const char *name, uint64_t max, uint64_t *value)
{
	if (name[0] == '0' && name[1])
		return false;
	return text_to_uint(name, max, value);
}

/**
 * read_field() - the number in the first line that begins with a key
 * @text: lines such as "key:\t17"
 * @key: with its colon
 * @value: where to put the number
 *
 * The first, because what a process can make up comes further down.
 *
 * Return: whether there is such a line with a number.
 */
bool read_field(const char *text, const char *key, uint64_t *value)
{
	size_t len = strlen(key);
	char digits[24];

	while (strncmp(text, key, len) != 0) {
		text = strchr(text, '\n');
		if (!text)
			return false;
		text++;
	}
	text += len;
	text += strspn(text, " \t");
	len = strspn(text, "0123456789");
	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return text_to_uint(digits, UINT64_MAX, value);
}

/**
 * grow_array() - make room for one more entry
 * @array: array on the heap, or NULL
 * @n: entries in use
 * @size: entries there is room for, updated
 * @item: size of an entry
 * @max: most entries it may have
 *
 * Return: the array, which may have moved, or NULL with @array left as it is
 * when there is no memory or it is full.
 */
void *grow_array(void *array, size_t n, size_t *size, size_t item, size_t max)
{
	size_t more = *size ? *size * 2 : 16;

	if (n < *size)
		return array;
	if (n >= max)
		return NULL;
	array = reallocarray(array, more, item);
	if (array)
		*size = more;
	return array;
}
