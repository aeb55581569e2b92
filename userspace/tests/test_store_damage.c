// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The store and files that are not what was written: flipped bits, cut off,
 * longer, made by somebody who knows the format and wishes us ill.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../store/disk.h"
#include "store_case.h"
#include "test.h"

static const struct store_options plain = { .no_ring = true };

/* ------------------------------------------------------------- flips */

static int open_case_file(const struct store_case *c, const char *id)
{
	char path[PATH_MAX];
	int fd;

	store_case_path(c, id, path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Flips one bit; load or verify must refuse the file; flips it back. */
static void flip(struct store_case *c, const struct work *work, int fd,
		 uint64_t bit)
{
	uint8_t is, other;

	assert_int_equal(pread(fd, &is, 1, (off_t)(bit / 8)), 1);
	other = is ^ (uint8_t)(1u << (bit % 8));
	assert_int_equal(pwrite(fd, &other, 1, (off_t)(bit / 8)), 1);
	if (!work_look(c, work->head.id, work))
		fail_msg("nobody saw that bit %llu was flipped",
			 (unsigned long long)bit);
	assert_true(*c->error);
	assert_int_equal(pwrite(fd, &is, 1, (off_t)(bit / 8)), 1);
}

/* Every bit of a whole checkpoint: header, list, data, padding, tables, end. */
static void every_bit(void **state)
{
	static const uint64_t size[] = { 100, 4096 };
	struct store_case c;
	struct work work;
	uint64_t bit, bits;
	int fd;

	(void)state;
	store_case_begin(&c, "/dev/shm", &plain);
	work_begin(&work, size, 2, 10, 3);
	memset(work.data[1], 0, 4096);
	assert_int_equal(work_save(&c, &work, NULL, NULL), 0);
	fd = open_case_file(&c, work.head.id);
	bits = (uint64_t)lseek(fd, 0, SEEK_END) * 8;
	assert_int_equal(bits, 7 * 4096 * 8);
	for (bit = 0; bit < bits; bit++)
		flip(&c, &work, fd, bit);
	close(fd);
	work_expect(&c, work.head.id, &work);
	work_end(&work);
	store_case_end(&c);
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Bits anywhere in a large one, which is looked at block by block. */
static void bits_of_a_large_one(void **state)
{
	static const uint64_t size[] = { 40 << 20, 24 << 20, 12345 };
	uint64_t x = 88172645463325252;
	struct store_case c;
	struct work work;
	uint64_t bits;
	int fd, i;

	(void)state;
	store_case_begin(&c, "/dev/shm", NULL);
	work_begin(&work, size, 3, 1 << 20, 3);
	assert_int_equal(work_save(&c, &work, NULL, NULL), 0);
	fd = open_case_file(&c, work.head.id);
	bits = (uint64_t)lseek(fd, 0, SEEK_END) * 8;
	for (i = 0; i < 200; i++)
		flip(&c, &work, fd, next_random(&x) % bits);
	close(fd);
	work_expect(&c, work.head.id, &work);
	work_end(&work);
	store_case_end(&c);
}

/* Bits of a parent: where they matter to the child, it refuses as well. */
static void bits_of_a_parent(void **state)
{
	static const uint64_t size[] = { 20 * 65536 };
	struct store_case c;
	struct work parent, child;
	uint64_t x = 362436069;
	uint8_t is, other;
	uint64_t at;
	int fd, i;

	(void)state;
	store_case_begin(&c, "/dev/shm", &plain);
	work_begin(&parent, size, 1, 10, 3);
	assert_int_equal(work_save(&c, &parent, NULL, NULL), 0);
	work_begin(&child, size, 1, 10, 3);
	memset(child.data[0] + 10 * 65536, 1, 65536);
	assert_int_equal(work_save(&c, &child, parent.head.id, NULL), 0);
	fd = open_case_file(&c, parent.head.id);
	for (i = 0; i < 400; i++) {
		at = next_random(&x) % (8192 + 20 * 65536);
		assert_int_equal(pread(fd, &is, 1, (off_t)at), 1);
		other = is ^ (uint8_t)(1u << (i % 8));
		assert_int_equal(pwrite(fd, &other, 1, (off_t)at), 1);
		/* What was replaced is of the parent alone; so is its list. */
		if ((at >= 8192 + 10 * 65536 && at < 8192 + 11 * 65536) ||
		    (at >= 4096 && at < 8192))
			assert_int_equal(work_look(&c, child.head.id, &child),
					 0);
		else
			assert_int_not_equal(work_look(&c, child.head.id, &child),
					     0);
		assert_int_not_equal(work_look(&c, parent.head.id, &parent), 0);
		assert_int_equal(pwrite(fd, &is, 1, (off_t)at), 1);
	}
	close(fd);
	work_expect(&c, child.head.id, &child);
	work_end(&parent);
	work_end(&child);
	store_case_end(&c);
}

/* ------------------------------------------------------------- lengths */

static void every_length(void **state)
{
	static const uint64_t size[] = { 100, 70000 };
	struct store_case c;
	struct work work;
	uint8_t *bytes;
	size_t len, n;
	int fd;

	(void)state;
	store_case_begin(&c, "/dev/shm", &plain);
	work_begin(&work, size, 2, 10, 3);
	assert_int_equal(work_save(&c, &work, NULL, NULL), 0);
	bytes = store_case_bytes(&c, work.head.id, &len);
	fd = open_case_file(&c, work.head.id);
	for (n = len; n-- > 0;) {
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		if (!work_look(&c, work.head.id, &work))
			fail_msg("cut off at %zu and taken for whole", n);
		assert_true(*c.error);
	}
	for (n = 1; n <= 2 * FORMAT_PAGE; n += n < 10 ? 1 : 511) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, len, 0), len);
		assert_int_equal(pwrite(fd, bytes + len - n % len, n % len,
					(off_t)len),
				 n % len);
		assert_int_equal(work_look(&c, work.head.id, &work), -EBADMSG);
	}
	close(fd);
	free(bytes);
	work_end(&work);
	store_case_end(&c);
}

