// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A machine for egpuctl to look at.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ctl_roots.h"
#include "test.h"

struct tree ctl_tree;

static void remove_tree(void)
{
	if (ctl_tree.top[0])
		tree_free(&ctl_tree);
	ctl_tree.top[0] = '\0';
}

void ctl_roots_new(void)
{
	static bool registered;

	remove_tree();
	if (!registered)
		atexit(remove_tree);
	registered = true;
	tree_new(&ctl_tree);
	tree_dir(&ctl_tree, "sys/bus/pci/devices");
	tree_dir(&ctl_tree, "dev/dri");
}

const struct usage_roots *ctl_roots(void)
{
	if (!ctl_tree.top[0])
		ctl_roots_new();
	return &ctl_tree.roots;
}

/* A node of a GPU, with the number of the device that it is a link to. */
static void add_node(const char *address, const char *name, const char *numbers,
		     const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/drm/%s/dev",
		 address, name);
	tree_file(&ctl_tree, path, "%s\n", numbers);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/drm/%s/uevent",
		 address, name);
	tree_file(&ctl_tree, path, "MAJOR=1\nDEVNAME=dri/%s\n", name);
	snprintf(path, sizeof(path), "dev/dri/%s", name);
	tree_link(&ctl_tree, path, target);
}

void ctl_roots_add_gpu(const char *address, unsigned int index, bool nodes)
{
	char path[128], name[32];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/resource", address);
	tree_file(&ctl_tree, path,
		  "0x00000000d0000000 0x00000000d0ffffff 0x0000000000140204\n");
	if (!nodes)
		return;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", address);
	tree_link(&ctl_tree, path, "../../../drivers/bochs-drm");
	snprintf(name, sizeof(name), "card%u", index);
	add_node(address, name, "1:3", "/dev/null");
	snprintf(name, sizeof(name), "renderD%u", 128 + index);
	add_node(address, name, "1:5", "/dev/zero");
}

void ctl_roots_add_process(const struct tree_process *process,
			   unsigned int client)
{
	char fdinfo[64];

	tree_process(&ctl_tree, process);
	if (!client)
		return;
	snprintf(fdinfo, sizeof(fdinfo), "drm-client-id:\t%u\n", client);
	tree_fd(&ctl_tree, process->pid, 5, "/dev/zero", fdinfo);
}
