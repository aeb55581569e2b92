// SPDX-License-Identifier: GPL-2.0
/*
 * One thread hears everything: listeners that keep up, one that does not, one
 * that comes and goes, and the helpers. The module is asked from any thread.
 */
#include "stress.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"

#define HASHES	 4096
#define DEALINGS 256

#define KEEPS_UP_BYTES (4 << 20)
#define SLOW_BYTES     4096

/* live: its stream has begun. lost: an overrun, to be made good by a snapshot. */
struct listener {
	struct nl nl;
	bool used;
	bool live;
	bool stalled;
	bool lost;
	struct stream stream;
	uint64_t hash[HASHES];
};

struct figures figures;
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static pthread_cond_t news;
static struct listener listener[LISTENERS];
static struct family family;
static struct dealing dealing[DEALINGS];
static struct nl control;
static pthread_mutex_t ask_lock = PTHREAD_MUTEX_INITIALIZER;
static int waker;

struct stream *reference(void)
{
	return &listener[REFERENCE].stream;
}

/**
 * dealing_of - what was done with a removal
 * @cookie: the removal
 *
 * Return: the note of it, made when there was none.
 */
struct dealing *dealing_of(uint64_t cookie)
{
	struct dealing *found = &dealing[cookie % DEALINGS];

	if (found->cookie != cookie) {
		memset(found, 0, sizeof(*found));
		found->cookie = cookie;
	}
	return found;
}

/* --- asking ------------------------------------------------------------------- */

int ask_step(uint8_t cmd, uint64_t cookie)
{
	static struct answer answer;
	int error;

	pthread_mutex_lock(&ask_lock);
	error = step(&control, &family, cmd, cookie, &answer);
	pthread_mutex_unlock(&ask_lock);
	return error;
}

int ask_eject(uint32_t id, uint32_t timeout_ms, bool force, uint64_t *cookie)
{
	static struct answer answer;
	static struct msg msg;
	int error;

	pthread_mutex_lock(&ask_lock);
	msg_begin(&msg, family.id, 0, EGPU_CMD_EJECT);
	msg_put_u32(&msg, EGPU_A_REMOVAL_ID, id);
	if (timeout_ms)
		msg_put_u32(&msg, EGPU_A_REMOVAL_TIMEOUT_MS, timeout_ms);
	if (force)
		msg_put(&msg, EGPU_A_REMOVAL_FORCE, NULL, 0);
	error = nl_ask(&control, &msg, &answer);
	*cookie = error ? 0 :
			  attr_u64(answer.data, answer.len,
				   EGPU_A_REMOVAL_COOKIE);
	pthread_mutex_unlock(&ask_lock);
	return error;
}

int ask_setting(int attr, uint32_t value)
{
	int error;

	pthread_mutex_lock(&ask_lock);
	error = setting_set(&control, &family, attr, value);
	pthread_mutex_unlock(&ask_lock);
	return error;
}

int ask_rule(const char *address, uint32_t placement)
{
	int error;

	pthread_mutex_lock(&ask_lock);
	error = override_set(&control, &family, address, placement);
	pthread_mutex_unlock(&ask_lock);
	return error;
}

static void take_gpu(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct snapshot *snapshot = data;

	(void)cmd;
	if (snapshot->gpus < STREAM_GPUS)
		gpu_read(&snapshot->gpu[snapshot->gpus++], attrs, len);
}

static void take_removal(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct snapshot *snapshot = data;

	(void)cmd;
	if (snapshot->removals < STREAM_REMOVALS)
		removal_read(&snapshot->removal[snapshot->removals++], attrs,
			     len);
}

static void take_quiesce(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct snapshot *snapshot = data;

	(void)cmd;
	if (snapshot->quiesces < STREAM_GPUS)
		quiesce_read(&snapshot->quiesce[snapshot->quiesces++], attrs,
			     len);
}

static void take_client(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	(void)attrs;
	(void)len;
	(void)data;
}

static int dump(uint8_t cmd, nl_visit visit, struct snapshot *snapshot)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, NLM_F_DUMP, cmd);
	return nl_dump(&control, &msg, visit, snapshot, &answer);
}

static int last_seq(uint64_t *seq, bool *helpers)
{
	static struct answer answer;
	static struct msg msg;
	int error;

	msg_begin(&msg, family.id, 0, EGPU_CMD_SETTINGS_GET);
	error = nl_ask(&control, &msg, &answer);
	if (error)
		return error;
	*seq = attr_u64(answer.data, answer.len, EGPU_A_SETTINGS_SEQ);
	*helpers = attr_u32(answer.data, answer.len, EGPU_A_SETTINGS_HELPERS);
	return 0;
}

/**
 * ask_snapshot - everything at one moment
 * @snapshot: overwritten
 *
 * Return: 0, or an error when the module is not there.
 */
