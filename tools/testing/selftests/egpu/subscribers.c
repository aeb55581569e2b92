// SPDX-License-Identifier: GPL-2.0
/*
 * A thousand subscribers, one of them stuck: nothing lost to the others, the
 * stuck one told of its loss and able to catch up, no memory kept.
 *
 *   subscribers ADDRESS [COUNT]   of an external GPU that may be removed in sysfs;
 *                                 with fewer than a thousand where that takes too long
 *
 * All sockets keep the receive buffer that the kernel gives by default.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "family.h"
#include "ktap.h"

#define SUBSCRIBERS_MAX 1000
#define SUBSCRIBERS_MIN 100
#define STUCK		0 /* which of them does not read */

#define ROUNDS	12
#define WARM_UP 5 /* rounds that fill the stuck one and the caches */
#define TOGGLES 60
#define BURST	15 /* events between two readings; fits into every buffer */

/* What may be in use more than after the warm-up: far less than one buffer kept
 * per event, not to speak of one per event and subscriber.
 */
#define SLAB_KB 512
#define BUFFERS 16

struct subscriber {
	struct nl nl;
	uint64_t seq; /* of its last event */
	unsigned int events;
	unsigned int gaps;
	unsigned int errors;
};

struct memory {
	long slab_kb;
	long available_kb;
	long buffers;
};

static struct family family;
static struct nl control;
static struct gpu gpu;
static struct subscriber subscriber[SUBSCRIBERS_MAX];
static int subscribers = SUBSCRIBERS_MAX;
static int poller;

static uint64_t last_seq(void)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_SETTINGS_GET);
	if (nl_ask(&control, &msg, &answer))
		bail_out("no answer to settings-get");
	return attr_u64(answer.data, answer.len, EGPU_A_SETTINGS_SEQ);
}

static void subscribe(void)
{
	struct rlimit files = { 4096, 4096 };
	struct epoll_event event = { .events = EPOLLIN };
	int i;

	setrlimit(RLIMIT_NOFILE, &files);
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < subscribers; i++) {
		event.data.u32 = i;
		if (nl_open(&subscriber[i].nl) ||
		    nl_join(&subscriber[i].nl, family.events))
			bail_out("subscriber %d cannot join", i);
		if (i != STUCK)
			epoll_ctl(poller, EPOLL_CTL_ADD, subscriber[i].nl.fd,
				  &event);
	}
}

/* The two attribute sets number their seq differently. */
static uint64_t event_seq(uint8_t cmd, const void *attrs, size_t len)
{
	bool device = cmd == EGPU_CMD_CONNECTED || cmd == EGPU_CMD_CHANGED;

	return attr_u64(attrs, len,
			device ? (int)EGPU_A_DEVICE_SEQ :
				 (int)EGPU_A_REMOVAL_SEQ);
}

static void on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct subscriber *who = data;
	uint64_t seq = event_seq(cmd, attrs, len);

	if (who->seq && seq != who->seq + 1)
		who->gaps++;
	who->seq = seq;
	who->events++;
}

static void read_all(struct subscriber *who)
{
	int ret;

	do {
		ret = nl_receive(&who->nl, 0, on_event, who);
		if (ret < 0 && ret != -ETIMEDOUT)
			who->errors++;
	} while (ret > 0);
}

/* Until nobody but the stuck one has anything to read. */
static void pump(void)
{
	struct epoll_event event[64];
	int i, n;

	while ((n = epoll_wait(poller, event, 64, 0)) > 0)
		for (i = 0; i < n; i++)
			read_all(&subscriber[event[i].data.u32]);
}

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "1", 1) != 1)
		bail_out("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

static bool ready(void)
{
	struct gpu now;

	return !gpu_find(&control, &family, true, &now) &&
	       now.state == EGPU_DEVICE_STATE_READY;
}

/* A real departure and a real arrival. */
static void replug(void)
{
	char path[128];
	int tries;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove",
		 gpu.address);
	write_file(path);
	write_file("/sys/bus/pci/rescan");
	for (tries = 0; tries < 500 && !ready(); tries++)
		usleep(10000);
}

static void one_round(void)
{
	int i;

	for (i = 0; i < TOGGLES; i++) {
		if (override_set(&control, &family, gpu.address,
				 i % 2 ? EGPU_PLACEMENT_AUTO :
					 EGPU_PLACEMENT_INTERNAL))
			bail_out("override-set failed");
		if (i % BURST == BURST - 1)
			pump();
	}
	replug();
	pump();
}

/* The number behind a word at the beginning of a line; -1 if it is not there. */
static long number_in(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	long number = -1;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, strlen(word)))
			number = strtol(line + strlen(word), NULL, 10);
	if (file)
		fclose(file);
	return number;
}

/* Frees that wait for a grace period, and spare objects of each processor, would
 * count as used.
 */
static void settle_memory(void)
{
	usleep(200000);
	write_file("/sys/kernel/slab/skbuff_head_cache/shrink");
}

static struct memory look_at_memory(void)
{
	settle_memory();
	return (struct memory){
		.slab_kb = number_in("/proc/meminfo", "Slab:"),
		.available_kb = number_in("/proc/meminfo", "MemAvailable:"),
		.buffers = number_in("/proc/slabinfo", "skbuff_head_cache "),
	};
}

