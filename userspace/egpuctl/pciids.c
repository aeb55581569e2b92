// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of vendors and devices out of the system's pci.ids, if it has one.
 */
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

/* If @line begins with four digits that are @id, the name behind them. */
static const char *name_of(const char *line, uint16_t id)
{
	char digits[5];

	snprintf(digits, sizeof(digits), "%04x", id);
	if (strncmp(line, digits, 4) || strncmp(line + 4, "  ", 2))
		return NULL;
	return line + 6;
}

/* "Advanced Micro Devices, Inc. [AMD/ATI]" is better known as "AMD/ATI". */
static void add_name(char *buf, size_t size, const char *name, bool short_form)
{
	const char *open = strchr(name, '['), *close = strrchr(name, ']');
	size_t len = strcspn(name, "\n"), used = strlen(buf);

	if (short_form && open && close > open) {
		name = open + 1;
		len = close - open - 1;
	}
	snprintf(buf + used, size - used, "%s%.*s", used ? " " : "", (int)len,
		 name);
}

/**
 * pciids_lookup() - look a device up
 * @file: path of a pci.ids file
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @buf: where to put "vendor device"
 * @size: size of @buf
 *
 * Return: whether at least the vendor was found.
 */
bool pciids_lookup(const char *file, uint16_t vendor, uint16_t device,
		   char *buf, size_t size)
{
	bool ours = false;
	const char *name;
	char line[512];
	FILE *f;

	buf[0] = '\0';
	f = fopen(file, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (line[0] != '\t') {
			/* The next vendor begins, so the device is not listed. */
			if (ours)
				break;
			name = name_of(line, vendor);
			ours = name;
			if (name)
				add_name(buf, size, name, true);
		} else if (ours && line[1] != '\t') {
			name = name_of(line + 1, device);
			if (name) {
				add_name(buf, size, name, false);
				break;
			}
		}
	}
	fclose(f);
	return buf[0];
}

/* The name of a device, or its numbers when it has none. */
const char *pciids_name(const struct ctl *ctl, uint16_t vendor, uint16_t device,
			char *buf, size_t size)
{
	char raw[256];

	if (ctl->pci_ids &&
	    pciids_lookup(ctl->pci_ids, vendor, device, raw, sizeof(raw)))
		return text_printable(raw, buf, size);
	snprintf(buf, size, "%04x:%04x", vendor, device);
	return buf;
}
