// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing a checkpoint: one pass, one copy, memory that does not depend on how
 * much it is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "private.h"

/* Keeps the first failure: what comes after is a consequence. */
__attribute__((format(printf, 3, 4))) static int
fail(struct store_writer *w, int err, const char *format, ...)
{
	va_list args;

	if (w->err)
		return w->err;
	va_start(args, format);
	vsnprintf(w->error, sizeof(w->error), format, args);
	va_end(args);
	w->err = err;
	return err;
}

static int write_failed(struct store_writer *w, int err)
{
	if (err == -ENOSPC)
		return fail(w, err,
			    "checkpoint %s does not fit: the disk, or what the store may take, is full; free some space or raise its limit",
			    w->header.head.id);
	return fail(w, err, "checkpoint %s cannot be written: %s",
		    w->header.head.id, strerror(-err));
}

/* ------------------------------------------------------------- blocks */

/* Puts the table into the file and begins the next one. */
static int put_table(struct store_writer *w)
{
	struct dirent_table *where;
	uint8_t *page;
	size_t room;
	int err;

	if (!w->table.n)
		return 0;
	if (w->trailer.n_tables == w->room) {
		room = w->room ? 2 * w->room : 64;
		where = reallocarray(w->tables, room, sizeof(*where));
		if (!where)
			return fail(w, -ENOMEM, "%s", strerror(ENOMEM));
		w->tables = where;
		w->room = room;
	}
	err = out_room(&w->out, FORMAT_PAGE, &page);
	if (err)
		return write_failed(w, err);
	format_put_table(page, &w->table);
	where = &w->tables[w->trailer.n_tables++];
	where->offset = out_at(&w->out);
	where->n = w->table.n;
	where->hash = format_page_hash(page);
	out_take(&w->out, FORMAT_PAGE);
	w->table.first += w->table.n;
	w->table.n = 0;
	return 0;
}

static int add_entry(struct store_writer *w, const struct entry *entry)
{
	if (entry->kind == ENTRY_ZERO) {
		w->trailer.zero++;
		w->zero += entry->len;
	} else if (entry->file) {
		w->trailer.same++;
		w->same += entry->len;
	} else {
		w->trailer.data++;
	}
	w->trailer.n_blocks++;
	w->table.entry[w->table.n++] = *entry;
	return w->table.n == FORMAT_ENTRIES ? put_table(w) : 0;
}

/* Where the parent has a block, as an entry of ours; false if it has none. */
static int parent_entry(struct store_writer *w, size_t index, uint64_t offset,
			struct entry *entry)
{
	const struct store_reader *parent = w->parent;
	uint64_t block;
	int err;

	block = parent->first[w->match[index]] + offset / STORE_BLOCK;
	err = reader_entry(w->parent, block, entry);
	if (err)
		return fail(w, err, "%s", store_reader_error(parent));
	if (entry->kind == ENTRY_DATA)
		entry->file++;
	return 0;
}

/*
 * One block, from where it is into the room for the next bytes of the file, and
 * there, in the cache, it is looked at. It stays there only if nobody has it.
 */
static int put_block(struct store_writer *w, int match, size_t index,
		     uint64_t offset, const void *from, size_t len,
		     store_copy_fn *copy)
{
	struct entry entry = { .len = (uint32_t)len, .kind = ENTRY_ZERO };
	struct entry old = { .len = 0 };
	uint8_t *room;
	int err;

	err = out_room(&w->out, STORE_BLOCK, &room);
	if (err)
		return write_failed(w, err);
	copy(room, from, len);
	w->looked += len;
	if (format_is_zero(room, len))
		return add_entry(w, &entry);
	entry.kind = ENTRY_DATA;
	entry.hash = format_hash(room, len);
	if (match >= 0) {
		err = parent_entry(w, index, offset, &old);
		if (err)
			return err;
		if (old.kind == ENTRY_DATA && old.len == entry.len &&
		    format_same_hash(&old.hash, &entry.hash))
			return add_entry(w, &old);
	}
	memset(room + len, 0, PAGE_UP(len) - len);
	entry.offset = out_at(&w->out);
	out_take(&w->out, PAGE_UP(len));
	return add_entry(w, &entry);
}

