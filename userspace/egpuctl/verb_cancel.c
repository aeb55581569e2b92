// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl cancel: call an eject off
 */
#include <errno.h>
#include <inttypes.h>

#include "../common/text.h"
#include "ctl.h"

static int open_removal_of(struct ctl *ctl, const struct egpu_device_list *list,
			   const char *name, uint64_t *cookie)
{
	const struct egpu_device *dev;
	int code;

	code = ctl_find_gpu(ctl, list, name, &dev);
	if (code)
		return code;
	if (!dev->cookie)
		return ctl_fail(ctl, EXIT_NOT_FOUND, -ENOENT,
				"GPU %u is not being ejected", dev->id);
	*cookie = dev->cookie;
	return EXIT_OK;
}

/* The open removal of the GPU with this id, or 0. */
static uint64_t cookie_of_id(const struct egpu_device_list *list, uint64_t id)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->item[i]->id == id)
			return list->item[i]->cookie;
	}
	return 0;
}

/*
 * A number can be a cookie or a GPU's id. It is taken for what makes sense, and
 * when both do, the person has to say which: a wrong cancel is no great harm,
 * but a cancel that went to another GPU leaves the one meant to go.
 */
static int which_removal(struct ctl *ctl, const char *name, uint64_t number,
			 uint64_t *cookie)
{
	struct egpu_device_list *list;
	struct egpu_removal *rem;
	uint64_t of_id;
	int err;

	err = egpu_device_list(ctl->ctx, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	of_id = cookie_of_id(list, number);
	egpu_device_list_free(list);
	err = egpu_removal_get(ctl->ctx, number, &rem);
	if (err && err != -ENOENT)
		return ctl_fail_lib(ctl, err);
	*cookie = number;
	if (!err && of_id && of_id != number &&
	    rem->phase != EGPU_PHASE_CANCELLED &&
	    rem->phase != EGPU_PHASE_DONE && rem->phase != EGPU_PHASE_REFUSED) {
		egpu_removal_free(rem);
		return ctl_fail(ctl, EXIT_USAGE, -EINVAL,
				"'%s' is an open removal as well as a GPU that is being ejected: give the GPU's PCI address or its cookie (%llu)",
				name, (unsigned long long)of_id);
	}
	if (of_id)
		*cookie = of_id;
	egpu_removal_free(rem);
	return EXIT_OK;
}

static int find_removal(struct ctl *ctl, const char *name, uint64_t *cookie)
{
	struct egpu_device_list *list;
	uint64_t number;
	int err, code;

	if (text_to_uint(name, UINT64_MAX, &number) && number)
		return which_removal(ctl, name, number, cookie);
	err = egpu_device_list(ctl->ctx, &list);
	if (err)
		return ctl_fail_lib(ctl, err);
	code = open_removal_of(ctl, list, name, cookie);
	egpu_device_list_free(list);
	return code;
}

/* Whether the removal is cancelled already, which is what was asked for. */
static bool is_cancelled(struct ctl *ctl, uint64_t cookie)
{
	struct egpu_removal *rem;
	bool cancelled;

	if (egpu_removal_get(ctl->ctx, cookie, &rem))
		return false;
	cancelled = rem->phase == EGPU_PHASE_CANCELLED;
	egpu_removal_free(rem);
	return cancelled;
}

static int cancel(struct ctl *ctl, uint64_t cookie)
{
	struct json json;
	int err;

	if (!is_cancelled(ctl, cookie)) {
		err = egpu_cancel(ctl->ctx, cookie, "cancelled by egpuctl");
		if (err)
			return ctl_fail_lib(ctl, err);
	}
	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_object(&json, "cancel");
		json_uint(&json, "cookie", cookie);
		json_object_end(&json);
		tojson_end(&json);
	} else {
		fprintf(ctl->out, "Removal %" PRIu64 " is cancelled.\n", cookie);
	}
	return EXIT_OK;
}

int verb_cancel(struct ctl *ctl, int argc, char **argv)
{
	uint64_t cookie = 0;
	int code;

	(void)argc;
	code = ctl_open(ctl);
	if (!code)
		code = find_removal(ctl, argv[0], &cookie);
	return code ? code : cancel(ctl, cookie);
}
