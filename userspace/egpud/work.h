/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work of programs: sessions, checkpoints of them, and their way to another
 * device. What the files of that side of egpud share; one section per .c file,
 * in the order in which a session meets them.
 */
#ifndef EGPUD_WORK_H
#define EGPUD_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "../common/wire.h"
#include "../mover/mover.h"
#include "../select/select.h"
#include "../store/store.h"
#include "egpud.h"

#define WORK_MS 1000000ull

struct session;
struct migration;
struct save;
struct mover_run;
struct work;

/* ------------------------------------------------------------- sweep.c */

/**
 * struct sweep - checkpoints that are to go
 * @n: entries of @id
 * @id: their ids, those that need others before these
 * @collect: what nobody needs that others have left goes as well
 * @pid: the child that removes some, or 0
 * @pidfd: of @pid
 * @ended: its end
 * @limit: its time is up
 * @soon: begins another
 */
struct sweep {
	size_t n;
	char (*id)[STORE_ID_SIZE];
	bool collect;
	pid_t pid;
	int pidfd;
	sd_event_source *ended;
	sd_event_source *limit;
	sd_event_source *soon;
};

void sweep_add(struct work *work, const char *id);
void sweep_collect(struct work *work);
void sweep_soon(struct work *work);
void sweep_end(struct work *work);

/* ------------------------------------------------------------- work.c */

/**
 * struct work - all of it
 * @daemon: whose it is
 * @store: the checkpoints, or NULL
 * @store_error: why there is no store, a sentence
 * @bandwidths: directory of what was measured of the links
 * @listen: the socket that programs connect to, or -1
 * @accept: the loop's source of it
 * @accept_again: accepts again after a pause
 * @sessions: who is connected
 * @dead: who is not any more, to be freed when nobody looks at them
 * @reaper: does that
 * @ending: the daemon ends
 * @next_session: number of the next session, never given before
 * @runs: children that move data
 * @migrations: all under way, in the order in which they were wanted
 * @next_migration: number of the next
 * @publish: writes the list of sessions soon
 * @locate: looks soon which GPU they are on
 * @sweep: what is to be removed from the store
 * @wake: removals look again, soon
 * @sample: looks at the sensors
 * @before: what they were at the last look
 * @has_before: there was one
 */
struct work {
	struct daemon *daemon;
	struct store *store;
	char store_error[STORE_ERROR];
	char bandwidths[128];
	int listen;
	sd_event_source *accept;
	sd_event_source *accept_again;
	struct session *sessions;
	struct session *dead;
	sd_event_source *reaper;
	bool ending;
	uint64_t next_session;
	struct mover_run *runs;
	struct migration *migrations;
	uint64_t next_migration;
	sd_event_source *publish;
	sd_event_source *locate;
	struct sweep sweep;
	sd_event_source *wake;
	sd_event_source *sample;
	struct candidates before;
	bool has_before;
};

int work_start(struct daemon *daemon);
void work_ends(struct work *work);
void work_stop(struct daemon *daemon);
void work_reload(struct daemon *daemon);
int work_timer(struct work *work, sd_event_source **timer, uint64_t ns,
	       sd_event_time_handler_t handler, void *arg);
uint64_t work_now(const struct work *work);

/* ------------------------------------------------------------- measure.c */

void measure_card(struct daemon *daemon, const struct card *card);
void measure_stop(struct daemon *daemon, uint32_t id);

/* ------------------------------------------------------------- sessions.c */

/**
 * struct session_buffer - a buffer of a session
 * @buffer: as the program has described it
 * @fd: its descriptor
 * @inode: of its dma-buf, 0 for others
 * @rdev: of its DRM node, 0 for others
 * @origin: kind that it had when the program added it
 * @dirty: may have been written since the last checkpoint
 * @tracked: @context and @seqno are known
 * @context: context of its last write, at the last checkpoint
 * @seqno: number of that write
 */
