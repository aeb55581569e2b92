// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The directory of a store and the names in it. Root writes there what other
 * users gave it, so no way leads to it that another user could have bent.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../common/dir.h"
#include "private.h"

#define AS_STEP	 (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define AS_STORE (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Says what failed; returns @err. */
int store_fail(char *error, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, STORE_ERROR, format, args);
	va_end(args);
	return err;
}

/* ------------------------------------------------------------- names */

/**
 * store_new_id() - a name that no other checkpoint has
 * @id: where to: a random UUID
 */
void store_new_id(char id[STORE_ID_SIZE])
{
	uint8_t byte[16];
	size_t have = 0;
	ssize_t n;

	while (have < sizeof(byte)) {
		n = getrandom(byte + have, sizeof(byte) - have, 0);
		if (n > 0)
			have += (size_t)n;
	}
	byte[6] = (byte[6] & 0x0f) | 0x40;
	byte[8] = (byte[8] & 0x3f) | 0x80;
	snprintf(id, STORE_ID_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 byte[0], byte[1], byte[2], byte[3], byte[4], byte[5], byte[6],
		 byte[7], byte[8], byte[9], byte[10], byte[11], byte[12],
		 byte[13], byte[14], byte[15]);
}

/**
 * store_is_id() - is this the id of a checkpoint, as far as its form goes?
 * @id: a text of anybody's
 *
 * Return: true for a UUID in small letters; it can go into a file name then.
 */
bool store_is_id(const char *id)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == '-' ?
			    id[i] != '-' :
			    !id[i] || !strchr("0123456789abcdef", id[i]))
			return false;
	}
	return !id[i];
}

void store_file_name(const char *id, char name[STORE_NAME])
{
	snprintf(name, STORE_NAME, "%s%s", id, STORE_SUFFIX);
}

/* The id of a file in a store; false if it is none of ours. */
bool store_file_id(const char *name, char id[STORE_ID_SIZE])
{
	size_t len = strlen(name);
	size_t end = sizeof(STORE_SUFFIX) - 1;

	if (len < end || len - end >= STORE_ID_SIZE ||
	    strcmp(name + len - end, STORE_SUFFIX))
		return false;
	snprintf(id, STORE_ID_SIZE, "%.*s", (int)(len - end), name);
	return store_is_id(id);
}

/* ------------------------------------------------------------- opening */

/*
 * Whether nobody but root and we can change what is in a directory. In a sticky
 * one others may add names, but cannot take ours away.
 */
static bool is_ours(int fd, bool last)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	if (last)
		return st.st_uid == geteuid() && !(st.st_mode & 022);
	return (!st.st_uid || st.st_uid == geteuid()) &&
	       (!(st.st_mode & 022) || st.st_mode & S_ISVTX);
}

