// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Closes the nodes of a GPU to new opens, and puts them back.
 *
 * A node is renamed into a directory that only root can enter, so that neither
 * its inode nor anything in that changes: owner, mode, access lists and times
 * are what they were when it comes back. By its path not even root can open it
 * meanwhile. What is open stays open.
 *
 * The directory is its own journal: a rename is done or not, and the name of
 * an entry, "0000:07:00.0!dri!card1", says which GPU it is of and where it
 * belongs. ('!' is what the kernel has for '/' in the names of devices, so no
 * name has one.)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#include "../../common/dir.h"
#include "../egpud.h"

/**
 * struct fence - the directories that nodes go between
 * @roots: where the machine is
 * @dev: /dev
 * @dir: FENCE_DIR in it
 */
struct fence {
	const struct usage_roots *roots;
	int dev;
	int dir;
};

static void close_dirs(struct fence *fence)
{
	if (fence->dir >= 0)
		close(fence->dir);
	if (fence->dev >= 0)
		close(fence->dev);
}

/* A directory that others made, or can enter, is not used. */
static int check_dir(int dir)
{
	struct stat st;

	if (fstat(dir, &st))
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & 077) ? 0 : -EPERM;
}

static int open_dirs(struct fence *fence, const struct usage_roots *roots,
		     bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int err = 0;

	fence->roots = roots;
	fence->dir = -1;
	fence->dev = open(roots->dev, flags);
	if (fence->dev < 0)
		return -errno;
	if (make && mkdirat(fence->dev, FENCE_DIR, 0700) && errno != EEXIST)
		err = -errno;
	if (!err) {
		fence->dir = openat(fence->dev, FENCE_DIR, flags);
		err = fence->dir < 0 ? -errno : check_dir(fence->dir);
	}
	if (err)
		close_dirs(fence);
	return err;
}

/* "/dev/dri/card1" to "0000:07:00.0!dri!card1". */
static int to_entry(const struct usage_roots *roots, const char *address,
		    const char *path, char *entry, size_t size)
{
	size_t len = strlen(roots->dev);
	char *c;

	if (strncmp(path, roots->dev, len) || path[len] != '/' ||
	    strstr(path, "/../") || strchr(path, '!'))
		return -EINVAL;
	if (snprintf(entry, size, "%s!%s", address, path + len + 1) >= (int)size)
		return -ENAMETOOLONG;
	for (c = entry; *c; c++) {
		if (*c == '/')
			*c = '!';
	}
	return 0;
}

/* And back, as far as below /dev: "dri/card1". NULL when it is none of ours. */
static const char *to_path(char *entry)
{
	char *path = strchr(entry, '!'), *c;

	if (!path || path == entry || !path[1])
		return NULL;
	*path++ = '\0';
	for (c = path; *c; c++) {
		if (*c == '!')
			*c = '/';
	}
	if (*path == '/' || strstr(path, "//") || strstr(path, "..") ||
	    c[-1] == '/')
		return NULL;
	return path;
}

