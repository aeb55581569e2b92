// SPDX-License-Identifier: GPL-2.0
/*
 * The GPUs that are there, external or not.
 *
 *   PRESENT --bound--> READY --unbind, eject--> LEAVING --del--> GONE
 *      ^                 ^                       |    \
 *      |                 `-- cancelled, refused -'     unbound
 *      |                 ^                              \
 *      |                 `---------- bound ---------- DETACHED --del--> GONE
 *      `-- add
 */
#include <linux/bitfield.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "egpu.h"
#include "genl.h"
#include "trace.h"

/* What it guards and where it nests: see egpu.h. */
DEFINE_MUTEX(egpu_lock);

static LIST_HEAD(egpu_devices);
static u32 egpu_last_id;

/**
 * egpu_is_gpu - does a PCI function belong into the registry
 * @pdev: the function
 *
 * Return: true for display controllers and processing accelerators.
 */
bool egpu_is_gpu(const struct pci_dev *pdev)
{
	return egpu_classify_class(pdev->class);
}

static void read_topology(struct pci_dev *pdev, struct egpu_topology *topology)
{
	struct egpu_topology_node *node;
	struct pci_dev *at;

	topology->depth = 0;
	for (at = pdev; at && topology->depth < EGPU_TOPOLOGY_MAX;
	     at = pci_upstream_bridge(at)) {
		node = &topology->node[topology->depth++];
		node->address.domain = pci_domain_nr(at->bus);
		node->address.bus = at->bus->number;
		node->address.devfn = at->devfn;
		node->removable = dev_is_removable(&at->dev);
		node->thunderbolt = at->is_thunderbolt;
	}
}

static void read_port(struct pci_dev *pdev, char *name)
{
	struct pci_dev *at;

	for (at = pci_upstream_bridge(pdev); at; at = pci_upstream_bridge(at)) {
		if (!at->is_hotplug_bridge)
			continue;
		strscpy(name, pci_name(at), EGPU_NAME_LEN);
		return;
	}
}

static void classify(struct egpu_device *edev)
{
	const struct egpu_rule *rules;
	unsigned int n_rules;

	rules = egpu_overrides(&n_rules);
	edev->placement =
		egpu_classify_placement(&edev->topology, rules, n_rules);
}

/**
 * egpu_device_alloc - memory for a GPU and its first removal
 *
 * Return: a device with one reference, of no GPU yet; NULL without memory.
 */
struct egpu_device *egpu_device_alloc(void)
{
	struct egpu_device *edev =
		kzalloc(sizeof(*edev), GFP_KERNEL | __GFP_NOWARN);

	if (!edev)
		return NULL;
	edev->spare = egpu_request_alloc();
	if (!edev->spare) {
		kfree(edev);
		return NULL;
	}
	kref_init(&edev->ref);
	INIT_LIST_HEAD(&edev->node);
	mutex_init(&edev->walk_lock);
	egpu_quiesce_init(&edev->quiesce);
	return edev;
}

/**
 * egpu_device_add - take a GPU into the registry
 * @pdev: the function; a reference is taken
 * @at_load: it was there before the module
 *
 * The caller holds egpu_lock and sends the event.
 *
 * Return: the device; NULL without memory, then it will be tried again.
 */
struct egpu_device *egpu_device_add(struct pci_dev *pdev, bool at_load)
{
	struct egpu_device *edev = egpu_device_alloc();

	lockdep_assert_held(&egpu_lock);
	if (!edev)
		edev = egpu_reserve_take();
	if (!edev)
		return NULL;
	edev->pdev = pci_dev_get(pdev);
	edev->id = ++egpu_last_id;
	edev->at_load = at_load;
	read_topology(pdev, &edev->topology);
	read_port(pdev, edev->port);
	egpu_device_read_link(edev);
	classify(edev);
	list_add_tail(&edev->node, &egpu_devices);
	egpu_device_set_state(edev, EGPU_DEVICE_STATE_PRESENT);
	return edev;
}

