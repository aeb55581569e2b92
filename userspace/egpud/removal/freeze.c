// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Makes processes stand still, and lets them go on.
 *
 * A cgroup is frozen as a whole if it holds nobody else, since its processes
 * cannot see that. Else a process is stopped by a signal through a pidfd, which
 * a parent that watches its children can see. Who stands still already, stopped
 * by its user or frozen by somebody else, is left alone then and later.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <syslog.h>
#include <unistd.h>

#include "../egpud.h"

static bool is_cgroup(const struct frozen *frozen)
{
	return frozen->record.kind == RECORD_FREEZE;
}

/* A cgroup stands still with all that is below it. */
static bool covers(const struct frozen *frozen, const struct process *process)
{
	size_t len = strlen(frozen->record.path);

	if (!is_cgroup(frozen))
		return frozen->record.id == (uint64_t)process->pid &&
		       frozen->record.start == process->start;
	return !strncmp(process->cgroup, frozen->record.path, len) &&
	       (!process->cgroup[len] || process->cgroup[len] == '/');
}

static bool is_still(char state)
{
	return state == 'T' || state == 't' || state == 'Z' || state == 'X';
}

static bool in_set(const struct freeze_set *set, const struct frozen *frozen)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->item[i] == frozen)
			return true;
	}
	return false;
}

/* Room is made before anything is done, so that adding cannot fail. */
static int make_room(struct freeze_set *set)
{
	struct frozen **item;

	item = reallocarray(set->item, set->n + 1, sizeof(struct frozen *));
	if (!item)
		return -ENOMEM;
	set->item = item;
	return 0;
}

static void use(struct freeze_set *set, struct frozen *frozen)
{
	if (in_set(set, frozen))
		return;
	set->item[set->n++] = frozen;
	frozen->users++;
}

static enum record_kind opposite(enum record_kind kind)
{
	return kind == RECORD_STOP ? RECORD_CONT : RECORD_THAW;
}

static int act(const struct frozen *frozen, bool still)
{
	int err;

	crash_point();
	if (is_cgroup(frozen))
		return cgroup_set_frozen(frozen->fd, still);
	err = pidfd_send_signal(frozen->fd, still ? SIGSTOP : SIGCONT, NULL, 0);
	return err ? -errno : 0;
}

static bool is_over(int err)
{
	return err == -ESRCH || err == -ENODEV || err == -ENOENT;
}

/* Says in the journal that it is over; unless all is, which is said shorter. */
static void record_end(struct freezer *freezer, struct record record)
{
	record.kind = opposite(record.kind);
	if (freezer->list || freezer->unclean)
		journal_write(freezer->journal, &record);
	else
		journal_clean(freezer->journal);
}

static int begin(struct freezer *freezer, struct frozen *frozen)
{
	int err = journal_write(freezer->journal, &frozen->record);

	if (err)
		return err;
	err = act(frozen, true);
	if (err)
		record_end(freezer, frozen->record);
	return err;
}

/* Takes over @fd. */
static int add(struct freezer *freezer, struct freeze_set *set,
	       const struct process *process, const struct record *record,
	       int fd)
{
	struct frozen *frozen = calloc(1, sizeof(*frozen));
	int err = -ENOMEM;

	if (frozen) {
		frozen->record = *record;
		frozen->process = *process;
		frozen->fd = fd;
		err = begin(freezer, frozen);
	}
	if (err) {
		free(frozen);
		close(fd);
		return err;
	}
	frozen->next = freezer->list;
	freezer->list = frozen;
	use(set, frozen);
	return 0;
}

/* -ENOENT when the cgroup is not ours to freeze, 1 when it is still already. */
static int add_cgroup(struct freezer *freezer, struct freeze_set *set,
		      const struct process *process, const struct process *list,
		      size_t n)
{
	struct record record = { .kind = RECORD_FREEZE };
	int fd = cgroup_open(freezer->roots, process->cgroup, &record.id);

	if (fd < 0)
		return -ENOENT;
	if (cgroup_is_frozen(fd)) {
		close(fd);
		return 1;
	}
	if (!cgroup_holds_only(fd, list, n)) {
		close(fd);
		return -ENOENT;
	}
	strcpy(record.path, process->cgroup);
	return add(freezer, set, process, &record, fd);
}

static int add_process(struct freezer *freezer, struct freeze_set *set,
		       const struct process *process)
{
	struct record record = {
		.kind = RECORD_STOP,
		.id = (uint64_t)process->pid,
		.start = process->start,
	};
	int fd = pidfd_open(process->pid, 0);

	if (fd < 0)
		return -errno;
	/* Only now can the pid not pass to another any more. */
	if (!process_is(freezer->roots, process->pid, process->start)) {
		close(fd);
		return -ESRCH;
	}
	return add(freezer, set, process, &record, fd);
}

