// SPDX-License-Identifier: GPL-2.0
/*
 * Clients of the GPU under test: we are, with files, buffers, and fences on
 * them that signal when we say so. And whom a removal says that it has hit.
 */
#include "faults.h"

#include <drm.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vgem.h"

#define PIXELS 32

static int file[CLIENTS] = { -1, -1, -1 };
static int buf[CLIENTS] = { -1, -1, -1 };
static uint32_t fence[CLIENTS];
static int vgem = -1;

static void put_away(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/**
 * clients_close - be a client no more
 *
 * What was not signalled is now.
 */
void clients_close(void)
{
	int i;

	put_away(&vgem);
	for (i = 0; i < CLIENTS; i++) {
		put_away(&buf[i]);
		put_away(&file[i]);
	}
}

static int open_node(const char *address)
{
	char pattern[96], path[32];
	glob_t found;
	int fd = -1;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/pci/devices/%s/drm/card[0-9]*", address);
	if (!glob(pattern, 0, NULL, &found)) {
		snprintf(path, sizeof(path), "/dev/dri/%.15s",
			 strrchr(found.gl_pathv[0], '/') + 1);
		fd = open(path, O_RDWR | O_CLOEXEC);
		globfree(&found);
	}
	if (fd < 0)
		bail_out("the GPU at %s cannot be opened", address);
	ioctl(fd, DRM_IOCTL_DROP_MASTER);
	return fd;
}

/* A buffer of the client's, with work in flight. */
static void begin_work(int i)
{
	uint32_t handle;

	if (buffer_make(file[i], PIXELS, &handle))
		bail_out("client %d gets no buffer", i);
	buf[i] = buffer_export(file[i], handle);
	if (buf[i] < 0 || vgem_import(vgem, buf[i], &handle) ||
	    vgem_attach(vgem, handle, false, &fence[i]))
		bail_out("client %d gets no fence", i);
}

/**
 * clients_open - be CLIENTS clients of a GPU
 * @address: its PCI address
 * @busy: with work in flight, which needs the module vgem
 */
void clients_open(const char *address, bool busy)
{
	int i;

	clients_close();
	if (busy) {
		vgem = vgem_open();
		if (vgem < 0)
			bail_out("there is no vgem");
	}
	for (i = 0; i < CLIENTS; i++) {
		file[i] = open_node(address);
		if (busy)
			begin_work(i);
	}
}

/**
 * clients_signal - their work is done
 */
void clients_signal(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		vgem_signal(vgem, fence[i]);
}

static void count_victim(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	if (attr_u32(attrs, len, EGPU_A_CLIENT_PID) == (uint32_t)getpid())
		++*(unsigned int *)data;
}

/**
 * victims_of - ask whom a removal has hit
 * @nl: who asks
 * @cookie: of the removal
 * @answer: overwritten
 * @n: how many of our files it was
 *
 * Return: 0 or a negative errno.
 */
int victims_of(struct nl *nl, uint64_t cookie, struct answer *answer,
	       unsigned int *n)
{
	static struct msg msg;

	*n = 0;
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_CLIENT_GET);
	msg_put_u64(&msg, EGPU_A_CLIENT_COOKIE, cookie);
	return nl_dump(nl, &msg, count_victim, n, answer);
}
