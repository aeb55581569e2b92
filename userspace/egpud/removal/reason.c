// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sentences that say why an eject is refused: who, and how it holds the GPU.
 * They fit into the attribute "reason".
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../common/text.h"
#include "../egpud.h"

#define REASON_SIZE (EGPU_REASON_LEN + 1)

/**
 * reason_set() - say why
 * @reason: gets it, of EGPU_REASON_LEN + 1 bytes; what is longer is cut
 * @format: the sentence
 */
void reason_set(char *reason, const char *format, ...)
{
	char text[4 * REASON_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_printable(text, reason, REASON_SIZE);
}

/* "blender (pid 4711)" */
const char *reason_who(const struct process *process, char *buf, size_t size)
{
	snprintf(buf, size, "%s (pid %d)",
		 *process->comm ? process->comm : "a process", process->pid);
	return buf;
}

/**
 * reason_holders() - say who holds the GPU
 * @reason: gets the sentence
 * @holders: who was found
 * @match: who counts
 * @arg: for @match
 */
void reason_holders(char *reason, const struct holders *holders,
		    bool (*match)(const struct holder *holder, const void *arg),
		    const void *arg)
{
	char who[PROCESS_COMM_SIZE + 32], how[64], more[32] = "";
	const struct holder *first = NULL;
	size_t n = 0, i;

	for (i = 0; i < holders->n; i++) {
		if (!match(&holders->item[i], arg))
			continue;
		if (!n++)
			first = &holders->item[i];
	}
	if (!first) {
		reason_set(reason,
			   "the GPU is open in %u client%s that no process is known for",
			   holders->unnamed, holders->unnamed == 1 ? "" : "s");
		return;
	}
	if (n > 1)
		snprintf(more, sizeof(more), ", and %zu more", n - 1);
	reason_who(&first->process, who, sizeof(who));
	reason_set(reason, "%s%s%s still uses the GPU: %s%s",
		   first->role == ROLE_PROGRAM ? "" :
						 holder_role_name(first->role),
		   first->role == ROLE_PROGRAM ? "" : " ", who,
		   holder_how_text(first->how, how, sizeof(how)), more);
}

/**
 * reason_culprits() - say whose work does not end
 * @reason: gets the sentence
 * @quiesce: how the drain ended, with culprits
 */
void reason_culprits(char *reason, const struct egpu_quiesce *quiesce)
{
	const struct egpu_culprit *first = &quiesce->culprits[0];
	char more[32] = "";

	if (!quiesce->n_culprits) {
		reason_set(reason, "%u fences did not signal in time",
			   quiesce->pending);
		return;
	}
	if (quiesce->n_culprits > 1)
		snprintf(more, sizeof(more), ", and %u more",
			 quiesce->n_culprits - 1);
	reason_set(reason,
		   "work of %s (pid %u) does not end: %u fence%s not signalled%s",
		   *first->comm ? first->comm : "a client", first->pid,
		   first->fences, first->fences == 1 ? "" : "s", more);
}
