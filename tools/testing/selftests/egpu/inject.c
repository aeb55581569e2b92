// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's failslab, and fail_page_alloc, by their files in debugfs.
 *
 * Its filter looks at the stack, so allocations of a module can be told from
 * all others in any thread. It fails each allocation whose number is a multiple
 * of "interval"; the numbers go on for ever and cannot be read, so we keep them
 * in mind: see inject_arm().
 */
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"

#define FAILSLAB  "failslab"
#define FAILPAGES "fail_page_alloc" /* what is too large for the slab */
#define TRACING	  "/sys/kernel/tracing/"

/* x86 has all modules there. */
#define MODULES_START 0xffffffffa0000000UL
#define MODULES_END   0xffffffffff000000UL

static unsigned long counted; /* number of the last allocation looked at */
static struct code whole; /* the module */
static int own = -1;

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 || (write(fd, text, strlen(text)) < 0 && errno != EEXIST))
		bail_out("cannot write %s to %s: %s", text, path,
			 strerror(errno));
	close(fd);
}

static void set_of(const char *what, const char *name, unsigned long value)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", what, name);
	snprintf(text, sizeof(text),
		 strstr(name, "-start") || strstr(name, "-end") ? "%#lx" : "%ld",
		 value);
	put(path, text);
}

static void set(const char *name, unsigned long value)
{
	set_of(FAILSLAB, name, value);
}

static bool spent(void)
{
	char text[16] = "";
	int fd = open("/sys/kernel/debug/" FAILSLAB "/times", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		bail_out("cannot read the times of " FAILSLAB);
	close(fd);
	return !strtol(text, NULL, 10);
}

/* Calls back for each function of the kernel, in no order. */
static void each_symbol(void (*fn)(const char *name, const char *module,
				   unsigned long at, void *data),
			void *data)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], name[256], module[64], type;
	unsigned long at;
	int n;

	while (file && fgets(line, sizeof(line), file)) {
		module[0] = '\0';
		n = sscanf(line, "%lx %c %255s [%63[^]]]", &at, &type, name,
			   module);
		if (n >= 3 && (type == 't' || type == 'T'))
			fn(name, module, at, data);
	}
	if (!file)
		bail_out("cannot read /proc/kallsyms");
	fclose(file);
}

static void widen(const char *name, const char *module, unsigned long at,
		  void *data)
{
	struct code *code = data;

	(void)name;
	if (strcmp(module, "egpu"))
		return;
	if (at < code->start)
		code->start = at;
	if (at + 4096 > code->end)
		code->end = at + 4096;
}

struct code code_of_modules(void)
{
	return (struct code){ MODULES_START, MODULES_END };
}

/* To be asked again after each load. */
struct code code_of_egpu(void)
{
	struct code code = { ULONG_MAX, 0 };

	each_symbol(widen, &code);
	if (code.start > code.end)
		bail_out("the module is not there");
	return code;
}

struct search {
	const char *name;
	struct code code;
};

static void find_start(const char *name, const char *module, unsigned long at,
		       void *data)
{
	struct search *search = data;

	/* The module's own, where the kernel has one of the same name. */
	if (!strcmp(name, search->name) &&
	    (!search->code.start || !strcmp(module, "egpu")))
		search->code.start = at;
}

static void find_end(const char *name, const char *module, unsigned long at,
		     void *data)
{
	struct search *search = data;

	(void)name;
	(void)module;
	if (at > search->code.start && at < search->code.end)
		search->code.end = at;
}

/* Up to the next function. */
struct code code_of(const char *function)
{
	struct search search = { function, { 0, ULONG_MAX } };

	each_symbol(find_start, &search);
	if (!search.code.start)
		bail_out("the kernel has no function %s", function);
	each_symbol(find_end, &search);
	return search.code;
}

/* Tells of each failed allocation in the trace, with its stack. */
static void watch(const char *event)
{
	char path[128];

	snprintf(path, sizeof(path), TRACING "events/kmem/%s/filter", event);
	put(path, "ptr == 0");
	snprintf(path, sizeof(path), TRACING "events/kmem/%s/trigger", event);
	put(path, "stacktrace if ptr == 0");
	snprintf(path, sizeof(path), TRACING "events/kmem/%s/enable", event);
	put(path, "1");
}

static void set_up(const char *what, struct code never)
{
	set_of(what, "times", 0);
	set_of(what, "probability", 100);
	set_of(what, "verbose", 0);
	set_of(what, "stacktrace-depth", 32);
	set_of(what, "reject-start", never.start);
	set_of(what, "reject-end", never.end);
}

