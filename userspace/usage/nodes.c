// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Device nodes of a GPU: what has a device number below one of the functions of
 * its slot in sysfs, and what the drivers that do not say so there have.
 *
 * The "uevent" file of a PCI function itself is never read: on old kernels that
 * waits for a removal which is being held. Those of its children do not.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../common/dir.h"
#include "../common/text.h"
#include "private.h"

/* Bounds of a walk; a disk behind a USB function of the slot is 15 deep. */
#define DEPTH_MAX 24
#define DIRS_MAX  16384
#define NODES_MAX 1024

/**
 * struct walk - a walk below the functions of a slot
 * @roots: where the machine is
 * @nodes: where to put what is found
 * @dirs: directories it may still go into
 */
struct walk {
	const struct usage_roots *roots;
	struct nodes *nodes;
	unsigned int dirs;
};

static int add_node(struct nodes *nodes, const struct node *node)
{
	struct node *item;

	if (nodes_with(nodes, node->rdev, node->block))
		return 0;
	if (nodes->n == NODES_MAX)
		return -E2BIG;
	item = grow_array(nodes->item, nodes->n, &nodes->size, sizeof(*item),
			  NODES_MAX);
	if (!item)
		return -ENOMEM;
	nodes->item = item;
	item[nodes->n++] = *node;
	return 0;
}

/* From the text of a "dev" file, "226:1". */
static bool parse_dev(const char *text, dev_t *rdev)
{
	unsigned int major, minor;

	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return false;
	*rdev = makedev(major, minor);
	return true;
}

/* A name below /dev: relative, and it does not climb out. */
static bool is_device_name(const char *name)
{
	return *name && *name != '/' && strncmp(name, "../", 3) != 0 &&
	       !strstr(name, "/../");
}

static enum node_kind kind_of(const char *name)
{
	static const struct {
		const char *prefix;
		enum node_kind kind;
	} kinds[] = {
		{ "dri/", NODE_DRM },
		{ "accel/", NODE_DRM },
		{ "snd/", NODE_SOUND },
		{ "vfio/", NODE_VFIO },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)))
			return kinds[i].kind;
	}
	return NODE_OTHER;
}

/* Fills in the path; false when it is too long to be one of /dev. */
static bool set_path(const struct usage_roots *roots, struct node *node,
		     const char *name)
{
	return snprintf(node->path, sizeof(node->path), "%s/%s", roots->dev,
			name) < (int)sizeof(node->path);
}

/* The node of the device whose directory this is, if it has one. */
static int add_of_dir(struct walk *walk, int dir)
{
	char text[4096], *name, subsystem[16];
	struct node node = { 0 };

	if (read_text(dir, "dev", text, 64) < 0 || !parse_dev(text, &node.rdev) ||
	    read_text(dir, "uevent", text, sizeof(text)) < 0)
		return 0;
	name = strstr(text, "DEVNAME=");
	if (!name || (name > text && name[-1] != '\n'))
		return 0;
	name += 8;
	name[strcspn(name, "\n")] = '\0';
	if (!is_device_name(name) || !set_path(walk->roots, &node, name))
		return 0;
	node.block = !read_link_name(dir, "subsystem", subsystem,
				     sizeof(subsystem)) &&
		     !strcmp(subsystem, "block");
	node.kind = kind_of(name);
	return add_node(walk->nodes, &node);
}

static bool is_directory(int dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_name[0] == '.')
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return !fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode);
}

/*
 * Goes through the directories below @fd, which it closes. Links lead out of the
 * device, so they are not followed. What goes while we look is skipped.
 */
static int walk_below(struct walk *walk, int fd, unsigned int depth)
{
	struct dirent *entry;
	int child, err = 0;
	DIR *dir;

	dir = dir_stream(fd);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(dir))) {
		if (!is_directory(fd, entry))
			continue;
		if (!walk->dirs || depth == DEPTH_MAX) {
			err = -E2BIG;
			break;
		}
		walk->dirs--;
		child = openat(fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			continue;
		err = add_of_dir(walk, child);
		if (err)
			close(child);
		else
			err = walk_below(walk, child, depth + 1);
	}
	closedir(dir);
	return err;
}

/* A node by its name and by the number that sysfs gives at @dev_file. */
static int add_named(struct walk *walk, const char *name, const char *dev_file,
		     struct node *node)
{
	char path[256], text[64];