/* A name that is not on the disk would take all with it that is below. */
static int make_step(int at, const char *name, mode_t mode,
		     const struct store_io *io)
{
	int fd, err = 0;

	if (mkdirat(at, name, mode))
		return errno == EEXIST ? 0 : -errno;
	fd = openat(at, ".", AS_STORE);
	if (fd < 0 || io->sync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		unlinkat(at, name, AT_REMOVEDIR);
	return err;
}

/* Opens the next directory of a path, or makes it. */
static int open_step(int at, const char *name, bool last,
		     const struct store_options *options)
{
	int flags = last ? AS_STORE : AS_STEP;
	int fd = openat(at, name, flags);
	int err;

	if (fd >= 0 || errno != ENOENT || options->no_create)
		return fd < 0 ? -errno : fd;
	err = make_step(at, name, last ? 0700 : 0755, options->io);
	if (err)
		return err;
	fd = openat(at, name, flags);
	return fd < 0 ? -errno : fd;
}

static int step_failed(const char *dir, int err, char *error)
{
	if (err == -ELOOP || err == -ENOTDIR)
		return store_fail(error, -EPERM,
				  "%s: expected directories all the way, found a symbolic link or a file; give the path without",
				  dir);
	return store_fail(error, err, "the store %s cannot be opened: %s", dir,
			  strerror(-err));
}

/* Walks down @dir; what it comes through must be root's or ours. */
static int open_directory(const char *dir, const struct store_options *options,
			  char *error)
{
	char path[PATH_MAX], *name, *next, *rest = NULL;
	int fd, below;

	if (!dir[strspn(dir, "/")] || strlen(dir) >= sizeof(path))
		return store_fail(error, -EINVAL,
				  "'%s' is not the path of a store", dir);
	strcpy(path, dir);
	fd = open(*dir == '/' ? "/" : ".", AS_STEP);
	if (fd < 0)
		return step_failed(dir, -errno, error);
	for (name = strtok_r(path, "/", &rest); name; name = next) {
		next = strtok_r(NULL, "/", &rest);
		if (!is_ours(fd, false)) {
			close(fd);
			return store_fail(error, -EPERM,
					  "%s: '%s' is in a directory that others may change; take a path that only its owner can",
					  dir, name);
		}
		below = open_step(fd, name, !next, options);
		close(fd);
		if (below < 0)
			return step_failed(dir, below, error);
		fd = below;
	}
	return fd;
}

/**
 * store_open() - open a directory with checkpoints
 * @store: where to put the store; ended by store_close()
 * @dir: path of the directory; made with mode 0700 if it is not there
 * @options: how it works, or NULL for the defaults
 * @error: why it failed
 *
 * Return: 0; -EPERM if others could change what is in it; -ENOENT with
 * .no_create if it is not there; another negative errno.
 */
int store_open(struct store **store, const char *dir,
	       const struct store_options *options, char *error)
{
	struct store *s = calloc(1, sizeof(*s));

	*store = NULL;
	if (!s)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	if (options)
		s->options = *options;
	if (!s->options.io)
		s->options.io = &store_io_real;
	s->dir = open_directory(dir, &s->options, error);
	if (s->dir < 0) {
		int err = s->dir;

		free(s);
		return err;
	}
	if (!is_ours(s->dir, true)) {
		store_close(s);
		return store_fail(error, -EPERM,
				  "the store %s must belong to user %u and be writable by nobody else: chown and chmod it",
				  dir, geteuid());
	}
	*store = s;
	return 0;
}

/**
 * store_close() - end with a store
 * @store: may be NULL; its writers and readers have ended before
 */
void store_close(struct store *store)
{
	if (!store)
		return;
	close(store->dir);
	free(store);
}

/**
 * store_fd() - the descriptor that a store has open
 * @store: the store
 *
 * For who closes all others: what a store opens later it opens through this one.
 *
 * Return: the descriptor, which stays the store's.
 */
int store_fd(const struct store *store)
{
	return store->dir;
}

/* ------------------------------------------------------------- space */

/*
 * Held while the set of checkpoints changes, so that none gets its name when a
 * parent of it has just lost its own. Closing it unlocks. The store's own
 * descriptor will not do: children share it, and with it the lock.
 */
int store_lock(const struct store *store)
{
	int fd = openat(store->dir, ".", AS_STORE);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR) {
			close(fd);
			return -errno;
		}
	}
	return fd;
}

