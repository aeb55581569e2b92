// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The tables of names against the netlink spec, of which just enough is read:
 * the lines "name: x" in the order in which they stand, with their depth.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "test.h"

#define SPEC "../Documentation/netlink/specs/egpu.yaml"

#define NAMES_MAX 64

struct found {
	char name[NAMES_MAX][40];
	uint32_t count;
};

static FILE *open_spec(void)
{
	FILE *f = fopen(SPEC, "re");

	if (!f)
		fail_msg("cannot open %s: %s", SPEC, strerror(errno));
	return f;
}

/* The value of "name:" on a line, and how far in it stands; NULL for others. */
static char *name_on(char *line, int *depth)
{
	char *at = line + strspn(line, " -");

	*depth = (int)(at - line);
	if (strncmp(at, "name: ", 6))
		return NULL;
	at[strcspn(at, "\n")] = '\0';
	return at + 6;
}

/* "entries: [ a, b ]" */
static void take_short(char *line, struct found *found)
{
	char *save = NULL, *word;

	word = strtok_r(strchr(line, '[') + 1, ", ]\n", &save);
	for (; word; word = strtok_r(NULL, ", ]\n", &save))
		strcpy(found->name[found->count++], word);
}

/* The names one level below the definition or set called @what. */
static void read_spec(const char *section, const char *what, struct found *found)
{
	bool in_section = false, in = false;
	char line[512], *name;
	FILE *f = open_spec();
	int depth;

	found->count = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] != ' ' && line[0] != '\n')
			in_section = !strncmp(line, section, strlen(section));
		if (!in_section)
			continue;
		if (in && strstr(line, "entries: ["))
			take_short(line, found);
		name = name_on(line, &depth);
		if (!name)
			continue;
		if (depth <= 4)
			in = !strcmp(name, what);
		else if (in)
			strcpy(found->name[found->count++], name);
		assert_true(found->count < NAMES_MAX);
	}
	fclose(f);
	if (!found->count)
		fail_msg("%s has no %s '%s'", SPEC, section, what);
}

static void enums_as_in_the_spec(void **state)
{
	static const struct {
		const char *name;
		enum egpu_names table;
		bool bits;
	} enums[] = {
		{ "device-state", EGPU_NAMES_STATE, false },
		{ "marker", EGPU_NAMES_MARKER, false },
		{ "placement", EGPU_NAMES_PLACEMENT, false },
		{ "cause", EGPU_NAMES_CAUSE, false },
		{ "evidence", EGPU_NAMES_EVIDENCE, true },
		{ "origin", EGPU_NAMES_ORIGIN, false },
		{ "phase", EGPU_NAMES_PHASE, false },
		{ "release", EGPU_NAMES_RELEASE, false },
		{ "minor-type", EGPU_NAMES_MINOR, false },
		{ "step", EGPU_NAMES_STEP, false },
		{ "quiesce-state", EGPU_NAMES_QUIESCE, false },
		{ "drain-result", EGPU_NAMES_DRAIN, false },
		{ "migration-phase", EGPU_NAMES_MIGRATION, false },
	};
	struct found found;
	uint32_t i, j, value, back;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(enums); i++) {
		read_spec("definitions", enums[i].name, &found);
		for (j = 0; j < found.count; j++) {
			value = enums[i].bits ? 1u << j : j;
			assert_non_null(egpu_name(enums[i].table, value));
			assert_string_equal(egpu_name(enums[i].table, value),
					    found.name[j]);
			assert_int_equal(egpu_value(enums[i].table,
						    found.name[j], &back),
					 0);
			assert_int_equal(back, value);
		}
		value = enums[i].bits ? 1u << j : j;
		assert_null(egpu_name(enums[i].table, value));
	}
}

