// SPDX-License-Identifier: GPL-2.0
/*
 * What a helper tells of migrations: what is turned down, with the right words
 * and without an event, and what everybody hears of the rest.
 *
 * Needs root, the module, an external GPU and a removal in the history.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family.h"
#include "ktap.h"
#include "snapshot.h"

#define NOBODY 0xfffffff0u /* no device has this id */

static struct family family;
static struct nl nl, listener, helper;
static struct gpu gpu;
static struct removal removal;
static struct answer answer;
static struct msg msg;

/* --- saying ------------------------------------------------------------------ */

static void say_begin(void)
{
	msg_begin(&msg, family.id, 0, EGPU_CMD_MIGRATE);
	msg_put_u64(&msg, EGPU_A_MIGRATION_MIGRATION, 7);
	msg_put_u32(&msg, EGPU_A_MIGRATION_PHASE, EGPU_MIGRATION_PHASE_STARTED);
}

static void just_so(void)
{
}

static void gpu_of_nobody(void)
{
	msg_put_u32(&msg, EGPU_A_MIGRATION_ID, NOBODY);
}

static void next_gpu(void)
{
	msg_put_u32(&msg, EGPU_A_MIGRATION_TARGET, gpu.id + 1);
}

static void gpu_0(void)
{
	msg_put_u32(&msg, EGPU_A_MIGRATION_ID, 0);
}

static void two_places(void)
{
	msg_put_u32(&msg, EGPU_A_MIGRATION_TARGET, gpu.id);
	msg_put(&msg, EGPU_A_MIGRATION_CPU, NULL, 0);
}

static void removal_of_nobody(void)
{
	msg_put_u64(&msg, EGPU_A_MIGRATION_COOKIE, removal.cookie + 1);
}

static void unknown_phase(void)
{
	msg_put_u32(&msg, EGPU_A_MIGRATION_PHASE, 4);
}

static void number_0(void)
{
	msg_put_u64(&msg, EGPU_A_MIGRATION_MIGRATION, 0);
}

static void put_x(uint16_t attr, size_t len)
{
	char text[256];

	memset(text, 'x', len);
	text[len] = '\0';
	msg_put_text(&msg, attr, text);
}

static void long_name(void)
{
	put_x(EGPU_A_MIGRATION_COMM, 16);
}

static void long_checkpoint(void)
{
	put_x(EGPU_A_MIGRATION_CHECKPOINT, 40);
}

static void long_reason(void)
{
	put_x(EGPU_A_MIGRATION_REASON, EGPU_REASON_LEN + 1);
}

static void reason_without_end(void)
{
	msg_put(&msg, EGPU_A_MIGRATION_REASON, "because", 7);
}

static void somebody_else(void)
{
	msg_put_u32(&msg, EGPU_A_MIGRATION_HELPER, 4711);
}

static void own_number(void)
{
	msg_put_u64(&msg, EGPU_A_MIGRATION_SEQ, 1);
}

/* --- hearing ----------------------------------------------------------------- */

/**
 * struct heard - events of one kind
 * @events: how many
 * @len: bytes in @data
 * @data: attributes of the last one
 */
struct heard {
	unsigned int events;
	size_t len;
	char data[2048];
};

static void on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct heard *heard = data;

	if (cmd != EGPU_CMD_MIGRATION || len > sizeof(heard->data))
		return;
	heard->events++;
	heard->len = len;
	memcpy(heard->data, attrs, len);
}

/* What has been sent is there: events go out before the answer does. */
static void hear(struct heard *heard)
{
	memset(heard, 0, sizeof(*heard));
	while (nl_receive(&listener, 0, on_event, heard) > 0)
		continue;
}

/* --- what is turned down ----------------------------------------------------- */

