/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benchmark programs share: one clock for both sides of a comparison,
 * a child that does not survive its parent, and an end with a sentence.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <sys/types.h>

/**
 * bench_now() - read the clock
 *
 * Return: CLOCK_BOOTTIME in ns, which is also the clock of the trace.
 */
uint64_t bench_now(void);

/**
 * bench_die() - say why a benchmark cannot go on, and end
 * @format: a sentence for printf(), without a newline
 */
void bench_die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/**
 * bench_number() - a number out of the command line
 * @text: the argument
 * @what: its name, for the complaint
 * @max: largest number that is taken; the smallest is 1
 *
 * Return: the number; ends the program on anything else.
 */
unsigned int bench_number(const char *text, const char *what, unsigned int max);

/**
 * bench_fork() - fork(), and the child dies with its parent
 *
 * Return: 0 in the child, the child's pid in the parent; ends the program on
 * failure.
 */
pid_t bench_fork(void);

/**
 * bench_shared() - memory that children share with their parent
 * @size: in bytes; comes zeroed
 *
 * Return: the memory, never NULL.
 */
void *bench_shared(size_t size);

#endif /* BENCH_H */
