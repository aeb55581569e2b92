// SPDX-License-Identifier: GPL-2.0
/*
 * Memory with contents that nothing can shorten and that can be told apart.
 */
#include <stdint.h>

#include "content.h"

/* Streams side by side, as one alone waits for its own multiplications. */
#define LANES 8

void content_fill(void *memory, size_t size, uint64_t seed)
{
	uint64_t *word = memory, lane[LANES];
	size_t i, j;

	for (j = 0; j < LANES; j++)
		lane[j] = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) +
			  j * UINT64_C(0xbf58476d1ce4e5b9);
	for (i = 0; i + LANES <= size / sizeof(*word); i += LANES) {
		for (j = 0; j < LANES; j++) {
			lane[j] ^= lane[j] << 13;
			lane[j] ^= lane[j] >> 7;
			lane[j] ^= lane[j] << 17;
			word[i + j] = lane[j];
		}
	}
}

uint64_t content_sum(const void *memory, size_t size)
{
	const uint64_t *word = memory;
	uint64_t lane[LANES] = { 0 }, sum = 0;
	size_t i, j;

	for (i = 0; i + LANES <= size / sizeof(*word); i += LANES)
		for (j = 0; j < LANES; j++)
			lane[j] = (lane[j] ^ word[i + j]) * 3 + i;
	for (j = 0; j < LANES; j++)
		sum = (sum ^ lane[j]) * UINT64_C(0x9e3779b97f4a7c15);
	return sum;
}
