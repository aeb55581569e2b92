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

/* Where the GPU under test should be. */
enum place { GONE, UNBOUND, READY };

/**
 * struct act - one thing that happens to the GPU
 * @name: for the results
 * @run: does it; returns a negative errno when it was turned down
 * @code: where an allocation has to be for it to fail
 * @place: where the GPU is afterwards
 * @waits: removals are held, so each must have been acknowledged
 */
struct act {
	const char *name;
	int (*run)(void);
	struct code code;
	enum place place;
	bool waits;
};

void watch_gpu(const char *address);
void listen_all(void);
void listeners_begin(void);
bool gpu_now(struct gpu *gpu);
bool settled(enum place place);
bool settles(enum place place);
void judge(const struct act *act, unsigned int nth, bool fault, int error,
	   const struct gpu *before);
void judge_told(const char *what);
void judge_listeners(const char *what, bool fault, uint32_t came, uint32_t gone);
void allocate(void);

void all_requests(const char *address);
void sweep(const struct act *act, const struct act *back);

#endif /* EGPU_TEST_FAULTS_H */
