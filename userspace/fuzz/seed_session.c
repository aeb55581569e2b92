// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What fuzz_session begins with: lives of a session.
 *
 *   seed_session DIR
 */
#include "../tests/wire_samples.h"
#include "seeds.h"

/* Something of every kind; 0 ends it. A letter in @standing: it stands still. */
static const struct {
	const char *name;
	const char *standing;
	uint32_t type[8];
} lives[] = {
	{ "checkpoint",
	  "..x.",
	  { WIRE_WELCOME, WIRE_REPLY, WIRE_REACH, WIRE_GO_ON } },
	{ "move",
	  "..x...",
	  { WIRE_WELCOME, WIRE_REPLY, WIRE_REACH, WIRE_MOVE_BEGIN,
	    WIRE_MOVE_BUFFER, WIRE_MOVE_END } },
	{ "loss",
	  "......",
	  { WIRE_WELCOME, WIRE_REPLY, WIRE_LOST, WIRE_MOVE_BEGIN,
	    WIRE_MOVE_BUFFER, WIRE_MOVE_END } },
	{ "failure",
	  "....",
	  { WIRE_WELCOME, WIRE_REPLY, WIRE_LOST, WIRE_FAILED } },
	{ "refusal", ".", { WIRE_ERROR } },
};

static void put(FILE *f, uint32_t type, bool standing)
{
	struct wire_message message;

	wire_sample(&message, type);
	/* ADD of the one buffer has the first number after that of HELLO. */
	message.serial = 1;
	if (type == WIRE_MOVE_BUFFER) {
		message.buffer = (struct wire_buffer){ .id = 7,
						       .kind = WIRE_MEMORY,
						       .size = 4096 };
	}
	fputc(wire_size(type), f);
	fputc(wire_sample_has_fd(type) | standing << 2, f);
	fwrite(&message, 1, wire_size(type), f);
}

int main(int argc, char **argv)
{
	size_t i, n;
	FILE *f;

	if (argc != 2)
		return 2;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		f = seed_file(argv[1], lives[i].name);
		if (!f)
			return 1;
		for (n = 0; n < 8 && lives[i].type[n]; n++)
			put(f, lives[i].type[n], lives[i].standing[n] == 'x');
		if (fclose(f))
			return 1;
	}
	return 0;
}
