/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_SAMPLES_H
#define TESTS_SAMPLES_H

#include "../lib/private.h"

struct egpu_device sample_device(void);
struct egpu_removal sample_removal(void);
struct egpu_buffer sample_buffer(void);
struct egpu_quiesce sample_quiesce(void);
struct egpu_migration sample_migration(void);

#endif
