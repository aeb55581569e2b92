// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which checkpoints there are, and away with them. One that another needs is
 * never taken away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/dir.h"
#include "private.h"

#define AS_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define AS_FILE	     (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* More than anybody has; a listing is not to eat the memory. */
#define FILES_MAX 65536

/**
 * struct file - a file of the store
 * @info: what a listing tells
 * @parent: files that it needs
 * @n_parents: how many
 * @verdict: what is to become of it
 * @gone: it was removed
 */
struct file {
	struct store_info info;
	struct parent *parent;
	uint32_t n_parents;
	enum store_verdict verdict;
	bool gone;
};

/**
 * struct files - all of them, the oldest first
 * @file: them
 * @n: how many
 * @room: entries there is room for
 */
struct files {
	struct file *file;
	size_t n;
	size_t room;
};

static void free_files(struct files *files)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		free(files->file[i].parent);
	free(files->file);
}

static int take_summary(struct file *file, const struct header *header,
			const struct trailer *trailer)
{
	size_t size = header->n_parents * sizeof(*file->parent);

	if (size) {
		file->parent = malloc(size);
		if (!file->parent)
			return -ENOMEM;
		memcpy(file->parent, header->parent, size);
	}
	file->n_parents = header->n_parents;
	file->info.head = header->head;
	file->info.n_buffers = header->n_buffers;
	file->info.bytes = header->bytes;
	file->info.state_size = trailer->state_size;
	file->info.depth = header->n_parents + 1;
	return 0;
}

/* A file that cannot be read is listed as well, and why. */
static int look_at(const struct store *store, const char *name, const char *id,
		   struct file *file)
{
	const struct store_io *io = store->options.io;
	char error[STORE_ERROR];
	struct trailer trailer;
	struct header header;
	struct hash digest;
	struct stat st;
	uint64_t size;
	int fd, err;

	memset(file, 0, sizeof(*file));
	fd = io->open(store->dir, name, AS_FILE, 0);
	err = fd < 0 ? -errno : 0;
	if (err == -ENOENT)
		return err;
	if (!err && !fstat(fd, &st))
		file->info.file_bytes = (uint64_t)st.st_blocks * 512;
	if (!err)
		err = reader_summary(io, fd, &header, &trailer, &digest, &size,
				     error);
	if (!err && strcmp(header.head.id, id))
		err = -EBADMSG;
	if (!err && take_summary(file, &header, &trailer)) {
		close(fd);
		return -ENOMEM;
	}
	if (fd >= 0)
		close(fd);
	memcpy(file->info.head.id, id, STORE_ID_SIZE);
	file->info.error = err;
	return 0;
}

static int add_file(const struct store *store, struct files *files,
		    const char *name, const char *id)
{
	struct file *file;
	int err;

	if (files->n == FILES_MAX)
		return -E2BIG;
	if (files->n == files->room) {
		size_t room = files->room ? 2 * files->room : 32;

		file = reallocarray(files->file, room, sizeof(*file));
		if (!file)
			return -ENOMEM;
		files->file = file;
		files->room = room;
	}
	err = look_at(store, name, id, &files->file[files->n]);
	if (err == -ENOENT)
		return 0;
	if (!err)
		files->n++;
	return err;
}

static int compare_files(const void *a, const void *b)
{
	const struct store_info *one = &((const struct file *)a)->info;
	const struct store_info *two = &((const struct file *)b)->info;

	if (one->head.created != two->head.created)
		return one->head.created < two->head.created ? -1 : 1;
	return strcmp(one->head.id, two->head.id);
}

static struct file *find_file(const struct files *files, const char *id)
{
	size_t i;

	for (i = 0; i < files->n; i++) {
		if (!strcmp(files->file[i].info.head.id, id))
			return &files->file[i];
	}
	return NULL;
}

