// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A monitor's copy of the kernel's state.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

void egpu_mirror_clear(struct egpu_mirror *mirror)
{
	egpu_vec_clear(&mirror->devices);
	egpu_vec_clear(&mirror->removals);
}

static int copy_vec(struct egpu_vec *to, const struct egpu_vec *from,
		    size_t size)
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		void *copy = egpu_memdup(from->item[i], size);

		if (!copy || egpu_vec_push(to, copy)) {
			free(copy);
			egpu_vec_clear(to);
			return -ENOMEM;
		}
	}
	return 0;
}

/* @to must be empty; it is so again after a failure. */
int egpu_mirror_copy(struct egpu_mirror *to, const struct egpu_mirror *from)
{
	int err;

	err = copy_vec(&to->devices, &from->devices, sizeof(struct egpu_device));
	if (!err)
		err = copy_vec(&to->removals, &from->removals,
			       sizeof(struct egpu_removal));
	if (err)
		egpu_mirror_clear(to);
	return err;
}

/* Index of the first GPU whose id is not below @id. */
static size_t device_slot(const struct egpu_mirror *mirror, uint32_t id)
{
	size_t i;

	for (i = 0; i < mirror->devices.count; i++) {
		const struct egpu_device *dev = mirror->devices.item[i];

		if (dev->id >= id)
			break;
	}
	return i;
}

/* Index of the first removal whose cookie is not below @cookie. */
static size_t removal_slot(const struct egpu_mirror *mirror, uint64_t cookie)
{
	size_t i;

	for (i = 0; i < mirror->removals.count; i++) {
		const struct egpu_removal *rem = mirror->removals.item[i];

		if (rem->cookie >= cookie)
			break;
	}
	return i;
}

struct egpu_device *egpu_mirror_device(const struct egpu_mirror *mirror,
				       uint32_t id)
{
	size_t at = device_slot(mirror, id);
	struct egpu_device *dev;

	if (at == mirror->devices.count)
		return NULL;
	dev = mirror->devices.item[at];
	return dev->id == id ? dev : NULL;
}

struct egpu_removal *egpu_mirror_removal(const struct egpu_mirror *mirror,
					 uint64_t cookie)
{
	size_t at = removal_slot(mirror, cookie);
	struct egpu_removal *rem;

	if (at == mirror->removals.count)
		return NULL;
	rem = mirror->removals.item[at];
	return rem->cookie == cookie ? rem : NULL;
}

int egpu_mirror_put_device(struct egpu_mirror *mirror,
			   const struct egpu_device *device)
{
	struct egpu_device *known = egpu_mirror_device(mirror, device->id);

	if (known) {
		*known = *device;
		return 0;
	}
	known = egpu_memdup(device, sizeof(*device));
	if (!known || egpu_vec_insert(&mirror->devices,
				      device_slot(mirror, device->id), known)) {
		free(known);
		return -ENOMEM;
	}
	return 0;
}

/* Forgets the oldest finished removal when there are too many. */
static void trim_removals(struct egpu_mirror *mirror)
{
	size_t i;

	if (mirror->removals.count <= EGPU_MIRROR_REMOVALS_MAX)
		return;
	for (i = 0; i < mirror->removals.count; i++) {
		if (!egpu_removal_is_over(mirror->removals.item[i]))
			continue;
		free(mirror->removals.item[i]);
		egpu_vec_drop(&mirror->removals, i);
		return;
	}
}

int egpu_mirror_put_removal(struct egpu_mirror *mirror,
			    const struct egpu_removal *removal)
{
	struct egpu_removal *known;

	known = egpu_mirror_removal(mirror, removal->cookie);
	if (known) {
		*known = *removal;
		return 0;
	}
	known = egpu_memdup(removal, sizeof(*removal));
	if (!known ||
	    egpu_vec_insert(&mirror->removals,
			    removal_slot(mirror, removal->cookie), known)) {
		free(known);
		return -ENOMEM;
	}
	trim_removals(mirror);
	return 0;
}

void egpu_mirror_drop_device(struct egpu_mirror *mirror, uint32_t id)
{
	size_t at = device_slot(mirror, id);

	if (!egpu_mirror_device(mirror, id))
		return;
	free(mirror->devices.item[at]);
	egpu_vec_drop(&mirror->devices, at);
}

bool egpu_removal_is_over(const struct egpu_removal *removal)
{
	return removal->phase == EGPU_PHASE_DONE ||
	       removal->phase == EGPU_PHASE_CANCELLED ||
	       removal->phase == EGPU_PHASE_REFUSED;
}

static bool same_minors(const struct egpu_minor *a, uint32_t n,
			const struct egpu_minor *b, uint32_t m)
{
	return n == m && !memcmp(a, b, n * sizeof(*a));
}

/* In all that an event of the kernel would be worth: not clients, not times. */
bool egpu_device_same(const struct egpu_device *a, const struct egpu_device *b)
{
	return a->state == b->state && a->external == b->external &&
	       a->marker == b->marker && a->link_speed == b->link_speed &&
	       a->link_width == b->link_width && a->cookie == b->cookie &&
	       !strcmp(a->address, b->address) &&
	       !strcmp(a->driver, b->driver) &&
	       same_minors(a->minors, a->n_minors, b->minors, b->n_minors);
}

bool egpu_removal_same(const struct egpu_removal *a,
		       const struct egpu_removal *b)
{
	return a->phase == b->phase && a->release == b->release &&
	       a->cause == b->cause && a->evidence == b->evidence &&
	       a->helper == b->helper && a->step == b->step &&
	       a->vouched == b->vouched;
}
