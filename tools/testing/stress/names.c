// SPDX-License-Identifier: GPL-2.0
/*
 * A step in words.
 */
#include "stress.h"

#include <stdio.h>

const char *const act_names[ACT_KINDS] = {
	[ADD] = "add",
	[PULL] = "pull",
	[SYSFS_REMOVE] = "remove",
	[BRIDGE_REMOVE] = "remove-bridge",
	[SLOT_OFF] = "slot-off",
	[BUTTON] = "button",
	[UNBIND] = "unbind",
	[BIND] = "bind",
	[REBIND] = "rebind",
	[UNBIND_REMOVE] = "unbind+remove",
	[UNBIND_PULL] = "unbind+pull",
	[REMOVE_PULL] = "remove+pull",
	[RESCAN] = "rescan",
	[UNPLUG] = "unplug",
	[EJECT] = "eject",
	[EJECT_TWICE] = "eject+eject",
	[EJECT_PULL] = "eject+pull",
	[EJECT_REMOVE] = "eject+remove",
	[EJECT_CANCEL] = "eject+cancel",
	[EJECT_UNBIND] = "eject+unbind",
	[EJECT_LEAVING] = "remove+eject",
	[QUIESCE] = "quiesce",
	[QUIESCE_DROP] = "quiesce+drop",
	[QUIESCE_REMOVE] = "quiesce+remove",
	[QUIESCE_PULL] = "quiesce+pull",
	[OPEN_CLIENT] = "open",
	[CLOSE_CLIENT] = "close",
	[WORK_EJECT] = "work+eject",
	[WORK_PULL] = "work+pull",
	[WORK_REMOVE] = "work+remove",
	[WORK_KILL] = "work+kill",
	[RESCAN_ALL] = "rescan-all",
	[HELPER_COME] = "helper-come",
	[HELPER_GO] = "helper-go",
	[HELPER_STOP] = "helper-stop",
	[HELPER_CONT] = "helper-cont",
	[EGPUD_START] = "egpud-start",
	[EGPUD_TERM] = "egpud-term",
	[EGPUD_KILL] = "egpud-kill",
	[EGPUD_STOP] = "egpud-stop",
	[EGPUD_CONT] = "egpud-cont",
	[STALL] = "stall",
	[RESUME] = "resume",
	[VISIT] = "visit",
	[LEAVE] = "leave",
	[DUMPS] = "dumps",
	[SETTINGS] = "settings",
	[RULE] = "rule",
	[LOAD] = "load",
	[UNLOAD] = "unload",
	[RELOAD] = "reload",
};

const char *const place_names[] = {
	"absent", "bound", "detached", "removed", "cut off",
};

/**
 * plan_print - a step in words
 * @plan: the step
 * @text: filled
 * @size: its bytes
 */
void plan_print(const struct plan *plan, char *text, size_t size)
{
	size_t n = snprintf(text, size, "%u:", plan->number);
	int i;

	for (i = 0; i < plan->acts && n < size; i++) {
		const struct act *act = &plan->act[i];

		n += snprintf(text + n, size - n, "%s %s", i ? "," : "",
			      act_names[act->kind]);
		if (act->port >= 0 && n < size)
			n += snprintf(text + n, size - n, " %s",
				      port_name(act->port));
		if (act->delay_ms && n < size)
			n += snprintf(text + n, size - n, "@%u%s", act->delay_ms,
				      act->moment == AFTER_DELAY  ? "" :
				      act->moment == WHEN_PENDING ? "p" :
								    "a");
	}
}
