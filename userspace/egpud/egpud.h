/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of egpud share. One section per .c file.
 */
#ifndef EGPUD_EGPUD_H
#define EGPUD_EGPUD_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../lib/egpu.h"

struct daemon;
struct job;

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

/* ------------------------------------------------------------- policy.c */

/**
 * enum policy_result - what a policy makes of a removal
 * @POLICY_DONE: nothing is left to do, the removal can go on
 * @POLICY_BUSY: work has begun, job_done() will be called
 */
enum policy_result {
	POLICY_DONE,
	POLICY_BUSY,
};

/**
 * struct policy - what is to be done before a GPU leaves
 * @name: for the log
 * @wants: whether to accept a removal at all; not accepting leaves it to
 *	another helper or to its deadline
 * @begin: the removal was accepted, begin with the work; it must not block,
 *	since the loop has other removals to see to
 * @stop: the removal went on or ended before job_done(): drop the work. Not
 *	called after job_done() or POLICY_DONE.
 */
struct policy {
	const char *name;
	bool (*wants)(const struct egpu_removal *removal);
	enum policy_result (*begin)(struct job *job);
	void (*stop)(struct job *job);
};

extern const struct policy policy_let_go;

/* ------------------------------------------------------------- jobs.c */

/**
 * struct job - a removal that we have accepted
 * @next: the next one
 * @daemon: whose it is
 * @cookie: names the removal
 * @id: device id
 * @data: the policy's own
 */
struct job {
	struct job *next;
	struct daemon *daemon;
	uint64_t cookie;
	uint32_t id;
	void *data;
};

void jobs_take_removal(struct daemon *daemon,
		       const struct egpu_removal *removal);
void jobs_take_state(struct daemon *daemon,
		     const struct egpu_removal_list *removals);
void jobs_stop_all(struct daemon *daemon, const char *why);
void job_done(struct job *job);

/* ------------------------------------------------------------- daemon.c */

/**
 * struct daemon - the daemon
 * @open: how to make a context; the tests put their own kernel here
 * @policy: what to do before a GPU leaves
 * @loop: the event loop
 * @ctx: the context that accepts and acknowledges, for as long as we live
 * @mon: the subscription
 * @io: @loop's source of @mon
 * @retry: @loop's timer that tries again after an error, or NULL
 * @jobs: removals that we have accepted
 * @loaded: the module is there
 * @n_gpus: GPUs there are
 * @n_external: those of them that hang on a cable
 */
struct daemon {
	int (*open)(struct egpu_ctx **ctx);
	const struct policy *policy;
	sd_event *loop;
	struct egpu_ctx *ctx;
	struct egpu_monitor *mon;
	sd_event_source *io;
	sd_event_source *retry;
	struct job *jobs;
	bool loaded;
	uint32_t n_gpus;
	uint32_t n_external;
};

int daemon_start(struct daemon *daemon);
void daemon_stop(struct daemon *daemon);

/* ------------------------------------------------------------- gpus.c */

void gpus_take_event(struct daemon *daemon, const struct egpu_event *event);

#endif
