// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What fuzz_wire begins with: a good message of each type.
 *
 *   seed_wire DIR
 */
#include "../tests/wire_samples.h"
#include "seeds.h"

int main(int argc, char **argv)
{
	struct wire_message message;
	size_t i;

	for (i = 0; argc == 2 && i < wire_types_n; i++) {
		uint32_t type = wire_types[i];
		FILE *f = seed_file(argv[1], wire_type_name(type));

		if (!f)
			return 1;
		wire_sample(&message, type);
		fputc((wire_sample_side(type) == WIRE_DAEMON) |
			      wire_sample_has_fd(type) << 1,
		      f);
		fwrite(&message, 1, wire_size(type), f);
		if (fclose(f))
			return 1;
	}
	return argc == 2 ? 0 : 2;
}
