// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations made to fail while the clients of a GPU are stopped, by a helper
 * or by an eject, and while a GPU is taken from them.
 */
#include "faults.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS	 30000 /* vgem signals by itself long before */
#define SHORT_MS 100

static const char *address;
static struct nl owner;
static struct answer answer;
static unsigned int blamed;

static int order(uint8_t cmd, uint32_t id, uint32_t timeout_ms)
{
	static struct msg msg;
	int error;

	msg_begin(&msg, family.id, 0, cmd);
	msg_put_u32(&msg, EGPU_A_QUIESCE_ID, id);
	if (cmd == EGPU_CMD_DRAIN)
		msg_put_u32(&msg, EGPU_A_QUIESCE_TIMEOUT_MS, timeout_ms);
	error = nl_ask(&owner, &msg, &answer);
	check(!error || answer.text[0], "command %u: error %d without a reason",
	      cmd, error);
	return error;
}

static void count_culprit(const void *attrs, size_t len)
{
	if (attr_u32(attrs, len, EGPU_A_CULPRIT_PID) == (uint32_t)getpid() &&
	    attr_u32(attrs, len, EGPU_A_CULPRIT_FENCES) == 1)
		blamed++;
}

static void find_state(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct quiesce *found = data, state;

	(void)cmd;
	quiesce_read(&state, attrs, len);
	if (state.id != found->id)
		return;
	*found = state;
	blamed = 0;
	attr_each(attrs, len, EGPU_A_QUIESCE_CULPRIT, count_culprit);
}

/* By a dump: that allocates nothing in the module, however often it is made. */
static void look(uint32_t id, struct quiesce *state)
{
	static struct msg msg;

	memset(state, 0, sizeof(*state));
	state->id = id;
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_QUIESCE_GET);
	if (nl_dump(&owner, &msg, find_state, state, &answer))
		bail_out("no dump of what is drained: %d %s", answer.error,
			 answer.text);
}

static void await_drain(uint32_t id, struct quiesce *state)
{
	uint64_t end = now_ns() + 20000000000ULL;

	for (look(id, state); state->state == EGPU_QUIESCE_STATE_DRAINING;
	     look(id, state)) {
		if (now_ns() > end)
			bail_out("a drain does not end");
		usleep(10000);
	}
}

static void await_wait(uint32_t id, struct quiesce *state)
{
	do {
		usleep(10000);
		look(id, state);
	} while (state->state == EGPU_QUIESCE_STATE_DRAINING &&
		 state->waited < CLIENTS);
}

static int begin_drain(struct gpu *gpu, uint32_t timeout_ms)
{
	int error;

	if (!gpu_now(gpu) || nl_open(&owner))
		bail_out("there is nothing to drain, or no socket");
	error = order(EGPU_CMD_FENCE, gpu->id, 0);
	return error ? error : order(EGPU_CMD_DRAIN, gpu->id, timeout_ms);
}

static void expect_end(const struct quiesce *state, uint32_t is, uint32_t result)
{
	check(state->state == is && state->result == result,
	      "the drain ended as %s, %s, not as %s, %s",
	      quiesce_names[state->state], drain_names[state->result],
	      quiesce_names[is], drain_names[result]);
}

/* --- what a helper does ----------------------------------------------------- */

/* It waits for work in flight, which comes to its end. */
static int do_drain(void)
{
	struct quiesce state;
	struct gpu gpu;
	int error;

	clients_open(address, true);
	error = begin_drain(&gpu, LONG_MS);
	if (!error) {
		await_wait(gpu.id, &state);
		clients_signal();
		await_drain(gpu.id, &state);
		expect_end(&state, EGPU_QUIESCE_STATE_QUIESCED,
			   EGPU_DRAIN_RESULT_DRAINED);
	}
	nl_close(&owner);
	return error;
}

/* The work does not end, and it is told whose it is. */
static int do_late_drain(void)
{
	struct quiesce state;
	struct gpu gpu;
	int error;

	clients_open(address, true);
	error = begin_drain(&gpu, SHORT_MS);
	if (!error) {
		await_drain(gpu.id, &state);
		expect_end(&state, EGPU_QUIESCE_STATE_FENCED,
			   EGPU_DRAIN_RESULT_TIMED_OUT);
		check(blamed == CLIENTS, "%u files are blamed, not %d", blamed,
		      CLIENTS);
	}
	nl_close(&owner);
	return error;
}

static int do_nothing(void)
{
	return 0;
}

/* --- what takes the GPU from its clients ------------------------------------ */

