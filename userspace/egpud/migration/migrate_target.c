// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which device a migration goes to: the best that was not tried yet, the CPU at
 * last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../work.h"

#define NOT_MAX (sizeof(((struct need *)0)->excluded) / sizeof(uint32_t))

/* Files of a GPU that leaves are not looked at: who does may wait for it. */
static void drop_leaving(struct egpu_device_list *list)
{
	size_t i, n = 0;

	for (i = 0; i < list->count; i++) {
		struct egpu_device *device = list->item[i];

		if (device->cookie || device->state == EGPU_DEVICE_STATE_LEAVING)
			egpu_device_free(device);
		else
			list->item[n++] = device;
	}
	list->count = n;
}

static unsigned int count_on(const struct work *work, const struct candidate *at)
{
	const struct session *session;
	unsigned int n = 0;

	for (session = work->sessions; session; session = session->next)
		n += session->greeted && !session->gone &&
		     session->device == (at->cpu ? 0 : at->id);
	return n;
}

/**
 * target_gather() - all devices that work could go to
 * @work: whose
 * @candidates: gets them; those that are about to leave are left out
 *
 * Return: 0 or a negative errno.
 */
int target_gather(struct work *work, struct candidates *candidates)
{
	const struct policy_config *config = &work->daemon->config;
	struct usage_roots roots = *work->daemon->roots;
	struct egpu_device_list *devices = NULL;
	size_t i;
	int err;

	/* Simulated sensors, for the tests. */
	if (strcmp(config->sensors, POLICY_SENSOR_PATH))
		roots.sys = config->sensors;
	err = egpu_device_list(work->daemon->ctx, &devices);
	if (err)
		return err;
	drop_leaving(devices);
	err = select_gather(&roots, devices, work->bandwidths, candidates);
	egpu_device_list_free(devices);
	for (i = 0; !err && i < candidates->n; i++)
		candidates->item[i].sessions =
			count_on(work, &candidates->item[i]);
	return err;
}

/* The device that was tried last is out of the question from now on. */
void target_exclude(struct migration *migration)
{
	struct need *need = &migration->need;

	if (!migration->has_target)
		return;
	migration->has_target = false;
	if (migration->cpu)
		need->no_cpu = true;
	else if (need->n_excluded < NOT_MAX)
		need->excluded[need->n_excluded++] = migration->target;
	else
		migration->only_cpu = true;
}

static void fill_need(struct migration *migration)
{
	const struct session *session = migration->session;
	struct need *need = &migration->need;
	const char *why;
	size_t i;

	need->bytes = session->bytes;
	need->portable = true;
	for (i = 0; i < session->n; i++) {
		why = buffer_not_portable(&session->buffer[i].buffer);
		if (!why)
			continue;
		need->portable = false;
		snprintf(need->why_not, sizeof(need->why_not), "%s", why);
		break;
	}
	if (!migration->asked_need && migration->source)
		need->excluded[need->n_excluded++] = migration->source;
	if (!migration->asked_need)
		need->no_cpu = !session->work->daemon->config.cpu_fallback;
	migration->asked_need = true;
}

static void take(struct migration *migration, const struct candidate *chosen)
{
	migration->has_target = true;
	migration->cpu = chosen->cpu;
	migration->target = chosen->cpu ? 0 : chosen->id;
	snprintf(migration->address, sizeof(migration->address), "%s",
		 chosen->address);
	snprintf(migration->driver, sizeof(migration->driver), "%s",
		 chosen->driver);
	snprintf(migration->node, sizeof(migration->node), "%s",
		 chosen->cpu ? "" : chosen->node);
}

/* Whatever else would do is not what is wanted. */
static void keep_only(struct candidates *candidates, uint32_t id)
{
	size_t i, n = 0;

	for (i = 0; i < candidates->n; i++) {
		if (candidates->item[i].id == id)
			candidates->item[n++] = candidates->item[i];
	}
	candidates->n = n;
}

static enum migration_input choose(struct migration *migration,
				   struct candidates *candidates,
				   struct selection *selection)
{
	struct session *session = migration->session;
	int err = target_gather(session->work, candidates);

	if (err) {
		reason_set(migration->reason,
			   "cannot see which devices there are: %s",
			   strerror(-err));
		return MIGRATION_FAIL;
	}
	/* Of a program that has lost its device anything is better than none. */
	if (migration->only_cpu)
		keep_only(candidates, 0);
	else if (migration->to && !session->gone)
		keep_only(candidates, migration->to);
	select_rank(candidates, &migration->need, selection);
	if (!selection->chosen) {
		/* Why the last one failed says more than that none is left. */
		if (!migration->need.n_excluded || !*migration->reason ||
		    !migration->tried)
			reason_set(migration->reason, "%s", selection->why);
		return MIGRATION_FAIL;
	}
	take(migration, selection->chosen->candidate);
	migration->tried++;
	session_log(LOG_INFO, session, "%s", selection->why);
	return MIGRATION_STEP;
}

/**
 * target_choose() - look for a device
 * @migration: gets it
 *
 * Return: what has come of it.
 */
enum migration_input target_choose(struct migration *migration)
{
	struct candidates *candidates = calloc(1, sizeof(*candidates));
	struct selection *selection = calloc(1, sizeof(*selection));
	enum migration_input input = MIGRATION_FAIL;

	fill_need(migration);
	if (candidates && selection)
		input = choose(migration, candidates, selection);
	else
		reason_set(migration->reason, "egpud is out of memory");
	free(candidates);
	free(selection);
	return input;
}
