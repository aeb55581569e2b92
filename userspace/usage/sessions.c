// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The programs that cooperate with egpud, as it tells everybody in a file:
 *
 *	PID START DEVICE STEP BUFFERS BYTES NAME
 *
 * one line for each session. The file decides what people are told about an
 * eject, so only what root has written is believed, and all of it or nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define N_NUMBERS 6

/* The next number of a line and the blank behind it. */
static bool next_number(char **at, uint64_t max, uint64_t *value)
{
	char *blank = strchr(*at, ' ');

	if (!blank)
		return false;
	*blank = '\0';
	if (!read_number(*at, max, value))
		return false;
	*at = blank + 1;
	return true;
}

/* The name is all that is left, blanks included; it may be empty. */
static bool parse_line(char *line, struct session_line *session)
{
	static const uint64_t max[N_NUMBERS] = { INT_MAX,    UINT64_MAX,
						 UINT32_MAX, UINT64_MAX,
						 UINT32_MAX, UINT64_MAX };
	uint64_t number[N_NUMBERS];
	int i;

	for (i = 0; i < N_NUMBERS; i++) {
		if (!next_number(&line, max[i], &number[i]))
			return false;
	}
	if (!number[0] || strlen(line) >= sizeof(session->name))
		return false;
	session->pid = number[0];
	session->start = number[1];
	session->device = number[2];
	session->step = number[3];
	session->buffers = number[4];
	session->bytes = number[5];
	strcpy(session->name, line);
	return true;
}

static int parse(char *text, struct session_lines *sessions)
{
	char *end;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end || sessions->n == SESSIONS_MAX)
			return -EINVAL;
		*end = '\0';
		if (!parse_line(text, &sessions->item[sessions->n]))
			return -EINVAL;
		sessions->n++;
	}
	return 0;
}

/* Opened so that neither a link nor a pipe in its place can lead astray. */
static int open_file(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path,
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !st.st_uid &&
	    !(st.st_mode & 022))
		return fd;
	close(fd);
	return -EPERM;
}

/* All of it, with a NUL behind; a NUL in it is a mistake. */
static int read_all(int fd, char *text, size_t size)
{
	size_t at = 0;
	ssize_t n;

	while (at < size) {
		n = read(fd, text + at, size - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		at += n;
	}
	if (at == size)
		return -E2BIG;
	text[at] = '\0';
	return strlen(text) == at ? 0 : -EINVAL;
}

/**
 * sessions_read() - who cooperates with egpud
 * @path: the file, SESSIONS_PATH for most
 * @sessions: where to put them; none after an error
 *
 * Return: 0, also when there is no such file; -EPERM when it is not a regular
 * file of root's that nobody else may write, -E2BIG or -EINVAL when it cannot be
 * what egpud has written, or another errno.
 */
int sessions_read(const char *path, struct session_lines *sessions)
{
	char *text;
	int fd, err;

	sessions->n = 0;
	fd = open_file(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	text = malloc(SESSIONS_FILE_MAX + 1);
	err = text ? read_all(fd, text, SESSIONS_FILE_MAX + 1) : -ENOMEM;
	close(fd);
	if (!err)
		err = parse(text, sessions);
	if (err)
		sessions->n = 0;
	free(text);
	return err;
}

/**
 * sessions_mark() - note which holders of a GPU cooperate
 * @sessions: the sessions there are
 * @device: the GPU's device id
 * @holders: who holds it; .cooperates is set
 *
 * The pid alone does not do: it may be that of another program by now. And a
 * session whose work is elsewhere does not make its program let go of this GPU.
 */
void sessions_mark(const struct session_lines *sessions, uint32_t device,
		   struct holders *holders)
{
	struct holder *holder;
	size_t i;

	for (i = 0; i < holders->n; i++)
		holders->item[i].cooperates = false;
	for (i = 0; i < sessions->n; i++) {
		const struct session_line *session = &sessions->item[i];

		holder = holders_with(holders, session->pid);
		if (holder && holder->process.start == session->start &&
		    session->device == device)
			holder->cooperates = true;
	}
}

/**
 * sessions_on() - how many sessions have their work on a device
 * @sessions: the sessions there are
 * @device: device id, 0 for the CPU
 *
 * Return: how many.
 */
unsigned int sessions_on(const struct session_lines *sessions, uint32_t device)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < sessions->n; i++)
		count += sessions->item[i].device == device;
	return count;
}
