/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that the family tells, to see whether a message has changed any of it.
 */
#ifndef EGPU_TEST_SNAPSHOT_H
#define EGPU_TEST_SNAPSHOT_H

#include "family.h"

/**
 * struct snapshot - settings, rules, devices and removals as they came
 * @error: negative errno when they could not be had
 * @len: bytes in @data
 * @data: the attributes of all replies, those of the settings first
 */
struct snapshot {
	int error;
	size_t len;
	char data[65536];
};

void snapshot_take(struct snapshot *snapshot, struct nl *nl,
		   const struct family *family);
bool snapshot_same(const struct snapshot *a, const struct snapshot *b);

#endif /* EGPU_TEST_SNAPSHOT_H */
