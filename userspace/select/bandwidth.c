// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How fast a device was found to be: a small file for each device and state of
 * its link, since what was measured over one link says nothing of another.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/text.h"
#include "private.h"

#define NAME_SIZE 64
#define TEXT_SIZE 32

/* Slower or faster nothing is; a file that says so is not ours. */
#define BANDWIDTH_MIN 1000ull
#define BANDWIDTH_MAX 100000000000000ull

/*
 * "0000:07:00.0-8000x4". The link of a sleeping device cannot be asked for, and
 * one that is on no link has no such files.
 */
static int file_name(const struct usage_roots *roots, const char *address,
		     char *name, size_t size)
{
	char checked[EGPU_ADDRESS_LEN + 1];
	struct link_state link;
	int dir, err;

	if (!text_pci_address(address, checked, sizeof(checked)))
		return -EINVAL;
	dir = sysfs_open(roots, checked);
	if (dir < 0)
		return dir;
	err = sysfs_asleep(dir) ? -EAGAIN : sysfs_link(dir, "current", &link);
	close(dir);
	if (err && err != -ENOENT)
		return err;
	if (err)
		snprintf(name, size, "%s-none", checked);
	else
		snprintf(name, size, "%s-%ux%u", checked, link.speed,
			 link.width);
	return 0;
}

/* Root takes the word of nobody else; others that of root and their own. */
static bool is_trusted(const struct stat *st)
{
	return (!st->st_uid || st->st_uid == geteuid()) && !(st->st_mode & 022);
}

static int open_dir(const char *dir)
{
	struct stat st;
	int fd, err = 0;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!is_trusted(&st))
		err = -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int read_file(int dir, const char *name, uint64_t *bytes_per_s)
{
	char text[TEXT_SIZE];
	struct stat st;
	ssize_t len;
	int fd;

	fd = openat(dir, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !is_trusted(&st)) {
		close(fd);
		return -EPERM;
	}
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0 || text[len - 1] != '\n')
		return -EINVAL;
	text[len - 1] = '\0';
	if (strlen(text) != (size_t)len - 1 ||
	    !text_to_uint(text, BANDWIDTH_MAX, bytes_per_s) ||
	    *bytes_per_s < BANDWIDTH_MIN)
		return -EINVAL;
	return 0;
}

/**
 * bandwidth_load() - what was measured of a device
 * @dir: where the figures are kept, BANDWIDTH_DIR for most
 * @roots: where the machine is
 * @address: PCI address of the device
 * @bytes_per_s: where to put it
 *
 * Return: 0, -ENOENT when nothing was measured with the link as it is, -EAGAIN
 * when the device sleeps, -EPERM or -EINVAL when what is there is not to be
 * trusted, or another errno.
 */
int bandwidth_load(const char *dir, const struct usage_roots *roots,
		   const char *address, uint64_t *bytes_per_s)
{
	char name[NAME_SIZE];
	int fd, err;

	err = file_name(roots, address, name, sizeof(name));
	if (err)
		return err;
	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	err = read_file(fd, name, bytes_per_s);
	close(fd);
	return err;
}

/* Under another name first, so that nobody reads half of it. */
static int write_file(int dir, const char *name, uint64_t bytes_per_s)
{
	char text[TEXT_SIZE], other[NAME_SIZE + 8];
	int fd, len, err = 0;

	snprintf(other, sizeof(other), ".%s.new", name);
	if (unlinkat(dir, other, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dir, other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%" PRIu64 "\n", bytes_per_s);
	/* Whatever umask we have, others may read and not write it. */
	if (fchmod(fd, 0644) || write(fd, text, len) != len)
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && renameat(dir, other, dir, name))
		err = -errno;
	if (err)
		unlinkat(dir, other, 0);
	return err;
}

/**
 * bandwidth_save() - keep what was measured of a device
 * @dir: as in bandwidth_load(); made if it is not there
 * @roots: where the machine is
 * @address: PCI address of the device
 * @bytes_per_s: what was measured
 *
 * Return: 0, -EINVAL when nothing can be that slow or fast, or what
 * bandwidth_load() returns.
 */
int bandwidth_save(const char *dir, const struct usage_roots *roots,
		   const char *address, uint64_t bytes_per_s)
{
	char name[NAME_SIZE];
	bool made;
	int fd, err;

	if (bytes_per_s < BANDWIDTH_MIN || bytes_per_s > BANDWIDTH_MAX)
		return -EINVAL;
	err = file_name(roots, address, name, sizeof(name));
	if (err)
		return err;
	made = !mkdir(dir, 0755);
	if (!made && errno != EEXIST)
		return -errno;
	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	/* Whatever umask we have: who chooses without it chooses otherwise. */
	if (made && fchmod(fd, 0755))
		err = -errno;
	else
		err = write_file(fd, name, bytes_per_s);
	close(fd);
	return err;
}
