// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds a GPU: a pass over all processes, then what the kernel lists.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

#define HOLDERS_MAX 4194304

/* Adds at the end; the order is made later. */
int holders_add(struct holders *holders, const struct holder *holder)
{
	struct holder *item;

	item = grow_array(holders->item, holders->n, &holders->size,
			  sizeof(*item), HOLDERS_MAX);
	if (!item)
		return -ENOMEM;
	holders->item = item;
	item[holders->n++] = *holder;
	return 0;
}

static int compare_holders(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return (x->process.pid > y->process.pid) -
	       (x->process.pid < y->process.pid);
}

/* The one with a pid, or NULL; they are sorted by now. */
struct holder *holders_with(struct holders *holders, pid_t pid)
{
	struct holder key = { .process.pid = pid };

	if (!holders->n)
		return NULL;
	return bsearch(&key, holders->item, holders->n, sizeof(key),
		       compare_holders);
}

static int compare_inodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The dma-bufs whose memory is the GPU's; an imported one is another's. */
static int gather_inodes(struct scan *scan)
{
	const struct egpu_buffer_list *list = scan->query->buffers;
	size_t i;

	if (!list || !list->count)
		return 0;
	scan->inode = calloc(list->count, sizeof(*scan->inode));
	if (!scan->inode)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		const struct egpu_buffer *buffer = list->item[i];

		if (buffer->dma_buf && !buffer->imported)
			scan->inode[scan->n_inodes++] = buffer->dma_buf;
	}
	qsort(scan->inode, scan->n_inodes, sizeof(*scan->inode), compare_inodes);
	return 0;
}

static int scan_all(struct scan *scan)
{
	struct dirent *entry;
	uint64_t pid;
	int err = 0;
	DIR *dir;

	dir = opendir(scan->query->roots->proc);
	if (!dir)
		return -errno;
	scan->proc = dirfd(dir);
	while (!err && (entry = readdir(dir))) {
		if (read_number(entry->d_name, INT_MAX, &pid) && pid)
			err = scan_process(scan, pid);
	}
	if (!err && scan->holders->n)
		qsort(scan->holders->item, scan->holders->n,
		      sizeof(*scan->holders->item), compare_holders);
	if (!err && scan->n_unseen)
		qsort(scan->unseen, scan->n_unseen, sizeof(*scan->unseen),
		      scan_compare_pids);
	if (!err)
		err = join_clients(scan);
	closedir(dir);
	return err;
}

/**
 * holders_find() - find out who holds a GPU
 * @query: what to look for
 * @holders: where to put them; free with holders_free(), also after an error
 *
 * Reads /proc of all processes: about 0.1 ms for each. It does not ask the GPU
 * or its driver for anything, so it may be used while a removal is held.
 *
 * Return: 0, -ENOMEM, -EMFILE, -ENFILE, or why /proc cannot be read.
 */
int holders_find(const struct holders_query *query, struct holders *holders)
{
	struct scan scan = { .query = query, .holders = holders };
	int err;

	memset(holders, 0, sizeof(*holders));
	err = gather_inodes(&scan);
	if (!err)
		err = scan_all(&scan);
	free(scan.use);
	free(scan.inode);
	free(scan.unseen);
	return err;
}

/**
 * holders_free() - free what holders_find() has filled in
 * @holders: holders; empty afterwards
 */
void holders_free(struct holders *holders)
{
	free(holders->item);
	memset(holders, 0, sizeof(*holders));
}