/* ------------------------------------------------------------- hostile */

/**
 * struct forged - a checkpoint in memory, of which all checksums are made right
 * @bytes: it
 * @len: bytes of it
 * @header: its parts
 * @buffer: likewise
 * @table: likewise
 * @dirent: likewise
 * @trailer: likewise
 */
struct forged {
	uint8_t *bytes;
	size_t len;
	struct disk_header *header;
	struct disk_buffer *buffer;
	struct disk_table *table;
	struct disk_dirent *dirent;
	struct disk_trailer *trailer;
};

/* Pages: header, list, two blocks of one page, table, directory, trailer. */
static void forge(struct forged *f, const uint8_t *bytes, size_t len)
{
	assert_int_equal(len, 7 * FORMAT_PAGE);
	f->len = len;
	memcpy(f->bytes, bytes, len);
	f->header = (void *)f->bytes;
	f->buffer = (void *)(f->bytes + FORMAT_PAGE);
	f->table = (void *)(f->bytes + 4 * FORMAT_PAGE);
	f->dirent = (void *)(f->bytes + 5 * FORMAT_PAGE);
	f->trailer = (void *)(f->bytes + 6 * FORMAT_PAGE);
}

static void put_hash(uint8_t to[16], const void *data, size_t len)
{
	struct hash hash = format_hash(data, len);

	memcpy(to, hash.byte, sizeof(hash.byte));
}

static void seal(struct forged *f)
{
	put_hash(f->header->buffers, f->buffer, FORMAT_PAGE);
	put_hash(f->header->hash, f->header, FORMAT_PAGE - 16);
	put_hash(f->table->hash, f->table, FORMAT_PAGE - 16);
	memcpy(f->dirent->hash, f->table->hash, 16);
	memcpy(f->trailer->header, f->header->hash, 16);
	put_hash(f->trailer->tables, f->dirent, FORMAT_PAGE);
	put_hash(f->trailer->hash, f->trailer, FORMAT_PAGE - 16);
}

#define LIE(name, what)                                                        \
	static void name(struct forged *f)                                     \
	{                                                                      \
		what;                                                          \
	}

LIE(many_buffers, f->header->n_buffers = 1025)
LIE(all_buffers, f->header->n_buffers = 0xffffffff)
LIE(more_buffers, f->header->n_buffers = 2)
LIE(no_buffers, f->header->n_buffers = 0)
LIE(many_parents, f->header->n_parents = 16)
LIE(all_parents, f->header->n_parents = 0xffffffff)
LIE(self_parent, (f->header->n_parents = 1,
		  memcpy(f->header->parent[0].id, f->header->id, 16)))
