// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers in sysfs. Each file is one line and small; what is longer is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/text.h"
#include "../usage/read.h"
#include "private.h"

#define PATH_SIZE 256

/**
 * sysfs_open() - open the directory of a PCI device
 * @roots: where the machine is
 * @address: its PCI address
 *
 * Return: a descriptor, or a negative errno.
 */
int sysfs_open(const struct usage_roots *roots, const char *address)
{
	char path[PATH_SIZE], checked[EGPU_ADDRESS_LEN + 1];
	int fd;

	if (!text_pci_address(address, checked, sizeof(checked)) ||
	    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", roots->sys,
		     checked) >= (int)sizeof(path))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* One line without its newline. */
static int read_line(int dir, const char *path, char *buf, size_t size)
{
	int len = read_text(dir, path, buf, size);

	if (len < 0)
		return len;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/**
 * sysfs_number() - the number in a file
 * @dir: directory
 * @path: file, relative to it
 * @max: largest number that makes sense
 * @value: where to put it
 *
 * Return: 0, -ENOENT without such a file, -ERANGE when it holds something else
 * than a number up to @max, or another errno.
 */
int sysfs_number(int dir, const char *path, uint64_t max, uint64_t *value)
{
	char text[64];
	int err;

	err = read_line(dir, path, text, sizeof(text));
	if (err)
		return err == -E2BIG ? -ERANGE : err;
	return text_to_uint(text, max, value) ? 0 : -ERANGE;
}

/**
 * sysfs_asleep() - does the device sleep?
 * @dir: its directory
 *
 * A file that asks the driver would wake it, so nobody reads one then.
 *
 * Return: whether it does, or is about to.
 */
bool sysfs_asleep(int dir)
{
	char text[32];

	return !read_line(dir, "power/runtime_status", text, sizeof(text)) &&
	       !strncmp(text, "suspend", 7);
}

/* "8.0 GT/s PCIe" or "8 GT/s"; with our own hands, for atof() has a locale. */
static bool parse_speed(const char *text, uint32_t *mts)
{
	char *rest;
	unsigned long whole, tenths = 0;

	if (*text < '0' || *text > '9')
		return false;
	whole = strtoul(text, &rest, 10);
	if (*rest == '.') {
		if (rest[1] < '0' || rest[1] > '9')
			return false;
		tenths = rest[1] - '0';
		rest += 2;
	}
	if (!whole || whole > 1000 || strncmp(rest, " GT/s", 5) != 0)
		return false;
	*mts = (uint32_t)(whole * 1000 + tenths * 100);
	return true;
}

/**
 * sysfs_link() - what a PCIe link does, or could do
 * @dir: directory of a device at either end of it, which must not sleep
 * @which: "current" or "max"
 * @link: where to put it
 *
 * Return: 0, -ENOENT when it has no such files, -ERANGE when they make no sense.
 */
int sysfs_link(int dir, const char *which, struct link_state *link)
{
	char path[32], text[64];
	uint64_t width;
	int err;

	snprintf(path, sizeof(path), "%s_link_speed", which);
	err = read_line(dir, path, text, sizeof(text));
	if (err)
		return err == -E2BIG ? -ERANGE : err;
	if (!parse_speed(text, &link->speed))
		return -ERANGE;
	snprintf(path, sizeof(path), "%s_link_width", which);
	/* 255 is what the kernel says of a device that does not answer. */
	err = sysfs_number(dir, path, 64, &width);
	if (err)
		return err;
	if (!width)
		return -ERANGE;
	link->width = (uint32_t)width;
	return 0;
}