int ask_snapshot(struct snapshot *snapshot)
{
	uint64_t seq = 0;
	int error;

	pthread_mutex_lock(&ask_lock);
	do {
		memset(snapshot, 0, sizeof(*snapshot));
		error = last_seq(&snapshot->seq, &snapshot->helpers);
		if (!error)
			error = dump(EGPU_CMD_DEVICE_GET, take_gpu, snapshot);
		if (!error)
			error = dump(EGPU_CMD_REMOVAL_GET, take_removal,
				     snapshot);
		if (!error)
			error = dump(EGPU_CMD_QUIESCE_GET, take_quiesce,
				     snapshot);
		if (!error)
			error = last_seq(&seq, &snapshot->helpers);
		/* An event came between: what was read is of two moments. */
	} while (!error && seq != snapshot->seq);
	pthread_mutex_unlock(&ask_lock);
	return error;
}

/**
 * ask_clients - list all clients
 *
 * Return: 0, or an error.
 */
int ask_clients(void)
{
	int error;

	pthread_mutex_lock(&ask_lock);
	error = dump(EGPU_CMD_CLIENT_GET, take_client, NULL);
	pthread_mutex_unlock(&ask_lock);
	return error;
}

/**
 * ask_family - the family's numbers, as far as they are known
 *
 * Return: the numbers of the module that was loaded last.
 */
const struct family *ask_family(void)
{
	return &family;
}

/* --- listeners ---------------------------------------------------------------- */

static void on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct listener *who = data;
	struct event event;

	event_read(&event, cmd, attrs, len);
	if (who->lost || !stream_event(&who->stream, &event))
		return;
	who->hash[event.seq % HASHES] = event.hash;
	if (who != &listener[REFERENCE])
		return;
	figures.events++;
	if (cmd == EGPU_CMD_REMOVAL_PENDING) {
		figures.removals++;
		figures.holds += event.removal.phase == EGPU_PHASE_PENDING;
	} else if (cmd == EGPU_CMD_MIGRATION) {
		figures.checkpoints += event.migration.phase ==
				       EGPU_MIGRATION_PHASE_CHECKPOINTED;
		figures.moves += event.migration.phase ==
				 EGPU_MIGRATION_PHASE_COMPLETED;
	}
}

static void drain(struct listener *who)
{
	static struct snapshot snapshot;
	int ret;

	do {
		ret = nl_receive(&who->nl, 0, on_event, who);
		if (ret == -ENOBUFS) {
			who->lost = true;
			figures.overruns++;
		}
	} while (ret > 0 || ret == -ENOBUFS);
	if (!who->lost)
		return;
	if (who != &listener[SLOW])
		fail("who keeps up loses nothing", "listener %d overran",
		     (int)(who - listener));
	if (ask_snapshot(&snapshot))
		return;
	who->lost = false;
	stream_begin(&who->stream, &snapshot);
}

static void drain_all(void)
{
	int i;

	for (i = 0; i < LISTENERS; i++)
		if (listener[i].live && !listener[i].stalled)
			drain(&listener[i]);
}

void listeners_wake(void)
{
	uint64_t one = 1;

	if (write(waker, &one, sizeof(one)) < 0)
		trouble("cannot wake the listeners");
}

