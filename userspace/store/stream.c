// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints to and from pipes. A stream is a file that needs no other; it is
 * believed when all of it has come and has been verified.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

/* ------------------------------------------------------------- export */

static int export_buffer(struct store_reader *reader,
			 struct store_writer *writer, size_t index,
			 uint8_t *block)
{
	uint64_t offset, size = reader->buffer[index].size;
	size_t n;
	int err = 0;

	for (offset = 0; !err && offset < size; offset += n) {
		n = size - offset < STORE_BLOCK ? (size_t)(size - offset) :
						  STORE_BLOCK;
		err = store_read(reader, index, offset, block, n);
		if (!err && store_write(writer, index, offset, block, n, NULL))
			err = store_fail(reader->error, writer->err, "%s",
					 writer->error);
	}
	return err;
}

static int export_state(struct store_reader *reader, struct store_writer *writer)
{
	void *state;
	size_t len;
	int err = store_read_state(reader, &state, &len);

	if (!err && store_state(writer, state, len))
		err = store_fail(reader->error, writer->err, "%s",
				 writer->error);
	free(state);
	return err;
}

static int export_all(struct store_reader *reader, struct store_writer *writer)
{
	uint8_t *block = malloc(STORE_BLOCK);
	int err = 0;
	size_t i;

	if (!block)
		return store_fail(reader->error, -ENOMEM, "%s",
				  strerror(ENOMEM));
	if (writer_start(writer))
		err = store_fail(reader->error, writer->err, "%s",
				 writer->error);
	for (i = 0; !err && i < reader->header.n_buffers; i++)
		err = export_buffer(reader, writer, i, block);
	if (!err)
		err = export_state(reader, writer);
	if (!err && writer_end(writer))
		err = store_fail(reader->error, writer->err, "%s",
				 writer->error);
	free(block);
	return err;
}

/**
 * store_export() - write a checkpoint as a stream that needs no parent
 * @reader: the checkpoint
 * @fd: where to, a pipe for example; written from where it is at
 *
 * Every byte is verified before it is written; a stream that was broken off is
 * refused by store_import().
 *
 * Return: 0 or a negative errno; store_reader_error() says why.
 */
int store_export(struct store_reader *reader, int fd)
{
	struct store_head head = reader->header.head;
	struct store_writer *writer;
	int err;

	head.parent[0] = '\0';
	err = writer_new(NULL, &head, reader->buffer, reader->header.n_buffers,
			 &writer, reader->error);
	if (err)
		return err;
	err = out_open(&writer->out, reader->io, fd, false, true);
	if (err) {
		store_fail(reader->error, err,
			   "there is no memory to write with: %s",
			   strerror(-err));
	} else {
		writer->out.ring.stream = true;
		writer->out.limit = UINT64_MAX;
		err = export_all(reader, writer);
	}
	store_abort(writer);
	return err;
}

/* ------------------------------------------------------------- import */

/* Copies what comes until it ends, as far as there is room. */
static int copy_in(struct store *store, int from, int to, char *error)
{
	const struct store_io *io = store->options.io;
	uint8_t *piece = malloc(STORE_BLOCK);
	uint64_t room, at = 0;
	ssize_t n = 0;
	int err = store_room(store, &room, error);

	if (!piece && !err)
		err = store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	while (!err) {
		n = io->read(from, piece, STORE_BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if ((uint64_t)n > room - at)
			err = -ENOSPC;
		else
			err = io_write_all(io, to, piece, (size_t)n, at, false);
		at += (uint64_t)n;
		if (err)
			store_fail(error, err,
				   "the checkpoint cannot be written: %s",
				   strerror(-err));
	}
	if (!err && n < 0)
		err = store_fail(error, -errno,
				 "the checkpoint cannot be read: %s",
				 strerror(errno));
	free(piece);
	return err;
}

/* Looks at all of a file that has no name yet, and gives it one. */
static int take_in(struct store *store, int fd, char id[STORE_ID_SIZE],
		   char *error)
{
	struct store_reader *reader;
	int err = reader_load_file(store, fd, &reader, error);

	if (err)
		return err;
	err = store_verify(reader);
	if (err)
		store_fail(error, err, "%s", reader->error);
	else if (reader->header.n_parents ||
		 !store_is_id(reader->header.head.id))
		err = store_fail(error, -EINVAL,
				 "this checkpoint needs another one: export it to import it");
	else
		err = store_publish(store, fd, &reader->header, error);
	if (!err)
		memcpy(id, reader->header.head.id, STORE_ID_SIZE);
	reader->fd[0] = -1;
	store_unload(reader);
	return err;
}

/**
 * store_import() - take a checkpoint in that was exported
 * @store: where to
 * @fd: where from, a pipe for example; read to its end
 * @id: where to put its id
 * @error: why it failed
 *
 * Return: 0; -EBADMSG if it is damaged or not whole; -EEXIST if there is one of
 * that id; -ENOSPC; another negative errno. When it fails, nothing is left.
 */
int store_import(struct store *store, int fd, char id[STORE_ID_SIZE],
		 char *error)
{
	bool direct = false;
	int file, err;

	id[0] = '\0';
	file = store_new_file(store, &direct, error);
	if (file < 0)
		return file;
	err = copy_in(store, fd, file, error);
	if (!err)
		err = take_in(store, file, id, error);
	close(file);
	return err;
}