/* ------------------------------------------------------------- begin */

/* What the file will take at most. */
static uint64_t most_bytes(const struct store_writer *w)
{
	uint64_t bytes, tables, blocks = format_blocks(STORE_STATE);
	uint32_t i;

	bytes = 2 * FORMAT_PAGE + PAGE_UP(w->header.n_buffers * FORMAT_BUFFER) +
		STORE_STATE;
	for (i = 0; i < w->header.n_buffers; i++) {
		bytes += PAGE_UP(w->buffer[i].size);
		blocks += format_blocks(w->buffer[i].size);
	}
	tables = blocks / FORMAT_ENTRIES + 1;
	return bytes + tables * FORMAT_PAGE + PAGE_UP(tables * FORMAT_DIRENT);
}

/*
 * A full one is refused before it is begun when it would not fit. One that adds
 * to a parent mostly takes less than its buffers, so that one is stopped when
 * what may be taken has been.
 */
static int check_room(struct store_writer *w, char *error)
{
	uint64_t most = most_bytes(w), room;
	int err = store_room(w->store, &room, error);

	if (err)
		return err;
	/* Most have no state worth the name. */
	if (!w->parent && most - STORE_STATE > room)
		return store_fail(error, -ENOSPC,
				  "a checkpoint of %llu MiB does not fit: the store may take %llu MiB more; free some space or raise its limit",
				  (unsigned long long)(most - STORE_STATE) >> 20,
				  (unsigned long long)room >> 20);
	w->out.limit = most < room ? most : room;
	return 0;
}

static int check_buffers(const struct store_buffer *buffer, size_t n,
			 struct header *header, char *error)
{
	size_t i, j;

	if (n > STORE_BUFFERS)
		return store_fail(error, -E2BIG,
				  "a checkpoint has at most %u buffers",
				  STORE_BUFFERS);
	for (i = 0; i < n; i++) {
		for (j = 0; j < i && buffer[j].id != buffer[i].id; j++)
			;
		if (j < i || !buffer[i].size)
			return store_fail(error, -EINVAL,
					  "buffer %u is there twice, or has no bytes",
					  buffer[i].id);
		if (!format_is_kind(buffer[i].kind))
			return store_fail(error, -EINVAL,
					  "buffer %u is of no kind that is known",
					  buffer[i].id);
		if (buffer[i].size > STORE_BYTES - header->bytes)
			return store_fail(error, -E2BIG,
					  "a checkpoint has at most %llu TiB",
					  STORE_BYTES >> 40);
		header->bytes += buffer[i].size;
	}
	header->n_buffers = (uint32_t)n;
	return 0;
}

/* Takes over the parent's parents and finds which buffer is which of its. */
static int take_parent(struct store_writer *w, char *error)
{
	struct header *header = &w->header;
	uint32_t i, j;
	int err;

	err = store_load(w->store, header->head.parent, &w->parent, error);
	if (err)
		return err;
	if (w->parent->header.n_parents == FORMAT_PARENTS)
		return store_fail(error, -EMLINK,
				  "checkpoint %s already needs %u others: make a full one",
				  header->head.parent, FORMAT_PARENTS);
	header->n_parents = w->parent->header.n_parents + 1;
	memcpy(header->parent[0].id, w->parent->header.head.id, STORE_ID_SIZE);
	header->parent[0].digest = w->parent->digest;
	memcpy(&header->parent[1], w->parent->header.parent,
	       w->parent->header.n_parents * sizeof(header->parent[0]));
	for (i = 0; i < header->n_buffers; i++) {
		for (j = 0; j < w->parent->header.n_buffers; j++) {
			if (w->parent->buffer[j].id == w->buffer[i].id &&
			    w->parent->buffer[j].size == w->buffer[i].size)
				w->match[i] = (int)j;
		}
	}
	return 0;
}

