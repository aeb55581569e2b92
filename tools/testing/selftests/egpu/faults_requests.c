// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations made to fail for the task that asks the module for something.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vgem.h"

/* Enough open files that a list of them is longer than what it begins with. */
#define FILES 40

static struct nl asker;
static struct gpu known;
static struct answer answer;

static int ask_short(uint8_t cmd, uint16_t flags)
{
	static struct msg msg;

	msg_begin(&msg, family.id, flags, cmd);
	return flags ? nl_dump(&asker, &msg, NULL, NULL, &answer) :
		       nl_ask(&asker, &msg, &answer);
}

static int ask_settings(void)
{
	return ask_short(EGPU_CMD_SETTINGS_GET, 0);
}

static int set_settings(void)
{
	return setting_set(&asker, &family, EGPU_A_SETTINGS_HOLD_MS, 1234);
}

static int ask_device(void)
{
	struct gpu gpu;

	return gpu_get(&asker, &family, known.id, &gpu);
}

static int dump_devices(void)
{
	return ask_short(EGPU_CMD_DEVICE_GET, NLM_F_DUMP);
}

static int dump_clients(void)
{
	return ask_short(EGPU_CMD_CLIENT_GET, NLM_F_DUMP);
}

static int dump_removals(void)
{
	return ask_short(EGPU_CMD_REMOVAL_GET, NLM_F_DUMP);
}

static int dump_overrides(void)
{
	return ask_short(EGPU_CMD_OVERRIDE_GET, NLM_F_DUMP);
}

static int set_override(void)
{
	int error = override_set(&asker, &family, known.address,
				 EGPU_PLACEMENT_INTERNAL);

	return error ? error :
		       override_set(&asker, &family, known.address,
				    EGPU_PLACEMENT_AUTO);
}

static int ask_of_gpu(uint8_t cmd, uint16_t flags)
{
	static struct msg msg;

	msg_begin(&msg, family.id, flags, cmd);
	msg_put_u32(&msg, EGPU_A_QUIESCE_ID, known.id);
	if (cmd == EGPU_CMD_DRAIN)
		msg_put_u32(&msg, EGPU_A_QUIESCE_TIMEOUT_MS, 10000);
	return flags ? nl_dump(&asker, &msg, NULL, NULL, &answer) :
		       nl_ask(&asker, &msg, &answer);
}

static int ask_quiesce(void)
{
	return ask_of_gpu(EGPU_CMD_QUIESCE_GET, 0);
}

static int dump_quiesce(void)
{
	return ask_short(EGPU_CMD_QUIESCE_GET, NLM_F_DUMP);
}

_Static_assert((int)EGPU_A_BUFFER_ID == (int)EGPU_A_QUIESCE_ID, "same message");

static int dump_buffers(void)
{
	return ask_of_gpu(EGPU_CMD_BUFFER_GET, NLM_F_DUMP);
}

/* --- of who stops clients ---------------------------------------------------- */

static int fence(void)
{
	return ask_of_gpu(EGPU_CMD_FENCE, 0);
}

static int drain(void)
{
	return ask_of_gpu(EGPU_CMD_DRAIN, 0);
}

static int resume(void)
{
	return ask_of_gpu(EGPU_CMD_RESUME, 0);
}

static void be_owner(void)
{
	if (fence())
		bail_out("the GPU cannot be fenced: %s", answer.text);
}

/* An answer that was lost may have been that it has begun. */
static void await_drain(int error)
{
	uint64_t end = now_ns() + 20000000000ULL;
	struct quiesce state;

	do {
		if (now_ns() > end || ask_quiesce())
			bail_out("a drain does not end");
		quiesce_read(&state, answer.data, answer.len);
	} while (state.state == EGPU_QUIESCE_STATE_DRAINING);
	check(state.state == EGPU_QUIESCE_STATE_QUIESCED ||
		      (error && state.state == EGPU_QUIESCE_STATE_FENCED),
	      "the drain ended as %s, %s", quiesce_names[state.state],
	      drain_names[state.result]);
}

