// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of all manners. Each has two sockets, one to listen and one to speak:
 * an answer must not be lost among events.
 */
#include "stress.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "helpers.h"

#define JOBS 16

/* How long a helper lets a GPU be drained. */
#define DRAIN_MS 300

/* Something to do later; cmd 0 is none. Of the removal: its GPU, whether it can be
 * refused, and whether it is sure to go on, so that it does not matter who vouches.
 */
struct job {
	uint8_t cmd;
	uint64_t cookie;
	uint64_t at;
	uint32_t id;
	bool eject;
	bool goes_on;
};

struct helper {
	struct nl ear;
	struct nl voice;
	bool used;
	bool stopped;
	bool left;
	struct manners manners;
	struct job job[JOBS];
};

static struct helper helper[HELPERS];
static const struct family *joined;
static volatile int timeout_ms = -1;

static void add_job(struct helper *who, struct job job, uint32_t delay_ms)
{
	int i;

	if (delay_ms == NEVER)
		return;
	for (i = 0; i < JOBS; i++) {
		if (who->job[i].cmd)
			continue;
		job.at = now_ns() + delay_ms * 1000000ULL;
		who->job[i] = job;
		return;
	}
}

static void on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct helper *who = data;
	struct removal removal;

	if (cmd != EGPU_CMD_REMOVAL_PENDING)
		return;
	removal_read(&removal, attrs, len);
	if (removal.phase == EGPU_PHASE_PENDING)
		add_job(who,
			(struct job){
				.cmd = EGPU_CMD_ACCEPT,
				.cookie = removal.cookie,
				.id = removal.id,
				.eject = removal.origin == EGPU_ORIGIN_EJECT,
				.goes_on = removal.origin != EGPU_ORIGIN_EJECT ||
					   attr_there(attrs, len,
						      EGPU_A_REMOVAL_FORCE),
			},
			who->manners.accept_ms);
}

static void open_sockets(struct helper *who)
{
	if (nl_open(&who->ear) || nl_open(&who->voice))
		trouble("cannot open a socket");
	if (!joined)
		return;
	/* Refused while the module goes; joins again with the next. */
	nl_join(&who->ear, joined->events);
	nl_join(&who->ear, joined->helper);
}

/* What it had accepted must be released when its socket is closed, not later. */
static void close_sockets(struct helper *who)
{
	struct stream *stream = reference();
	struct dealing *dealing;
	uint64_t cookie;

	nl_close(&who->ear);
	nl_close(&who->voice);
	for (cookie = stream->last_cookie + STREAM_REMOVALS / 2;
	     cookie && cookie + STREAM_REMOVALS / 2 > stream->last_cookie;
	     cookie--) {
		dealing = dealing_of(cookie);
		if (dealing->accepted != who - helper + 1 || dealing->closed_at)
			continue;
		dealing->closed_at = now_ns();
	}
	memset(who->job, 0, sizeof(who->job));
}

static int send(struct helper *who, uint8_t cmd, uint64_t cookie, uint16_t attr,
		uint32_t value)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, joined->id, 0, cmd);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, cookie);
	if (attr == EGPU_A_REMOVAL_VOUCHED)
		msg_put(&msg, attr, NULL, 0);
	else if (attr)
		msg_put_u32(&msg, attr, value);
	return nl_ask(&who->voice, &msg, &answer);
}

/* That it is refused does no harm: another may have fenced the GPU, or it goes. */
static void quiesce(struct helper *who, const struct job *job)
{
	send(who, EGPU_CMD_REPORT, job->cookie, EGPU_A_REMOVAL_STEP,
	     EGPU_STEP_FENCE);
	quiesce_step(&who->voice, joined, EGPU_CMD_FENCE, job->id, 0, NULL);
	send(who, EGPU_CMD_REPORT, job->cookie, EGPU_A_REMOVAL_STEP,
	     EGPU_STEP_DRAIN);
	quiesce_step(&who->voice, joined, EGPU_CMD_DRAIN, job->id, DRAIN_MS,
		     NULL);
}

static void accept_removal(struct helper *who, struct job *job)
{
	static struct answer answer;

	if (step(&who->voice, joined, EGPU_CMD_ACCEPT, job->cookie, &answer))
		return;
	dealing_of(job->cookie)->accepted = who - helper + 1;
	if (who->manners.quiesces)
		quiesce(who, job);
	if (who->manners.dies) {
		close_sockets(who);
		open_sockets(who);
		return;
	}
	if (who->manners.leaves) {
		nl_leave(&who->ear, joined->helper);
		who->left = true;
	}
	job->cmd = EGPU_CMD_ACK;
	add_job(who, *job, who->manners.ack_ms);
}