struct session_buffer {
	struct wire_buffer buffer;
	int fd;
	uint64_t inode;
	dev_t rdev;
	uint32_t origin;
	bool dirty;
	bool tracked;
	uint64_t context;
	uint64_t seqno;
};

/**
 * struct chain - checkpoints, each of which needs the one before it
 * @n: entries of @id
 * @id: their ids
 */
struct chain {
	size_t n;
	char id[STORE_CHAIN][STORE_ID_SIZE];
};

/**
 * enum stand - does the program stand still?
 * @STAND_RUNS: it works
 * @STAND_ASKED: it was asked to come to a safe point
 * @STAND_STILL: it is at one and waits for us
 */
enum stand {
	STAND_RUNS,
	STAND_ASKED,
	STAND_STILL,
};

/**
 * struct session - a program whose work can be saved and moved
 * @next: the next one
 * @work: whose it is
 * @id: its number
 * @sock: the connection, -1 when it has ended
 * @io: the loop's source of @sock
 * @hello_limit: ends who does not say HELLO
 * @greeted: has said it
 * @process: the program
 * @uid: whose it is, from the socket
 * @gid: its group, from the socket
 * @groups: its other groups
 * @n_groups: entries of @groups
 * @name: what it calls its work
 * @turn: second in which @messages were counted
 * @messages: that came in that second
 * @buffer: its buffers, in the order in which they were added
 * @n: entries of @buffer in use
 * @size: entries there is room for
 * @bytes: sum of their sizes
 * @device: id of the GPU it is on, 0 for none
 * @address: PCI address of that
 * @driver: driver of that
 * @put: it was moved there by us, or to memory if @device is 0
 * @rate: bytes per second to it, as measured; 0 for not known
 * @gone: that GPU has gone, and the buffers with it
 * @stand: does it stand still
 * @serial: of the last message that wants an answer
 * @reach: serial of the REACH that was sent last
 * @still: when it last came to a safe point
 * @state: descriptor of its state then, or -1
 * @state_size: bytes of that
 * @step: its count of progress then
 * @late_offer: serial of a MOVE_END whose answer comes too late
 * @save: a checkpoint that is being written, or NULL
 * @chain: checkpoints that the next one builds on
 * @old: others, kept until the next one is accepted
 * @accepted: id of the last one that the work can go on from, or empty
 * @accepted_still: when the program stood still for it
 * @accepted_step: its step
 * @before: checkpoints that a session of this program has left are to go, one
 *	pass of the sweep
 * @precopy: makes the next checkpoint, or complains that it cannot be made
 * @begun: when that was begun, for what it costs
 * @guarded: safe point of the checkpoint before
 * @cost: time that a checkpoint took, from asking for it to having it
 * @rest_until: the link is to be left alone until then
 * @behind: the log was told that the interval is not kept
 * @moved: when a strategy has last moved it
 * @migration: its way to another device, or NULL
 */
struct session {
	struct session *next;
	struct work *work;
	uint64_t id;
	int sock;
	sd_event_source *io;
	sd_event_source *hello_limit;
	bool greeted;
	struct process process;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
	char name[WIRE_NAME];
	uint64_t turn;
	unsigned int messages;
	struct session_buffer *buffer;
	size_t n;
	size_t size;
	uint64_t bytes;
	uint32_t device;
	char address[EGPU_ADDRESS_LEN + 1];
	char driver[32];
	bool put;
	uint64_t rate;
	bool gone;
	enum stand stand;
	uint32_t serial;
	uint32_t reach;
	uint64_t still;
	int state;
	uint32_t state_size;
	uint64_t step;
	uint32_t late_offer;
	struct save *save;
	struct chain chain;
	struct chain old;
	char accepted[STORE_ID_SIZE];
	uint64_t accepted_still;
	uint64_t accepted_step;
	bool before;
	sd_event_source *precopy;
	uint64_t begun;
	uint64_t guarded;
	uint64_t cost;
	uint64_t rest_until;
	bool behind;
	uint64_t moved;
	struct migration *migration;
};

#define SESSIONS_UID_MAX 16
#define SESSION_FDS_MAX	 4096 /* of a user */
#define DISCARDS_UID_MAX 32

