// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon and the programs that have sessions with it: started, signalled, and
 * looked at from outside.
 */
#include "stress.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS_PATH "/run/egpu/client"
#define START_MS     20000

static pid_t daemon_pid;
static unsigned int base; /* files of the daemon when it had nothing to do */

/* The daemon must not freeze us, as it does with programs that use a leaving GPU: who
 * would start it again then? So we are a display server to it. It asks for little
 * time, as the steps are short, but for what a program's work takes to be moved.
 */
void session_begin(void)
{
	int fd;

	prctl(PR_SET_NAME, "weston");
	mkdir("/etc/egpu", 0755);
	fd = open("/etc/egpu/egpud.conf",
		  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd,
			      "others = wait\n"
			      "ask = %us\n"
			      "freeze = 300ms\n"
			      "drain = 300ms\n"
			      "interval = 200ms\n"
			      "store-free = 1M\n",
			      slow > 1 ? 25 : 10) < 0)
		trouble("cannot write the daemon's configuration");
	close(fd);
}

/**
 * session_is_whole - has the daemon put back what it has taken away
 * @why: filled when not
 * @size: its bytes
 *
 * Return: true when no node is kept closed and its journal is empty.
 */
bool session_is_whole(char *why, size_t size)
{
	struct stat st;
	glob_t found;
	bool closed = !glob("/dev/.egpu-fence/*", 0, NULL, &found);

	if (closed)
		snprintf(why, size, "%s is closed", found.gl_pathv[0]);
	globfree(&found);
	if (closed)
		return false;
	if (stat("/run/egpu/journal", &st) || !st.st_size)
		return true;
	snprintf(why, size, "the journal has %jd bytes", (intmax_t)st.st_size);
	return false;
}

/* Ends in exec. */
static void run(const char *const argv[], int log) __attribute__((noreturn));

static void run(const char *const argv[], int log)
{
	dup2(log, 1);
	dup2(log, 2);
	close_range(3, ~0U, 0);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/**
 * program_start - start a program
 * @argv: as for execvp()
 * @log: where its output goes
 * @flags: O_APPEND or O_TRUNC
 *
 * A child has all our sockets until it closes them, and one that a helper closes
 * meanwhile lives on in it. So no helper runs until the child's last file, this
 * pipe of a high number, is closed.
 *
 * Return: its pid.
 */
pid_t program_start(const char *const argv[], const char *log, int flags)
{
	int out = open(log, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	int ends[2], last;
	char nothing;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		trouble("no pipe");
	last = fcntl(ends[1], F_DUPFD_CLOEXEC, 900);
	close(ends[1]);
	pthread_mutex_lock(&lock);
	pid = fork();
	if (!pid)
		run(argv, out);
	close(last);
	while (read(ends[0], &nothing, 1) < 0 && errno == EINTR)
		;
	pthread_mutex_unlock(&lock);
	close(ends[0]);
	close(out);
	return pid;
}

void daemon_start(void)
{
	static const char *const argv[] = { "egpud", NULL };

	base = 0;
	daemon_pid =
		program_start(argv, "/run/rig/artifacts/egpud.log", O_APPEND);
	figures.daemons++;
}

/**
 * daemon_signal - to the daemon, which must be there
 * @number: of the signal, 0 to see that it is there
 */
void daemon_signal(int number)
{
	int status;

	if (waitpid(daemon_pid, &status, WNOHANG) == daemon_pid)
		fail("egpud runs", "it ended with status %#x", status);
	kill(daemon_pid, number);
}

void daemon_end(int number)
{
	int status = 0;

	daemon_signal(number);
	/* One that is asked before it listens for signals dies of it. */
	if (waitpid(daemon_pid, &status, 0) != daemon_pid ||
	    (number == SIGTERM && status && WTERMSIG(status) != SIGTERM))
		fail("egpud ends when asked", "status %#x", status);
}

/* --- is it at rest ------------------------------------------------------------ */

/* Timers come with their first use and stay. */
static bool is_timer(const char *file)
{
	char path[300], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", daemon_pid, file);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strstr(target, "timerfd");
}

static unsigned int count_files(void)
{
	struct dirent *entry;
	char path[64];
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", daemon_pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !is_timer(entry->d_name);
	if (dir)
		closedir(dir);
	return n;
}

static pid_t parent_of(const char *process)
{
	char path[300], line[128];
	pid_t parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", process);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (file)
		fclose(file);
	return parent;
}

static pid_t child_of_daemon(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t child = 0;

	while (dir && !child && (entry = readdir(dir)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
		    parent_of(entry->d_name) == daemon_pid)
			child = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return child;
}

/* A daemon that was killed leaves the name of its socket. */
static bool takes_programs(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX,
				  .sun_path = CLIENTS_PATH };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool fine = !connect(sock, (struct sockaddr *)&at, sizeof(at));

	close(sock);
	return fine;
}

/**
 * daemon_base - what the daemon has open now is what it has open at rest
 *
 * It listens as a helper before it has all that it needs; programs it takes last.
 */
void daemon_base(void)
{
	uint64_t end = now_ns() + START_MS * slow * 1000000ULL;

	while (!takes_programs()) {
		if (now_ns() > end)
			fail("egpud takes programs", "nobody listens at %s",
			     CLIENTS_PATH);
		sleep_ms(20);
	}
	sleep_ms(300 * slow);
	base = count_files();
}

/**
 * daemon_rests - has the daemon let go of all that it did
 * @why: filled when not
 * @size: its bytes
 *
 * Return: true when it has no child and no more files than at rest.
 */
bool daemon_rests(char *why, size_t size)
{
	unsigned int files = count_files();
	pid_t child;

	/* Nothing was asked of it since it was started. */
	if (!base)
		return true;
	child = child_of_daemon();
	if (child) {
		snprintf(why, size, "pid %d is still at work for it", child);
		return false;
	}
	snprintf(why, size, "%u files are open, %u at rest", files, base);
	return files <= base;
}
