/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints: files that hold the buffers and the state of a piece of work,
 * Documentation/checkpoint-format.rst. A checkpoint that is there is whole: it
 * gets its name when all of it is on the disk.
 *
 * Nothing in a file is believed: every length is bounded before memory is taken
 * for it, every byte is covered by a checksum that is looked at before the byte
 * is given away.
 */
#ifndef EGPU_STORE_STORE_H
#define EGPU_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_PATH    "/var/lib/egpu/checkpoints"
#define STORE_ID_SIZE 40 /* with the NUL */
#define STORE_ERROR   256
#define STORE_BLOCK   65536u /* bytes that share a checksum */
#define STORE_CHAIN   16 /* files that a checkpoint may need, itself included */
#define STORE_BUFFERS 1024
#define STORE_BYTES   (4096ull << 30) /* of all buffers together */
#define STORE_STATE   (16u << 20)

struct store;
struct store_writer;
struct store_reader;

/**
 * struct store_options - how a store works
 * @max_bytes: what all its files may take, 0 for no limit
 * @keep_free: what is to stay free on its file system, in bytes
 * @no_ring: plain I/O, as where io_uring or O_DIRECT are refused
 * @no_create: to look only: a directory that is not there is not made
 * @io: the system calls, or NULL for the real ones; the tests put errors and
 *	power losses there (private.h)
 */
struct store_options {
	uint64_t max_bytes;
	uint64_t keep_free;
	bool no_ring;
	bool no_create;
	const struct store_io *io;
};

/**
 * struct store_head - what a checkpoint is of
 * @id: its name; made when it is begun, unless it has one (store_new_id())
 * @parent: id of the one it adds to, or empty
 * @created: CLOCK_REALTIME in ns
 * @step: the work's own count of progress
 * @session: which work, so that its checkpoints are known as one series
 * @pid: of the program
 * @uid: its user
 * @rough: made while the work went on: only good as a parent
 * @plain: of a program that knows nothing of us: for inspection only
 * @program: as in /proc/PID/comm
 * @name: the program's own name for its work
 * @address: PCI address of the device, empty for none
 * @driver: its driver
 */
struct store_head {
	char id[STORE_ID_SIZE];
	char parent[STORE_ID_SIZE];
	uint64_t created;
	uint64_t step;
	uint64_t session;
	uint32_t pid;
	uint32_t uid;
	bool rough;
	bool plain;
	char program[16];
	char name[32];
	char address[32];
	char driver[32];
};

/**
 * struct store_buffer - a buffer in a checkpoint
 * @id: as the program calls it; each once
 * @kind: as in enum wire_kind
 * @size: in bytes
 * @format: DRM fourcc or 0
 * @width: in pixels
 * @height: in lines
 * @stride: in bytes
 * @modifier: DRM format modifier
 * @name: for people
 */
struct store_buffer {
	uint32_t id;
	uint32_t kind;
	uint64_t size;
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint64_t modifier;
	char name[32];
};

/**
 * struct store_info - what a listing tells of a checkpoint
 * @head: what it is of
 * @n_buffers: how many buffers
 * @bytes: sum of their sizes
 * @file_bytes: what the file takes
 * @state_size: bytes of state
 * @depth: files it needs, itself included
 * @needed_by: checkpoints that need this one
 * @error: 0, or why it cannot be read as a negative errno; then only .head.id
 *	and .file_bytes mean something
 */
struct store_info {
	struct store_head head;
	uint32_t n_buffers;
	uint64_t bytes;
	uint64_t file_bytes;
	uint32_t state_size;
	unsigned int depth;
	unsigned int needed_by;
	int error;
};

/**
 * struct store_stats - what writing a checkpoint came to
 * @bytes: looked at
 * @written: put into the file
 * @zero: skipped because they are zero
 * @same: skipped because the parent has them
 * @direct: O_DIRECT was used
 * @ring: io_uring was used
 */
struct store_stats {
	uint64_t bytes;
	uint64_t written;
	uint64_t zero;
	uint64_t same;
	bool direct;
	bool ring;
};

/**
 * enum store_verdict - what becomes of a checkpoint when a store is tidied up
 * @STORE_DROP: nobody wants it: it goes, unless one that stays needs it
 * @STORE_KEEP: it stays until the store is too large; the oldest go first
 * @STORE_PIN: it stays, whatever the limit
 */
enum store_verdict {
	STORE_DROP,
	STORE_KEEP,
	STORE_PIN,
};

/* Copies from a mapping of a GPU's memory, say; memcpy() if NULL. */
typedef void store_copy_fn(void *to, const void *from, size_t len);

/*
 * What fails returns a negative errno and says why, in words, in @error of
 * STORE_ERROR bytes, or in what store_writer_error() and store_reader_error()
 * return.
 */
int store_open(struct store **store, const char *dir,
	       const struct store_options *options, char *error);
void store_close(struct store *store);
int store_fd(const struct store *store);
void store_new_id(char id[STORE_ID_SIZE]);
bool store_is_id(const char *id);

/*
 * Writing: begin, then for each buffer in order write it, from its start to its
 * end and in whole blocks but for the last, or say it is the same. The state at
 * any time. store_finish() frees the writer when it returns 0; else, and in the
 * midst, store_abort() does, and leaves nothing behind.
 */
int store_begin(struct store *store, struct store_head *head,
		const struct store_buffer *buffer, size_t n,
		struct store_writer **writer, char *error);
int store_write(struct store_writer *writer, size_t index, uint64_t offset,
		const void *from, size_t len, store_copy_fn *copy);
int store_keep(struct store_writer *writer, size_t index);
int store_state(struct store_writer *writer, const void *state, size_t len);
int store_finish(struct store_writer *writer, struct store_stats *stats);
void store_abort(struct store_writer *writer);
const char *store_writer_error(const struct store_writer *writer);

/* Reading. What comes out has been verified. */
int store_load(struct store *store, const char *id,
	       struct store_reader **reader, char *error);
const struct store_head *store_head(const struct store_reader *reader);
const struct store_buffer *store_buffers(const struct store_reader *reader,
					 size_t *n);
int store_read(struct store_reader *reader, size_t index, uint64_t offset,
	       void *to, size_t len);
int store_read_state(struct store_reader *reader, void **state, size_t *len);
int store_verify(struct store_reader *reader);
const char *store_reader_error(const struct store_reader *reader);
void store_unload(struct store_reader *reader);

/* The whole of it as a stream that needs no parent, and back. */
int store_export(struct store_reader *reader, int fd);
int store_import(struct store *store, int fd, char id[STORE_ID_SIZE],
		 char *error);

/* Housekeeping. */
int store_list(struct store *store, struct store_info **list, size_t *n,
	       char *error);
int store_remove(struct store *store, const char *id, char *error);
int store_collect(struct store *store,
		  enum store_verdict (*judge)(const struct store_info *info,
					      void *arg),
		  void *arg, uint64_t *freed, char *error);

#endif
