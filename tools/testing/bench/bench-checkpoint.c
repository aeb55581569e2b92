// SPDX-License-Identifier: GPL-2.0
/*
 * bench-checkpoint: how fast are checkpoints written and read?
 *
 *   bench-checkpoint STORE MIB
 *
 * Has memfd buffers of 64 MiB, MIB in all, whose contents nothing can shorten, and
 * takes commands from stdin, a line each; the answer is a line, which begins with
 * the ns that it took:
 *
 *   save [PARENT]   by the store, in this process; answers NS ID WRITTEN DIRECT RING
 *   save-one PARENT the same, where only the first buffer may have been written
 *   move            by a mover, as egpud does it; answers NS ID WRITTEN DIRECT RING
 *   read ID         by the store, into the buffers there are; answers NS
 *   restore ID      by a mover, into new buffers; answers NS
 *   dirty           one block of 64 KiB in a hundred gets other contents
 *   dirty-one       all of the first buffer gets other contents
 *   remove ID
 *   hash            the checksum alone, over all buffers; copy: the copy alone
 *
 * What is read and restored is compared with what was saved, outside of the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "bench.h"
#include "content.h"
#include "mover/mover.h"

#define PIECE	   (UINT64_C(64) << 20)
#define DIRTY_STEP (100 * (uint64_t)STORE_BLOCK)

static struct store *store;
static size_t n_buffers;
static struct job_buffer *buffers;
static struct store_buffer *described;
static char **memory;
static uint64_t *sums;
static uint64_t seed;

/* --- buffers ------------------------------------------------------------- */

static void *map(int fd)
{
	void *memory =
		mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		bench_die("cannot map a buffer: %s", strerror(errno));
	return memory;
}

static void fill_buffer(size_t i)
{
	content_fill(memory[i], PIECE, ++seed);
	sums[i] = content_sum(memory[i], PIECE);
}

static void make_buffer(size_t i)
{
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, PIECE) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		bench_die("cannot make a buffer: %s", strerror(errno));
	buffers[i].fd = fd;
	buffers[i].buffer.id = i + 1;
	buffers[i].buffer.kind = WIRE_MEMORY;
	buffers[i].buffer.size = PIECE;
	described[i].id = i + 1;
	described[i].kind = WIRE_MEMORY;
	described[i].size = PIECE;
	memory[i] = map(fd);
	fill_buffer(i);
}

static void compare(size_t i, const void *there)
{
	if (content_sum(there, PIECE) != sums[i])
		bench_die("buffer %zu is not what was saved", i + 1);
}

static void make_buffers(unsigned int mib)
{
	size_t i;

	n_buffers = ((uint64_t)mib << 20) / PIECE;
	buffers = calloc(n_buffers, sizeof(*buffers));
	described = calloc(n_buffers, sizeof(*described));
	memory = calloc(n_buffers, sizeof(*memory));
	sums = calloc(n_buffers, sizeof(*sums));
	if (!n_buffers || !buffers || !described || !memory || !sums)
		bench_die("the size is to be at least 64 MiB");
	for (i = 0; i < n_buffers; i++)
		make_buffer(i);
}

/* Other contents without a trace of the old ones, so that a read shows. */
static void wipe(void)
{
	size_t i;

	for (i = 0; i < n_buffers; i++)
		memset(memory[i], 0x5a, PIECE);
}

static void dirty(void)
{
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < n_buffers; i++) {
		for (; at < (i + 1) * PIECE; at += DIRTY_STEP)
			content_fill(memory[i] + (at - i * PIECE), STORE_BLOCK,
				     ++seed);
		sums[i] = content_sum(memory[i], PIECE);
	}
	puts("0");
}

/* --- the store ------------------------------------------------------------- */

static void print_saved(uint64_t ns, const char *id,
			const struct store_stats *stats)
{
	printf("%" PRIu64 " %s %" PRIu64 " %d %d\n", ns, id, stats->written,
	       stats->direct, stats->ring);
}

static void set_head(struct store_head *head, const char *parent)
{
	memset(head, 0, sizeof(*head));
	head->session = 1;
	head->pid = getpid();
	snprintf(head->program, sizeof(head->program), "bench");
	snprintf(head->parent, sizeof(head->parent), "%s", parent);
}

/* What it reads is mapped already, as what fio writes is. */
static void save(const char *parent, bool one)
{
	struct store_stats stats;
	struct store_head head;
	struct store_writer *writer;
	char error[STORE_ERROR];
	uint64_t begun = bench_now();
	size_t i;

	set_head(&head, parent);
	if (store_begin(store, &head, described, n_buffers, &writer, error))
		bench_die("%s", error);
	for (i = 0; i < n_buffers; i++) {
		if (one && i ? store_keep(writer, i) :
			       store_write(writer, i, 0, memory[i], PIECE, NULL))
			bench_die("%s", store_writer_error(writer));
	}
	if (store_finish(writer, &stats))
		bench_die("%s", store_writer_error(writer));
	print_saved(bench_now() - begun, head.id, &stats);
}

