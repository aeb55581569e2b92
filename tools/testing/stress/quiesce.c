// SPDX-License-Identifier: GPL-2.0
/*
 * Acts that stop the clients of a GPU: fence, drain, and what comes between. Each
 * has a socket of its own, for that is who owns what it fences.
 */
#include "stress.h"

#include <errno.h>

/* Nothing is in flight, so a drain ends long before. */
#define DRAIN_MS 30000

static void await_drain(struct act *act, struct nl *nl, uint32_t id)
{
	struct quiesce now = { .state = EGPU_QUIESCE_STATE_DRAINING };

	while (!act->error && now.state == EGPU_QUIESCE_STATE_DRAINING) {
		sleep_ms(5);
		act->error = quiesce_step(nl, ask_family(),
					  EGPU_CMD_QUIESCE_GET, id, 0, &now);
	}
	act->drained = now.result;
}

/**
 * run_quiesce - fence and drain a GPU, then do what the act says
 * @act: the act
 * @id: of the GPU
 *
 * What the kernel said is left in the act: the first error, how the drain ended.
 */
void run_quiesce(struct act *act, uint32_t id)
{
	const struct family *family = ask_family();
	struct nl nl;

	if (nl_open(&nl))
		trouble("cannot open a socket");
	act->error = quiesce_step(&nl, family, EGPU_CMD_FENCE, id, 0, NULL);
	if (!act->error)
		act->error = quiesce_step(&nl, family, EGPU_CMD_DRAIN, id,
					  DRAIN_MS, NULL);
	if (act->kind == QUIESCE)
		await_drain(act, &nl, id);
	else if (act->moment == AFTER_DELAY)
		sleep_ms(act->delay_ms % 50);
	if (act->kind == QUIESCE_REMOVE)
		gpu_remove(act->port);
	else if (act->kind == QUIESCE_PULL)
		card_pull(act->port, act);
	else if (act->kind == QUIESCE && !act->error)
		act->error =
			quiesce_step(&nl, family, EGPU_CMD_RESUME, id, 0, NULL);
	nl_close(&nl);
}