	if (snprintf(path, sizeof(path), "%s/%s", walk->roots->sys, dev_file) >=
		    (int)sizeof(path) ||
	    read_text(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    !parse_dev(text, &node->rdev) || !set_path(walk->roots, node, name))
		return 0;
	return add_node(walk->nodes, node);
}

/* Whether a group has functions of other slots, which a VM then has as well. */
static bool group_is_shared(int function, size_t slot_len, const char *address)
{
	struct dirent *entry;
	bool shared = false;
	DIR *dir;

	dir = dir_stream(openat(function, "iommu_group/devices",
				O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
		    strncmp(entry->d_name, address, slot_len) != 0)
			shared = true;
	}
	closedir(dir);
	return shared;
}

static int add_vfio(struct walk *walk, int function, const char *address)
{
	char group[16], name[32], dev_file[64];
	struct node node = { .kind = NODE_VFIO };

	if (read_link_name(function, "iommu_group", group, sizeof(group)))
		return 0;
	node.shared = group_is_shared(function, strlen(address) - 1, address);
	snprintf(name, sizeof(name), "vfio/%s", group);
	snprintf(dev_file, sizeof(dev_file), "class/vfio/%s/dev", group);
	return add_named(walk, name, dev_file, &node);
}

/* NVIDIA's own driver has its nodes without the driver core. */
static int add_nvidia(struct walk *walk, const char *address)
{
	struct node node = { .kind = NODE_NVIDIA };
	char path[256], text[4096], name[32];
	struct stat st;
	uint64_t minor;

	if (snprintf(path, sizeof(path), "%s/driver/nvidia/gpus/%s/information",
		     walk->roots->proc, address) >= (int)sizeof(path) ||
	    read_text(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    !read_field(text, "Device Minor:", &minor))
		return 0;
	snprintf(name, sizeof(name), "nvidia%u", (unsigned int)minor);
	if (!set_path(walk->roots, &node, name) || stat(node.path, &st) ||
	    !S_ISCHR(st.st_mode))
		return 0;
	node.rdev = st.st_rdev;
	return add_node(walk->nodes, &node);
}

/* What cannot be found below the function, by its driver. */
static int add_by_driver(struct walk *walk, int function, const char *address)
{
	struct node kfd = { .kind = NODE_KFD, .shared = true };
	char driver[32];

	if (read_link_name(function, "driver", driver, sizeof(driver)))
		return 0;
	if (!strcmp(driver, "vfio-pci"))
		return add_vfio(walk, function, address);
	if (!strcmp(driver, "nvidia"))
		return add_nvidia(walk, address);
	if (!strcmp(driver, "amdgpu"))
		return add_named(walk, "kfd", "class/kfd/kfd/dev", &kfd);
	return 0;
}

/* Opens the directory of a PCI function. */
static int open_function(const struct usage_roots *roots, const char *address)
{
	char path[256];

	if (snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", roots->sys,
		     address) >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/**
 * nodes_find() - find the device nodes of a GPU
 * @roots: where the machine is
 * @address: PCI address of the GPU
 * @nodes: where to put them; free with nodes_free(), also after an error
 *
 * Those of the other functions of its slot are in it as well, since they leave
 * with it. The nodes are found in sysfs; whether they can be opened, or are just
 * fenced, makes no difference.
 *
 * Return: 0, -EINVAL when @address is none, -ENODEV when nothing is there,
 * -E2BIG when there is more than can be believed, or -ENOMEM.
 */
int nodes_find(const struct usage_roots *roots, const char *address,
	       struct nodes *nodes)
{
	struct walk walk = { roots, nodes, DIRS_MAX };
	int err = 0, fd, function;
	bool found = false;
	char name[32];

	memset(nodes, 0, sizeof(*nodes));
	if (!text_pci_address(address, name, sizeof(name)))
		return -EINVAL;
	for (function = 0; !err && function < 8; function++) {
		name[strlen(name) - 1] = '0' + function;
		fd = open_function(roots, name);
		if (fd < 0)
			continue;
		found = true;
		err = add_by_driver(&walk, fd, name);
		if (err)
			close(fd);
		else
			err = walk_below(&walk, fd, 0);
	}
	return err ? err : found ? 0 : -ENODEV;
}

/**
 * nodes_left() - count what is on the bus beside a GPU
 * @roots: where the machine is
 * @address: PCI address of the GPU
 *
 * Return: how many other functions of its slot there are.
 */
unsigned int nodes_left(const struct usage_roots *roots, const char *address)
{
	unsigned int left = 0;
	char name[32], self;
	int function, fd;

	if (!text_pci_address(address, name, sizeof(name)))
		return 0;
	self = name[strlen(name) - 1];
	for (function = 0; function < 8; function++) {
		if ('0' + function == self)
			continue;
		name[strlen(name) - 1] = '0' + function;
		fd = open_function(roots, name);
		if (fd < 0)
			continue;
		close(fd);
		left++;
	}
	return left;
}

/**
 * nodes_free() - free what nodes_find() has filled in
 * @nodes: nodes; empty afterwards
 */
void nodes_free(struct nodes *nodes)
{
	free(nodes->item);
	memset(nodes, 0, sizeof(*nodes));
}

/* The node with a device number, or NULL. */
const struct node *nodes_with(const struct nodes *nodes, dev_t rdev, bool block)
{
	size_t i;

	for (i = 0; i < nodes->n; i++) {
		if (nodes->item[i].rdev == rdev && nodes->item[i].block == block)
			return &nodes->item[i];
	}
	return NULL;
}

/**
 * node_kind_name() - the name of a kind of node
 * @kind: kind
 *
 * Return: a constant string such as "drm".
 */
const char *node_kind_name(enum node_kind kind)
{
	static const char *const name[] = {
		[NODE_DRM] = "drm",   [NODE_SOUND] = "sound",
		[NODE_VFIO] = "vfio", [NODE_NVIDIA] = "nvidia",
		[NODE_KFD] = "kfd",   [NODE_OTHER] = "other",
	};

	return (size_t)kind < ARRAY_SIZE(name) ? name[kind] : "other";
}