int sessions_listen(struct work *work);
void sessions_end(struct work *work);
struct session *sessions_of(struct work *work, const struct process *process,
			    struct session *after);
size_t sessions_fds_of(const struct work *work, uid_t uid);
void sessions_bury(struct session *session);
void session_log(int level, const struct session *session, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------- session_socket.c */

int session_listen_to(struct session *session);
int session_post(struct session *session, struct wire_message *message, int fd);
void session_reply(struct session *session, uint32_t serial, int error,
		   const char *text);
void session_break(struct session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void session_close(struct session *session, const char *why);
int session_make_room(struct session *session, size_t messages);

/* ------------------------------------------------------------- discard.c */

void discard_start(struct work *work);
void discard_stop(void);
void discard_for(uid_t user);
size_t discard_of(uid_t user);
void discard(int fd);
void discard_socket(int sock);
bool discard_is_full(void);
size_t discard_count(void);

/* ------------------------------------------------------------- session_requests.c */

void session_take(struct session *session, const struct wire_message *message,
		  int fd);
void session_buffer_close(struct session_buffer *buffer);

/* ------------------------------------------------------------- session_stand.c */

int session_ask(struct session *session, uint32_t reason, uint64_t deadline);
void session_came(struct session *session, const struct wire_message *message,
		  int fd);
void session_unable(struct session *session, const struct wire_message *message);
void session_go_on(struct session *session);
void session_forget_state(struct session *session);

/* ------------------------------------------------------------- session_place.c */

void place_soon(struct work *work);
void place_all(struct work *work);
void place_writes(struct session *session, bool remember);

/* ------------------------------------------------------------- session_publish.c */

#define PUBLISH_FILE "sessions"

void publish_soon(struct work *work);
void publish_now(struct work *work);

/* ------------------------------------------------------------- mover_run.c */

/**
 * struct mover_run - a mover at work, in the loop
 * @next: the next one
 * @work: whose it is
 * @mover: the child
 * @io: what it says
 * @ended: its end
 * @limit: its time is up
 * @over: it has said its last word
 * @take: gets what it says; the fd in it is the taker's. The last call, and
 *	there is one, is with MOVER_DONE or MOVER_FAILED, and the run is not to
 *	be used after it. NULL when nobody listens
 * @arg: for @take
 */
struct mover_run {
	struct mover_run *next;
	struct work *work;
	struct mover mover;
	sd_event_source *io;
	sd_event_source *ended;
	sd_event_source *limit;
	bool over;
	void (*take)(struct mover_run *run, struct mover_message *message,
		     void *arg);
	void *arg;
};

struct mover_run *
mover_run_begin(struct work *work, const struct mover *mover, uint64_t limit,
		void (*take)(struct mover_run *run,
			     struct mover_message *message, void *arg),
		void *arg);
void mover_run_drop(struct mover_run *run);
void mover_runs_end(struct work *work);

/* ------------------------------------------------------------- checkpoint.c */

/**
 * struct save - a checkpoint that is being written
 * @session: of whom
 * @run: who writes it
 * @head: what it is
 * @rough: only good as a parent
 * @still: of which safe point it is: session.still then, 0 for rough ones
 * @step: session.step then
 * @copied: all was read
 * @bytes: that were to be read
 * @stats: what it came to
 */
struct save {
	struct session *session;
	struct mover_run *run;
	struct store_head head;
	bool rough;
	uint64_t still;
	uint64_t step;
	bool copied;
	uint64_t bytes;
	struct store_stats stats;
};

int save_begin(struct session *session, bool rough, char *error);
void save_stop(struct session *session);
uint64_t save_dirty_bytes(const struct session *session);

/* ------------------------------------------------------------- chain.c */

uint64_t chain_time(void);
bool chain_is_full(const struct session *session);
const char *chain_parent(const struct session *session);
void chain_add(struct session *session, const char *id, bool full);
void chain_accept(struct session *session);
void chain_restart(struct session *session);
void chain_close(struct session *session);
void chain_collect(struct work *work);

/* ------------------------------------------------------------- precopy.c */

void precopy_later(struct session *session);
void precopy_stop(struct session *session);
void precopy_came(struct session *session);
void precopy_saved(struct session *session, const struct save *save,
		   const char *error);
uint64_t precopy_rate(const struct session *session);

/* ------------------------------------------------------------- migration_fsm.c */

/**
 * enum migration_state - how far the work is; see Documentation/architecture.rst
 * @MIGRATION_QUEUED: others are first
 * @MIGRATION_REACH: the program was asked to come to a safe point
 * @MIGRATION_SAVE: it stands still, what has changed is written
 * @MIGRATION_HOLD: written; others take the GPU away, which is waited for
 * @MIGRATION_SELECT: a device is looked for
 * @MIGRATION_RESTORE: its buffers are made and filled
 * @MIGRATION_OFFER: the program was told of them
 * @MIGRATION_DONE: it has confirmed
 * @MIGRATION_FAILED: it stays where it is, or has lost its work
 */
enum migration_state {
	MIGRATION_QUEUED,
	MIGRATION_REACH,
	MIGRATION_SAVE,
	MIGRATION_HOLD,
	MIGRATION_SELECT,
	MIGRATION_RESTORE,
	MIGRATION_OFFER,
	MIGRATION_DONE,
	MIGRATION_FAILED,
};

#define MIGRATION_STATES (MIGRATION_FAILED + 1)

/**
 * enum migration_input - what has happened
 * @MIGRATION_NOTHING: nothing that matters
 * @MIGRATION_STEP: the step is done
 * @MIGRATION_FAIL: the step cannot be done
 * @MIGRATION_LATE: all the time that it may take is over
 * @MIGRATION_OFF: nobody wants it any more
 * @MIGRATION_GONE: the GPU it comes from has gone
 * @MIGRATION_TARGET_GONE: the one it goes to has gone, or is about to
 * @MIGRATION_CLOSED: the program has ended its session
 */
enum migration_input {
	MIGRATION_NOTHING,
	MIGRATION_STEP,
	MIGRATION_FAIL,
	MIGRATION_LATE,
	MIGRATION_OFF,
	MIGRATION_GONE,
	MIGRATION_TARGET_GONE,
	MIGRATION_CLOSED,
};

#define MIGRATION_INPUTS (MIGRATION_CLOSED + 1)

enum migration_state migration_next(enum migration_state state,
				    enum migration_input input);
const char *migration_state_name(enum migration_state state);

/* ------------------------------------------------------------- migrations.c */

/**
 * enum migration_kind - why work is moved
 * @MIGRATION_EJECT: its GPU is to be ejected
 * @MIGRATION_OTHERS: others remove its GPU, and wait for a short time only
 * @MIGRATION_SURPRISE: its GPU has gone
 * @MIGRATION_STRATEGY: it is better off elsewhere
 */
enum migration_kind {
	MIGRATION_EJECT,
	MIGRATION_OTHERS,
	MIGRATION_SURPRISE,
	MIGRATION_STRATEGY,
};

/**
 * struct migration - the way of a session to another device
 * @next: the next one
 * @session: whose
 * @number: its number in the events
 * @kind: why
 * @cookie: of the removal that it is for, or 0
 * @source: device id of the GPU it leaves, 0 for none
 * @state: how far it is
 * @begun: when it was wanted
 * @still: when the program began to stand still for it, 0 if it does not
 * @deadline: by when it must be at a safe point
 * @busy: an input is being worked on
 * @pending: the input that has come meanwhile
 * @limit: ends all of it
 * @lost: what was done since the checkpoint is lost
 * @lost_at: when the GPU was lost
 * @lost_ns: time that is lost
 * @checkpoint: id of the one it goes on from, or empty
 * @step: of that
 * @need: what it asks of a device
 * @asked_need: @need is filled in
 * @only_cpu: so many have failed that only the CPU is left
 * @target: device id of the device it goes to, 0 for the CPU
 * @cpu: goes to the CPU
 * @has_target: @target and @cpu are valid
 * @address: PCI address of the target
 * @driver: driver of the target
 * @node: node of the target
 * @rate: bytes per second to it, as measured; 0 for not known
 * @restore: who makes the buffers, or NULL
 * @incomplete: something of it could not be taken
 * @tried: devices that were tried
 * @to: the only device that it may go to, 0 for any
 * @made: what was made so far
 * @n_made: entries of @made
 * @state_fd: the state, or -1
 * @state_size: bytes of that
 * @offer: serial of the MOVE_END
 * @reason: why it was begun by a strategy, later why it failed
 */
struct migration {
	struct migration *next;
	struct session *session;
	uint64_t number;
	enum migration_kind kind;
	uint64_t cookie;
	uint32_t source;
	enum migration_state state;
	uint64_t begun;
	uint64_t still;
	uint64_t deadline;
	bool busy;
	enum migration_input pending;
	sd_event_source *limit;
	bool lost;
	uint64_t lost_at;
	uint64_t lost_ns;
	char checkpoint[STORE_ID_SIZE];
	uint64_t step;
	struct need need;
	bool asked_need;
	bool only_cpu;
	uint32_t target;
	bool cpu;
	bool has_target;
	char address[EGPU_ADDRESS_LEN + 1];
	char driver[32];
	char node[WIRE_NODE];
	uint64_t rate;
	struct mover_run *restore;
	bool incomplete;
	unsigned int tried;
	uint32_t to;
	struct session_buffer *made;
	size_t n_made;
	int state_fd;
	uint32_t state_size;
	uint32_t offer;
	char reason[EGPU_REASON_LEN + 1];
};

struct migration *migration_want(struct session *session,
				 enum migration_kind kind, uint64_t cookie,
				 const char *why);
void migration_input(struct migration *migration, enum migration_input input);
void migrations_next(struct work *work);
void migrations_gone(struct daemon *daemon, uint32_t id, uint64_t when);
void migrations_leaving(struct daemon *daemon, uint32_t id);
void migrations_released(struct daemon *daemon, uint32_t id, uint64_t when,
			 bool sure);
void migrations_off(struct daemon *daemon, uint64_t cookie);
void migrations_module_gone(struct daemon *daemon);

/* ------------------------------------------------------------- migrate.c */

enum migration_input migrate_enter(struct migration *migration);
void migrate_leave(struct migration *migration);
void migrate_came(struct migration *migration);
void migrate_saved(struct migration *migration, const struct save *save,
		   const char *error);
void migrate_confirmed(struct migration *migration,
		       const struct wire_message *message);

/* ------------------------------------------------------------- migrate_restore.c */

enum migration_input restore_begin(struct migration *migration);
void restore_forget(struct migration *migration);
enum migration_input restore_offer(struct migration *migration);
void restore_take_over(struct migration *migration);

/* ------------------------------------------------------------- migrate_target.c */

int target_gather(struct work *work, struct candidates *candidates);
enum migration_input target_choose(struct migration *migration);
void target_exclude(struct migration *migration);

/* ------------------------------------------------------------- migration_tell.c */

void tell_migration(struct migration *migration, uint32_t phase);
void tell_checkpoint(struct session *session, const struct save *save);

/* ------------------------------------------------------------- moving.c */

void moving_mark(struct removal *removal);
void moving_begin(struct removal *removal, const struct process *process);
void moving_go(struct removal *removal);
void moving_hold(struct removal *removal);
enum migration_state moving_state(const struct removal *removal,
				  const struct process *process);
bool moving_reason(struct removal *removal);
void moving_wake(struct work *work);
void moving_ended(const struct migration *migration);
void moving_held(const struct migration *migration);

/* ------------------------------------------------------------- plain_save.c */

void plain_begin(struct removal *removal, uint64_t limit);
void plain_stop(struct removal *removal);

/* ------------------------------------------------------------- strategy_run.c */

void strategy_watch(struct work *work);

#endif