/* Its own drain comes to nothing, and it goes on. */
static int do_forced_eject(void)
{
	static struct msg msg;
	struct gpu gpu;
	int error;

	if (!gpu_now(&gpu))
		return -ENODEV;
	clients_open(address, true);
	msg_begin(&msg, family.id, 0, EGPU_CMD_EJECT);
	msg_put_u32(&msg, EGPU_A_REMOVAL_ID, gpu.id);
	msg_put(&msg, EGPU_A_REMOVAL_FORCE, NULL, 0);
	error = nl_ask(&control, &msg, &answer);
	check(!error || answer.text[0], "an eject fails without a reason");
	return error;
}

static int do_remove_used(void)
{
	clients_open(address, true);
	return do_remove();
}

/* --- no memory for a drain, or for a list ------------------------------------ */

/* Too large for the slab, so it is pages that are missing. */
static void drain_short(struct code code)
{
	struct quiesce state;
	struct gpu gpu;

	test_begin("a drain without memory says so, and can be asked for again");
	clients_open(address, true);
	listeners_begin();
	inject_pages(code, true);
	check(!begin_drain(&gpu, LONG_MS), "it does not begin");
	await_drain(gpu.id, &state);
	inject_pages(code, false);
	expect_end(&state, EGPU_QUIESCE_STATE_FENCED,
		   EGPU_DRAIN_RESULT_NO_MEMORY);
	check(state.owner, "nobody has fenced it any more");
	judge_listeners("without memory", true, 0, 0);
	clients_signal();
	check(!order(EGPU_CMD_DRAIN, gpu.id, LONG_MS), "it is refused");
	await_drain(gpu.id, &state);
	expect_end(&state, EGPU_QUIESCE_STATE_QUIESCED,
		   EGPU_DRAIN_RESULT_DRAINED);
	nl_close(&owner);
	judge_free("in the end");
	check(settles(READY), "the GPU is not as it was");
	test_end();
}

static void eject_short(struct code code)
{
	struct removal removal;
	struct gpu gpu;
	int error;

	test_begin("an eject by force needs no memory for its drain");
	gpu_now(&gpu);
	listeners_begin();
	inject_pages(code, true);
	error = do_forced_eject();
	check(!error, "it is refused: %d %s", error, answer.text);
	check(settles(GONE), "the GPU stays");
	inject_pages(code, false);
	judge_drained("without memory", EGPU_DRAIN_RESULT_NO_MEMORY);
	judge_listeners("without memory", true, 0, gpu.id);
	last_removal(&removal);
	judge_victims("without memory", removal.cookie, CLIENTS, false);
	clients_close();
	do_rescan();
	check(settles(READY), "the GPU does not come back");
	test_end();
}

static int dump_buffers(uint32_t id)
{
	static struct msg msg;

	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_BUFFER_GET);
	msg_put_u32(&msg, EGPU_A_BUFFER_ID, id);
	return nl_dump(&control, &msg, NULL, NULL, &answer);
}

static void buffers_short(void)
{
	struct gpu gpu;
	int error;

	test_begin("a list of buffers without memory is refused with a reason");
	gpu_now(&gpu);
	clients_open(address, true);
	inject_pages(code_of("egpu_nl_buffer_start"), true);
	error = dump_buffers(gpu.id);
	inject_pages(code_of("egpu_nl_buffer_start"), false);
	check(error == -ENOMEM && answer.text[0], "error %d, reason '%s'",
	      error, answer.text);
	error = dump_buffers(gpu.id);
	check(!error && answer.count == CLIENTS,
	      "error %d and %u buffers with memory", error, answer.count);
	clients_close();
	test_end();
}

/**
 * all_quiesce - every allocation made to fail while clients are stopped
 * @at: PCI address of an external GPU that may be removed; vgem is loaded
 */
void all_quiesce(const char *at)
{
	struct code all = code_of_egpu();
	/* What else an eject needs fails in "faults changes". */
	struct code drains = code_of("egpu_quiesce_for_eject");
	struct code list = code_of("list_victims");
	const struct act nothing = act_of("end", do_nothing, nowhere, READY);
	const struct act again = act_of("rescan", do_rescan, nowhere, READY);
	const struct act drain = act_of("drain", do_drain, all, READY);
	const struct act late = act_of("late drain", do_late_drain, all, READY);
	struct act remove = act_of("remove", do_remove_used, list, GONE);
	struct act eject = act_of("eject", do_forced_eject, drains, GONE);

	address = at;
	setting_set(&control, &family, EGPU_A_SETTINGS_DRAIN_MS, SHORT_MS);
	buffers_short();
	drain_short(code_of("drain_run"));
	eject_short(code_of("drain_run"));
	sweep(&drain, &nothing);
	sweep(&late, &nothing);
	remove.victims = CLIENTS;
	sweep(&remove, &again);
	eject.victims = CLIENTS;
	eject.drained = EGPU_DRAIN_RESULT_TIMED_OUT;
	sweep(&eject, &again);
	clients_close();
}