LIE(same_parents, (f->header->n_parents = 2, f->header->parent[0].id[0] = 1,
		   f->header->parent[1].id[0] = 1))
LIE(hidden_parent, f->header->parent[3].id[0] = 1)
LIE(absent_parent, f->header->n_parents = 1)
LIE(flags, f->header->flags = 4)
LIE(other_block, f->header->block = 4096)
LIE(other_page, f->header->page = 512)
LIE(other_id, f->header->id[3] ^= 1)
LIE(other_bytes, f->header->bytes++)
LIE(all_bytes, f->header->bytes = UINT64_MAX)
LIE(header_rest, f->header->zero[77] = 1)
LIE(endless_name, memset(f->header->name, 'x', 32))
LIE(two_ended_name, f->header->name[31] = 'x')
LIE(endless_program, memset(f->header->program, 'x', 16))
LIE(kindless, f->buffer->kind = 0)
LIE(unknown_kind, f->buffer->kind = 4)
LIE(all_kinds, f->buffer->kind = UINT32_MAX)
LIE(empty_buffer, f->buffer->size = f->header->bytes = 0)
LIE(huge_buffer, f->buffer->size = f->header->bytes = 1ull << 63)
LIE(large_buffer, f->buffer->size = f->header->bytes = STORE_BYTES)
LIE(longer_buffer, f->buffer->size = f->header->bytes = 101)
LIE(buffer_rest, f->buffer->zero[0] = 1)
LIE(buffer_page, f->bytes[2 * FORMAT_PAGE - 1] = 1)
LIE(endless_buffer_name, memset(f->buffer->name, 'x', 32))
LIE(other_magic, f->table->magic ^= 1)
LIE(no_entries, f->table->n = f->dirent->n = 0)
LIE(many_entries, f->table->n = f->dirent->n = 128)
LIE(all_entries, f->table->n = f->dirent->n = 0xffffffff)
LIE(fewer_entries, f->table->n = f->dirent->n = 1)
LIE(one_entry, f->table->n = 1)
LIE(other_first, f->table->first = 127)
LIE(table_rest, f->table->entry[5].len = 1)
LIE(outside, f->table->entry[0].offset = 1ull << 40)
LIE(wraps, f->table->entry[0].offset = UINT64_MAX - 4095)
LIE(unaligned, f->table->entry[0].offset++)
LIE(overlap, f->table->entry[1].offset = f->table->entry[0].offset)
LIE(on_header, f->table->entry[0].offset = 0)
LIE(swapped, (f->table->entry[0].offset = 3 * FORMAT_PAGE,
	      f->table->entry[1].offset = 2 * FORMAT_PAGE))
LIE(gap, (f->table->entry[0].kind = ENTRY_ZERO, f->table->entry[0].offset = 0,
	  memset(f->table->entry[0].hash, 0, 16)))
