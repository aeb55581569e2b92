/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One good message of each type of the protocol between a program and egpud.
 */
#ifndef TESTS_WIRE_SAMPLES_H
#define TESTS_WIRE_SAMPLES_H

#include "../common/wire.h"

/* All of enum wire_type. */
extern const uint32_t wire_types[];
extern const size_t wire_types_n;

void wire_sample(struct wire_message *message, uint32_t type);
bool wire_sample_has_fd(uint32_t type);
enum wire_side wire_sample_side(uint32_t type);
unsigned int open_descriptors(void);
unsigned int descriptors_of(const char *name);

#endif
