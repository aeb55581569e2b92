// SPDX-License-Identifier: GPL-2.0
/*
 * Lives of removal requests, from their first moment to their last, on a clock
 * of the test's own.
 */
#include <kunit/test.h>

#ifdef MODULE
#include "../request_fsm.c"
#else
#include "../request_fsm.h"
#endif

#define MS	 1000000ULL
#define BORN	 (1000 * MS)
#define HELPER	 4711
#define STRANGER 4712

#define OTHERS EGPU_ORIGIN_OTHERS
#define EJECT  EGPU_ORIGIN_EJECT
#define P(x)   EGPU_PHASE_##x
#define R(x)   EGPU_RELEASE_##x
#define I(x)   EGPU_FSM_##x
#define C(x)   EGPU_CAUSE_##x

/**
 * struct event - something that happens at a time
 * @at: ms
 * @input: what
 * @port: from where
 * @ret: what is answered
 */
struct event {
	u32 at;
	enum egpu_fsm_input input;
	u32 port;
	int ret;
};

/**
 * struct story - a request's life on a clock of our own, from 1000 ms on
 * @name: what happens
 * @origin: who begins
 * @event: one after the other; the first at 0 ms ends them
 * @phase: in the end
 * @release: in the end
 * @cause: in the end
 */
struct story {
	const char *name;
	enum egpu_origin origin;
	struct event event[6];
	enum egpu_phase phase;
	enum egpu_release release;
	enum egpu_cause cause;
};

static const struct story stories[] = {
	{ "graceful",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1500, I(ACK), HELPER, 1 },
	    { 1600, I(UNBOUND), 0, 1 },
	    { 1700, I(DONE), 0, 1 } },
	  P(DONE),
	  R(ACKED),
	  C(GRACEFUL) },
	{ "double ack",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1500, I(ACK), HELPER, 1 },
	    { 1501, I(ACK), HELPER, -EALREADY } },
	  P(RELEASED),
	  R(ACKED),
	  C(GRACEFUL) },
	{ "double ack after the end",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1500, I(ACK), HELPER, 1 },
	    { 1600, I(DONE), 0, 1 },
	    { 9000, I(ACK), HELPER, -EALREADY } },
	  P(DONE),
	  R(ACKED),
	  C(GRACEFUL) },
	{ "late ack",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 3000, I(TICK), 0, 1 },
	    { 3001, I(ACK), HELPER, -ETIME } },
	  P(RELEASED),
	  R(TIMED_OUT),
	  C(GRACEFUL) },
	{ "late ack after the end",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 3000, I(TICK), 0, 1 },
	    { 3100, I(DONE), 0, 1 },
	    { 3200, I(ACK), HELPER, -ETIME } },
	  P(DONE),
	  R(TIMED_OUT),
	  C(GRACEFUL) },
	{ "late accept",
	  OTHERS,
	  { { 1249, I(TICK), 0, 0 },
	    { 1250, I(TICK), 0, 1 },
	    { 1251, I(ACCEPT), HELPER, -ETIME } },
	  P(RELEASED),
	  R(NOT_ACCEPTED),
	  C(GRACEFUL) },
	{ "helper death",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(HELPER_GONE), HELPER, 1 },
	    { 1030, I(ACCEPT), STRANGER, -ETIME } },
	  P(RELEASED),
	  R(HELPER_DIED),
	  C(GRACEFUL) },
	{ "helper death after its ack",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(ACK), HELPER, 1 },
	    { 1030, I(HELPER_GONE), HELPER, 0 } },
	  P(RELEASED),
	  R(ACKED),
	  C(GRACEFUL) },
	{ "death of a helper that did not accept",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(HELPER_GONE), STRANGER, 0 },
	    { 1030, I(NO_HELPER), 0, 0 } },
	  P(ACCEPTED),
	  R(NOT_YET),
	  C(GRACEFUL) },
	{ "death of the last before anyone accepts",
	  OTHERS,
	  { { 1010, I(HELPER_GONE), HELPER, 0 }, { 1011, I(NO_HELPER), 0, 1 } },
	  P(RELEASED),
	  R(UNATTENDED),
	  C(GRACEFUL) },
	{ "overtaken",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(SURPRISE), 0, 1 },
	    { 1030, I(ACK), HELPER, -ETIME },
	    { 1040, I(DONE), 0, 1 } },
	  P(DONE),
	  R(OVERTAKEN),
	  C(SURPRISE) },
	{ "overtaken before anyone accepts",
	  OTHERS,
	  { { 1020, I(SURPRISE), 0, 1 }, { 1030, I(ACCEPT), HELPER, -ETIME } },
	  P(RELEASED),
	  R(OVERTAKEN),
	  C(SURPRISE) },
	{ "overtaken twice",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(SURPRISE), 0, 1 },
	    { 1030, I(SURPRISE), 0, 0 } },
	  P(RELEASED),
	  R(OVERTAKEN),
	  C(SURPRISE) },
	{ "overtaken after its ack",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(ACK), HELPER, 1 },
	    { 1030, I(SURPRISE), 0, 1 } },
	  P(RELEASED),
	  R(ACKED),
	  C(SURPRISE) },
	{ "surprise after the end",
	  OTHERS,
	  { { 1010, I(DONE), 0, 1 }, { 1020, I(SURPRISE), 0, 0 } },
	  P(DONE),
	  R(GONE),
	  C(GRACEFUL) },
	{ "cancel",
	  EJECT,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(CANCEL), 0, 1 },
	    { 1030, I(ACK), HELPER, -ETIME } },
	  P(CANCELLED),
	  R(WITHDRAWN),
	  C(GRACEFUL) },
	{ "cancel after finish",
	  EJECT,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(ACK), HELPER, 1 },
	    { 1030, I(UNBOUND), 0, 1 },
	    { 1040, I(DONE), 0, 1 },
	    { 1050, I(CANCEL), 0, -ESTALE } },
	  P(DONE),
	  R(ACKED),
	  C(GRACEFUL) },
	{ "cancel after cancel",
	  EJECT,
	  { { 1020, I(CANCEL), 0, 1 }, { 1030, I(CANCEL), 0, -EALREADY } },
	  P(CANCELLED),
	  R(WITHDRAWN),
	  C(GRACEFUL) },
	{ "cancel after refusal",
	  EJECT,
	  { { 1010, I(NO_HELPER), 0, 1 },
	    { 1020, I(REFUSE), 0, 1 },
	    { 1030, I(CANCEL), 0, -ESTALE } },
	  P(REFUSED),
	  R(UNATTENDED),
	  C(GRACEFUL) },
	{ "refused by its helper",
	  EJECT,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(REPORT), HELPER, 1 },
	    { 1030, I(REFUSE), STRANGER, -EPERM },
	    { 1040, I(REFUSE), HELPER, 1 },
	    { 1050, I(ACK), HELPER, -ETIME } },
	  P(REFUSED),
	  R(WITHDRAWN),
	  C(GRACEFUL) },
	{ "cancel after the helper's refusal",
	  EJECT,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(REFUSE), HELPER, 1 },
	    { 1030, I(CANCEL), 0, -ESTALE } },
	  P(REFUSED),
	  R(WITHDRAWN),
	  C(GRACEFUL) },
	{ "a removal by others cannot be refused",
	  OTHERS,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(REPORT), HELPER, 1 },
	    { 1030, I(REFUSE), HELPER, -EINVAL },
	    { 1040, I(ACK), HELPER, 1 },
	    { 1050, I(REPORT), HELPER, -ETIME } },
	  P(RELEASED),
	  R(ACKED),
	  C(GRACEFUL) },
	{ "report late",
	  EJECT,
	  { { 1005, I(REPORT), HELPER, -EPROTO },
	    { 1010, I(ACCEPT), HELPER, 1 },
	    { 3000, I(TICK), 0, 1 },
	    { 3001, I(REPORT), HELPER, -ETIME },
	    { 3002, I(REFUSE), HELPER, -EINVAL } },
	  P(RELEASED),
	  R(TIMED_OUT),
	  C(GRACEFUL) },
	{ "cancel too late",
	  EJECT,
	  { { 1010, I(ACCEPT), HELPER, 1 },
	    { 1020, I(ACK), HELPER, 1 },
	    { 1030, I(CANCEL), 0, -EBUSY } },
	  P(RELEASED),
	  R(ACKED),
	  C(GRACEFUL) },
};

