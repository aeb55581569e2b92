// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing JSON.
 */
#include <inttypes.h>

#include "json.h"
#include "text.h"

void json_begin(struct json *json, FILE *out)
{
	json->out = out;
	json->comma = false;
}

/* Writes @text in quotes; what is no UTF-8 becomes the replacement character. */
static void quote(FILE *out, const char *text)
{
	size_t len;

	putc('"', out);
	for (; *text; text += len) {
		unsigned char c = *text;

		len = text_utf8_length(text);
		if (!len) {
			fputs("\\ufffd", out);
			len = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(out, "\\u%04x", c);
		} else {
			fwrite(text, 1, len, out);
		}
	}
	putc('"', out);
}

/* Everything up to the value. */
static void lead(struct json *json, const char *key)
{
	if (json->comma)
		putc(',', json->out);
	json->comma = true;
	if (key) {
		quote(json->out, key);
		putc(':', json->out);
	}
}

void json_object(struct json *json, const char *key)
{
	lead(json, key);
	putc('{', json->out);
	json->comma = false;
}

void json_object_end(struct json *json)
{
	putc('}', json->out);
	json->comma = true;
}

void json_array(struct json *json, const char *key)
{
	lead(json, key);
	putc('[', json->out);
	json->comma = false;
}

void json_array_end(struct json *json)
{
	putc(']', json->out);
	json->comma = true;
}

void json_string(struct json *json, const char *key, const char *value)
{
	lead(json, key);
	quote(json->out, value);
}

/* NULL and the empty string both mean that there is none. */
void json_string_or_null(struct json *json, const char *key, const char *value)
{
	if (value && *value)
		json_string(json, key, value);
	else
		json_null(json, key);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	lead(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	lead(json, key);
	fprintf(json->out, "%" PRId64, value);
}

/* As a string, "0x1002", since JSON has no such numbers. */
void json_hex(struct json *json, const char *key, int digits, uint64_t value)
{
	lead(json, key);
	fprintf(json->out, "\"0x%0*" PRIx64 "\"", digits, value);
}

/* With three decimals and a point, whatever the locale; not below 0. */
void json_decimal(struct json *json, const char *key, double value)
{
	uint64_t thousandths = (uint64_t)(value * 1000 + 0.5);

	lead(json, key);
	fprintf(json->out, "%" PRIu64 ".%03" PRIu64, thousandths / 1000,
		thousandths % 1000);
}

/* Nanoseconds as milliseconds with six decimals, of which none is rounded. */
void json_milli(struct json *json, const char *key, uint64_t ns)
{
	lead(json, key);
	fprintf(json->out, "%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
}

void json_bool(struct json *json, const char *key, bool value)
{
	lead(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	lead(json, key);
	fputs("null", json->out);
}

/* Ends a text, so that another can follow in the same stream. */
void json_newline(struct json *json)
{
	putc('\n', json->out);
	fflush(json->out);
	json->comma = false;
}
