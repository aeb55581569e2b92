// SPDX-License-Identifier: GPL-2.0
/*
 * How far clients are stopped: every transition, and some lives from their
 * first moment to their last, on a clock of the test's own.
 */
#include <kunit/test.h>

#ifdef MODULE
#include "../quiesce_fsm.c"
#else
#include "../quiesce_fsm.h"
#endif

#define MS	 1000000ULL
#define BEGUN	 (1000 * MS)
#define TIME	 (500 * MS)
#define NOW	 (1100 * MS)
#define LATE	 (9000 * MS)
#define HELPER	 4711
#define STRANGER 4712

#define S(x) EGPU_QUIESCE_STATE_##x
#define R(x) EGPU_DRAIN_RESULT_##x
#define I(x) EGPU_QUIESCE_##x

static int step(struct egpu_quiesce_fsm *fsm, enum egpu_quiesce_input input,
		u32 port, u64 now, const char **why)
{
	struct egpu_quiesce_message message = {
		.input = input,
		.port = port,
		.wait_ns = TIME,
		.now = now,
	};

	return egpu_quiesce_fsm_step(fsm, &message, why);
}

/* Come there by real steps, drained once where that can be. */
static struct egpu_quiesce_fsm fsm_in(enum egpu_quiesce_state state, u32 owner)
{
	struct egpu_quiesce_fsm fsm = {};
	const char *why;

	if (state == S(RUNNING))
		return fsm;
	step(&fsm, I(FENCE), owner, BEGUN, &why);
	if (state == S(FENCED))
		return fsm;
	if (state == S(RESUMED)) {
		step(&fsm, I(RESUME), owner, BEGUN, &why);
		return fsm;
	}
	step(&fsm, I(DRAIN), owner, BEGUN, &why);
	if (state == S(DRAINING))
		return fsm;
	step(&fsm, I(CLEAN), 0, BEGUN, &why);
	step(&fsm, I(CLEAN), 0, BEGUN, &why);
	return fsm;
}

/* --- every input in every state -------------------------------------------- */

/**
 * struct outcome - what an input does
 * @ret: 1 changed, 0 did not, or an error
 * @state: after a change
 * @result: after a change
 */
struct outcome {
	int ret;
	enum egpu_quiesce_state state;
	enum egpu_drain_result result;
};

/**
 * struct row - all inputs in one state
 * @state: before
 * @port: where they come from; the state is HELPER's
 * @at: when
 * @outcome: by input
 */
struct row {
	enum egpu_quiesce_state state;
	u32 port;
	u64 at;
	struct outcome outcome[EGPU_QUIESCE_UNLOAD + 1];
};

#define TO(s, r)                                                               \
	{                                                                      \
		1, S(s), R(r)                                                  \
	}
#define NO(error)                                                              \
	{                                                                      \
		-(error)                                                       \
	}
#define STAYS                                                                  \
	{                                                                      \
		0                                                              \
	}
#define NOT_DRAINING                                                           \
	[I(CLEAN)] = STAYS, [I(BUSY)] = STAYS, [I(TICK)] = STAYS,              \
	[I(GONE)] = STAYS, [I(NO_MEMORY)] = STAYS
#define OPEN                                                                   \
	[I(FENCE)] = TO(FENCED, NONE), [I(DRAIN)] = NO(EPROTO),                \
	[I(RESUME)] = NO(EALREADY), NOT_DRAINING, [I(BOUND)] = STAYS,          \
	[I(OWNER_GONE)] = STAYS, [I(UNLOAD)] = STAYS
#define BY_STRANGER                                                            \
	[I(FENCE)] = NO(EBUSY), [I(DRAIN)] = NO(EPERM),                        \
	[I(RESUME)] = NO(EPERM), [I(OWNER_GONE)] = STAYS

