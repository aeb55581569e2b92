// SPDX-License-Identifier: GPL-2.0
/*
 * rig-pull: yank what is plugged into a hotplug port, as a hand on the cable does.
 *
 *   rig-pull 0000:00:04.0 [MILLISECONDS]
 *
 * QEMU detaches the card when the slot's power and its power indicator go off.
 * The kernel must not see that command as its own, or it takes the slot for
 * "already disabled"; so the slot's interrupt is masked meanwhile, and when it is
 * back on, pciehp finds the card gone: a surprise removal by its own code.
 *
 * A cable has no process that ends: with MILLISECONDS this one stays as long, so that
 * its end is not in the way of what is measured.
 *
 * With tracing on, marker lines around the detaching write say when it happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCI_CAPABILITY_LIST    0x34
#define PCI_CAP_ID_EXP	       0x10
#define PCI_EXP_SLTCTL	       0x18
#define PCI_EXP_SLTCTL_HPIE    0x0020 /* hotplug interrupt enable */
#define PCI_EXP_SLTCTL_PWR     0x0700 /* power controller and its indicator */
#define PCI_EXP_SLTCTL_PWR_OFF 0x0700
#define PCI_EXP_SLTCTL_PWR_ON  0x0100

static const char *const tracing = "/sys/kernel/tracing/trace_marker";

static int read_config(int fd, off_t offset, void *value, size_t size)
{
	return pread(fd, value, size, offset) == (ssize_t)size ? 0 : -1;
}

/* Offset of the PCI Express capability, 0 if there is none. */
static uint8_t express_capability(int fd)
{
	uint8_t at, entry[2];
	int hops;

	if (read_config(fd, PCI_CAPABILITY_LIST, &at, 1))
		return 0;
	for (hops = 0; at && hops < 48; hops++, at = entry[1]) {
		if (read_config(fd, at, entry, sizeof(entry)))
			return 0;
		if (entry[0] == PCI_CAP_ID_EXP)
			return at;
	}
	return 0;
}

/* Change the bits of @mask in the slot control register to those of @value. */
static int slot_control(int fd, uint8_t cap, uint16_t value, uint16_t mask)
{
	uint16_t now;

	if (read_config(fd, cap + PCI_EXP_SLTCTL, &now, sizeof(now)))
		return -1;
	now = (now & ~mask) | value;
	if (pwrite(fd, &now, sizeof(now), cap + PCI_EXP_SLTCTL) != sizeof(now))
		return -1;
	return 0;
}

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

static int pull(int fd, uint8_t cap, int trace, const char *port)
{
	if (slot_control(fd, cap, 0, PCI_EXP_SLTCTL_HPIE))
		return -1;
	mark(trace, "pulling", port);
	if (slot_control(fd, cap, PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PWR))
		return -1;
	mark(trace, "pulled", port);
	if (slot_control(fd, cap, PCI_EXP_SLTCTL_PWR_ON, PCI_EXP_SLTCTL_PWR))
		return -1;
	return slot_control(fd, cap, PCI_EXP_SLTCTL_HPIE, PCI_EXP_SLTCTL_HPIE);
}

int main(int argc, char **argv)
{
	char path[128];
	uint8_t cap;
	int fd;

	if (argc != 2 && argc != 3) {
		fprintf(stderr,
			"usage: rig-pull PCI-ADDRESS-OF-THE-PORT [MILLISECONDS]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", argv[1]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "rig-pull: %s: %s\n", path, strerror(errno));
		return 1;
	}
	cap = express_capability(fd);
	if (!cap) {
		fprintf(stderr, "rig-pull: %s is not a PCI Express port\n",
			argv[1]);
		return 1;
	}
	if (pull(fd, cap, open(tracing, O_WRONLY | O_CLOEXEC), argv[1])) {
		fprintf(stderr, "rig-pull: %s: cannot write slot control\n",
			argv[1]);
		return 1;
	}
	if (argc == 3)
		usleep(atoi(argv[2]) * 1000);
	return 0;
}
