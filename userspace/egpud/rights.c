// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which rights we do not have. What cannot be done as a whole is not begun.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "egpud.h"

/* What each is for is said in egpud(8) and in the unit. */
static const struct {
	int number;
	const char *name;
} needed[] = {
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
	{ CAP_KILL, "CAP_KILL" },
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
};

/**
 * rights_missing() - what the transaction needs and we do not have
 *
 * Return: names of capabilities with commas between them, static storage, or
 * NULL when nothing is missing.
 */
const char *rights_missing(void)
{
	static char text[64];
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	size_t at = 0, i;

	/* Without an answer nothing is known to be there. */
	if (syscall(SYS_capget, &head, data))
		data[0].effective = 0;
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (data[0].effective & CAP_TO_MASK(needed[i].number))
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
				       at ? ", " : "", needed[i].name);
	}
	return at ? text : NULL;
}
