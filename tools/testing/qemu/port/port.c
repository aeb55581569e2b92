// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU detaches the card when the slot's power and its power indicator go off.
 * The kernel must not see that command as its own, or it takes the slot for
 * "already disabled"; so the slot's interrupt is masked meanwhile, and when it is
 * back on, pciehp finds the card gone: a surprise removal by its own code.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PCI_CAPABILITY_LIST    0x34
#define PCI_CAP_ID_EXP	       0x10
#define PCI_EXP_SLTCTL	       0x18
#define PCI_EXP_SLTCTL_HPIE    0x0020 /* hotplug interrupt enable */
#define PCI_EXP_SLTCTL_PWR     0x0700 /* power controller and its indicator */
#define PCI_EXP_SLTCTL_PWR_OFF 0x0700
#define PCI_EXP_SLTCTL_PWR_ON  0x0100

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
static int slot_control(const struct port *port, uint16_t value, uint16_t mask)
{
	off_t at = port->cap + PCI_EXP_SLTCTL;
	uint16_t now;

	if (read_config(port->fd, at, &now, sizeof(now)))
		return -1;
	now = (now & ~mask) | value;
	if (pwrite(port->fd, &now, sizeof(now), at) != sizeof(now))
		return -1;
	return 0;
}

/**
 * port_open - get hold of a port
 * @port: overwritten
 * @address: its PCI address
 *
 * Return: 0, -ENXIO when it is no PCI Express port, or another error.
 */
int port_open(struct port *port, const char *address)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	port->fd = open(path, O_RDWR | O_CLOEXEC);
	if (port->fd < 0)
		return -errno;
	port->cap = express_capability(port->fd);
	if (port->cap)
		return 0;
	port_close(port);
	return -ENXIO;
}

/**
 * port_detach - take the card out; the kernel does not notice yet
 * @port: the port
 *
 * Return: 0 or -1.
 */
int port_detach(const struct port *port)
{
	if (slot_control(port, 0, PCI_EXP_SLTCTL_HPIE))
		return -1;
	return slot_control(port, PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PWR);
}

/**
 * port_settle - let the kernel notice that the card is out
 * @port: the port, after port_detach()
 *
 * Return: 0 or -1.
 */
int port_settle(const struct port *port)
{
	if (slot_control(port, PCI_EXP_SLTCTL_PWR_ON, PCI_EXP_SLTCTL_PWR))
		return -1;
	return slot_control(port, PCI_EXP_SLTCTL_HPIE, PCI_EXP_SLTCTL_HPIE);
}

/**
 * port_close - let go of a port
 * @port: an open port
 */
void port_close(struct port *port)
{
	close(port->fd);
	port->fd = -1;
}
