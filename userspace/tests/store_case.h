/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store in a directory of its own, and work whose bytes are known.
 */
#ifndef TESTS_STORE_CASE_H
#define TESTS_STORE_CASE_H

#include "../store/private.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

#define WORK_BUFFERS 8

/**
 * struct store_case - a store for one test
 * @dir: path of its directory, which goes with store_case_end()
 * @store: open
 * @error: why something failed
 */
struct store_case {
	char dir[64];
	struct store *store;
	char error[STORE_ERROR];
};

/**
 * struct work - buffers and a state
 * @n: buffers
 * @buffer: what they are
 * @data: their bytes
 * @keep: bit per buffer: say that it is as it was
 * @state: its state, may be NULL
 * @state_size: bytes of it
 * @head: for the next checkpoint; .id and .parent are filled in by work_save()
 */
struct work {
	size_t n;
	struct store_buffer buffer[WORK_BUFFERS];
	uint8_t *data[WORK_BUFFERS];
	unsigned int keep;
	uint8_t *state;
	size_t state_size;
	struct store_head head;
};

void store_case_begin(struct store_case *c, const char *under,
		      const struct store_options *options);
void store_case_reopen(struct store_case *c,
		       const struct store_options *options);
void store_case_end(struct store_case *c);
void store_case_path(const struct store_case *c, const char *id, char *path,
		     size_t size);
size_t store_case_files(const struct store_case *c);
uint8_t *store_case_bytes(const struct store_case *c, const char *id,
			  size_t *len);
void store_case_put(const struct store_case *c, const char *id,
		    const void *bytes, size_t len);

void work_fill(uint8_t *to, size_t len, uint64_t seed);
void work_begin(struct work *work, const uint64_t *size, size_t n,
		size_t state_size, uint64_t seed);
void work_end(struct work *work);
int work_save(struct store_case *c, struct work *work, const char *parent,
	      struct store_stats *stats);
int work_look(struct store_case *c, const char *id, const struct work *work);
void work_expect(struct store_case *c, const char *id, const struct work *work);

unsigned int open_files(void);

#endif
