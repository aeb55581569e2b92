/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's fault injection: one allocation, or all, made to fail.
 */
#ifndef EGPU_TEST_INJECT_H
#define EGPU_TEST_INJECT_H

#include <stdbool.h>

/**
 * struct code - a range of kernel addresses
 * @start: first byte
 * @end: behind the last
 */
struct code {
	unsigned long start;
	unsigned long end;
};

void inject_open(void);
struct code code_of_modules(void);
struct code code_of_egpu(void);
struct code code_of(const char *function);

void inject_below(struct code code);
void inject_begin(void (*allocate)(void));
void inject_arm(unsigned int nth);
bool inject_disarm(void (*allocate)(void));
void inject_all(bool on);
void inject_pages(struct code code, bool on);

void inject_own(unsigned int nth);
bool inject_own_end(void);

const char *inject_site(void);

#endif /* EGPU_TEST_INJECT_H */