static void device_release(struct kref *ref)
{
	struct egpu_device *edev = container_of(ref, struct egpu_device, ref);

	if (edev->spare)
		egpu_request_put(edev->spare);
	egpu_quiesce_release(&edev->quiesce);
	pci_dev_put(edev->pdev);
	mutex_destroy(&edev->walk_lock);
	kfree(edev);
}

/**
 * egpu_device_get - take a reference
 * @edev: the device
 */
void egpu_device_get(struct egpu_device *edev)
{
	kref_get(&edev->ref);
}

/**
 * egpu_device_put - give a reference back
 * @edev: the device, not to be used afterwards
 */
void egpu_device_put(struct egpu_device *edev)
{
	kref_put(&edev->ref, device_release);
}

/**
 * egpu_device_find - the device of a PCI function
 * @pdev: the function
 *
 * The caller holds egpu_lock, here and in the finders below; who keeps the
 * result longer takes a reference.
 *
 * Return: the device or NULL.
 */
struct egpu_device *egpu_device_find(const struct pci_dev *pdev)
{
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	list_for_each_entry(edev, &egpu_devices, node)
		if (edev->pdev == pdev)
			return edev;
	return NULL;
}

/**
 * egpu_device_find_id - the device of an id
 * @id: the id
 *
 * Return: the device or NULL.
 */
struct egpu_device *egpu_device_find_id(u32 id)
{
	struct egpu_device *edev = egpu_device_after(id - 1);

	return edev && edev->id == id ? edev : NULL;
}

/**
 * egpu_device_was_there - was an id ever given
 * @id: the id
 *
 * Return: true also when the GPU has left.
 */
bool egpu_device_was_there(u32 id)
{
	lockdep_assert_held(&egpu_lock);
	return id && id <= egpu_last_id;
}

/**
 * egpu_device_find_address - the device at a PCI address
 * @at: the address
 *
 * Return: the device or NULL.
 */
struct egpu_device *egpu_device_find_address(const struct egpu_pci_address *at)
{
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	list_for_each_entry(edev, &egpu_devices, node)
		if (egpu_address_equal(&edev->topology.node[0].address, at))
			return edev;
	return NULL;
}

/**
 * egpu_device_after - the first device with a larger id
 * @id: the id, 0 for the first of all
 *
 * Return: the device or NULL.
 */
struct egpu_device *egpu_device_after(u32 id)
{
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	list_for_each_entry(edev, &egpu_devices, node)
		if (edev->id > id)
			return edev;
	return NULL;
}

/**
 * egpu_device_set_state - enter a state
 * @edev: the device
 * @state: the state; entering the one it is in changes nothing
 */
void egpu_device_set_state(struct egpu_device *edev,
			   enum egpu_device_state state)
{
	lockdep_assert_held(&egpu_lock);
	if (edev->since && edev->state == state)
		return;
	edev->state = state;
	edev->since = ktime_get_boottime_ns();
	trace_egpu_device(edev->id, pci_name(edev->pdev), state,
			  edev->placement.external, edev->placement.marker);
}

/**
 * egpu_device_read_driver - remember the name of the bound driver
 * @edev: the device, device_lock held
 */
void egpu_device_read_driver(struct egpu_device *edev)
{
	struct device_driver *driver = edev->pdev->dev.driver;

	strscpy(edev->driver, driver ? driver->name : "", sizeof(edev->driver));
}

static u32 link_speed_mts(u16 status)
{
	static const u32 mts[] = { 0, 2500, 5000, 8000, 16000, 32000, 64000 };
	u16 code = status & PCI_EXP_LNKSTA_CLS;

	return code < ARRAY_SIZE(mts) ? mts[code] : 0;
}

/**
 * egpu_device_read_link - read speed and width of the GPU's own link
 * @edev: the device; it must be there
 */
