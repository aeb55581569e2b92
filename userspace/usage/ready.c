// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether a GPU that is on the bus can be used. That it is there does not mean
 * so: its memory may have found no room, its driver may have given up.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/text.h"
#include "private.h"

/* <linux/ioport.h>, as /sys/.../resource shows the flags. */
#define RESOURCE_MEM   0x00000200
#define RESOURCE_UNSET 0x20000000

/* The lines of the standard registers; those behind are the ROM and windows. */
#define N_BARS 6

/* One line of the file: "0xSTART 0xEND 0xFLAGS". */
static bool is_unassigned(const char *line)
{
	uint64_t start, end, flags;

	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end,
		   &flags) != 3)
		return false;
	if (!(flags & RESOURCE_MEM) || !end)
		return false;
	return !start || flags & RESOURCE_UNSET;
}

/* The first memory region without an address, -1 if all have one. */
static int unassigned_bar(const char *text)
{
	int i;

	for (i = 0; i < N_BARS && *text; i++) {
		if (is_unassigned(text))
			return i;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return -1;
}

static void say(struct readiness *ready, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What comes first is the reason for the rest. */
static void say(struct readiness *ready, const char *format, ...)
{
	va_list args;

	if (ready->why[0])
		return;
	va_start(args, format);
	vsnprintf(ready->why, sizeof(ready->why), format, args);
	va_end(args);
}

static void check_bars(int function, struct readiness *ready)
{
	char text[4096];
	int bar, err;

	err = read_text(function, "resource", text, sizeof(text));
	if (err < 0) {
		say(ready, "its memory regions could not be read: %s",
		    strerror(-err));
		return;
	}
	bar = unassigned_bar(text);
	ready->bars = bar < 0;
	if (bar >= 0)
		say(ready,
		    "memory region %d has no address, the ports above it leave no room",
		    bar);
}

static void check_driver(int function, struct readiness *ready)
{
	char driver[EGPU_STRING_MAX], printable[EGPU_STRING_MAX];

	if (read_link_name(function, "driver", driver, sizeof(driver))) {
		say(ready, "no driver is bound to it");
		return;
	}
	ready->driver = true;
	if (!strcmp(driver, "vfio-pci") || !strcmp(driver, "pci-stub"))
		say(ready, "%s keeps it for a virtual machine",
		    text_printable(driver, printable, sizeof(printable)));
}

/* How good a node is to try: a render node has no side effects. */
static int rank_of(const struct node *node)
{
	const char *name = strrchr(node->path, '/');

	if (node->shared || node->block)
		return 0;
	if (node->kind == NODE_NVIDIA)
		return 1;
	if (node->kind != NODE_DRM)
		return 0;
	return name && !strncmp(name, "/card", 5) ? 2 : 3;
}

static const struct node *node_to_try(const struct nodes *nodes)
{
	const struct node *best = NULL;
	size_t i;

	for (i = 0; nodes && i < nodes->n; i++) {
		if (rank_of(&nodes->item[i]) > (best ? rank_of(best) : 0))
			best = &nodes->item[i];
	}
	return best;
}

/*
 * Who is the first to open a card node becomes its master, which a display
 * server wants to be; so it is closed at once, and taken only where there is no
 * other.
 */
static void check_opens(const struct nodes *nodes, struct readiness *ready)
{
	const struct node *node = node_to_try(nodes);
	struct stat st;
	int fd;

	if (!node) {
		say(ready, "it has no device node that could be opened");
		return;
	}
	fd = open(node->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		say(ready, "%s could not be opened: %s", node->path,
		    strerror(errno));
		return;
	}
	ready->opens = !fstat(fd, &st) && S_ISCHR(st.st_mode) &&
		       st.st_rdev == node->rdev;
	close(fd);
	if (!ready->opens)
		say(ready, "%s is not the device node of this GPU", node->path);
}

/**
 * readiness_of() - whether a GPU can be used
 * @roots: where the machine is
 * @device: the GPU
 * @nodes: its nodes as nodes_find() has found them, or NULL
 * @readiness: where to put the answer
 *
 * Opens one of its nodes for a moment. A region for I/O ports is not asked for:
 * behind a cable there is often no room for it, and drivers do without.
 */
void readiness_of(const struct usage_roots *roots,
		  const struct egpu_device *device, const struct nodes *nodes,
		  struct readiness *readiness)
{
	char path[256];
	int fd = -1;

	memset(readiness, 0, sizeof(*readiness));
	if (snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", roots->sys,
		     device->address) < (int)sizeof(path))
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		say(readiness, "it is not on the bus");
		return;
	}
	check_bars(fd, readiness);
	check_driver(fd, readiness);
	close(fd);
	if (readiness->bars && readiness->driver && !readiness->why[0])
		check_opens(nodes, readiness);
	readiness->ready = !readiness->why[0];
}
