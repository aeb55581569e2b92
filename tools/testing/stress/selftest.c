// SPDX-License-Identifier: GPL-2.0
/*
 * What the stress test has to notice, noticed, and its steps are the seed's: TAP.
 * Runs on any machine; the events are made by hand.
 */
#include "stress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../selftests/egpu/ktap.h"

#define GPU   "0000:01:00.0"
#define STEPS 300
#define MS    1000000ULL
#define STORY 32

/* In place of world.c, of which the plans only ask for names. */
const char *port_name(int port)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	return names[port];
}

bool port_is_marked(int port)
{
	return port != 2;
}

struct story {
	unsigned int n;
	struct event event[STORY];
};

static void add_gpu(struct story *story, uint8_t cmd, uint32_t id,
		    uint32_t state)
{
	struct event *event = &story->event[story->n++];

	memset(event, 0, sizeof(*event));
	event->cmd = cmd;
	event->gpu.id = id;
	event->gpu.state = state;
	event->gpu.external = true;
	strcpy(event->gpu.address, GPU);
}

static void add_removal(struct story *story, uint8_t cmd, uint64_t cookie,
			uint32_t phase, uint32_t release, uint32_t cause)
{
	struct event *event = &story->event[story->n++];
	struct removal *removal = &event->removal;

	memset(event, 0, sizeof(*event));
	event->cmd = cmd;
	removal->cookie = cookie;
	removal->id = 1;
	removal->phase = phase;
	removal->release = release;
	removal->cause = cause;
	removal->created = 100 * MS;
	if (release)
		removal->released = 200 * MS;
	if (phase >= EGPU_PHASE_UNBOUND)
		removal->unbound = 300 * MS;
	if (phase >= EGPU_PHASE_DONE)
		removal->finished = 400 * MS;
}

/* A GPU comes, is held, is acked, leaves. Positions are used by the cases. */
static void a_life(struct story *story)
{
	const uint32_t acked = EGPU_RELEASE_ACKED, cause = EGPU_CAUSE_GRACEFUL;

	story->n = 0;
	add_gpu(story, EGPU_CMD_CONNECTED, 1, EGPU_DEVICE_STATE_PRESENT);
	add_gpu(story, EGPU_CMD_CHANGED, 1, EGPU_DEVICE_STATE_READY);
	add_removal(story, EGPU_CMD_REMOVAL_PENDING, 1, EGPU_PHASE_PENDING, 0,
		    cause);
	add_removal(story, EGPU_CMD_REMOVAL_PROGRESS, 1, EGPU_PHASE_ACCEPTED, 0,
		    cause);
	add_removal(story, EGPU_CMD_REMOVAL_PROGRESS, 1, EGPU_PHASE_RELEASED,
		    acked, cause);
	add_removal(story, EGPU_CMD_REMOVAL_PROGRESS, 1, EGPU_PHASE_UNBOUND,
		    acked, cause);
	add_gpu(story, EGPU_CMD_CHANGED, 1, EGPU_DEVICE_STATE_DETACHED);
	add_removal(story, EGPU_CMD_DISCONNECTED, 1, EGPU_PHASE_UNBOUND, acked,
		    cause);
	add_removal(story, EGPU_CMD_REMOVAL_PROGRESS, 1, EGPU_PHASE_DONE, acked,
		    cause);
}

enum {
	CONNECTED,
	READY,
	PENDING,
	ACCEPTED,
	RELEASED,
	UNBOUND,
	DETACHED_,
	GONE,
	DONE
};

static void cut(struct story *story, unsigned int at)
{
	memmove(&story->event[at], &story->event[at + 1],
		(--story->n - at) * sizeof(story->event[0]));
}

static void repeat(struct story *story, unsigned int at)
{
	memmove(&story->event[at + 1], &story->event[at],
		(story->n++ - at) * sizeof(story->event[0]));
}

static void swap(struct story *story, unsigned int at)
{
	struct event kept = story->event[at];

	story->event[at] = story->event[at + 1];
	story->event[at + 1] = kept;
}

static void number(struct story *story)
{
	unsigned int i;

	for (i = 0; i < story->n; i++)
		story->event[i].seq = i + 1;
}

