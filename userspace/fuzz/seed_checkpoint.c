// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What fuzz_checkpoint begins with: small checkpoints of each kind.
 *
 *   seed_checkpoint DIR
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../store/private.h"

/* One file of the corpus: the byte that has checksums put right, then all. */
static bool copy_seed(const char *dir, const char *from, const char *name)
{
	static uint8_t bytes[1 << 20];
	char path[4096];
	FILE *in, *out;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	in = fopen(from, "re");
	out = fopen(path, "we");
	if (in && out) {
		n = fread(bytes, 1, sizeof(bytes), in);
		fputc(1, out);
		fwrite(bytes, 1, n, out);
	}
	if (in)
		fclose(in);
	return out && !fclose(out) && n;
}

static int save(struct store *store, struct store_head *head, size_t n,
		size_t state, char *error)
{
	static const uint64_t size[] = { 100, 4096, 70000, 65536 };
	struct store_buffer buffer[4] = { 0 };
	static uint8_t bytes[70000];
	struct store_writer *writer;
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		buffer[i].id = (uint32_t)i + 1;
		buffer[i].kind = 3;
		buffer[i].size = size[i];
	}
	err = store_begin(store, head, buffer, n, &writer, error);
	if (err)
		return err;
	for (i = 0; !err && i < n; i++) {
		memset(bytes, i == 3 ? 0 : (int)i + 1, size[i]);
		err = store_write(writer, i, 0, bytes, size[i], NULL);
	}
	if (!err)
		err = store_state(writer, bytes, state);
	if (!err)
		err = store_finish(writer, NULL);
	if (err) {
		memcpy(error, store_writer_error(writer), STORE_ERROR);
		store_abort(writer);
	}
	return err;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/egpu-seed-XXXXXX", path[128], name[16];
	char error[STORE_ERROR] = "out of memory";
	struct store_head head;
	struct store *store;
	int i, err;

	if (argc != 2) {
		fputs("usage: seed_checkpoint DIR\n", stderr);
		return 2;
	}
	if (!mkdtemp(dir) || store_open(&store, dir, NULL, error)) {
		fprintf(stderr, "seed_checkpoint: %s\n", error);
		return 1;
	}
	for (i = 0, err = 0; !err && i < 6; i++) {
		memset(&head, 0, sizeof(head));
		strcpy(head.program, "seed");
		err = save(store, &head, i < 5 ? (size_t)i : 4, i % 3 * 100,
			   error);
		if (err)
			break;
		snprintf(path, sizeof(path), "%s/%s%s", dir, head.id,
			 STORE_SUFFIX);
		snprintf(name, sizeof(name), "seed-%d", i);
		if (!copy_seed(argv[1], path, name)) {
			err = -1;
			strcpy(error, "the corpus cannot be written");
		}
		unlink(path);
	}
	store_close(store);
	rmdir(dir);
	if (err)
		fprintf(stderr, "seed_checkpoint: %s\n", error);
	return err ? 1 : 0;
}
