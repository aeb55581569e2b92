// SPDX-License-Identifier: GPL-2.0
/*
 * rig-hold: keep files open, as a program that uses a GPU does.
 *
 *   rig-hold /dev/dri/card0 [FILE...]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (open(argv[i], O_RDWR) < 0) {
			fprintf(stderr, "rig-hold: %s: %s\n", argv[i],
				strerror(errno));
			return 1;
		}
	}
	pause();
	return 0;
}
