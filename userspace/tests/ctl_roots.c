// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A machine for egpuctl to look at.
 */
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_roots.h"
#include "test.h"

#define PATH_SIZE 192

static char top[] = "/tmp/egpuctl-roots-XXXXXX";
static char proc[64], sys[64], dev[64], last[PATH_SIZE];
static const struct usage_roots roots = { proc, sys, dev };
static bool made;

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(void)
{
	if (made)
		nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	made = false;
}

/* "a/b" below the top, with all directories above it. */
static const char *below(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static const char *below(const char *format, ...)
{
	size_t at = strlen(top) + 1;
	va_list args;
	char *slash;

	snprintf(last, sizeof(last), "%s/", top);
	va_start(args, format);
	vsnprintf(last + at, sizeof(last) - at, format, args);
	va_end(args);
	for (slash = strchr(last + at, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(last, 0700) || errno == EEXIST);
		*slash = '/';
	}
	return last;
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	/* Whatever the umask is: the daemon refuses what others can write to. */
	assert_int_equal(chmod(path, 0644), 0);
}

void ctl_roots_remove(const char *path)
{
	assert_int_equal(remove(below("%s", path)), 0);
}

const char *ctl_roots_write(const char *path, const char *text)
{
	write_text(below("%s", path), text);
	return last;
}

const struct usage_roots *ctl_roots_new(void)
{
	static bool registered;

	remove_all();
	if (!registered)
		atexit(remove_all);
	registered = true;
	strcpy(top + strlen(top) - 6, "XXXXXX");
	assert_non_null(mkdtemp(top));
	made = true;
	snprintf(proc, sizeof(proc), "%s/proc", top);
	snprintf(sys, sizeof(sys), "%s/sys", top);
	snprintf(dev, sizeof(dev), "%s/dev", top);
	below("proc/self/");
	below("sys/bus/pci/devices/");
	below("dev/dri/");
	return &roots;
}

const struct usage_roots *ctl_roots(void)
{
	return made ? &roots : ctl_roots_new();
}

/* A node of a GPU, with the number of the device that it is a link to. */
static void add_node(const char *address, const char *name, const char *numbers,
		     const char *target)
{
	char text[64];

	write_text(below("sys/bus/pci/devices/%s/drm/%s/dev", address, name),
		   numbers);
	snprintf(text, sizeof(text), "MAJOR=1\nDEVNAME=dri/%s\n", name);
	write_text(below("sys/bus/pci/devices/%s/drm/%s/uevent", address, name),
		   text);
	assert_int_equal(symlink(target, below("dev/dri/%s", name)), 0);
}

void ctl_roots_add_gpu(const char *address, unsigned int index, bool nodes)
{
	char name[32];

	write_text(below("sys/bus/pci/devices/%s/resource", address),
		   "0x00000000d0000000 0x00000000d0ffffff 0x0000000000140204\n");
	if (!nodes)
		return;
	assert_int_equal(symlink("../../../drivers/bochs-drm",
				 below("sys/bus/pci/devices/%s/driver", address)),
			 0);
	snprintf(name, sizeof(name), "card%u", index);
	add_node(address, name, "1:3\n", "/dev/null");
	snprintf(name, sizeof(name), "renderD%u", 128 + index);
	add_node(address, name, "1:5\n", "/dev/zero");
}

void ctl_roots_add_process(const struct ctl_process *process)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%d (%s) %c 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 %d00 0\n",
		 process->pid, process->comm, process->hangs ? 'D' : 'S',
		 process->pid);
	write_text(below("proc/%d/stat", process->pid), text);
	snprintf(text, sizeof(text),
		 "Name:\tx\nTgid:\t%d\nUid:\t%u\t%u\t%u\t%u\n", process->pid,
		 process->uid, process->uid, process->uid, process->uid);
	write_text(below("proc/%d/status", process->pid), text);
	write_text(below("proc/%d/cgroup", process->pid),
		   "0::/user.slice/app.scope\n");
	write_text(below("proc/%d/maps", process->pid), "");
	below("proc/%d/fd/", process->pid);
	if (!process->client)
		return;
	assert_int_equal(symlink("/dev/zero",
				 below("proc/%d/fd/5", process->pid)),
			 0);
	snprintf(text, sizeof(text), "pos:\t0\ndrm-client-id:\t%u\n",
		 process->client);
	write_text(below("proc/%d/fdinfo/5", process->pid), text);
}
