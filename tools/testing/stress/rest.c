// SPDX-License-Identifier: GPL-2.0
/*
 * Now and then everything goes: cards, clients, helpers, the daemon, the module.
 * Then nothing of it may be left, in the kernel's memory or anywhere else.
 */
#include "stress.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAKS "/sys/kernel/debug/kmemleak"

/* How long memory that is freed by and by may take to be back. */
#define SETTLE_MS 10000

/* kmemleak tells of nothing that is younger than 5 s. */
#define LEAK_AGE_MS 6000

/* Looked for at every second rest: a scan takes seconds. */
#define LEAKS_EVERY 2

/**
 * struct cache - a slab cache that ours comes from
 * @name: as in /proc/slabinfo
 * @more: objects in use beyond those of the first rest that may be; one leaked for
 *	each cycle is more than this before the next rest
 * @first: objects at the first rest
 * @now: objects now
 */
struct cache {
	const char *name;
	long more;
	long first;
	long now;
};

/* A struct pci_dev is in one of the two largest. */
static struct cache caches[] = {
	{ "kmalloc-4k", 5, 0, 0 },	   { "kmalloc-2k", 8, 0, 0 },
	{ "kmalloc-1k", 12, 0, 0 },	   { "kmalloc-512", 16, 0, 0 },
	{ "skbuff_head_cache", 40, 0, 0 },
};

#define CACHES (sizeof(caches) / sizeof(caches[0]))

static int kmsg = -1;
static regex_t complaint;
static unsigned int rests;
static unsigned int first_sockets;

/* --- the kernel log ----------------------------------------------------------- */

static void log_begin(void)
{
	char pattern[4096] = "", line[256];
	FILE *file = fopen("/rig/bad-log.txt", "re");

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (pattern[0])
			strcat(pattern, "|");
		strcat(pattern, line);
	}
	if (!file || regcomp(&complaint, pattern, REG_EXTENDED | REG_NOSUB))
		trouble("cannot read what a bad log is");
	fclose(file);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		trouble("cannot read the kernel log");
}

/**
 * check_log - has the kernel complained
 */
void check_log(void)
{
	char line[8192];
	ssize_t n;

	if (kmsg < 0)
		log_begin();
	for (;;) {
		n = read(kmsg, line, sizeof(line) - 1);
		/* Lines that were overwritten before they were read. */
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return;
		line[n] = '\0';
		if (!regexec(&complaint, line, 0, NULL, 0))
			fail("the kernel does not complain", "%.300s", line);
	}
}

/* --- memory ------------------------------------------------------------------- */

static void poke(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		tell("cannot write to %s", path);
	close(fd);
}

static void count_objects(void)
{
	char line[512], name[64], path[128];
	FILE *file;
	size_t i;
	long n;

	for (i = 0; i < CACHES; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink",
			 caches[i].name);
		poke(path, "1");
	}
	file = fopen("/proc/slabinfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", name, &n) != 2)
			continue;
		for (i = 0; i < CACHES; i++)
			if (!strcmp(name, caches[i].name))
				caches[i].now = n;
	}
	if (file)
		fclose(file);
}

/* Where kmemleak looks, freed memory is kept for a while to catch who still uses it,
 * so that objects in use say little.
 */
static const struct cache *grown(void)
{
	size_t i;

	if (!access(LEAKS, R_OK))
		return NULL;
	for (i = 0; i < CACHES; i++)
		if (caches[i].now > caches[i].first + caches[i].more)
			return &caches[i];
	return NULL;
}

static void show_memory(void)
{
	char text[256] = "";
	size_t i, n = 0;

	for (i = 0; i < CACHES; i++)
		n += snprintf(text + n, sizeof(text) - n, ", %s %ld (%+ld)",
			      caches[i].name, caches[i].now,
			      caches[i].now - caches[i].first);
	tell("at rest %u: in use%s", rests, text + 1);
}

static void check_memory(void)
{
	uint64_t end = now_ns() + SETTLE_MS * slow * 1000000ULL;
	const struct cache *cache;
	size_t i;

	count_objects();
	for (i = 0; rests == 1 && i < CACHES; i++)
		caches[i].first = caches[i].now;
	while (grown() && now_ns() < end) {
		sleep_ms(200);
		count_objects();
	}
	show_memory();
	cache = grown();
	if (cache)
		fail("no memory stays in use",
		     "%s has %ld objects, %ld at the first rest", cache->name,
		     cache->now, cache->first);
}

static void check_leaks(void)
{
	char line[256];
	FILE *file;

	if (access(LEAKS, R_OK) || rests % LEAKS_EVERY)
		return;
	poke(LEAKS, "scan");
	sleep_ms(LEAK_AGE_MS);
	poke(LEAKS, "scan");
	file = fopen(LEAKS, "re");
	if (!file || !fgets(line, sizeof(line), file)) {
		if (file)
			fclose(file);
		return;
	}
	do {
		printf("# leak: %s", line);
	} while (fgets(line, sizeof(line), file));
	fclose(file);
	fail("no memory leaks", "kmemleak has found some, see above");
}

/* --- sockets and tasks -------------------------------------------------------- */

static unsigned int count_sockets(void)
{
	FILE *file = fopen("/proc/net/netlink", "re");
	unsigned int n = 0, protocol;
	char line[256], address[64];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %u", address, &protocol) == 2)
			n += protocol == NETLINK_GENERIC;
	if (file)
		fclose(file);
	return n;
}

/* One that was closed while its events were waited for goes a moment later. */
static void check_sockets(void)
{
	uint64_t end = now_ns() + SETTLE_MS * slow * 1000000ULL;
	unsigned int n = count_sockets();

	while (rests > 1 && n != first_sockets && now_ns() < end) {
		sleep_ms(10);
		n = count_sockets();
	}

	if (rests == 1)
		first_sockets = n;
	if (n != first_sockets)
		fail("sockets are closed", "%u are there, %u at the first rest",
		     n, first_sockets);
}

/* An idle worker of the kernel keeps the name of the queue that it worked for last,
 * after a -; one that works has a +, and one for emergencies is called R.
 */
static bool is_ours(const char *name)
{
	return strstr(name, "egpu") &&
	       (strncmp(name, "kworker/", 8) || strchr(name, '+') ||
		!strncmp(name, "kworker/R", 9));
}

static void check_tasks(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[300], name[64];
	FILE *file;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && is_ours(name))
			fail("no task is left", "%.60s", name);
		fclose(file);
	}
	if (dir)
		closedir(dir);
}

/**
 * check_nothing_left - the module has been unloaded and all is gone
 */
void check_nothing_left(void)
{
	rests++;
	check_log();
	check_tasks();
	check_sockets();
	check_memory();
	check_leaks();
}
