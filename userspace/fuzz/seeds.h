/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include <stdio.h>

/* A file of a corpus, to be written and closed; NULL when it cannot be. */
static inline FILE *seed_file(const char *dir, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return fopen(path, "we");
}

#endif
