/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the store share and nobody else sees, but for the tests.
 * One section per .c file.
 */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include <liburing.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store.h"

/* ------------------------------------------------------------- io.c */

/**
 * struct store_io - the system calls of a store
 * @open: openat()
 * @pread: pread()
 * @pwrite: pwrite()
 * @write: write(), of an export
 * @read: read(), of an import
 * @allocate: fallocate() with mode 0
 * @truncate: ftruncate()
 * @datasync: fdatasync()
 * @sync: fsync(), of a directory
 * @link: gives the file behind a descriptor its name
 * @unlink: unlinkat() without flags
 * @statvfs: fstatvfs()
 * @ring: told of each thing that the ring has done, or NULL; returns what it
 *	is to have come to
 */
struct store_io {
	int (*open)(int dir, const char *name, int flags, mode_t mode);
	ssize_t (*pread)(int fd, void *to, size_t len, off_t offset);
	ssize_t (*pwrite)(int fd, const void *from, size_t len, off_t offset);
	ssize_t (*write)(int fd, const void *from, size_t len);
	ssize_t (*read)(int fd, void *to, size_t len);
	int (*allocate)(int fd, off_t offset, off_t len);
	int (*truncate)(int fd, off_t len);
	int (*datasync)(int fd);
	int (*sync)(int fd);
	int (*link)(int fd, int dir, const char *name);
	int (*unlink)(int dir, const char *name);
	int (*statvfs)(int fd, struct statvfs *st);
	int (*ring)(bool write, const void *data, size_t len, off_t offset,
		    int result);
};

extern const struct store_io store_io_real;

int io_read_all(const struct store_io *io, int fd, void *to, size_t len,
		uint64_t offset);
int io_write_all(const struct store_io *io, int fd, const void *from,
		 size_t len, uint64_t offset, bool stream);

/* ------------------------------------------------------------- format.c */

/* What is in the file: Documentation/checkpoint-format.rst. */

#define FORMAT_VERSION 1
#define FORMAT_PAGE    4096u
#define FORMAT_PARENTS (STORE_CHAIN - 1)
#define FORMAT_ENTRIES 127u /* in a table */

/* Bytes up to the next page. */
#define PAGE_UP(len) (((len) + FORMAT_PAGE - 1) & ~(uint64_t)(FORMAT_PAGE - 1))

struct hash {
	uint8_t byte[16];
};

enum entry_kind {
	ENTRY_DATA = 1,
	ENTRY_ZERO = 2,
};

/**
 * struct entry - where a block is
 * @offset: in the file, of ENTRY_DATA
 * @len: bytes of the block that mean something
 * @file: 0 for this file, n for the n-th parent
 * @kind: enum entry_kind
 * @hash: of those bytes, of ENTRY_DATA
 */
struct entry {
	uint64_t offset;
	uint32_t len;
	uint8_t file;
	uint8_t kind;
	struct hash hash;
};

/**
 * struct table - a page of entries
 * @first: number of the first block
 * @n: entries in use
 * @entry: the entries
 */
struct table {
	uint64_t first;
	uint32_t n;
	struct entry entry[FORMAT_ENTRIES];
};

/**
 * struct parent - a file that a checkpoint needs
 * @id: its name
 * @digest: of all of it
 */
struct parent {
	char id[STORE_ID_SIZE];
	struct hash digest;
};

/**
 * struct header - the first page
 * @head: what the checkpoint is of
 * @n_buffers: how many
 * @bytes: sum of their sizes
 * @buffers: hash of the pages with their descriptions
 * @n_parents: how many
 * @parent: files that are needed, the nearest first
 */
struct header {
	struct store_head head;
	uint32_t n_buffers;
	uint64_t bytes;
	struct hash buffers;
	uint32_t n_parents;
	struct parent parent[FORMAT_PARENTS];
};

/**
 * struct dirent_table - where a table is
 * @offset: in the file
 * @n: entries in it
 * @hash: of the page
 */
struct dirent_table {
	uint64_t offset;
	uint32_t n;
	struct hash hash;
};

/**
 * struct trailer - the last page
 * @id: as in the header
 * @total: bytes of the file
 * @directory: where the list of tables is
 * @n_tables: how many
 * @n_blocks: blocks of the buffers and of the state
 * @data: blocks that are in this file
 * @zero: blocks that are zero
 * @same: blocks that are in a parent
 * @state_size: bytes of state
 * @header: hash of the header
 * @tables: hash of the pages with the list of tables
 */
