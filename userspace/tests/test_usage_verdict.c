// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether the cable can be pulled, fact by fact.
 */
#include <stdio.h>
#include <string.h>

#include "../usage/usage.h"
#include "test.h"

static struct egpu_device device;
static struct egpu_removal removal;
static struct holder holder[12];
static struct holders holders;
static struct verdict_facts facts;
static struct verdict verdict;

static int setup(void **state)
{
	(void)state;
	memset(&device, 0, sizeof(device));
	device.id = 7;
	device.external = true;
	device.state = EGPU_DEVICE_STATE_READY;
	memset(&removal, 0, sizeof(removal));
	removal.id = 7;
	removal.cause = EGPU_CAUSE_GRACEFUL;
	memset(holder, 0, sizeof(holder));
	memset(&holders, 0, sizeof(holders));
	holders.item = holder;
	memset(&facts, 0, sizeof(facts));
	facts.device = &device;
	facts.holders = &holders;
	return 0;
}

static void add_holder(const char *comm, pid_t pid, unsigned int how)
{
	struct holder *new = &holder[holders.n++];

	snprintf(new->process.comm, sizeof(new->process.comm), "%s", comm);
	new->process.pid = pid;
	new->how = how;
}

static void assert_verdict(const char *name)
{
	verdict_of(&facts, &verdict);
	assert_string_equal(verdict.name, name);
	assert_int_equal(verdict.safe, !strcmp(name, "safe-to-unplug"));
	assert_true(verdict.n >= 1 && verdict.n <= VERDICT_REASONS_MAX);
}

static void assert_reason(size_t i, const char *reason)
{
	assert_true(i < verdict.n);
	assert_string_equal(verdict.reason[i], reason);
}

static void at_rest(void **state)
{
	(void)state;
	assert_verdict("attached");
	assert_int_equal(verdict.n, 1);
	assert_reason(0, "it is on the bus; eject it first");
	device.external = false;
	assert_verdict("attached");
	assert_reason(0, "it is internal, it has no cable");
	device.state = EGPU_DEVICE_STATE_DETACHED;
	assert_verdict("unbound");
	device.state = 99;
	assert_verdict("unknown");
}

static void in_use(void **state)
{
	(void)state;
	add_holder("game", 5, HOLDER_NODE | HOLDER_MAPPED);
	add_holder("X\033", 6, HOLDER_NODE);
	holder[1].master = true;
	assert_verdict("in-use");
	assert_int_equal(verdict.n, 2);
	assert_reason(0, "X? (process 6, shows a picture) uses it: node");
	assert_reason(1, "game (process 5) uses it: node, mapped");
}

/* Nothing that would go with another stands in the way. */
static void who_does_not_count(void **state)
{
	(void)state;
	add_holder("systemd-logind", 5, HOLDER_NODE | HOLDER_OPENED_FOR);
	add_holder("egpuctl", 6, HOLDER_NODE);
	holder[1].role = ROLE_SELF;
	assert_verdict("attached");
	assert_int_equal(verdict.n, 1);
}

static void many_holders(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		add_holder("game", 100 + i, HOLDER_NODE);
	assert_verdict("in-use");
	assert_int_equal(verdict.n, 8);
	assert_reason(7, "game (process 107) uses it: node");
	add_holder("game", 108, HOLDER_NODE);
	holder[8].master = true;
	assert_verdict("in-use");
	assert_int_equal(verdict.n, 8);
	assert_reason(0, "game (process 108, shows a picture) uses it: node");
	assert_reason(6, "game (process 105) uses it: node");
	assert_reason(7, "2 more processes use it");
}

static void doubts(void **state)
{
	(void)state;
	holders.unnamed = 1;
	assert_verdict("in-use");
	assert_reason(0,
		      "1 open DRM file of it belongs to no process that could be seen");
	holders.unnamed = 0;
	holders.unseen = 2;
	assert_verdict("attached");
	assert_reason(1, "2 processes could not be looked into, root sees more");
	/* What the kernel counts is then all that is known. */
	device.clients = 1;
	assert_verdict("in-use");
	holders.unseen = 0;
	assert_verdict("attached");
	facts.holders = NULL;
	assert_verdict("in-use");
	assert_reason(0, "who uses it is not known");
	device.clients = 0;
	assert_verdict("attached");
}

