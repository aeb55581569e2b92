// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a GPU open: the count and the list, compared with what was opened.
 *
 *   clients ADDRESS CARD [RENDER]       PCI address and DRM nodes of one GPU
 *
 * Children open the nodes and make buffers; the list has to show each of them,
 * also while a removal is held. Needs root and the module; the GPU is removed
 * in sysfs at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

#include "family.h"
#include "ktap.h"

#define CLIENTS	     24
#define PIXELS	     64 /* a side of a buffer, 4 bytes each: 16 KiB */
#define BUFFER_BYTES (PIXELS * PIXELS * 4)

struct client {
	pid_t pid;
	const char *node;
	uint32_t minor;
	uint32_t buffers;
	bool seen;
};

struct list {
	unsigned int count;
	unsigned int masters;
	unsigned int wrong;
};

static struct family family;
static struct nl nl;
static struct gpu gpu;
static struct client client[CLIENTS];
static struct answer answer;
static struct msg msg;

/* --- the children ------------------------------------------------------------*/

static int make_buffers(int fd, uint32_t count)
{
	struct drm_mode_create_dumb create;

	while (count--) {
		create = (struct drm_mode_create_dumb){ .height = PIXELS,
							.width = PIXELS,
							.bpp = 32 };
		if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
			return -errno;
	}
	return 0;
}

static void be_client(const struct client *me, int number, int ready)
{
	int fd = open(me->node, O_RDWR | O_CLOEXEC);
	char name[16], fine;

	snprintf(name, sizeof(name), "client-%d", number);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fine = fd >= 0 && !make_buffers(fd, me->buffers);
	if (write(ready, &fine, 1) != 1)
		_exit(1);
	pause();
}

static void start_client(struct client *one, int number)
{
	int ends[2];
	char fine = 0;

	if (pipe2(ends, O_CLOEXEC))
		bail_out("no pipe");
	one->pid = fork();
	if (!one->pid) {
		be_client(one, number, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &fine, 1) != 1 || !fine)
		bail_out("client %d cannot use %s", number, one->node);
	close(ends[0]);
}

static uint32_t minor_of(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		bail_out("there is no %s", path);
	return minor(status.st_rdev);
}

/* Buffers come from card nodes only; every fourth client is on the render node. */
static void start_clients(const char *card, const char *render)
{
	int i;

	for (i = 0; i < CLIENTS; i++) {
		bool on_render = render && i % 4 == 3;

		client[i].node = on_render ? render : card;
		client[i].minor = minor_of(client[i].node);
		client[i].buffers = on_render ? 0 : i % 5;
		start_client(&client[i], i);
	}
}

static void stop_client(struct client *one)
{
	kill(one->pid, SIGKILL);
	waitpid(one->pid, NULL, 0);
	one->pid = 0;
}

/* --- the list ----------------------------------------------------------------*/

static bool as_opened(const struct client *one, int number, const void *attrs,
		      size_t len)
{
	const char *comm = attr_text(attrs, len, EGPU_A_CLIENT_COMM);
	char name[16];
	size_t size;
	const void *nest = attr_find(attrs, len, EGPU_A_CLIENT_MINOR, &size);
	uint32_t type = nest ? attr_u32(nest, size, EGPU_A_MINOR_TYPE) : 99;
	uint32_t index = nest ? attr_u32(nest, size, EGPU_A_MINOR_INDEX) : 99;
	uint32_t buffers = attr_u32(attrs, len, EGPU_A_CLIENT_BUFFERS);
	uint64_t bytes = attr_u64(attrs, len, EGPU_A_CLIENT_BYTES);
	uint32_t expected = one->minor >= 128 ? EGPU_MINOR_TYPE_RENDER :
						EGPU_MINOR_TYPE_PRIMARY;

	snprintf(name, sizeof(name), "client-%d", number);
	return comm && !strcmp(comm, name) && type == expected &&
	       index == one->minor && buffers == one->buffers &&
	       bytes == (uint64_t)one->buffers * BUFFER_BYTES &&
	       attr_u32(attrs, len, EGPU_A_CLIENT_ID) == gpu.id;
}

static void on_client(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	uint32_t pid = attr_u32(attrs, len, EGPU_A_CLIENT_PID);
	struct list *list = data;
	int i;

	(void)cmd;
	list->count++;
	list->masters += attr_there(attrs, len, EGPU_A_CLIENT_MASTER);
	for (i = 0; i < CLIENTS; i++)
		if (client[i].pid && (uint32_t)client[i].pid == pid)
			break;
	if (i == CLIENTS || client[i].seen ||
	    !as_opened(&client[i], i, attrs, len)) {
		list->wrong++;
		note("pid %u, %s, %u buffers, %llu bytes is not as it was opened",
		     pid, attr_text(attrs, len, EGPU_A_CLIENT_COMM),
		     attr_u32(attrs, len, EGPU_A_CLIENT_BUFFERS),
		     (unsigned long long)attr_u64(attrs, len,
						  EGPU_A_CLIENT_BYTES));
		return;
	}
	client[i].seen = true;
}