struct trailer {
	char id[STORE_ID_SIZE];
	uint64_t total;
	uint64_t directory;
	uint64_t n_tables;
	uint64_t n_blocks;
	uint64_t data;
	uint64_t zero;
	uint64_t same;
	uint32_t state_size;
	struct hash header;
	struct hash tables;
};

#define FORMAT_BUFFER 80u /* bytes of a description */
#define FORMAT_DIRENT 32u /* bytes in the list of tables */

struct hash format_hash(const void *data, size_t len);
bool format_same_hash(const struct hash *a, const struct hash *b);
struct hash format_page_hash(const void *page);
uint64_t format_blocks(uint64_t bytes);
bool format_is_zero(const void *data, size_t len);

void format_put_header(void *page, const struct header *header);
int format_get_header(const void *page, struct header *header, char *error);
bool format_is_kind(uint32_t kind);
void format_put_buffer(void *to, const struct store_buffer *buffer);
int format_get_buffers(const void *from, const struct header *header,
		       struct store_buffer *buffer, char *error);
void format_put_table(void *page, const struct table *table);
int format_get_table(const void *page, const struct dirent_table *where,
		     struct table *table, char *error);
void format_put_dirent(void *to, const struct dirent_table *table);
bool format_get_dirent(const void *from, struct dirent_table *table);
void format_put_trailer(void *page, const struct trailer *trailer);
int format_get_trailer(const void *page, struct trailer *trailer, char *error);

/* ------------------------------------------------------------- dir.c */

/**
 * struct store - a directory with checkpoints
 * @dir: it
 * @options: how it works; .io is never NULL
 */
struct store {
	int dir;
	struct store_options options;
};

#define STORE_SUFFIX ".ckpt"
#define STORE_NAME   (STORE_ID_SIZE + sizeof(STORE_SUFFIX))