static const struct {
	const char *name;
	void (*build)(void);
	int error;
	const char *says; /* by the module; netlink's own words are not ours */
} refused[] = {
	{ "a GPU that there is not", gpu_of_nobody, -ENODEV, "no such GPU" },
	{ "the next GPU, which there is not yet", next_gpu, -ENODEV,
	  "no such GPU" },
	{ "a GPU without id", gpu_0, -ERANGE, "" },
	{ "a GPU and memory at once", two_places, -EINVAL, "not both" },
	{ "a removal that there is not", removal_of_nobody, -ENOENT,
	  "no such removal" },
	{ "an unknown phase", unknown_phase, -ERANGE, "" },
	{ "migration 0", number_0, -ERANGE, "" },
	{ "too long a name", long_name, -EINVAL, "" },
	{ "too long a checkpoint", long_checkpoint, -EINVAL, "" },
	{ "too long a reason", long_reason, -EINVAL, "" },
	{ "a reason without end", reason_without_end, -EINVAL, "" },
	{ "another helper's word", somebody_else, -EINVAL, "" },
	{ "an event's number", own_number, -EINVAL, "" },
};

static void expect_refusal(const char *name, void (*build)(void), int error,
			   const char *says)
{
	static struct snapshot before, after;
	struct heard heard;

	test_begin("%s", name);
	snapshot_take(&before, &nl, &family);
	say_begin();
	build();
	nl_ask(&nl, &msg, &answer);
	check(answer.error == error, "error %d (%s), expected %d", answer.error,
	      answer.text, error);
	check(answer.text[0] && strstr(answer.text, says),
	      "says \"%s\", expected something with \"%s\"", answer.text, says);
	hear(&heard);
	check(!heard.events, "%u events of it are heard", heard.events);
	snapshot_take(&after, &nl, &family);
	check(snapshot_same(&before, &after), "something has changed");
	test_end();
}

static void test_missing(void)
{
	test_begin("what is not named is missed");
	msg_begin(&msg, family.id, 0, EGPU_CMD_MIGRATE);
	msg_put_u32(&msg, EGPU_A_MIGRATION_PHASE, EGPU_MIGRATION_PHASE_FAILED);
	nl_ask(&nl, &msg, &answer);
	check(answer.error == -EINVAL &&
		      answer.missing == EGPU_A_MIGRATION_MIGRATION,
	      "error %d, misses %u", answer.error, answer.missing);
	msg_begin(&msg, family.id, 0, EGPU_CMD_MIGRATE);
	msg_put_u64(&msg, EGPU_A_MIGRATION_MIGRATION, 7);
	nl_ask(&nl, &msg, &answer);
	check(answer.error == -EINVAL && answer.missing == EGPU_A_MIGRATION_PHASE,
	      "error %d, misses %u", answer.error, answer.missing);
	msg_begin(&msg, family.id, 0, EGPU_CMD_MIGRATION);
	nl_ask(&nl, &msg, &answer);
	check(answer.error == -EOPNOTSUPP, "the event as a command: error %d",
	      answer.error);
	test_end();
}

/* --- what is passed on ------------------------------------------------------- */

/* Without order: an event has other attributes between them. */
static void check_same(const struct heard *heard, uint16_t attr)
{
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	size_t said_len, heard_len;
	const void *said =
		attr_find(msg.data + head, msg.len - head, attr, &said_len);
	const void *got = attr_find(heard->data, heard->len, attr, &heard_len);

	check(said && got && said_len == heard_len &&
		      !memcmp(said, got, said_len),
	      "attribute %u is not what was said", attr);
}

static void say_all(uint32_t pid)
{
	say_begin();
	msg_put_u32(&msg, EGPU_A_MIGRATION_ID, gpu.id);
	msg_put_u32(&msg, EGPU_A_MIGRATION_TARGET, 1);
	msg_put_u64(&msg, EGPU_A_MIGRATION_COOKIE, removal.cookie);
	msg_put_u32(&msg, EGPU_A_MIGRATION_PID, pid);
	put_x(EGPU_A_MIGRATION_COMM, 15);
	msg_put_u64(&msg, EGPU_A_MIGRATION_BYTES, 1ULL << 40);
	msg_put_u64(&msg, EGPU_A_MIGRATION_DURATION, 1ULL << 41);
	msg_put_u64(&msg, EGPU_A_MIGRATION_STILL, 1ULL << 42);
	msg_put_u64(&msg, EGPU_A_MIGRATION_LOST, 0);
	put_x(EGPU_A_MIGRATION_CHECKPOINT, 39);
	put_x(EGPU_A_MIGRATION_REASON, EGPU_REASON_LEN);
}

