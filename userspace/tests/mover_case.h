/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of movers share: a store in a temporary directory, buffers in
 * memory, and a parent that waits for what a mover says.
 */
#ifndef TESTS_MOVER_CASE_H
#define TESTS_MOVER_CASE_H

#include "../mover/mover.h"

extern struct store *mover_store;
extern char mover_dir[64];

int mover_setup(void **state);
int mover_teardown(void **state);
void mover_reopen(const struct store_options *options);

void mover_fill(void *to, size_t len, unsigned int seed);
int mover_memory(size_t size, unsigned int seed);
void mover_overwrite(int fd, size_t size);
struct job_buffer mover_buffer(uint32_t id, int fd, uint64_t size);

bool mover_hear(struct mover *mover, struct mover_message *message);
void mover_end(struct mover *mover);
void mover_save_all(const struct save_job *job);
void mover_expect_failed(struct mover *mover, int err, const char *words);
size_t mover_checkpoints(void);

#endif