static void check_list(unsigned int expected, uint32_t id)
{
	struct list list = {};
	int i;

	for (i = 0; i < CLIENTS; i++)
		client[i].seen = false;
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_CLIENT_GET);
	if (id)
		msg_put_u32(&msg, EGPU_A_CLIENT_ID, id);
	check(!nl_dump(&nl, &msg, on_client, &list, &answer),
	      "the list cannot be had: error %d (%s)", -answer.error,
	      answer.text);
	check(list.count == expected, "%u clients are listed, %u have it open",
	      list.count, expected);
	check(!list.wrong, "%u clients are not as they were opened", list.wrong);
	check(list.masters == 1, "%u masters", list.masters);
}

static void check_count(unsigned int expected)
{
	struct gpu now = {};

	gpu_get(&nl, &family, gpu.id, &now);
	check(now.clients == expected, "the GPU has %u clients, expected %u",
	      now.clients, expected);
}

static void test_list(void)
{
	test_begin("%d clients with buffers, by id and over all GPUs", CLIENTS);
	check_list(CLIENTS, gpu.id);
	check_list(CLIENTS, 0);
	check_count(CLIENTS);
	test_end();
}

static void test_fewer(void)
{
	int i;

	test_begin("a quarter of them has ended");
	for (i = 1; i < CLIENTS; i += 4)
		stop_client(&client[i]);
	check_list(CLIENTS - CLIENTS / 4, gpu.id);
	check_count(CLIENTS - CLIENTS / 4);
	test_end();
}

/* --- during a hold -----------------------------------------------------------*/

static void on_pending(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	if (cmd == EGPU_CMD_REMOVAL_PENDING)
		removal_read(data, attrs, len);
}

static pid_t remove_in_child(void)
{
	char path[128];
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove",
		 gpu.address);
	pid = fork();
	if (pid)
		return pid;
	fd = open(path, O_WRONLY);
	_exit(fd < 0 || write(fd, "1", 1) != 1);
}

static void stop_all(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (client[i].pid)
			stop_client(&client[i]);
}

/*
 * @fragile: the driver is virtio-gpu, which in 6.1 now and then warns of memory
 * that it has kept, with egpu or without, when its last client ends after the
 * card: they end before it.
 */
static void test_held(bool fragile)
{
	unsigned int left = CLIENTS - CLIENTS / 4;
	struct removal removal = {};
	struct nl events;
	int status;
	bool done;
	pid_t pid;

	test_begin("the list while a removal is held, and the event's count");
	if (nl_open(&events) || nl_join(&events, family.events) ||
	    nl_join(&events, family.helper))
		bail_out("cannot be a helper");
	pid = remove_in_child();
	while (!removal.cookie &&
	       nl_receive(&events, 10000, on_pending, &removal) >= 0)
		continue;
	check(removal.cookie && removal.phase == EGPU_PHASE_PENDING,
	      "the removal does not wait");
	check(removal.clients == left, "the event counts %u clients, not %u",
	      removal.clients, left);
	check(!step(&events, &family, EGPU_CMD_ACCEPT, removal.cookie, &answer),
	      "accept: %s", answer.text);
	check_list(left, gpu.id);
	check_count(left);
	if (fragile)
		stop_all();
	check(!step(&events, &family, EGPU_CMD_ACK, removal.cookie, &answer),
	      "ack: %s", answer.text);
	waitpid(pid, &status, 0);
	check(!status, "the removal ended with status %#x", status);
	removal_get(&nl, &family, removal.cookie, &removal);
	done = removal.phase == EGPU_PHASE_DONE &&
	       removal.release == EGPU_RELEASE_ACKED;
	check(done, "the removal is %s, released %s",
	      phase_names[removal.phase], release_names[removal.release]);
	test_end();
}

int main(int argc, char **argv)
{
	if (argc < 3 || family_open(&nl, &family) ||
	    gpu_find(&nl, &family, true, &gpu) || strcmp(gpu.address, argv[1]))
		bail_out("name the only external GPU and its nodes");
	setting_set(&nl, &family, EGPU_A_SETTINGS_ACCEPT_MS, 2000);
	setting_set(&nl, &family, EGPU_A_SETTINGS_HOLD_MS, 5000);
	start_clients(argv[2], argc > 3 ? argv[3] : NULL);
	test_list();
	test_fewer();
	test_held(argc > 3);
	stop_all();
	return ktap_finish();
}