static void *serve(void *data)
{
	struct pollfd fds[LISTENERS + HELPERS + 1];
	uint64_t count;
	int i, n;

	(void)data;
	for (;;) {
		n = 0;
		pthread_mutex_lock(&lock);
		for (i = 0; i < LISTENERS; i++)
			if (listener[i].live && !listener[i].stalled)
				fds[n++] = (struct pollfd){ listener[i].nl.fd,
							    POLLIN, 0 };
		n += helpers_poll(fds + n);
		pthread_mutex_unlock(&lock);
		fds[n++] = (struct pollfd){ waker, POLLIN, 0 };
		poll(fds, n, helpers_timeout());
		if (fds[n - 1].revents && read(waker, &count, sizeof(count)) < 0)
			trouble("cannot hear that I am woken");
		pthread_mutex_lock(&lock);
		drain_all();
		helpers_serve(&family);
		pthread_cond_broadcast(&news);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void open_listener(int which)
{
	struct listener *who = &listener[which];
	int bytes = which == SLOW ? SLOW_BYTES : KEEPS_UP_BYTES;

	memset(who, 0, sizeof(*who));
	if (nl_open(&who->nl))
		trouble("cannot open a socket");
	setsockopt(who->nl.fd, SOL_SOCKET,
		   which == SLOW ? SO_RCVBUF : SO_RCVBUFFORCE, &bytes,
		   sizeof(bytes));
	who->used = true;
}

/**
 * listen_begin - open the sockets and begin to hear
 */
void listen_begin(void)
{
	pthread_condattr_t attr;
	pthread_t thread;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&news, &attr);
	waker = eventfd(0, EFD_CLOEXEC);
	if (nl_open(&control))
		trouble("cannot open a socket");
	open_listener(REFERENCE);
	open_listener(SECOND);
	open_listener(THIRD);
	open_listener(SLOW);
	pthread_create(&thread, NULL, serve, NULL);
}

static void join_groups(void)
{
	int i;

	if (family_resolve(&family))
		fail("the family is there when the module is", "it is not");
	for (i = 0; i < LISTENERS; i++)
		if (listener[i].used && nl_join(&listener[i].nl, family.events))
			fail("who may listens", "listener %d cannot join", i);
	helpers_join(&family);
}

/**
 * listen_join - the module has been loaded: listen to it
 */
void listen_join(void)
{
	static struct snapshot snapshot;
	int i;

	pthread_mutex_lock(&lock);
	memset(dealing, 0, sizeof(dealing));
	join_groups();
	if (ask_snapshot(&snapshot))
		fail("a loaded module answers", "it does not");
	for (i = 0; i < LISTENERS; i++) {
		if (!listener[i].used)
			continue;
		stream_begin(&listener[i].stream, &snapshot);
		listener[i].lost = false;
		listener[i].live = true;
	}
	pthread_mutex_unlock(&lock);
	listeners_wake();
}

/**
 * listen_part - the module has been unloaded: hear its last words
 */
void listen_part(void)
{
	char why[300];
	bool stalled;
	int i;

	pthread_mutex_lock(&lock);
	drain_all();
	if (!listeners_caught_up(reference()->seq, why, sizeof(why)))
		fail("all who keep up hear the same", "%s", why);
	for (i = 0; i < LISTENERS; i++)
		listener[i].live = false;
	stalled = listener[SLOW].stalled;
	nl_close(&listener[SLOW].nl);
	open_listener(SLOW);
	listener[SLOW].stalled = stalled;
	pthread_mutex_unlock(&lock);
	/* Who is waited for is not closed before the waiting ends. */
	listeners_wake();
}

/**
 * listener_visit - a listener comes or goes
 * @come: which
 */
void listener_visit(bool come)
{
	static struct snapshot snapshot;
	struct listener *who = &listener[VISITOR];

	pthread_mutex_lock(&lock);
	if (come) {
		open_listener(VISITOR);
		if (!nl_join(&who->nl, family.events) &&
		    !ask_snapshot(&snapshot)) {
			stream_begin(&who->stream, &snapshot);
			who->live = true;
		}
	} else {
		who->used = false;
		who->live = false;
		nl_close(&who->nl);
	}
	pthread_mutex_unlock(&lock);
	listeners_wake();
}

/**
 * listener_stall - the slow listener stops to read, or goes on
 * @stall: which
 */
void listener_stall(bool stall)
{
	pthread_mutex_lock(&lock);
	listener[SLOW].stalled = stall;
	pthread_mutex_unlock(&lock);
	listeners_wake();
}

/**
 * listeners_wait - wait for something to be heard; @lock is held
 * @ms: how long
 *
 * Return: false when the time was up.
 */
bool listeners_wait(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000L;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_nsec -= 1000000000L;
		at.tv_sec++;
	}
	return !pthread_cond_timedwait(&news, &lock, &at);
}

static bool same_as_reference(const struct listener *who, char *why, size_t size)
{
	const struct listener *first = &listener[REFERENCE];
	uint64_t seq = who->stream.from > first->stream.from ?
			       who->stream.from :
			       first->stream.from;

	if (who->stream.seq > HASHES && seq < who->stream.seq - HASHES)
		seq = who->stream.seq - HASHES;
	while (++seq <= who->stream.seq) {
		if (who->hash[seq % HASHES] == first->hash[seq % HASHES])
			continue;
		snprintf(why, size,
			 "event %" PRIu64 " is not the same for listener %d",
			 seq, (int)(who - listener));
		return false;
	}
	return true;
}

/**
 * listeners_caught_up - have all heard all, and the same; @lock is held
 * @seq: number of the last event
 * @why: filled when not
 * @size: its bytes
 *
 * Return: false when not, or not yet.
 */
bool listeners_caught_up(uint64_t seq, char *why, size_t size)
{
	struct listener *who;

	for (who = listener; who < listener + LISTENERS; who++) {
		if (!who->live || who->stalled)
			continue;
		if (who->stream.complaint[0]) {
			snprintf(why, size, "listener %d: %s",
				 (int)(who - listener), who->stream.complaint);
			return false;
		}
		if (who->lost || who->stream.seq != seq) {
			snprintf(why, size,
				 "listener %d has heard %" PRIu64 " of %" PRIu64,
				 (int)(who - listener), who->stream.seq, seq);
			return false;
		}
		if (!same_as_reference(who, why, size))
			return false;
	}
	return true;
}

/**
 * listeners_agree - is what each has heard what is there; @lock is held
 * @snapshot: what is there, at rest
 * @why: filled when not
 * @size: its bytes
 *
 * Return: false when not.
 */
bool listeners_agree(const struct snapshot *snapshot, char *why, size_t size)
{
	struct listener *who;

	for (who = listener; who < listener + LISTENERS; who++) {
		if (!who->live || who->stalled)
			continue;
		if (stream_agrees(&who->stream, snapshot))
			continue;
		snprintf(why, size, "listener %d: %s", (int)(who - listener),
			 who->stream.complaint);
		return false;
	}
	return true;
}
