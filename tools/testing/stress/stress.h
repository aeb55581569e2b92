/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random sequences against the module; one section per file.
 *
 * plan.c makes each step from the seed and from what must be there by now, and
 * from nothing else, so a seed always gives the same steps. A step is a few acts
 * that run side by side, each in a thread of its own (act.c). Another thread
 * (listen.c) hears all events, and is the helpers. After each step everything
 * comes to rest and is compared with what the plan says (check.c).
 */
#ifndef EGPU_STRESS_H
#define EGPU_STRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../selftests/egpu/family.h"
#include "stream.h"

#define PORTS	  3
#define HELPERS	  2
#define CLIENTS	  4 /* open files of one GPU, at most */
#define ACTS	  6
#define LISTENERS 5

/* In cycles: when nothing may be left; the first look is what others are compared with. */
#define FIRST_LOOK 15
#define LOOK_EVERY 50

/* rng.c: where the steps of a seed come from */

/** struct rng - a source of numbers, the same ones for a seed on any machine */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
unsigned int rng_below(struct rng *rng, unsigned int n);

/* plan.c: what is done next, and what must come of it */

/**
 * enum place - where the card of a port is
 * @ABSENT: not plugged in
 * @BOUND: on the bus, with its driver
 * @DETACHED: on the bus, without a driver
 * @REMOVED: plugged in, off the bus
 * @CUT_OFF: plugged in, the port itself is off the bus
 */
enum place { ABSENT, BOUND, DETACHED, REMOVED, CUT_OFF };

/**
 * enum act_kind - what an act does; those of a port first
 */
enum act_kind {
	ADD,
	PULL,
	SYSFS_REMOVE,
	BRIDGE_REMOVE,
	SLOT_OFF,
	BUTTON,
	UNBIND,
	BIND,
	REBIND,
	UNBIND_REMOVE,
	UNBIND_PULL,
	REMOVE_PULL,
	RESCAN,
	UNPLUG,
	EJECT,
	EJECT_TWICE,
	EJECT_PULL,
	EJECT_REMOVE,
	EJECT_CANCEL,
	EJECT_UNBIND,
	EJECT_LEAVING,
	QUIESCE,
	QUIESCE_DROP,
	QUIESCE_REMOVE,
	QUIESCE_PULL,
	OPEN_CLIENT,
	CLOSE_CLIENT,
	WORK_EJECT,
	WORK_PULL,
	WORK_REMOVE,
	WORK_KILL,
	PORT_ACTS,
	RESCAN_ALL = PORT_ACTS,
	HELPER_COME,
	HELPER_GO,
	HELPER_STOP,
	HELPER_CONT,
	EGPUD_START,
	EGPUD_TERM,
	EGPUD_KILL,
	EGPUD_STOP,
	EGPUD_CONT,
	STALL,
	RESUME,
	VISIT,
	LEAVE,
	DUMPS,
	SETTINGS,
	RULE,
	LOAD,
	UNLOAD,
	RELOAD,
	ACT_KINDS,
};

extern const char *const act_names[ACT_KINDS];
extern const char *const place_names[];

/**
 * enum moment - when the second half of an act begins
 * @AFTER_DELAY: after delay_ms
 * @WHEN_PENDING: when the removal has been announced
 * @WHEN_ACCEPTED: when a helper has accepted it, or it waits no more
 */
enum moment { AFTER_DELAY, WHEN_PENDING, WHEN_ACCEPTED };

/**
 * struct manners - how a helper of ours behaves
 * @accept_ms: after how long it accepts, NEVER for never
 * @ack_ms: after how long it acknowledges then, NEVER for never
 * @dies: closes its sockets instead of acknowledging
 * @leaves: leaves the group when it has accepted
 * @quiesces: fences and drains a GPU when it has accepted
 * @refuses: refuses an eject instead of acknowledging it
 */
