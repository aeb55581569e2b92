/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of egpuctl share. One section per .c file.
 */
#ifndef EGPUCTL_CTL_H
#define EGPUCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../common/json.h"
#include "../lib/egpu.h"
#include "../select/select.h"
#include "../usage/usage.h"

#define JSON_SCHEMA 1

/* ------------------------------------------------------------- exit codes */

/**
 * enum ctl_exit - exit codes, documented in egpuctl(1); they do not change
 * @EXIT_OK: done, or it was so already
 * @EXIT_OTHER: a failure that has no code of its own
 * @EXIT_USAGE: the command line is wrong
 * @EXIT_NOT_FOUND: no such GPU, removal, checkpoint or file
 * @EXIT_BUSY: refused, because the GPU is in use or leaving, or the
 *	checkpoint is needed by others
 * @EXIT_NOT_EXTERNAL: the GPU does not hang on a cable
 * @EXIT_PERMISSION: this needs CAP_NET_ADMIN, or a store that is one's own
 * @EXIT_NO_MODULE: the egpu module is not loaded
 * @EXIT_TIMEOUT: it did not end in time
 * @EXIT_CANCELLED: the eject was called off
 * @EXIT_SURPRISE: the GPU was pulled before its eject had ended
 */
enum ctl_exit {
	EXIT_OK = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_BUSY = 4,
	EXIT_NOT_EXTERNAL = 5,
	EXIT_PERMISSION = 6,
	EXIT_NO_MODULE = 7,
	EXIT_TIMEOUT = 8,
	EXIT_CANCELLED = 9,
	EXIT_SURPRISE = 10,
};

/* ------------------------------------------------------------- main.c */

/* As many as struct need takes. */
#define CTL_NOT_MAX 8

/**
 * struct ctl - one run of the program
 * @out: standard output
 * @err: standard error
 * @open: how to make a context; the tests put their own kernel here
 * @ctx: the context, NULL before ctl_open()
 * @terminal: @out is a terminal, so progress and marks can be shown
 * @color: colours are wanted
 * @roots: where the machine is
 * @policy_path: configuration of the daemon
 * @sessions_path: where the daemon tells of its sessions, NULL for nowhere
 * @policy_known: @policy was read, or its defaults taken
 * @policy: what would happen to programs
 * @policy_error: what is wrong with the file at @policy_path, or empty
 * @pci_ids: path of the names of vendors and devices, NULL for none
 * @width: of the terminal, 0 for what the system says
 * @driver_ms: how long a driver may take to let go after an eject's deadline
 * @open_ms: how long a driver may take to open a node
 * @json: --json
 * @force: --force
 * @no_wait: --no-wait
 * @timeout_ms: --timeout in milliseconds, 0 if not given
 * @bandwidth_dir: where measured bandwidths are kept, NULL for nowhere
 * @explain: --explain
 * @bytes: --bytes, 0 if not given
 * @n_excluded: entries of @excluded in use
 * @excluded: each --not
 * @store: --store, or NULL
 * @png: --png, or NULL
 * @buffer: --buffer, 0 if not given
 */
struct ctl {
	FILE *out;
	FILE *err;
	int (*open)(struct egpu_ctx **ctx);
	struct egpu_ctx *ctx;
	bool terminal;
	bool color;
	const struct usage_roots *roots;
	const char *policy_path;
	const char *sessions_path;
	bool policy_known;
	struct policy_config policy;
	char policy_error[512];
	const char *pci_ids;
	int width;
	uint32_t driver_ms;
	uint32_t open_ms;
	bool json;
	bool force;
	bool no_wait;
	uint32_t timeout_ms;
	const char *bandwidth_dir;
	bool explain;
	uint64_t bytes;
	size_t n_excluded;
	const char *excluded[CTL_NOT_MAX];
	const char *store;
	const char *png;
	uint32_t buffer;
};

/* ------------------------------------------------------------- command.c */

/** enum ctl_option - options that only some verbs take */
enum ctl_option {
	CTL_FORCE = 1,
	CTL_TIMEOUT = 2,
	CTL_NO_WAIT = 4,
	CTL_EXPLAIN = 8,
	CTL_BYTES = 16,
	CTL_NOT = 32,
	CTL_STORE = 64,
};

/**
 * struct ctl_verb - a verb
 * @name: as typed
 * @fn: does it; arguments without the verb; returns enum ctl_exit
 * @args: its arguments, for the help
 * @help: what it does, for the help
 * @min: least number of arguments
 * @max: largest number of arguments, -1 for any
 * @options: bits of enum ctl_option that it takes
 */
struct ctl_verb {
	const char *name;
	int (*fn)(struct ctl *ctl, int argc, char **argv);
	const char *args;
	const char *help;
	int min;
	int max;
	unsigned int options;
};

int ctl_main(struct ctl *ctl, int argc, char **argv);

/* ------------------------------------------------------------- error.c */

