/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who uses a GPU, what is to happen to them, and whether its cable can be
 * pulled: the same answers for the daemon and for egpuctl. One section per .c
 * file; those of policy_*() and holders_*() are spread over some more.
 *
 * Nothing here changes anything on the machine. Paths come from struct
 * usage_roots, so that the unit tests can show it another machine.
 */
#ifndef EGPU_USAGE_H
#define EGPU_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "../lib/egpu.h"

/**
 * struct usage_roots - where the machine is
 * @proc: "/proc"
 * @sys: "/sys"
 * @dev: "/dev"
 */
struct usage_roots {
	const char *proc;
	const char *sys;
	const char *dev;
};

extern const struct usage_roots usage_roots_here;

/* ------------------------------------------------------------- process.c */

#define PROCESS_COMM_SIZE   64
#define PROCESS_CGROUP_SIZE 256

/**
 * struct process - a process, told from any other that has its pid later
 * @pid: its pid
 * @start: start time in clock ticks since boot (field 22 of stat)
 * @uid: its effective user
 * @ppid: its parent
 * @state: letter of its state: R, S, D, T, Z ...
 * @comm: its name
 * @cgroup: its path in the unified hierarchy, "/" first, or empty
 */
struct process {
	pid_t pid;
	uint64_t start;
	uid_t uid;
	pid_t ppid;
	char state;
	char comm[PROCESS_COMM_SIZE];
	char cgroup[PROCESS_CGROUP_SIZE];
};

int process_read(const struct usage_roots *roots, pid_t pid,
		 struct process *process);
bool process_is(const struct usage_roots *roots, pid_t pid, uint64_t start);

/* ------------------------------------------------------------- nodes.c */

#define NODE_PATH_SIZE 128

/**
 * enum node_kind - what a device node is for
 * @NODE_DRM: below /dev/dri or /dev/accel
 * @NODE_SOUND: of an audio function of the same slot
 * @NODE_VFIO: the group of the GPU when it is handed to a virtual machine
 * @NODE_NVIDIA: /dev/nvidiaN
 * @NODE_KFD: /dev/kfd, which all AMD GPUs share
 * @NODE_OTHER: anything else below the functions of the slot
 */
enum node_kind {
	NODE_DRM,
	NODE_SOUND,
	NODE_VFIO,
	NODE_NVIDIA,
	NODE_KFD,
	NODE_OTHER,
};

/**
 * struct node - a device node of a GPU
 * @path: where it is, "/dev/dri/card1"
 * @rdev: its device number
 * @block: a block device, else a character device
 * @kind: what it is for
 * @shared: other devices use it as well, so it must not be closed
 */
struct node {
	char path[NODE_PATH_SIZE];
	dev_t rdev;
	bool block;
	enum node_kind kind;
	bool shared;
};

/**
 * struct nodes - the nodes of a GPU and of the other functions of its slot
 * @n: entries in use
 * @size: entries there is room for
 * @item: the nodes
 */
struct nodes {
	size_t n;
	size_t size;
	struct node *item;
};

int nodes_find(const struct usage_roots *roots, const char *address,
	       struct nodes *nodes);
unsigned int nodes_left(const struct usage_roots *roots, const char *address);
void nodes_free(struct nodes *nodes);
const char *node_kind_name(enum node_kind kind);

/* ------------- holders.c, scan.c, join.c, roles.c, ask.c, sessions.c */

/**
 * enum holder_how - how a process holds a GPU; bits
 * @HOLDER_NODE: has a node of the GPU open (DRM, vfio, nvidia, other)
 * @HOLDER_MAPPED: has memory of the GPU mapped
 * @HOLDER_DMABUF: has a dma-buf of one of its buffers, open or mapped
 * @HOLDER_SOUND: has the audio function open
 * @HOLDER_KFD: has /dev/kfd open, which may be for another GPU
 * @HOLDER_VFIO: runs a virtual machine with it
 * @HOLDER_OPENED_FOR: opened a node that another process uses: a session broker
 */
enum holder_how {
	HOLDER_NODE = 1,
	HOLDER_MAPPED = 2,
	HOLDER_DMABUF = 4,
	HOLDER_SOUND = 8,
	HOLDER_KFD = 16,
	HOLDER_VFIO = 32,
	HOLDER_OPENED_FOR = 64,
};

/**
 * enum holder_role - what a process is to the session; see holder_role_of()
 * @ROLE_PROGRAM: a program like any other
 * @ROLE_DISPLAY_SERVER: draws the desktop
 * @ROLE_SESSION_BROKER: opens devices for others (logind, seatd)
 * @ROLE_SOUND_SERVER: mixes for others, lets go of a card when told that it goes
 * @ROLE_INIT: pid 1
 * @ROLE_SELF: this very program, or egpud, or egpuctl
 */
enum holder_role {
	ROLE_PROGRAM,
	ROLE_DISPLAY_SERVER,
	ROLE_SESSION_BROKER,
	ROLE_SOUND_SERVER,
	ROLE_INIT,
	ROLE_SELF,
};