/* The part of a writer that needs no file; also for an export. */
int writer_new(struct store *store, const struct store_head *head,
	       const struct store_buffer *buffer, size_t n,
	       struct store_writer **writer, char *error)
{
	struct store_writer *w = calloc(1, sizeof(*w));
	size_t i;
	int err;

	*writer = NULL;
	if (!w)
		return store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	w->store = store;
	w->out.fd = -1;
	w->header.head = *head;
	err = check_buffers(buffer, n, &w->header, error);
	if (!err) {
		w->buffer = calloc(n + 1, sizeof(*w->buffer));
		w->match = calloc(n + 1, sizeof(*w->match));
		if (!w->buffer || !w->match)
			err = store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	}
	if (err) {
		store_abort(w);
		return err;
	}
	for (i = 0; i < n; i++) {
		w->buffer[i] = buffer[i];
		w->match[i] = -1;
	}
	*writer = w;
	return 0;
}

/* Writes what comes before the blocks. */
int writer_start(struct store_writer *w)
{
	size_t len = PAGE_UP(w->header.n_buffers * FORMAT_BUFFER), i;
	uint8_t *pages, *room;
	int err;

	pages = calloc(1, len + 1);
	if (!pages)
		return fail(w, -ENOMEM, "%s", strerror(ENOMEM));
	for (i = 0; i < w->header.n_buffers; i++)
		format_put_buffer(pages + i * FORMAT_BUFFER, &w->buffer[i]);
	w->header.buffers = format_hash(pages, len);
	err = out_room(&w->out, FORMAT_PAGE, &room);
	if (!err) {
		format_put_header(room, &w->header);
		w->trailer.header = format_page_hash(room);
		out_take(&w->out, FORMAT_PAGE);
	}
	for (i = 0; !err && i < len; i += FORMAT_PAGE) {
		err = out_room(&w->out, FORMAT_PAGE, &room);
		if (!err) {
			memcpy(room, pages + i, FORMAT_PAGE);
			out_take(&w->out, FORMAT_PAGE);
		}
	}
	free(pages);
	return err ? write_failed(w, err) : 0;
}