static const struct row rows[] = {
	{ S(RUNNING), HELPER, NOW, { OPEN } },
	{ S(RESUMED), HELPER, NOW, { OPEN } },
	{ S(RESUMED), STRANGER, LATE, { OPEN } },
	{ S(FENCED),
	  HELPER,
	  LATE,
	  { [I(FENCE)] = NO(EALREADY),
	    [I(DRAIN)] = TO(DRAINING, NONE),
	    [I(RESUME)] = TO(RESUMED, NONE),
	    NOT_DRAINING,
	    [I(BOUND)] = STAYS,
	    [I(OWNER_GONE)] = TO(RESUMED, NONE),
	    [I(UNLOAD)] = TO(RESUMED, NONE) } },
	{ S(FENCED),
	  STRANGER,
	  LATE,
	  { BY_STRANGER, NOT_DRAINING, [I(BOUND)] = STAYS,
	    [I(UNLOAD)] = TO(RESUMED, NONE) } },
	/* in time, and so the first clean look is not enough */
	{ S(DRAINING),
	  HELPER,
	  NOW,
	  { [I(FENCE)] = NO(EALREADY),
	    [I(DRAIN)] = NO(EALREADY),
	    [I(RESUME)] = TO(RESUMED, STOPPED),
	    [I(CLEAN)] = STAYS,
	    [I(BUSY)] = STAYS,
	    [I(TICK)] = STAYS,
	    [I(GONE)] = TO(FENCED, GONE),
	    [I(NO_MEMORY)] = TO(FENCED, NO_MEMORY),
	    [I(BOUND)] = STAYS,
	    [I(OWNER_GONE)] = TO(RESUMED, STOPPED),
	    [I(UNLOAD)] = TO(RESUMED, STOPPED) } },
	{ S(DRAINING),
	  STRANGER,
	  LATE,
	  { BY_STRANGER, [I(CLEAN)] = STAYS, [I(BUSY)] = STAYS,
	    [I(TICK)] = TO(FENCED, TIMED_OUT), [I(GONE)] = TO(FENCED, GONE),
	    [I(NO_MEMORY)] = TO(FENCED, NO_MEMORY), [I(BOUND)] = STAYS,
	    [I(UNLOAD)] = TO(RESUMED, STOPPED) } },
	{ S(QUIESCED),
	  HELPER,
	  LATE,
	  { [I(FENCE)] = NO(EALREADY),
	    [I(DRAIN)] = NO(EALREADY),
	    [I(RESUME)] = TO(RESUMED, DRAINED),
	    NOT_DRAINING,
	    [I(BOUND)] = TO(FENCED, DRAINED),
	    [I(OWNER_GONE)] = TO(RESUMED, DRAINED),
	    [I(UNLOAD)] = TO(RESUMED, DRAINED) } },
	{ S(QUIESCED),
	  STRANGER,
	  LATE,
	  { BY_STRANGER, NOT_DRAINING, [I(BOUND)] = TO(FENCED, DRAINED),
	    [I(UNLOAD)] = TO(RESUMED, DRAINED) } },
};

static const char *const state_names[] = { "running", "fenced", "draining",
					   "quiesced", "resumed" };

static const char *const input_names[] = {
	"fence", "drain",     "resume", "clean",      "busy",	"tick",
	"gone",	 "no memory", "bound",	"owner gone", "unload",
};

#define INPUTS ARRAY_SIZE(input_names)

/* A parameter is a row and an input in one number, from 1 on. */
static const void *transition_gen_params(const void *before, char *desc)
{
	unsigned long i = (unsigned long)before;
	const struct row *row = &rows[i / INPUTS];

	if (i == ARRAY_SIZE(rows) * INPUTS)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s: %s from %s at %llu ms",
		 state_names[row->state], input_names[i % INPUTS],
		 row->port == HELPER ? "its helper" : "a stranger",
		 row->at / MS);
	return (void *)(i + 1);
}