static int add_one(struct freezer *freezer, struct freeze_set *set,
		   const struct process *process, const struct process *list,
		   size_t n)
{
	struct frozen *frozen;
	int err;

	for (frozen = freezer->list; frozen; frozen = frozen->next) {
		if (covers(frozen, process)) {
			use(set, frozen);
			return 0;
		}
	}
	if (is_still(process->state))
		return 0;
	err = add_cgroup(freezer, set, process, list, n);
	if (err >= 0)
		return 0;
	return add_process(freezer, set, process);
}

/**
 * freeze_add() - let processes stand still
 * @freezer: the freezer
 * @set: gets what now stands still for it
 * @list: processes, none of which is us or pid 1
 * @n: how many
 * @failed: which one could not be frozen, when an error is returned
 *
 * Comes back at once; freeze_culprit() tells when they do. Processes that have
 * ended are skipped.
 *
 * Return: 0 or a negative errno. What is in @set then is to be released.
 */
int freeze_add(struct freezer *freezer, struct freeze_set *set,
	       const struct process *list, size_t n,
	       const struct process **failed)
{
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		err = make_room(set);
		if (!err)
			err = add_one(freezer, set, &list[i], list, n);
		if (err && !is_over(err)) {
			*failed = &list[i];
			return err;
		}
	}
	return 0;
}

/* The state of a thread that moves still, or 0. */
static char moving_thread(const struct usage_roots *roots, pid_t pid)
{
	struct process thread;
	struct dirent *entry;
	char path[64], state = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%d/task", roots->proc, pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!state && (entry = readdir(dir))) {
		pid_t tid = (pid_t)atoi(entry->d_name);

		if (tid > 0 && !process_read(roots, tid, &thread) &&
		    !is_still(thread.state))
			state = thread.state;
	}
	closedir(dir);
	return state;
}

/**
 * freeze_culprit() - is anybody not still yet?
 * @freezer: the freezer
 * @set: what is to stand still
 * @state: the state of the culprit, 'D' when it cannot be reached
 *
 * Return: who moves still, or NULL when nobody does.
 */
const struct process *freeze_culprit(const struct freezer *freezer,
				     const struct freeze_set *set, char *state)
{
	struct process now;
	size_t i;

	for (i = 0; i < set->n; i++) {
		const struct process *process = &set->item[i]->process;

		if (!is_cgroup(set->item[i])) {
			*state = moving_thread(freezer->roots, process->pid);
			if (*state)
				return process;
		} else if (!cgroup_is_frozen(set->item[i]->fd)) {
			/* A cgroup that has emptied is never called frozen. */
			if (process_read(freezer->roots, process->pid, &now) ||
			    now.start != process->start)
				continue;
			*state = now.state;
			return process;
		}
	}
	return NULL;
}

static void drop(struct freezer *freezer, struct frozen *frozen)
{
	struct frozen **link = &freezer->list;
	int err = act(frozen, false);

	while (*link != frozen)
		link = &(*link)->next;
	*link = frozen->next;
	if (err && !is_over(err)) {
		freezer->unclean = true;
		log_line(LOG_ERR, "cannot let %s (pid %d) go on: %s",
			 frozen->process.comm, frozen->process.pid,
			 strerror(-err));
	} else {
		record_end(freezer, frozen->record);
	}
	close(frozen->fd);
	free(frozen);
}

/**
 * freeze_release() - let go on what no other set needs to stand still
 * @freezer: the freezer
 * @set: emptied
 */
void freeze_release(struct freezer *freezer, struct freeze_set *set)
{
	while (set->n) {
		struct frozen *frozen = set->item[--set->n];

		if (!--frozen->users)
			drop(freezer, frozen);
	}
	free(set->item);
	set->item = NULL;
}

/**
 * freeze_undo() - let go on what the journal says stands still
 * @roots: where the machine is
 * @record: RECORD_STOP or RECORD_FREEZE
 *
 * Return: 0, also when the process or cgroup is no more, or a negative errno.
 */
int freeze_undo(const struct usage_roots *roots, const struct record *record)
{
	struct frozen frozen = { .record = *record };
	int err;

	if (is_cgroup(&frozen)) {
		frozen.fd = cgroup_open(roots, record->path, &frozen.record.id);
	} else {
		frozen.fd = pidfd_open((pid_t)record->id, 0);
		if (frozen.fd < 0)
			frozen.fd = -errno;
	}
	if (frozen.fd < 0)
		return is_over(frozen.fd) ? 0 : frozen.fd;
	/* Whoever has that pid now has done nothing to be sent a signal. */
	if (!is_cgroup(&frozen) &&
	    !process_is(roots, (pid_t)record->id, record->start))
		err = 0;
	else
		err = act(&frozen, false);
	close(frozen.fd);
	return is_over(err) ? 0 : err;
}
