// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What has come of a removal: the verdict, and whom a surprise has hit.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "../../common/text.h"
#include "../egpud.h"

/* More names than that help nobody. */
#define VICTIMS_MAX 16

static void tell_victims(struct daemon *daemon,
			 const struct egpu_removal *removal)
{
	struct egpu_client_list *list;
	char comm[EGPU_STRING_MAX];
	size_t i;

	if (egpu_client_list_of(daemon->ctx, removal->cookie, &list)) {
		log_line(LOG_WARNING,
			 "%s was pulled; whom that hit is not known: %s",
			 removal->address, egpu_error(daemon->ctx));
		return;
	}
	log_line(LOG_WARNING, "%s was pulled, which hit %zu clients",
		 removal->address, list->count);
	for (i = 0; i < list->count && i < VICTIMS_MAX; i++)
		log_line(LOG_WARNING, "%s was pulled while %s (pid %u) used it",
			 removal->address,
			 text_printable(list->item[i]->comm, comm, sizeof(comm)),
			 list->item[i]->pid);
	egpu_client_list_free(list);
}

static void tell_verdict(struct daemon *daemon, const struct egpu_event *event)
{
	const struct egpu_removal *removal = event->removal;
	const struct verdict_facts facts = {
		.device = event->device,
		.removal = removal,
		.left = nodes_left(daemon->roots, removal->address),
	};
	struct verdict verdict;
	size_t i;

	memset(&verdict, 0, sizeof(verdict));
	verdict_of(&facts, &verdict);
	log_line(LOG_NOTICE, "%s: %s", removal->address, verdict.name);
	for (i = 0; i < verdict.n; i++)
		log_line(LOG_NOTICE, "%s: %s", removal->address,
			 verdict.reason[i]);
	snprintf(daemon->verdict, sizeof(daemon->verdict), "%s: %s.",
		 removal->address, verdict.name);
	gpus_update_status(daemon);
}

/**
 * outcome_tell() - tell how a removal has ended, in the log and to systemd
 * @daemon: daemon
 * @event: event
 */
void outcome_tell(struct daemon *daemon, const struct egpu_event *event)
{
	const struct egpu_removal *removal = event->removal;

	if (!removal || !removal->external)
		return;
	if (event->type == EGPU_EVENT_DISCONNECTED) {
		if (removal->cause == EGPU_CAUSE_SURPRISE)
			tell_victims(daemon, removal);
	} else if (removal->phase >= EGPU_PHASE_DONE) {
		tell_verdict(daemon, event);
	}
}
