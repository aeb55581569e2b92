// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Objects with something in every member.
 */
#include "samples.h"

struct egpu_device sample_device(void)
{
	struct egpu_device dev = {
		.id = 7,
		.address = "0000:07:00.0",
		.state = EGPU_DEVICE_STATE_READY,
		.external = true,
		.marker = EGPU_MARKER_THUNDERBOLT,
		.vendor = 0x1002,
		.device = 0x73bf,
		.subsystem_vendor = 0x1da2,
		.subsystem_device = 0xe438,
		.class_code = 0x030000,
		.driver = "amdgpu",
		.port = "0000:04:01.0",
		.link_speed = 8000,
		.link_width = 4,
		.n_minors = 2,
		.minors = { { EGPU_MINOR_TYPE_PRIMARY, 1 },
			    { EGPU_MINOR_TYPE_RENDER, 129 } },
		.clients = 3,
		.cookie = 0x123456789abcdefULL,
		.since = 5,
		.at_load = true,
		.seq = 11,
		.time = 12,
	};

	return dev;
}

struct egpu_removal sample_removal(void)
{
	struct egpu_removal rem = {
		.cookie = 0xfedcba9876543210ULL,
		.id = 7,
		.address = "0000:07:00.0",
		.origin = EGPU_ORIGIN_OTHERS,
		.phase = EGPU_PHASE_DONE,
		.release = EGPU_RELEASE_HELPER_DIED,
		.cause = EGPU_CAUSE_SURPRISE,
		.evidence = EGPU_EVIDENCE_MARKED | EGPU_EVIDENCE_ABSENT,
		.clients = 2,
		.force = true,
		.timeout_ms = 2000,
		.created = 1,
		.accepted = 2,
		.released = 3,
		.unbound = 4,
		.finished = 5,
		.helper = 4242,
		.reason = "because",
		.external = true,
		.vendor = 0x1002,
		.device = 0x73bf,
		.driver = "amdgpu",
		.port = "0000:04:01.0",
		.n_minors = 1,
		.minors = { { EGPU_MINOR_TYPE_PRIMARY, 1 } },
		.seq = 13,
		.time = 14,
		.step = EGPU_STEP_DRAIN,
		.vouched = true,
	};

	return rem;
}

struct egpu_buffer sample_buffer(void)
{
	struct egpu_buffer buffer = {
		.id = 7,
		.client_id = 99,
		.pid = 1234,
		.minor = { EGPU_MINOR_TYPE_RENDER, 129 },
		.handle = 3,
		.size = 5ULL << 32,
		.dma_buf = 0xdeadbeef12ULL,
		.imported = true,
		.pending = 2,
		.present = 1ULL << EGPU_A_BUFFER_WRITE_CONTEXT,
		.write_context = 6ULL << 32,
		.write_seqno = 7ULL << 32,
	};

	return buffer;
}

struct egpu_quiesce sample_quiesce(void)
{
	struct egpu_quiesce quiesce = {
		.id = 7,
		.state = EGPU_QUIESCE_STATE_FENCED,
		.result = EGPU_DRAIN_RESULT_TIMED_OUT,
		.owner = 4242,
		.timeout_ms = 5000,
		.clients = 2,
		.buffers = 10000,
		.passes = 3,
		.waited = 17,
		.pending = 4,
		.started = 1,
		.ended = 2,
		.n_culprits = 2,
		.culprits = { { .pid = 1234,
				.comm = "glxgears",
				.client_id = 99,
				.minor = { EGPU_MINOR_TYPE_RENDER, 129 },
				.fences = 3 },
			      { .comm = "Xorg",
				.minor = { EGPU_MINOR_TYPE_PRIMARY, 1 },
				.fences = 1 } },
		.seq = 15,
		.time = 16,
	};

	return quiesce;
}

struct egpu_migration sample_migration(void)
{
	struct egpu_migration migration = {
		.size = sizeof(migration),
		.migration = 1ULL << 40,
		.phase = EGPU_MIGRATION_PHASE_COMPLETED,
		.id = 7,
		.target = 8,
		.cookie = 2ULL << 32,
		.pid = 1234,
		.comm = "fifteen letters",
		.bytes = 3ULL << 32,
		.duration = 4ULL << 32,
		.still = 5ULL << 32,
		.lost = 6ULL << 32,
		.checkpoint = "2026-11-21-0123456789abcdef",
		.reason = "the GPU is ejected",
		.helper = 4242,
		.seq = 17,
		.time = 18,
	};

	return migration;
}
