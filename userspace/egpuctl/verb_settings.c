// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl settings: the module's settings and what it says of itself
 */
#include <inttypes.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

/**
 * struct key - a setting that can be changed
 * @name: as typed
 * @attr: EGPU_A_SETTINGS_*
 * @max: largest value in ms
 */
struct key {
	const char *name;
	int attr;
	uint32_t max;
};

static const struct key keys[] = {
	{ "hold-ms", EGPU_A_SETTINGS_HOLD_MS, EGPU_HOLD_MS_MAX },
	{ "accept-ms", EGPU_A_SETTINGS_ACCEPT_MS, EGPU_HOLD_MS_MAX },
	{ "eject-ms", EGPU_A_SETTINGS_EJECT_MS, EGPU_EJECT_MS_MAX },
	{ "drain-ms", EGPU_A_SETTINGS_DRAIN_MS, EGPU_DRAIN_MS_MAX },
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

/* JSON spells keys with '_', so that is accepted as well. */
static bool same_key(const char *name, const char *text, size_t len)
{
	size_t i;

	if (strlen(name) != len)
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] != (text[i] == '_' ? '-' : text[i]))
			return false;
	}
	return true;
}

static int parse_setting(struct ctl *ctl, const char *text, int *attr,
			 uint32_t *value)
{
	const char *equals = strchr(text, '=');
	uint64_t number;
	size_t i;

	if (!equals)
		return ctl_usage(ctl, "'%s' is not of the form KEY=VALUE", text);
	for (i = 0; i < N_KEYS; i++) {
		if (same_key(keys[i].name, text, equals - text))
			break;
	}
	if (i == N_KEYS)
		return ctl_usage(ctl,
				 "there is no setting '%.*s': there are hold-ms, accept-ms, eject-ms and drain-ms",
				 (int)(equals - text), text);
	if (!text_to_uint(equals + 1, keys[i].max, &number))
		return ctl_usage(ctl,
				 "'%s' is not a number of milliseconds up to %u",
				 equals + 1, keys[i].max);
	*attr = keys[i].attr;
	*value = (uint32_t)number;
	return EXIT_OK;
}

static void write_json(struct ctl *ctl, const struct egpu_settings *set)
{
	struct json json;

	tojson_begin(ctl, &json);
	json_object(&json, "settings");
	json_uint(&json, "hold_ms", set->hold_ms);
	json_uint(&json, "accept_ms", set->accept_ms);
	json_uint(&json, "eject_ms", set->eject_ms);
	if (EGPU_HAS(set, EGPU_A_SETTINGS_DRAIN_MS))
		json_uint(&json, "drain_ms", set->drain_ms);
	else
		json_null(&json, "drain_ms");
	/* All 64 bits count, which a JSON number does not promise to keep. */
	json_hex(&json, "instance", 16, set->instance);
	json_uint(&json, "seq", set->seq);
	json_bool(&json, "helpers", set->helpers);
	json_string(&json, "version", set->version);
	json_object_end(&json);
	tojson_end(&json);
}

static void write_text(struct ctl *ctl, const struct egpu_settings *set)
{
	char version[EGPU_STRING_MAX];

	fprintf(ctl->out, "hold-ms=%u\naccept-ms=%u\neject-ms=%u\n",
		set->hold_ms, set->accept_ms, set->eject_ms);
	if (EGPU_HAS(set, EGPU_A_SETTINGS_DRAIN_MS))
		fprintf(ctl->out, "drain-ms=%u\n", set->drain_ms);
	fprintf(ctl->out,
		"helper listens: %s\nmodule version: %s\nlast event: %" PRIu64
		"\n",
		set->helpers ? "yes" : "no",
		text_printable(set->version, version, sizeof(version)),
		set->seq);
}

static int change(struct ctl *ctl, int argc, char **argv)
{
	/* A key that is named twice has the last value, as on most tools. */
	int attrs[N_KEYS], attr = 0, code, i;
	uint32_t values[N_KEYS], value = 0;
	size_t n = 0, at;

	for (i = 0; i < argc; i++) {
		code = parse_setting(ctl, argv[i], &attr, &value);
		if (code)
			return code;
		for (at = 0; at < n && attrs[at] != attr; at++)
			;
		attrs[at] = attr;
		values[at] = value;
		if (at == n)
			n++;
	}
	if (!n)
		return EXIT_OK;
	code = egpu_settings_set(ctl->ctx, attrs, values, n);
	return code ? ctl_fail_lib(ctl, code) : EXIT_OK;
}

int verb_settings(struct ctl *ctl, int argc, char **argv)
{
	struct egpu_settings *set;
	int err, code;

	code = ctl_open(ctl);
	if (!code)
		code = change(ctl, argc, argv);
	if (code)
		return code;
	err = egpu_settings_get(ctl->ctx, &set);
	if (err)
		return ctl_fail_lib(ctl, err);
	if (ctl->json)
		write_json(ctl, set);
	else
		write_text(ctl, set);
	egpu_settings_free(set);
	return EXIT_OK;
}
