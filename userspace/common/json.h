/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EGPU_COMMON_JSON_H
#define EGPU_COMMON_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a JSON text being written
 * @out: where to
 * @comma: a value was written on this level, so the next needs a comma
 *
 * Written as it comes and never read, so there is no tree to keep and no
 * library needed. libsmartcols, which draws our tables, can write JSON as well,
 * but neither nested objects nor null.
 *
 * In an object a value has a key, in an array and at the top it is NULL.
 */
struct json {
	FILE *out;
	bool comma;
};

void json_begin(struct json *json, FILE *out);
void json_object(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value);
void json_string_or_null(struct json *json, const char *key, const char *value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_int(struct json *json, const char *key, int64_t value);
void json_hex(struct json *json, const char *key, int digits, uint64_t value);
void json_decimal(struct json *json, const char *key, double value);
void json_milli(struct json *json, const char *key, uint64_t ns);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_newline(struct json *json);

#endif
