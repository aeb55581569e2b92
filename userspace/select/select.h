/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which device to go on with, and when to leave one: all DRM devices and the
 * CPU, hard gates, then a score, every number with where it comes from.
 * Deciding is pure; gathering reads files of sysfs only, never a driver's that
 * would wake the device.
 */
#ifndef EGPU_SELECT_SELECT_H
#define EGPU_SELECT_SELECT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../lib/egpu.h"
#include "../usage/usage.h"

/**
 * struct reading - a number and where it comes from
 * @known: there is one
 * @estimate: it is a guess, which may help to choose but excludes nothing
 * @value: the number
 * @source: file, "default", "measured ..." or why it is not known
 */
struct reading {
	bool known;
	bool estimate;
	double value;
	char source[96];
};

/**
 * struct candidate - a device that work could go on with
 * @cpu: memory and the CPU; all that is below about devices is empty
 * @id: device id, 0 for the CPU
 * @address: PCI address
 * @driver: its driver
 * @node: DRM node to make buffers with
 * @external: hangs on a cable
 * @leaving: is about to leave
 * @boot_display: shows the desktop
 * @memory_total: bytes
 * @memory_free: bytes
 * @bandwidth: bytes per second to it
 * @link_share: 0 to 1, what the link has of what both ends can do
 * @load: 0 to 1
 * @temperature: degrees Celsius
 * @errors: uncorrected errors counted on its link
 * @suspended: 1 when it sleeps
 * @sessions: programs whose work is there; for the caller to fill in
 * @tripped: a strategy has moved work away and the device has not recovered;
 *	strategy_judge() keeps it
 */
struct candidate {
	bool cpu;
	uint32_t id;
	char address[EGPU_ADDRESS_LEN + 1];
	char driver[32];
	char node[64];
	bool external;
	bool leaving;
	bool boot_display;
	struct reading memory_total;
	struct reading memory_free;
	struct reading bandwidth;
	struct reading link_share;
	struct reading load;
	struct reading temperature;
	struct reading errors;
	struct reading suspended;
	unsigned int sessions;
	bool tripped;
};

#define CANDIDATES_MAX 64

/**
 * struct candidates - all devices, the CPU last
 * @n: entries of @item in use
 * @item: the devices
 */
struct candidates {
	size_t n;
	struct candidate item[CANDIDATES_MAX];
};

/**
 * struct need - what the work asks for
 * @bytes: sum of its buffers
 * @portable: its buffers mean something elsewhere; else only @why_not
 * @why_not: why they do not
 * @n_excluded: entries of @excluded
 * @excluded: device ids that are out of the question: the leaving one, and those
 *	that have failed already
 * @no_cpu: the CPU is no fallback
 * @too_hot: degrees Celsius from which on a device is out, 0 for what no hardware
 *	bears; more than that does not count
 */
struct need {
	uint64_t bytes;
	bool portable;
	char why_not[160];
	size_t n_excluded;
	uint32_t excluded[8];
	bool no_cpu;
	double too_hot;
};

#define TERMS_MAX 10

/**
 * struct term - a line of an explanation
 * @what: memory, bandwidth, link, load, power, temperature, locality ...
 * @value: the reading in words
 * @source: where it comes from
 * @weight: how much it counts
 * @points: 0 to 1
 */
struct term {
	const char *what;
	char value[48];
	char source[96];
	double weight;
	double points;
};

/**
 * struct ranked - a candidate that was judged
 * @candidate: which
 * @gate: why it is out, a sentence; empty if it is not
 * @score: 0 to 100
 * @n_terms: entries of @term
 * @term: what the score is made of
 */
struct ranked {
	const struct candidate *candidate;
	char gate[160];
	double score;
	size_t n_terms;
	struct term term[TERMS_MAX];
};

/**
 * struct selection - all candidates, best first
 * @n: entries of @item
 * @chosen: the first, or NULL when none is left
 * @why: one sentence on how the choice came about
 * @item: those that passed the gates by score, then the others
 */
struct selection {
	size_t n;
	const struct ranked *chosen;
	char why[256];
	struct ranked item[CANDIDATES_MAX];
};

/* ---------------------------------- rank.c, terms.c, explain.c, gather.c */

void select_rank(const struct candidates *candidates, const struct need *need,
		 struct selection *selection);
int select_gather(const struct usage_roots *roots,
		  const struct egpu_device_list *devices, const char *cache_dir,
		  struct candidates *candidates);
void select_print(const struct selection *selection, FILE *file);
void select_print_choice(const struct selection *selection, FILE *file);

/* ------------------------------------------------------------- bandwidth.c */

#define BANDWIDTH_DIR "/run/egpu/bandwidth"

int bandwidth_load(const char *dir, const struct usage_roots *roots,
		   const char *address, uint64_t *bytes_per_s);
int bandwidth_save(const char *dir, const struct usage_roots *roots,
		   const char *address, uint64_t bytes_per_s);

/* ------------------------------------------------------------- strategy.c */

/**
 * struct strategy_config - from the configuration
 * @strategy: which
 * @heat: degrees Celsius that are too hot
 * @memory_low: share of free memory that is too little, 0 to 1
 * @imbalance: sessions more than elsewhere that are too many
 */
struct strategy_config {
	enum strategy strategy;
	double heat;
	double memory_low;
	unsigned int imbalance;
};

/**
 * struct trigger - work is to leave a device
 * @id: device id, 0 for none
 * @count: how many of its programs are to go
 * @to: the only device that they may go to, 0 when that is for the selection
 * @why: a sentence with the numbers
 */
struct trigger {
	uint32_t id;
	unsigned int count;
	uint32_t to;
	char why[160];
};

void strategy_judge(const struct strategy_config *config,
		    const struct candidates *before, struct candidates *now,
		    struct trigger *trigger);

#endif
