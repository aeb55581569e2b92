// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mends what a daemon has left that was killed: before anything else, whoever
 * stands still because of it goes on, and the nodes that it has closed are put
 * back. Doing so twice is as good as once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../egpud.h"

struct left {
	size_t n;
	size_t size;
	struct record *item;
};

static bool ends(const struct record *end, const struct record *begin)
{
	return ((end->kind == RECORD_CONT && begin->kind == RECORD_STOP) ||
		(end->kind == RECORD_THAW && begin->kind == RECORD_FREEZE)) &&
	       end->id == begin->id && end->start == begin->start &&
	       !strcmp(end->path, begin->path);
}

static int take(const struct record *record, void *arg)
{
	struct left *left = arg;
	struct record *item;
	size_t i;

	if (record->kind == RECORD_CONT || record->kind == RECORD_THAW) {
		for (i = 0; i < left->n; i++) {
			if (ends(record, &left->item[i]))
				left->item[i--] = left->item[--left->n];
		}
		return 0;
	}
	if (left->n == left->size) {
		item = reallocarray(left->item, left->size * 2 + 16,
				    sizeof(*item));
		if (!item)
			return -ENOMEM;
		left->item = item;
		left->size = left->size * 2 + 16;
	}
	left->item[left->n++] = *record;
	return 0;
}

static int undo(const struct usage_roots *roots, const struct left *left)
{
	int err, failed = 0;
	size_t i;

	for (i = 0; i < left->n; i++) {
		const struct record *record = &left->item[i];

		err = freeze_undo(roots, record);
		if (!err)
			continue;
		failed = err;
		log_line(LOG_ERR, "cannot let %s %" PRIu64 " go on: %s",
			 *record->path ? record->path : "process", record->id,
			 strerror(-err));
	}
	return failed;
}

/**
 * recover() - undo what a daemon that died had begun
 * @daemon: daemon with an open journal
 *
 * Return: 0 or a negative errno, of which the log tells. After an error the
 * journal is kept, so that the next start tries again.
 */
int recover(struct daemon *daemon)
{
	struct left left = { 0 };
	int err;

	err = journal_read(&daemon->journal, take, &left);
	if (err)
		log_line(LOG_ERR, "cannot read the journal: %s", strerror(-err));
	if (left.n)
		log_line(LOG_WARNING,
			 "the daemon before was killed; what it has left frozen goes on (%zu)",
			 left.n);
	/* What could be read is undone whatever comes after it. */
	if (undo(daemon->roots, &left))
		err = err ? err : -EIO;
	node_fence_open(daemon->roots, NULL);
	if (err)
		daemon->freezer.unclean = true;
	else
		journal_clean(&daemon->journal);
	free(left.item);
	return err;
}
