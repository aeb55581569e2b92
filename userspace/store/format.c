// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From bytes to structs and back. Nothing here does I/O or takes memory, and
 * what comes from bytes has been checked as far as one page can be on its own:
 * its checksum, its numbers, that what means nothing is zero.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The library's choice of vector instructions at run time, where it has one. */
#ifdef __x86_64__
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include "../common/wire.h"
#include "disk.h"
#include "private.h"

_Static_assert(sizeof(struct disk_header) == FORMAT_PAGE, "a page");
_Static_assert(sizeof(struct disk_table) == FORMAT_PAGE, "a page");
_Static_assert(sizeof(struct disk_trailer) == FORMAT_PAGE, "a page");
_Static_assert(sizeof(struct disk_buffer) == FORMAT_BUFFER, "no padding");
_Static_assert(sizeof(struct disk_dirent) == FORMAT_DIRENT, "no padding");
_Static_assert(sizeof(struct disk_entry) == 32, "no padding");

/* The last bytes of each page are the hash of the others. */
#define HASHED (FORMAT_PAGE - sizeof(struct hash))

struct hash format_hash(const void *data, size_t len)
{
	XXH128_canonical_t canonical;
	struct hash hash;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, len));
	memcpy(hash.byte, canonical.digest, sizeof(hash.byte));
	return hash;
}

bool format_same_hash(const struct hash *a, const struct hash *b)
{
	return !memcmp(a->byte, b->byte, sizeof(a->byte));
}

/* What the last bytes of a page say about the others. */
struct hash format_page_hash(const void *page)
{
	struct hash hash;

	memcpy(hash.byte, (const uint8_t *)page + HASHED, sizeof(hash.byte));
	return hash;
}

static void seal_page(void *page)
{
	struct hash hash = format_hash(page, HASHED);

	memcpy((uint8_t *)page + HASHED, hash.byte, sizeof(hash.byte));
}

static bool is_sealed(const void *page)
{
	struct hash is = format_hash(page, HASHED);
	struct hash says = format_page_hash(page);

	return format_same_hash(&is, &says);
}

/* How many blocks so many bytes are. */
uint64_t format_blocks(uint64_t bytes)
{
	return bytes / STORE_BLOCK + !!(bytes % STORE_BLOCK);
}

bool format_is_zero(const void *data, size_t len)
{
	const uint8_t *byte = data;

	/* Most that are not zero are told by their first bytes. */
	if (!len || byte[0])
		return !len;
	return !memcmp(byte, byte + 1, len - 1);
}

/* ------------------------------------------------------------- names */

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* @id: empty, or one of which store_is_id() is true. */
static void put_id(uint8_t to[16], const char *id)
{
	int i;

	memset(to, 0, 16);
	if (!*id)
		return;
	for (i = 0; i < 16; i++) {
		/* Dashes are before bytes 4, 6, 8 and 10. */
		if (*id == '-')
			id++;
		to[i] = (uint8_t)(digit(id[0]) << 4 | digit(id[1]));
		id += 2;
	}
}

static void get_id(const uint8_t from[16], char id[STORE_ID_SIZE])
{
	char *at = id;
	int i;

	memset(id, 0, STORE_ID_SIZE);
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		snprintf(at, 3, "%02x", from[i]);
		at += 2;
	}
}

/* All that a text has behind its end is zero, so that each has one form. */
static void put_text(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memset(to, 0, size);
	memcpy(to, from, len);
}

static bool get_text(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	memcpy(to, from, size);
	return len < size && format_is_zero(from + len, size - len);
}

/* ------------------------------------------------------------- header */