/* What each case does to a life before its events are numbered, or after. */

static void nothing(struct story *story)
{
	(void)story;
}

static void lose_connected(struct story *story)
{
	cut(story, CONNECTED);
}

static void lose_pending(struct story *story)
{
	cut(story, PENDING);
}

static void lose_disconnected(struct story *story)
{
	cut(story, GONE);
}

static void lose_done(struct story *story)
{
	cut(story, DONE);
}

static void lose_released(struct story *story)
{
	cut(story, RELEASED);
	cut(story, ACCEPTED);
	story->event[PENDING + 1].removal.release = 0;
	story->event[PENDING + 3].removal.release = 0;
	story->event[PENDING + 4].removal.release = 0;
}

static void double_connected(struct story *story)
{
	repeat(story, CONNECTED);
}

static void double_progress(struct story *story)
{
	repeat(story, UNBOUND);
}

static void double_disconnected(struct story *story)
{
	repeat(story, GONE);
}

static void double_done(struct story *story)
{
	repeat(story, DONE);
}

static void swap_end(struct story *story)
{
	swap(story, GONE);
}

static void swap_progress(struct story *story)
{
	swap(story, RELEASED);
}

static void leave_as_unbind(struct story *story)
{
	unsigned int i;

	for (i = PENDING; i < story->n; i++)
		story->event[i].removal.cause = EGPU_CAUSE_UNBIND;
}

static void change_cause(struct story *story)
{
	story->event[DONE].removal.cause = EGPU_CAUSE_SURPRISE;
}

static void forget_surprise(struct story *story)
{
	story->event[ACCEPTED].removal.cause = EGPU_CAUSE_SURPRISE;
}

static void release_again(struct story *story)
{
	story->event[UNBOUND].removal.release = EGPU_RELEASE_TIMED_OUT;
}

static void time_turns_back(struct story *story)
{
	story->event[UNBOUND].removal.unbound = 150 * MS;
}

static void skip_cookie(struct story *story)
{
	unsigned int i;

	add_gpu(story, EGPU_CMD_CONNECTED, 2, EGPU_DEVICE_STATE_PRESENT);
	add_removal(story, EGPU_CMD_REMOVAL_PENDING, 3, EGPU_PHASE_PENDING, 0,
		    EGPU_CAUSE_GRACEFUL);
	for (i = DONE + 1; i < story->n; i++)
		story->event[i].removal.id = 2;
}

static void second_removal(struct story *story)
{
	story->n = ACCEPTED;
	add_removal(story, EGPU_CMD_REMOVAL_PENDING, 2, EGPU_PHASE_PENDING, 0,
		    EGPU_CAUSE_GRACEFUL);
}

static void end_while_there(struct story *story)
{
	cut(story, GONE);
	story->event[GONE].removal.cause = EGPU_CAUSE_SURPRISE;
}

static void add_quiesce(struct story *story, uint32_t state, uint32_t result,
			unsigned int passes)
{
	struct event *event = &story->event[story->n++];

	memset(event, 0, sizeof(*event));
	event->cmd = EGPU_CMD_QUIESCE;
	event->quiesce.id = 1;
	event->quiesce.state = state;
	event->quiesce.result = result;
	event->quiesce.passes = passes;
	event->quiesce.owner = 7;
}

#define FENCED	 EGPU_QUIESCE_STATE_FENCED
#define DRAINING EGPU_QUIESCE_STATE_DRAINING
#define QUIESCED EGPU_QUIESCE_STATE_QUIESCED
#define RESUMED	 EGPU_QUIESCE_STATE_RESUMED
#define DRAINED	 EGPU_DRAIN_RESULT_DRAINED

static void drain_unfenced(struct story *story)
{
	story->n = PENDING;
	add_quiesce(story, DRAINING, 0, 0);
}

static void quiesce_undrained(struct story *story)
{
	story->n = PENDING;
	add_quiesce(story, FENCED, 0, 0);
	add_quiesce(story, QUIESCED, DRAINED, 2);
}

static void one_pass(struct story *story)
{
	story->n = PENDING;
	add_quiesce(story, FENCED, 0, 0);
	add_quiesce(story, DRAINING, 0, 0);
	add_quiesce(story, QUIESCED, DRAINED, 1);
}