/* Adds @n to the count of each that @file needs. */
static void count_needs(const struct files *files, struct file *file, int n)
{
	struct file *parent;
	uint32_t i;

	for (i = 0; i < file->n_parents; i++) {
		parent = find_file(files, file->parent[i].id);
		if (parent)
			parent->info.needed_by += (unsigned int)n;
		else if (n > 0 && !file->info.error)
			file->info.error = -ENOENT;
	}
}

static int read_files(const struct store *store, struct files *files,
		      char *error)
{
	char id[STORE_ID_SIZE];
	struct dirent *entry;
	int err = 0;
	size_t i;
	DIR *dir;

	memset(files, 0, sizeof(*files));
	dir = dir_stream(openat(store->dir, ".", AS_DIRECTORY));
	if (!dir)
		return store_fail(error, -errno, "the store cannot be read: %s",
				  strerror(errno));
	while (!err && (entry = readdir(dir)) != NULL) {
		if (store_file_id(entry->d_name, id))
			err = add_file(store, files, entry->d_name, id);
	}
	closedir(dir);
	if (err) {
		free_files(files);
		return store_fail(error, err, "the store cannot be listed: %s",
				  strerror(-err));
	}
	if (files->n)
		qsort(files->file, files->n, sizeof(*files->file),
		      compare_files);
	for (i = 0; i < files->n; i++)
		count_needs(files, &files->file[i], 1);
	return 0;
}

/**
 * store_list() - which checkpoints there are
 * @store: the store
 * @list: where to put them, the oldest first, for free()
 * @n: how many
 * @error: why it failed
 *
 * Only their first and last pages are looked at.
 *
 * Return: 0 or a negative errno.
 */
int store_list(struct store *store, struct store_info **list, size_t *n,
	       char *error)
{
	struct files files;
	int err = read_files(store, &files, error);
	size_t i;

	*list = NULL;
	*n = 0;
	if (err)
		return err;
	*list = calloc(files.n + 1, sizeof(**list));
	for (i = 0; *list && i < files.n; i++)
		(*list)[i] = files.file[i].info;
	if (*list)
		*n = files.n;
	free_files(&files);
	return *list ? 0 : store_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
}

/* ------------------------------------------------------------- away */

static int remove_file(const struct store *store, const char *id, char *error)
{
	char name[STORE_NAME];

	store_file_name(id, name);
	if (!store->options.io->unlink(store->dir, name) || errno == ENOENT)
		return 0;
	return store_fail(error, -errno, "checkpoint %s cannot be removed: %s",
			  id, strerror(errno));
}

static int sync_directory(const struct store *store, char *error)
{
	if (!store->options.io->sync(store->dir))
		return 0;
	return store_fail(error, -errno,
			  "the directory of the store cannot be written: %s",
			  strerror(errno));
}

static int remove_locked(struct store *store, const char *id, char *error)
{
	const struct file *file;
	struct files files;
	int err = read_files(store, &files, error);

	if (err)
		return err;
	file = find_file(&files, id);
	if (!file)
		err = store_fail(error, -ENOENT, "there is no checkpoint %s",
				 id);
	else if (file->info.needed_by)
		err = store_fail(error, -EBUSY,
				 "checkpoint %s is needed by %u others: remove those first",
				 id, file->info.needed_by);
	else
		err = remove_file(store, id, error);
	free_files(&files);
	return err ? err : sync_directory(store, error);
}

/**
 * store_remove() - remove a checkpoint
 * @store: where it is
 * @id: which; anybody's text
 * @error: why it failed
 *
 * Return: 0; -ENOENT if there is none of that id; -EBUSY if others need it;
 * another negative errno.
 */
int store_remove(struct store *store, const char *id, char *error)
{
	int lock, err;

	if (!store_is_id(id))
		return store_fail(error, -ENOENT,
				  "'%.40s' is not the id of a checkpoint", id);
	lock = store_lock(store);
	if (lock < 0)
		return store_fail(error, lock, "the store cannot be locked: %s",
				  strerror(-lock));
	err = remove_locked(store, id, error);
	close(lock);
	return err;
}

