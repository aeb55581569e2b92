// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Growing arrays of objects, and the lists that users get.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* On failure @item stays the caller's. */
int egpu_vec_insert(struct egpu_vec *vec, size_t at, void *item)
{
	if (vec->count == vec->room) {
		size_t room = vec->room ? vec->room * 2 : 8;
		void **grown = reallocarray(vec->item, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		vec->item = grown;
		vec->room = room;
	}
	memmove(&vec->item[at + 1], &vec->item[at],
		(vec->count - at) * sizeof(*vec->item));
	vec->item[at] = item;
	vec->count++;
	return 0;
}

int egpu_vec_push(struct egpu_vec *vec, void *item)
{
	return egpu_vec_insert(vec, vec->count, item);
}

/* Takes an item out without freeing it. */
void egpu_vec_drop(struct egpu_vec *vec, size_t at)
{
	vec->count--;
	memmove(&vec->item[at], &vec->item[at + 1],
		(vec->count - at) * sizeof(*vec->item));
}

/* Frees the items, which must not own anything, and the array. */
void egpu_vec_clear(struct egpu_vec *vec)
{
	size_t i;

	for (i = 0; i < vec->count; i++)
		free(vec->item[i]);
	free(vec->item);
	memset(vec, 0, sizeof(*vec));
}

void *egpu_memdup(const void *object, size_t size)
{
	void *copy = malloc(size);

	if (copy)
		memcpy(copy, object, size);
	return copy;
}

void egpu_device_free(struct egpu_device *device)
{
	free(device);
}

void egpu_removal_free(struct egpu_removal *removal)
{
	free(removal);
}

void egpu_quiesce_free(struct egpu_quiesce *quiesce)
{
	free(quiesce);
}

void egpu_settings_free(struct egpu_settings *settings)
{
	free(settings);
}

/*
 * All lists are a count and that many pointers, so one function makes them all
 * and one frees them; memcpy() because they are of different types to C.
 */
#define ASSERT_LAYOUT(type)                                                    \
	_Static_assert(offsetof(type, item) == sizeof(size_t) &&               \
			       sizeof(((type *)0)->item[0]) == sizeof(void *), \
		       #type)

ASSERT_LAYOUT(struct egpu_device_list);
ASSERT_LAYOUT(struct egpu_removal_list);
ASSERT_LAYOUT(struct egpu_client_list);
ASSERT_LAYOUT(struct egpu_buffer_list);
ASSERT_LAYOUT(struct egpu_override_list);

/* Leaves @vec empty; on failure it returns NULL and leaves it as it was. */
static void *to_list(struct egpu_vec *vec)
{
	const size_t size = vec->count * sizeof(void *);
	char *list = malloc(sizeof(size_t) + size);

	if (!list)
		return NULL;
	memcpy(list, &vec->count, sizeof(size_t));
	if (size)
		memcpy(list + sizeof(size_t), vec->item, size);
	vec->count = 0;
	egpu_vec_clear(vec);
	return list;
}

static void free_list(void *list)
{
	size_t count = 0, i;
	void *item;

	if (list)
		memcpy(&count, list, sizeof(count));
	for (i = 0; i < count; i++) {
		memcpy(&item, (char *)list + sizeof(size_t) + i * sizeof(void *),
		       sizeof(item));
		free(item);
	}
	free(list);
}

struct egpu_device_list *egpu_vec_to_devices(struct egpu_vec *vec)
{
	return to_list(vec);
}

void egpu_device_list_free(struct egpu_device_list *list)
{
	free_list(list);
}

struct egpu_removal_list *egpu_vec_to_removals(struct egpu_vec *vec)
{
	return to_list(vec);
}

void egpu_removal_list_free(struct egpu_removal_list *list)
{
	free_list(list);
}

struct egpu_client_list *egpu_vec_to_clients(struct egpu_vec *vec)
{
	return to_list(vec);
}

void egpu_client_list_free(struct egpu_client_list *list)
{
	free_list(list);
}

struct egpu_buffer_list *egpu_vec_to_buffers(struct egpu_vec *vec)
{
	return to_list(vec);
}

void egpu_buffer_list_free(struct egpu_buffer_list *list)
{
	free_list(list);
}

struct egpu_override_list *egpu_vec_to_overrides(struct egpu_vec *vec)
{
	return to_list(vec);
}

void egpu_override_list_free(struct egpu_override_list *list)
{
	free_list(list);
}
