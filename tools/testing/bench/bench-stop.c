// SPDX-License-Identifier: GPL-2.0
/*
 * bench-stop: how long does a program stand still when its GPU is taken away?
 *
 *   bench-stop eject  PCI-ADDRESS NODE OTHER-NODE
 *   bench-stop unbind PCI-ADDRESS NODE OTHER-NODE
 *
 * A program with 40 buffers on NODE works in a loop of its own. "eject" ejects the
 * GPU, as egpud carries it out; the program goes on by itself. "unbind" does what
 * people do without egpu: end the program, unbind the driver and remove the device
 * in sysfs, start the program again on another GPU, OTHER-NODE. Prints in ns the
 * longest pause of the loop, and the longest before anything was done.
 */
#include <egpu.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "dumb.h"

#define BUFFERS 40

/* How long the loop is watched before and after, in us. */
#define CALM_US 400000

/* Longest that the GPU may take to go, in ns. */
#define PATIENCE_NS UINT64_C(30000000000)

/* What the loop writes, in memory that outlives the program. */
struct beats {
	uint64_t last;
	uint64_t longest;
	uint64_t count;
};

#define BEATS_PATH "/run/rig/beats"

static struct beats *open_beats(void)
{
	int fd = open(BEATS_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *memory;

	if (fd < 0 || ftruncate(fd, sizeof(struct beats)))
		bench_die("%s: %s", BEATS_PATH, strerror(errno));
	memory = mmap(NULL, sizeof(struct beats), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		bench_die("%s: %s", BEATS_PATH, strerror(errno));
	close(fd);
	return memory;
}

/* A program at work. */
static void work(const char *node) __attribute__((noreturn));

static void work(const char *node)
{
	struct beats *beats = open_beats();
	uint64_t now;

	dumb_use(node, BUFFERS);
	for (;;) {
		now = bench_now();
		if (beats->last && now - beats->last > beats->longest)
			beats->longest = now - beats->last;
		beats->last = now;
		beats->count++;
		usleep(1000);
	}
}

/* As a shell would: a new program, not only a new process. */
static pid_t start(const char *node)
{
	pid_t pid = bench_fork();

	if (!pid) {
		execl("/proc/self/exe", "bench-stop", "work", node, NULL);
		_exit(127);
	}
	return pid;
}

static void wait_beats(const struct beats *beats, uint64_t more)
{
	uint64_t until = *(volatile uint64_t *)&beats->count + more;
	uint64_t end = bench_now() + PATIENCE_NS;

	while (*(volatile uint64_t *)&beats->count < until) {
		if (bench_now() > end)
			bench_die("the program does not work");
		usleep(5000);
	}
}

static void write_file(const char *address, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address,
		 name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bench_die("%s: %s", path, strerror(errno));
	close(fd);
}

static void eject(const char *address)
{
	const struct egpu_eject_options options = { .size = sizeof(options) };
	struct egpu_removal *removal = NULL;
	uint64_t cookie, end = bench_now() + PATIENCE_NS;
	struct egpu_device *device;
	struct egpu_ctx *ctx;
	uint32_t phase;

	if (egpu_open(&ctx))
		bench_die("cannot open a netlink socket");
	if (egpu_device_get(ctx, 0, address, &device) ||
	    egpu_eject(ctx, device->id, &options, &cookie))
		bench_die("%s", egpu_error(ctx));
	do {
		usleep(10000);
		if (egpu_removal_get(ctx, cookie, &removal))
			bench_die("%s", egpu_error(ctx));
		phase = removal->phase;
		if (phase == EGPU_PHASE_REFUSED)
			bench_die("refused: %s", removal->reason);
		egpu_removal_free(removal);
	} while (phase != EGPU_PHASE_DONE && bench_now() < end);
	if (phase != EGPU_PHASE_DONE)
		bench_die("the eject does not end");
	egpu_device_free(device);
	egpu_close(ctx);
}

static pid_t unbind(pid_t pid, const char *address, const char *other)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	write_file(address, "driver/unbind", address);
	write_file(address, "remove", "1");
	return start(other);
}

int main(int argc, char **argv)
{
	struct beats *beats;
	uint64_t calm;
	pid_t pid;

	if (argc == 3 && !strcmp(argv[1], "work"))
		work(argv[2]);
	if (argc != 5) {
		fprintf(stderr,
			"usage: bench-stop eject|unbind PCI-ADDRESS NODE OTHER-NODE\n");
		return 2;
	}
	unlink(BEATS_PATH);
	beats = open_beats();
	pid = start(argv[3]);
	wait_beats(beats, 100);
	beats->longest = 0;
	usleep(CALM_US);
	calm = beats->longest;
	beats->longest = 0;
	if (!strcmp(argv[1], "eject"))
		eject(argv[2]);
	else
		pid = unbind(pid, argv[2], argv[4]);
	wait_beats(beats, 20);
	printf("%" PRIu64 " %" PRIu64 "\n", beats->longest, calm);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