static void test_passed_on(void)
{
	struct heard heard;
	uint64_t time;
	int attr;

	test_begin("everything that is said is heard");
	say_all(getpid());
	time = now_ns();
	check(!nl_ask(&nl, &msg, &answer), "error %d (%s)", answer.error,
	      answer.text);
	hear(&heard);
	check(heard.events == 1, "%u events are heard", heard.events);
	for (attr = EGPU_A_MIGRATION_MIGRATION; attr <= EGPU_A_MIGRATION_REASON;
	     attr++)
		if (attr != EGPU_A_MIGRATION_CPU)
			check_same(&heard, attr);
	check(attr_u32(heard.data, heard.len, EGPU_A_MIGRATION_HELPER) == nl.port,
	      "it is not told who says so");
	check(attr_u64(heard.data, heard.len, EGPU_A_MIGRATION_TIME) >= time,
	      "it is from before");
	test_end();
}

static void test_least(void)
{
	struct heard heard;
	int attr;

	test_begin("what is not said is not heard");
	say_begin();
	msg_put(&msg, EGPU_A_MIGRATION_CPU, NULL, 0);
	check(!nl_ask(&nl, &msg, &answer), "error %d (%s)", answer.error,
	      answer.text);
	hear(&heard);
	check(heard.events == 1, "%u events are heard", heard.events);
	for (attr = EGPU_A_MIGRATION_ID; attr <= EGPU_A_MIGRATION_REASON; attr++)
		check(attr_there(heard.data, heard.len, attr) ==
			      (attr == EGPU_A_MIGRATION_CPU),
		      "attribute %d", attr);
	test_end();
}

/* In a pid namespace of its own the helper knows itself as 1. */
static int say_in_namespace(void)
{
	int status = 1;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return 2;
	pid = fork();
	if (!pid) {
		nl_open(&nl);
		say_all(1);
		_exit(!!nl_ask(&nl, &msg, &answer));
	}
	waitpid(pid, &status, 0);
	return status ? 3 : 0;
}

static void test_pids(void)
{
	struct heard heard;
	uint32_t pid;
	pid_t child;
	int status;

	test_begin("processes have the numbers of the first namespace");
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(say_in_namespace());
	waitpid(child, &status, 0);
	check(!status, "the child ended with status %#x", status);
	hear(&heard);
	pid = attr_u32(heard.data, heard.len, EGPU_A_MIGRATION_PID);
	check(heard.events == 1 && pid > (uint32_t)child,
	      "%u events, the process is %u, not one after %d", heard.events,
	      pid, child);
	say_all(child);
	check(!nl_ask(&nl, &msg, &answer), "error %d of one that has ended",
	      answer.error);
	hear(&heard);
	check(heard.events == 1 &&
		      !attr_there(heard.data, heard.len, EGPU_A_MIGRATION_PID),
	      "%u events, with the number of one that has ended", heard.events);
	test_end();
}

static void find_removal(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	removal_read(data, attrs, len);
}

int main(void)
{
	size_t i;

	if (family_open(&nl, &family) || gpu_find(&nl, &family, true, &gpu) ||
	    nl_open(&listener) || nl_join(&listener, family.events) ||
	    nl_open(&helper))
		bail_out("there is no module or no external GPU");
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_REMOVAL_GET);
	if (nl_dump(&nl, &msg, find_removal, &removal, &answer) ||
	    !removal.cookie)
		bail_out("there is no removal in the history");
	expect_refusal("a migration while nobody is a helper", just_so, -EPERM,
		       "helper");
	if (nl_join(&helper, family.helper))
		bail_out("nobody can be a helper");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		expect_refusal(refused[i].name, refused[i].build,
			       refused[i].error, refused[i].says);
	test_missing();
	test_passed_on();
	test_least();
	test_pids();
	return ktap_finish();
}