static void leaving(void **state)
{
	static const char *const step[] = {
		"the helper works on it",
		"it is being closed to new programs",
		"its programs are asked to let go",
		"its programs are being frozen",
		"its work in flight is awaited",
		"it is about to be removed",
		"the helper works on it",
	};

	(void)state;
	facts.removal = &removal;
	removal.phase = EGPU_PHASE_PENDING;
	assert_verdict("leaving");
	assert_reason(0, "its removal waits for a helper");
	removal.phase = EGPU_PHASE_ACCEPTED;
	for (removal.step = 0; removal.step < 7; removal.step++) {
		assert_verdict("leaving");
		assert_reason(0, step[removal.step]);
	}
	removal.phase = EGPU_PHASE_RELEASED;
	assert_verdict("leaving");
	assert_reason(0, "its driver is letting go");
	facts.overdue = true;
	assert_verdict("timed-out");
	facts.overdue = false;
	facts.device = NULL;
	removal.phase = EGPU_PHASE_UNBOUND;
	assert_verdict("leaving");
	facts.device = &device;
	facts.removal = NULL;
	device.cookie = 3;
	assert_verdict("leaving");
	device.cookie = 0;
	device.state = EGPU_DEVICE_STATE_LEAVING;
	assert_verdict("leaving");
}

static void kept_from_it(void **state)
{
	(void)state;
	facts.removal = &removal;
	removal.phase = EGPU_PHASE_REFUSED;
	strcpy(removal.reason, "firefox\n uses it");
	add_holder("firefox", 5, HOLDER_NODE);
	assert_verdict("refused");
	assert_reason(0, "the last eject was refused: firefox? uses it");
	assert_reason(1, "firefox (process 5) uses it: node");
	/* The kernel says so first and then calls it ready again. */
	device.state = EGPU_DEVICE_STATE_LEAVING;
	removal.cookie = 3;
	device.cookie = removal.cookie;
	assert_verdict("refused");
	device.cookie = removal.cookie + 1;
	assert_verdict("leaving");
	device.state = EGPU_DEVICE_STATE_READY;
	device.cookie = 0;
	removal.release = EGPU_RELEASE_TIMED_OUT;
	removal.reason[0] = '\0';
	assert_verdict("timed-out");
	assert_reason(0, "the last eject was not done in time");
	removal.phase = EGPU_PHASE_CANCELLED;
	assert_verdict("cancelled");
	assert_reason(0, "the last eject was called off");
	/* That of a GPU that is no more says nothing of this one. */
	removal.id = 6;
	assert_verdict("in-use");
	/* Nor does an unbinding that is over. */
	removal.id = 7;
	removal.phase = EGPU_PHASE_DONE;
	removal.cause = EGPU_CAUSE_UNBIND;
	assert_verdict("in-use");
}

static void off_the_bus(void **state)
{
	(void)state;
	facts.device = NULL;
	facts.holders = NULL;
	assert_verdict("safe-to-unplug");
	assert_reason(0, "it is off the bus");
	facts.removal = &removal;
	removal.phase = EGPU_PHASE_DONE;
	assert_verdict("safe-to-unplug");
	facts.left = 1;
	assert_verdict("attached");
	assert_reason(0, "1 other function of its slot is still on the bus");
	facts.left = 2;
	assert_verdict("attached");
	assert_reason(0, "2 other functions of its slot are still on the bus");
	facts.left = 0;
	removal.cause = EGPU_CAUSE_SURPRISE;
	assert_verdict("surprise");
	facts.removal = NULL;
	facts.device = &device;
	device.state = EGPU_DEVICE_STATE_GONE;
	assert_verdict("safe-to-unplug");
	facts.lost = true;
	assert_verdict("unknown");
}

static void in_words(void **state)
{
	char buf[VERDICT_TEXT_SIZE], small[16];

	(void)state;
	add_holder("a", 5, HOLDER_NODE);
	add_holder("b", 6, HOLDER_SOUND);
	assert_verdict("in-use");
	assert_string_equal(verdict_text(&verdict, 2, buf, sizeof(buf)),
			    "is not safe to unplug: a (process 5) uses it: node; b (process 6) uses it: sound");
	assert_string_equal(verdict_text(&verdict, 1, buf, sizeof(buf)),
			    "is not safe to unplug: a (process 5) uses it: node");
	assert_string_equal(verdict_text(&verdict, 2, small, sizeof(small)),
			    "is not safe to ");
	facts.device = NULL;
	assert_verdict("safe-to-unplug");
	assert_string_equal(verdict_text(&verdict, 0, buf, sizeof(buf)),
			    "is safe to unplug");
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	CASE(at_rest),	    CASE(in_use),      CASE(who_does_not_count),
	CASE(many_holders), CASE(doubts),      CASE(leaving),
	CASE(kept_from_it), CASE(off_the_bus), CASE(in_words),
};

TEST_MAIN(tests, NULL, NULL)
