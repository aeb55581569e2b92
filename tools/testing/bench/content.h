/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory with contents that nothing can shorten and that can be told apart.
 */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/**
 * content_fill() - put words in it that look random; hardly one is zero
 * @memory: where to
 * @size: a multiple of 64 bytes
 * @seed: other contents for each
 */
void content_fill(void *memory, size_t size, uint64_t seed);

/**
 * content_sum() - is it still the same?
 * @memory: what
 * @size: a multiple of 64 bytes
 *
 * Return: a number that is another one when a word has changed or has moved.
 */
uint64_t content_sum(const void *memory, size_t size);

#endif /* BENCH_CONTENT_H */
