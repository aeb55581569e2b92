// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl override: what hangs on a cable although nothing says so
 */
#include <errno.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

static const struct ctl_column columns[] = {
	{ .name = "ADDRESS" },
	{ .name = "PLACEMENT" },
};

static void put_json(struct json *json, const struct egpu_override *rule)
{
	char buf[EGPU_NAME_SIZE];

	json_object(json, NULL);
	json_string(json, "address", rule->address);
	json_string(json, "placement",
		    egpu_name_text(EGPU_NAMES_PLACEMENT, rule->placement, buf,
				   sizeof(buf)));
	json_object_end(json);
}

static void put_row(struct ctl_table *table, const struct egpu_override *rule)
{
	char buf[EGPU_NAME_SIZE];

	table_row(table);
	table_cell(table, 0, "%s", rule->address);
	table_cell(table, 1, "%s",
		   egpu_name_text(EGPU_NAMES_PLACEMENT, rule->placement, buf,
				  sizeof(buf)));
}

/* Whether a rule is for @address; for NULL they all are. */
static bool is_for(const struct egpu_override *rule, const char *address)
{
	return !address || !strcasecmp(rule->address, address);
}

static int print_rules(struct ctl *ctl, const struct egpu_override_list *list,
		       const char *address)
{
	struct ctl_table *table = NULL;
	struct json json;
	size_t i, n = 0;

	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_array(&json, "overrides");
	} else {
		table = table_new(ctl, columns, 2);
	}
	for (i = 0; i < list->count; i++) {
		if (!is_for(list->item[i], address))
			continue;
		n++;
		if (ctl->json)
			put_json(&json, list->item[i]);
		else if (table)
			put_row(table, list->item[i]);
	}
	if (ctl->json) {
		json_array_end(&json);
		tojson_end(&json);
		return EXIT_OK;
	}
	if (!n)
		fputs("No override, the kernel's markers decide.\n", ctl->out);
	/* An empty table prints nothing. */
	return table_print(ctl, table);
}

static int show(struct ctl *ctl, const char *address)
{
	struct egpu_override_list *list;
	int err, code;

	err = egpu_override_list(ctl->ctx, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = print_rules(ctl, list, address);
	egpu_override_list_free(list);
	return code;
}

int verb_override(struct ctl *ctl, int argc, char **argv)
{
	char address[EGPU_ADDRESS_LEN + 1];
	uint32_t placement = 0;
	int err, code;

	if (argc && !text_pci_address(argv[0], address, sizeof(address)))
		return ctl_usage(ctl,
				 "'%s' is not a PCI address such as 0000:01:00.0",
				 argv[0]);
	if (argc > 1 && egpu_value(EGPU_NAMES_PLACEMENT, argv[1], &placement))
		return ctl_usage(ctl,
				 "'%s' is not one of auto, external and internal",
				 argv[1]);
	code = ctl_open(ctl);
	if (code)
		return code;
	if (argc > 1) {
		err = egpu_override_set(ctl->ctx, address, placement);
		/* No rule to take away is what auto asks for. */
		if (err && !(err == -ENOENT && placement == EGPU_PLACEMENT_AUTO))
			return ctl_fail_lib(ctl, err);
		if (!ctl->json)
			return EXIT_OK;
	}
	return show(ctl, argc ? address : NULL);
}