/* What the files of the store take. */
int store_used(const struct store *store, uint64_t *bytes, char *error)
{
	char id[STORE_ID_SIZE];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	*bytes = 0;
	dir = dir_stream(openat(store->dir, ".", AS_STORE));
	if (!dir)
		return store_fail(error, -errno, "the store cannot be read: %s",
				  strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (store_file_id(entry->d_name, id) &&
		    !fstatat(store->dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			*bytes += (uint64_t)st.st_blocks * 512;
	}
	closedir(dir);
	return 0;
}

/* How much may still be written: by the file system and by our own limit. */
int store_room(const struct store *store, uint64_t *room, char *error)
{
	const struct store_options *options = &store->options;
	struct statvfs st;
	uint64_t used;
	int err;

	if (options->io->statvfs(store->dir, &st))
		return store_fail(error, -errno,
				  "the free space of the store cannot be told: %s",
				  strerror(errno));
	*room = (uint64_t)st.f_bavail * st.f_frsize;
	*room -= options->keep_free < *room ? options->keep_free : *room;
	if (!options->max_bytes)
		return 0;
	err = store_used(store, &used, error);
	if (err)
		return err;
	used = used < options->max_bytes ? options->max_bytes - used : 0;
	if (used < *room)
		*room = used;
	return 0;
}

/* ------------------------------------------------------------- files */

/* There direct I/O is a promise without a meaning, or none at all. */
bool dir_is_memory(int fd)
{
	struct statfs st;

	return !fstatfs(fd, &st) &&
	       (st.f_type == TMPFS_MAGIC || st.f_type == RAMFS_MAGIC);
}

/*
 * A file without a name, which is gone if we are before it has one. @direct says
 * whether O_DIRECT is wanted, and then whether it came.
 */
int store_new_file(const struct store *store, bool *direct, char *error)
{
	const struct store_io *io = store->options.io;
	int flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
	int fd = -1;

	if (*direct && !dir_is_memory(store->dir))
		fd = io->open(store->dir, ".", flags | O_DIRECT, 0600);
	*direct = fd >= 0;
	if (fd < 0)
		fd = io->open(store->dir, ".", flags, 0600);
	if (fd >= 0)
		return fd;
	if (errno == EOPNOTSUPP || errno == EISDIR)
		return store_fail(error, -EOPNOTSUPP,
				  "the file system of the store has no files without a name (O_TMPFILE): put it on ext4, xfs, btrfs or tmpfs");
	return store_fail(error, -errno,
			  "a checkpoint cannot be begun in the store: %s",
			  strerror(errno));
}

/* Whether the parents still have their names; the store is locked. */
static int check_parents(const struct store *store, const struct header *header,
			 char *error)
{
	char name[STORE_NAME];
	uint32_t i;

	for (i = 0; i < header->n_parents; i++) {
		store_file_name(header->parent[i].id, name);
		if (faccessat(store->dir, name, F_OK, AT_SYMLINK_NOFOLLOW))
			return store_fail(error, -ESTALE,
					  "checkpoint %s, which this one adds to, was removed meanwhile: make a full one",
					  header->parent[i].id);
	}
	return 0;
}

/* Others may have been written since this one was begun; the store is locked. */
static int check_limit(const struct store *store, int fd, char *error)
{
	uint64_t limit = store->options.max_bytes, used;
	struct stat st;
	int err;

	if (!limit)
		return 0;
	err = store_used(store, &used, error);
	if (err)
		return err;
	if (!fstat(fd, &st) && used + (uint64_t)st.st_blocks * 512 <= limit)
		return 0;
	return store_fail(error, -ENOSPC,
			  "the checkpoint does not fit: others have filled the store meanwhile; free some space or raise its limit");
}

static int publish_locked(const struct store *store, int fd,
			  const struct header *header, char *error)
{
	const struct store_io *io = store->options.io;
	char name[STORE_NAME];
	int err = check_parents(store, header, error);

	if (!err)
		err = check_limit(store, fd, error);
	if (err)
		return err;
	store_file_name(header->head.id, name);
	if (io->link(fd, store->dir, name))
		return store_fail(error, -errno,
				  "checkpoint %s cannot be given its name: %s",
				  header->head.id, strerror(errno));
	/*
	 * Once more, which costs nothing where it was enough: btrfs keeps of a
	 * file without a name the bytes only, and not where they are.
	 */
	if (!io->datasync(fd) && !io->sync(store->dir))
		return 0;
	/* Nobody can say whether the name would outlive a power cut: it goes. */
	err = -errno;
	io->unlink(store->dir, name);
	return store_fail(error, err,
			  "checkpoint %s cannot be brought to the disk with its name: %s",
			  header->head.id, strerror(-err));
}

/* Gives a file that is whole its name, and comes back when that is durable. */
int store_publish(const struct store *store, int fd,
		  const struct header *header, char *error)
{
	int lock, err;

	if (store->options.io->datasync(fd))
		return store_fail(error, -errno,
				  "checkpoint %s cannot be written to the disk: %s",
				  header->head.id, strerror(errno));
	lock = store_lock(store);
	if (lock < 0)
		return store_fail(error, lock, "the store cannot be locked: %s",
				  strerror(-lock));
	err = publish_locked(store, fd, header, error);
	close(lock);
	return err;
}
