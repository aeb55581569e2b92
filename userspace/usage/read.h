/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small files of /proc and /sys, for usage itself and for select.
 */
#ifndef USAGE_READ_H
#define USAGE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int read_text(int dir, const char *path, char *buf, size_t size);
int read_link_name(int dir, const char *path, char *buf, size_t size);
bool read_number(const char *name, uint64_t max, uint64_t *value);
bool read_field(const char *text, const char *key, uint64_t *value);

#endif
