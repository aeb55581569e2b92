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

void egpu_settings_free(struct egpu_settings *settings)
{
	free(settings);
}

/*
 * A list is a typed copy of a vec, which is left empty. On failure it returns
 * NULL and leaves the vec as it was.
 */
#define DEFINE_LIST(name, plural)                                              \
	struct egpu_##name##_list *egpu_vec_to_##plural(struct egpu_vec *vec)  \
	{                                                                      \
		struct egpu_##name##_list *list;                               \
		size_t i;                                                      \
									       \
		list = malloc(sizeof(*list) +                                  \
			      vec->count * sizeof(list->item[0]));             \
		if (!list)                                                     \
			return NULL;                                           \
		list->count = vec->count;                                      \
		for (i = 0; i < vec->count; i++)                               \
			list->item[i] = vec->item[i];                          \
		vec->count = 0;                                                \
		egpu_vec_clear(vec);                                           \
		return list;                                                   \
	}                                                                      \
									       \
	void egpu_##name##_list_free(struct egpu_##name##_list *list)          \
	{                                                                      \
		size_t i;                                                      \
									       \
		for (i = 0; list && i < list->count; i++)                      \
			free(list->item[i]);                                   \
		free(list);                                                    \
	}

DEFINE_LIST(device, devices)
DEFINE_LIST(removal, removals)
DEFINE_LIST(client, clients)
DEFINE_LIST(override, overrides)
