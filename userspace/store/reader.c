// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opening a checkpoint: all that is not data is looked at before anything is
 * given away, and what it takes in memory is bounded by the size of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

static int damaged(char *error, const char *what)
{
	return store_fail(error, -EBADMSG,
			  "%s has values that no checkpoint has", what);
}

static int cannot_read(char *error, int err)
{
	if (err == -EBADMSG)
		return store_fail(error, err,
				  "the file ends too early: it was cut off");
	return store_fail(error, err, "the file cannot be read: %s",
			  strerror(-err));
}

/**
 * reader_summary() - read and check the first and the last page of a file
 * @io: the system calls
 * @fd: the file, from anybody
 * @header: where to put what the first says
 * @trailer: and what the last says
 * @digest: hash that covers all that the file holds
 * @size: bytes of the file
 * @error: why it failed
 *
 * Return: 0, -EBADMSG if it is damaged, another negative errno.
 */
int reader_summary(const struct store_io *io, int fd, struct header *header,
		   struct trailer *trailer, struct hash *digest, uint64_t *size,
		   char *error)
{
	_Alignas(FORMAT_PAGE) uint8_t page[FORMAT_PAGE];
	struct hash first;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return cannot_read(error, -errno);
	*size = (uint64_t)st.st_size;
	if (!S_ISREG(st.st_mode))
		return store_fail(error, -EBADMSG, "this is no regular file");
	err = io_read_all(io, fd, page, sizeof(page), 0);
	if (err)
		return cannot_read(error, err);
	err = format_get_header(page, header, error);
	if (err)
		return err;
	first = format_page_hash(page);
	if (*size < 2 * FORMAT_PAGE || *size % FORMAT_PAGE)
		return store_fail(error, -EBADMSG,
				  "the file has a length that no checkpoint has: it was cut off, or something was added to it");
	err = io_read_all(io, fd, page, sizeof(page), *size - FORMAT_PAGE);
	if (err)
		return cannot_read(error, err);
	err = format_get_trailer(page, trailer, error);
	if (err)
		return err;
	*digest = format_page_hash(page);
	if (trailer->total != *size || strcmp(trailer->id, header->head.id) ||
	    !format_same_hash(&trailer->header, &first))
		return store_fail(error, -EBADMSG,
				  "the end and the beginning are not of the same checkpoint");
	return 0;
}

/* Reads whole pages from anywhere into memory that is freed by the caller. */
static int read_pages(struct store_reader *r, uint64_t offset, size_t len,
		      uint8_t **pages, char *error)
{
	int err;

	*pages = aligned_alloc(FORMAT_PAGE, len ? len : FORMAT_PAGE);
	if (!*pages)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	err = io_read_all(r->io, r->fd[0], *pages, len, offset);
	if (!err)
		return 0;
	free(*pages);
	*pages = NULL;
	return cannot_read(error, err);
}

static int load_buffers(struct store_reader *r, char *error)
{
	uint32_t n = r->header.n_buffers, i;
	uint8_t *pages;
	int err;

	r->buffer = calloc(n + 1, sizeof(*r->buffer));
	r->first = calloc(n + 2, sizeof(*r->first));
	if (!r->buffer || !r->first)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	err = read_pages(r, FORMAT_PAGE, PAGE_UP(n * FORMAT_BUFFER), &pages,
			 error);
	if (err)
		return err;
	err = format_get_buffers(pages, &r->header, r->buffer, error);
	free(pages);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		r->first[i + 1] = r->first[i] + format_blocks(r->buffer[i].size);
	r->first[n + 1] = r->first[n] + format_blocks(r->trailer.state_size);
	return 0;
}

/* Where the first block is. */
static uint64_t data_start(const struct store_reader *r)
{
	return FORMAT_PAGE + PAGE_UP(r->header.n_buffers * FORMAT_BUFFER);
}

/* The numbers of the trailer against each other, the buffers and the file. */
static bool is_plausible(const struct store_reader *r)
{
	const struct trailer *t = &r->trailer;

	return t->n_blocks == r->first[r->header.n_buffers + 1] &&
	       t->n_tables ==
		       (t->n_blocks + FORMAT_ENTRIES - 1) / FORMAT_ENTRIES &&
	       t->data <= t->n_blocks && t->zero <= t->n_blocks &&
	       t->same <= t->n_blocks &&
	       t->data + t->zero + t->same == t->n_blocks &&
	       t->n_tables < t->total / FORMAT_PAGE && t->directory < t->total &&
	       t->directory + PAGE_UP(t->n_tables * FORMAT_DIRENT) +
			       FORMAT_PAGE ==
		       t->total &&
	       t->directory >= data_start(r) + t->n_tables * FORMAT_PAGE;
}