static void quiesced_with_work(struct story *story)
{
	one_pass(story);
	story->event[story->n - 1].quiesce.passes = 2;
	story->event[story->n - 1].quiesce.pending = 3;
}

static void fence_twice(struct story *story)
{
	story->n = PENDING;
	add_quiesce(story, FENCED, 0, 0);
	add_quiesce(story, FENCED, 0, 0);
}

static void fence_after_end(struct story *story)
{
	add_quiesce(story, FENCED, 0, 0);
}

static void add_migration(struct story *story, uint64_t number, uint32_t phase)
{
	struct event *event = &story->event[story->n++];

	memset(event, 0, sizeof(*event));
	event->cmd = EGPU_CMD_MIGRATION;
	event->migration.migration = number;
	event->migration.phase = phase;
	event->migration.helper = 7;
}

#define STARTED	     EGPU_MIGRATION_PHASE_STARTED
#define COMPLETED    EGPU_MIGRATION_PHASE_COMPLETED
#define FAILED	     EGPU_MIGRATION_PHASE_FAILED
#define CHECKPOINTED EGPU_MIGRATION_PHASE_CHECKPOINTED

static void complete_unstarted(struct story *story)
{
	story->n = PENDING;
	add_migration(story, 1, COMPLETED);
}

static void fail_after_end(struct story *story)
{
	story->n = PENDING;
	add_migration(story, 1, STARTED);
	add_migration(story, 1, COMPLETED);
	add_migration(story, 1, FAILED);
}

static void start_twice(struct story *story)
{
	story->n = PENDING;
	add_migration(story, 1, STARTED);
	add_migration(story, 1, STARTED);
}

static void start_five(struct story *story)
{
	uint64_t i;

	story->n = PENDING;
	for (i = 1; i <= 5; i++)
		add_migration(story, i, STARTED);
}

static void nobody_migrates(struct story *story)
{
	story->n = PENDING;
	add_migration(story, 1, STARTED);
	story->event[story->n - 1].migration.helper = 0;
}

static void hole(struct story *story)
{
	story->event[RELEASED].seq++;
}

static void same_number(struct story *story)
{
	story->event[RELEASED].seq--;
}

static void no_number(struct story *story)
{
	story->event[RELEASED].seq = 0;
}

struct example {
	const char *name;
	void (*spoil)(struct story *story);
	void (*renumber)(struct story *story);
	const char *complaint; /* NULL: it does not rest in the end */
};

static const struct example examples[] = {
	{ "connected is lost", lose_connected, nothing, "not connected" },
	{ "pending is lost", lose_pending, nothing, "never announced" },
	{ "disconnected is lost", lose_disconnected, nothing, "still there" },
	{ "done is lost", lose_done, nothing, NULL },
	{ "nothing released it", lose_released, nothing, "was not released" },
	{ "connected twice", double_connected, nothing, "the one before" },
	{ "a phase twice", double_progress, nothing, "a second time" },
	{ "disconnected twice", double_disconnected, nothing, "a second time" },
	{ "done twice", double_done, nothing, "after its end" },
	{ "done before disconnected", swap_end, nothing, "still there" },
	{ "unbound before released", swap_progress, nothing, "went from" },
	{ "off the bus as unbind", leave_as_unbind, nothing, "cause 3" },
	{ "another cause at the end", change_cause, nothing, "another cause" },
	{ "a surprise is taken back", forget_surprise, nothing, "and is not" },
	{ "released twice", release_again, nothing, "and then as" },
	{ "times out of order", time_turns_back, nothing, "out of order" },
	{ "a removal was not told", skip_cookie, nothing, "the one before" },
	{ "two removals at once", second_removal, nothing, "is open" },
	{ "done while it is there", end_while_there, nothing, "still there" },
	{ "drained without a fence", drain_unfenced, nothing, "went from" },
	{ "quiesced without a drain", quiesce_undrained, nothing, "went from" },
	{ "quiesced after one look", one_pass, nothing, "with result" },
	{ "quiesced with work left", quiesced_with_work, nothing, "3 pending" },
	{ "fenced twice", fence_twice, nothing, "went from" },
	{ "fenced when it has gone", fence_after_end, nothing, "not connected" },
	{ "moved without a begin", complete_unstarted, nothing, "not started" },
	{ "failed when it had moved", fail_after_end, nothing, "not started" },
	{ "a move begun twice", start_twice, nothing, "started twice" },
	{ "five moves at once", start_five, nothing, "one too many" },
	{ "a move of nobody", nobody_migrates, nothing, "of helper 0" },
	{ "a hole in the numbers", nothing, hole, "came after" },
	{ "a number twice", nothing, same_number, "came after" },
	{ "no number", nothing, no_number, "came after" },
};

