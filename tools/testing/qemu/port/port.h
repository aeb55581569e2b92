/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hotplug port from below: what a hand on the cable does to it.
 */
#ifndef EGPU_RIG_PORT_H
#define EGPU_RIG_PORT_H

#include <stdint.h>

/**
 * struct port - the slot registers of a hotplug port
 * @fd: its configuration space
 * @cap: offset of the PCI Express capability
 */
struct port {
	int fd;
	uint8_t cap;
};

int port_open(struct port *port, const char *address);
int port_detach(const struct port *port);
int port_settle(const struct port *port);
void port_close(struct port *port);

#endif /* EGPU_RIG_PORT_H */
