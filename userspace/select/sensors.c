// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the files of one GPU in sysfs tell. Those that ask the driver are left
 * alone while it sleeps, and what makes no sense is not known.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "../common/dir.h"
#include "../common/text.h"
#include "../usage/read.h"
#include "private.h"

/* More than any device has, and what a double still holds exactly. */
#define MEMORY_MAX 4503599627370496ull
/* In thousandths of a degree, as hwmon has them. */
#define TEMPERATURE_MAX 200000
#define HWMON_MAX	64

/* <linux/ioport.h>, as the file "resource" shows the flags. */
#define RESOURCE_MEM	  0x00000200
#define RESOURCE_PREFETCH 0x00002000
#define N_BARS		  6

/* A smaller region holds registers and no pictures. */
#define BAR_MIN (1024 * 1024u)

void reading_set(struct reading *reading, double value, const char *format, ...)
{
	va_list args;

	reading->known = true;
	reading->estimate = false;
	reading->value = value;
	va_start(args, format);
	vsnprintf(reading->source, sizeof(reading->source), format, args);
	va_end(args);
}

void reading_unknown(struct reading *reading, const char *format, ...)
{
	char why[80];
	va_list args;

	memset(reading, 0, sizeof(*reading));
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	snprintf(reading->source, sizeof(reading->source), "not known: %s", why);
}

/* Why a file has given no number. */
static void unknown_file(struct reading *reading, const char *file, int err)
{
	if (err == -ENOENT)
		reading_unknown(reading, "there is no %s", file);
	else if (err == -ERANGE)
		reading_unknown(reading, "%s makes no sense", file);
	else
		reading_unknown(reading, "%s cannot be read: %s", file,
				strerror(-err));
}

/* Bytes of the largest prefetchable region, and which it is; -1 if none. */
static int largest_bar(int dir, uint64_t *bytes)
{
	char text[4096], *line = text;
	uint64_t start, end, flags;
	int bar, best = -1;

	*bytes = 0;
	if (read_text(dir, "resource", text, sizeof(text)) < 0)
		return -1;
	for (bar = 0; bar < N_BARS; bar++) {
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start,
			   &end, &flags) != 3)
			break;
		if (flags & RESOURCE_MEM && flags & RESOURCE_PREFETCH &&
		    end > start && end - start < MEMORY_MAX &&
		    end - start + 1 >= BAR_MIN && end - start + 1 > *bytes) {
			*bytes = end - start + 1;
			best = bar;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return best;
}

static void estimate_memory(int dir, struct candidate *candidate)
{
	uint64_t bytes;
	int bar;

	bar = largest_bar(dir, &bytes);
	if (bar < 0) {
		reading_unknown(&candidate->memory_total,
				"no file and no prefetchable BAR tell");
		return;
	}
	reading_set(&candidate->memory_total, (double)bytes,
		    "size of the prefetchable BAR %d, an estimate", bar);
	candidate->memory_total.estimate = true;
}

/**
 * struct pool - a kind of memory of which a driver tells how much there is
 * @total: file with all of it
 * @used: file with what is taken
 */
struct pool {
	const char *total;
	const char *used;
};

static int read_pool(int dir, const struct pool *pool, uint64_t *total,
		     uint64_t *left, const char **file)
{
	uint64_t used;
	int err;

	*file = pool->total;
	err = sysfs_number(dir, pool->total, MEMORY_MAX, total);
	if (!err && !*total)
		err = -ERANGE;
	if (err)
		return err;
	*file = pool->used;
	err = sysfs_number(dir, pool->used, *total, &used);
	if (!err)
		*left = *total - used;
	return err;
}

/*
 * amdgpu. An internal GPU may use all of the memory that is set aside for it in
 * RAM; for one on a cable RAM is on the wrong side of it.
 */