/* Who has fenced it is known as long as it is fenced, and no longer. */
static void check_owner(struct kunit *test, const struct egpu_quiesce_fsm *fsm,
			u32 owner)
{
	if (egpu_quiesce_fsm_fenced(fsm))
		KUNIT_EXPECT_EQ(test, fsm->owner, owner);
	else
		KUNIT_EXPECT_EQ(test, fsm->owner, 0);
}

/* A drain has its times: begun, and ended unless it goes on. */
static void check_times(struct kunit *test, const struct egpu_quiesce_fsm *fsm)
{
	if (fsm->state == S(DRAINING))
		KUNIT_EXPECT_EQ(test, fsm->result, R(NONE));
	if (fsm->state == S(DRAINING) || fsm->result != R(NONE))
		KUNIT_EXPECT_NE(test, fsm->started, 0);
	KUNIT_EXPECT_EQ(test, !fsm->ended, fsm->result == R(NONE));
}

static void transition(struct kunit *test)
{
	unsigned long i = (unsigned long)test->param_value - 1;
	const struct row *row = &rows[i / INPUTS];
	const struct outcome *wanted = &row->outcome[i % INPUTS];
	struct egpu_quiesce_fsm before = fsm_in(row->state, HELPER);
	bool opens = i % INPUTS == I(FENCE) && wanted->ret > 0;
	struct egpu_quiesce_fsm fsm = before;
	const char *why = NULL;

	KUNIT_ASSERT_EQ(test, fsm.state, row->state);
	KUNIT_EXPECT_EQ(test, wanted->ret,
			step(&fsm, i % INPUTS, row->port, row->at, &why));
	KUNIT_EXPECT_EQ(test, !why, wanted->ret >= 0);
	if (wanted->ret <= 0) {
		/* How many looks were clean is all that may have changed. */
		before.clean = fsm.clean;
		KUNIT_EXPECT_MEMEQ(test, &fsm, &before, sizeof(fsm));
		return;
	}
	KUNIT_EXPECT_EQ(test, fsm.state, wanted->state);
	KUNIT_EXPECT_EQ(test, fsm.result, wanted->result);
	check_owner(test, &fsm, opens ? row->port : HELPER);
	check_times(test, &fsm);
}

/* --- lives ------------------------------------------------------------------ */

/**
 * struct event - something that happens at a time
 * @at: ms
 * @input: what
 * @port: from where
 * @ret: what is answered
 */
struct event {
	u32 at;
	enum egpu_quiesce_input input;
	u32 port;
	int ret;
};

/**
 * struct story - events and where they lead
 * @name: what happens
 * @event: one after the other; the first at 0 ms ends them
 * @state: in the end
 * @result: in the end
 * @run: drains in all
 */
struct story {
	const char *name;
	struct event event[10];
	enum egpu_quiesce_state state;
	enum egpu_drain_result result;
	u32 run;
};

