// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: what passes for a message, on either side.
 *
 * The first byte of an input says who has sent the rest, and whether a
 * descriptor came with it.
 */
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "../common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_text(const char *text, size_t size)
{
	require(strnlen(text, size) < size && text_is_printable(text));
}

#define REQUIRE_TEXT(array) require_text(array, sizeof(array))

static void require_buffer(const struct wire_buffer *buffer)
{
	REQUIRE_TEXT(buffer->name);
	require(buffer->id && buffer->size && buffer->size <= WIRE_SIZE_MAX);
	require(buffer->width <= WIRE_SIDE_MAX &&
		buffer->height <= WIRE_SIDE_MAX);
	require(!buffer->format ||
		(uint64_t)buffer->stride * (buffer->height - 1) < buffer->size);
}

/* What the receivers rely on without looking again. */
static void require_bounds(const struct wire_message *message, bool has_fd)
{
	switch (message->type) {
	case WIRE_HELLO:
		REQUIRE_TEXT(message->hello.name);
		break;
	case WIRE_ADD:
	case WIRE_MOVE_BUFFER:
		require(has_fd);
		require_buffer(&message->buffer);
		break;
	case WIRE_SAFE:
		require(has_fd == !!message->safe.state_size);
		require(message->safe.state_size <= WIRE_STATE_MAX);
		break;
	case WIRE_UNABLE:
	case WIRE_CONFIRM:
	case WIRE_REPLY:
	case WIRE_FAILED:
	case WIRE_ERROR:
		REQUIRE_TEXT(message->result.text);
		require(message->result.error >= 0 &&
			message->result.error < 4096);
		break;
	case WIRE_MOVE_BEGIN:
		REQUIRE_TEXT(message->move.address);
		REQUIRE_TEXT(message->move.node);
		REQUIRE_TEXT(message->move.checkpoint);
		require(message->move.n_buffers <= WIRE_BUFFERS_MAX);
		require(message->move.state_size <= WIRE_STATE_MAX);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_message message;
	enum wire_side side;
	bool has_fd;

	if (!size || size - 1 > sizeof(message))
		return 0;
	side = data[0] & 1 ? WIRE_DAEMON : WIRE_PROGRAM;
	has_fd = data[0] & 2;
	memset(&message, 0xff, sizeof(message));
	memcpy(&message, data + 1, size - 1);
	if (wire_check(&message, size - 1, side, has_fd))
		return 0;
	require(wire_size(message.type) == size - 1);
	require(strcmp(wire_type_name(message.type), "unknown"));
	require_bounds(&message, has_fd);
	return 0;
}
