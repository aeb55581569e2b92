// SPDX-License-Identifier: GPL-2.0
/*
 * rig-pull: yank what is plugged into a hotplug port, as a hand on the cable does.
 * ../port/port.c says how.
 *
 *   rig-pull 0000:00:04.0 [MILLISECONDS]
 *
 * A cable has no process that ends: with MILLISECONDS this one stays as long, so that
 * its end is not in the way of what is measured.
 *
 * With tracing on, marker lines around the detaching write say when it happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../port/port.h"

static const char *const tracing = "/sys/kernel/tracing/trace_marker";

static void mark(int fd, const char *what, const char *port)
{
	char line[96];
	int n;

	if (fd < 0)
		return;
	n = snprintf(line, sizeof(line), "rig-pull: %s %s\n", what, port);
	if (write(fd, line, n) != n)
		perror("rig-pull: trace_marker");
}

static int pull(const struct port *port, int trace, const char *address)
{
	mark(trace, "pulling", address);
	if (port_detach(port))
		return -1;
	mark(trace, "pulled", address);
	return port_settle(port);
}

int main(int argc, char **argv)
{
	struct port port;
	int error;

	if (argc != 2 && argc != 3) {
		fprintf(stderr,
			"usage: rig-pull PCI-ADDRESS-OF-THE-PORT [MILLISECONDS]\n");
		return 2;
	}
	error = port_open(&port, argv[1]);
	if (error) {
		fprintf(stderr, "rig-pull: %s: %s\n", argv[1],
			error == -ENXIO ? "not a PCI Express port" :
					  strerror(-error));
		return 1;
	}
	if (pull(&port, open(tracing, O_WRONLY | O_CLOEXEC), argv[1])) {
		fprintf(stderr, "rig-pull: %s: cannot write slot control\n",
			argv[1]);
		return 1;
	}
	if (argc == 3)
		usleep(atoi(argv[2]) * 1000);
	return 0;
}