void format_put_header(void *page, const struct header *header)
{
	const struct store_head *head = &header->head;
	struct disk_header *disk = page;
	uint32_t i;

	memset(disk, 0, sizeof(*disk));
	memcpy(disk->magic, DISK_MAGIC, sizeof(disk->magic));
	disk->version = htole32(FORMAT_VERSION);
	disk->flags = htole32((head->rough ? DISK_ROUGH : 0) |
			      (head->plain ? DISK_PLAIN : 0));
	disk->block = htole32(STORE_BLOCK);
	disk->page = htole32(FORMAT_PAGE);
	put_id(disk->id, head->id);
	disk->created = htole64(head->created);
	disk->step = htole64(head->step);
	disk->session = htole64(head->session);
	disk->pid = htole32(head->pid);
	disk->uid = htole32(head->uid);
	disk->n_buffers = htole32(header->n_buffers);
	disk->n_parents = htole32(header->n_parents);
	put_text(disk->program, head->program, sizeof(disk->program));
	put_text(disk->name, head->name, sizeof(disk->name));
	put_text(disk->address, head->address, sizeof(disk->address));
	put_text(disk->driver, head->driver, sizeof(disk->driver));
	disk->bytes = htole64(header->bytes);
	memcpy(disk->buffers, header->buffers.byte, sizeof(disk->buffers));
	for (i = 0; i < header->n_parents; i++) {
		put_id(disk->parent[i].id, header->parent[i].id);
		memcpy(disk->parent[i].digest, header->parent[i].digest.byte,
		       sizeof(disk->parent[i].digest));
	}
	seal_page(page);
}

/* The head, of which nothing but the texts can be wrong. */
static bool get_head(const struct disk_header *disk, struct store_head *head)
{
	uint32_t flags = le32toh(disk->flags);

	memset(head, 0, sizeof(*head));
	get_id(disk->id, head->id);
	head->created = le64toh(disk->created);
	head->step = le64toh(disk->step);
	head->session = le64toh(disk->session);
	head->pid = le32toh(disk->pid);
	head->uid = le32toh(disk->uid);
	head->rough = flags & DISK_ROUGH;
	head->plain = flags & DISK_PLAIN;
	return !(flags & ~(DISK_ROUGH | DISK_PLAIN)) &&
	       get_text(head->program, disk->program, sizeof(head->program)) &&
	       get_text(head->name, disk->name, sizeof(head->name)) &&
	       get_text(head->address, disk->address, sizeof(head->address)) &&
	       get_text(head->driver, disk->driver, sizeof(head->driver));
}

/* None twice and none the file itself: the list is all there is to follow. */
static bool get_parents(const struct disk_header *disk, struct header *header)
{
	uint32_t i, j;

	for (i = 0; i < header->n_parents; i++) {
		if (!memcmp(disk->parent[i].id, disk->id, sizeof(disk->id)))
			return false;
		for (j = 0; j < i; j++) {
			if (!memcmp(disk->parent[i].id, disk->parent[j].id,
				    sizeof(disk->id)))
				return false;
		}
		get_id(disk->parent[i].id, header->parent[i].id);
		memcpy(header->parent[i].digest.byte, disk->parent[i].digest,
		       sizeof(header->parent[i].digest.byte));
	}
	return format_is_zero(&disk->parent[i],
			      sizeof(disk->parent[0]) * (FORMAT_PARENTS - i));
}

int format_get_header(const void *page, struct header *header, char *error)
{
	const struct disk_header *disk = page;

	memset(header, 0, sizeof(*header));
	if (memcmp(disk->magic, DISK_MAGIC, sizeof(disk->magic)))
		return store_fail(error, -EBADMSG, "this is no checkpoint");
	/* Before the checksum: another version may have it elsewhere. */
	if (le32toh(disk->version) != FORMAT_VERSION)
		return store_fail(error, -EPROTONOSUPPORT,
				  "this is a checkpoint of version %u, and this egpu reads version %u: use the egpu that wrote it",
				  le32toh(disk->version), FORMAT_VERSION);
	if (!is_sealed(page))
		return store_fail(error, -EBADMSG,
				  "the header is damaged: its checksum is wrong");
	header->n_buffers = le32toh(disk->n_buffers);
	header->n_parents = le32toh(disk->n_parents);
	header->bytes = le64toh(disk->bytes);
	memcpy(header->buffers.byte, disk->buffers, sizeof(disk->buffers));
	if (le32toh(disk->block) != STORE_BLOCK ||
	    le32toh(disk->page) != FORMAT_PAGE ||
	    header->n_buffers > STORE_BUFFERS ||
	    header->n_parents > FORMAT_PARENTS || header->bytes > STORE_BYTES ||
	    !format_is_zero(disk->zero, sizeof(disk->zero)) ||
	    !get_head(disk, &header->head) || !get_parents(disk, header))
		return store_fail(error, -EBADMSG,
				  "the header has values that no checkpoint has");
	if (header->n_parents)
		memcpy(header->head.parent, header->parent[0].id,
		       sizeof(header->head.parent));
	return 0;
}