static void note_memory(const char *when, const struct memory *memory)
{
	note("%s: slab %ld kB, %ld message buffers, available %ld kB", when,
	     memory->slab_kb, memory->buffers, memory->available_kb);
}

static void check_growth(const struct memory *before, const struct memory *after)
{
	check(before->buffers > 0, "/proc/slabinfo tells of no message buffers");
	check(after->slab_kb - before->slab_kb <= SLAB_KB,
	      "the slab has grown by %ld kB, more than %d",
	      after->slab_kb - before->slab_kb, SLAB_KB);
	check(after->buffers - before->buffers <= BUFFERS,
	      "%ld more message buffers in use, more than %d",
	      after->buffers - before->buffers, BUFFERS);
}

static void check_others(uint64_t before, uint64_t after)
{
	unsigned int wrong = 0;
	int i;

	for (i = 0; i < subscribers; i++) {
		const struct subscriber *who = &subscriber[i];

		if (i == STUCK)
			continue;
		if (who->gaps || who->errors || who->seq != after ||
		    who->events != after - before) {
			if (!wrong++)
				note("subscriber %d: %u events of %" PRIu64
				     ", %u gaps, %u errors",
				     i, who->events, after - before, who->gaps,
				     who->errors);
		}
	}
	note("%" PRIu64 " events to %d subscribers", after - before,
	     subscribers - 1);
	check(!wrong, "%u subscribers have lost events", wrong);
}

static void test_rounds(struct memory *warm, struct memory *last)
{
	uint64_t before = last_seq(), started = now_ns();
	int i;

	test_begin("no event is lost to 999 subscribers, though one is stuck");
	for (i = 0; i < ROUNDS; i++) {
		one_round();
		*last = look_at_memory();
		if (i == WARM_UP - 1)
			*warm = *last;
	}
	check_others(before, last_seq());
	note("in %" PRIu64 " ms", (now_ns() - started) / 1000000);
	test_end();
}

static void test_no_growth(const struct memory *warm, const struct memory *last)
{
	test_begin("no memory grows while they listen");
	note_memory("after the warm-up", warm);
	note_memory("at the end", last);
	check_growth(warm, last);
	test_end();
}

static void test_stuck(void)
{
	struct subscriber *who = &subscriber[STUCK];
	static struct answer answer;
	static struct msg msg;
	uint64_t now;
	int error;

	test_begin("the stuck one is told once, has what fitted, and catches up");
	error = nl_receive(&who->nl, 0, on_event, who);
	check(error == -ENOBUFS, "its first read says %d, not ENOBUFS", error);
	read_all(who);
	now = last_seq();
	note("it has %u events and lost %" PRIu64, who->events, now - who->seq);
	check(who->events && !who->gaps && !who->errors,
	      "%u events with %u gaps and %u more errors", who->events,
	      who->gaps, who->errors);
	check(who->seq < now, "it has lost nothing, so it was not stuck");

	msg_begin(&msg, family.id, 0, EGPU_CMD_DEVICE_GET);
	msg_put_text(&msg, EGPU_A_DEVICE_ADDRESS, gpu.address);
	check(!nl_ask(&who->nl, &msg, &answer), "it gets no answer: %s",
	      answer.text);
	who->seq = attr_u64(answer.data, answer.len, EGPU_A_DEVICE_SEQ);
	check(who->seq == now,
	      "the answer is of event %" PRIu64 ", the last is %" PRIu64,
	      who->seq, now);
	check(attr_u32(answer.data, answer.len, EGPU_A_DEVICE_EXTERNAL) == 1,
	      "the GPU is not external in it");
	test_end();

	test_begin("from then on it misses nothing");
	override_set(&control, &family, gpu.address, EGPU_PLACEMENT_INTERNAL);
	override_set(&control, &family, gpu.address, EGPU_PLACEMENT_AUTO);
	who->events = 0;
	read_all(who);
	check(who->events == 2 && !who->gaps && !who->errors,
	      "%u events with %u gaps", who->events, who->gaps);
	test_end();
}

static void test_all_gone(const struct memory *start)
{
	struct memory end;
	int i;

	test_begin("when all have gone, so has what they used");
	for (i = 0; i < subscribers; i++)
		nl_close(&subscriber[i].nl);
	usleep(500000);
	end = look_at_memory();
	note_memory("before they came", start);
	note_memory("after they went", &end);
	check(end.buffers - start->buffers <= BUFFERS,
	      "%ld message buffers are left behind",
	      end.buffers - start->buffers);
	test_end();
}

int main(int argc, char **argv)
{
	struct memory start, warm, last;

	if (argc == 3)
		subscribers = atoi(argv[2]);
	if (argc < 2 || argc > 3 || subscribers < SUBSCRIBERS_MIN ||
	    subscribers > SUBSCRIBERS_MAX || family_open(&control, &family) ||
	    gpu_find(&control, &family, true, &gpu) ||
	    strcmp(gpu.address, argv[1]))
		bail_out("name the only external GPU by its address, and 100 to 1000 subscribers");
	start = look_at_memory();
	subscribe();
	test_rounds(&warm, &last);
	test_no_growth(&warm, &last);
	test_stuck();
	test_all_gone(&start);
	return ktap_finish();
}