/**
 * struct holder - a process that holds a GPU; one entry per process
 * @process: who it is
 * @how: bits of enum holder_how
 * @role: what it is
 * @master: it is the DRM master: it shows a picture on the GPU
 * @files: DRM files of the GPU, open file descriptions it has
 * @buffers: GEM handles in them, as far as the kernel told
 * @bytes: sum of their sizes
 * @cooperates: it has a session with egpud whose work is on the GPU, so it can
 *	be moved; set by sessions_mark()
 */
struct holder {
	struct process process;
	unsigned int how;
	enum holder_role role;
	bool master;
	uint32_t files;
	uint32_t buffers;
	uint64_t bytes;
	bool cooperates;
};

/**
 * struct holders - who holds a GPU
 * @n: entries in use
 * @size: entries there is room for
 * @unseen: processes that could not be looked into, for want of rights or
 *	because they hang in the kernel
 * @unnamed: DRM files that the kernel lists and that no visible process has
 * @item: the holders, by pid
 */
struct holders {
	size_t n;
	size_t size;
	uint32_t unseen;
	uint32_t unnamed;
	struct holder *item;
};

/**
 * struct holders_query - what holders_find() is asked
 * @roots: where the machine is
 * @nodes: nodes of the GPU
 * @clients: what the kernel lists for it, or NULL
 * @buffers: what the kernel lists for it, or NULL; for their dma-bufs
 */
struct holders_query {
	const struct usage_roots *roots;
	const struct nodes *nodes;
	const struct egpu_client_list *clients;
	const struct egpu_buffer_list *buffers;
};

int holders_find(const struct holders_query *query, struct holders *holders);
int holders_of(struct egpu_ctx *ctx, const struct usage_roots *roots,
	       const struct egpu_device *device, struct holders *holders);
void holders_free(struct holders *holders);
enum holder_role holder_role_of(const struct process *process);
const char *holder_how_name(unsigned int bit);
const char *holder_how_text(unsigned int how, char *buf, size_t size);
const char *holder_role_name(enum holder_role role);

#define SESSIONS_PATH	   "/run/egpu/sessions"
#define SESSIONS_MAX	   256
#define SESSIONS_FILE_MAX  65536
#define SESSIONS_NAME_SIZE 64

/**
 * struct session_line - what egpud tells everybody about a session
 * @pid: process that has it
 * @start: its start time, as in struct process
 * @device: device id of the GPU that its buffers are on, 0 for the CPU
 * @step: step of the last accepted checkpoint, 0 before the first
 * @buffers: how many it has
 * @bytes: sum of their sizes
 * @name: how it calls itself, as the program made it
 */
struct session_line {
	pid_t pid;
	uint64_t start;
	uint32_t device;
	uint64_t step;
	uint32_t buffers;
	uint64_t bytes;
	char name[SESSIONS_NAME_SIZE];
};

/**
 * struct session_lines - all sessions
 * @n: entries of @item in use
 * @item: the sessions
 */
struct session_lines {
	size_t n;
	struct session_line item[SESSIONS_MAX];
};

int sessions_read(const char *path, struct session_lines *sessions);
void sessions_mark(const struct session_lines *sessions, uint32_t device,
		   struct holders *holders);
unsigned int sessions_on(const struct session_lines *sessions, uint32_t device);

/* ---------------------- policy.c, parse.c, values.c, load.c */

/**
 * enum policy_action - what is to happen to a program that uses a leaving GPU
 * @ACTION_WAIT: wait until it closes the GPU; if it does not, refuse
 * @ACTION_MIGRATE: move it to another device; who cannot be moved is waited for
 * @ACTION_QUIT: ask it to end (SIGTERM), then wait
 * @ACTION_KILL: ask it to end, and end it (SIGKILL) when the time is up
 * @ACTION_IGNORE: freeze it, take the GPU away, let it go on
 */
enum policy_action {
	ACTION_WAIT,
	ACTION_MIGRATE,
	ACTION_QUIT,
	ACTION_KILL,
	ACTION_IGNORE,
};

/**
 * struct policy_rule - what is to happen to the programs of one name
 * @program: as in struct process.comm
 * @action: what
 * @may_freeze: may be frozen although its role forbids that
 */
struct policy_rule {
	char program[PROCESS_COMM_SIZE];
	enum policy_action action;
	bool may_freeze;
};

/**
 * enum strategy - when work is moved without being asked
 * @STRATEGY_LAZY: only when the GPU leaves or fails
 * @STRATEGY_EAGER: at the first warning: heat, little memory
 * @STRATEGY_PREEMPTIVE: when errors or the link say that it will fail
 * @STRATEGY_BALANCED: to have the same load everywhere
 */
enum strategy {
	STRATEGY_LAZY,
	STRATEGY_EAGER,
	STRATEGY_PREEMPTIVE,
	STRATEGY_BALANCED,
};

#define POLICY_RULES_MAX   256
#define POLICY_PATH_SIZE   256
#define POLICY_STORE_PATH  "/var/lib/egpu/checkpoints"
#define POLICY_SENSOR_PATH "/sys"