static void story_name(const struct story *story, char *desc)
{
	strscpy(desc, story->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(story, stories, story_name);

/* What was reached has its time, what was not has none. */
static void check_times(struct kunit *test, const struct egpu_fsm *fsm, u64 now)
{
	KUNIT_EXPECT_EQ(test, !fsm->released, egpu_fsm_waiting(fsm));
	KUNIT_EXPECT_EQ(test, !!fsm->finished, egpu_fsm_finished(fsm));
	KUNIT_EXPECT_EQ(test, !fsm->accepted, !fsm->helper);
	KUNIT_EXPECT_EQ(test, fsm->created, BORN);
	KUNIT_EXPECT_TRUE(test,
			  !fsm->released || fsm->released >= fsm->accepted);
	KUNIT_EXPECT_TRUE(test, !fsm->unbound || fsm->unbound >= fsm->released);
	KUNIT_EXPECT_TRUE(test, !fsm->finished || fsm->finished >= fsm->unbound);
	KUNIT_EXPECT_LE(test, max(fsm->released, fsm->finished), now);
}

static struct egpu_fsm_start start_of(enum egpu_origin origin)
{
	return (struct egpu_fsm_start){
		.origin = origin,
		.cause = EGPU_CAUSE_GRACEFUL,
		.evidence = EGPU_EVIDENCE_PRESENT,
		.external = true,
		.helpers = true,
		.now = BORN,
		.accept_ns = 250 * MS,
		.wait_ns = 2000 * MS,
	};
}

static void story_comes_to_its_end(struct kunit *test)
{
	const struct story *story = test->param_value;
	struct egpu_fsm_start start = start_of(story->origin);
	const struct event *event;
	const char *why;
	struct egpu_fsm fsm;

	egpu_fsm_begin(&fsm, &start);
	for (event = story->event; event->at; event++) {
		KUNIT_EXPECT_EQ_MSG(test, event->ret,
				    egpu_fsm_step(&fsm, event->input, event->port,
						  event->at * MS, &why),
				    "at %u ms", event->at);
		check_times(test, &fsm, event->at * MS);
	}
	KUNIT_EXPECT_EQ(test, fsm.phase, story->phase);
	KUNIT_EXPECT_EQ(test, fsm.release, story->release);
	KUNIT_EXPECT_EQ(test, fsm.cause, story->cause);
}

static struct kunit_case request_story_cases[] = {
	KUNIT_CASE_PARAM(story_comes_to_its_end, story_gen_params),
	{}
};

static struct kunit_suite request_story_suite = {
	.name = "egpu_request_story",
	.test_cases = request_story_cases,
};

kunit_test_suite(request_story_suite);

MODULE_DESCRIPTION("KUnit tests of the lives of egpu's removal requests");
MODULE_LICENSE("GPL");