static void hear(struct stream *stream, const struct story *story)
{
	static const struct snapshot empty;
	unsigned int i;

	stream_begin(stream, &empty);
	for (i = 0; i < story->n; i++)
		if (!stream_event(stream, &story->event[i]))
			return;
}

static void test_good(void)
{
	static struct stream stream;
	struct story story;

	test_begin("a life without a fault is believed");
	a_life(&story);
	number(&story);
	hear(&stream, &story);
	check(!stream.complaint[0], "%s", stream.complaint);
	check(stream_rests(&stream), "it does not come to rest");
	check(!stream.gpus, "the GPU is still there");
	test_end();
}

static void test_good_quiesce(void)
{
	static struct stream stream;
	struct story story;

	test_begin("fenced, drained twice and resumed is believed");
	a_life(&story);
	story.n = PENDING;
	add_quiesce(&story, FENCED, 0, 0);
	add_quiesce(&story, DRAINING, 0, 0);
	add_quiesce(&story, DRAINING, 0, 4);
	add_quiesce(&story, FENCED, EGPU_DRAIN_RESULT_TIMED_OUT, 6);
	add_quiesce(&story, DRAINING, 0, 0);
	add_quiesce(&story, QUIESCED, DRAINED, 2);
	add_quiesce(&story, RESUMED, DRAINED, 2);
	number(&story);
	hear(&stream, &story);
	check(!stream.complaint[0], "%s", stream.complaint);
	test_end();
}

/* That of a daemon which was killed has no end, and the next may begin. */
static void test_good_migrations(void)
{
	static struct stream stream;
	struct story story;
	uint64_t i;

	test_begin("four moves at once, and those of a dead daemon, are believed");
	a_life(&story);
	story.n = PENDING;
	for (i = 1; i <= 4; i++)
		add_migration(&story, i, STARTED);
	add_migration(&story, 9, CHECKPOINTED);
	add_migration(&story, 2, COMPLETED);
	add_migration(&story, 1, FAILED);
	add_migration(&story, 5, STARTED);
	for (i = 1; i <= 4; i++) {
		add_migration(&story, i, STARTED);
		story.event[story.n - 1].migration.helper = 8;
	}
	number(&story);
	hear(&stream, &story);
	check(!stream.complaint[0], "%s", stream.complaint);
	check(stream.migrations == 4 && stream.completed == 1 &&
		      stream.checkpoints == 1,
	      "%u open, %u completed, %u checkpoints", stream.migrations,
	      stream.completed, stream.checkpoints);
	test_end();
}

static void test_bad(const struct example *example)
{
	static struct stream stream;
	struct story story;

	test_begin("noticed: %s", example->name);
	a_life(&story);
	example->spoil(&story);
	number(&story);
	example->renumber(&story);
	hear(&stream, &story);
	if (example->complaint)
		check(strstr(stream.complaint, example->complaint),
		      "it says '%s' instead of '%s'", stream.complaint,
		      example->complaint);
	else
		check(!stream_rests(&stream), "it came to rest");
	test_end();
}

