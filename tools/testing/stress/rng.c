// SPDX-License-Identifier: GPL-2.0
/*
 * Where the steps of a seed come from.
 */
#include "stress.h"

/**
 * rng_next - the next number (splitmix64)
 * @rng: the source
 *
 * Return: 64 bits.
 */
uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/**
 * rng_below - a number below another
 * @rng: the source
 * @n: not 0
 *
 * Return: 0 to @n - 1.
 */
unsigned int rng_below(struct rng *rng, unsigned int n)
{
	return (rng_next(rng) >> 33) % n;
}
