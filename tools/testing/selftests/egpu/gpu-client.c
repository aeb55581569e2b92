// SPDX-License-Identifier: GPL-2.0
/*
 * A program that uses a GPU, as well or badly as it is told, and says what it
 * sees.
 *
 *   gpu-client [OPTION...] NODE
 *     --name NAME       its name; with --processes NAME-1, NAME-2 ...
 *     --processes N     so many of it
 *     --files N         opens of the node, of each process
 *     --buffers N       buffers of each file
 *     --export          each buffer as a dma-buf, too
 *     --only-export     and the node is closed then
 *     --map             maps the first buffer of each file
 *     --fill            fills each buffer: word W of buffer B of file F, all from
 *                       0, is 0xe6000000 + F * 2^20 + B * 2^12 + W
 *     --fence MS|never  a fence on the first buffer of each file, signalled
 *                       after so long; vgem's own limit is 10 s
 *     --write           as one who writes the buffer
 *     --chain N         so many fences one after the other, each on another
 *                       buffer and attached right before the last is signalled
 *     --beat MS         works in a loop and tells of every pause beyond MS
 *     --close-after MS  closes the GPU then, and goes on
 *     --ignore-term     does not end on SIGTERM
 *     --close-on-term   closes the GPU on SIGTERM, and goes on
 *     --stuck           in D state, which no signal but SIGKILL ends
 *
 * A line for each thing, with the time in ns of CLOCK_BOOTTIME in front: "ready
 * pid=7", "attached 1", "signals 1", "gap ms=210", "beat", "term", "closed".
 */
#define _GNU_SOURCE
#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vgem.h"

#define PIXELS	  32 /* a side of a buffer: a page */
#define FILES_MAX 64
#define FENCE_MAX 128
#define MS	  UINT64_C(1000000)
#define NEVER	  UINT64_MAX

struct options {
	const char *name;
	const char *node;
	unsigned int processes;
	unsigned int files;
	unsigned int buffers;
	unsigned int chain;
	bool export;
	bool only_export;
	bool map;
	bool fill;
	bool write;
	bool ignore_term;
	bool close_on_term;
	bool stuck;
	uint64_t fence_ns; /* 0 for none */
	uint64_t beat_ns;
	uint64_t close_ns;
};

/* A fence that has to be signalled. */
struct fence {
	uint32_t id;
	uint64_t at;
};

static struct options options = { .processes = 1, .files = 1 };
static int file[FILES_MAX];
static int *buf; /* dma-bufs */
static unsigned int bufs;
static int vgem = -1;
static struct fence fence[FENCE_MAX];
static unsigned int fences, signalled;
static uint64_t last_beat;
static unsigned int beats;
static volatile sig_atomic_t term;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	n = snprintf(line, sizeof(line), "%" PRIu64 " ", now());
	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - n, format, args);
	va_end(args);
	/* One write, so that processes that share the file do not mix. */
	dprintf(STDOUT_FILENO, "%s\n", line);
}

static void die(const char *what, int error) __attribute__((noreturn));

static void die(const char *what, int error)
{
	say("failed: %s: %s", what, strerror(-error));
	exit(1);
}

/* --- the GPU -----------------------------------------------------------------*/

static void fill(uint32_t *word, unsigned int of_file, unsigned int buffer)
{
	uint32_t i;

	if (!word)
		die("a mapping", -errno);
	for (i = 0; i < PIXELS * PIXELS; i++)
		word[i] = 0xe6000000 + (of_file << 20) + (buffer << 12) + i;
}

static void make_buffers(int fd, unsigned int number)
{
	uint32_t handle = 0;
	unsigned int i;
	int error, out;

	for (i = 0; i < options.buffers; i++) {
		error = buffer_make(fd, PIXELS, &handle);
		if (error)
			die("a buffer", error);
		if (options.map && !i && !buffer_mapped(fd, handle, PIXELS))
			die("a mapping", -errno);
		if (options.fill)
			fill(buffer_mapped(fd, handle, PIXELS), number, i);
		if (!options.export)
			continue;
		out = buffer_export(fd, handle);
		if (out < 0)
			die("the export of a buffer", out);
		buf[bufs++] = out;
	}
}

static void close_gpu(void)
{
	unsigned int i;

	for (i = 0; i < options.files; i++) {
		if (file[i] >= 0)
			close(file[i]);
		file[i] = -1;
	}
}

static void open_gpu(void)
{
	unsigned int i;

	if (options.export)
		buf = calloc(options.files * options.buffers + 1, sizeof(*buf));
	for (i = 0; i < options.files; i++) {
		file[i] = open(options.node, O_RDWR | O_CLOEXEC);
		if (file[i] < 0)
			die(options.node, -errno);
		/* Who is master shows a picture; this is a program like others. */
		ioctl(file[i], DRM_IOCTL_DROP_MASTER);
		make_buffers(file[i], i);
	}
	if (options.only_export)
		close_gpu();
}

/* --- its fences --------------------------------------------------------------*/

static void attach(unsigned int which)
{
	uint32_t handle;
	int error = vgem_import(vgem, buf[which], &handle);

	if (!error)
		error = vgem_attach(vgem, handle, options.write,
				    &fence[fences].id);
	if (error)
		die("a fence", error);
	fence[fences].at = options.fence_ns == NEVER ? NEVER :
						       now() + options.fence_ns;
	say("attached %u", ++fences);
}

static void attach_first(void)
{
	unsigned int i;

	if (!options.fence_ns)
		return;
	vgem = vgem_open();
	if (vgem < 0)
		die("vgem", vgem);
	for (i = 0; i < options.files; i++)
		attach(i * options.buffers);
}

/* The next of a chain is there before the last is done: who looks only once
 * after it has waited takes the GPU for idle.
 */
