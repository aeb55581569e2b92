// SPDX-License-Identifier: GPL-2.0
/*
 * Two that listen, and the judgement after each fault: both have heard
 * everything, or were told that they have not; what they can ask for is true.
 */
#include "faults.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LISTENERS  2 /* the second gets a copy, which needs memory */
#define SETTLE_MS  10000
#define FAULTS_MAX 200

/* Heard since listeners_begin(). */
struct listener {
	struct nl nl;
	uint64_t seq;
	unsigned int gaps;
	unsigned int losses;
	uint32_t came;
	uint32_t gone;
	uint32_t drained; /* what the last drain came to */
};

struct family family;
struct nl control;

static struct listener listener[LISTENERS];
static char address[32];
/* Removals whose list of victims was not to be had. */
static unsigned int unlisted;

const struct code nowhere;

/* An act that is no more than that. */
struct act act_of(const char *name, int (*run)(void), struct code code,
		  enum place place)
{
	return (struct act){ .name = name,
			     .run = run,
			     .code = code,
			     .place = place };
}

/* The GPU under test is the one at this address. */
void watch_gpu(const char *at)
{
	snprintf(address, sizeof(address), "%s", at);
}

void listen_all(void)
{
	int i;

	for (i = 0; i < LISTENERS; i++)
		if (nl_open(&listener[i].nl) ||
		    nl_join(&listener[i].nl, family.events))
			bail_out("listener %d cannot join", i);
}

static uint64_t last_seq(void)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_SETTINGS_GET);
	if (nl_ask(&control, &msg, &answer))
		bail_out("no answer to settings-get: %d %s", answer.error,
			 answer.text);
	return attr_u64(answer.data, answer.len, EGPU_A_SETTINGS_SEQ);
}

/* Something that allocates in the module; fails at times. */
void allocate(void)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_SETTINGS_GET);
	nl_ask(&control, &msg, &answer);
}

static int seq_attr(uint8_t cmd)
{
	switch (cmd) {
	case EGPU_CMD_CONNECTED:
	case EGPU_CMD_CHANGED:
		return EGPU_A_DEVICE_SEQ;
	case EGPU_CMD_QUIESCE:
		return EGPU_A_QUIESCE_SEQ;
	case EGPU_CMD_MIGRATION:
		return EGPU_A_MIGRATION_SEQ;
	default:
		return EGPU_A_REMOVAL_SEQ;
	}
}

static void on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	uint64_t seq = attr_u64(attrs, len, seq_attr(cmd));
	struct listener *who = data;

	if (seq != who->seq + 1)
		who->gaps++;
	who->seq = seq;
	if (cmd == EGPU_CMD_CONNECTED)
		who->came = attr_u32(attrs, len, EGPU_A_DEVICE_ID);
	if (cmd == EGPU_CMD_DISCONNECTED)
		who->gone = attr_u32(attrs, len, EGPU_A_REMOVAL_ID);
	/* A result stands until the next drain begins. */
	if (cmd == EGPU_CMD_QUIESCE)
		who->drained = attr_u32(attrs, len, EGPU_A_QUIESCE_RESULT);
}

static void hear(struct listener *who)
{
	int ret;

	do {
		ret = nl_receive(&who->nl, 0, on_event, who);
		if (ret == -ENOBUFS)
			who->losses++;
	} while (ret > 0 || ret == -ENOBUFS);
}

/* Everybody knows all that has happened so far. */
void listeners_begin(void)
{
	uint64_t now = last_seq();
	int i;

	for (i = 0; i < LISTENERS; i++) {
		hear(&listener[i]);
		listener[i].seq = now;
		listener[i].gaps = 0;
		listener[i].losses = 0;
		listener[i].came = 0;
		listener[i].gone = 0;
		listener[i].drained = 0;
	}
}

/**
 * judge_told - has everybody been told of a loss
 * @what: for the results
 *
 * Asks nothing, so it can be used while there is no memory for an answer.
 */
void judge_told(const char *what)
{
	int i;

	for (i = 0; i < LISTENERS; i++) {
		hear(&listener[i]);
		check(listener[i].losses,
		      "%s: listener %d has heard of no loss", what, i);
		listener[i].losses = 0;
	}
}

/**
 * judge_listeners - has everybody heard what has happened
 * @what: for the results
 * @fault: an allocation had failed, so some may have been told of a loss
 * @came: id of the GPU that has come, or 0
 * @gone: id of the GPU that has left, or 0
 */