int store_fail(char *error, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void store_file_name(const char *id, char name[STORE_NAME]);
bool store_file_id(const char *name, char id[STORE_ID_SIZE]);
int store_lock(const struct store *store);
int store_used(const struct store *store, uint64_t *bytes, char *error);
int store_room(const struct store *store, uint64_t *room, char *error);
bool dir_is_memory(int fd);
int store_new_file(const struct store *store, bool *direct, char *error);
int store_publish(const struct store *store, int fd,
		  const struct header *header, char *error);

/* ------------------------------------------------------------- ring.c */

#define RING_SLOTS 8
#define RING_SLOT  (4u << 20)
/* Stays in the cache between the copy and the write. */
#define RING_PLAIN_SLOT (256u << 10)

/**
 * struct ring_slot - a piece of memory and what is done with it
 * @busy: it is with the kernel
 * @write: it is being written
 * @fd: the file
 * @done: bytes that are done already
 * @len: bytes to do
 * @offset: in the file
 * @err: what came of it
 */
struct ring_slot {
	bool busy;
	bool write;
	int fd;
	size_t done;
	size_t len;
	uint64_t offset;
	int err;
};

/**
 * struct ring - a few pieces of memory, allocated once, that go to and from files
 * @io: the system calls
 * @async: io_uring is used
 * @direct: the files are open with O_DIRECT
 * @fixed: its buffers are registered
 * @stream: write one after the other, for a pipe
 * @n: slots
 * @size: bytes of each
 * @memory: of all
 * @slot: what each does
 * @uring: liburing's
 */
struct ring {
	const struct store_io *io;
	bool async;
	bool direct;
	bool fixed;
	bool stream;
	unsigned int n;
	size_t size;
	uint8_t *memory;
	struct ring_slot slot[RING_SLOTS];
	struct io_uring uring;
};

int ring_open(struct ring *ring, const struct store_io *io, bool direct,
	      bool no_ring);
void ring_close(struct ring *ring);
uint8_t *ring_memory(const struct ring *ring, unsigned int slot);
int ring_start(struct ring *ring, unsigned int slot, int fd, bool write,
	       size_t len, uint64_t offset);
int ring_wait(struct ring *ring, unsigned int slot);
int ring_drain(struct ring *ring);

/* ------------------------------------------------------------- out.c */

/**
 * struct out - a file that is written from its start to its end
 * @ring: the memory
 * @fd: the file
 * @slot: that is being filled
 * @fill: bytes in it
 * @offset: where in the file it begins
 * @limit: bytes that may be written
 * @allocated: bytes that were asked of the file system beforehand
 * @allocates: the file system does that
 * @direct: O_DIRECT is used
 */
struct out {
	struct ring ring;
	int fd;
	unsigned int slot;
	size_t fill;
	uint64_t offset;
	uint64_t limit;
	uint64_t allocated;
	bool allocates;
	bool direct;
};

int out_open(struct out *out, const struct store_io *io, int fd, bool direct,
	     bool no_ring);
int out_room(struct out *out, size_t len, uint8_t **at);
void out_take(struct out *out, size_t len);
uint64_t out_at(const struct out *out);
int out_end(struct out *out);
void out_close(struct out *out);

/* ------------------------------------------------------------- reader.c */

/**
 * struct ahead - blocks that were read, or are on their way
 * @first: number of the first
 * @n: how many
 * @has_data: there is something to read
 * @entry: of each
 */
struct ahead {
	uint64_t first;
	uint32_t n;
	bool has_data;
	struct entry entry[FORMAT_ENTRIES];
};

/**
 * struct store_reader - a checkpoint that is read
 * @store: where it is, or NULL
 * @io: the system calls
 * @header: its first page
 * @trailer: its last one
 * @digest: of all of it
 * @buffer: its buffers
 * @first: for each buffer the number of its first block; one more for the state
 * @tables: where the tables are
 * @fd: this file and its parents
 * @size: and how large they are
 * @direct: O_DIRECT is used
 * @page: for one page, aligned
 * @table: the one that was looked at last
 * @has_table: there is one
 * @ring: the memory, opened with the first read
 * @has_ring: it was
 * @ahead: per slot of @ring
 * @head: slot with the oldest blocks
 * @used: slots in use
 * @planned: block that is to be read next
 * @limit: block at which reading ahead ends
 * @next: block that a reader who goes on would want
 * @error: why it failed
 */
struct store_reader {
	struct store *store;
	const struct store_io *io;
	struct header header;
	struct trailer trailer;
	struct hash digest;
	struct store_buffer *buffer;
	uint64_t *first;
	struct dirent_table *tables;
	int fd[STORE_CHAIN];
	uint64_t size[STORE_CHAIN];
	bool direct;
	uint8_t *page;
	struct table table;
	bool has_table;
	struct ring ring;
	bool has_ring;
	struct ahead *ahead;
	unsigned int head;
	unsigned int used;
	uint64_t planned;
	uint64_t limit;
	uint64_t next;
	char error[STORE_ERROR];
};

int reader_load_file(struct store *store, int fd, struct store_reader **reader,
		     char *error);
int reader_summary(const struct store_io *io, int fd, struct header *header,
		   struct trailer *trailer, struct hash *digest, uint64_t *size,
		   char *error);

/* ------------------------------------------------------------- look.c */

int reader_entry(struct store_reader *reader, uint64_t block,
		 struct entry *entry);
int reader_block(struct store_reader *reader, uint64_t block,
		 const uint8_t **data, struct entry *entry);
void reader_will_want(struct store_reader *reader, uint64_t block,
		      uint64_t limit);

/* ------------------------------------------------------------- writer.c */

/**
 * struct store_writer - a checkpoint that is written
 * @store: where to; NULL when it is exported
 * @header: its first page
 * @trailer: its last one, as it grows
 * @buffer: its buffers
 * @parent: the checkpoint that it adds to, or NULL
 * @match: for each buffer that of @parent, as an index, or -1
 * @out: the file
 * @table: that is being filled
 * @tables: where the others are
 * @room: entries there is room for in @tables
 * @index: buffer that is being written
 * @offset: and how far
 * @state: of the work; written last
 * @looked: bytes that were looked at
 * @zero: bytes of blocks that are zero
 * @same: bytes of blocks that are in a parent
 * @err: why it failed, as a negative errno
 * @error: and in words
 */
struct store_writer {
	struct store *store;
	struct header header;
	struct trailer trailer;
	struct store_buffer *buffer;
	struct store_reader *parent;
	int *match;
	struct out out;
	struct table table;
	struct dirent_table *tables;
	size_t room;
	size_t index;
	uint64_t offset;
	uint8_t *state;
	uint64_t looked;
	uint64_t zero;
	uint64_t same;
	int err;
	char error[STORE_ERROR];
};

int writer_new(struct store *store, const struct store_head *head,
	       const struct store_buffer *buffer, size_t n,
	       struct store_writer **writer, char *error);
int writer_start(struct store_writer *writer);
int writer_end(struct store_writer *writer);

#endif
