/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is an external GPU, and why does one leave.
 *
 * Pure: no kernel object is touched, no lock is taken, nothing is allocated.
 * The facts are gathered by registry.c and evidence.c and passed in.
 */
#ifndef _EGPU_CLASSIFY_H
#define _EGPU_CLASSIFY_H

#include <linux/types.h>
#include <uapi/linux/egpu.h>

/* Deeper trees than this do not exist: six Thunderbolt hops make 14 bridges. */
#define EGPU_TOPOLOGY_MAX 32

/**
 * struct egpu_pci_address - where a PCI function is
 * @domain: PCI segment
 * @bus: bus number
 * @devfn: device and function number
 */
struct egpu_pci_address {
	u32 domain;
	u8 bus;
	u8 devfn;
};

/**
 * struct egpu_topology_node - what decides about one function on the way up
 * @address: where it is
 * @removable: the PCI core calls it removable
 * @thunderbolt: it carries Intel's Thunderbolt capability
 */
struct egpu_topology_node {
	struct egpu_pci_address address;
	bool removable;
	bool thunderbolt;
};

/**
 * struct egpu_topology - a GPU and all bridges above it
 * @depth: nodes in use, at least 1
 * @node: the GPU first, the root port last
 */
struct egpu_topology {
	unsigned int depth;
	struct egpu_topology_node node[EGPU_TOPOLOGY_MAX];
};

/**
 * struct egpu_rule - a user's word on everything at and below an address
 * @address: a GPU or a bridge above it
 * @placement: external or internal, never auto
 */
struct egpu_rule {
	struct egpu_pci_address address;
	enum egpu_placement placement;
};

/**
 * struct egpu_placement_verdict - is a GPU external, and who says so
 * @external: it hangs on a cable
 * @marker: what decided
 */
struct egpu_placement_verdict {
	bool external;
	enum egpu_marker marker;
};

/**
 * enum egpu_initiator - who called for the driver to be unbound
 * @EGPU_INITIATOR_UNKNOWN: nobody was found out
 * @EGPU_INITIATOR_EJECT: this module's own eject
 * @EGPU_INITIATOR_HOTPLUG_THREAD: a kernel thread (pciehp, ACPI)
 * @EGPU_INITIATOR_SYSFS_REMOVE: a write to a remove file
 * @EGPU_INITIATOR_DRIVER_UNLOAD: the driver's module is being unloaded
 * @EGPU_INITIATOR_USER_TASK: a user's process in another way
 */
enum egpu_initiator {
	EGPU_INITIATOR_UNKNOWN,
	EGPU_INITIATOR_EJECT,
	EGPU_INITIATOR_HOTPLUG_THREAD,
	EGPU_INITIATOR_SYSFS_REMOVE,
	EGPU_INITIATOR_DRIVER_UNLOAD,
	EGPU_INITIATOR_USER_TASK,
};

/**
 * struct egpu_cause_facts - what was seen when a driver was unbound
 * @initiator: who called for it
 * @marked: the PCI core had marked the device disconnected
 * @probed: the vendor id was read; @answered says with what result
 * @answered: the device gave its vendor id
 * @frozen: error recovery had frozen the channel
 * @slot_known: a hotplug port above answered; @slot_empty and @link_down hold
 * @slot_empty: its slot saw no card
 * @link_down: its link was down
 * @no_driver: no driver was bound
 */
struct egpu_cause_facts {
	enum egpu_initiator initiator;
	bool marked;
	bool probed;
	bool answered;
	bool frozen;
	bool slot_known;
	bool slot_empty;
	bool link_down;
	bool no_driver;
};

/**
 * struct egpu_cause_verdict - cause and evidence
 * @cause: what subscribers filter on
 * @evidence: EGPU_EVIDENCE_* flags
 */
struct egpu_cause_verdict {
	enum egpu_cause cause;
	u32 evidence;
};

bool egpu_address_equal(const struct egpu_pci_address *a,
			const struct egpu_pci_address *b);
int egpu_address_parse(const char *text, struct egpu_pci_address *address);

bool egpu_classify_class(u32 class);

struct egpu_placement_verdict
egpu_classify_placement(const struct egpu_topology *topology,
			const struct egpu_rule *rules, unsigned int n_rules);

bool egpu_facts_say_gone(const struct egpu_cause_facts *facts);
struct egpu_cause_verdict
egpu_classify_cause(const struct egpu_cause_facts *facts);

#endif /* _EGPU_CLASSIFY_H */