LIE(of_a_parent, f->table->entry[0].file = 1)
LIE(of_no_file, f->table->entry[0].file = 255)
LIE(no_kind, f->table->entry[0].kind = 0)
LIE(other_kind, f->table->entry[0].kind = 3)
LIE(zero_with_hash, f->table->entry[0].kind = ENTRY_ZERO)
LIE(no_length, f->table->entry[0].len = 0)
LIE(large_length, f->table->entry[0].len = 65537)
LIE(all_length, f->table->entry[0].len = 0xffffffff)
LIE(other_length, f->table->entry[0].len = 99)
LIE(entry_rest, f->table->entry[0].zero[1] = 1)
LIE(other_hash, f->table->entry[0].hash[0] ^= 1)
LIE(table_outside, f->dirent->offset = 1ull << 40)
LIE(table_unaligned, f->dirent->offset++)
LIE(table_early, f->dirent->offset = 3 * FORMAT_PAGE)
LIE(table_on_directory, f->dirent->offset = 5 * FORMAT_PAGE)
LIE(dirent_rest, f->dirent->zero = 1)
LIE(directory_rest, f->dirent[1].offset = 1)
LIE(total, f->trailer->total += FORMAT_PAGE)
LIE(directory, f->trailer->directory -= FORMAT_PAGE)
LIE(directory_wraps, f->trailer->directory = UINT64_MAX - 8191)
LIE(no_tables, f->trailer->n_tables = 0)
LIE(many_tables, f->trailer->n_tables = 2)
LIE(all_tables, f->trailer->n_tables = UINT64_MAX)
LIE(wrapping_tables, f->trailer->n_tables = 1ull << 59)
LIE(other_blocks, f->trailer->n_blocks++)
LIE(all_blocks, f->trailer->n_blocks = UINT64_MAX)
LIE(more_data, (f->trailer->data++, f->trailer->zero_blocks--))
LIE(more_zero, (f->trailer->zero_blocks++, f->trailer->data--))
LIE(more_same, (f->trailer->same++, f->trailer->data--))
LIE(large_state, f->trailer->state_size = STORE_STATE + 1)
LIE(other_state, f->trailer->state_size = 65537)
LIE(no_state, f->trailer->state_size = 0)
LIE(end_version, f->trailer->version = 2)
LIE(end_id, f->trailer->id[0] ^= 1)
LIE(end_rest, f->trailer->zero[0] = 1)
LIE(padding, f->bytes[3 * FORMAT_PAGE - 1] = 1)

static void (*const lies[])(struct forged *f) = {
	many_buffers,	 all_buffers,	  more_buffers,
	no_buffers,	 many_parents,	  all_parents,
	self_parent,	 same_parents,	  hidden_parent,
	absent_parent,	 flags,		  other_block,
	other_page,	 other_id,	  other_bytes,
	all_bytes,	 header_rest,	  endless_name,
	two_ended_name,	 endless_program, empty_buffer,
	kindless,	 unknown_kind,	  all_kinds,
	huge_buffer,	 large_buffer,	  longer_buffer,
	buffer_rest,	 buffer_page,	  endless_buffer_name,
	other_magic,	 no_entries,	  many_entries,
	all_entries,	 fewer_entries,	  one_entry,
	other_first,	 table_rest,	  outside,
	wraps,		 unaligned,	  overlap,
	on_header,	 swapped,	  gap,
	of_a_parent,	 of_no_file,	  no_kind,
	other_kind,	 zero_with_hash,  no_length,
	large_length,	 all_length,	  other_length,
	entry_rest,	 other_hash,	  table_outside,
	table_unaligned, table_early,	  table_on_directory,
	dirent_rest,	 directory_rest,  total,
	directory,	 directory_wraps, no_tables,
	many_tables,	 all_tables,	  wrapping_tables,
	other_blocks,	 all_blocks,	  more_data,
	more_zero,	 more_same,	  large_state,
	other_state,	 no_state,	  end_version,
	end_id,		 end_rest,	  padding,
};

/* A small checkpoint that a forger starts from. */
static void begin_small(struct store_case *c, struct work *work,
			uint8_t **bytes, size_t *len, struct forged *f)
{
	static const uint64_t size[] = { 100 };

	store_case_begin(c, "/dev/shm", &plain);
	work_begin(work, size, 1, 10, 3);
	assert_int_equal(work_save(c, work, NULL, NULL), 0);
	*bytes = store_case_bytes(c, work->head.id, len);
	f->bytes = aligned_alloc(FORMAT_PAGE, *len);
	assert_non_null(f->bytes);
}

static void hostile(void **state)
{
	struct store_case c;
	struct forged f;
	struct work work;
	uint8_t *bytes;
	size_t len, i;
	int err;

	(void)state;
	begin_small(&c, &work, &bytes, &len, &f);
	/* A forger who changes nothing is believed: the checksums are right. */
	forge(&f, bytes, len);
	seal(&f);
	store_case_put(&c, work.head.id, f.bytes, f.len);
	work_expect(&c, work.head.id, &work);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		forge(&f, bytes, len);
		lies[i](&f);
		seal(&f);
		store_case_put(&c, work.head.id, f.bytes, f.len);
		err = work_look(&c, work.head.id, &work);
		if (err != -EBADMSG && !(lies[i] == absent_parent && err))
			fail_msg("lie %zu was answered with %d", i, err);
		assert_true(*c.error);
	}
	free(f.bytes);
	free(bytes);
	work_end(&work);
	store_case_end(&c);
}

