// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Death at a chosen step, for the tests: whatever a killed daemon leaves behind
 * must be mended by the next one. In a daemon at work this does nothing.
 */
#include <signal.h>
#include <unistd.h>

#include "egpud.h"

static unsigned int left;

/* @step: die right before this step, counted from 1; 0 for never. */
void crash_at(unsigned int step)
{
	left = step;
}

/* Called right before everything that changes something outside of us. */
void crash_point(void)
{
	if (left && !--left)
		kill(getpid(), SIGKILL);
}