static int close_node(struct fence *fence, const char *address,
		      const struct node *node)
{
	char entry[NAME_MAX + 1];
	struct stat st;
	int err;

	err = to_entry(fence->roots, address, node->path, entry, sizeof(entry));
	if (err)
		return err;
	/* Who has no node there need not be kept from opening it. */
	if (lstat(node->path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (st.st_rdev != node->rdev || S_ISLNK(st.st_mode))
		return -ESTALE;
	crash_point();
	return renameat2(AT_FDCWD, node->path, fence->dir, entry,
			 RENAME_NOREPLACE) ?
		       -errno :
		       0;
}

/**
 * node_fence_close() - close the nodes of a GPU that only it uses
 * @roots: where the machine is
 * @address: PCI address of the GPU
 * @nodes: its nodes
 * @error: says what went wrong
 * @size: size of @error
 *
 * Return: 0 or a negative errno; node_fence_open() puts back what was closed.
 */
int node_fence_close(const struct usage_roots *roots, const char *address,
		     const struct nodes *nodes, char *error, size_t size)
{
	struct fence fence;
	int err = open_dirs(&fence, roots, true);
	size_t i;

	if (err) {
		snprintf(error, size, "cannot make %s/%s: %s", roots->dev,
			 FENCE_DIR, strerror(-err));
		return err;
	}
	for (i = 0; !err && i < nodes->n; i++) {
		if (nodes->item[i].shared)
			continue;
		err = close_node(&fence, address, &nodes->item[i]);
		if (err)
			snprintf(error, size, "cannot close %s: %s",
				 nodes->item[i].path, strerror(-err));
	}
	close_dirs(&fence);
	return err;
}

/*
 * NVIDIA's own nodes are not of a device in sysfs, so they live as long as a
 * driver has the GPU.
 */
static bool nvidia_lives(const struct usage_roots *roots, const char *address,
			 const char *path)
{
	char driver[PATH_MAX];

	if (strncmp(path, "nvidia", 6))
		return false;
	snprintf(driver, sizeof(driver), "%s/bus/pci/devices/%s/driver",
		 roots->sys, address);
	return !access(driver, F_OK);
}

/* Is there still a device that has this number and that name? */
static bool device_lives(const struct fence *fence, const struct stat *st,
			 const char *address, const char *path)
{
	char link[PATH_MAX], target[PATH_MAX];
	const char *name = strrchr(path, '/'), *last;
	ssize_t len;

	snprintf(link, sizeof(link), "%s/dev/%s/%u:%u", fence->roots->sys,
		 S_ISBLK(st->st_mode) ? "block" : "char", major(st->st_rdev),
		 minor(st->st_rdev));
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return nvidia_lives(fence->roots, address, path);
	target[len] = '\0';
	last = strrchr(target, '/');
	return !strcmp(last ? last + 1 : target, name ? name + 1 : path);
}

/* The kernel takes a directory away with the last node in it. */
static void make_parents(const struct fence *fence, const char *path)
{
	char parent[PATH_MAX];
	size_t i;

	for (i = 0; path[i] && i < sizeof(parent) - 1; i++) {
		if (path[i] == '/') {
			parent[i] = '\0';
			/* Whatever our umask is, all may look into it. */
			if (!mkdirat(fence->dev, parent, 0755) &&
			    fchmodat(fence->dev, parent, 0755, 0))
				return;
		}
		parent[i] = path[i];
	}
}

static int move_back(const struct fence *fence, const char *entry,
		     const char *path)
{
	crash_point();
	if (!renameat2(fence->dir, entry, fence->dev, path, RENAME_NOREPLACE))
		return 0;
	return -errno;
}

static void open_node(struct fence *fence, const char *entry,
		      const char *address, const char *path)
{
	struct stat st;
	int err;

	if (fstatat(fence->dir, entry, &st, AT_SYMLINK_NOFOLLOW))
		return;
	err = -ENOENT;
	if (device_lives(fence, &st, address, path)) {
		err = move_back(fence, entry, path);
		if (err == -ENOENT) {
			make_parents(fence, path);
			err = move_back(fence, entry, path);
		}
		/* The kernel may have looked for it right before it was back. */
		if (!err && !device_lives(fence, &st, address, path))
			unlinkat(fence->dev, path, 0);
	}
	/* -EEXIST: a new device is there, which has a node of its own. */
	if (err == -ENOENT || err == -EEXIST) {
		crash_point();
		err = unlinkat(fence->dir, entry, 0) ? -errno : 0;
	}
	if (err)
		log_line(LOG_ERR, "cannot put %s/%s back: %s",
			 fence->roots->dev, path, strerror(-err));
}

static void open_all(struct fence *fence, const char *address)
{
	char name[NAME_MAX + 1];
	struct dirent *entry;
	const char *path;
	DIR *dir = dir_stream(dup(fence->dir));

	if (!dir) {
		log_line(LOG_ERR, "cannot read %s/%s: %s", fence->roots->dev,
			 FENCE_DIR, strerror(errno));
		return;
	}
	while ((entry = readdir(dir))) {
		strcpy(name, entry->d_name);
		path = to_path(name);
		if (path && (!address || !strcmp(name, address)))
			open_node(fence, entry->d_name, name, path);
	}
	closedir(dir);
}

/**
 * node_fence_open() - put nodes back
 * @roots: where the machine is
 * @address: PCI address of the GPU whose nodes they are, or NULL for all
 *
 * A node whose device is no more is deleted instead. What cannot be put back
 * is logged and stays where it is, for the next start to try.
 */
void node_fence_open(const struct usage_roots *roots, const char *address)
{
	struct fence fence;
	int err = open_dirs(&fence, roots, false);

	if (err == -ENOENT)
		return;
	if (err) {
		log_line(LOG_ERR, "cannot enter %s/%s: %s", roots->dev,
			 FENCE_DIR, strerror(-err));
		return;
	}
	open_all(&fence, address);
	/* Fails while the nodes of another GPU are in it. */
	unlinkat(fence.dev, FENCE_DIR, AT_REMOVEDIR);
	close_dirs(&fence);
}