/* The file and the memory that leads to it. */
static int open_out(struct store_writer *w, char *error)
{
	bool direct = !w->store->options.no_ring;
	int fd, err;

	fd = store_new_file(w->store, &direct, error);
	if (fd < 0)
		return fd;
	err = out_open(&w->out, w->store->options.io, fd, direct,
		       w->store->options.no_ring);
	if (err) {
		close(fd);
		w->out.fd = -1;
		return store_fail(error, err,
				  "there is no memory to write with: %s",
				  strerror(-err));
	}
	err = check_room(w, error);
	if (!err && writer_start(w))
		err = store_fail(error, w->err, "%s", w->error);
	return err;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/**
 * store_begin() - begin a checkpoint
 * @store: where to
 * @head: what of; .id and .created are filled in where they are empty
 * @buffer: its buffers
 * @n: how many
 * @writer: where to put what the next calls want; ended by store_finish() or
 *	store_abort()
 * @error: why it failed
 *
 * Return: 0; -ENOSPC if it might not fit; -EMLINK if the parent needs too many
 * others; what store_load() says of the parent; another negative errno.
 */
int store_begin(struct store *store, struct store_head *head,
		const struct store_buffer *buffer, size_t n,
		struct store_writer **writer, char *error)
{
	struct store_writer *w;
	int err;

	*writer = NULL;
	if (!*head->id)
		store_new_id(head->id);
	if (!head->created)
		head->created = now();
	if (!store_is_id(head->id) || !strcmp(head->id, head->parent))
		return store_fail(error, -EINVAL,
				  "'%.40s' cannot be the id of a new checkpoint",
				  head->id);
	err = writer_new(store, head, buffer, n, &w, error);
	if (err)
		return err;
	if (*head->parent)
		err = take_parent(w, error);
	if (!err)
		err = open_out(w, error);
	if (err) {
		store_abort(w);
		return err;
	}
	*writer = w;
	return 0;
}

/* ------------------------------------------------------------- buffers */

static void plain_copy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

/* Goes on to the next buffer when one is complete. */
static void advance(struct store_writer *w, size_t len)
{
	w->offset += len;
	if (w->offset == w->buffer[w->index].size) {
		w->index++;
		w->offset = 0;
	}
}

static int check_turn(struct store_writer *w, size_t index, uint64_t offset)
{
	if (w->err)
		return w->err;
	if (index == w->index && offset == w->offset &&
	    index < w->header.n_buffers)
		return 0;
	return fail(w, -EINVAL,
		    "the buffers of a checkpoint are written in order, each from its start to its end");
}

/**
 * store_write() - write the next bytes of a buffer
 * @writer: the checkpoint
 * @index: which buffer: the one after the last that is complete
 * @offset: where in it: behind what was written
 * @from: the bytes, each of which is read once
 * @len: how many: whole blocks, but for the end of the buffer
 * @copy: how to read them, or NULL for memcpy()
 *
 * Return: 0 or a negative errno, also of an earlier write; then the checkpoint
 * can only be given up.
 */
int store_write(struct store_writer *writer, size_t index, uint64_t offset,
		const void *from, size_t len, store_copy_fn *copy)
{
	int err = check_turn(writer, index, offset);
	const uint8_t *byte = from;
	uint64_t left;
	size_t n;

	if (err)
		return err;
	left = writer->buffer[index].size - offset;
	if (len > left || (len < left && len % STORE_BLOCK))
		return fail(writer, -EINVAL,
			    "a buffer is written in whole blocks of %u bytes",
			    STORE_BLOCK);
	while (len) {
		n = len < STORE_BLOCK ? len : STORE_BLOCK;
		err = put_block(writer, writer->match[index], index, offset,
				byte, n, copy ? copy : plain_copy);
		if (err)
			return err;
		byte += n;
		offset += n;
		len -= n;
		advance(writer, n);
	}
	return 0;
}

/**
 * store_keep() - the next buffer is as it is in the parent
 * @writer: the checkpoint
 * @index: which buffer: the one after the last that is complete
 *
 * Return: 0; -ENOENT if the parent has no such buffer of that size: then it can
 * still be written; another negative errno.
 */
int store_keep(struct store_writer *writer, size_t index)
{
	struct entry entry;
	uint64_t offset, size;
	int err = check_turn(writer, index, 0);

	if (err)
		return err;
	if (writer->match[index] < 0)
		return store_fail(writer->error, -ENOENT,
				  "the parent has no buffer %u of this size",
				  writer->buffer[index].id);
	size = writer->buffer[index].size;
	for (offset = 0; offset < size; offset += STORE_BLOCK) {
		err = parent_entry(writer, index, offset, &entry);
		if (!err)
			err = add_entry(writer, &entry);
		if (err)
			return err;
	}
	advance(writer, size);
	return 0;
}

/**
 * store_state() - give the state of the work
 * @writer: the checkpoint
 * @state: the bytes, which are copied
 * @len: how many, at most STORE_STATE
 *
 * At any time between begin and finish; the last one counts.
 *
 * Return: 0 or a negative errno.
 */
int store_state(struct store_writer *writer, const void *state, size_t len)
{
	uint8_t *copy;

	if (writer->err)
		return writer->err;
	if (len > STORE_STATE)
		return fail(writer, -E2BIG, "a state has at most %u bytes",
			    STORE_STATE);
	copy = malloc(len + 1);
	if (!copy)
		return fail(writer, -ENOMEM, "%s", strerror(ENOMEM));
	if (len)
		memcpy(copy, state, len);
	free(writer->state);
	writer->state = copy;
	writer->trailer.state_size = (uint32_t)len;
	return 0;
}

/* ------------------------------------------------------------- finish */

static int put_state(struct store_writer *w)
{
	size_t left = w->trailer.state_size, n;
	const uint8_t *from = w->state;
	int err = 0;

	for (; !err && left; left -= n, from += n) {
		n = left < STORE_BLOCK ? left : STORE_BLOCK;
		err = put_block(w, -1, 0, 0, from, n, plain_copy);
	}
	return err;
}

/* The list of tables, as whole pages; its hash is taken over all of them. */
static int put_directory(struct store_writer *w)
{
	size_t len = PAGE_UP(w->trailer.n_tables * FORMAT_DIRENT), i;
	uint8_t *pages = calloc(1, len + 1), *room;
	int err = 0;

	if (!pages)
		return fail(w, -ENOMEM, "%s", strerror(ENOMEM));
	for (i = 0; i < w->trailer.n_tables; i++)
		format_put_dirent(pages + i * FORMAT_DIRENT, &w->tables[i]);
	w->trailer.tables = format_hash(pages, len);
	w->trailer.directory = out_at(&w->out);
	for (i = 0; !err && i < len; i += FORMAT_PAGE) {
		err = out_room(&w->out, FORMAT_PAGE, &room);
		if (!err) {
			memcpy(room, pages + i, FORMAT_PAGE);
			out_take(&w->out, FORMAT_PAGE);
		}
	}
	free(pages);
	return err ? write_failed(w, err) : 0;
}

/* Writes all that comes behind the buffers. */
int writer_end(struct store_writer *w)
{
	uint8_t *room;
	int err;

	if (w->err)
		return w->err;
	if (w->index < w->header.n_buffers)
		return fail(w, -EINVAL, "buffer %u has not been written",
			    w->buffer[w->index].id);
	err = put_state(w);
	if (!err)
		err = put_table(w);
	if (!err)
		err = put_directory(w);
	if (err)
		return err;
	err = out_room(&w->out, FORMAT_PAGE, &room);
	if (!err) {
		w->trailer.total = out_at(&w->out) + FORMAT_PAGE;
		memcpy(w->trailer.id, w->header.head.id, STORE_ID_SIZE);
		format_put_trailer(room, &w->trailer);
		out_take(&w->out, FORMAT_PAGE);
		err = out_end(&w->out);
	}
	return err ? write_failed(w, err) : 0;
}

/**
 * store_finish() - make a checkpoint that can be found
 * @writer: the checkpoint, all of whose buffers have been written; freed when
 *	this succeeds
 * @stats: where to put what it came to, or NULL
 *
 * When this returns 0 it is on the disk, name and all.
 *
 * Return: 0 or a negative errno; then store_writer_error() says why, and
 * store_abort() has to be called.
 */
int store_finish(struct store_writer *writer, struct store_stats *stats)
{
	int err = writer_end(writer);

	if (!err)
		err = store_publish(writer->store, writer->out.fd,
				    &writer->header, writer->error);
	if (err) {
		writer->err = err;
		return err;
	}
	if (stats)
		*stats = (struct store_stats){
			.bytes = writer->looked,
			.written = writer->trailer.total,
			.zero = writer->zero,
			.same = writer->same,
			.direct = writer->out.direct,
			.ring = writer->out.ring.async,
		};
	store_abort(writer);
	return 0;
}

/**
 * store_abort() - give a checkpoint up
 * @writer: it; may be NULL. Nothing of it stays behind
 */
void store_abort(struct store_writer *writer)
{
	if (!writer)
		return;
	out_close(&writer->out);
	if (writer->out.fd >= 0 && writer->store)
		close(writer->out.fd);
	store_unload(writer->parent);
	free(writer->state);
	free(writer->tables);
	free(writer->match);
	free(writer->buffer);
	free(writer);
}

/**
 * store_writer_error() - why the last call for a checkpoint failed
 * @writer: the checkpoint
 *
 * Return: a sentence without a full stop; as long as @writer is.
 */
const char *store_writer_error(const struct store_writer *writer)
{
	return writer->error;
}
