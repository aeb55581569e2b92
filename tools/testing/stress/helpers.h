/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The helpers, as the thread that listens serves them; it holds the lock.
 */
#ifndef EGPU_STRESS_HELPERS_H
#define EGPU_STRESS_HELPERS_H

#include "../selftests/egpu/family.h"

struct pollfd;

int helpers_poll(struct pollfd *fds);
int helpers_timeout(void);
void helpers_serve(const struct family *family);
void helpers_join(const struct family *family);

#endif /* EGPU_STRESS_HELPERS_H */
