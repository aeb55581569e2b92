// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the tests of egpuctl share.
 */
#include <string.h>

#include "ctl_case.h"
#include "test.h"

struct kernel ctl_kernel;
struct run_ctl ctl_run;

int ctl_setup(void **state)
{
	(void)state;
	ctl_roots_new();
	ctl_roots_add_gpu("0000:01:00.0", 1, false);
	ctl_roots_add_gpu("0000:07:00.0", 2, true);
	kernel_init(&ctl_kernel);
	kernel_add(&ctl_kernel, "0000:01:00.0", false);
	kernel_add(&ctl_kernel, "0000:07:00.0", true);
	memset(&ctl_run, 0, sizeof(ctl_run));
	return 0;
}

int ctl_teardown(void **state)
{
	(void)state;
	run_ctl_free(&ctl_run);
	return (int)kernel_open_links(&ctl_kernel);
}

void ctl_expect(int code, const char *line)
{
	struct ctl ctl = ctl_run.ctl;

	run_ctl_free(&ctl_run);
	ctl_run.ctl = ctl;
	ctl_run.ctl.json = false;
	ctl_run.ctl.force = false;
	ctl_run.ctl.no_wait = false;
	ctl_run.ctl.timeout_ms = 0;
	ctl_run.ctl.store = NULL;
	ctl_run.ctl.png = NULL;
	ctl_run.ctl.buffer = 0;
	run_ctl(&ctl_run, line);
	if (ctl_run.code != code)
		fail_msg("'egpuctl %s' ended with %d and not %d\n%s%s", line,
			 ctl_run.code, code, ctl_run.out, ctl_run.err);
}

void ctl_says(const char *text)
{
	if (!strstr(ctl_run.out, text) && !strstr(ctl_run.err, text))
		fail_msg("'%s' is not in\n%s%s", text, ctl_run.out, ctl_run.err);
}

void ctl_add_client(uint32_t id, pid_t pid, const char *comm)
{
	const struct tree_process process = { .pid = pid, .comm = comm };
	struct egpu_client *client = &ctl_kernel.clients[ctl_kernel.n_clients++];

	client->id = id;
	client->client_id = 5;
	client->pid = pid;
	strcpy(client->comm, comm);
	client->minor = (struct egpu_minor){ EGPU_MINOR_TYPE_RENDER, 130 };
	client->buffers = 3;
	client->bytes = 1536 * 1024;
	ctl_roots_add_process(&process, 5);
}
