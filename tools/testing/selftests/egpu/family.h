/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The family "egpu" as the tests use it.
 */
#ifndef EGPU_TEST_FAMILY_H
#define EGPU_TEST_FAMILY_H

#include <linux/egpu.h>

#include "netlink.h"

/**
 * struct family - what the kernel gave the family's names
 * @id: message type
 * @events: multicast group of everybody
 * @helper: multicast group of the helpers
 */
struct family {
	uint16_t id;
	uint32_t events;
	uint32_t helper;
};

/* What a test looks at in a removal, named as in the spec; times are ns of
 * CLOCK_BOOTTIME.
 */
struct removal {
	uint64_t seq;
	uint64_t cookie;
	uint32_t id;
	uint32_t origin;
	uint32_t phase;
	uint32_t release;
	uint32_t cause;
	uint32_t evidence;
	uint32_t clients;
	uint32_t helper;
	uint64_t created;
	uint64_t accepted;
	uint64_t released;
	uint64_t unbound;
	uint64_t finished;
	uint32_t timeout_ms;
	uint32_t step;
	bool vouched;
	bool external;
	char address[EGPU_ADDRESS_LEN + 1];
	char reason[EGPU_REASON_LEN + 1];
};

/* What a test looks at in a device, named as in the spec. */
struct gpu {
	uint32_t id;
	uint32_t state;
	bool external;
	uint32_t clients;
	uint64_t cookie;
	char address[EGPU_ADDRESS_LEN + 1];
};

/* What a test looks at in the quiescing of a GPU, named as in the spec. */
struct quiesce {
	uint64_t seq;
	uint32_t id;
	uint32_t state;
	uint32_t result;
	uint32_t owner;
	uint32_t clients;
	uint32_t buffers;
	uint32_t passes;
	uint32_t waited;
	uint32_t pending;
	uint64_t started;
	uint64_t ended;
};

/* What a test looks at in a migration, named as in the spec. */
struct migration {
	uint64_t seq;
	uint64_t migration;
	uint32_t phase;
	uint32_t id;
	uint32_t target;
	uint32_t pid;
	uint32_t helper;
	uint64_t lost;
	bool cpu;
	char reason[EGPU_REASON_LEN + 1];
};

int family_resolve(struct family *family);
int family_open(struct nl *nl, struct family *family);
void removal_read(struct removal *removal, const void *attrs, size_t len);
void gpu_read(struct gpu *gpu, const void *attrs, size_t len);
void quiesce_read(struct quiesce *quiesce, const void *attrs, size_t len);
void migration_read(struct migration *migration, const void *attrs, size_t len);
int gpu_get(struct nl *nl, const struct family *family, uint32_t id,
	    struct gpu *gpu);
int gpu_find(struct nl *nl, const struct family *family, bool external,
	     struct gpu *gpu);
int removal_get(struct nl *nl, const struct family *family, uint64_t cookie,
		struct removal *removal);
int step(struct nl *nl, const struct family *family, uint8_t cmd,
	 uint64_t cookie, struct answer *answer);
int quiesce_step(struct nl *nl, const struct family *family, uint8_t cmd,
		 uint32_t id, uint32_t timeout_ms, struct quiesce *quiesce);
int setting_set(struct nl *nl, const struct family *family, int attr,
		uint32_t value);
int override_set(struct nl *nl, const struct family *family,
		 const char *address, uint32_t placement);
uint64_t now_ns(void);

extern const char *const phase_names[];
extern const char *const release_names[];
extern const char *const quiesce_names[];
extern const char *const drain_names[];
extern const char *const migration_names[];

#endif /* EGPU_TEST_FAMILY_H */
