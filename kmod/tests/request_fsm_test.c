// SPDX-License-Identifier: GPL-2.0
/*
 * The request's state machine over every transition, with time passed in.
 */
#include <kunit/test.h>

#ifdef MODULE
#include "../request_fsm.c"
#else
#include "../request_fsm.h"
#endif

#define MS	    1000000ULL
#define BORN	    (1000 * MS)
#define ACCEPT_TIME (1050 * MS)
#define NOW	    (1100 * MS)
#define HELPER	    4711
#define STRANGER    4712

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

/* A request in the phase, come there by real steps. */
static struct egpu_fsm request_in(enum egpu_phase phase, enum egpu_origin origin)
{
	struct egpu_fsm_start start = start_of(origin);
	struct egpu_fsm fsm;
	const char *why;

	egpu_fsm_begin(&fsm, &start);
	if (phase == EGPU_PHASE_PENDING)
		return fsm;
	if (phase == EGPU_PHASE_CANCELLED) {
		egpu_fsm_step(&fsm, EGPU_FSM_CANCEL, 0, ACCEPT_TIME, &why);
		return fsm;
	}
	egpu_fsm_step(&fsm, EGPU_FSM_ACCEPT, HELPER, ACCEPT_TIME, &why);
	if (phase == EGPU_PHASE_ACCEPTED)
		return fsm;
	egpu_fsm_step(&fsm, EGPU_FSM_ACK, HELPER, ACCEPT_TIME, &why);
	if (phase == EGPU_PHASE_RELEASED)
		return fsm;
	if (phase == EGPU_PHASE_REFUSED) {
		egpu_fsm_step(&fsm, EGPU_FSM_REFUSE, 0, ACCEPT_TIME, &why);
		return fsm;
	}
	egpu_fsm_step(&fsm, EGPU_FSM_UNBOUND, 0, ACCEPT_TIME, &why);
	if (phase == EGPU_PHASE_UNBOUND)
		return fsm;
	egpu_fsm_step(&fsm, EGPU_FSM_DONE, 0, ACCEPT_TIME, &why);
	return fsm;
}

/**
 * struct begin_case - where a request begins
 * @name: of the case
 * @gone: the device has left
 * @external: it hangs on a cable
 * @helpers: somebody listens
 * @wait_ms: time to the deadline
 * @phase: expected
 * @release: expected
 */
struct begin_case {
	const char *name;
	bool gone, external, helpers;
	u32 wait_ms;
	enum egpu_phase phase;
	enum egpu_release release;
};

static const struct begin_case begin_cases[] = {
	{ "helpers listen", false, true, true, 2000, EGPU_PHASE_PENDING,
	  EGPU_RELEASE_NOT_YET },
	{ "nobody listens", false, true, false, 2000, EGPU_PHASE_RELEASED,
	  EGPU_RELEASE_UNATTENDED },
	{ "internal", false, false, true, 2000, EGPU_PHASE_RELEASED,
	  EGPU_RELEASE_INTERNAL },
	{ "gone", true, true, true, 2000, EGPU_PHASE_RELEASED,
	  EGPU_RELEASE_GONE },
	{ "gone and internal", true, false, false, 2000, EGPU_PHASE_RELEASED,
	  EGPU_RELEASE_GONE },
	{ "no time to wait", false, true, true, 0, EGPU_PHASE_RELEASED,
	  EGPU_RELEASE_TIMED_OUT },
};

