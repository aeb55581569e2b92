// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opening the policy file. Root takes orders from nobody: what it reads is
 * root's, nobody else can write it, and no way leads to it that another user
 * could have bent.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

/* Neither follows a link, and opening a pipe does not wait for a writer. */
#define AS_DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define AS_FILE	     (O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

__attribute__((format(printf, 4, 5))) static int
refuse(char *error, size_t size, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return err;
}

/*
 * Whether only root can change what is open here. In a sticky directory such as
 * /tmp others may add files, but cannot take root's away.
 */
static bool is_roots(int fd, struct stat *st)
{
	if (fstat(fd, st) || st->st_uid)
		return false;
	return !(st->st_mode & 022) ||
	       (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX);
}

static int cannot_open(const char *path, char *error, size_t size)
{
	int err = errno;

	if (err == ELOOP || err == ENOTDIR)
		return refuse(error, size, -EPERM,
			      "%s: expected no symbolic link on the way, found one; give the path without",
			      path);
	return refuse(error, size, -err, "%s cannot be opened: %s", path,
		      strerror(err));
}

/* The next name of a path, without the slashes around; false if there is none. */
static bool next_name(const char **at, char name[NAME_MAX + 1])
{
	size_t len;

	*at += strspn(*at, "/");
	len = strcspn(*at, "/");
	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, *at, len);
	name[len] = '\0';
	*at += len;
	return true;
}

/* What to do about the directory @dir before going on from it. */
static int check_directory(int dir, const char *path, size_t len, char *error,
			   size_t size)
{
	struct stat st;

	if (is_roots(dir, &st))
		return 0;
	return refuse(error, size, -EPERM,
		      "%s: expected directories that only root can write, found %.*s; see to its owner and mode",
		      path, len ? (int)len : 1, path);
}

/*
 * Goes down to the directory of @path one name at a time, looks at each, and
 * opens the file in the last. No file is -ENOENT without a sentence.
 */
static int open_checked(const char *path, char *error, size_t size)
{
	char name[NAME_MAX + 1];
	const char *at = path;
	int dir, next, err;

	if (*path != '/')
		return refuse(error, size, -EINVAL,
			      "%s: expected an absolute path, found a relative one",
			      path);
	dir = open("/", AS_DIRECTORY);
	while (dir >= 0) {
		err = check_directory(dir, path, at - path, error, size);
		if (!err && !next_name(&at, name))
			err = refuse(error, size, -EINVAL,
				     "%s: expected the path of a file, found that of a directory",
				     path);
		if (err) {
			close(dir);
			return err;
		}
		next = openat(dir, name, *at ? AS_DIRECTORY : AS_FILE);
		close(dir);
		dir = next;
		if (!*at)
			break;
	}
	if (dir >= 0)
		return dir;
	return errno == ENOENT ? -ENOENT : cannot_open(path, error, size);
}

static int open_file(const char *path, char *error, size_t size)
{
	int fd;

	if (!geteuid())
		return open_checked(path, error, size);
	fd = open(path, AS_FILE);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ENOENT : cannot_open(path, error, size);
}

/* Once it is open: the same file is looked at and read. */
static int check_file(int fd, const char *path, char *error, size_t size)
{
	bool roots;
	struct stat st;

	roots = is_roots(fd, &st);
	if (!S_ISREG(st.st_mode))
		return refuse(error, size, -EPERM,
			      "%s: expected a regular file, found something else",
			      path);
	if (!geteuid() && !roots)
		return refuse(error, size, -EPERM,
			      "%s: expected a file that only root can write, found owner %u and mode %03o; chown root and chmod go-w it",
			      path, (unsigned int)st.st_uid,
			      (unsigned int)(st.st_mode & 07777));
	return 0;
}

/**
 * policy_load() - read the policy file
 * @path: its path, POLICY_PATH for most; for root an absolute one without
 *	symbolic links
 * @config: where to put it, the defaults when there is no such file; left as it
 *	is when there is an error
 * @error: where to put what is wrong, a sentence; 512 bytes are enough
 * @size: size of @error
 *
 * For root the file and the directories above must be root's, and nobody else
 * may be allowed to write them.
 *
 * Return: 0, -EINVAL when something is wrong with its text, -EPERM when it is
 * not to be trusted, or another errno.
 */
int policy_load(const char *path, struct policy_config *config, char *error,
		size_t size)
{
	FILE *file;
	int fd, err;

	fd = open_file(path, error, size);
	if (fd == -ENOENT) {
		policy_defaults(config);
		return 0;
	}
	if (fd < 0)
		return fd;
	err = check_file(fd, path, error, size);
	file = err ? NULL : fdopen(fd, "r");
	if (!file) {
		close(fd);
		return err ? err :
			     refuse(error, size, -ENOMEM,
				    "%s: no memory to read it", path);
	}
	err = policy_parse(file, path, config, error, size);
	fclose(file);
	return err;
}