static void other_versions(void **state)
{
	struct store_case c;
	struct forged f;
	struct work work;
	uint8_t *bytes;
	size_t len;

	(void)state;
	begin_small(&c, &work, &bytes, &len, &f);
	forge(&f, bytes, len);
	f.header->version = 7;
	store_case_put(&c, work.head.id, f.bytes, f.len);
	assert_int_equal(work_look(&c, work.head.id, &work), -EPROTONOSUPPORT);
	assert_non_null(strstr(c.error, "version 7"));
	assert_non_null(strstr(c.error, "reads version 1"));
	/* It is not taken away because there is little room. */
	assert_int_equal(store_case_files(&c), 1);
	store_case_reopen(&c, &(struct store_options){ .max_bytes = 1 });
	assert_int_equal(store_collect(c.store, NULL, NULL, NULL, c.error), 0);
	assert_int_equal(store_case_files(&c), 1);
	free(f.bytes);
	free(bytes);
	work_end(&work);
	store_case_end(&c);
}

/* Two that say they need each other: at least one is found out. */
static void loop_of_parents(void **state)
{
	struct store_case c;
	struct work one, two;
	uint8_t *bytes, *other;
	struct forged f, g;
	size_t len;

	(void)state;
	begin_small(&c, &one, &bytes, &len, &f);
	work_begin(&two, (const uint64_t[]){ 100 }, 1, 10, 4);
	assert_int_equal(work_save(&c, &two, NULL, NULL), 0);
	other = store_case_bytes(&c, two.head.id, &len);
	g.bytes = aligned_alloc(FORMAT_PAGE, len);
	assert_non_null(g.bytes);
	forge(&f, bytes, len);
	forge(&g, other, len);
	f.header->n_parents = 1;
	g.header->n_parents = 1;
	memcpy(f.header->parent[0].id, g.header->id, 16);
	memcpy(g.header->parent[0].id, f.header->id, 16);
	seal(&g);
	memcpy(f.header->parent[0].digest, g.trailer->hash, 16);
	seal(&f);
	store_case_put(&c, one.head.id, f.bytes, len);
	store_case_put(&c, two.head.id, g.bytes, len);
	assert_int_equal(work_look(&c, one.head.id, &one), -EBADMSG);
	assert_int_equal(work_look(&c, two.head.id, &two), -EBADMSG);
	/* Nobody can be removed then, but nothing hangs either. */
	assert_int_equal(store_remove(c.store, one.head.id, c.error), -EBUSY);
	assert_int_equal(store_collect(c.store, NULL, NULL, NULL, c.error), 0);
	free(g.bytes);
	free(other);
	free(f.bytes);
	free(bytes);
	work_end(&one);
	work_end(&two);
	store_case_end(&c);
}

/* What is no file at all, under the name of one. */
static void no_files(void **state)
{
	struct store_case c;
	char path[PATH_MAX], id[STORE_ID_SIZE];
	struct store_reader *reader;
	struct store_info *list;
	size_t n, i;

	(void)state;
	store_case_begin(&c, "/dev/shm", NULL);
	for (i = 0; i < 4; i++) {
		store_new_id(id);
		store_case_path(&c, id, path, sizeof(path));
		if (i == 0)
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (i == 1)
			assert_int_equal(symlink("/etc/passwd", path), 0);
		else if (i == 2)
			store_case_put(&c, id, "", 0);
		else
			store_case_put(&c, id, path, 4096);
		assert_int_not_equal(store_load(c.store, id, &reader, c.error),
				     0);
	}
	assert_int_equal(store_list(c.store, &list, &n, c.error), 0);
	assert_int_equal(n, 4);
	for (i = 0; i < n; i++)
		assert_int_not_equal(list[i].error, 0);
	free(list);
	store_case_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_bit),
	cmocka_unit_test(bits_of_a_large_one),
	cmocka_unit_test(bits_of_a_parent),
	cmocka_unit_test(every_length),
	cmocka_unit_test(hostile),
	cmocka_unit_test(other_versions),
	cmocka_unit_test(loop_of_parents),
	cmocka_unit_test(no_files),
};

TEST_MAIN(tests, NULL, NULL)