void egpu_device_read_link(struct egpu_device *edev)
{
	u16 status = 0;

	if (!pci_is_pcie(edev->pdev) || pci_dev_is_disconnected(edev->pdev) ||
	    pcie_capability_read_word(edev->pdev, PCI_EXP_LNKSTA, &status))
		return;
	edev->link_speed = link_speed_mts(status);
	edev->link_width = FIELD_GET(PCI_EXP_LNKSTA_NLW, status);
}

/**
 * egpu_device_drop - take a device out of the registry
 * @edev: the device; the registry's reference is given back
 */
void egpu_device_drop(struct egpu_device *edev)
{
	lockdep_assert_held(&egpu_lock);
	list_del_init(&edev->node);
	egpu_device_put(edev);
}

/**
 * egpu_devices_reclassify - the rules have changed
 *
 * Tells of every device whose placement is another now.
 */
void egpu_devices_reclassify(void)
{
	struct egpu_placement_verdict before;
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	list_for_each_entry(edev, &egpu_devices, node) {
		before = edev->placement;
		classify(edev);
		if (before.external != edev->placement.external ||
		    before.marker != edev->placement.marker)
			egpu_event_device(EGPU_CMD_CHANGED, edev);
	}
}

/**
 * egpu_devices_fill_spares - make good for spare requests that were used
 *
 * Return: true when no device lacks one.
 */
bool egpu_devices_fill_spares(void)
{
	struct egpu_device *edev;

	lockdep_assert_held(&egpu_lock);
	list_for_each_entry(edev, &egpu_devices, node) {
		if (edev->spare)
			continue;
		edev->spare = egpu_request_alloc();
		if (!edev->spare)
			return false;
	}
	return true;
}

/**
 * egpu_devices_drop_all - empty the registry at unload
 */
void egpu_devices_drop_all(void)
{
	struct egpu_device *edev, *next;

	mutex_lock(&egpu_lock);
	list_for_each_entry_safe(edev, next, &egpu_devices, node) {
		egpu_request_close(edev);
		egpu_device_drop(edev);
	}
	mutex_unlock(&egpu_lock);
}

/**
 * egpu_device_walk_begin - make sure that the driver stays for a moment
 * @edev: the device, referenced; egpu_lock is not held
 * @locked: says whether device_lock was taken, for egpu_device_walk_end()
 *
 * Never waits for device_lock: who holds it may be waiting for the very
 * netlink message that brought us here. While our own UNBIND_DRIVER callback
 * holds a removal up, the driver stays for as long as @walk_lock is held.
 *
 * Return: 0, or -EAGAIN while a driver is being bound or unbound.
 */
int egpu_device_walk_begin(struct egpu_device *edev, bool *locked)
{
	mutex_lock(&edev->walk_lock);
	*locked = false;
	if (edev->held)
		return 0;
	*locked = device_trylock(&edev->pdev->dev);
	if (*locked)
		return 0;
	mutex_unlock(&edev->walk_lock);
	return -EAGAIN;
}

/**
 * egpu_device_walk_end - end what egpu_device_walk_begin() has begun
 * @edev: the device
 * @locked: as it was set there
 */
void egpu_device_walk_end(struct egpu_device *edev, bool locked)
{
	if (locked)
		device_unlock(&edev->pdev->dev);
	mutex_unlock(&edev->walk_lock);
}

/**
 * egpu_device_refresh - look at nodes and clients again, if that can be done
 * @edev: the device, referenced; egpu_lock is not held
 *
 * Some drivers make their nodes long after they were bound.
 */
void egpu_device_refresh(struct egpu_device *edev)
{
	struct egpu_drm_summary sum;
	bool locked;

	if (egpu_device_walk_begin(edev, &locked))
		return;
	egpu_drm_summarise(edev->pdev, &sum);
	egpu_device_walk_end(edev, locked);

	mutex_lock(&egpu_lock);
	edev->drm = sum;
	mutex_unlock(&egpu_lock);
}