/* --- of who moves programs --------------------------------------------------- */

static void be_helper(void)
{
	if (nl_join(&asker, family.helper))
		bail_out("nobody can be a helper");
}

static int migrate(void)
{
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_MIGRATE);
	msg_put_u64(&msg, EGPU_A_MIGRATION_MIGRATION, 1);
	msg_put_u32(&msg, EGPU_A_MIGRATION_PHASE, EGPU_MIGRATION_PHASE_STARTED);
	msg_put_u32(&msg, EGPU_A_MIGRATION_ID, known.id);
	msg_put_u32(&msg, EGPU_A_MIGRATION_PID, getpid());
	msg_put_text(&msg, EGPU_A_MIGRATION_COMM, "fifteen letters");
	msg_put_u64(&msg, EGPU_A_MIGRATION_BYTES, 1ULL << 40);
	msg_put_text(&msg, EGPU_A_MIGRATION_CHECKPOINT, "0123456789abcdef");
	msg_put_text(&msg, EGPU_A_MIGRATION_REASON, "it is ejected");
	return nl_ask(&asker, &msg, &answer);
}

/* --- of a removal's helper --------------------------------------------------- */

#define REASON "somebody works with it"

static uint64_t cookie;

static int ask_of_removal(uint8_t cmd)
{
	static struct msg msg;

	msg_begin(&msg, family.id, 0, cmd);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, cookie);
	if (cmd == EGPU_CMD_REPORT)
		msg_put_u32(&msg, EGPU_A_REMOVAL_STEP, EGPU_STEP_FREEZE);
	if (cmd == EGPU_CMD_REFUSE)
		msg_put_text(&msg, EGPU_A_REMOVAL_REASON, REASON);
	return nl_ask(&asker, &msg, &answer);
}

static int report(void)
{
	return ask_of_removal(EGPU_CMD_REPORT);
}

static int refuse(void)
{
	return ask_of_removal(EGPU_CMD_REFUSE);
}

static void accept_eject(void)
{
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_EJECT);
	msg_put_u32(&msg, EGPU_A_REMOVAL_ID, known.id);
	msg_put_u32(&msg, EGPU_A_REMOVAL_TIMEOUT_MS, 60000);
	if (nl_join(&asker, family.helper) || nl_ask(&asker, &msg, &answer))
		bail_out("nothing is ejected: %s", answer.text);
	cookie = attr_u64(answer.data, answer.len, EGPU_A_REMOVAL_COOKIE);
	if (ask_of_removal(EGPU_CMD_ACCEPT))
		bail_out("the eject is not accepted: %s", answer.text);
}

/* Whatever was heard of it, in the end it is refused and the GPU stays. */
static void end_refused(int error)
{
	struct removal removal;

	last_removal(&removal);
	if (removal.phase != EGPU_PHASE_REFUSED) {
		check(error, "it is %s, not refused",
		      phase_names[removal.phase]);
		check(!refuse(), "it cannot be refused: %s", answer.text);
		last_removal(&removal);
	}
	check(removal.finished && removal.phase == EGPU_PHASE_REFUSED &&
		      !strcmp(removal.reason, REASON),
	      "it is %s, for '%s'", phase_names[removal.phase], removal.reason);
	check(settles(READY), "the GPU does not stay");
}

static void end_reported(int error)
{
	struct removal removal;

	last_removal(&removal);
	check(removal.step == EGPU_STEP_FREEZE || error, "it is at step %u",
	      removal.step);
	check(removal.phase == EGPU_PHASE_ACCEPTED, "it is %s",
	      phase_names[removal.phase]);
	end_refused(1);
}

/* --- of one that is over ------------------------------------------------------ */

static unsigned int seen, hit;

static void take_away(void)
{
	struct removal removal;

	if (hit)
		return;
	do_remove();
	last_removal(&removal);
	cookie = removal.cookie;
	hit = removal.clients;
	do_rescan();
	if (!hit || !settles(READY) || !gpu_now(&known))
		bail_out("it was taken from nobody, or does not come back");
}