void judge_listeners(const char *what, bool fault, uint32_t came, uint32_t gone)
{
	uint64_t now = last_seq();
	struct listener *who;
	int i;

	for (i = 0; i < LISTENERS; i++) {
		who = &listener[i];
		hear(who);
		check(fault || !who->losses,
		      "%s: listener %d was told of a loss without any", what, i);
		if (who->losses)
			continue;
		check(who->seq == now && !who->gaps,
		      "%s: listener %d has %u gaps and event %" PRIu64
		      " of %" PRIu64 ", and was told of no loss",
		      what, i, who->gaps, who->seq, now);
		check(!came || who->came == came,
		      "%s: listener %d has not heard that %u came", what, i,
		      came);
		check(!gone || who->gone == gone,
		      "%s: listener %d has not heard that %u has gone", what, i,
		      gone);
	}
}

/**
 * judge_drained - has everybody heard what came of a drain
 * @what: for the results
 * @result: what should have come of it
 *
 * Who was told of a loss may not have.
 */
void judge_drained(const char *what, uint32_t result)
{
	struct listener *who;
	int i;

	for (i = 0; i < LISTENERS; i++) {
		who = &listener[i];
		hear(who);
		check(who->losses || who->drained == result,
		      "%s: listener %d has heard of a drain that ended as %s",
		      what, i, drain_names[who->drained]);
	}
}

static void find_gpu(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct gpu *found = data, gpu;

	(void)cmd;
	gpu_read(&gpu, attrs, len);
	if (!strcmp(gpu.address, address))
		*found = gpu;
}

/* The GPU under test, from a dump: that allocates nothing in the module. */
bool gpu_now(struct gpu *gpu)
{
	static struct answer answer;
	static struct msg msg;

	memset(gpu, 0, sizeof(*gpu));
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_DEVICE_GET);
	if (nl_dump(&control, &msg, find_gpu, gpu, &answer))
		bail_out("no dump of the GPUs: %d %s", answer.error,
			 answer.text);
	return gpu->id;
}

struct removals {
	unsigned int open;
	struct removal last;
};

static void look_at_removal(uint8_t cmd, const void *attrs, size_t len,
			    void *data)
{
	struct removals *removals = data;

	(void)cmd;
	removal_read(&removals->last, attrs, len);
	removals->open += !removals->last.finished;
}

static void removals_now(struct removals *removals)
{
	static struct answer answer;
	static struct msg msg;

	memset(removals, 0, sizeof(*removals));
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_REMOVAL_GET);
	if (nl_dump(&control, &msg, look_at_removal, removals, &answer))
		bail_out("no dump of the removals: %d %s", answer.error,
			 answer.text);
}

/**
 * last_removal - the newest removal
 * @removal: filled
 */
void last_removal(struct removal *removal)
{
	struct removals removals;

	removals_now(&removals);
	*removal = removals.last;
}

/**
 * judge_victims - does a removal tell whom it has hit
 * @what: for the results
 * @cookie: of the removal
 * @n: how many files of ours
 * @fault: an allocation had failed
 *
 * Fewer only when it was the list that there was no memory for.
 */
void judge_victims(const char *what, uint64_t cookie, unsigned int n, bool fault)
{
	static struct answer answer;
	unsigned int told;
	int error = victims_of(&control, cookie, &answer, &told);
	bool short_list = fault && strstr(inject_site(), "list_victims");

	check(!error, "%s: no list of whom it hit: %d %s", what, error,
	      answer.text);
	check(told == n || (short_list && told < n),
	      "%s: it tells of %u files that it hit, not %u", what, told, n);
	unlisted += short_list;
}

static bool is_at(const struct gpu *gpu, enum place place)
{
	if (place == READY)
		return gpu->state == EGPU_DEVICE_STATE_READY;
	return gpu->state == EGPU_DEVICE_STATE_DETACHED;
}

/* Does the module know the GPU to be there, with nothing left to do? */
bool settled(enum place place)
{
	struct removals removals;
	char path[96];
	struct gpu gpu;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK) != (place == GONE ? -1 : 0))
		return false;
	removals_now(&removals);
	if (removals.open)
		return false;
	if (!gpu_now(&gpu))
		return place == GONE;
	return place != GONE && is_at(&gpu, place);
}

/* The same, within some time. */
bool settles(enum place place)
{
	uint64_t end = now_ns() + SETTLE_MS * 1000000ULL;

	while (!settled(place)) {
		if (now_ns() > end)
			return false;
		usleep(20000);
	}
	return true;
}