/**
 * inject_open - make ready
 *
 * Memory of kmemleak's own is left alone: without it kmemleak would switch
 * itself off, and find no leak of ours.
 */
void inject_open(void)
{
	struct code own_records = code_of("__alloc_object");

	set_up(FAILSLAB, own_records);
	set("ignore-gfp-wait", 0);
	set_up(FAILPAGES, own_records);
	put(TRACING "options/sym-offset", "1"); /* shows the module, too */
	watch("kmalloc");
	watch("kmem_cache_alloc");
	own = open("/proc/thread-self/fail-nth", O_RDWR);
	if (own < 0)
		bail_out("the kernel has no fault injection for a task");
}

/**
 * inject_below - only allocations by this code and what it has called
 * @code: where to look for in the stack
 */
void inject_below(struct code code)
{
	set("require-start", code.start);
	set("require-end", code.end);
}

/**
 * inject_begin - know the number of the last allocation
 * @allocate: makes allocations of the module, which is loaded
 *
 * From here on it is larger than 1: with an interval of 1 all would fail, and
 * nothing be counted.
 */
void inject_begin(void (*allocate)(void))
{
	whole = code_of_egpu();
	inject_below(whole);
	counted = 2;
	set("interval", counted);
	set("times", 1);
	inject_disarm(allocate);
}

/**
 * inject_arm - the nth allocation from now on fails
 * @nth: counted from 1
 */
void inject_arm(unsigned int nth)
{
	put(TRACING "trace", "");
	set("interval", counted + nth);
	counted += nth;
	set("times", 1);
}

/**
 * inject_disarm - stop, whether it has failed or not
 * @allocate: makes allocations of the module
 *
 * When there were fewer, their number is unknown; so go on until it has failed
 * and the number is known again.
 *
 * Return: true when one had failed.
 */
bool inject_disarm(void (*allocate)(void))
{
	unsigned int tries = 0;

	if (spent())
		return true;
	inject_below(whole);
	while (!spent()) {
		allocate();
		if (++tries > 1000)
			bail_out("nothing that is allocated is counted");
	}
	return false;
}

/**
 * inject_all - a shortage: everything fails until it ends
 * @on: begin or end
 */
void inject_all(bool on)
{
	put(TRACING "trace", "");
	set("interval", 1);
	set("times", on ? ULONG_MAX : 0);
}

/**
 * inject_pages - a shortage of pages: of what is larger than the slab gives
 * @code: for this code and what it calls
 * @on: begin or end
 *
 * Pages that may be waited for are looked at only meanwhile, else a task's own
 * faults would be in them, too: see inject_own().
 */
void inject_pages(struct code code, bool on)
{
	set_of(FAILPAGES, "ignore-gfp-wait", !on);
	set_of(FAILPAGES, "ignore-gfp-highmem", !on);
	set_of(FAILPAGES, "min-order", !on);
	set_of(FAILPAGES, "require-start", code.start);
	set_of(FAILPAGES, "require-end", code.end);
	set_of(FAILPAGES, "times", on ? ULONG_MAX : 0);
}

/**
 * inject_own - the nth allocation of this task fails, whoever makes it
 * @nth: counted from 1
 */
void inject_own(unsigned int nth)
{
	char text[16];

	put(TRACING "trace", "");
	snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(own, text, strlen(text), 0) < 0)
		bail_out("cannot write fail-nth: %s", strerror(errno));
}

/**
 * inject_own_end - stop
 *
 * Return: true when one had failed.
 */
bool inject_own_end(void)
{
	char text[16] = "";

	if (pread(own, text, sizeof(text) - 1, 0) < 0 ||
	    pwrite(own, "0", 1, 0) < 0)
		bail_out("cannot end fail-nth: %s", strerror(errno));
	return !strtol(text, NULL, 10);
}

/**
 * inject_site - where the last allocation failed
 *
 * Return: the nearest functions of the module, or of the kernel if none of the
 * module's is in the stack; static storage.
 */
const char *inject_site(void)
{
	static char site[256], kernel[64];
	FILE *file = fopen(TRACING "trace", "r");
	char line[512], name[64];
	size_t len = 0;

	site[0] = '\0';
	kernel[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " => %63[^+]", name) != 1)
			continue;
		if (strstr(line, "[egpu]") && len < sizeof(site) - 70)
			len += snprintf(site + len, sizeof(site) - len, "%s%s",
					len ? " < " : "", name);
		else if (!len && strlen(kernel) < sizeof(kernel))
			snprintf(kernel, sizeof(kernel), "%s", name);
	}
	if (file)
		fclose(file);
	return len ? site : kernel;
}
