/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* The main function of a test program: one group, TAP on standard output. */
#define TEST_MAIN(tests, setup, teardown)                                      \
	int main(void)                                                         \
	{                                                                      \
		cmocka_set_message_output(CM_OUTPUT_TAP);                      \
		return cmocka_run_group_tests(tests, setup, teardown);         \
	}

#endif