static void read_back(const char *id)
{
	char error[STORE_ERROR];
	struct store_reader *reader;
	uint64_t begun, ns;
	size_t i;

	wipe();
	begun = bench_now();
	if (store_load(store, id, &reader, error))
		bench_die("%s", error);
	for (i = 0; i < n_buffers; i++) {
		if (store_read(reader, i, 0, memory[i], PIECE))
			bench_die("%s", store_reader_error(reader));
	}
	store_unload(reader);
	ns = bench_now() - begun;
	for (i = 0; i < n_buffers; i++)
		compare(i, memory[i]);
	printf("%" PRIu64 "\n", ns);
}

static void drop(const char *id)
{
	char error[STORE_ERROR];

	if (store_remove(store, id, error))
		bench_die("%s", error);
	puts("0");
}

/* --- movers ---------------------------------------------------------------- */

/* What it makes goes to @fds if that is given. Ends with its last word. */
static void follow(struct mover *mover, struct mover_message *message, int *fds)
{
	struct pollfd sock = { .fd = mover->sock, .events = POLLIN };
	int more;

	for (;;) {
		poll(&sock, 1, -1);
		more = mover_receive(mover, message);
		if (more == -EAGAIN)
			continue;
		if (more < 0)
			bench_die("a mover is not heard: %s", strerror(-more));
		if (message->event == MOVER_FAILED)
			bench_die("%s", message->text);
		if (message->event == MOVER_DONE)
			break;
		if (message->event == MOVER_BUFFER && fds)
			fds[message->buffer.id - 1] = message->fd;
	}
	while (!mover_reap(mover))
		usleep(1000);
}

static void move(void)
{
	struct mover_message message;
	struct store_head head;
	struct save_job job = {
		.store = store,
		.head = &head,
		.n = n_buffers,
		.buffer = buffers,
		.state = -1,
		.wait_ms = 1000,
	};
	uint64_t begun = bench_now();
	struct mover mover;

	set_head(&head, "");
	if (mover_save(&mover, &job))
		bench_die("cannot start a mover");
	follow(&mover, &message, NULL);
	print_saved(bench_now() - begun, head.id, &message.stats);
}

static void restore(const char *id)
{
	struct restore_job job = { .store = store, .id = id };
	int *fds = calloc(n_buffers, sizeof(*fds));
	struct mover_message message;
	uint64_t begun = bench_now(), ns;
	struct mover mover;
	void *there;
	size_t i;

	if (!fds || mover_restore(&mover, &job))
		bench_die("cannot start a mover");
	follow(&mover, &message, fds);
	ns = bench_now() - begun;
	for (i = 0; i < n_buffers; i++) {
		there = map(fds[i]);
		compare(i, there);
		munmap(there, PIECE);
		close(fds[i]);
	}
	free(fds);
	printf("%" PRIu64 "\n", ns);
}

/* --- its parts ------------------------------------------------------------- */

/* Pieces of the store's block size, through memory that stays in the cache. */
static void part(bool hash)
{
	static char block[STORE_BLOCK];
	uint64_t begun = bench_now(), at;
	XXH128_hash_t sum = { 0 };
	size_t i;

	for (i = 0; i < n_buffers; i++) {
		for (at = 0; at < PIECE; at += STORE_BLOCK) {
			if (hash)
				sum = XXH3_128bits(memory[i] + at, STORE_BLOCK);
			else
				memcpy(block, memory[i] + at, STORE_BLOCK);
			/* Neither is to be left out as useless. */
			__asm__ volatile(""
					 :
					 : "r"(block), "r"(&sum)
					 : "memory");
		}
	}
	printf("%" PRIu64 "\n", bench_now() - begun);
}

static void obey(const char *word, const char *arg)
{
	if (!strcmp(word, "save"))
		save(arg, false);
	else if (!strcmp(word, "save-one"))
		save(arg, true);
	else if (!strcmp(word, "move"))
		move();
	else if (!strcmp(word, "read"))
		read_back(arg);
	else if (!strcmp(word, "restore"))
		restore(arg);
	else if (!strcmp(word, "dirty"))
		dirty();
	else if (!strcmp(word, "dirty-one"))
		fill_buffer(0), puts("0");
	else if (!strcmp(word, "remove"))
		drop(arg);
	else if (!strcmp(word, "hash") || !strcmp(word, "copy"))
		part(*word == 'h');
	else
		bench_die("there is no command \"%s\"", word);
}

int main(int argc, char **argv)
{
	char error[STORE_ERROR], line[256];
	const struct store_options options = { .max_bytes = 0 };

	if (argc != 3) {
		fputs("usage: bench-checkpoint STORE MIB\n", stderr);
		return 2;
	}
	if (store_open(&store, argv[1], &options, error))
		bench_die("%s", error);
	make_buffers(bench_number(argv[2], "the size in MiB", 1 << 20));
	puts("0");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char word[32] = "", arg[STORE_ID_SIZE] = "";

		if (sscanf(line, "%31s %39s", word, arg) >= 1)
			obey(word, arg);
		fflush(stdout);
	}
	store_close(store);
	return 0;
}
