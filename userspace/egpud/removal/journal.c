// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The journal: what stands still because of us, recorded before it is done. One
 * line per record, as described in egpud(8).
 *
 * A line without an end was being written when we died, and what it announces
 * was not done yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../../common/text.h"
#include "../egpud.h"

/* No day is so busy; a longer file is not ours. */
#define JOURNAL_MAX (4u << 20)
#define LINE_SIZE   (PROCESS_CGROUP_SIZE + 64)

static const char *const kind_names[] = {
	[RECORD_STOP] = "stop",
	[RECORD_CONT] = "cont",
	[RECORD_FREEZE] = "freeze",
	[RECORD_THAW] = "thaw",
};

#define N_KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

static bool is_cgroup(enum record_kind kind)
{
	return kind == RECORD_FREEZE || kind == RECORD_THAW;
}

static bool take_number(char **text, uint64_t max, uint64_t *value)
{
	char *word = strsep(text, " ");

	return word && text_to_uint(word, max, value) && *value;
}

/* "/" is everybody's, and nothing leads out of the hierarchy. */
static bool path_is_sane(const char *path)
{
	return path[0] == '/' && path[1] &&
	       strlen(path) < PROCESS_CGROUP_SIZE && !strstr(path, "/../") &&
	       !strstr(path, "//") && strcmp(strrchr(path, '/'), "/..");
}

/**
 * record_parse() - read a line of the journal
 * @line: the line without its end
 * @record: where to put what it says
 *
 * Return: whether it is a line that journal_write() can have written.
 */
bool record_parse(const char *line, struct record *record)
{
	char copy[LINE_SIZE], *text = copy, *word;
	size_t i;

	memset(record, 0, sizeof(*record));
	if (strlen(line) >= sizeof(copy))
		return false;
	strcpy(copy, line);
	word = strsep(&text, " ");
	for (i = 0; i < N_KINDS; i++) {
		if (!strcmp(word, kind_names[i]))
			break;
	}
	if (i == N_KINDS)
		return false;
	record->kind = (enum record_kind)i;
	if (is_cgroup(record->kind)) {
		if (!take_number(&text, UINT64_MAX, &record->id) || !text ||
		    !path_is_sane(text))
			return false;
		strcpy(record->path, text);
		return true;
	}
	/* Pid 1 is never stopped, so nobody has recorded it. */
	return take_number(&text, INT_MAX, &record->id) && record->id > 1 &&
	       take_number(&text, UINT64_MAX, &record->start) && !text;
}

/* Nobody but we may have a hand in what tells us whom to send signals. */
static int open_dir(const char *path)
{
	struct stat st;
	int fd;

	/* All may go through it, to the socket; none may look around. */
	if (mkdir(path, 0711) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_uid == geteuid() &&
	    ((st.st_mode & 0777) == 0711 || !fchmod(fd, 0711)))
		return fd;
	close(fd);
	return -EPERM;
}

static int open_file(int dir)
{
	struct stat st;
	int fd, err;

	fd = openat(dir, JOURNAL_FILE,
		    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
			    O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		 st.st_nlink != 1)
		err = -EPERM;
	else if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else
		return fd;
	close(fd);
	return err;
}

/**
 * journal_open() - open the journal, or make one
 * @journal: overwritten
 * @dir: the run directory, made if it is not there
 *
 * Return: 0; -EBUSY another daemon has it, -EPERM it is not ours alone, or
 * another negative errno. In an error @journal is closed.
 */
int journal_open(struct journal *journal, const char *dir)
{
	*journal = (struct journal)JOURNAL_CLOSED;
	journal->dir = open_dir(dir);
	if (journal->dir < 0)
		return journal->dir;
	journal->file = open_file(journal->dir);
	if (journal->file < 0) {
		int err = journal->file;

		journal_close(journal);
		return err;
	}
	return 0;
}

/* Ends the line that our predecessor was writing when it died. */
static int end_last_line(int file)
{
	struct stat st;
	char last;

	if (fstat(file, &st))
		return -errno;
	if (!st.st_size ||
	    (pread(file, &last, 1, st.st_size - 1) == 1 && last == '\n'))
		return 0;
	return write(file, "\n", 1) == 1 ? 0 : -EIO;
}

/**
 * journal_write() - record what is about to be done
 * @journal: journal
 * @record: what
 *
 * Return: 0 or a negative errno, after which it must not be done.
 */
int journal_write(struct journal *journal, const struct record *record)
{
	char line[LINE_SIZE];
	ssize_t done;
	int len;

	if (journal->file < 0)
		return -EBADF;
	if (is_cgroup(record->kind))
		len = snprintf(line, sizeof(line), "%s %" PRIu64 " %s\n",
			       kind_names[record->kind], record->id,
			       record->path);
	else
		len = snprintf(line, sizeof(line),
			       "%s %" PRIu64 " %" PRIu64 "\n",
			       kind_names[record->kind], record->id,
			       record->start);
	if (len >= (int)sizeof(line))
		return -ENAMETOOLONG;
	crash_point();
	done = write(journal->file, line, (size_t)len);
	if (done == len)
		return 0;
	if (done < 0)
		return -errno;
	/* A part of a line must not become the head of the next one. */
	end_last_line(journal->file);
	return -ENOSPC;
}

static int take_lines(char *text,
		      int (*take)(const struct record *record, void *arg),
		      void *arg)
{
	struct record record;
	char *line, *end;
	int n = 0, err;

	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		n++;
		*end = '\0';
		if (!*line)
			continue;
		if (!record_parse(line, &record)) {
			log_line(LOG_WARNING,
				 "journal: line %d is not one of ours, skipped",
				 n);
			continue;
		}
		err = take(&record, arg);
		if (err)
			return err;
	}
	return 0;
}

static int read_all(int file, char *text, size_t size)
{
	size_t at = 0;
	ssize_t len;

	while (at < size) {
		len = pread(file, text + at, size - at, (off_t)at);
		if (len < 0)
			return -errno;
		if (!len)
			break;
		at += (size_t)len;
	}
	text[at] = '\0';
	/* What comes after a zero could not be seen by who reads text. */
	for (size = 0; size < at; size++) {
		if (!text[size])
			text[size] = '?';
	}
	return 0;
}

/**
 * journal_read() - read what was recorded, from the beginning
 * @journal: journal
 * @take: called for each record; an error ends the reading
 * @arg: for @take
 *
 * Lines that are not records are logged and skipped.
 *
 * Return: 0, an error of @take, -EFBIG, or another negative errno.
 */
int journal_read(struct journal *journal,
		 int (*take)(const struct record *record, void *arg), void *arg)
{
	struct stat st;
	char *text;
	int err;

	if (fstat(journal->file, &st))
		return -errno;
	if (st.st_size > (off_t)JOURNAL_MAX)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	err = read_all(journal->file, text, (size_t)st.st_size);
	if (!err)
		err = take_lines(text, take, arg);
	free(text);
	if (!err)
		err = end_last_line(journal->file);
	return err;
}

/* Nothing stands still any more. */
void journal_clean(struct journal *journal)
{
	if (journal->file < 0)
		return;
	crash_point();
	/* What stays is undone a second time, which does no harm. */
	if (ftruncate(journal->file, 0))
		log_line(LOG_WARNING, "cannot clean the journal: %s",
			 strerror(errno));
}

void journal_close(struct journal *journal)
{
	if (journal->file >= 0)
		close(journal->file);
	if (journal->dir >= 0)
		close(journal->dir);
	*journal = (struct journal)JOURNAL_CLOSED;
}