static int memory_of_pools(int dir, struct candidate *candidate)
{
	static const struct pool vram = { "mem_info_vram_total",
					  "mem_info_vram_used" };
	static const struct pool gtt = { "mem_info_gtt_total",
					 "mem_info_gtt_used" };
	uint64_t total, left, more, more_left;
	const char *file, *kinds = "vram";
	int err;

	err = read_pool(dir, &vram, &total, &left, &file);
	if (err == -ENOENT && file == vram.total)
		return err;
	if (err) {
		unknown_file(&candidate->memory_total, file, err);
		unknown_file(&candidate->memory_free, file, err);
		return 0;
	}
	if (!candidate->external &&
	    !read_pool(dir, &gtt, &more, &more_left, &file)) {
		total += more;
		left += more_left;
		kinds = "vram and mem_info_gtt";
	}
	reading_set(&candidate->memory_total, (double)total,
		    "mem_info_%s_total", kinds);
	reading_set(&candidate->memory_free, (double)left,
		    "mem_info_%s, total less used", kinds);
	return 0;
}

static void read_memory(int dir, struct candidate *candidate)
{
	static const char *const files[] = {
		"tile0/physical_vram_size_bytes", /* xe */
		"lmem_total_bytes", /* i915 */
	};
	uint64_t total;
	size_t i;
	int err;

	if (!memory_of_pools(dir, candidate))
		return;
	reading_unknown(&candidate->memory_free, "%s has no file that tells it",
			candidate->driver[0] ? candidate->driver : "no driver");
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		err = sysfs_number(dir, files[i], MEMORY_MAX, &total);
		if (err == -ENOENT)
			continue;
		if (err || !total)
			unknown_file(&candidate->memory_total, files[i],
				     err ? err : -ERANGE);
		else
			reading_set(&candidate->memory_total, (double)total,
				    "%s", files[i]);
		return;
	}
	estimate_memory(dir, candidate);
}

/* The lowest number N of a directory hwmon/hwmonN; -1 if there is none. */
static int find_hwmon(int dir)
{
	DIR *hwmon = dir_stream(openat(dir, "hwmon",
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC |
					       O_NOFOLLOW));
	struct dirent *entry;
	int lowest = -1, left = HWMON_MAX;
	uint64_t number;

	if (!hwmon)
		return -1;
	while (left-- && (entry = readdir(hwmon))) {
		if (!strncmp(entry->d_name, "hwmon", 5) &&
		    read_number(entry->d_name + 5, 1000000, &number) &&
		    (lowest < 0 || (int)number < lowest))
			lowest = (int)number;
	}
	closedir(hwmon);
	return lowest;
}

static void read_temperature(int dir, struct candidate *candidate)
{
	int hwmon = find_hwmon(dir), err;
	uint64_t value;
	char path[48];

	if (hwmon < 0) {
		reading_unknown(&candidate->temperature, "there is no hwmon");
		return;
	}
	snprintf(path, sizeof(path), "hwmon/hwmon%d/temp1_input", hwmon);
	/* Below zero, which no GPU at work is, makes no sense either. */
	err = sysfs_number(dir, path, TEMPERATURE_MAX, &value);
	if (err)
		unknown_file(&candidate->temperature, path, err);
	else
		reading_set(&candidate->temperature, (double)value / 1000, "%s",
			    path);
}