static const struct story stories[] = {
	{ "two clean looks in a row",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(CLEAN), 0, 0 },
	    { 4, I(CLEAN), 0, 1 } },
	  S(QUIESCED),
	  R(DRAINED),
	  1 },
	{ "clean looks that are not in a row",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(CLEAN), 0, 0 },
	    { 4, I(BUSY), 0, 0 },
	    { 5, I(CLEAN), 0, 0 },
	    { 6, I(BUSY), 0, 0 },
	    { 7, I(CLEAN), 0, 0 } },
	  S(DRAINING),
	  R(NONE),
	  1 },
	{ "a clean look of the drain before does not count",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(CLEAN), 0, 0 },
	    { 502, I(TICK), 0, 1 },
	    { 503, I(DRAIN), HELPER, 1 },
	    { 504, I(CLEAN), 0, 0 } },
	  S(DRAINING),
	  R(NONE),
	  2 },
	{ "a clean look at the driver before does not count",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(CLEAN), 0, 0 },
	    { 4, I(BOUND), 0, 0 },
	    { 5, I(CLEAN), 0, 0 } },
	  S(DRAINING),
	  R(NONE),
	  1 },
	{ "time to the millisecond",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 501, I(TICK), 0, 0 },
	    { 502, I(TICK), 0, 1 },
	    { 503, I(CLEAN), 0, 0 },
	    { 504, I(CLEAN), 0, 0 } },
	  S(FENCED),
	  R(TIMED_OUT),
	  1 },
	{ "again after a timeout",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 600, I(TICK), 0, 1 },
	    { 700, I(DRAIN), HELPER, 1 },
	    { 701, I(CLEAN), 0, 0 },
	    { 702, I(CLEAN), 0, 1 },
	    { 703, I(RESUME), HELPER, 1 },
	    { 704, I(RESUME), HELPER, -EALREADY } },
	  S(RESUMED),
	  R(DRAINED),
	  2 },
	{ "another helper after the first has died",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(FENCE), STRANGER, -EBUSY },
	    { 4, I(OWNER_GONE), STRANGER, 0 },
	    { 5, I(OWNER_GONE), HELPER, 1 },
	    { 6, I(FENCE), STRANGER, 1 },
	    { 7, I(DRAIN), HELPER, -EPERM },
	    { 8, I(DRAIN), STRANGER, 1 } },
	  S(DRAINING),
	  R(NONE),
	  2 },
	{ "gone, and gone again",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(GONE), 0, 1 },
	    { 4, I(GONE), 0, 0 },
	    { 5, I(RESUME), HELPER, 1 } },
	  S(RESUMED),
	  R(GONE),
	  1 },
	{ "an eject of our own ends with nobody's death",
	  { { 1, I(FENCE), 0, 1 },
	    { 2, I(DRAIN), 0, 1 },
	    { 3, I(OWNER_GONE), 0, 0 },
	    { 4, I(RESUME), HELPER, -EPERM },
	    { 5, I(CLEAN), 0, 0 },
	    { 6, I(CLEAN), 0, 1 } },
	  S(QUIESCED),
	  R(DRAINED),
	  1 },
	{ "a driver bound anew wants another drain",
	  { { 1, I(FENCE), HELPER, 1 },
	    { 2, I(DRAIN), HELPER, 1 },
	    { 3, I(CLEAN), 0, 0 },
	    { 4, I(CLEAN), 0, 1 },
	    { 5, I(DRAIN), HELPER, -EALREADY },
	    { 6, I(BOUND), 0, 1 },
	    { 7, I(DRAIN), HELPER, 1 } },
	  S(DRAINING),
	  R(NONE),
	  2 },
};

static void story_name(const struct story *story, char *desc)
{
	strscpy(desc, story->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(story, stories, story_name);

static void story_comes_to_its_end(struct kunit *test)
{
	const struct story *story = test->param_value;
	struct egpu_quiesce_fsm fsm = {};
	const struct event *event;
	const char *why;

	for (event = story->event; event->at; event++) {
		KUNIT_EXPECT_EQ_MSG(test, event->ret,
				    step(&fsm, event->input, event->port,
					 event->at * MS, &why),
				    "at %u ms", event->at);
		check_times(test, &fsm);
	}
	KUNIT_EXPECT_EQ(test, fsm.state, story->state);
	KUNIT_EXPECT_EQ(test, fsm.result, story->result);
	KUNIT_EXPECT_EQ(test, fsm.run, story->run);
}

static struct kunit_case quiesce_fsm_cases[] = {
	KUNIT_CASE_PARAM(transition, transition_gen_params),
	KUNIT_CASE_PARAM(story_comes_to_its_end, story_gen_params),
	{}
};

static struct kunit_suite quiesce_fsm_suite = {
	.name = "egpu_quiesce_fsm",
	.test_cases = quiesce_fsm_cases,
};

kunit_test_suite(quiesce_fsm_suite);

MODULE_DESCRIPTION("KUnit tests of how far egpu has stopped a GPU's clients");
MODULE_LICENSE("GPL");
