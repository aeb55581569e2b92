// SPDX-License-Identifier: GPL-2.0
/*
 * bench-clients: how long does it take to learn who uses a GPU?
 *
 *   bench-clients NODE PROCESSES RUNS
 *
 * PROCESSES processes open NODE. Then RUNS times the list of clients is taken
 * from libegpu and from a scan of /proc, in turns. A line a run: the time of the
 * one and of the other in ns, and how many clients both found. The two must
 * find the same, or the program fails.
 */
#include <egpu.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "proc-scan.h"

#define USERS_MAX 4096

/* Each says by a byte when it has the node open. */
static void start_holders(const char *node, unsigned int n)
{
	int ready[2];
	unsigned int i;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		bench_die("pipe: %s", strerror(errno));
	for (i = 0; i < n; i++) {
		if (bench_fork())
			continue;
		if (open(node, O_RDWR) < 0)
			bench_die("%s: %s", node, strerror(errno));
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	for (i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			bench_die("only %u of %u processes have %s open", i, n,
				  node);
	close(ready[0]);
}

static int by_pid_and_minor(const void *one, const void *other)
{
	const struct user *a = one, *b = other;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	return 0;
}

/* The library's list as the scan would have it. */
static size_t as_users(const struct egpu_client_list *list, struct user *users)
{
	size_t i;

	if (list->count > USERS_MAX)
		bench_die("libegpu lists more than %u clients", USERS_MAX);
	for (i = 0; i < list->count; i++)
		users[i] = (struct user){
			.pid = list->item[i]->pid,
			.minor = list->item[i]->minor.index,
			.client_id = list->item[i]->client_id,
		};
	return list->count;
}

static void compare(struct user *ours, size_t n_ours, struct user *theirs,
		    size_t n_theirs)
{
	size_t i;

	if (n_ours != n_theirs)
		bench_die("libegpu lists %zu clients, the scan of /proc %zu",
			  n_ours, n_theirs);
	qsort(ours, n_ours, sizeof(*ours), by_pid_and_minor);
	qsort(theirs, n_theirs, sizeof(*theirs), by_pid_and_minor);
	for (i = 0; i < n_ours; i++)
		if (by_pid_and_minor(&ours[i], &theirs[i]))
			bench_die("libegpu lists pid %d on minor %u, /proc pid %d on minor %u",
				  ours[i].pid, ours[i].minor, theirs[i].pid,
				  theirs[i].minor);
}

static uint64_t time_list(struct egpu_ctx *ctx, struct egpu_client_list **list)
{
	uint64_t begin = bench_now();

	if (egpu_client_list(ctx, 0, list))
		bench_die("%s", egpu_error(ctx));
	return bench_now() - begin;
}

static uint64_t time_scan(struct user *users, size_t *n)
{
	uint64_t begin = bench_now();

	*n = proc_scan(users, USERS_MAX);
	return bench_now() - begin;
}

static void run(struct egpu_ctx *ctx, unsigned int wanted, bool scan_first)
{
	static struct user ours[USERS_MAX], theirs[USERS_MAX];
	struct egpu_client_list *list;
	uint64_t our_time, their_time = 0;
	size_t n_ours, n_theirs;

	if (scan_first)
		their_time = time_scan(theirs, &n_theirs);
	our_time = time_list(ctx, &list);
	if (!scan_first)
		their_time = time_scan(theirs, &n_theirs);
	n_ours = as_users(list, ours);
	egpu_client_list_free(list);
	compare(ours, n_ours, theirs, n_theirs);
	if (n_ours < wanted)
		bench_die("both list %zu clients, but there are %u", n_ours,
			  wanted);
	printf("%" PRIu64 " %" PRIu64 " %zu\n", our_time, their_time, n_ours);
	fflush(stdout);
	usleep(20000);
}

int main(int argc, char **argv)
{
	unsigned int i, processes, runs;
	struct egpu_ctx *ctx;

	if (argc != 4) {
		fprintf(stderr, "usage: bench-clients NODE PROCESSES RUNS\n");
		return 2;
	}
	processes = bench_number(argv[2], "PROCESSES", USERS_MAX / 2);
	runs = bench_number(argv[3], "RUNS", 10000);
	start_holders(argv[1], processes);
	if (egpu_open(&ctx))
		bench_die("cannot open a netlink socket");
	for (i = 0; i < runs; i++)
		run(ctx, processes, i % 2);
	egpu_close(ctx);
	return 0;
}