/* ------------------------------------------------------------- tidying up */

/* Takes one away, and with it what it needed of others. */
static int drop_file(const struct store *store, const struct files *files,
		     struct file *file, uint64_t *freed, char *error)
{
	int err = remove_file(store, file->info.head.id, error);

	if (err)
		return err;
	*freed += file->info.file_bytes;
	count_needs(files, file, -1);
	file->gone = true;
	return 0;
}

/* The newest first, so that a parent goes after those that needed it. */
static int drop_unwanted(const struct store *store, struct files *files,
			 uint64_t *freed, char *error)
{
	bool again = true;
	struct file *file;
	size_t i;
	int err;

	/* Clocks jump, so a parent can seem newer: then it takes another turn. */
	while (again) {
		again = false;
		for (i = files->n; i-- > 0;) {
			file = &files->file[i];
			if (file->gone || file->verdict != STORE_DROP ||
			    file->info.needed_by)
				continue;
			err = drop_file(store, files, file, freed, error);
			if (err)
				return err;
			again = true;
		}
	}
	return 0;
}

/* The oldest that nobody needs, until all fit. */
static int drop_oldest(const struct store *store, struct files *files,
		       uint64_t *freed, char *error)
{
	uint64_t used = 0;
	struct file *file;
	size_t i;
	int err;

	for (i = 0; i < files->n; i++)
		used += files->file[i].gone ? 0 : files->file[i].info.file_bytes;
	for (i = 0; i < files->n && store->options.max_bytes &&
		    used > store->options.max_bytes;
	     i++) {
		file = &files->file[i];
		if (file->gone || file->verdict == STORE_PIN ||
		    file->info.needed_by)
			continue;
		err = drop_file(store, files, file, freed, error);
		if (err)
			return err;
		used -= file->info.file_bytes;
		/* It may have been the last that needed an older one. */
		i = (size_t)-1;
	}
	return 0;
}

/* Another egpu, or another try, may be able to read what we cannot. */
static enum store_verdict
judge_file(const struct file *file,
	   enum store_verdict (*judge)(const struct store_info *, void *),
	   void *arg)
{
	int err = file->info.error;

	if (err && err != -EBADMSG && err != -ENOENT)
		return STORE_PIN;
	return judge ? judge(&file->info, arg) : STORE_KEEP;
}

static int collect_locked(struct store *store,
			  enum store_verdict (*judge)(const struct store_info *,
						      void *),
			  void *arg, uint64_t *freed, char *error)
{
	struct files files;
	int err = read_files(store, &files, error);
	size_t i;

	if (err)
		return err;
	for (i = 0; i < files.n; i++)
		files.file[i].verdict = judge_file(&files.file[i], judge, arg);
	err = drop_unwanted(store, &files, freed, error);
	if (!err)
		err = drop_oldest(store, &files, freed, error);
	free_files(&files);
	if (*freed && sync_directory(store, error) && !err)
		err = -EIO;
	return err;
}

/**
 * store_collect() - remove what nobody wants, and what is too much
 * @store: the store
 * @judge: what is to become of each, or NULL for STORE_KEEP
 * @arg: given to @judge
 * @freed: where to put how many bytes were given back, or NULL
 * @error: why it failed
 *
 * First all that are to be dropped, then the oldest of those to be kept until
 * .max_bytes is kept. One that another needs stays.
 *
 * Return: 0 or a negative errno.
 */
int store_collect(struct store *store,
		  enum store_verdict (*judge)(const struct store_info *info,
					      void *arg),
		  void *arg, uint64_t *freed, char *error)
{
	uint64_t bytes = 0;
	int lock = store_lock(store), err;

	if (lock < 0)
		return store_fail(error, lock, "the store cannot be locked: %s",
				  strerror(-lock));
	err = collect_locked(store, judge, arg, &bytes, error);
	close(lock);
	if (freed)
		*freed = bytes;
	return err;
}
