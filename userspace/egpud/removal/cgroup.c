// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The freezer of a cgroup of the unified hierarchy.
 *
 * A user's session owns its part of the hierarchy, so nothing in a path is
 * followed out of it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../common/dir.h"
#include "../egpud.h"

#define DEPTH_MAX 16

static int open_beneath(int dir, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* The unified hierarchy has a place of its own where there are older ones. */
static int open_root(const struct usage_roots *roots)
{
	static const char *const places[] = { "fs/cgroup", "fs/cgroup/unified" };
	char path[256];
	size_t i;
	int fd, file;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", roots->sys, places[i]);
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		file = open_beneath(fd, "cgroup.procs", O_PATH);
		if (file >= 0)
			close(file);
		/* Older hierarchies have that file as well, but not this one. */
		if (file >= 0)
			file = open_beneath(fd, "cgroup.controllers", O_PATH);
		if (file >= 0) {
			close(file);
			return fd;
		}
		close(fd);
	}
	return -ENOENT;
}

/**
 * cgroup_open() - open a cgroup that can be frozen
 * @roots: where the machine is
 * @path: as in struct process.cgroup
 * @inode: its inode number, which tells it from a later one of that name; when
 *	it is not 0 the cgroup must have it
 *
 * Return: a descriptor, -ENOENT when there is no such cgroup or it is the root,
 * or another negative errno.
 */
int cgroup_open(const struct usage_roots *roots, const char *path,
		uint64_t *inode)
{
	struct stat st;
	int root, fd;

	if (path[0] != '/' || !path[1])
		return -ENOENT;
	root = open_root(roots);
	if (root < 0)
		return root;
	fd = open_beneath(root, path + 1, O_RDONLY | O_DIRECTORY);
	close(root);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || (*inode && *inode != st.st_ino)) {
		close(fd);
		return -ENOENT;
	}
	*inode = st.st_ino;
	return fd;
}

static FILE *open_text(int cgroup, const char *name)
{
	int fd = open_beneath(cgroup, name, O_RDONLY);
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fdopen(fd, "re");
	if (!file)
		close(fd);
	return file;
}

static bool is_listed(pid_t pid, const struct process *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i].pid == pid)
			return true;
	}
	return false;
}

/* How many processes a cgroup has itself, or -1 when one is not listed. */
static int count_processes(int cgroup, const struct process *list, size_t n)
{
	FILE *file = open_text(cgroup, "cgroup.procs");
	int count = 0, pid, got;

	if (!file)
		return -1;
	/* 0 is a process of another pid namespace. */
	while ((got = fscanf(file, "%d", &pid)) == 1) {
		if (!is_listed(pid, list, n)) {
			got = 0;
			break;
		}
		count++;
	}
	if (got != EOF || ferror(file))
		count = -1;
	fclose(file);
	return count;
}

static int count_all(int cgroup, const struct process *list, size_t n,
		     unsigned int depth)
{
	int count = count_processes(cgroup, list, n), below, fd;
	struct dirent *entry;
	DIR *dir;

	if (count < 0 || depth > DEPTH_MAX)
		return -1;
	dir = dir_stream(open_beneath(cgroup, ".", O_RDONLY | O_DIRECTORY));
	if (!dir)
		return -1;
	while (count >= 0 && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		fd = open_beneath(cgroup, entry->d_name, O_RDONLY | O_DIRECTORY);
		below = fd < 0 ? -1 : count_all(fd, list, n, depth + 1);
		if (fd >= 0)
			close(fd);
		count = below < 0 ? -1 : count + below;
	}
	closedir(dir);
	return count;
}

/**
 * cgroup_holds_only() - would freezing a cgroup freeze nobody else?
 * @cgroup: descriptor
 * @list: processes that are to be frozen
 * @n: how many
 *
 * Return: whether the cgroup and all below it have processes, each of them
 * listed.
 */
bool cgroup_holds_only(int cgroup, const struct process *list, size_t n)
{
	return count_all(cgroup, list, n, 0) > 0;
}

/**
 * cgroup_set_frozen() - freeze or thaw a cgroup
 * @cgroup: descriptor
 * @frozen: which
 *
 * Comes back at once; cgroup_is_frozen() tells when it is.
 *
 * Return: 0 or a negative errno; -ENODEV when the cgroup is no more.
 */
int cgroup_set_frozen(int cgroup, bool frozen)
{
	int fd = open_beneath(cgroup, "cgroup.freeze", O_WRONLY), err = 0;

	if (fd < 0)
		return fd == -ENOENT ? -ENODEV : fd;
	if (write(fd, frozen ? "1" : "0", 1) != 1)
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

/* Whether all in it stand still, because of us or of somebody else. */
bool cgroup_is_frozen(int cgroup)
{
	FILE *file = open_text(cgroup, "cgroup.events");
	char line[64];
	bool frozen = false;

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		frozen |= !strcmp(line, "frozen 1\n");
	fclose(file);
	return frozen;
}
