// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes. Through a descriptor of /proc/PID everything that is read belongs
 * to one process: when it ends, reading fails, also if its pid is given again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

/* PF_KTHREAD of the kernel, which is not in its uapi headers but is in stat. */
#define FLAG_KERNEL_THREAD 0x00200000

/* Fields 3, 4, 9 and 22 of proc(5): state, parent, flags, start time. */
#define SKIP_4	    " %*s %*s %*s %*s"
#define STAT_FORMAT " %c %d" SKIP_4 " %u" SKIP_4 SKIP_4 SKIP_4 " %" SCNu64

/**
 * process_open() - open the directory of a process
 * @proc: descriptor of /proc
 * @pid: pid of a process, or of a thread
 *
 * Return: a descriptor, or a negative errno.
 */
int process_open(int proc, pid_t pid)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%d", (int)pid);
	fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* A name may have blanks and parentheses, so its end is the last ")" of all. */
static const char *parse_comm(const char *stat, char *comm)
{
	const char *begin = strchr(stat, '('), *end = strrchr(stat, ')');
	size_t len;

	if (!begin || !end || end < begin)
		return NULL;
	len = end - begin - 1;
	if (len >= PROCESS_COMM_SIZE)
		len = PROCESS_COMM_SIZE - 1;
	memcpy(comm, begin + 1, len);
	comm[len] = '\0';
	return end + 1;
}

/**
 * process_read_stat() - read what /proc/PID/stat tells, which all may read
 * @dir: descriptor of /proc/PID
 * @process: pid, parent, state, name and start time are filled in, the rest is
 *	cleared
 * @kernel: set when it is a thread of the kernel, or NULL
 *
 * Return: 0, -ESRCH when it has ended, -EIO when the text makes no sense.
 */
int process_read_stat(int dir, struct process *process, bool *kernel)
{
	unsigned int flags;
	const char *rest;
	char text[1024];
	int err, pid, ppid;

	memset(process, 0, sizeof(*process));
	err = read_text(dir, "stat", text, sizeof(text));
	if (err < 0)
		return err == -ENOENT ? -ESRCH : err;
	rest = parse_comm(text, process->comm);
	if (!rest || sscanf(text, "%d ", &pid) != 1 ||
	    sscanf(rest, STAT_FORMAT, &process->state, &ppid, &flags,
		   &process->start) != 4)
		return -EIO;
	process->pid = pid;
	process->ppid = ppid;
	if (kernel)
		*kernel = flags & FLAG_KERNEL_THREAD;
	return 0;
}

/*
 * A path that does not fit, that is no longer there or that leads out of the
 * hierarchy as we see it is left out: cut or misread, it would name the cgroup
 * of somebody else.
 */
static void parse_cgroup(const char *text, char *cgroup)
{
	static const char gone[] = " (deleted)";
	const char *line = text;
	size_t len;

	while (strncmp(line, "0::/", 4) != 0) {
		line = strchr(line, '\n');
		if (!line)
			return;
		line++;
	}
	line += 3;
	len = strcspn(line, "\n");
	if (len >= PROCESS_CGROUP_SIZE)
		return;
	memcpy(cgroup, line, len);
	cgroup[len] = '\0';
	if (strstr(cgroup, "/../") ||
	    (len >= 3 && !strcmp(cgroup + len - 3, "/..")) ||
	    (len >= sizeof(gone) - 1 &&
	     !strcmp(cgroup + len - (sizeof(gone) - 1), gone)))
		cgroup[0] = '\0';
}

/**
 * process_read_rest() - read what process_read_stat() leaves out
 * @dir: descriptor of /proc/PID
 * @process: what process_read_stat() has filled in
 *
 * Return: 0, -ESRCH when it has ended, -EIO when the text makes no sense.
 */
int process_read_rest(int dir, struct process *process)
{
	unsigned int uid;
	const char *line;
	char text[8192];
	int err;

	err = read_text(dir, "status", text, sizeof(text));
	if (err < 0)
		return err == -ENOENT ? -ESRCH : err;
	line = strstr(text, "\nUid:");
	/* Real, effective, saved and file system user. */
	if (!line || sscanf(line, "\nUid: %*u %u", &uid) != 1)
		return -EIO;
	process->uid = uid;
	if (read_text(dir, "cgroup", text, sizeof(text)) >= 0)
		parse_cgroup(text, process->cgroup);
	return 0;
}

/**
 * process_leader() - the process that a thread belongs to
 * @proc: descriptor of /proc
 * @tid: pid of a process or of a thread; old kernels name the thread that has
 *	opened a DRM file
 *
 * Return: the pid, or 0 when there is no such thread.
 */
pid_t process_leader(int proc, pid_t tid)
{
	char path[32], text[8192];
	uint64_t pid;

	snprintf(path, sizeof(path), "%d/status", (int)tid);
	if (read_text(proc, path, text, sizeof(text)) < 0 ||
	    !read_field(text, "Tgid:", &pid) || pid > INT_MAX)
		return 0;
	return pid;
}

static int open_of(const struct usage_roots *roots, pid_t pid)
{
	int proc, dir;

	proc = open(roots->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return -errno;
	dir = process_open(proc, pid);
	close(proc);
	return dir == -ENOENT ? -ESRCH : dir;
}

/**
 * process_read() - who a process is
 * @roots: where the machine is
 * @pid: its pid
 * @process: where to put it; its strings are as the process made them
 *
 * Return: 0, -ESRCH when there is none, -EIO when /proc makes no sense, or
 * another errno.
 */
int process_read(const struct usage_roots *roots, pid_t pid,
		 struct process *process)
{
	int dir = open_of(roots, pid);
	int err;

	memset(process, 0, sizeof(*process));
	if (dir < 0)
		return dir;
	err = process_read_stat(dir, process, NULL);
	if (!err)
		err = process_read_rest(dir, process);
	close(dir);
	return err;
}

/**
 * process_is() - is it still the same process?
 * @roots: where the machine is
 * @pid: its pid
 * @start: start time, as in struct process
 *
 * Return: whether there is a process with this pid and start time. One that has
 * ended and that its parent has not asked for yet is still there.
 */
bool process_is(const struct usage_roots *roots, pid_t pid, uint64_t start)
{
	int dir = open_of(roots, pid);
	struct process process;
	int err;

	if (dir < 0)
		return false;
	err = process_read_stat(dir, &process, NULL);
	close(dir);
	return !err && process.start == start;
}
