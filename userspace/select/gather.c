// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All devices that work could go on with: the GPUs that the kernel lists and the
 * CPU. Reads files of sysfs and procfs and opens no device.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../usage/read.h"
#include "private.h"

/* What a cable carries when nobody has measured it: Thunderbolt 3 and 4. */
#define TUNNEL_BANDWIDTH 2.8e9
/* What the files say of a tunnelled link, whatever it really does. */
#define TUNNEL_SPEED 2500

static bool is_leaving(const struct egpu_device *device)
{
	return device->cookie || device->state == EGPU_DEVICE_STATE_LEAVING ||
	       device->state == EGPU_DEVICE_STATE_DETACHED ||
	       device->state == EGPU_DEVICE_STATE_GONE;
}

/* Any driver makes plain buffers on its primary node, few on the other. */
static void find_node(const struct egpu_device *device, char *node, size_t size)
{
	static const uint32_t types[] = { EGPU_MINOR_TYPE_PRIMARY,
					  EGPU_MINOR_TYPE_RENDER };
	uint32_t i;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (i = 0; i < device->n_minors; i++) {
			if (device->minors[i].type == types[t] &&
			    egpu_minor_path(&device->minors[i], node, size))
				return;
		}
	}
	node[0] = '\0';
}

/* What is known without having measured: a guess from the link. */
static void expect_bandwidth(const struct egpu_device *device,
			     struct reading *bandwidth)
{
	double bits;

	if (device->external && (device->marker == EGPU_MARKER_THUNDERBOLT ||
				 (device->marker == EGPU_MARKER_REMOVABLE &&
				  device->link_speed == TUNNEL_SPEED))) {
		reading_set(bandwidth, TUNNEL_BANDWIDTH,
			    "default for a tunnelled link, not measured");
	} else if (device->link_speed && device->link_width) {
		/* 8b/10b up to 5 GT/s, then 128b/130b. */
		bits = 1e6 * device->link_speed * device->link_width *
		       (device->link_speed > 5000 ? 128.0 / 130 : 0.8);
		reading_set(bandwidth, bits / 8,
			    "what %u.%u GT/s x%u can carry, not measured",
			    device->link_speed / 1000,
			    device->link_speed / 100 % 10, device->link_width);
	} else {
		reading_unknown(bandwidth, "not measured, and it has no link");
		return;
	}
	bandwidth->estimate = true;
}

static void gather_bandwidth(const struct usage_roots *roots,
			     const struct egpu_device *device,
			     const char *cache_dir, struct reading *bandwidth)
{
	uint64_t bytes_per_s;

	if (cache_dir &&
	    !bandwidth_load(cache_dir, roots, device->address, &bytes_per_s))
		reading_set(bandwidth, (double)bytes_per_s,
			    "measured over this link");
	else
		expect_bandwidth(device, bandwidth);
}

/* What the kernel's list tells. */
static void begin_gpu(const struct egpu_device *device,
		      struct candidate *candidate)
{
	candidate->id = device->id;
	snprintf(candidate->address, sizeof(candidate->address), "%s",
		 device->address);
	snprintf(candidate->driver, sizeof(candidate->driver), "%.*s",
		 (int)sizeof(candidate->driver) - 1, device->driver);
	find_node(device, candidate->node, sizeof(candidate->node));
	candidate->external = device->external;
	candidate->leaving = is_leaving(device);
	sensors_unknown(candidate, "no process could be made to look");
}

/* What its files tell, in a process apart. */
static void read_gpu(const struct apart *apart, const struct egpu_device *device,
		     struct candidate *candidate)
{
	int dir;

	/* Its files may be about to go, and its driver has better to do. */
	if (candidate->leaving) {
		sensors_unknown(candidate, "it is leaving");
		return;
	}
	dir = sysfs_open(apart->roots, device->address);
	if (dir < 0) {
		sensors_unknown(candidate, "it is not in sysfs");
	} else {
		sensors_read(dir, candidate);
		close(dir);
	}
	gather_bandwidth(apart->roots, device, apart->cache_dir,
			 &candidate->bandwidth);
}

static void read_meminfo(const char *text, const char *name,
			 struct reading *reading)
{
	char key[32];
	uint64_t kib;

	snprintf(key, sizeof(key), "%s:", name);
	if (!read_field(text, key, &kib) || kib > UINT64_MAX >> 20)
		reading_unknown(reading, "meminfo has no %s", name);
	else
		reading_set(reading, (double)kib * 1024, "meminfo, %s", name);
}

static void gather_cpu(const struct usage_roots *roots,
		       struct candidate *candidate)
{
	char path[256], text[8192];

	candidate->cpu = true;
	sensors_unknown(candidate, "it is no GPU");
	if (snprintf(path, sizeof(path), "%s/meminfo", roots->proc) >=
		    (int)sizeof(path) ||
	    read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		text[0] = '\0';
	read_meminfo(text, "MemTotal", &candidate->memory_total);
	read_meminfo(text, "MemAvailable", &candidate->memory_free);
}

/**
 * select_gather() - find out about all devices that work could go on with
 * @roots: where the machine is; with another .sys, where its sensors are
 * @devices: the GPUs that the kernel lists, internal ones included
 * @cache_dir: where measured bandwidths are kept, or NULL
 * @candidates: where to put them, in the order of @devices and then the CPU.
 *	Their .sessions and .tripped are 0.
 *
 * A device that sleeps is not woken, one that is leaving is not looked at, and
 * one whose driver does not answer keeps nobody waiting for more than some
 * seconds.
 *
 * Return: 0. Of more GPUs than there is room for the first are taken.
 */
int select_gather(const struct usage_roots *roots,
		  const struct egpu_device_list *devices, const char *cache_dir,
		  struct candidates *candidates)
{
	const struct apart apart = {
		.devices = devices,
		.candidates = candidates->item,
		.roots = roots,
		.cache_dir = cache_dir,
		.read = read_gpu,
	};
	size_t i;

	memset(candidates, 0, sizeof(*candidates));
	for (i = 0; i < devices->count && i < CANDIDATES_MAX - 1; i++)
		begin_gpu(devices->item[i], &candidates->item[candidates->n++]);
	apart_read(&apart);
	gather_cpu(roots, &candidates->item[candidates->n++]);
	return 0;
}
