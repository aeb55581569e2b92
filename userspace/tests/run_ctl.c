// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Running egpuctl inside a test.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl_roots.h"
#include "kernel.h"
#include "run_ctl.h"
#include "test.h"

#define WORDS_MAX 16

void run_ctl(struct run_ctl *run, const char *line)
{
	char *argv[WORDS_MAX + 2] = { (char *)"egpuctl" };
	size_t out_size, err_size;
	char *words = strdup(line), *save = NULL, *word;
	int argc = 1;

	assert_non_null(words);
	word = strtok_r(words, " ", &save);
	for (; word; word = strtok_r(NULL, " ", &save)) {
		assert_true(argc <= WORDS_MAX);
		argv[argc++] = word;
	}
	run->ctl.open = kernel_open;
	run->ctl.roots = ctl_roots();
	if (!run->ctl.open_ms)
		run->ctl.open_ms = 60000;
	if (!run->ctl.policy_path)
		run->ctl.policy_path = "/nonexistent";
	run->ctl.out = open_memstream(&run->out, &out_size);
	run->ctl.err = open_memstream(&run->err, &err_size);
	assert_true(run->ctl.out && run->ctl.err);
	run->code = ctl_main(&run->ctl, argc, argv);
	fclose(run->ctl.out);
	fclose(run->ctl.err);
	free(words);
}

void run_ctl_free(struct run_ctl *run)
{
	free(run->out);
	free(run->err);
	memset(run, 0, sizeof(*run));
}