static void begin_name(const struct begin_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(begin, begin_cases, begin_name);

static void fsm_begins(struct kunit *test)
{
	const struct begin_case *c = test->param_value;
	struct egpu_fsm_start start = start_of(EGPU_ORIGIN_OTHERS);
	struct egpu_fsm fsm;

	start.gone = c->gone;
	start.external = c->external;
	start.helpers = c->helpers;
	start.wait_ns = c->wait_ms * MS;
	egpu_fsm_begin(&fsm, &start);
	KUNIT_EXPECT_EQ(test, fsm.phase, c->phase);
	KUNIT_EXPECT_EQ(test, fsm.release, c->release);
	KUNIT_EXPECT_EQ(test, fsm.created, BORN);
	KUNIT_EXPECT_EQ(test, fsm.released,
			c->phase == EGPU_PHASE_RELEASED ? BORN : 0);
}

/**
 * struct step_case - one input in one phase
 * @phase: before
 * @origin: who began the request
 * @input: what happens
 * @port: from where
 * @at: when
 * @ret: expected
 * @after: expected phase; on an error nothing may change at all
 * @release: expected
 */
struct step_case {
	enum egpu_phase phase;
	enum egpu_origin origin;
	enum egpu_fsm_input input;
	u32 port;
	u64 at;
	int ret;
	enum egpu_phase after;
	enum egpu_release release;
};

#define OTHERS EGPU_ORIGIN_OTHERS
#define EJECT  EGPU_ORIGIN_EJECT
#define P(x)   EGPU_PHASE_##x
#define R(x)   EGPU_RELEASE_##x
#define I(x)   EGPU_FSM_##x

/* What the table of transitions below does not have: strangers and limits. */
static const struct step_case step_cases[] = {
	{ P(ACCEPTED), OTHERS, I(ACCEPT), STRANGER, NOW, -EBUSY },
	{ P(ACCEPTED), OTHERS, I(ACK), STRANGER, NOW, -EPERM },
	{ P(RELEASED), OTHERS, I(ACK), STRANGER, NOW, -EPERM },
	{ P(DONE), OTHERS, I(ACK), STRANGER, NOW, -EPERM },
	{ P(ACCEPTED), OTHERS, I(REPORT), STRANGER, NOW, -EPERM },
	{ P(ACCEPTED), EJECT, I(REPORT), STRANGER, NOW, -EPERM },
	{ P(RELEASED), EJECT, I(REPORT), STRANGER, NOW, -EPERM },
	{ P(ACCEPTED), EJECT, I(REFUSE), STRANGER, NOW, -EPERM },
	{ P(ACCEPTED), OTHERS, I(REFUSE), STRANGER, NOW, -EINVAL },
	{ P(RELEASED), EJECT, I(REFUSE), STRANGER, NOW, -EPERM },
	/* our own refusal, when the eject finds the GPU in use */
	{ P(PENDING), EJECT, I(REFUSE), 0, NOW, -EINVAL },
	{ P(ACCEPTED), EJECT, I(REFUSE), 0, NOW, -EINVAL },
	{ P(RELEASED), EJECT, I(REFUSE), 0, NOW, 1, P(REFUSED), R(ACKED) },
	{ P(RELEASED), OTHERS, I(REFUSE), 0, NOW, -EINVAL },
	{ P(UNBOUND), EJECT, I(REFUSE), 0, NOW, -EINVAL },
	{ P(DONE), EJECT, I(REFUSE), 0, NOW, -EINVAL },
	{ P(ACCEPTED), OTHERS, I(HELPER_GONE), STRANGER, NOW, 0 },
	{ P(ACCEPTED), EJECT, I(HELPER_GONE), STRANGER, NOW, 0 },
	/* 250 ms to accept, 2000 ms in all, both from 1000 ms on */
	{ P(PENDING), OTHERS, I(TICK), 0, 1250 * MS - 1, 0 },
	{ P(PENDING), OTHERS, I(TICK), 0, 1250 * MS, 1, P(RELEASED),
	  R(NOT_ACCEPTED) },
	{ P(ACCEPTED), OTHERS, I(TICK), 0, 1250 * MS, 0 },
	{ P(ACCEPTED), OTHERS, I(TICK), 0, 3000 * MS - 1, 0 },
	{ P(ACCEPTED), OTHERS, I(TICK), 0, 3000 * MS, 1, P(RELEASED),
	  R(TIMED_OUT) },
	{ P(PENDING), EJECT, I(TICK), 0, 1250 * MS - 1, 0 },
	{ P(PENDING), EJECT, I(TICK), 0, 1250 * MS, 1, P(RELEASED),
	  R(NOT_ACCEPTED) },
	{ P(ACCEPTED), EJECT, I(TICK), 0, 3000 * MS - 1, 0 },
	{ P(ACCEPTED), EJECT, I(TICK), 0, 3000 * MS, 1, P(RELEASED),
	  R(TIMED_OUT) },
};

static void step_name(const struct step_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE,
		 "phase %d origin %d input %d port %u at %llu ms", c->phase,
		 c->origin, c->input, c->port, c->at / MS);
}