static void test_snapshot(void)
{
	static struct snapshot snapshot;
	static struct stream stream;
	struct story story;

	test_begin("what is there has to be what was heard");
	a_life(&story);
	story.n = PENDING;
	number(&story);
	hear(&stream, &story);
	snapshot.seq = stream.seq;
	snapshot.gpus = 1;
	snapshot.gpu[0] = story.event[READY].gpu;
	check(stream_agrees(&stream, &snapshot), "%s", stream.complaint);
	snapshot.quiesces = 1;
	snapshot.quiesce[0].id = 1;
	check(stream_agrees(&stream, &snapshot), "%s", stream.complaint);
	snapshot.quiesce[0].state = FENCED;
	check(!stream_agrees(&stream, &snapshot), "a fence is not seen");
	stream.complaint[0] = '\0';
	snapshot.quiesces = 0;
	snapshot.gpu[0].state = EGPU_DEVICE_STATE_DETACHED;
	check(!stream_agrees(&stream, &snapshot), "another state is not seen");
	stream.complaint[0] = '\0';
	snapshot.gpus = 0;
	check(!stream_agrees(&stream, &snapshot), "a GPU less is not seen");
	test_end();
}

/* The steps of a seed as one number. */
static uint64_t steps_of(uint64_t seed, unsigned int *kinds)
{
	struct rng rng = { .state = seed };
	static struct model model;
	static struct plan plan;
	uint64_t sum = 0;
	char text[512], *c;
	int i;

	memset(&plan, 0, sizeof(plan));
	model_begin(&model);
	for (i = 0; i < STEPS; i++) {
		plan_step(&plan, &model, &rng);
		plan_print(&plan, text, sizeof(text));
		for (c = text; *c; c++)
			sum = sum * 31 + *c;
	}
	for (i = 0; i < ACT_KINDS; i++)
		kinds[i] += model.count[i];
	return sum;
}

static void test_plans(void)
{
	unsigned int kinds[ACT_KINDS] = {};
	uint64_t first = steps_of(1, kinds);
	int i;

	test_begin("a seed gives the same steps, another one others");
	check(steps_of(1, kinds) == first, "the same seed gave others");
	check(steps_of(2, kinds) != first, "another seed gave the same");
	test_end();

	test_begin("everything that can be done is done");
	for (i = 3; i < 20; i++)
		steps_of(i, kinds);
	for (i = 0; i < ACT_KINDS; i++)
		check(kinds[i], "%s never comes", act_names[i]);
	test_end();
}

static void works_of(unsigned int cycles, uint64_t seed, unsigned int *kinds)
{
	unsigned int looked = 0, until = FIRST_LOOK;
	struct rng rng = { .state = seed };
	static struct model model;
	static struct plan plan;
	int i;

	memset(&plan, 0, sizeof(plan));
	model_begin(&model);
	while (model.cycles < cycles) {
		plan_step(&plan, &model, &rng);
		if (model.cycles < looked + until)
			continue;
		while (plan_rest(&plan, &model))
			continue;
		looked = model.cycles;
		until = LOOK_EVERY;
	}
	for (i = 0; i < ACT_KINDS; i++)
		kinds[i] += model.count[i];
}

/* Of a line of ../check: stress KERNEL:CYCLES:SEED... */
static unsigned int runs_of(char *line, unsigned int *kinds)
{
	char *word = strtok(line, "\n ");
	unsigned int cycles, n = 0;
	uint64_t seed;

	if (!word || strcmp(word, "stress"))
		return 0;
	while ((word = strtok(NULL, "\n "))) {
		if (sscanf(word, "%*[^:]:%u:%" SCNu64, &cycles, &seed) != 2)
			continue;
		works_of(cycles, seed, kinds);
		n++;
	}
	return n;
}

/* It makes few steps, so the rare acts are only in those of some seeds. */
static void test_check(void)
{
	unsigned int kinds[ACT_KINDS] = {}, n = 0;
	FILE *file = fopen("../check", "re");
	char line[256];
	int kind;

	test_begin("what make check runs moves works in every way");
	while (file && fgets(line, sizeof(line), file))
		n += runs_of(line, kinds);
	check(n == 2, "%u runs are in ../check", n);
	for (kind = WORK_EJECT; kind <= WORK_KILL; kind++)
		check(kinds[kind], "%s never comes", act_names[kind]);
	if (file)
		fclose(file);
	test_end();
}

int main(void)
{
	size_t i;

	puts("TAP version 13");
	test_good();
	test_good_quiesce();
	test_good_migrations();
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		test_bad(&examples[i]);
	test_snapshot();
	test_plans();
	test_check();
	return ktap_finish();
}
