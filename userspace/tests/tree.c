// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "tree.h"

void tree_new(struct tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	strcpy(tree->top, "/tmp/egpu-test-XXXXXX");
	assert_non_null(mkdtemp(tree->top));
	/* Tests become another user for a while. */
	assert_int_equal(chmod(tree->top, 0755), 0);
	snprintf(tree->proc, sizeof(tree->proc), "%s/proc", tree->top);
	snprintf(tree->sys, sizeof(tree->sys), "%s/sys", tree->top);
	snprintf(tree->dev, sizeof(tree->dev), "%s/dev", tree->top);
	tree->roots.proc = tree->proc;
	tree->roots.sys = tree->sys;
	tree->roots.dev = tree->dev;
	tree_dir(tree, "proc");
	tree_dir(tree, "sys");
	tree_dir(tree, "dev");
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_free(struct tree *tree)
{
	assert_int_equal(nftw(tree->top, remove_one, 16, FTW_DEPTH | FTW_PHYS),
			 0);
}

/* Valid until the next call. */
const char *tree_path(const struct tree *tree, const char *path)
{
	static char full[512];

	assert_true(snprintf(full, sizeof(full), "%s/%s", tree->top, path) <
		    (int)sizeof(full));
	return full;
}

/* Makes all directories down to the last slash of @path. */
static void make_parents(char *path)
{
	char *at = path;

	while ((at = strchr(at + 1, '/'))) {
		*at = '\0';
		if (mkdir(path, 0755))
			assert_int_equal(errno, EEXIST);
		*at = '/';
	}
}

void tree_dir(const struct tree *tree, const char *path)
{
	/* One more, for the slash. */
	char full[513];

	snprintf(full, sizeof(full), "%s/", tree_path(tree, path));
	make_parents(full);
}

void tree_file(const struct tree *tree, const char *path, const char *format,
	       ...)
{
	char full[512];
	va_list args;
	FILE *f;

	snprintf(full, sizeof(full), "%s", tree_path(tree, path));
	make_parents(full);
	f = fopen(full, "we");
	assert_non_null(f);
	va_start(args, format);
	vfprintf(f, format, args);
	va_end(args);
	assert_int_equal(fclose(f), 0);
}

void tree_link(const struct tree *tree, const char *path, const char *target)
{
	char full[512];

	snprintf(full, sizeof(full), "%s", tree_path(tree, path));
	make_parents(full);
	assert_int_equal(symlink(target, full), 0);
}

void tree_process(const struct tree *tree, const struct tree_process *process)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/stat", process->pid);
	tree_file(tree, path,
		  "%d (%s) %c 2 3 4 5 6 %u 8 9 10 11 12 13 14 15 16 17 18 19 %d 21\n",
		  process->pid, process->comm,
		  process->state ? process->state : 'S', process->flags,
		  TREE_START + process->pid);
	snprintf(path, sizeof(path), "proc/%d/status", process->pid);
	tree_file(tree, path,
		  "Name:\tx\nUmask:\t0022\nTgid:\t%d\nUid:\t7\t%u\t8\t9\n",
		  process->pid, process->uid);
	snprintf(path, sizeof(path), "proc/%d/cgroup", process->pid);
	tree_file(tree, path, "%s\n",
		  process->cgroup ? process->cgroup : "0::/test");
	snprintf(path, sizeof(path), "proc/%d/maps", process->pid);
	tree_file(tree, path, "%s", process->maps ? process->maps : "");
	snprintf(path, sizeof(path), "proc/%d/fd", process->pid);
	tree_dir(tree, path);
}

void tree_fd(const struct tree *tree, pid_t pid, int fd, const char *target,
	     const char *fdinfo)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/fd/%d", pid, fd);
	tree_link(tree, path, target);
	snprintf(path, sizeof(path), "proc/%d/fdinfo/%d", pid, fd);
	tree_file(tree, path, "pos:\t0\nflags:\t02\nmnt_id:\t9\n%s", fdinfo);
}