static int dump_victims(void)
{
	return victims_of(&asker, cookie, &answer, &seen);
}

static void end_victims(int error)
{
	check(error || seen == hit, "%u clients of %u are listed", seen, hit);
}

/**
 * struct request - something to ask for
 * @name: for the results
 * @ask: asks; returns a negative errno
 * @before: makes that it can be asked for, or NULL
 * @after: looks at what came of it, and ends that, or NULL; is given the error
 */
static const struct request {
	const char *name;
	int (*ask)(void);
	void (*before)(void);
	void (*after)(int error);
} requests[] = {
	{ "settings-get", ask_settings, NULL, NULL },
	{ "settings-set", set_settings, NULL, NULL },
	{ "device-get", ask_device, NULL, NULL },
	{ "device dump", dump_devices, NULL, NULL },
	{ "client dump", dump_clients, NULL, NULL },
	{ "removal dump", dump_removals, NULL, NULL },
	{ "override dump", dump_overrides, NULL, NULL },
	{ "override-set", set_override, NULL, NULL },
	{ "quiesce-get", ask_quiesce, NULL, NULL },
	{ "quiesce dump", dump_quiesce, NULL, NULL },
	{ "buffer dump", dump_buffers, NULL, NULL },
	{ "fence", fence, NULL, NULL },
	{ "drain", drain, be_owner, await_drain },
	{ "resume", resume, be_owner, NULL },
	{ "migrate", migrate, be_helper, NULL },
	{ "report", report, accept_eject, end_reported },
	{ "refuse", refuse, accept_eject, end_refused },
	{ "dump of whom a removal hit", dump_victims, take_away, end_victims },
};

/* What the module itself has no memory for it says in words. */
static void judge_reason(const char *name, unsigned int nth)
{
	check(answer.error != -ENOMEM || answer.text[0] ||
		      !strstr(inject_site(), "egpu_nl_"),
	      "%s %u: no reason", name, nth);
}

/* The kernel, not only the module, runs out of memory for this task. */
static bool ask_once(const struct request *request, unsigned int nth)
{
	bool fault;
	int error;

	if (nl_open(&asker))
		bail_out("no socket");
	if (request->before)
		request->before();
	listeners_begin();
	answer.error = 0;
	inject_own(nth);
	error = request->ask();
	fault = inject_own_end();
	if (fault)
		note("%s %u: error %d, %s", request->name, nth, error,
		     inject_site());
	check(!error || (fault && (error == -ENOMEM || error == -ENOBUFS)),
	      "%s %u: error %d", request->name, nth, error);
	judge_reason(request->name, nth);
	if (request->after)
		request->after(error);
	nl_close(&asker);
	judge_free(request->name);
	judge_listeners(request->name, fault, 0, 0);
	return fault;
}

static void sweep_request(const struct request *request)
{
	unsigned int n = 0;

	test_begin("%s: no allocation that fails does harm", request->name);
	while (ask_once(request, n + 1))
		n++;
	note("%u faults", n);
	check(n, "nothing has failed");
	override_set(&control, &family, known.address, EGPU_PLACEMENT_AUTO);
	check(settled(READY), "the GPU is not as it was");
	test_end();
}

static void be_clients(void)
{
	int i, fd, n = 0, buffers = 0;
	uint32_t handle;
	char path[64];

	for (i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i % 4);
		fd = open(path, O_RDWR);
		n += fd >= 0;
		buffers += fd >= 0 && !buffer_make(fd, 32, &handle);
	}
	if (n < FILES / 4)
		bail_out("only %d files of GPUs could be opened", n);
	if (!buffers)
		bail_out("no GPU gives a buffer");
}

/**
 * all_requests - every allocation of who asks made to fail
 * @address: of an external GPU
 */
void all_requests(const char *address)
{
	size_t i;

	be_clients();
	if (!gpu_now(&known))
		bail_out("there is no GPU at %s", address);
	setting_set(&control, &family, EGPU_A_SETTINGS_ACCEPT_MS, 5000);
	inject_below((struct code){ 0, ~0UL });
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		sweep_request(&requests[i]);
}
