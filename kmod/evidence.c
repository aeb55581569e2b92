// SPDX-License-Identifier: GPL-2.0
/*
 * What can be seen of a GPU that is leaving, without touching its driver.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sched.h>
#include <linux/sysfs.h>

#include "egpu.h"

/*
 * Can the device's silence mean anything? One that is suspended, or sits
 * behind a suspended port, does not answer either, and is not to be woken by
 * somebody who only watches. Before UNBIND the driver core has woken it.
 */
static bool can_answer(struct pci_dev *pdev)
{
	return pdev->current_state != PCI_D3cold &&
	       pm_runtime_active(&pdev->dev);
}

/**
 * egpu_device_silent - has a device gone while its removal waits
 * @pdev: the device
 *
 * The thread that would mark it may be the one that waits, so its vendor id
 * is read as well; a frozen channel answers nothing and proves nothing.
 *
 * Return: true when it has gone.
 */
bool egpu_device_silent(struct pci_dev *pdev)
{
	if (pci_dev_is_disconnected(pdev))
		return true;
	if (pci_channel_offline(pdev) || !can_answer(pdev))
		return false;
	return !pci_device_is_present(pdev);
}

/*
 * A write to a remove file takes the file away before the device goes; a
 * bridge's takes away all below it, so look upwards, too. A virtual function
 * has no such file.
 */
static bool remove_file_taken_away(struct pci_dev *pdev)
{
	struct kernfs_node *file;
	struct pci_dev *at;

	for (at = pdev; at; at = pci_upstream_bridge(at)) {
		if (at->is_virtfn || !at->dev.kobj.sd)
			continue;
		file = sysfs_get_dirent(at->dev.kobj.sd, "remove");
		if (!file)
			return true;
		sysfs_put(file);
	}
	return false;
}

static bool driver_unloading(struct pci_dev *pdev)
{
	struct device_driver *driver = pdev->dev.driver;

	return driver && driver->owner &&
	       driver->owner->state == MODULE_STATE_GOING;
}

static enum egpu_initiator find_initiator(struct pci_dev *pdev)
{
	if (driver_unloading(pdev))
		return EGPU_INITIATOR_DRIVER_UNLOAD;
	if (remove_file_taken_away(pdev))
		return EGPU_INITIATOR_SYSFS_REMOVE;
	if (current->flags & PF_KTHREAD)
		return EGPU_INITIATOR_HOTPLUG_THREAD;
	return EGPU_INITIATOR_USER_TASK;
}

static bool link_is_down(struct pci_dev *port)
{
	u32 cap = 0;
	u16 status = 0;

	if (pcie_capability_read_dword(port, PCI_EXP_LNKCAP, &cap) ||
	    !(cap & PCI_EXP_LNKCAP_DLLLARC))
		return false;
	return !pcie_capability_read_word(port, PCI_EXP_LNKSTA, &status) &&
	       !(status & PCI_EXP_LNKSTA_DLLLA);
}

/*
 * Ports that went together with the GPU cannot tell; the one above them can.
 * Not asked while the GPU answers: what a slot says then adds nothing, and one
 * that the firmware runs by itself may keep no status and look empty.
 */
static void ask_slot(struct pci_dev *pdev, struct egpu_cause_facts *facts)
{
	struct pci_dev *port;
	u16 status;

	for (port = pci_upstream_bridge(pdev); port;
	     port = pci_upstream_bridge(port)) {
		if (!port->is_hotplug_bridge || egpu_device_silent(port))
			continue;
		if (pcie_capability_read_word(port, PCI_EXP_SLTSTA, &status) ||
		    status == 0xffff)
			continue;
		facts->slot_known = true;
		facts->slot_empty = !(status & PCI_EXP_SLTSTA_PDS);
		facts->link_down = link_is_down(port);
		return;
	}
}

/**
 * egpu_gather_facts - look at a GPU whose removal begins
 * @pdev: the GPU
 * @by_eject: our own eject removes it
 * @facts: filled
 *
 * A suspended device cannot answer, so it is not asked.
 */
void egpu_gather_facts(struct pci_dev *pdev, bool by_eject,
		       struct egpu_cause_facts *facts)
{
	*facts = (struct egpu_cause_facts){
		.initiator = by_eject ? EGPU_INITIATOR_EJECT :
					find_initiator(pdev),
		.marked = pci_dev_is_disconnected(pdev),
		.no_driver = !pdev->dev.driver,
	};
	facts->frozen = !facts->marked && pci_channel_offline(pdev);
	facts->probed = facts->marked || can_answer(pdev);
	facts->answered = !facts->marked && facts->probed &&
			  pci_device_is_present(pdev);
	if (!facts->answered)
		ask_slot(pdev, facts);
}
