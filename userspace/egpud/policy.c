// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The policy of this version: there is nothing to freeze or to move yet, so a
 * removal is taken, which puts it on record that a helper was there, and let go
 * at once. An eject of a GPU that is in use is then refused by the kernel.
 */
#include "egpud.h"

/* The kernel holds no others, but what it holds is for it to say. */
static bool let_go_wants(const struct egpu_removal *removal)
{
	return removal->external;
}

static enum policy_result let_go_begin(struct job *job)
{
	(void)job;
	return POLICY_DONE;
}

static void let_go_stop(struct job *job)
{
	(void)job;
}

const struct policy policy_let_go = {
	.name = "let-go",
	.wants = let_go_wants,
	.begin = let_go_begin,
	.stop = let_go_stop,
};
