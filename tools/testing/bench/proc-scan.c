// SPDX-License-Identifier: GPL-2.0
/*
 * A scan of /proc for DRM clients, without detours: no path is put together
 * where a folder is open already, and fdinfo is read of DRM nodes only.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "proc-scan.h"

/**
 * struct found - what a scan has found so far
 * @users: the room
 * @size: how many fit
 * @n: how many are there
 */
struct found {
	struct user *users;
	size_t size;
	size_t n;
};

/* 0 of /dev/dri/card0; -1 of what is no DRM node. */
static int drm_minor(const char *target)
{
	static const char *const prefixes[] = {
		"/dev/dri/card",
		"/dev/dri/renderD",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i]);

		if (!strncmp(target, prefixes[i], length))
			return atoi(target + length);
	}
	return -1;
}

/* Lines such as "drm-client-id:\t17" and "drm-total-vram:\t4096 KiB". */
static void take_key(const char *line, struct user *user)
{
	uint64_t number;
	char unit[8] = "";

	if (sscanf(line, "drm-client-id: %" SCNu64, &number) == 1)
		user->client_id = number;
	else if (sscanf(line, "drm-total-%*[^:]: %" SCNu64 " %7s", &number,
			unit) >= 1)
		user->bytes += !strcmp(unit, "KiB") ? number << 10 :
			       !strcmp(unit, "MiB") ? number << 20 :
						      number;
}

static void read_fdinfo(int fdinfo, const char *name, struct user *user)
{
	char text[4096], *line, *rest = text;
	int fd = openat(fdinfo, name, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size <= 0)
		return;
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, "drm-", 4))
			take_key(line, user);
}

static struct user *new_user(struct found *found, pid_t pid, int minor)
{
	struct user *user;

	if (found->n == found->size)
		bench_die("there are more than %zu DRM clients", found->size);
	user = &found->users[found->n++];
	*user = (struct user){ .pid = pid, .minor = minor };
	return user;
}

/* The files of one process, whose folder of /proc is open. */
static void scan_process(int process, pid_t pid, struct found *found)
{
	int fdinfo = -1,
	    fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char target[64];

	while (dir && (entry = readdir(dir))) {
		ssize_t length = readlinkat(fd, entry->d_name, target,
					    sizeof(target) - 1);
		int minor;

		if (length <= 0)
			continue;
		target[length] = '\0';
		minor = drm_minor(target);
		if (minor < 0)
			continue;
		if (fdinfo < 0)
			fdinfo = openat(process, "fdinfo",
					O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		read_fdinfo(fdinfo, entry->d_name, new_user(found, pid, minor));
	}
	if (fdinfo >= 0)
		close(fdinfo);
	if (dir)
		closedir(dir);
}

size_t proc_scan(struct user *users, size_t size)
{
	struct found found = { .users = users, .size = size };
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int process;

	if (!proc)
		bench_die("/proc: %s", strerror(errno));
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		process = openat(dirfd(proc), entry->d_name,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		scan_process(process, atoi(entry->d_name), &found);
		close(process);
	}
	closedir(proc);
	return found.n;
}
