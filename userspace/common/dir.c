// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Directories that are read through a descriptor.
 */
#include <errno.h>
#include <unistd.h>

#include "dir.h"

/**
 * dir_stream() - read a directory through a descriptor
 * @fd: descriptor of the directory, which belongs to the stream from now on; or
 *	a negative number from an open that has failed, whose errno is kept
 *
 * Return: the stream, or NULL with errno set and @fd closed. In /proc that can
 * also be ENOENT: fdopendir() looks at the file, and its process has ended.
 */
DIR *dir_stream(int fd)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int err = errno;

	if (!dir && fd >= 0) {
		close(fd);
		errno = err;
	}
	return dir;
}
