/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A GPU with buffers in use.
 */
#ifndef BENCH_DUMB_H
#define BENCH_DUMB_H

/**
 * dumb_use() - open a card node and make buffers of one page each
 * @node: its path
 * @buffers: how many
 *
 * Return: the open file, which keeps them; ends the program on failure.
 */
int dumb_use(const char *node, unsigned int buffers);

#endif /* BENCH_DUMB_H */
