/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of memory shortage have in common: who listens, and whether
 * all have heard the truth.
 */
#ifndef EGPU_TEST_FAULTS_H
#define EGPU_TEST_FAULTS_H

#include "family.h"
#include "inject.h"
#include "ktap.h"

extern struct family family;
extern struct nl control;

/** CLIENTS - clients of the GPU under test, each with a file and a buffer */
#define CLIENTS 3

/* Where the GPU under test should be. */
enum place { GONE, UNBOUND, READY };

/**
 * struct act - one thing that happens to the GPU
 * @name: for the results
 * @run: does it; returns a negative errno when it was turned down
 * @code: where an allocation has to be for it to fail
 * @place: where the GPU is afterwards
 * @waits: removals are held, so each must have been acknowledged
 * @victims: files of ours that it takes the GPU from
 * @drained: what came of the kernel's own drain, if it makes one
 */
struct act {
	const char *name;
	int (*run)(void);
	struct code code;
	enum place place;
	bool waits;
	unsigned int victims;
	uint32_t drained;
};

/* Where no allocation is made to fail. */
extern const struct code nowhere;

struct act act_of(const char *name, int (*run)(void), struct code code,
		  enum place place);
void watch_gpu(const char *address);
void listen_all(void);
void listeners_begin(void);
bool gpu_now(struct gpu *gpu);
bool settled(enum place place);
bool settles(enum place place);
void judge(const struct act *act, unsigned int nth, bool fault, int error,
	   const struct gpu *before);
void judge_told(const char *what);
void judge_drained(const char *what, uint32_t result);
void judge_victims(const char *what, uint64_t cookie, unsigned int n,
		   bool fault);
void judge_free(const char *what);
void last_removal(struct removal *removal);
void judge_listeners(const char *what, bool fault, uint32_t came, uint32_t gone);
void allocate(void);

void clients_open(const char *address, bool busy);
void clients_signal(void);
void clients_close(void);
int victims_of(struct nl *nl, uint64_t cookie, struct answer *answer,
	       unsigned int *n);

int do_remove(void);
int do_rescan(void);
void all_requests(const char *address);
void all_quiesce(const char *at);
void sweep(const struct act *act, const struct act *back);

#endif /* EGPU_TEST_FAULTS_H */