/**
 * struct policy_config - /etc/egpu/egpud.conf, or the defaults
 * @others: what is to happen to programs without a rule that do not cooperate
 * @ask_ms: how long to wait for programs to let go, in ms
 * @freeze_ms: how long to wait until all are frozen, in ms
 * @drain_ms: how long to wait for work in flight, in ms
 * @interval_ms: time between two checkpoints of who cooperates, in ms; 0 for
 *	none but those that a migration makes
 * @share: how much of the link they may take, above 0 to 1
 * @migrations: most programs that are moved at once
 * @limit_ms: how long the move of one may take, in ms
 * @cpu_fallback: who finds no other GPU is moved to the CPU
 * @strategy: when a program is moved without a GPU leaving
 * @heat: degrees Celsius that are too hot
 * @memory_low: share of free memory that is too little, 0 to 1
 * @imbalance: programs more than elsewhere that are too many
 * @store: directory of the checkpoints
 * @store_max: most bytes there may be in it
 * @store_free: bytes of its file system that are left free
 * @keep: checkpoints stay after they have served
 * @save_plain: buffers of who does not cooperate are saved as well
 * @sample_ms: time between two looks at the sensors, in ms
 * @sensors: where the sensors are, another place than /sys for tests
 * @n_rules: entries of @rules in use
 * @rules: by name
 */
struct policy_config {
	enum policy_action others;
	uint32_t ask_ms;
	uint32_t freeze_ms;
	uint32_t drain_ms;
	uint32_t interval_ms;
	double share;
	uint32_t migrations;
	uint32_t limit_ms;
	bool cpu_fallback;
	enum strategy strategy;
	double heat;
	double memory_low;
	uint32_t imbalance;
	char store[POLICY_PATH_SIZE];
	uint64_t store_max;
	uint64_t store_free;
	bool keep;
	bool save_plain;
	uint32_t sample_ms;
	char sensors[POLICY_PATH_SIZE];
	size_t n_rules;
	struct policy_rule rules[POLICY_RULES_MAX];
};

#define POLICY_PATH "/etc/egpu/egpud.conf"

void policy_defaults(struct policy_config *config);
int policy_load(const char *path, struct policy_config *config, char *error,
		size_t size);
int policy_parse(FILE *file, const char *path, struct policy_config *config,
		 char *error, size_t size);
const struct policy_rule *policy_rule_of(const struct policy_config *config,
					 const char *comm);
enum policy_action policy_action_of(const struct policy_config *config,
				    const struct holder *holder, bool force);
bool policy_may_freeze(const struct policy_config *config,
		       const struct holder *holder);
const char *policy_action_name(enum policy_action action);
const char *strategy_name(enum strategy strategy);
bool strategy_parse(const char *name, enum strategy *strategy);
const char *policy_outcome(const struct policy_config *config,
			   const struct holder *holder, bool force);

/* ------------------------------------------------------------- verdict.c */

#define VERDICT_REASONS_MAX 8
#define VERDICT_REASON_SIZE 192

/**
 * struct verdict - whether the cable of a GPU can be pulled
 * @safe: it can
 * @name: "safe-to-unplug", or for what reason not: "in-use", "attached",
 *	"leaving", "refused", "cancelled", "surprise", "timed-out", "unbound",
 *	"unknown"
 * @n: entries of @reason in use
 * @reason: sentences without a full stop, the most important first
 */
struct verdict {
	bool safe;
	const char *name;
	size_t n;
	char reason[VERDICT_REASONS_MAX][VERDICT_REASON_SIZE];
};

/**
 * struct verdict_facts - what verdict_of() looks at
 * @device: the GPU as it is now, or NULL when it is off the bus
 * @removal: its last removal as far as it is known, or NULL
 * @holders: who holds it, or NULL when that is not known
 * @left: other functions of its slot that are still on the bus
 * @lost: the kernel cannot tell any more: @device and @removal are of before
 * @overdue: @removal has had all the time that it may take
 */
struct verdict_facts {
	const struct egpu_device *device;
	const struct egpu_removal *removal;
	const struct holders *holders;
	unsigned int left;
	bool lost;
	bool overdue;
};

/* Room that verdict_text() needs at most. */
#define VERDICT_TEXT_SIZE (64 + VERDICT_REASONS_MAX * (VERDICT_REASON_SIZE + 2))

void verdict_of(const struct verdict_facts *facts, struct verdict *verdict);
const char *verdict_text(const struct verdict *verdict, size_t reasons,
			 char *buf, size_t size);

/* ------------------------------------------------------------- ready.c */

/**
 * struct readiness - whether a GPU that is on the bus can be used
 * @ready: it can
 * @bars: all of its memory regions have addresses
 * @driver: a driver is bound
 * @opens: one of its nodes was opened
 * @why: what is missing, a sentence without a full stop, or empty
 */
struct readiness {
	bool ready;
	bool bars;
	bool driver;
	bool opens;
	char why[VERDICT_REASON_SIZE];
};

void readiness_of(const struct usage_roots *roots,
		  const struct egpu_device *device, const struct nodes *nodes,
		  struct readiness *readiness);

#endif