int ctl_usage(struct ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int ctl_fail(struct ctl *ctl, enum ctl_exit code, int err, const char *format,
	     ...) __attribute__((format(printf, 4, 5)));
int ctl_fail_lib(struct ctl *ctl, int err);
enum ctl_exit ctl_exit_of_errno(int err);
const char *ctl_code_name(enum ctl_exit code);
void ctl_json_error(struct ctl *ctl, struct json *json, enum ctl_exit code,
		    int err, const char *message);
int ctl_open(struct ctl *ctl);

/* ------------------------------------------------------------- find.c */

int ctl_find_gpu(struct ctl *ctl, const struct egpu_device_list *list,
		 const char *name, const struct egpu_device **device);

/* ------------------------------------------------------------- describe.c */

/* Room for the texts below. */
#define TEXT_SIZE 256

const char *describe_link(const struct egpu_device *device, char *buf);
const char *describe_placement(const struct egpu_device *device, char *buf);
const char *describe_nodes(const struct egpu_minor *minors, uint32_t n,
			   char *buf);
const char *describe_device(const struct egpu_device *device, char *buf);
const char *describe_removed(const struct egpu_removal *removal, char *buf);
const char *describe_evidence(uint32_t evidence, char *buf);
const char *describe_bytes(uint64_t bytes, char *buf);
const char *describe_release(uint32_t release);
const char *describe_step(uint32_t step);
const char *describe_duration(uint64_t ns, char *buf);
const char *describe_quiesce(const struct egpu_quiesce *quiesce, char *buf);

/* ------------------------------------------------------------- pciids.c */

bool pciids_lookup(const char *file, uint16_t vendor, uint16_t device,
		   char *buf, size_t size);
const char *pciids_name(const struct ctl *ctl, uint16_t vendor, uint16_t device,
			char *buf, size_t size);

/* ------------------------------------------------------------- tojson.c */

void tojson_begin(struct ctl *ctl, struct json *json);
void tojson_end(struct json *json);
void tojson_device(struct json *json, const char *key,
		   const struct egpu_device *device);
void tojson_removal(struct json *json, const char *key,
		    const struct egpu_removal *removal, bool steps);
void tojson_reasons(struct json *json, const struct verdict *verdict);
void tojson_readiness(struct json *json, const char *key,
		      const struct readiness *readiness);
void tojson_quiesce(struct json *json, const char *key,
		    const struct egpu_quiesce *quiesce);
void tojson_migration(struct json *json, const char *key,
		      const struct egpu_migration *migration);
void tojson_client(struct json *json, const struct egpu_client *client);
void tojson_clients(struct json *json, const struct egpu_client_list *list);

/* ------------------------------------------------------------- table.c */

/**
 * struct ctl_column - a column of a table
 * @name: heading
 * @right: align to the right
 * @truncate: give way when the terminal is narrow
 * @terminal_only: leave the column out when the output is no terminal
 */
struct ctl_column {
	const char *name;
	bool right;
	bool truncate;
	bool terminal_only;
};

struct ctl_table;

struct ctl_table *table_new(struct ctl *ctl, const struct ctl_column *columns,
			    size_t n);
void table_row(struct ctl_table *table);
void table_cell(struct ctl_table *table, size_t column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void table_color(struct ctl_table *table, size_t column, const char *color);
int table_print(struct ctl *ctl, struct ctl_table *table);

/* ------------------------------------------------------------- holders.c */

/**
 * struct ctl_held - who holds one GPU
 * @device: the GPU
 * @known: @holders is
 * @holders: who
 */
struct ctl_held {
	const struct egpu_device *device;
	bool known;
	struct holders holders;
};

const struct policy_config *ctl_policy(struct ctl *ctl);
int ctl_holders(struct ctl *ctl, const struct egpu_device *device,
		struct ctl_held *held);
bool is_held(const struct ctl_held *held);
void ctl_holders_free(struct ctl_held *held);
int ctl_fail_holders(struct ctl *ctl, const struct ctl_held *held, int err);
const char *ctl_outcome(struct ctl *ctl, const struct holder *holder);
int print_holders(struct ctl *ctl, const struct ctl_held *held, size_t n);
void tojson_held(struct ctl *ctl, struct json *json, const char *key,
		 const struct ctl_held *held);

/* ------------------------------------------------------------- ready.c */

void ctl_readiness(struct ctl *ctl, const struct egpu_device *device,
		   struct readiness *ready);

/* ------------------------------------------------------------- steps.c */

#define STEPS_MAX 8

/**
 * struct ctl_step - a phase that a removal entered
 * @phase: enum egpu_phase
 * @at: when, CLOCK_BOOTTIME in ns
 * @after: since the removal was created, in ns
 * @took: since the step before, in ns
 */
struct ctl_step {
	uint32_t phase;
	uint64_t at;
	uint64_t after;
	uint64_t took;
};

size_t steps_of(const struct egpu_removal *removal,
		struct ctl_step steps[STEPS_MAX]);
const char *steps_meaning(const struct egpu_removal *removal,
			  const struct ctl_step *step);

/* ------------------------------------------------------------- verb_*.c */

int verb_list(struct ctl *ctl, int argc, char **argv);
int verb_show(struct ctl *ctl, int argc, char **argv);
int verb_clients(struct ctl *ctl, int argc, char **argv);
int verb_monitor(struct ctl *ctl, int argc, char **argv);
int verb_eject(struct ctl *ctl, int argc, char **argv);
int verb_cancel(struct ctl *ctl, int argc, char **argv);
int verb_timeline(struct ctl *ctl, int argc, char **argv);
int verb_override(struct ctl *ctl, int argc, char **argv);
int verb_checkpoint(struct ctl *ctl, int argc, char **argv);
int verb_settings(struct ctl *ctl, int argc, char **argv);
int verb_select(struct ctl *ctl, int argc, char **argv);

int print_timeline(struct ctl *ctl, const struct egpu_removal *removal);

/* ------------------------------------------------------------- signals.c */

int signals_open(void);
bool signals_taken(int fd);

#endif