/* ------------------------------------------------------------- buffers */

void format_put_buffer(void *to, const struct store_buffer *buffer)
{
	struct disk_buffer disk = {
		.id = htole32(buffer->id),
		.kind = htole32(buffer->kind),
		.size = htole64(buffer->size),
		.format = htole32(buffer->format),
		.width = htole32(buffer->width),
		.height = htole32(buffer->height),
		.stride = htole32(buffer->stride),
		.modifier = htole64(buffer->modifier),
	};

	put_text(disk.name, buffer->name, sizeof(disk.name));
	memcpy(to, &disk, sizeof(disk));
}

bool format_is_kind(uint32_t kind)
{
	return kind >= WIRE_DMABUF && kind <= WIRE_MEMORY;
}

static bool get_buffer(const uint8_t *from, struct store_buffer *buffer)
{
	struct disk_buffer disk;

	memcpy(&disk, from, sizeof(disk));
	buffer->id = le32toh(disk.id);
	buffer->kind = le32toh(disk.kind);
	buffer->size = le64toh(disk.size);
	buffer->format = le32toh(disk.format);
	buffer->width = le32toh(disk.width);
	buffer->height = le32toh(disk.height);
	buffer->stride = le32toh(disk.stride);
	buffer->modifier = le64toh(disk.modifier);
	return get_text(buffer->name, disk.name, sizeof(disk.name)) &&
	       format_is_zero(disk.zero, sizeof(disk.zero)) &&
	       format_is_kind(buffer->kind) && buffer->size &&
	       buffer->size <= STORE_BYTES;
}

/* @from: whole pages, of which the hash is in the header. */
int format_get_buffers(const void *from, const struct header *header,
		       struct store_buffer *buffer, char *error)
{
	size_t len = header->n_buffers * FORMAT_BUFFER;
	struct hash hash = format_hash(from, PAGE_UP(len));
	const uint8_t *byte = from;
	uint64_t bytes = 0;
	uint32_t i, j;

	if (!format_same_hash(&hash, &header->buffers))
		return store_fail(error, -EBADMSG,
				  "the list of buffers is damaged: its checksum is wrong");
	for (i = 0; i < header->n_buffers; i++) {
		if (!get_buffer(byte + (size_t)i * FORMAT_BUFFER, &buffer[i]))
			break;
		for (j = 0; j < i && buffer[j].id != buffer[i].id; j++)
			;
		bytes += buffer[i].size;
		if (j < i || bytes > STORE_BYTES)
			break;
	}
	if (i < header->n_buffers || bytes != header->bytes ||
	    !format_is_zero(byte + len, PAGE_UP(len) - len))
		return store_fail(error, -EBADMSG,
				  "the list of buffers has values that no checkpoint has");
	return 0;
}

/* ------------------------------------------------------------- tables */

void format_put_table(void *page, const struct table *table)
{
	struct disk_table *disk = page;
	const struct entry *entry;
	uint32_t i;

	memset(disk, 0, sizeof(*disk));
	disk->magic = htole32(DISK_TABLE_MAGIC);
	disk->n = htole32(table->n);
	disk->first = htole64(table->first);
	for (i = 0; i < table->n; i++) {
		entry = &table->entry[i];
		disk->entry[i].offset = htole64(entry->offset);
		disk->entry[i].len = htole32(entry->len);
		disk->entry[i].file = entry->file;
		disk->entry[i].kind = entry->kind;
		memcpy(disk->entry[i].hash, entry->hash.byte,
		       sizeof(disk->entry[i].hash));
	}
	seal_page(page);
}

static bool get_entry(const struct disk_entry *disk, struct entry *entry)
{
	entry->offset = le64toh(disk->offset);
	entry->len = le32toh(disk->len);
	entry->file = disk->file;
	entry->kind = disk->kind;
	memcpy(entry->hash.byte, disk->hash, sizeof(entry->hash.byte));
	if (!entry->len || entry->len > STORE_BLOCK ||
	    !format_is_zero(disk->zero, sizeof(disk->zero)))
		return false;
	if (entry->kind == ENTRY_ZERO)
		return !entry->offset && !entry->file &&
		       format_is_zero(disk->hash, sizeof(disk->hash));
	return entry->kind == ENTRY_DATA && entry->file < STORE_CHAIN &&
	       !(entry->offset % FORMAT_PAGE);
}

