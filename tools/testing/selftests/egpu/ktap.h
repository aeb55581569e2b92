/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results of tests as KTAP: begin, any number of checks, end.
 */
#ifndef EGPU_TEST_KTAP_H
#define EGPU_TEST_KTAP_H

#include <stdbool.h>

void test_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool check(bool fine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_end(void);
int ktap_finish(void);
void bail_out(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif /* EGPU_TEST_KTAP_H */
