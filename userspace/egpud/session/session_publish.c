// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The list of sessions, for egpuctl: a line for each in RUNDIR/sessions, see
 * egpud(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../../common/text.h"
#include "../work.h"

/* Many things change at once when a program starts. */
#define PUBLISH_DELAY (20 * WORK_MS)
#define PUBLISH_NEW   PUBLISH_FILE ".new"

static void print(const struct session *session, FILE *file)
{
	char name[4 * WIRE_NAME];

	text_printable(session->name, name, sizeof(name));
	fprintf(file,
		"%d %" PRIu64 " %" PRIu32 " %" PRIu64 " %zu %" PRIu64 " %s\n",
		session->process.pid, session->process.start, session->device,
		session->accepted_step, session->n, session->bytes, name);
}

static int print_all(const struct work *work, int fd)
{
	const struct session *session;
	FILE *file = fdopen(fd, "w");
	int err;

	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	for (session = work->sessions; session; session = session->next) {
		if (session->greeted)
			print(session, file);
	}
	err = ferror(file) ? -EIO : 0;
	if (fclose(file))
		err = -errno;
	return err;
}

static int publish(const struct work *work)
{
	int dir = work->daemon->journal.dir, fd, err;

	if (dir < 0)
		return -EBADF;
	unlinkat(dir, PUBLISH_NEW, 0);
	fd = openat(dir, PUBLISH_NEW,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* Whatever our umask is, all may read it. */
	if (fchmod(fd, 0644)) {
		err = -errno;
		close(fd);
		return err;
	}
	err = print_all(work, fd);
	if (!err && renameat(dir, PUBLISH_NEW, dir, PUBLISH_FILE))
		err = -errno;
	return err;
}

/**
 * publish_now() - write the list
 * @work: of its sessions
 *
 * Only shown to people, so a failure changes nothing.
 */
void publish_now(struct work *work)
{
	int err;

	work->publish = sd_event_source_disable_unref(work->publish);
	crash_point();
	err = publish(work);
	if (err)
		log_line(LOG_WARNING, "cannot write the list of sessions: %s",
			 strerror(-err));
}

static int on_publish(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	publish_now(arg);
	return 0;
}

/* Something in the list has changed. */
void publish_soon(struct work *work)
{
	if (!work->publish)
		work_timer(work, &work->publish, PUBLISH_DELAY, on_publish,
			   work);
}