/* Tables come in order, each full but the last, the last before the directory. */
static bool take_directory(struct store_reader *r, const uint8_t *pages)
{
	uint64_t end = data_start(r), left = r->trailer.n_blocks, i;
	uint32_t n;

	for (i = 0; i < r->trailer.n_tables; i++) {
		n = left < FORMAT_ENTRIES ? (uint32_t)left : FORMAT_ENTRIES;
		if (!format_get_dirent(pages + i * FORMAT_DIRENT, &r->tables[i]) ||
		    r->tables[i].n != n || r->tables[i].offset < end ||
		    r->tables[i].offset % FORMAT_PAGE ||
		    r->tables[i].offset >= r->trailer.directory)
			return false;
		left -= n;
		end = r->tables[i].offset + FORMAT_PAGE;
	}
	return end == r->trailer.directory;
}

static int load_directory(struct store_reader *r, char *error)
{
	size_t len, pages_len;
	struct hash hash;
	uint8_t *pages;
	int err = 0;

	if (!is_plausible(r))
		return damaged(error, "the end");
	len = r->trailer.n_tables * FORMAT_DIRENT;
	pages_len = PAGE_UP(len);
	r->tables = calloc(r->trailer.n_tables + 1, sizeof(*r->tables));
	if (!r->tables)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	err = read_pages(r, r->trailer.directory, pages_len, &pages, error);
	if (err)
		return err;
	hash = format_hash(pages, pages_len);
	if (!format_same_hash(&hash, &r->trailer.tables))
		err = store_fail(error, -EBADMSG,
				 "the list of tables is damaged: its checksum is wrong");
	else if (!format_is_zero(pages + len, pages_len - len) ||
		 !take_directory(r, pages))
		err = damaged(error, "the list of tables");
	free(pages);
	return err;
}

/* ------------------------------------------------------------- parents */

/* Opens a file of a store for reading; direct until that is refused. */
static int open_file(struct store_reader *r, const char *id)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char name[STORE_NAME];
	int fd;

	store_file_name(id, name);
	if (r->direct) {
		fd = r->io->open(r->store->dir, name, flags | O_DIRECT, 0);
		if (fd >= 0 || errno != EINVAL)
			return fd < 0 ? -errno : fd;
		r->direct = false;
	}
	fd = r->io->open(r->store->dir, name, flags, 0);
	return fd < 0 ? -errno : fd;
}

/* A parent's own parents are the rest of ours. */
static bool is_rest(const struct header *header, uint32_t n,
		    const struct header *parent)
{
	uint32_t i;

	if (parent->n_parents != header->n_parents - n - 1)
		return false;
	for (i = 0; i < parent->n_parents; i++) {
		if (strcmp(parent->parent[i].id, header->parent[n + 1 + i].id) ||
		    !format_same_hash(&parent->parent[i].digest,
				      &header->parent[n + 1 + i].digest))
			return false;
	}
	return true;
}

static int load_parent(struct store_reader *r, uint32_t n, char *error)
{
	const struct parent *parent = &r->header.parent[n];
	char why[STORE_ERROR];
	struct trailer trailer;
	struct header header;
	struct hash digest;
	int fd, err;

	fd = open_file(r, parent->id);
	if (fd < 0)
		return store_fail(error, fd,
				  "checkpoint %s, which it needs, %s%s",
				  parent->id,
				  fd == -ENOENT ? "is not there" :
						  "cannot be opened: ",
				  fd == -ENOENT ? "" : strerror(-fd));
	r->fd[n + 1] = fd;
	err = reader_summary(r->io, fd, &header, &trailer, &digest,
			     &r->size[n + 1], why);
	if (err)
		return store_fail(error, err,
				  "checkpoint %s, which it needs: %.160s",
				  parent->id, why);
	if (strcmp(header.head.id, parent->id) ||
	    !format_same_hash(&digest, &parent->digest) ||
	    !is_rest(&r->header, n, &header))
		return store_fail(error, -EBADMSG,
				  "checkpoint %s, which it needs, is not the one that it was made from",
				  parent->id);
	return 0;
}

/* ------------------------------------------------------------- whole */

static struct store_reader *new_reader(struct store *store)
{
	struct store_reader *r = calloc(1, sizeof(*r));
	int i;

