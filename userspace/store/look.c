// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading blocks. Whoever reads on is read ahead for, so that the disk always
 * has something to do; nothing leaves here that has not been verified.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* ------------------------------------------------------------- where it is */

/* Which buffer a block is of; .n_buffers for the state. */
static uint32_t buffer_of(const struct store_reader *r, uint64_t block)
{
	uint32_t low = 0, high = r->header.n_buffers;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (block < r->first[middle + 1])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint64_t size_of(const struct store_reader *r, uint32_t index)
{
	return index < r->header.n_buffers ? r->buffer[index].size :
					     r->trailer.state_size;
}

/* How many bytes of a block mean something. */
static uint32_t length_of(const struct store_reader *r, uint64_t block)
{
	uint32_t index = buffer_of(r, block);
	uint64_t left = size_of(r, index) -
			(block - r->first[index]) * STORE_BLOCK;

	return left < STORE_BLOCK ? (uint32_t)left : STORE_BLOCK;
}

/*
 * The blocks of this file follow each other without a gap up to the table, and
 * those of parents are within them: so nothing can overlap, and no byte of the
 * file is without a meaning.
 */
static bool is_in_place(const struct store_reader *r, uint64_t k,
			const struct table *table)
{
	uint64_t at = FORMAT_PAGE + PAGE_UP(r->header.n_buffers * FORMAT_BUFFER);
	const struct entry *entry;
	uint64_t len;
	uint32_t i;

	if (k)
		at = r->tables[k - 1].offset + FORMAT_PAGE;
	if (table->first != k * FORMAT_ENTRIES)
		return false;
	for (i = 0; i < table->n; i++) {
		entry = &table->entry[i];
		len = PAGE_UP(entry->len);
		if (entry->len != length_of(r, table->first + i) ||
		    entry->file > r->header.n_parents)
			return false;
		if (entry->kind == ENTRY_ZERO)
			continue;
		if (!entry->file && entry->offset != at)
			return false;
		if (!entry->file)
			at += len;
		else if (entry->offset >= r->size[entry->file] ||
			 len > r->size[entry->file] - entry->offset)
			return false;
	}
	return at == r->tables[k].offset;
}

static int load_table(struct store_reader *r, uint64_t k)
{
	int err;

	if (r->has_table && r->table.first == k * FORMAT_ENTRIES)
		return 0;
	r->has_table = false;
	err = io_read_all(r->io, r->fd[0], r->page, FORMAT_PAGE,
			  r->tables[k].offset);
	if (err)
		return store_fail(r->error, err,
				  "checkpoint %s: a table cannot be read: %s",
				  r->header.head.id, strerror(-err));
	err = format_get_table(r->page, &r->tables[k], &r->table, r->error);
	if (!err && !is_in_place(r, k, &r->table))
		err = store_fail(r->error, -EBADMSG,
				 "checkpoint %s: the table at %" PRIu64
				 " points to places that are not its own",
				 r->header.head.id, r->tables[k].offset);
	r->has_table = !err;
	return err;
}

/* Where a block is. */
int reader_entry(struct store_reader *reader, uint64_t block,
		 struct entry *entry)
{
	int err;

	if (block >= reader->trailer.n_blocks)
		return store_fail(reader->error, -EINVAL,
				  "checkpoint %s has no block %" PRIu64,
				  reader->header.head.id, block);
	err = load_table(reader, block / FORMAT_ENTRIES);
	if (!err)
		*entry = reader->table.entry[block % FORMAT_ENTRIES];
	return err;
}

/* ------------------------------------------------------------- ahead */

/*
 * Puts as many blocks into a slot as can be read at once: they follow each other
 * in one file; zeros need no reading.
 */
static int start_slot(struct store_reader *r, unsigned int slot)
{
	struct ahead *ahead = &r->ahead[slot];
	uint64_t start = 0;
	size_t len = 0;
	int file = 0, err = 0;
	struct entry e;

	ahead->first = r->planned;
	ahead->n = 0;
	while (ahead->n < FORMAT_ENTRIES && r->planned < r->limit) {
		err = reader_entry(r, r->planned, &e);
		if (err)
			break;
		if (e.kind == ENTRY_DATA && len &&
		    (e.file != file || e.offset != start + len ||
		     len + PAGE_UP(e.len) > r->ring.size))
			break;
		if (e.kind == ENTRY_DATA && !len) {
			file = e.file;
			start = e.offset;
		}
		if (e.kind == ENTRY_DATA)
			len += PAGE_UP(e.len);
		ahead->entry[ahead->n++] = e;
		r->planned++;
	}
	if (!ahead->n)
		return err;
	ahead->has_data = len != 0;
	if (!len)
		return 0;
	/* What fails here is found again by who waits for it. */
	ring_start(&r->ring, slot, r->fd[file], false, len, start);
	return 0;
}

/* Starts reads as long as there are free slots and something to read. */
static int plan(struct store_reader *r)
{
	int err;

	while (r->used < r->ring.n && r->planned < r->limit) {
		err = start_slot(r, (r->head + r->used) % r->ring.n);
		/* It may be that nobody will want what is damaged. */
		if (err)
			return r->used ? 0 : err;
		r->used++;
	}
	return 0;
}

/* Forgets the oldest slot. */
static void drop(struct store_reader *r)
{
	ring_wait(&r->ring, r->head);
	r->head = (r->head + 1) % r->ring.n;
	r->used--;
}

/* Makes the oldest slot the one that has @block. */
static int seek(struct store_reader *r, uint64_t block)
{
	const struct ahead *ahead;
	int err;

	if (!r->has_ring) {
		err = ring_open(&r->ring, r->io, r->direct,
				r->store->options.no_ring);
		if (err)
			return store_fail(r->error, err,
					  "there is no memory to read with: %s",
					  strerror(-err));
		r->has_ring = true;
	}
	while (r->used) {
		ahead = &r->ahead[r->head];
		if (block >= ahead->first && block - ahead->first < ahead->n)
			break;
		drop(r);
	}
	if (!r->used && r->planned != block)
		r->planned = block;
	if (r->limit <= block)
		r->limit = block + 1;
	return plan(r);
}

/*
 * @block will be wanted, and those after it up to @limit; all that follow if it
 * is where the last reader stopped.
 */
void reader_will_want(struct store_reader *reader, uint64_t block,
		      uint64_t limit)
{
	bool goes_on = block == reader->next || block + 1 == reader->next;

	reader->limit = goes_on ? reader->trailer.n_blocks : limit;
	reader->next = limit;
}

/* ------------------------------------------------------------- verified */

static int bad_block(struct store_reader *r, uint64_t block,
		     const struct entry *entry)
{
	uint32_t index = buffer_of(r, block);
	char what[64];

	if (index < r->header.n_buffers)
		snprintf(what, sizeof(what), "buffer %" PRIu32,
			 r->buffer[index].id);
	else
		snprintf(what, sizeof(what), "the state");
	return store_fail(r->error, -EBADMSG,
			  "checkpoint %s is damaged: the checksum of %s at %" PRIu64
			  " is wrong (file %s, offset %" PRIu64 ")",
			  r->header.head.id, what,
			  (block - r->first[index]) * STORE_BLOCK,
			  entry->file ? r->header.parent[entry->file - 1].id :
					r->header.head.id,
			  entry->offset);
}

/*
 * The bytes of a block, verified, and zeros up to the next page; NULL if it is
 * zero. They stay until the next call.
 */
int reader_block(struct store_reader *reader, uint64_t block,
		 const uint8_t **data, struct entry *entry)
{
	const struct ahead *ahead;
	struct hash hash;
	int err = seek(reader, block);

	*data = NULL;
	if (err)
		return err;
	ahead = &reader->ahead[reader->head];
	*entry = ahead->entry[block - ahead->first];
	if (entry->kind == ENTRY_ZERO)
		return 0;
	err = ring_wait(&reader->ring, reader->head);
	if (err)
		return store_fail(reader->error, err,
				  "checkpoint %s cannot be read: %s",
				  reader->header.head.id, strerror(-err));
	*data = ring_memory(&reader->ring, reader->head) +
		(entry->offset - reader->ring.slot[reader->head].offset);
	hash = format_hash(*data, entry->len);
	if (format_same_hash(&hash, &entry->hash) &&
	    format_is_zero(*data + entry->len, PAGE_UP(entry->len) - entry->len))
		return 0;
	*data = NULL;
	return bad_block(reader, block, entry);
}

/* Copies from blocks that begin with @first; the range is known to be there. */
static int read_range(struct store_reader *r, uint64_t first, uint64_t offset,
		      uint8_t *to, size_t len)
{
	uint64_t block = first + offset / STORE_BLOCK;
	size_t skip = offset % STORE_BLOCK, n;
	const uint8_t *data;
	struct entry entry;
	int err;

	reader_will_want(r, block, first + format_blocks(offset + len));
	for (; len; block++, skip = 0) {
		err = reader_block(r, block, &data, &entry);
		if (err)
			return err;
		n = entry.len - skip < len ? entry.len - skip : len;
		if (data)
			memcpy(to, data + skip, n);
		else
			memset(to, 0, n);
		to += n;
		len -= n;
	}
	return 0;
}

/**
 * store_read() - read from a buffer of a checkpoint
 * @reader: the checkpoint
 * @index: which buffer, in the order of store_buffers()
 * @offset: from where in it
 * @to: where to; what is there after a failure means nothing
 * @len: bytes
 *
 * Reading one buffer after the other from the start is fast; any other order
 * works as well.
 *
 * Return: 0; -EBADMSG if the bytes are not what was written; -EINVAL if the
 * buffer has none there; another negative errno.
 */
int store_read(struct store_reader *reader, size_t index, uint64_t offset,
	       void *to, size_t len)
{
	if (index >= reader->header.n_buffers ||
	    offset > reader->buffer[index].size ||
	    len > reader->buffer[index].size - offset)
		return store_fail(reader->error, -EINVAL,
				  "checkpoint %s has no such bytes",
				  reader->header.head.id);
	return read_range(reader, reader->first[index], offset, to, len);
}

/**
 * store_read_state() - read the state of a checkpoint
 * @reader: the checkpoint
 * @state: where to put it, for free(); NULL if there is none
 * @len: where to put its length
 *
 * Return: as store_read().
 */
int store_read_state(struct store_reader *reader, void **state, size_t *len)
{
	size_t size = reader->trailer.state_size;
	int err;

	*state = NULL;
	*len = 0;
	if (!size)
		return 0;
	*state = malloc(size);
	if (!*state)
		return store_fail(reader->error, -ENOMEM, "%s",
				  strerror(ENOMEM));
	err = read_range(reader, reader->first[reader->header.n_buffers], 0,
			 *state, size);
	if (err) {
		free(*state);
		*state = NULL;
		return err;
	}
	*len = size;
	return 0;
}

/**
 * store_verify() - look at every byte of a checkpoint
 * @reader: the checkpoint
 *
 * Return: 0 if all is as it was written, blocks that are in its parents
 * included; -EBADMSG if not; another negative errno.
 */
int store_verify(struct store_reader *reader)
{
	const struct trailer *t = &reader->trailer;
	uint64_t block, data_blocks = 0, zero = 0, same = 0;
	const uint8_t *data;
	struct entry entry;
	int err;

	reader->next = 0;
	reader_will_want(reader, 0, t->n_blocks);
	for (block = 0; block < t->n_blocks; block++) {
		err = reader_block(reader, block, &data, &entry);
		if (err)
			return err;
		if (entry.kind == ENTRY_ZERO)
			zero++;
		else if (entry.file)
			same++;
		else
			data_blocks++;
	}
	if (data_blocks == t->data && zero == t->zero && same == t->same)
		return 0;
	return store_fail(reader->error, -EBADMSG,
			  "checkpoint %s has other blocks than its end says",
			  reader->header.head.id);
}
