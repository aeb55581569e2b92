// SPDX-License-Identifier: GPL-2.0
/*
 * Acts with a program whose work outlives its GPU: the example of libegpu. It begins
 * and ends with the act, and each step of its work has a checksum that any machine
 * comes to.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG	  "/run/rig/artifacts/work.log"
#define REFERENCE "/run/rig/artifacts/reference.log"

/* How far the reference goes, and so a program may. */
#define STEPS 4000

#define WAIT_MS 60000

/** struct said - what the program's lines come to */
struct said {
	unsigned int steps; /* lines of steps */
	uint64_t step; /* the last one */
	unsigned int moves;
	bool lost; /* the last move says so */
};

static uint64_t wanted_of[STEPS + 1];
static pid_t program;

/* What every step comes to, by nobody but the processor. */
static void read_reference(void)
{
	static const char *const argv[] = { "egpu-example", "--verify", NULL };
	uint64_t step, checksum;
	char line[256];
	FILE *file;
	int status;

	if (wanted_of[1])
		return;
	if (waitpid(program_start(argv, REFERENCE, O_TRUNC), &status, 0) < 0 ||
	    status)
		trouble("the example does not compute its reference");
	file = fopen(REFERENCE, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s step=%" SCNu64 " checksum=%" SCNx64,
			   &step, &checksum) == 2 &&
		    step <= STEPS)
			wanted_of[step] = checksum;
	if (!file || !wanted_of[1])
		trouble("the example's reference cannot be read");
	fclose(file);
}

static void judge_step(struct said *said, uint64_t step, uint64_t checksum)
{
	uint64_t wanted = said->steps ? said->step + 1 : 1;

	if (step > STEPS || !wanted_of[step])
		trouble("step %" PRIu64 " is further than the reference", step);
	if (checksum != wanted_of[step])
		fail("every step of a work is right",
		     "step %" PRIu64 " came to %" PRIx64 " instead of %" PRIx64,
		     step, checksum, wanted_of[step]);
	if (step != wanted)
		fail("no step of a work is left out or done twice",
		     "step %" PRIu64 " after %" PRIu64, step, said->step);
	said->step = step;
	said->steps++;
}

static void judge_move(struct said *said, uint64_t step, bool lost)
{
	if (step > said->step || (!lost && step != said->step))
		fail("a work goes on where it was, or where it was copied",
		     "from step %" PRIu64 ", lost %d, it was at %" PRIu64, step,
		     lost, said->step);
	said->step = step;
	said->lost = lost;
	said->moves++;
}

static uint64_t number(const char *line, const char *field)
{
	const char *at = strstr(line, field);

	return at ? strtoull(at + strlen(field), NULL, 0) : 0;
}

/* Its lines so far; the last may be half written. */
static void judge(struct said *said)
{
	FILE *file = fopen(LOG, "re");
	uint64_t step, checksum;
	char line[512];

	memset(said, 0, sizeof(*said));
	while (file && fgets(line, sizeof(line), file)) {
		if (!strchr(line, '\n'))
			break;
		if (sscanf(line, "%*s step=%" SCNu64 " checksum=%" SCNx64,
			   &step, &checksum) == 2)
			judge_step(said, step, checksum);
		else if (strstr(line, " moved "))
			judge_move(said, number(line, " step="),
				   number(line, " lost="));
		else if (strstr(line, " failed ") || strstr(line, " error ") ||
			 strstr(line, " restarted "))
			fail("a work that was copied goes on",
			     "it says: %.200s", line);
	}
	if (file)
		fclose(file);
}

/* Until it has done so many steps more and moved so often. */
static void await(unsigned int more, unsigned int moves)
{
	uint64_t end = now_ns() + WAIT_MS * slow * 1000000ULL;
	struct said said;
	unsigned int steps;

	judge(&said);
	steps = said.steps + more;
	while (said.steps < steps || said.moves < moves) {
		if (kill(program, 0) || now_ns() > end)
			fail("a work goes on", "%u steps of %u, %u moves of %u",
			     said.steps, steps, said.moves, moves);
		sleep_ms(20);
		judge(&said);
	}
}

static void await_checkpoint(void)
{
	uint64_t end = now_ns() + WAIT_MS * slow * 1000000ULL;
	unsigned int before;

	pthread_mutex_lock(&lock);
	before = reference()->checkpoints;
	while (reference()->checkpoints == before) {
		if (now_ns() > end)
			fail("a work is copied while it goes on", "it is not");
		listeners_wait(50);
	}
	pthread_mutex_unlock(&lock);
}

static void begin(int port)
{
	char node[64];
	const char *argv[5] = { "egpu-example", "--ms", "20", node };

	read_reference();
	daemon_base();
	gpu_node_name(port, node, sizeof(node));
	program = program_start(argv, LOG, O_TRUNC);
	await(2, 0);
	await_checkpoint();
}

static void end(const struct act *act)
{
	struct said said;
	int status = 0;

	kill(program, SIGTERM);
	if (waitpid(program, &status, 0) != program || status)
		fail("a program with a session ends when asked", "status %#x",
		     status);
	judge(&said);
	/* Who is asked first loses nothing; who is not, may. */
	if (act->kind == WORK_EJECT && said.lost)
		fail("an eject costs no work", "it goes on from step %" PRIu64,
		     said.step);
}

static void begin_eject(struct act *act, uint32_t id)
{
	act->error = ask_eject(id, 0, false, &act->cookie);
	if (act->error)
		fail("a GPU whose program can be moved can be ejected",
		     "error %d", act->error);
	wait_until(gpu_on_bus, act->port, false, "ejected");
}

/* Every checkpoint that is there is whole. What the program has left is removed behind
 * it, maybe right while it is looked at.
 */
static void check_store(void)
{
	static const char *const argv[] = { "egpuctl", "checkpoint", "verify",
					    NULL };
	uint64_t end = now_ns() + WAIT_MS * slow * 1000000ULL;
	int status;

	do {
		if (now_ns() > end)
			fail("no checkpoint is torn", "see verify.log");
		if (waitpid(program_start(argv, "/run/rig/artifacts/verify.log",
					  O_TRUNC),
			    &status, 0) < 0)
			trouble("egpuctl cannot be run");
	} while (status);
}

/**
 * run_work - a program works on a GPU that nobody else uses, and then it happens
 * @act: the act
 * @id: of the GPU
 */
void run_work(struct act *act, uint32_t id)
{
	begin(act->port);
	sleep_ms(act->delay_ms);
	switch (act->kind) {
	case WORK_EJECT:
		begin_eject(act, id);
		await(2, 1);
		break;
	case WORK_PULL:
		card_pull(act->port, act);
		await(2, 1);
		break;
	case WORK_REMOVE:
		gpu_remove(act->port);
		await(2, 1);
		break;
	default:
		daemon_end(SIGKILL);
		await(2, 0);
		daemon_start();
		await_checkpoint();
		await(2, 0);
	}
	end(act);
	check_store();
}