struct manners {
	uint32_t accept_ms;
	uint32_t ack_ms;
	bool dies;
	bool leaves;
	bool quiesces;
	bool refuses;
};

#define NEVER UINT32_MAX

/* Causes and ends as bits, for what an act allows. */
#define BIT(n) (1u << (n))

/**
 * struct act - one thing that is done in a step
 * @kind: what
 * @port: of the acts of a port
 * @which: which helper, client or rule; bits of the ports that a rescan finds
 * @setting: hold-ms, accept-ms, eject-ms, for a load and for settings
 * @rule: of each port, for a load and for rules
 * @moment: when its second half begins
 * @delay_ms: before it begins, or its second half
 * @timeout_ms: of an eject, 0 for the default
 * @force: of an eject
 * @manners: of a helper
 * @causes: bits of the causes that its removals may end with
 * @removals_min: removals of its GPU in this step
 * @removals_max: the same
 * @leaves: the GPU leaves the bus
 * @cookie: of the eject, when it was begun
 * @error: what the eject said
 * @error_again: what a second one said
 * @stays: an eject that is refused, at once or later
 * @pulled_from: ns, before the card was pulled
 * @pulled_to: ns, after
 * @cancelled: the cancel was granted
 * @fell_back: the eject did not remove the GPU, sysfs did
 * @drained: how a drain ended, enum egpu_drain_result
 */
struct act {
	enum act_kind kind;
	int port;
	int which;
	uint32_t setting[3];
	uint32_t rule[PORTS];
	enum moment moment;
	uint32_t delay_ms;
	uint32_t timeout_ms;
	bool force;
	struct manners manners;
	uint32_t causes;
	int removals_min;
	int removals_max;
	bool leaves;
	bool stays;
	uint64_t cookie;
	int error;
	int error_again;
	uint64_t pulled_from;
	uint64_t pulled_to;
	bool cancelled;
	bool fell_back;
	uint32_t drained;
};

/**
 * struct plan - one step
 * @number: of the step, from 1
 * @acts: entries in use
 * @act: what is done
 * @disturbed: the module comes or goes, so not every event is heard
 * @loads: the module comes, so nobody asks it for anything
 */
struct plan {
	unsigned int number;
	int acts;
	struct act act[ACTS];
	bool disturbed;
	bool loads;
};

enum daemon_state { NOT_RUNNING, RUNNING, STOPPED };

/**
 * enum work_state - is a program with a session next
 * @NO_WORK: no
 * @WORK_NEXT: when nobody but the daemon is a helper
 * @WORK_DONE: it was; the settings are still those that it needs
 */
enum work_state { NO_WORK, WORK_NEXT, WORK_DONE };

/**
 * struct model - what must be there after the steps so far
 * @place: of each port's card
 * @clients: bit per open file of the port's GPU
 * @rule: of each port, enum egpu_placement
 * @loaded: the module
 * @helper: is there, listens
 * @helper_stopped: does not read
 * @manners: of each helper
 * @daemon: egpud
 * @work: is a program with a session next
 * @stalled: the slow listener does not read
 * @visitor: the listener that comes and goes is there
 * @setting: hold-ms, accept-ms, eject-ms
 * @cycles: lives of GPUs that have ended
 * @count: acts of each kind
 */
struct model {
	enum place place[PORTS];
	uint32_t clients[PORTS];
	uint32_t rule[PORTS];
	bool loaded;
	bool helper[HELPERS];
	bool helper_stopped[HELPERS];
	struct manners manners[HELPERS];
	enum daemon_state daemon;
	enum work_state work;
	bool stalled;
	bool visitor;
	uint32_t setting[3];
	unsigned int cycles;
	unsigned int count[ACT_KINDS];
};

void model_begin(struct model *model);
bool model_external(const struct model *model, int port);
void plan_step(struct plan *plan, struct model *model, struct rng *rng);
bool plan_rest(struct plan *plan, struct model *model);

/* names.c: a step in words */

void plan_print(const struct plan *plan, char *text, size_t size);

