// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which GPU a person means.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

static bool has_node(const struct egpu_device *dev, const char *node)
{
	char path[32];
	uint32_t i;

	for (i = 0; i < dev->n_minors; i++) {
		const char *base;

		if (!egpu_minor_path(&dev->minors[i], path, sizeof(path)))
			continue;
		base = strrchr(path, '/') + 1;
		if (!strcmp(base, node))
			return true;
	}
	return false;
}

/* 07:00.0 without a domain means that GPU in any domain. */
static bool has_address(const struct egpu_device *dev, const char *name)
{
	char full[EGPU_ADDRESS_LEN + 1];
	size_t have, want = strlen(name);

	if (!text_pci_address(name, full, sizeof(full)))
		return false;
	if (want > 7)
		return !strcasecmp(dev->address, name);
	have = strlen(dev->address);
	return have >= want && !strcasecmp(dev->address + have - want, name);
}

static bool matches(const struct egpu_device *dev, const char *name)
{
	uint64_t id;

	if (text_to_uint(name, UINT32_MAX, &id))
		return dev->id == id;
	return has_address(dev, name) || has_node(dev, name);
}

/* The last part of a path once its links are followed, e.g. of by-path/. */
static const char *base_of_path(const char *path, char **resolved)
{
	const char *slash;

	*resolved = realpath(path, NULL);
	slash = strrchr(*resolved ? *resolved : path, '/');
	return slash + 1;
}

static int count_matches(const struct egpu_device_list *list, const char *name,
			 const struct egpu_device **device)
{
	int n = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (!matches(list->item[i], name))
			continue;
		*device = list->item[i];
		n++;
	}
	return n;
}

/**
 * ctl_find_gpu() - find the GPU that a person has named
 * @ctl: for the report when there is none, or more than one
 * @list: all GPUs
 * @name: id, PCI address, node or path of a node or of a sysfs device
 * @device: where to put it, owned by @list
 *
 * Return: EXIT_OK, or the exit code of what was reported.
 */
int ctl_find_gpu(struct ctl *ctl, const struct egpu_device_list *list,
		 const char *name, const struct egpu_device **device)
{
	char *resolved = NULL;
	const char *base = name;
	int n;

	if (strchr(name, '/'))
		base = base_of_path(name, &resolved);
	n = count_matches(list, base, device);
	free(resolved);
	if (n == 1)
		return EXIT_OK;
	if (n)
		return ctl_fail(ctl, EXIT_USAGE, -EINVAL,
				"'%s' can mean %d GPUs: give the full PCI address or the id, see 'egpuctl list'",
				name, n);
	return ctl_fail(ctl, EXIT_NOT_FOUND, -ENODEV,
			"there is no GPU '%s': 'egpuctl list' shows those there are",
			name);
}