KUNIT_ARRAY_PARAM(step, step_cases, step_name);

static void fsm_steps(struct kunit *test)
{
	const struct step_case *c = test->param_value;
	struct egpu_fsm before = request_in(c->phase, c->origin);
	struct egpu_fsm fsm = before;
	const char *why = NULL;

	KUNIT_ASSERT_EQ(test, fsm.phase, c->phase);
	KUNIT_EXPECT_EQ(test, c->ret,
			egpu_fsm_step(&fsm, c->input, c->port, c->at, &why));
	if (c->ret < 0)
		KUNIT_EXPECT_NOT_NULL(test, why);
	if (c->ret <= 0) {
		KUNIT_EXPECT_EQ(test, memcmp(&fsm, &before, sizeof(fsm)), 0);
		return;
	}
	KUNIT_EXPECT_EQ(test, fsm.phase, c->after);
	KUNIT_EXPECT_EQ(test, fsm.release, c->release);
}

/**
 * struct outcome - what an input does
 * @ret: 1 changed, 0 not concerned, or an error
 * @phase: after a change
 * @release: after a change
 */
struct outcome {
	int ret;
	enum egpu_phase phase;
	enum egpu_release release;
};

/**
 * struct row - all inputs in one phase, long after all deadlines
 * @origin: who began the request
 * @phase: before
 * @outcome: by input, from the accepting helper where it has a sender
 */
struct row {
	enum egpu_origin origin;
	enum egpu_phase phase;
	struct outcome outcome[EGPU_FSM_DONE + 1];
};

#define LATE (9000 * MS)
#define TO(p, r)                                                               \
	{                                                                      \
		1, P(p), R(r)                                                  \
	}
#define NO(error)                                                              \
	{                                                                      \
		-(error)                                                       \
	}
#define STAYS                                                                  \
	{                                                                      \
		0                                                              \
	}
#define NO_INPUTS                                                              \
	[I(TICK)] = STAYS, [I(HELPER_GONE)] = STAYS, [I(NO_HELPER)] = STAYS,   \
	[I(UNLOAD)] = STAYS
#define ENDED                                                                  \
	[I(SURPRISE)] = STAYS, [I(UNBOUND)] = STAYS, [I(DONE)] = STAYS,        \
	NO_INPUTS
#define FROM_PENDING                                                           \
	[I(ACCEPT)] = TO(ACCEPTED, NOT_YET), [I(ACK)] = NO(EPROTO),            \
	[I(REPORT)] = NO(EPROTO), [I(TICK)] = TO(RELEASED, NOT_ACCEPTED),      \
	[I(HELPER_GONE)] = STAYS, [I(NO_HELPER)] = TO(RELEASED, UNATTENDED),   \
	[I(SURPRISE)] = TO(RELEASED, OVERTAKEN),                               \
	[I(UNBOUND)] = TO(UNBOUND, GONE), [I(DONE)] = TO(DONE, GONE)
#define FROM_ACCEPTED                                                          \
	[I(ACCEPT)] = NO(EALREADY), [I(ACK)] = TO(RELEASED, ACKED),            \
	[I(REPORT)] = TO(ACCEPTED, NOT_YET),                                   \
	[I(TICK)] = TO(RELEASED, TIMED_OUT),                                   \
	[I(HELPER_GONE)] = TO(RELEASED, HELPER_DIED), [I(NO_HELPER)] = STAYS,  \
	[I(SURPRISE)] = TO(RELEASED, OVERTAKEN),                               \
	[I(UNBOUND)] = TO(UNBOUND, GONE), [I(DONE)] = TO(DONE, GONE)
#define FROM_RELEASED                                                          \
	[I(ACCEPT)] = NO(ETIME), [I(ACK)] = NO(EALREADY),                      \
	[I(REPORT)] = NO(ETIME), [I(REFUSE)] = NO(EINVAL), NO_INPUTS,          \
	[I(SURPRISE)] = TO(RELEASED, ACKED),                                   \
	[I(UNBOUND)] = TO(UNBOUND, ACKED), [I(DONE)] = TO(DONE, ACKED)
