// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/pci.h>

#include "classify.h"

/* PCI_BASE_CLASS_ACCELERATOR has a name from 6.3 on. */
#define EGPU_BASE_CLASS_ACCELERATOR 0x12

/**
 * egpu_address_equal - compare two PCI addresses
 * @a: one
 * @b: the other
 *
 * Return: true when they name the same function.
 */
bool egpu_address_equal(const struct egpu_pci_address *a,
			const struct egpu_pci_address *b)
{
	return a->domain == b->domain && a->bus == b->bus &&
	       a->devfn == b->devfn;
}

/**
 * egpu_address_parse - read a full PCI address
 * @text: "0000:01:00.0"; nothing may follow
 * @address: filled on success only
 *
 * Return: 0, or -EINVAL when @text is not a full PCI address.
 */
int egpu_address_parse(const char *text, struct egpu_pci_address *address)
{
	unsigned int domain, bus, slot, function;
	int used = 0;

	if (sscanf(text, "%x:%2x:%2x.%1u%n", &domain, &bus, &slot, &function,
		   &used) != 4 ||
	    !used || text[used])
		return -EINVAL;
	if (bus > 0xff || slot > 0x1f || function > 7)
		return -EINVAL;
	address->domain = domain;
	address->bus = bus;
	address->devfn = PCI_DEVFN(slot, function);
	return 0;
}

/**
 * egpu_classify_class - is a PCI function a GPU
 * @class: the 24-bit class code
 *
 * Return: true for display controllers and processing accelerators.
 */
bool egpu_classify_class(u32 class)
{
	u32 base = class >> 16;

	return base == PCI_BASE_CLASS_DISPLAY ||
	       base == EGPU_BASE_CLASS_ACCELERATOR;
}

static const struct egpu_rule *find_rule(const struct egpu_pci_address *address,
					 const struct egpu_rule *rules,
					 unsigned int n_rules)
{
	unsigned int i;

	for (i = 0; i < n_rules; i++)
		if (egpu_address_equal(&rules[i].address, address))
			return &rules[i];
	return NULL;
}

/**
 * egpu_classify_placement - is a GPU external
 * @topology: the GPU and the bridges above it
 * @rules: what the user said; may be NULL when @n_rules is 0
 * @n_rules: how many rules
 *
 * The rule nearest to the GPU wins over every marker. Of the markers,
 * removable counts on the GPU itself only: the PCI core hands it down from
 * the external-facing port, and leaves it off what is the host's own
 * controller. A hot-plug capable slot alone says nothing.
 *
 * Return: the verdict; internal with marker none when nothing speaks.
 */
struct egpu_placement_verdict
egpu_classify_placement(const struct egpu_topology *topology,
			const struct egpu_rule *rules, unsigned int n_rules)
{
	unsigned int depth =
		min_t(unsigned int, topology->depth, EGPU_TOPOLOGY_MAX);
	struct egpu_placement_verdict verdict = {
		.external = false,
		.marker = EGPU_MARKER_NONE,
	};
	const struct egpu_rule *rule;
	unsigned int i;

	for (i = 0; i < depth; i++) {
		rule = find_rule(&topology->node[i].address, rules, n_rules);
		if (!rule || rule->placement == EGPU_PLACEMENT_AUTO)
			continue;
		verdict.external = rule->placement == EGPU_PLACEMENT_EXTERNAL;
		verdict.marker = EGPU_MARKER_OVERRIDE;
		return verdict;
	}
	if (depth && topology->node[0].removable) {
		verdict.external = true;
		verdict.marker = EGPU_MARKER_REMOVABLE;
		return verdict;
	}
	for (i = 0; i < depth; i++) {
		if (!topology->node[i].thunderbolt)
			continue;
		verdict.external = true;
		verdict.marker = EGPU_MARKER_THUNDERBOLT;
		return verdict;
	}
	return verdict;
}

/**
 * egpu_facts_say_gone - has the device left already
 * @facts: what was seen
 *
 * A frozen channel answers nothing either, so silence counts only while the
 * channel is open, or when the slot says that the card is not there.
 *
 * Return: true when nothing may be awaited for the device's sake any more.
 */
bool egpu_facts_say_gone(const struct egpu_cause_facts *facts)
{
	if (facts->marked)
		return true;
	if (!facts->probed || facts->answered)
		return false;
	return !facts->frozen || (facts->slot_known && facts->slot_empty);
}

static u32 initiator_evidence(enum egpu_initiator initiator)
{
	switch (initiator) {
	case EGPU_INITIATOR_EJECT:
		return EGPU_EVIDENCE_EJECT;
	case EGPU_INITIATOR_HOTPLUG_THREAD:
		return EGPU_EVIDENCE_HOTPLUG_THREAD;
	case EGPU_INITIATOR_SYSFS_REMOVE:
		return EGPU_EVIDENCE_SYSFS_REMOVE;
	case EGPU_INITIATOR_DRIVER_UNLOAD:
		return EGPU_EVIDENCE_DRIVER_UNLOAD;
	case EGPU_INITIATOR_USER_TASK:
		return EGPU_EVIDENCE_USER_TASK;
	case EGPU_INITIATOR_UNKNOWN:
		break;
	}
	return 0;
}

static u32 facts_evidence(const struct egpu_cause_facts *facts)
{
	u32 evidence = initiator_evidence(facts->initiator);

	if (facts->marked)
		evidence |= EGPU_EVIDENCE_MARKED;
	if (facts->probed)
		evidence |= facts->answered ? EGPU_EVIDENCE_PRESENT :
					      EGPU_EVIDENCE_ABSENT;
	if (facts->frozen)
		evidence |= EGPU_EVIDENCE_FROZEN;
	if (facts->slot_known && facts->slot_empty)
		evidence |= EGPU_EVIDENCE_SLOT_EMPTY;
	if (facts->slot_known && facts->link_down)
		evidence |= EGPU_EVIDENCE_LINK_DOWN;
	if (facts->no_driver)
		evidence |= EGPU_EVIDENCE_NO_DRIVER;
	return evidence;
}

/**
 * egpu_classify_cause - why does a GPU's driver lose it
 * @facts: what was seen
 *
 * The unloading of the driver and a user's process that wrote no remove file
 * only take the driver away, as far as can be told then; when the device
 * leaves the bus all the same, the caller turns unbind into graceful.
 *
 * Return: cause and evidence.
 */
struct egpu_cause_verdict
egpu_classify_cause(const struct egpu_cause_facts *facts)
{
	struct egpu_cause_verdict verdict = {
		.cause = EGPU_CAUSE_GRACEFUL,
		.evidence = facts_evidence(facts),
	};

	if (egpu_facts_say_gone(facts))
		verdict.cause = EGPU_CAUSE_SURPRISE;
	else if (!facts->no_driver &&
		 (facts->initiator == EGPU_INITIATOR_DRIVER_UNLOAD ||
		  facts->initiator == EGPU_INITIATOR_USER_TASK))
		verdict.cause = EGPU_CAUSE_UNBIND;
	return verdict;
}
