/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of egpud share. One section per .c file.
 */
#ifndef EGPUD_EGPUD_H
#define EGPUD_EGPUD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "../lib/egpu.h"
#include "../usage/usage.h"

struct daemon;
struct removal;
struct work;
struct plain_save;

/* ------------------------------------------------------------- log.c */

/**
 * struct log_field - one key of a structured log line
 * @key: in lower case, as in the netlink spec
 * @value: text; NULL ends a list of fields
 */
struct log_field {
	const char *key;
	const char *value;
};

void log_setup(int level);
int log_level_of(const char *name);
void log_fields(int level, const struct log_field *fields, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/* The common case of no fields. */
#define log_line(level, ...) log_fields(level, NULL, __VA_ARGS__)

/* ------------------------------------------------------------- crash.c */

void crash_at(unsigned int step);
void crash_point(void);

/* ------------------------------------------------------------- rights.c */

const char *rights_missing(void);

/* ------------------------------------------------------------- journal.c */

/**
 * struct journal - what has to be undone if we die
 * @dir: the run directory, or -1
 * @file: the journal in it, locked for as long as we live, or -1
 */
struct journal {
	int dir;
	int file;
};

/**
 * enum record_kind - what a line of the journal says
 * @RECORD_STOP: a process is about to be stopped
 * @RECORD_CONT: it goes on
 * @RECORD_FREEZE: a cgroup is about to be frozen
 * @RECORD_THAW: it is thawed
 */
enum record_kind {
	RECORD_STOP,
	RECORD_CONT,
	RECORD_FREEZE,
	RECORD_THAW,
};

/**
 * struct record - a line of the journal
 * @kind: what it says
 * @id: pid of the process, or inode number of the cgroup
 * @start: start time of the process, 0 for a cgroup
 * @path: the cgroup, in the unified hierarchy; empty for a process
 */
struct record {
	enum record_kind kind;
	uint64_t id;
	uint64_t start;
	char path[PROCESS_CGROUP_SIZE];
};

#define JOURNAL_CLOSED                                                         \
	{                                                                      \
		.dir = -1, .file = -1                                          \
	}
#define JOURNAL_FILE "journal"

bool record_parse(const char *line, struct record *record);
int journal_open(struct journal *journal, const char *dir);
int journal_write(struct journal *journal, const struct record *record);
int journal_read(struct journal *journal,
		 int (*take)(const struct record *record, void *arg), void *arg);
void journal_clean(struct journal *journal);
void journal_close(struct journal *journal);

/* ------------------------------------------------------------- cgroup.c */

int cgroup_open(const struct usage_roots *roots, const char *path,
		uint64_t *inode);
bool cgroup_holds_only(int cgroup, const struct process *list, size_t n);
int cgroup_set_frozen(int cgroup, bool frozen);
bool cgroup_is_frozen(int cgroup);

/* ------------------------------------------------------------- freeze.c */

/**
 * struct frozen - a process or a cgroup that stands still because of us
 * @next: the next one
 * @record: what the journal has of it
 * @process: the process; of a cgroup one of its processes, for the log
 * @fd: its pidfd, or a descriptor of the cgroup
 * @users: sets that have it
 */
struct frozen {
	struct frozen *next;
	struct record record;
	struct process process;
	int fd;
	unsigned int users;
};

/**
 * struct freezer - all that stands still because of us
 * @roots: where the machine is
 * @journal: what is recorded before it is done
 * @list: what stands still
 * @unclean: something could not be thawed, the next daemon is to try again
 */
struct freezer {
	const struct usage_roots *roots;
	struct journal *journal;
	struct frozen *list;
	bool unclean;
};

/**
 * struct freeze_set - what one removal wants to stand still
 * @n: entries of @item in use
 * @item: each once
 */
struct freeze_set {
	size_t n;
	struct frozen **item;
};

int freeze_add(struct freezer *freezer, struct freeze_set *set,
	       const struct process *list, size_t n,
	       const struct process **failed);
const struct process *freeze_culprit(const struct freezer *freezer,
				     const struct freeze_set *set, char *state);
void freeze_release(struct freezer *freezer, struct freeze_set *set);
int freeze_undo(const struct usage_roots *roots, const struct record *record);

/* ------------------------------------------------------------- node_fence.c */

#define FENCE_DIR ".egpu-fence"

int node_fence_close(const struct usage_roots *roots, const char *address,
		     const struct nodes *nodes, char *error, size_t size);
void node_fence_open(const struct usage_roots *roots, const char *address);

/* ------------------------------------------------------------- recover.c */

int recover(struct daemon *daemon);

/* ------------------------------------------------------------- reason.c */

void reason_set(char *reason, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *reason_who(const struct process *process, char *buf, size_t size);
void reason_holders(char *reason, const struct holders *holders,
		    bool (*match)(const struct holder *holder, const void *arg),
		    const void *arg);
void reason_culprits(char *reason, const struct egpu_quiesce *quiesce);

/* ------------------------------------------------------------- transaction.c */

/**
 * enum txn_state - how far a removal is; see Documentation/architecture.rst
 * @TXN_FENCE: the nodes of the GPU are closed to others
 * @TXN_ASK: programs are asked to let go
 * @TXN_FREEZE: who does not is frozen
 * @TXN_DRAIN: work in flight is awaited
 * @TXN_SAVE: what is on the GPU is saved
 * @TXN_LEAVE: acknowledged, the driver is about to lose the GPU
 * @TXN_GO: the driver has let go, or the GPU has gone: all may go on
 * @TXN_UNDONE: everything was put back
 * @TXN_ENDED: the removal is over
 */
enum txn_state {
	TXN_FENCE,
	TXN_ASK,
	TXN_FREEZE,
	TXN_DRAIN,
	TXN_SAVE,
	TXN_LEAVE,
	TXN_GO,
	TXN_UNDONE,
	TXN_ENDED,
};

#define TXN_STATES (TXN_ENDED + 1)

/**
 * enum txn_input - what has happened
 * @TXN_NOTHING: nothing that matters
 * @TXN_DONE: the step is done
 * @TXN_FAILED: the step cannot be done
 * @TXN_LATE: the driver takes too long
 * @TXN_HURRY: somebody else has begun to remove the GPU
 * @TXN_RELEASED: the kernel waits for us no more
 * @TXN_OFF: nothing is to be removed any more
 * @TXN_GONE: the GPU was pulled
 * @TXN_UNBOUND: the driver has let go
 * @TXN_LEFT: the GPU is off the bus, or the removal has ended
 */
enum txn_input {
	TXN_NOTHING,
	TXN_DONE,
	TXN_FAILED,
	TXN_LATE,
	TXN_HURRY,
	TXN_RELEASED,
	TXN_OFF,
	TXN_GONE,
	TXN_UNBOUND,
	TXN_LEFT,
};

#define TXN_INPUTS (TXN_LEFT + 1)

enum txn_state txn_next(enum txn_state state, enum txn_input input);
const char *txn_state_name(enum txn_state state);
bool txn_by_others(const struct egpu_removal *removal);
enum txn_input txn_input_of(const struct egpu_removal *removal,
			    bool disconnected);

/* ------------------------------------------------------------- look.c */

int look(struct removal *removal);
bool look_may_stay(const struct holder *holder);
bool look_anybody(const struct removal *removal);

/* ------------------------------------------------------------- ask.c */

/**
 * struct asked - a program that we wait for
 * @next: the next one
 * @process: who
 * @fd: its pidfd, or -1
 * @source: says that it has ended
 * @told: was asked to end
 * @killed: was made to
 * @moving: its work is to go to another device
 * @failed: which it could not
 */
struct asked {
	struct asked *next;
	struct process process;
	int fd;
	sd_event_source *source;
	bool told;
	bool killed;
	bool moving;
	bool failed;
};

int ask_look(struct removal *removal);
bool ask_kill(struct removal *removal);
bool ask_waits_for(const struct holder *holder, const void *removal);
void ask_stop(struct removal *removal);
void ask_failed(struct removal *removal, const struct process *process,
		const char *format, ...) __attribute__((format(printf, 3, 4)));
bool ask_in_vain(const struct removal *removal);

/* ------------------------------------------------------------- steps.c */

enum txn_input step_enter(struct removal *removal);
enum txn_input step_tick(struct removal *removal);
enum txn_input step_late(struct removal *removal);
enum txn_input step_quiesce(struct removal *removal);
void step_hurry(struct removal *removal);
void step_stop_timers(struct removal *removal);

/* ------------------------------------------------------------- undo.c */

void undo_all(struct removal *removal);
void undo_freeze(struct removal *removal);

/* ------------------------------------------------------------- removals.c */

/**
 * struct removal - a removal that we have accepted
 * @next: the next one
 * @daemon: whose it is
 * @cookie: names the removal
 * @id: device id
 * @address: PCI address
 * @eject: an eject, which can be refused
 * @force: goes on whoever uses the GPU
 * @deadline: by when we must be done, CLOCK_BOOTTIME in ns
 * @margin: how long before @deadline we want to be done, in ns
 * @state: how far it is
 * @nodes: nodes of the GPU
 * @holders: who held it at the last look
 * @asked: whom we wait for
 * @frozen: who stands still for it
 * @plain: copies that are made of what those have on the GPU
 * @unreached: programs had their time to come to a safe point
 * @fenced: the nodes are closed
 * @owned: the kernel's quiescing is ours
 * @vouched: clients have the GPU open and we answer for them
 * @released: the kernel waits for us no more
 * @refuse: undone because of @reason, of which the kernel has to be told
 * @reason: why it is refused
 * @limit: ends a step that takes too long
 * @tick: looks again during a step
 */
struct removal {
	struct removal *next;
	struct daemon *daemon;
	uint64_t cookie;
	uint32_t id;
	char address[EGPU_ADDRESS_LEN + 1];
	bool eject;
	bool force;
	uint64_t deadline;
	uint64_t margin;
	enum txn_state state;
	struct nodes nodes;
	struct holders holders;
	struct asked *asked;
	struct freeze_set frozen;
	struct plain_save *plain;
	bool unreached;
	bool fenced;
	bool owned;
	bool vouched;
	bool released;
	bool refuse;
	char reason[EGPU_REASON_LEN + 1];
	sd_event_source *limit;
	sd_event_source *tick;
};

void removals_take(struct daemon *daemon, const struct egpu_removal *removal,
		   bool disconnected);
void removals_take_state(struct daemon *daemon,
			 const struct egpu_removal_list *list);
void removals_take_quiesce(struct daemon *daemon,
			   const struct egpu_quiesce *quiesce);
void removals_stop(struct daemon *daemon, const char *why, bool refuse);
void removal_input(struct removal *removal, enum txn_input input);
void removal_log(int level, const struct removal *removal, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------- cards.c */

/**
 * struct card - a GPU that is there
 * @next: the next one
 * @id: device id
 * @address: PCI address
 * @nodes: its nodes, looked up while nothing is held
 * @ready: said to be ready
 */
struct card {
	struct card *next;
	uint32_t id;
	char address[EGPU_ADDRESS_LEN + 1];
	struct nodes nodes;
	bool ready;
};

void cards_take_event(struct daemon *daemon, const struct egpu_event *event);
struct card *card_find(struct daemon *daemon, uint32_t id);
void card_renew(struct daemon *daemon, struct card *card);
int card_copy_nodes(const struct card *card, struct nodes *nodes);
void cards_free(struct daemon *daemon);

/* ------------------------------------------------------------- probe.c */

struct probe;

void probe_start(struct daemon *daemon, uint32_t id);
void probe_stop(struct daemon *daemon, uint32_t id);
void probe_free_all(struct daemon *daemon);

/* ------------------------------------------------------------- outcome.c */

void outcome_tell(struct daemon *daemon, const struct egpu_event *event);

/* ------------------------------------------------------------- gpus.c */

void gpus_take_event(struct daemon *daemon, const struct egpu_event *event);
void gpus_update_status(struct daemon *daemon);

/* ------------------------------------------------------------- daemon.c */

/**
 * struct daemon - the daemon
 * @open: how to make a context; the tests put their own kernel here
 * @now: CLOCK_BOOTTIME in ns; the tests have a clock of their own
 * @roots: where the machine is
 * @run_dir: where the journal is
 * @config_path: the configuration, or NULL for the defaults
 * @lacks: rights that we do not have, in words, or NULL
 * @config: the configuration
 * @journal: what has to be undone if we die
 * @freezer: who stands still
 * @loop: the event loop
 * @ctx: the context that accepts and acknowledges, for as long as we live
 * @mon: the subscription
 * @io: @loop's source of @mon
 * @retry: @loop's timer that tries again after an error, or NULL
 * @removals: removals that we have accepted
 * @cards: GPUs that hang on a cable
 * @probes: looks at whether a GPU is ready that go on
 * @work: programs' work, see work.h; NULL when nothing can be done for it
 * @loaded: the module is there
 * @n_gpus: GPUs there are
 * @n_external: those of them that hang on a cable
 * @verdict: on the last removal, for systemd's status line
 */
struct daemon {
	int (*open)(struct egpu_ctx **ctx);
	uint64_t (*now)(void);
	const struct usage_roots *roots;
	const char *run_dir;
	const char *config_path;
	const char *lacks;
	struct policy_config config;
	struct journal journal;
	struct freezer freezer;
	sd_event *loop;
	struct egpu_ctx *ctx;
	struct egpu_monitor *mon;
	sd_event_source *io;
	sd_event_source *retry;
	struct removal *removals;
	struct card *cards;
	struct probe *probes;
	struct work *work;
	bool loaded;
	uint32_t n_gpus;
	uint32_t n_external;
	char verdict[VERDICT_REASON_SIZE];
};

#define DAEMON_RUN_DIR "/run/egpu"

uint64_t daemon_clock(void);
int daemon_start(struct daemon *daemon);
void daemon_stop(struct daemon *daemon);

#endif