static void signal_due(void)
{
	int error;

	while (signalled < fences && fence[signalled].at <= now()) {
		if (options.chain && fences < options.chain)
			attach(fences % bufs);
		/* Said before, so that nobody can know of it sooner. */
		say("signals %u", signalled + 1);
		error = vgem_signal(vgem, fence[signalled++].id);
		if (error && error != -ETIMEDOUT)
			die("signalling", error);
	}
}

/* --- its life ----------------------------------------------------------------*/

static void on_term(int number)
{
	(void)number;
	term = 1;
}

static void obey(void)
{
	term = 0;
	say("term");
	if (options.close_on_term)
		close_gpu();
	else if (!options.ignore_term)
		exit(0);
}

/* Work that a person would see stand still. */
static void beat(void)
{
	uint64_t time = now(), pause = time - last_beat;

	if (last_beat && pause > options.beat_ns)
		say("gap ms=%" PRIu64, pause / MS);
	if (!(beats++ % 50))
		say("beat");
	last_beat = time;
}

static void live(void)
{
	uint64_t end = options.close_ns ? now() + options.close_ns : NEVER;
	bool busy = options.beat_ns || options.fence_ns || options.close_ns;

	for (;;) {
		if (term)
			obey();
		signal_due();
		if (options.beat_ns)
			beat();
		if (now() >= end) {
			close_gpu();
			say("closed");
			end = NEVER;
		}
		poll(NULL, 0, busy ? 2 : 200);
	}
}

/* vfork() lets the parent wait in D state until the child is done. The child
 * has a table of files of its own and does not keep the GPU.
 */
static void get_stuck(void)
{
	pid_t parent = getpid();
	pid_t child;

	say("stuck");
	child = vfork();
	if (child)
		exit(child < 0);
	close_range(3, ~0U, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		poll(NULL, 0, 100);
	_exit(0);
}

static void be_client(unsigned int number)
{
	struct sigaction action = { .sa_handler = on_term };
	char name[16];

	if (options.name && options.processes > 1)
		snprintf(name, sizeof(name), "%.10s-%u", options.name, number);
	else
		snprintf(name, sizeof(name), "%s",
			 options.name ? options.name : "gpu-client");
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, number ? SIGKILL : 0);
	sigaction(SIGTERM, &action, NULL);
	open_gpu();
	attach_first();
	say("ready pid=%d", getpid());
	if (options.stuck)
		get_stuck();
	live();
}

/* Waits for its children, which end with it. */
static int be_parent(void)
{
	unsigned int i;
	pid_t pid;

	for (i = 1; i <= options.processes; i++) {
		pid = fork();
		if (pid < 0)
			die("fork", -errno);
		if (!pid)
			be_client(i);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		continue;
	return 0;
}

/* --- its options -------------------------------------------------------------*/

static uint64_t parse_ms(const char *text)
{
	return strcmp(text, "never") ? strtoull(text, NULL, 10) * MS : NEVER;
}

static void take_number(int c)
{
	unsigned int number = strtoul(optarg, NULL, 10);

	switch (c) {
	case 'p':
		options.processes = number;
		break;
	case 'f':
		options.files = number;
		break;
	case 'b':
		options.buffers = number;
		break;
	default:
		options.chain = number;
	}
}

static void take_time(int c)
{
	uint64_t time = parse_ms(optarg);

	if (c == 'F')
		options.fence_ns = time;
	else if (c == 'B')
		options.beat_ns = time;
	else
		options.close_ns = time;
}

static bool take_flag(int c)
{
	switch (c) {
	case 'E':
		options.only_export = true;
		options.export = true;
		break;
	case 'e':
		options.export = true;
		break;
	case 'm':
		options.map = true;
		break;
	case 'l':
		options.fill = true;
		break;
	case 'w':
		options.write = true;
		break;
	case 'i':
		options.ignore_term = true;
		break;
	case 'c':
		options.close_on_term = true;
		break;
	case 's':
		options.stuck = true;
		break;
	default:
		return false;
	}
	return true;
}

static const struct option known[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "processes", required_argument, NULL, 'p' },
	{ "files", required_argument, NULL, 'f' },
	{ "buffers", required_argument, NULL, 'b' },
	{ "chain", required_argument, NULL, 'h' },
	{ "export", no_argument, NULL, 'e' },
	{ "only-export", no_argument, NULL, 'E' },
	{ "map", no_argument, NULL, 'm' },
	{ "fill", no_argument, NULL, 'l' },
	{ "write", no_argument, NULL, 'w' },
	{ "fence", required_argument, NULL, 'F' },
	{ "beat", required_argument, NULL, 'B' },
	{ "close-after", required_argument, NULL, 'C' },
	{ "ignore-term", no_argument, NULL, 'i' },
	{ "close-on-term", no_argument, NULL, 'c' },
	{ "stuck", no_argument, NULL, 's' },
	{}
};

static bool parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		if (c == 'n')
			options.name = optarg;
		else if (strchr("pfbh", c))
			take_number(c);
		else if (strchr("FBC", c))
			take_time(c);
		else if (!take_flag(c))
			return false;
	}
	if (optind != argc - 1)
		return false;
	options.node = argv[optind];
	if (options.fence_ns) {
		options.export = true;
		options.buffers += !options.buffers;
	}
	return options.files <= FILES_MAX && options.files <= FENCE_MAX &&
	       options.chain <= FENCE_MAX && options.processes;
}

int main(int argc, char **argv)
{
	if (!parse(argc, argv)) {
		fprintf(stderr, "gpu-client: see the head of gpu-client.c\n");
		return 2;
	}
	if (options.processes > 1)
		return be_parent();
	be_client(0);
	return 0;
}