#define FROM_UNBOUND                                                           \
	[I(ACCEPT)] = NO(ETIME), [I(ACK)] = NO(EALREADY),                      \
	[I(REPORT)] = NO(ETIME), [I(REFUSE)] = NO(EINVAL), NO_INPUTS,          \
	[I(SURPRISE)] = TO(UNBOUND, ACKED), [I(UNBOUND)] = STAYS,              \
	[I(DONE)] = TO(DONE, ACKED)
#define FROM_DONE                                                              \
	[I(ACCEPT)] = NO(ETIME), [I(ACK)] = NO(EALREADY),                      \
	[I(REPORT)] = NO(ETIME), [I(REFUSE)] = NO(EINVAL), ENDED

static const struct row rows[] = {
	{ OTHERS,
	  P(PENDING),
	  { FROM_PENDING, [I(CANCEL)] = NO(EOPNOTSUPP),
	    [I(REFUSE)] = NO(EINVAL), [I(UNLOAD)] = TO(RELEASED, UNLOADED) } },
	{ OTHERS,
	  P(ACCEPTED),
	  { FROM_ACCEPTED, [I(CANCEL)] = NO(EOPNOTSUPP),
	    [I(REFUSE)] = NO(EINVAL), [I(UNLOAD)] = TO(RELEASED, UNLOADED) } },
	{ OTHERS, P(RELEASED), { FROM_RELEASED, [I(CANCEL)] = NO(EOPNOTSUPP) } },
	{ OTHERS, P(UNBOUND), { FROM_UNBOUND, [I(CANCEL)] = NO(EOPNOTSUPP) } },
	{ OTHERS, P(DONE), { FROM_DONE, [I(CANCEL)] = NO(EOPNOTSUPP) } },
	{ EJECT,
	  P(PENDING),
	  { FROM_PENDING, [I(CANCEL)] = TO(CANCELLED, WITHDRAWN),
	    [I(REFUSE)] = NO(EPROTO), [I(UNLOAD)] = TO(CANCELLED, UNLOADED) } },
	{ EJECT,
	  P(ACCEPTED),
	  { FROM_ACCEPTED, [I(CANCEL)] = TO(CANCELLED, WITHDRAWN),
	    [I(REFUSE)] = TO(REFUSED, WITHDRAWN),
	    [I(UNLOAD)] = TO(CANCELLED, UNLOADED) } },
	{ EJECT, P(RELEASED), { FROM_RELEASED, [I(CANCEL)] = NO(EBUSY) } },
	{ EJECT, P(UNBOUND), { FROM_UNBOUND, [I(CANCEL)] = NO(EBUSY) } },
	{ EJECT, P(DONE), { FROM_DONE, [I(CANCEL)] = NO(ESTALE) } },
	{ EJECT,
	  P(CANCELLED),
	  { [I(ACCEPT)] = NO(ETIME),
	    [I(ACK)] = NO(EPERM),
	    [I(REPORT)] = NO(EPERM),
	    [I(CANCEL)] = NO(EALREADY),
	    [I(REFUSE)] = NO(EPERM),
	    ENDED } },
	{ EJECT,
	  P(REFUSED),
	  { [I(ACCEPT)] = NO(ETIME),
	    [I(ACK)] = NO(EALREADY),
	    [I(REPORT)] = NO(ETIME),
	    [I(CANCEL)] = NO(ESTALE),
	    [I(REFUSE)] = NO(EINVAL),
	    ENDED } },
};

static const char *const phase_names[] = {
	"pending", "accepted",	"released", "unbound",
	"done",	   "cancelled", "refused",
};

static const char *const input_names[] = {
	"accept",      "ack",	    "report",	"cancel", "refuse",  "tick",
	"helper gone", "no helper", "surprise", "unload", "unbound", "done",
};

#define INPUTS ARRAY_SIZE(input_names)

