/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of usage share and nobody else sees. One section per .c file.
 */
#ifndef USAGE_PRIVATE_H
#define USAGE_PRIVATE_H

#include "read.h"
#include "usage.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ------------------------------------------------------------- read.c */

void *grow_array(void *array, size_t n, size_t *size, size_t item, size_t max);

/* ------------------------------------------------------------- values.c */

/**
 * enum value_kind - what stands behind the = of a key
 * @VALUE_ACTION: enum policy_action
 * @VALUE_STRATEGY: enum strategy
 * @VALUE_FLAG: yes or no; bool
 * @VALUE_TIME: "500ms", "1.5s"; uint32_t in ms
 * @VALUE_COUNT: "4"; uint32_t
 * @VALUE_DEGREES: "90"; double
 * @VALUE_SHARE: "25%"; double, 0 to 1
 * @VALUE_SIZE: "16G"; uint64_t in bytes
 * @VALUE_PATH: absolute; char[POLICY_PATH_SIZE]
 */
enum value_kind {
	VALUE_ACTION,
	VALUE_STRATEGY,
	VALUE_FLAG,
	VALUE_TIME,
	VALUE_COUNT,
	VALUE_DEGREES,
	VALUE_SHARE,
	VALUE_SIZE,
	VALUE_PATH,
};

/**
 * struct value_key - a key of the policy file
 * @name: as written
 * @kind: what its value is
 * @offset: where the value goes
 * @min: least number: ms, percent, bytes ...
 * @max: largest number
 * @range: both for people, or NULL when the kind says all
 */
struct value_key {
	const char *name;
	enum value_kind kind;
	size_t offset;
	uint64_t min;
	uint64_t max;
	const char *range;
};

bool value_read(const struct value_key *key, const char *text, void *into);
const char *value_expected(enum value_kind kind);

/* ------------------------------------------------------------- process.c */

int process_open(int proc, pid_t pid);
int process_read_stat(int dir, struct process *process, bool *kernel);
int process_read_rest(int dir, struct process *process);
pid_t process_leader(int proc, pid_t tid);

/* ------------------------------------------------------------- nodes.c */

const struct node *nodes_with(const struct nodes *nodes, dev_t rdev, bool block);

/* ------------------------------------------------------------- scan.c */

/**
 * struct use - a process has a DRM file of the GPU
 * @pid: the process
 * @node: the node that is open, as an index
 * @client: DRM client id, which names the open file description
 * @known: @client is
 * @files: how many; 1 when @client is known
 * @claimed: how many of them are those of clients that were joined
 */
struct use {
	pid_t pid;
	uint32_t node;
	uint64_t client;
	bool known;
	uint32_t files;
	uint32_t claimed;
};

/**
 * struct scan - a pass over all processes
 * @query: what was asked
 * @proc: @query->roots->proc, open
 * @holders: what was found
 * @n_uses: entries of @use in use
 * @uses_size: entries there is room for
 * @use: DRM files that were found
 * @n_inodes: entries of @inode in use
 * @inode: the dma-bufs of the GPU's buffers, sorted
 * @n_unseen: entries of @unseen in use
 * @unseen_size: entries there is room for
 * @unseen: processes that could not be looked into
 */
struct scan {
	const struct holders_query *query;
	int proc;
	struct holders *holders;
	size_t n_uses;
	size_t uses_size;
	struct use *use;
	size_t n_inodes;
	uint64_t *inode;
	size_t n_unseen;
	size_t unseen_size;
	pid_t *unseen;
};

int scan_process(struct scan *scan, pid_t pid);
int scan_compare_pids(const void *a, const void *b);

/* ------------------------------------------------------------- join.c */

int join_clients(struct scan *scan);

/* ------------------------------------------------------------- holders.c */

int holders_add(struct holders *holders, const struct holder *holder);
struct holder *holders_with(struct holders *holders, pid_t pid);

#endif