int format_get_table(const void *page, const struct dirent_table *where,
		     struct table *table, char *error)
{
	const struct disk_table *disk = page;
	struct hash hash = format_page_hash(page);
	uint32_t i;

	if (!is_sealed(page) || !format_same_hash(&hash, &where->hash))
		return store_fail(error, -EBADMSG,
				  "a table is damaged: the checksum of the page at %llu is wrong",
				  (unsigned long long)where->offset);
	table->first = le64toh(disk->first);
	table->n = le32toh(disk->n);
	if (le32toh(disk->magic) == DISK_TABLE_MAGIC && table->n == where->n &&
	    table->n && table->n <= FORMAT_ENTRIES) {
		for (i = 0; i < table->n; i++) {
			if (!get_entry(&disk->entry[i], &table->entry[i]))
				break;
		}
		if (i == table->n &&
		    format_is_zero(&disk->entry[i],
				   sizeof(disk->entry[0]) * (FORMAT_ENTRIES - i)))
			return 0;
	}
	return store_fail(error, -EBADMSG,
			  "the table at %llu has values that no checkpoint has",
			  (unsigned long long)where->offset);
}

void format_put_dirent(void *to, const struct dirent_table *table)
{
	struct disk_dirent disk = {
		.offset = htole64(table->offset),
		.n = htole32(table->n),
	};

	memcpy(disk.hash, table->hash.byte, sizeof(disk.hash));
	memcpy(to, &disk, sizeof(disk));
}

bool format_get_dirent(const void *from, struct dirent_table *table)
{
	struct disk_dirent disk;

	memcpy(&disk, from, sizeof(disk));
	table->offset = le64toh(disk.offset);
	table->n = le32toh(disk.n);
	memcpy(table->hash.byte, disk.hash, sizeof(disk.hash));
	return !disk.zero;
}

/* ------------------------------------------------------------- trailer */

void format_put_trailer(void *page, const struct trailer *trailer)
{
	struct disk_trailer *disk = page;

	memset(disk, 0, sizeof(*disk));
	memcpy(disk->magic, DISK_END_MAGIC, sizeof(disk->magic));
	disk->version = htole32(FORMAT_VERSION);
	disk->state_size = htole32(trailer->state_size);
	put_id(disk->id, trailer->id);
	disk->total = htole64(trailer->total);
	disk->directory = htole64(trailer->directory);
	disk->n_tables = htole64(trailer->n_tables);
	disk->n_blocks = htole64(trailer->n_blocks);
	disk->data = htole64(trailer->data);
	disk->zero_blocks = htole64(trailer->zero);
	disk->same = htole64(trailer->same);
	memcpy(disk->header, trailer->header.byte, sizeof(disk->header));
	memcpy(disk->tables, trailer->tables.byte, sizeof(disk->tables));
	seal_page(page);
}

int format_get_trailer(const void *page, struct trailer *trailer, char *error)
{
	const struct disk_trailer *disk = page;

	if (memcmp(disk->magic, DISK_END_MAGIC, sizeof(disk->magic)) ||
	    !is_sealed(page))
		return store_fail(error, -EBADMSG,
				  "the end is missing or damaged: the file was cut off, or something was added to it");
	get_id(disk->id, trailer->id);
	trailer->total = le64toh(disk->total);
	trailer->directory = le64toh(disk->directory);
	trailer->n_tables = le64toh(disk->n_tables);
	trailer->n_blocks = le64toh(disk->n_blocks);
	trailer->data = le64toh(disk->data);
	trailer->zero = le64toh(disk->zero_blocks);
	trailer->same = le64toh(disk->same);
	trailer->state_size = le32toh(disk->state_size);
	memcpy(trailer->header.byte, disk->header, sizeof(disk->header));
	memcpy(trailer->tables.byte, disk->tables, sizeof(disk->tables));
	if (le32toh(disk->version) != FORMAT_VERSION ||
	    trailer->state_size > STORE_STATE ||
	    !format_is_zero(disk->zero, sizeof(disk->zero)))
		return store_fail(error, -EBADMSG,
				  "the end has values that no checkpoint has");
	return 0;
}