/* A parameter is a row and an input in one number, from 1 on. */
static const void *transition_gen_params(const void *before, char *desc)
{
	unsigned long i = (unsigned long)before;
	const struct row *row = &rows[i / INPUTS];

	if (i == ARRAY_SIZE(rows) * INPUTS)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %s: %s",
		 row->origin == EJECT ? "eject" : "removal",
		 phase_names[row->phase], input_names[i % INPUTS]);
	return (void *)(i + 1);
}

static void fsm_transition(struct kunit *test)
{
	unsigned long i = (unsigned long)test->param_value - 1;
	const struct row *row = &rows[i / INPUTS];
	const struct outcome *wanted = &row->outcome[i % INPUTS];
	struct egpu_fsm before = request_in(row->phase, row->origin);
	struct egpu_fsm fsm = before;
	const char *why = NULL;

	KUNIT_ASSERT_EQ(test, fsm.phase, row->phase);
	KUNIT_EXPECT_EQ(test, wanted->ret,
			egpu_fsm_step(&fsm, i % INPUTS, HELPER, LATE, &why));
	KUNIT_EXPECT_EQ(test, !why, wanted->ret >= 0);
	if (wanted->ret <= 0) {
		KUNIT_EXPECT_MEMEQ(test, &fsm, &before, sizeof(fsm));
		return;
	}
	KUNIT_EXPECT_EQ(test, fsm.phase, wanted->phase);
	KUNIT_EXPECT_EQ(test, fsm.release, wanted->release);
}

/* Whatever comes, phases go forward only, and an end is an end. */
static void fsm_goes_forward(struct kunit *test)
{
	static const u8 rank[] = {
		[EGPU_PHASE_PENDING] = 0,  [EGPU_PHASE_ACCEPTED] = 1,
		[EGPU_PHASE_RELEASED] = 2, [EGPU_PHASE_UNBOUND] = 3,
		[EGPU_PHASE_DONE] = 4,	   [EGPU_PHASE_CANCELLED] = 4,
		[EGPU_PHASE_REFUSED] = 4,
	};
	enum egpu_phase phase;
	struct egpu_fsm before, fsm;
	const char *why;
	int input, port;

	for (phase = 0; phase <= EGPU_PHASE_REFUSED; phase++)
		for (input = 0; input <= EGPU_FSM_DONE; input++)
			for (port = HELPER; port <= STRANGER; port++) {
				before = request_in(phase, EGPU_ORIGIN_EJECT);
				fsm = before;
				egpu_fsm_step(&fsm, input, port, 9000 * MS,
					      &why);
				KUNIT_EXPECT_GE(test, rank[fsm.phase],
						rank[before.phase]);
				if (rank[before.phase] == 4)
					KUNIT_EXPECT_EQ(test, 0,
							memcmp(&fsm, &before,
							       sizeof(fsm)));
				if (egpu_fsm_finished(&fsm))
					KUNIT_EXPECT_NE(test, fsm.finished, 0);
				KUNIT_EXPECT_EQ(test, egpu_fsm_waiting(&fsm),
						fsm.release ==
							EGPU_RELEASE_NOT_YET);
			}
}

static void fsm_surprise_keeps_evidence(struct kunit *test)
{
	struct egpu_fsm fsm = request_in(EGPU_PHASE_ACCEPTED, OTHERS);
	const char *why;

	egpu_fsm_step(&fsm, EGPU_FSM_SURPRISE, 0, NOW, &why);
	KUNIT_EXPECT_EQ(test, fsm.cause, EGPU_CAUSE_SURPRISE);
	KUNIT_EXPECT_EQ(test, fsm.evidence,
			EGPU_EVIDENCE_PRESENT | EGPU_EVIDENCE_OVERTAKEN);
	KUNIT_EXPECT_EQ(test, 0,
			egpu_fsm_step(&fsm, EGPU_FSM_SURPRISE, 0, NOW, &why));
}

