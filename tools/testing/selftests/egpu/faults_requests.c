// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations made to fail for the task that asks the module for something.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* Enough open files that a list of them is longer than what it begins with. */
#define CLIENTS 40

static struct nl asker;
static struct gpu known;

static int ask_short(uint8_t cmd, uint16_t flags)
{
	static struct answer answer;
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
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, flags, cmd);
	msg_put_u32(&msg, EGPU_A_QUIESCE_ID, known.id);
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

/* Its end is the end of the asker, which is closed each time. */
static int fence(void)
{
	int error = ask_of_gpu(EGPU_CMD_FENCE, 0);

	return error ? error : ask_of_gpu(EGPU_CMD_RESUME, 0);
}

static const struct request {
	const char *name;
	int (*ask)(void);
} requests[] = {
	{ "settings-get", ask_settings },    { "settings-set", set_settings },
	{ "device-get", ask_device },	     { "device dump", dump_devices },
	{ "client dump", dump_clients },     { "removal dump", dump_removals },
	{ "override dump", dump_overrides }, { "override-set", set_override },
	{ "quiesce-get", ask_quiesce },	     { "quiesce dump", dump_quiesce },
	{ "buffer dump", dump_buffers },     { "fence", fence },
};

/* The kernel, not only the module, runs out of memory for this task. */
static bool ask_once(const struct request *request, unsigned int nth)
{
	bool fault;
	int error;

	if (nl_open(&asker))
		bail_out("no socket");
	listeners_begin();
	inject_own(nth);
	error = request->ask();
	fault = inject_own_end();
	nl_close(&asker);
	if (fault)
		note("%s %u: error %d, %s", request->name, nth, error,
		     inject_site());
	check(!error || (fault && (error == -ENOMEM || error == -ENOBUFS)),
	      "%s %u: error %d", request->name, nth, error);
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
	char path[64];
	int i, n = 0;

	for (i = 0; i < CLIENTS; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i % 4);
		n += open(path, O_RDWR) >= 0;
	}
	if (n < CLIENTS / 4)
		bail_out("only %d files of GPUs could be opened", n);
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
	inject_below((struct code){ 0, ~0UL });
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		sweep_request(&requests[i]);
}