static void attributes_as_in_the_spec(void **state)
{
	static const struct {
		const char *name;
		uint8_t cmd;
	} sets[] = {
		{ "device", EGPU_CMD_DEVICE_GET },
		{ "removal", EGPU_CMD_REMOVAL_GET },
		{ "client", EGPU_CMD_CLIENT_GET },
		{ "buffer", EGPU_CMD_BUFFER_GET },
		{ "quiesce", EGPU_CMD_DRAIN },
		{ "migration", EGPU_CMD_MIGRATE },
		{ "settings", EGPU_CMD_SETTINGS_SET },
		{ "override", EGPU_CMD_OVERRIDE_SET },
	};
	struct found found;
	uint32_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		read_spec("attribute-sets", sets[i].name, &found);
		for (j = 0; j < found.count; j++) {
			assert_non_null(egpu_attr_name(sets[i].cmd, (int)j + 1));
			assert_string_equal(egpu_attr_name(sets[i].cmd,
							   (int)j + 1),
					    found.name[j]);
		}
		assert_null(egpu_attr_name(sets[i].cmd, (int)j + 1));
		assert_null(egpu_attr_name(sets[i].cmd, -1));
	}
}

static void events_as_in_the_spec(void **state)
{
	static const char *const events[] = {
		"connected",	    "changed",	    "removal-pending",
		"removal-progress", "disconnected", "quiesce",
		"migration",
	};
	uint32_t i, value;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		assert_int_equal(egpu_value(EGPU_NAMES_EVENT, events[i], &value),
				 0);
	assert_null(egpu_name(EGPU_NAMES_EVENT, EGPU_EVENT_MIGRATION + 1));
}

static void unknown_values(void **state)
{
	char buf[EGPU_NAME_SIZE];
	uint32_t value;

	(void)state;
	assert_string_equal(egpu_name_text(EGPU_NAMES_PHASE, 17, buf,
					   sizeof(buf)),
			    "unknown(17)");
	assert_string_equal(egpu_name_text(EGPU_NAMES_PHASE, UINT32_MAX, buf,
					   sizeof(buf)),
			    "unknown(4294967295)");
	/* No name for none of the bits, nor for two. */
	assert_null(egpu_name(EGPU_NAMES_EVIDENCE, 0));
	assert_null(egpu_name(EGPU_NAMES_EVIDENCE, 3));
	assert_null(egpu_name(EGPU_NAMES_EVIDENCE, 1u << 31));
	assert_null(egpu_name(1000, 0));
	assert_int_equal(egpu_value(EGPU_NAMES_PHASE, "unknown(17)", &value),
			 -ENOENT);
	assert_int_equal(egpu_value(EGPU_NAMES_PHASE, "", &value), -ENOENT);
}

static void minor_paths(void **state)
{
	struct egpu_minor minor = { EGPU_MINOR_TYPE_PRIMARY, 0 };
	char buf[32];

	(void)state;
	egpu_minor_path(&minor, buf, sizeof(buf));
	assert_string_equal(buf, "/dev/dri/card0");
	minor = (struct egpu_minor){ EGPU_MINOR_TYPE_RENDER, 128 };
	egpu_minor_path(&minor, buf, sizeof(buf));
	assert_string_equal(buf, "/dev/dri/renderD128");
	minor.type = EGPU_MINOR_TYPE_ACCEL;
	egpu_minor_path(&minor, buf, sizeof(buf));
	assert_string_equal(buf, "/dev/accel/accel128");
	minor.type = EGPU_MINOR_TYPE_OTHER;
	assert_int_equal(egpu_minor_path(&minor, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	minor.type = 99;
	assert_int_equal(egpu_minor_path(&minor, buf, sizeof(buf)), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(enums_as_in_the_spec),
	cmocka_unit_test(attributes_as_in_the_spec),
	cmocka_unit_test(events_as_in_the_spec),
	cmocka_unit_test(unknown_values),
	cmocka_unit_test(minor_paths),
};

TEST_MAIN(tests, NULL, NULL)