/* world.c: the machine, the module */

void world_begin(void);
const char *port_name(int port);
bool port_is_marked(int port);
const char *port_address(int port);
int port_of_address(const char *gpu);
bool gpu_address(int port, char *address, size_t size);
bool gpu_on_bus(int port);
bool gpu_has_driver(int port);
void card_add(int port);
void card_pull(int port, struct act *act);
void card_button(int port);
void slot_off(int port);
void gpu_remove(int port);
void bridge_remove(int port);
void gpu_unbind(int port);
void gpu_bind(int port);
void bus_rescan(int port);
void wait_until(bool (*is)(int port), int port, bool wanted, const char *what);
int gpu_node_open(int port);
void gpu_node_name(int port, char *name, size_t size);
void client_open(int port, int which);
void client_close(int port, int which);
void clients_orphan(int port);
void module_load(const struct act *act);
void module_unload(void);
void sleep_ms(unsigned int ms);

/* daemon.c: the daemon, and how programs are started */

void session_begin(void);
bool session_is_whole(char *why, size_t size);
pid_t program_start(const char *const argv[], const char *log, int flags);
void daemon_signal(int number);
void daemon_start(void);
void daemon_end(int number);
void daemon_base(void);
bool daemon_rests(char *why, size_t size);

/* listen.c: who hears events, and the helpers */

enum { REFERENCE, SECOND, THIRD, VISITOR, SLOW };

/**
 * struct dealing - what helpers and we did with a removal
 * @cookie: which
 * @accepted: a helper of ours accepted
 * @acked: a helper of ours acknowledged, and was heard
 * @withdrawn: our cancel, or a helper's refusal, was granted
 * @closed_at: ns, when the helper that had accepted had gone; 0 if it has not
 */
struct dealing {
	uint64_t cookie;
	int accepted;
	bool acked;
	bool withdrawn;
	uint64_t closed_at;
};

/** struct figures - what is told at the end */
struct figures {
	uint64_t events;
	uint64_t holds;
	uint64_t removals;
	uint64_t checkpoints;
	uint64_t moves;
	unsigned int overruns;
	unsigned int loads;
	unsigned int daemons;
};

extern struct figures figures;
extern pthread_mutex_t lock;

void listen_begin(void);
void listen_join(void);
void listen_part(void);
void listener_visit(bool come);
void listener_stall(bool stall);
struct dealing *dealing_of(uint64_t cookie);
struct stream *reference(void);
bool listeners_wait(unsigned int ms);
bool listeners_caught_up(uint64_t seq, char *why, size_t size);
int ask_step(uint8_t cmd, uint64_t cookie);
int ask_eject(uint32_t id, uint32_t timeout_ms, bool force, uint64_t *cookie);
int ask_setting(int attr, uint32_t value);
int ask_rule(const char *address, uint32_t placement);
int ask_snapshot(struct snapshot *snapshot);
int ask_clients(void);
const struct family *ask_family(void);
bool listeners_agree(const struct snapshot *snapshot, char *why, size_t size);
void listeners_wake(void);

/* helpers.c: helpers of all manners */

void helper_come(int which, const struct manners *manners);
void helper_go(int which);
void helper_stop(int which, bool stop);
void helpers_return(void);
bool helpers_own(uint32_t port);

/* act.c: what an act does */

void acts_run(struct plan *plan);

/* quiesce.c: acts that stop the clients of a GPU */

void run_quiesce(struct act *act, uint32_t id);

/* work.c: programs whose work outlives their GPU */

void run_work(struct act *act, uint32_t id);

/* check.c: is everything as it must be */

void check_begin(const struct model *model);
void check_rest(const struct plan *plan, const struct model *model);

/* rest.c: is nothing left behind */

void check_log(void);
void check_nothing_left(void);

/* stress.c: telling */

extern unsigned int slow;
void fail(const char *invariant, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void trouble(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* EGPU_STRESS_H */