static void acknowledge(struct helper *who, const struct job *job)
{
	struct dealing *dealing = dealing_of(job->cookie);

	if (who->manners.refuses && job->eject)
		dealing->withdrawn |=
			!send(who, EGPU_CMD_REFUSE, job->cookie, 0, 0);
	else
		dealing->acked |=
			!send(who, EGPU_CMD_ACK, job->cookie,
			      job->goes_on ? EGPU_A_REMOVAL_VOUCHED : 0, 0);
	if (who->manners.refuses)
		quiesce_step(&who->voice, joined, EGPU_CMD_RESUME, job->id, 0,
			     NULL);
	/* Back for the next one. */
	if (who->left)
		nl_join(&who->ear, joined->helper);
	who->left = false;
}

static void work(struct helper *who)
{
	uint64_t now = now_ns();
	struct job job;
	int i;

	for (i = 0; i < JOBS; i++) {
		job = who->job[i];
		if (!job.cmd || job.at > now)
			continue;
		who->job[i].cmd = 0;
		if (job.cmd == EGPU_CMD_ACCEPT)
			accept_removal(who, &job);
		else
			acknowledge(who, &job);
	}
}

static void plan_timeout(void)
{
	uint64_t now = now_ns(), next = UINT64_MAX;
	int i, j;

	for (i = 0; i < HELPERS; i++)
		for (j = 0; helper[i].used && !helper[i].stopped && j < JOBS;
		     j++)
			if (helper[i].job[j].cmd && helper[i].job[j].at < next)
				next = helper[i].job[j].at;
	timeout_ms = next == UINT64_MAX ? -1 :
		     next <= now	? 0 :
					  (int)((next - now) / 1000000 + 1);
}

/**
 * helpers_timeout - how long may be waited for events
 *
 * Return: ms, -1 for ever.
 */
int helpers_timeout(void)
{
	return timeout_ms;
}

/**
 * helpers_poll - what to wait for
 * @fds: filled
 *
 * Return: number of entries.
 */
int helpers_poll(struct pollfd *fds)
{
	int i, n = 0;

	for (i = 0; i < HELPERS; i++)
		if (helper[i].used && !helper[i].stopped)
			fds[n++] =
				(struct pollfd){ helper[i].ear.fd, POLLIN, 0 };
	plan_timeout();
	return n;
}

/**
 * helpers_serve - hear and do what is due
 * @family: the family
 */
void helpers_serve(const struct family *family)
{
	struct helper *who;
	int ret;

	joined = family;
	for (who = helper; who < helper + HELPERS; who++) {
		if (!who->used || who->stopped)
			continue;
		do {
			ret = nl_receive(&who->ear, 0, on_event, who);
		} while (ret > 0 || ret == -ENOBUFS);
		work(who);
	}
}

/**
 * helpers_join - the module has been loaded
 * @family: the family
 */
void helpers_join(const struct family *family)
{
	struct helper *who;

	joined = family;
	for (who = helper; who < helper + HELPERS; who++) {
		if (!who->used)
			continue;
		memset(who->job, 0, sizeof(who->job));
		who->left = false;
		if (nl_join(&who->ear, family->events) ||
		    nl_join(&who->ear, family->helper))
			fail("who may listens", "helper %d cannot join",
			     (int)(who - helper));
	}
}

/**
 * helper_come - a helper comes
 * @which: its number
 * @manners: how it behaves
 */
void helper_come(int which, const struct manners *manners)
{
	struct helper *who = &helper[which];

	pthread_mutex_lock(&lock);
	memset(who, 0, sizeof(*who));
	who->manners = *manners;
	who->used = true;
	open_sockets(who);
	pthread_mutex_unlock(&lock);
	listeners_wake();
}

/**
 * helper_go - a helper dies
 * @which: its number
 */
void helper_go(int which)
{
	pthread_mutex_lock(&lock);
	close_sockets(&helper[which]);
	helper[which].used = false;
	pthread_mutex_unlock(&lock);
	listeners_wake();
}

/**
 * helper_stop - a helper hangs, or goes on
 * @which: its number
 * @stop: which
 */
void helper_stop(int which, bool stop)
{
	pthread_mutex_lock(&lock);
	helper[which].stopped = stop;
	pthread_mutex_unlock(&lock);
	listeners_wake();
}

/**
 * helpers_return - those that left the group come back to it, between two steps
 */
void helpers_return(void)
{
	struct helper *who;

	pthread_mutex_lock(&lock);
	for (who = helper; who < helper + HELPERS; who++) {
		if (!who->used || !who->left)
			continue;
		nl_join(&who->ear, joined->helper);
		who->left = false;
	}
	pthread_mutex_unlock(&lock);
}

/**
 * helpers_own - is this the socket of a helper of ours; @lock is held
 * @port: its netlink port
 *
 * Return: true when it is, and the helper lives.
 */
bool helpers_own(uint32_t port)
{
	int i;

	for (i = 0; i < HELPERS; i++)
		if (helper[i].used && helper[i].voice.port == port)
			return true;
	return false;
}