static void judge_removal(const struct act *act, const char *what, uint32_t id,
			  bool fault)
{
	struct removal last;

	last_removal(&last);
	check(last.id == id && last.phase == EGPU_PHASE_DONE,
	      "%s: the last removal is that of %u in phase %u, not of %u done",
	      what, last.id, last.phase, id);
	check(!act->waits || last.release == EGPU_RELEASE_ACKED,
	      "%s: the helper's answer was not waited for: %s", what,
	      release_names[last.release]);
	check(!act->victims || last.clients == act->victims,
	      "%s: it tells of %u clients, not %u", what, last.clients,
	      act->victims);
	if (act->drained)
		judge_drained(what, act->drained);
	if (act->victims)
		judge_victims(what, last.cookie, act->victims, fault);
}

static void look_at_quiesce(uint8_t cmd, const void *attrs, size_t len,
			    void *data)
{
	struct quiesce state;

	(void)cmd;
	quiesce_read(&state, attrs, len);
	check(!state.owner && (state.state == EGPU_QUIESCE_STATE_RUNNING ||
			       state.state == EGPU_QUIESCE_STATE_RESUMED),
	      "%s: the GPU %u is still %s, by port %u", (const char *)data,
	      state.id, quiesce_names[state.state], state.owner);
}

/**
 * judge_free - is no GPU fenced
 * @what: for the results; nobody that fences is there any more
 */
void judge_free(const char *what)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_QUIESCE_GET);
	if (nl_dump(&control, &msg, look_at_quiesce, (void *)what, &answer))
		bail_out("no dump of who is fenced: %d %s", answer.error,
			 answer.text);
}

/**
 * judge - is everything as it should be after an act
 * @act: the act
 * @nth: which allocation was to fail
 * @fault: it has failed
 * @error: what the act has returned
 * @before: the GPU as it was before, if it was there
 */
void judge(const struct act *act, unsigned int nth, bool fault, int error,
	   const struct gpu *before)
{
	enum place place = error ? READY : act->place;
	struct gpu now;
	char what[64];

	snprintf(what, sizeof(what), "%s %u", act->name, nth);
	check(!error || (fault && error == -ENOMEM), "%s: error %d", what,
	      error);
	check(settles(place), "%s: it does not become what it should be", what);
	gpu_now(&now);
	judge_free(what);
	judge_listeners(what, fault, now.id != before->id ? now.id : 0,
			now.id != before->id ? before->id : 0);
	if (before->id && (place != READY || now.id != before->id))
		judge_removal(act, what, before->id, fault);
}

/* Is the list of whom it hits among what fails? */
static bool may_lack_list(const struct act *act)
{
	struct code list;

	if (!act->victims)
		return false;
	list = code_of("list_victims");
	return list.start >= act->code.start && list.end <= act->code.end;
}

static bool once(const struct act *act, unsigned int nth)
{
	struct gpu before;
	bool fault;
	int error;

	gpu_now(&before);
	listeners_begin();
	if (nth) {
		inject_below(act->code);
		inject_arm(nth);
	}
	error = act->run();
	settles(error ? READY : act->place);
	fault = nth && inject_disarm(allocate);
	if (fault)
		note("%s %u: %s", act->name, nth, inject_site());
	judge(act, nth, fault, error, &before);
	return fault;
}

/**
 * sweep - two acts in turns, the nth allocation of each made to fail
 * @act: one
 * @back: what undoes it
 *
 * For n = 1, 2 ... until both have come through without a fault.
 */
void sweep(const struct act *act, const struct act *back)
{
	unsigned int faults = 0, back_faults = 0, n;
	bool more = true, back_more = back->code.end;

	unlisted = 0;
	test_begin("%s, %s: no allocation that fails loses anything", act->name,
		   back->name);
	for (n = 1; (more || back_more) && n < FAULTS_MAX; n++) {
		more = once(act, more ? n : 0);
		back_more = once(back, back_more ? n : 0);
		faults += more;
		back_faults += back_more;
	}
	note("%u faults in %s, %u in %s", faults, act->name, back_faults,
	     back->name);
	check(!more && !back_more, "it never comes through without a fault");
	check(faults, "nothing has failed in %s", act->name);
	check(!back->code.end || back_faults, "nothing has failed in %s",
	      back->name);
	check(unlisted || !(may_lack_list(act) || may_lack_list(back)),
	      "there was always a list of whom it hits");
	test_end();
}
