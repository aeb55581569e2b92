/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EGPU_COMMON_TEXT_H
#define EGPU_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t text_utf8_length(const char *text);
bool text_is_printable(const char *text);
char *text_printable(const char *text, char *buf, size_t size);
bool text_to_uint(const char *text, uint64_t max, uint64_t *value);
bool text_to_milliseconds(const char *text, uint64_t max, uint64_t *ms);
bool text_pci_address(const char *text, char *buf, size_t size);

#endif
