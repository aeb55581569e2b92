/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file system whose server does not answer: what a hostile program can put
 * behind a descriptor.
 */
#ifndef TESTS_FUSE_H
#define TESTS_FUSE_H

#include <sys/types.h>

/**
 * struct fuse - a file system that is mounted
 * @dir: where
 * @pid: its server, which lets a file be opened and says nothing more
 */
struct fuse {
	char dir[32];
	pid_t pid;
};

const char *fuse_mount(struct fuse *fuse);
int fuse_open(const struct fuse *fuse, int flags);
void fuse_unmount(struct fuse *fuse);

#endif