static void fsm_taken_over(struct kunit *test)
{
	struct egpu_fsm fsm = request_in(EGPU_PHASE_ACCEPTED, EJECT);
	const char *why;

	fsm.deadline = BORN + 30000 * MS;
	egpu_fsm_take_over(&fsm, EGPU_CAUSE_UNBIND, EGPU_EVIDENCE_USER_TASK,
			   2000 * MS, NOW);
	KUNIT_EXPECT_EQ(test, fsm.deadline, NOW + 2000 * MS);
	KUNIT_EXPECT_EQ(test, fsm.phase, EGPU_PHASE_ACCEPTED);
	KUNIT_EXPECT_EQ(test, fsm.cause, EGPU_CAUSE_UNBIND);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			egpu_fsm_step(&fsm, EGPU_FSM_CANCEL, 0, NOW, &why));
	/* Nor can its helper refuse what is not ours any more. */
	KUNIT_EXPECT_EQ(test, -EINVAL,
			egpu_fsm_step(&fsm, EGPU_FSM_REFUSE, HELPER, NOW, &why));
	KUNIT_EXPECT_EQ(test, 1,
			egpu_fsm_step(&fsm, EGPU_FSM_REPORT, HELPER, NOW, &why));
	egpu_fsm_step(&fsm, EGPU_FSM_UNLOAD, 0, NOW, &why);
	KUNIT_EXPECT_EQ(test, fsm.phase, EGPU_PHASE_RELEASED);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			egpu_fsm_step(&fsm, EGPU_FSM_REFUSE, 0, NOW, &why));
}

static void fsm_taken_over_by_surprise(struct kunit *test)
{
	struct egpu_fsm fsm = request_in(EGPU_PHASE_PENDING, EJECT);

	egpu_fsm_take_over(&fsm, EGPU_CAUSE_SURPRISE, EGPU_EVIDENCE_MARKED,
			   2000 * MS, NOW);
	KUNIT_EXPECT_EQ(test, fsm.release, EGPU_RELEASE_OVERTAKEN);
	KUNIT_EXPECT_EQ(test, fsm.cause, EGPU_CAUSE_SURPRISE);
	KUNIT_EXPECT_TRUE(test, fsm.evidence & EGPU_EVIDENCE_MARKED);
}

static void fsm_settles_cause(struct kunit *test)
{
	struct egpu_fsm fsm = request_in(EGPU_PHASE_UNBOUND, OTHERS);

	fsm.cause = EGPU_CAUSE_UNBIND;
	egpu_fsm_left_bus(&fsm, false);
	KUNIT_EXPECT_EQ(test, fsm.cause, EGPU_CAUSE_GRACEFUL);
	egpu_fsm_left_bus(&fsm, true);
	KUNIT_EXPECT_EQ(test, fsm.cause, EGPU_CAUSE_SURPRISE);
	KUNIT_EXPECT_TRUE(test, fsm.evidence & EGPU_EVIDENCE_OVERTAKEN);
}

static void fsm_wakes(struct kunit *test)
{
	struct egpu_fsm fsm = request_in(EGPU_PHASE_PENDING, OTHERS);

	KUNIT_EXPECT_EQ(test, egpu_fsm_wake_at(&fsm), 1250 * MS);
	fsm = request_in(EGPU_PHASE_ACCEPTED, OTHERS);
	KUNIT_EXPECT_EQ(test, egpu_fsm_wake_at(&fsm), 3000 * MS);
	fsm = request_in(EGPU_PHASE_RELEASED, OTHERS);
	KUNIT_EXPECT_EQ(test, egpu_fsm_wake_at(&fsm), U64_MAX);
}

static struct kunit_case request_fsm_cases[] = {
	KUNIT_CASE_PARAM(fsm_begins, begin_gen_params),
	KUNIT_CASE_PARAM(fsm_steps, step_gen_params),
	KUNIT_CASE_PARAM(fsm_transition, transition_gen_params),
	KUNIT_CASE(fsm_goes_forward),
	KUNIT_CASE(fsm_surprise_keeps_evidence),
	KUNIT_CASE(fsm_taken_over),
	KUNIT_CASE(fsm_taken_over_by_surprise),
	KUNIT_CASE(fsm_settles_cause),
	KUNIT_CASE(fsm_wakes),
	{}
};

static struct kunit_suite request_fsm_suite = {
	.name = "egpu_request_fsm",
	.test_cases = request_fsm_cases,
};

kunit_test_suite(request_fsm_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's removal requests");
MODULE_LICENSE("GPL");
