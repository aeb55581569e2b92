// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl - look at external GPUs and eject them
 */
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl.h"

/*
 * The kernel ends the waiting for helpers at the deadline of an eject. What
 * comes after is the driver's to do, and one that has not let go after this
 * long will not.
 */
#define DRIVER_MS 30000

/* A GPU that sleeps has to wake up first; none takes this long. */
#define OPEN_MS 5000

/* The convention of no-color.org: set and not empty means none. */
static bool color_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && term && *term;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {
		.out = stdout,
		.err = stderr,
		.open = egpu_open,
		.roots = &usage_roots_here,
		.policy_path = POLICY_PATH,
		.sessions_path = SESSIONS_PATH,
		.bandwidth_dir = BANDWIDTH_DIR,
		.pci_ids = "/usr/share/misc/pci.ids",
		.driver_ms = DRIVER_MS,
		.open_ms = OPEN_MS,
		.terminal = isatty(STDOUT_FILENO),
	};

	setlocale(LC_ALL, "");
	ctl.color = ctl.terminal && color_wanted();
	return ctl_main(&ctl, argc, argv);
}