	if (!r)
		return NULL;
	for (i = 0; i < STORE_CHAIN; i++)
		r->fd[i] = -1;
	r->store = store;
	r->io = store->options.io;
	r->page = aligned_alloc(FORMAT_PAGE, FORMAT_PAGE);
	r->ahead = calloc(RING_SLOTS, sizeof(*r->ahead));
	if (!r->page || !r->ahead) {
		store_unload(r);
		return NULL;
	}
	return r;
}

/* Everything but the blocks of the file that is open already. */
static int load(struct store_reader *r, char *error)
{
	uint32_t i;
	int err;

	err = reader_summary(r->io, r->fd[0], &r->header, &r->trailer,
			     &r->digest, &r->size[0], error);
	if (!err)
		err = load_buffers(r, error);
	if (!err)
		err = load_directory(r, error);
	for (i = 0; !err && i < r->header.n_parents; i++)
		err = load_parent(r, i, error);
	return err;
}

/* A file that has no name yet. @fd stays the caller's unless this succeeds. */
int reader_load_file(struct store *store, int fd, struct store_reader **reader,
		     char *error)
{
	struct store_reader *r = new_reader(store);
	int err;

	*reader = NULL;
	if (!r)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	r->fd[0] = fd;
	err = load(r, error);
	if (err) {
		r->fd[0] = -1;
		store_unload(r);
		return err;
	}
	*reader = r;
	return 0;
}

/* Names the checkpoint before the reason. */
static int load_failed(const char *id, int err, char *error)
{
	char why[STORE_ERROR];

	memcpy(why, error, sizeof(why));
	return store_fail(error, err, "checkpoint %s: %.200s", id, why);
}

/**
 * store_load() - open a checkpoint for reading
 * @store: where it is
 * @id: which; anybody's text
 * @reader: where to put it; ended by store_unload()
 * @error: why it failed
 *
 * Return: 0; -ENOENT if there is none of that name, or of one that it needs;
 * -EPROTONOSUPPORT if it is of another version; -EBADMSG if it is damaged;
 * another negative errno.
 */
int store_load(struct store *store, const char *id,
	       struct store_reader **reader, char *error)
{
	struct store_reader *r;
	int err;

	*reader = NULL;
	if (!store_is_id(id))
		return store_fail(error, -ENOENT,
				  "'%.40s' is not the id of a checkpoint", id);
	r = new_reader(store);
	if (!r)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	r->direct = !store->options.no_ring && !dir_is_memory(store->dir);
	r->fd[0] = open_file(r, id);
	if (r->fd[0] < 0)
		err = store_fail(error, r->fd[0], "%s",
				 r->fd[0] == -ENOENT ? "there is none" :
						       strerror(-r->fd[0]));
	else
		err = load(r, error);
	if (!err && strcmp(r->header.head.id, id))
		err = store_fail(error, -EBADMSG,
				 "its file holds another one, %s",
				 r->header.head.id);
	if (err) {
		store_unload(r);
		return load_failed(id, err, error);
	}
	*reader = r;
	return 0;
}

/**
 * store_unload() - end with a checkpoint
 * @reader: may be NULL
 */
void store_unload(struct store_reader *reader)
{
	int i;

	if (!reader)
		return;
	if (reader->has_ring)
		ring_close(&reader->ring);
	for (i = 0; i < STORE_CHAIN; i++) {
		if (reader->fd[i] >= 0)
			close(reader->fd[i]);
	}
	free(reader->ahead);
	free(reader->page);
	free(reader->tables);
	free(reader->first);
	free(reader->buffer);
	free(reader);
}

/**
 * store_head() - what a checkpoint is of
 * @reader: the checkpoint
 *
 * Return: what it says; as long as @reader is.
 */
const struct store_head *store_head(const struct store_reader *reader)
{
	return &reader->header.head;
}

/**
 * store_buffers() - the buffers of a checkpoint
 * @reader: the checkpoint
 * @n: where to put how many, or NULL
 *
 * Return: the buffers; as long as @reader is.
 */
const struct store_buffer *store_buffers(const struct store_reader *reader,
					 size_t *n)
{
	if (n)
		*n = reader->header.n_buffers;
	return reader->buffer;
}

/**
 * store_reader_error() - why the last call for a checkpoint failed
 * @reader: the checkpoint
 *
 * Return: a sentence without a full stop; as long as @reader is.
 */
const char *store_reader_error(const struct store_reader *reader)
{
	return reader->error;
}
