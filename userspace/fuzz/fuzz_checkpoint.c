// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: what reads checkpoints, given anything.
 *
 * The first byte of an input says whether the checksums of the rest are put
 * right first: else hardly an input would get past the header.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../store/disk.h"
#include "../store/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LEN_MAX (1024u << 10)

static void put_hash(uint8_t to[16], const void *data, size_t len)
{
	struct hash hash = format_hash(data, len);

	memcpy(to, hash.byte, sizeof(hash.byte));
}

static void seal(uint8_t *page)
{
	put_hash(page + FORMAT_PAGE - 16, page, FORMAT_PAGE - 16);
}

/* Hashes of all tables, into what looks like a directory, and of that. */
static void seal_directory(uint8_t *file, size_t len,
			   struct disk_trailer *trailer)
{
	uint64_t at = trailer->directory, end = len - FORMAT_PAGE, i;
	struct disk_dirent *dirent;

	if (at % FORMAT_PAGE || at >= end)
		return;
	for (i = 0; i < (end - at) / FORMAT_DIRENT; i++) {
		dirent = (void *)(file + at + i * FORMAT_DIRENT);
		if (!dirent->offset || dirent->offset % FORMAT_PAGE ||
		    dirent->offset >= at)
			continue;
		seal(file + dirent->offset);
		memcpy(dirent->hash, file + dirent->offset + FORMAT_PAGE - 16,
		       16);
	}
	put_hash(trailer->tables, file + at, end - at);
}

static void put_right(uint8_t *file, size_t len)
{
	struct disk_header *header = (void *)file;
	struct disk_trailer *trailer;
	size_t list;

	if (len < 2 * FORMAT_PAGE || len % FORMAT_PAGE)
		return;
	trailer = (void *)(file + len - FORMAT_PAGE);
	list = PAGE_UP((size_t)(header->n_buffers % 2048) * FORMAT_BUFFER);
	if (list <= len - 2 * FORMAT_PAGE)
		put_hash(header->buffers, file + FORMAT_PAGE, list);
	seal(file);
	memcpy(trailer->header, header->hash, 16);
	seal_directory(file, len, trailer);
	seal((uint8_t *)trailer);
}

/* Everything that can be asked of a checkpoint. */
static void use(struct store_reader *reader)
{
	static uint8_t to[100000];
	const struct store_buffer *buffer;
	void *state;
	size_t n, i, len;

	buffer = store_buffers(reader, &n);
	for (i = 0; i < n; i++) {
		len = buffer[i].size < sizeof(to) ? buffer[i].size : sizeof(to);
		store_read(reader, i, buffer[i].size - len, to, len);
		store_read(reader, i, 0, to, len);
	}
	if (!store_read_state(reader, &state, &n))
		free(state);
	store_verify(reader);
	if (reader->header.bytes < 16 * LEN_MAX)
		store_export(reader, -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store store = {
		.dir = -1,
		.options = { .no_ring = true, .io = &store_io_real },
	};
	static _Alignas(FORMAT_PAGE) uint8_t file[LEN_MAX];
	struct store_reader *reader;
	char error[STORE_ERROR];
	int fd;

	if (!size || size - 1 > sizeof(file))
		return 0;
	memcpy(file, data + 1, size - 1);
	if (data[0] & 1)
		put_right(file, size - 1);
	fd = memfd_create("checkpoint", MFD_CLOEXEC);
	if (fd < 0 || write(fd, file, size - 1) != (ssize_t)(size - 1))
		abort();
	if (reader_load_file(&store, fd, &reader, error)) {
		close(fd);
		return 0;
	}
	use(reader);
	/* It has the descriptor now. */
	store_unload(reader);
	return 0;
}
