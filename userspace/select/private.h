/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of select share and nobody else sees. One section per .c file.
 */
#ifndef SELECT_PRIVATE_H
#define SELECT_PRIVATE_H

#include "select.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ------------------------------------------------------------- sysfs.c */

/**
 * struct link_state - what a PCIe link does
 * @speed: per lane, in MT/s
 * @width: lanes
 */
struct link_state {
	uint32_t speed;
	uint32_t width;
};

int sysfs_open(const struct usage_roots *roots, const char *address);
int sysfs_number(int dir, const char *path, uint64_t max, uint64_t *value);
bool sysfs_asleep(int dir);
int sysfs_link(int dir, const char *which, struct link_state *link);

/* ------------------------------------------------------------- sensors.c */

void reading_set(struct reading *reading, double value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void reading_unknown(struct reading *reading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sensors_read(int dir, struct candidate *candidate);
void sensors_unknown(struct candidate *candidate, const char *why);

/* ------------------------------------------------------------- apart.c */

/**
 * struct apart - what is to be read in a process apart
 * @devices: the GPUs
 * @candidates: one for each, with what is known without reading
 * @roots: where the machine is
 * @cache_dir: where measured bandwidths are kept, or NULL
 * @read: reads about one of them
 */
struct apart {
	const struct egpu_device_list *devices;
	struct candidate *candidates;
	const struct usage_roots *roots;
	const char *cache_dir;
	void (*read)(const struct apart *apart, const struct egpu_device *device,
		     struct candidate *candidate);
};

extern unsigned int apart_limit_ms;

int apart_read(const struct apart *apart);

/* ------------------------------------------------------------- terms.c */

bool reading_usable(const struct reading *reading);
void terms_of(const struct candidate *candidate, const struct need *need,
	      struct ranked *ranked);

/* ------------------------------------------------------------- explain.c */

#define BYTES_TEXT 24
#define WHO_TEXT   64

const char *bytes_text(double bytes, char *buf);
const char *who_text(const struct candidate *candidate, char *buf);

#endif