static void read_load(int dir, struct candidate *candidate)
{
	uint64_t percent;
	int err;

	err = sysfs_number(dir, "gpu_busy_percent", 100, &percent);
	if (err)
		unknown_file(&candidate->load, "gpu_busy_percent", err);
	else
		reading_set(&candidate->load, (double)percent / 100,
			    "gpu_busy_percent");
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What the link has of what both of its ends can do. */
static void read_link(int dir, int port, struct candidate *candidate)
{
	struct link_state now, max, other;
	int err;

	err = sysfs_link(dir, "current", &now);
	if (!err)
		err = sysfs_link(dir, "max", &max);
	if (err) {
		unknown_file(&candidate->link_share, "link speed or width", err);
		return;
	}
	if (port >= 0 && !sysfs_asleep(port) &&
	    !sysfs_link(port, "max", &other)) {
		max.speed = least(max.speed, other.speed);
		max.width = least(max.width, other.width);
	}
	if (now.speed > max.speed || now.width > max.width) {
		reading_unknown(&candidate->link_share,
				"the link is said to be faster than it can be");
		return;
	}
	reading_set(&candidate->link_share,
		    (double)now.speed * now.width / max.speed / max.width,
		    "%u.%u GT/s x%u of %u.%u GT/s x%u", now.speed / 1000,
		    now.speed / 100 % 10, now.width, max.speed / 1000,
		    max.speed / 100 % 10, max.width);
}

/* Errors that were not corrected, of one end of the link. */
static bool count_errors(int dir, uint64_t *count)
{
	static const char *const files[][2] = {
		{ "aer_dev_fatal", "TOTAL_ERR_FATAL" },
		{ "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL" },
	};
	char text[4096];
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (read_text(dir, files[i][0], text, sizeof(text)) < 0 ||
		    !read_field(text, files[i][1], &value) || value > MEMORY_MAX)
			return false;
		*count += value;
	}
	return true;
}

/* The kernel keeps these itself, so a sleeping device is not asked. */
static void read_errors(int dir, int port, struct candidate *candidate)
{
	bool of_device, of_port;
	uint64_t count = 0;

	of_device = count_errors(dir, &count);
	of_port = port >= 0 && count_errors(port, &count);
	if (of_device || of_port)
		reading_set(&candidate->errors, (double)count,
			    "aer_dev_fatal and aer_dev_nonfatal of %s",
			    !of_port   ? "the GPU" :
			    !of_device ? "the port above" :
					 "the GPU and the port above");
	else
		reading_unknown(&candidate->errors,
				"no aer_dev_fatal and aer_dev_nonfatal");
}

static void read_suspended(int dir, struct candidate *candidate)
{
	char text[32], printable[32];
	int len;

	len = read_text(dir, "power/runtime_status", text, sizeof(text));
	if (len < 0) {
		unknown_file(&candidate->suspended, "power/runtime_status",
			     len == -E2BIG ? -ERANGE : len);
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	reading_set(&candidate->suspended, sysfs_asleep(dir),
		    "power/runtime_status: %s",
		    text_printable(text, printable, sizeof(printable)));
}

static void read_boot_display(int dir, struct candidate *candidate)
{
	uint64_t value;

	candidate->boot_display = !sysfs_number(dir, "boot_vga", 1, &value) &&
				  value;
}

/**
 * sensors_unknown() - nothing is known of a device
 * @candidate: its readings are filled in
 * @why: why not, the same for all of them
 */
void sensors_unknown(struct candidate *candidate, const char *why)
{
	reading_unknown(&candidate->memory_total, "%s", why);
	reading_unknown(&candidate->memory_free, "%s", why);
	reading_unknown(&candidate->bandwidth, "%s", why);
	reading_unknown(&candidate->link_share, "%s", why);
	reading_unknown(&candidate->load, "%s", why);
	reading_unknown(&candidate->temperature, "%s", why);
	reading_unknown(&candidate->errors, "%s", why);
	reading_unknown(&candidate->suspended, "%s", why);
}

/**
 * sensors_read() - read what sysfs tells of a GPU
 * @dir: its directory there
 * @candidate: its readings but the bandwidth are filled in
 */
void sensors_read(int dir, struct candidate *candidate)
{
	/* Of a device without a bridge above, that is no device at all. */
	int port = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	sensors_unknown(candidate, "it sleeps and is not woken for this");
	read_boot_display(dir, candidate);
	read_suspended(dir, candidate);
	read_errors(dir, port, candidate);
	if (sysfs_asleep(dir)) {
		estimate_memory(dir, candidate);
	} else {
		read_memory(dir, candidate);
		read_temperature(dir, candidate);
		read_load(dir, candidate);
		read_link(dir, port, candidate);
	}
	if (port >= 0)
		close(port);
}
