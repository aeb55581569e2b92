// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds a GPU: made-up processes of every kind.
 *
 * The nodes of the made-up GPU are the devices that every machine has, since the
 * links of made-up processes are followed like real ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "tree.h"

static struct node node[] = {
	{ .path = "/dev/null", .kind = NODE_DRM },
	{ .path = "/dev/zero", .kind = NODE_DRM },
	{ .path = "/dev/full", .kind = NODE_SOUND },
	{ .path = "/dev/random", .kind = NODE_VFIO },
	{ .path = "/dev/urandom", .kind = NODE_KFD, .shared = true },
};

static const struct nodes nodes = { .n = 5, .size = 5, .item = node };

static struct tree tree;
static struct holders holders;
static struct holders_query query;

#define CLIENTS_MAX 8
static struct egpu_client client[CLIENTS_MAX];
static struct egpu_client_list *clients;
static struct egpu_buffer buffer[CLIENTS_MAX];
static struct egpu_buffer_list *buffers;

static int setup(void **state)
{
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < nodes.n; i++) {
		if (stat(node[i].path, &st))
			return -1;
		node[i].rdev = st.st_rdev;
	}
	/* The nodes of the kernel's clients are told by their path. */
	strcpy(node[0].path, "/dev/dri/card1");
	strcpy(node[1].path, "/dev/dri/renderD129");
	tree_new(&tree);
	tree.roots.dev = "/dev";
	memset(client, 0, sizeof(client));
	memset(buffer, 0, sizeof(buffer));
	clients = calloc(1, sizeof(*clients) + CLIENTS_MAX * sizeof(void *));
	buffers = calloc(1, sizeof(*buffers) + CLIENTS_MAX * sizeof(void *));
	memset(&query, 0, sizeof(query));
	query.roots = &tree.roots;
	query.nodes = &nodes;
	return clients && buffers ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	strcpy(node[0].path, "/dev/null");
	strcpy(node[1].path, "/dev/zero");
	holders_free(&holders);
	tree_free(&tree);
	free(clients);
	free(buffers);
	return 0;
}

/* The kernel lists a DRM file; an id of 0 is none, as before 6.12. */
static struct egpu_client *add_client(uint64_t id, uint32_t pid, uint32_t type)
{
	struct egpu_client *new = &client[clients->count];

	assert_true(clients->count < CLIENTS_MAX);
	clients->item[clients->count++] = new;
	query.clients = clients;
	new->minor.type = type;
	new->minor.index = type == EGPU_MINOR_TYPE_PRIMARY ? 1 : 129;
	new->buffers = 10;
	new->bytes = 1000;
	if (id) {
		new->client_id = id;
		new->present |= 1ull << EGPU_A_CLIENT_CLIENT_ID;
	}
	if (pid) {
		new->pid = pid;
		new->present |= 1ull << EGPU_A_CLIENT_PID;
	}
	return new;
}

static void add_buffer(uint64_t dma_buf, bool imported)
{
	assert_true(buffers->count < CLIENTS_MAX);
	buffer[buffers->count].dma_buf = dma_buf;
	buffer[buffers->count].imported = imported;
	buffers->item[buffers->count] = &buffer[buffers->count];
	buffers->count++;
	query.buffers = buffers;
}

static void program(pid_t pid, const char *comm)
{
	struct tree_process process = { .pid = pid, .comm = comm, .uid = 1000 };

	tree_process(&tree, &process);
}

static void mapping(pid_t pid, const char *maps)
{
	struct tree_process process = { .pid = pid,
					.comm = "maps",
					.maps = maps };

	tree_process(&tree, &process);
}

static void system_program(pid_t pid, const char *comm)
{
	struct tree_process process = { .pid = pid, .comm = comm };

	tree_process(&tree, &process);
}

static void find(void)
{
	holders_free(&holders);
	assert_int_equal(holders_find(&query, &holders), 0);
}

static const struct holder *holder_of(pid_t pid)
{
	const struct holder *found = NULL;
	size_t i;

	for (i = 0; i < holders.n; i++) {
		if (i)
			assert_true(holders.item[i - 1].process.pid <
				    holders.item[i].process.pid);
		if (holders.item[i].process.pid == pid)
			found = &holders.item[i];
	}
	return found;
}

static void assert_how(pid_t pid, unsigned int how)
{
	const struct holder *holder = holder_of(pid);

	assert_int_equal(holder ? holder->how : 0, how);
}

static void open_nodes(void **state)
{
	const struct holder *holder;

	(void)state;
	program(101, "one");
	tree_fd(&tree, 101, 3, "/dev/null", "drm-client-id:\t5\n");
	tree_fd(&tree, 101, 4, "socket:[77]", "");
	program(102, "sound");
	tree_fd(&tree, 102, 3, "/dev/full", "");
	program(103, "compute");
	tree_fd(&tree, 103, 3, "/dev/urandom", "");
	program(104, "qemu");
	tree_fd(&tree, 104, 3, "/dev/random", "");
	program(105, "nobody");
	tree_fd(&tree, 105, 3, "/dev/tty", "");
	tree_fd(&tree, 105, 4, "/etc/passwd", "");
	tree_fd(&tree, 105, 5, "/dev/there-is-no-such-node", "");
	find();
	assert_int_equal(holders.n, 4);
	assert_how(101, HOLDER_NODE);
	assert_how(102, HOLDER_SOUND);
	assert_how(103, HOLDER_KFD);
	assert_how(104, HOLDER_NODE | HOLDER_VFIO);
	assert_int_equal(holders.unseen, 0);
	holder = holder_of(101);
	assert_string_equal(holder->process.comm, "one");
	assert_string_equal(holder->process.cgroup, "/test");
	assert_int_equal(holder->process.uid, 1000);
	assert_int_equal(holder->process.ppid, 2);
	assert_int_equal(holder->process.start, TREE_START + 101);
	assert_int_equal(holder->process.state, 'S');
	assert_int_equal(holder->role, ROLE_PROGRAM);
	assert_int_equal(holder->files, 1);
}

/* A file with several descriptors is one file, two files of a node are two. */
static void one_entry_per_process(void **state)
{
	(void)state;
	program(101, "dup");
	tree_fd(&tree, 101, 3, "/dev/null", "drm-client-id:\t5\n");
	tree_fd(&tree, 101, 4, "/dev/null", "drm-client-id:\t5\n");
	tree_fd(&tree, 101, 5, "/dev/null", "drm-client-id:\t6\n");
	tree_fd(&tree, 101, 6, "/dev/full", "");
	add_client(5, 101, EGPU_MINOR_TYPE_PRIMARY);
	add_client(6, 101, EGPU_MINOR_TYPE_PRIMARY);
	find();
	assert_int_equal(holders.n, 1);
	assert_how(101, HOLDER_NODE | HOLDER_SOUND);
	assert_int_equal(holder_of(101)->files, 2);
	assert_int_equal(holder_of(101)->buffers, 20);
	assert_int_equal(holder_of(101)->bytes, 2000);
}

static void mappings(void **state)
{
	(void)state;
	mapping(101,
		"00400000-00401000 r-xp 00000000 08:01 42      /bin/true\n"
		"7f0000000000-7f0000001000 rw-s 00000000 00:05 123"
		"                /dev/dri/card1\n"
		"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]\n");
	mapping(102, "7f0000000000-7f0000001000 rw-s 00000000 00:0c 777"
		     "   /dmabuf:name\n");
	mapping(103, "7f0000000000-7f0000001000 rw-s 00000000 00:0c 778"
		     "   /dmabuf:\n"
		     "7f0000002000-7f0000003000 rw-s 00000000 00:05 9"
		     "   /dev/dri/card0\n"
		     "garbage /dev/dri/card1");
	/* map_files tells better than a path, which may be of another root. */
	mapping(104, "7f0000000000-7f0000001000 rw-s 00000000 00:05 123"
		     "   /srv/dev/full\n");
	tree_link(&tree, "proc/104/map_files/7f0000000000-7f0000001000",
		  "/dev/full");
	mapping(105, "00010000-00011000 rw-s 00000000 00:05 123   /dev/x\n");
	tree_link(&tree, "proc/105/map_files/10000-11000", "/dev/urandom");
	add_buffer(777, false);
	find();
	assert_how(101, HOLDER_MAPPED);
	assert_how(102, HOLDER_DMABUF);
	assert_how(103, 0);
	assert_how(104, HOLDER_SOUND);
	assert_how(105, HOLDER_KFD);
}

/* A map takes more than one read, and a line may be cut between two. */
static void long_map(void **state)
{
	struct tree_process process = { .pid = 101, .comm = "big" };
	char *maps = calloc(1, 200000), *at = maps;

	(void)state;
	assert_non_null(maps);
	while (at - maps < 65536 - 100)
		at += sprintf(at, "1000-2000 r-xp 00000000 08:01 42   /bin/x\n");
	while (at - maps < 65536 - 40)
		at += sprintf(at, "\n");
	at += sprintf(at, "7f0000000000-7f0000001000 rw-s 00000000 00:05 123 "
			  "/dev/dri/renderD129\n");
	while (at - maps < 150000)
		at += sprintf(at, "1000-2000 r-xp 00000000 08:01 42   /bin/x\n");
	process.maps = maps;
	tree_process(&tree, &process);
	free(maps);
	find();
	assert_how(101, HOLDER_MAPPED);
}

static void dma_bufs(void **state)
{
	(void)state;
	add_buffer(777, false);
	add_buffer(700, false);
	add_buffer(888, true);
	add_buffer(0, false);
	program(101, "has");
	tree_fd(&tree, 101, 3, "/dmabuf:",
		"ino:\t777\nsize:\t4096\ncount:\t2\nexp_name:\tamdgpu\n");
	program(102, "has-imported");
	tree_fd(&tree, 102, 3, "/dmabuf:", "ino:\t888\nexp_name:\ti915\n");
	program(103, "not-ours");
	tree_fd(&tree, 103, 3, "/dmabuf:", "ino:\t999\nexp_name:\tamdgpu\n");
	/* A name may have lines, but they come later. */
	program(104, "liar");
	tree_fd(&tree, 104, 3, "/dmabuf:x",
		"ino:\t999\nexp_name:\tx\nname:\tino:\nino:\t777\n");
	/* A file that is called so is none. */
	program(105, "file");
	tree_fd(&tree, 105, 3, "/dmabuf:x", "ino:\t777\n");
	find();
	assert_int_equal(holders.n, 1);
	assert_how(101, HOLDER_DMABUF);
	query.buffers = NULL;
	find();
	assert_int_equal(holders.n, 0);
}

/* Names are not fields, and what is too long or has ended is left out. */
static void hostile_names(void **state)
{
	char long_path[400], long_cgroup[400] = "0::/";
	struct tree_process process = { .pid = 101,
					.comm = "x) R 1 2 (y\n",
					.uid = 1000,
					.cgroup = "1:cpu:/a\n0::/a/../../b" };

	(void)state;
	tree_process(&tree, &process);
	tree_fd(&tree, 101, 3, "/dev/null", "");
	memset(long_cgroup + 4, 'c', 300);
	process = (struct tree_process){ .pid = 102,
					 .comm = "((((",
					 .cgroup = long_cgroup };
	tree_process(&tree, &process);
	tree_fd(&tree, 102, 3, "/dev/null", "");
	process = (struct tree_process){ .pid = 103,
					 .comm = "",
					 .cgroup = "0::/gone (deleted)" };
	tree_process(&tree, &process);
	tree_fd(&tree, 103, 3, "/dev/null", "");
	/* A link longer than any node's. */
	memset(long_path, 'd', sizeof(long_path) - 1);
	memcpy(long_path, "/dev/", 5);
	long_path[sizeof(long_path) - 1] = '\0';
	tree_fd(&tree, 103, 4, long_path, "");
	find();
	assert_int_equal(holders.n, 3);
	assert_string_equal(holder_of(101)->process.comm, "x) R 1 2 (y\n");
	assert_int_equal(holder_of(101)->process.start, TREE_START + 101);
	assert_string_equal(holder_of(101)->process.cgroup, "");
	assert_string_equal(holder_of(102)->process.comm, "((((");
	assert_string_equal(holder_of(102)->process.cgroup, "");
	assert_string_equal(holder_of(103)->process.comm, "");
	assert_string_equal(holder_of(103)->process.cgroup, "");
}

/* What is missing is of processes that end while they are read. */
static void ends_meanwhile(void **state)
{
	(void)state;
	tree_dir(&tree, "proc/101/fd");
	tree_dir(&tree, "proc/102");
	tree_file(&tree, "proc/102/stat", "102 (half");
	program(103, "no-status");
	tree_fd(&tree, 103, 3, "/dev/null", "drm-client-id:\t5\n");
	unlink(tree_path(&tree, "proc/103/status"));
	program(104, "no-fds");
	rmdir(tree_path(&tree, "proc/104/fd"));
	unlink(tree_path(&tree, "proc/104/maps"));
	tree_file(&tree, "proc/105", "a file");
	tree_dir(&tree, "proc/0106/fd");
	tree_dir(&tree, "proc/self");
	tree_dir(&tree, "proc/99999999999");
	add_client(5, 103, EGPU_MINOR_TYPE_PRIMARY);
	find();
	assert_int_equal(holders.n, 0);
	assert_int_equal(holders.unseen, 0);
	assert_int_equal(holders.unnamed, 1);
}

static void threads_without_leader(void **state)
{
	struct tree_process process = { .pid = 101,
					.comm = "leader",
					.state = 'Z' };

	(void)state;
	tree_process(&tree, &process);
	tree_link(&tree, "proc/101/task/103/fd/3", "/dev/null");
	tree_file(&tree, "proc/101/task/103/fdinfo/3", "drm-client-id:\t5\n");
	tree_link(&tree, "proc/101/task/104/fd/3", "/dev/null");
	tree_file(&tree, "proc/101/task/104/fdinfo/3", "drm-client-id:\t5\n");
	tree_file(&tree, "proc/101/task/104/maps",
		  "7f0000000000-7f0000001000 rw-s 0 00:05 1 /dev/dri/card1\n");
	find();
	assert_how(101, HOLDER_NODE | HOLDER_MAPPED);
	assert_int_equal(holder_of(101)->files, 1);
}

/* Reading the map of a process that hangs would hang as well. */
static void hanging(void **state)
{
	static const char maps[] =
		"7f0000000000-7f0000001000 rw-s 0 00:05 1 /dev/dri/card1\n";
	struct tree_process process = { .comm = "hangs",
					.state = 'D',
					.maps = maps };

	(void)state;
	process.pid = 101;
	tree_process(&tree, &process);
	process.pid = 102;
	tree_process(&tree, &process);
	tree_fd(&tree, 102, 3, "/dev/null", "");
	find();
	assert_int_equal(holders.n, 1);
	assert_how(102, HOLDER_NODE);
	assert_int_equal(holders.unseen, 1);
}

static void kernel_threads(void **state)
{
	struct tree_process process = { .pid = 101,
					.comm = "kworker/0:0",
					.state = 'D',
					.flags = 0x04208060 };

	(void)state;
	tree_process(&tree, &process);
	find();
	assert_int_equal(holders.n, 0);
	assert_int_equal(holders.unseen, 0);
}

/* Root may look into all, so it becomes somebody else for this. */
static void without_rights(void **state)
{
	(void)state;
	program(101, "closed");
	tree_fd(&tree, 101, 3, "/dev/null", "");
	program(102, "open");
	tree_fd(&tree, 102, 3, "/dev/null", "");
	program(103, "closed-and-unknown");
	assert_int_equal(chmod(tree_path(&tree, "proc/101/fd"), 0), 0);
	assert_int_equal(chmod(tree_path(&tree, "proc/103/fd"), 0), 0);
	add_client(5, 101, EGPU_MINOR_TYPE_PRIMARY);
	if (!geteuid())
		assert_int_equal(seteuid(65534), 0);
	find();
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	chmod(tree_path(&tree, "proc/101/fd"), 0755);
	chmod(tree_path(&tree, "proc/103/fd"), 0755);
	assert_int_equal(holders.unseen, 2);
	assert_int_equal(holders.unnamed, 0);
	assert_int_equal(holders.n, 2);
	/* The kernel names this one, so it need not be looked into. */
	assert_how(101, HOLDER_NODE);
	assert_int_equal(holder_of(101)->buffers, 10);
	assert_how(102, HOLDER_NODE);
}

/* Since 6.12: the file is named on both sides. */
static void broker_by_client_id(void **state)
{
	(void)state;
	system_program(1, "systemd");
	tree_fd(&tree, 1, 9, "/dev/null", "drm-client-id:\t5\n");
	system_program(101, "systemd-logind");
	tree_fd(&tree, 101, 9, "/dev/null", "drm-client-id:\t5\n");
	program(102, "my-compositor");
	tree_fd(&tree, 102, 9, "/dev/null", "drm-client-id:\t5\n");
	program(103, "game");
	tree_fd(&tree, 103, 9, "/dev/zero", "drm-client-id:\t6\n");
	program(104, "launcher");
	add_client(5, 101, EGPU_MINOR_TYPE_PRIMARY)->master = true;
	add_client(6, 104, EGPU_MINOR_TYPE_RENDER);
	add_client(7, 105, EGPU_MINOR_TYPE_RENDER);
	find();
	assert_int_equal(holders.n, 5);
	assert_how(1, HOLDER_NODE | HOLDER_OPENED_FOR);
	assert_int_equal(holder_of(1)->role, ROLE_INIT);
	assert_how(101, HOLDER_NODE | HOLDER_OPENED_FOR);
	assert_int_equal(holder_of(101)->role, ROLE_SESSION_BROKER);
	assert_how(102, HOLDER_NODE);
	assert_int_equal(holder_of(102)->role, ROLE_DISPLAY_SERVER);
	assert_true(holder_of(102)->master);
	assert_int_equal(holder_of(102)->buffers, 10);
	assert_how(103, HOLDER_NODE);
	assert_int_equal(holder_of(103)->bytes, 1000);
	/* It has passed on what it has opened. */
	assert_how(104, HOLDER_OPENED_FOR);
	assert_int_equal(holder_of(104)->bytes, 0);
	assert_int_equal(holders.unnamed, 1);
}

/* A broker that has a file for itself is a holder like any other. */
static void broker_for_itself(void **state)
{
	(void)state;
	system_program(1, "systemd");
	tree_fd(&tree, 1, 9, "/dev/null", "drm-client-id:\t5\n");
	system_program(101, "systemd-logind");
	tree_fd(&tree, 101, 9, "/dev/null", "drm-client-id:\t5\n");
	program(102, "other-file");
	tree_fd(&tree, 102, 9, "/dev/null", "drm-client-id:\t6\n");
	/* Anybody can call himself so, so it takes root to be believed. */
	program(103, "systemd-logind");
	tree_fd(&tree, 103, 9, "/dev/null", "drm-client-id:\t6\n");
	find();
	assert_how(1, HOLDER_NODE);
	assert_how(101, HOLDER_NODE);
	assert_how(102, HOLDER_NODE);
	assert_how(103, HOLDER_NODE);
	assert_int_equal(holder_of(103)->role, ROLE_PROGRAM);
}

/* Before 6.12: only who has opened it is known, which may be a thread. */
static void broker_by_pid(void **state)
{
	(void)state;
	system_program(101, "seatd");
	tree_fd(&tree, 101, 9, "/dev/null", "");
	program(102, "game");
	tree_fd(&tree, 102, 9, "/dev/zero", "drm-client-id:\t3\n");
	tree_fd(&tree, 102, 10, "/dev/zero", "drm-client-id:\t3\n");
	tree_fd(&tree, 102, 11, "/dev/null", "");
	program(103, "sway");
	tree_fd(&tree, 103, 9, "/dev/null", "");
	program(90, "other");
	tree_fd(&tree, 90, 9, "/dev/zero", "");
	tree_file(&tree, "proc/202/status", "Name:\tx\nTgid:\t102\nPid:\t202\n");
	add_client(0, 101, EGPU_MINOR_TYPE_PRIMARY)->master = true;
	add_client(0, 202, EGPU_MINOR_TYPE_RENDER)->buffers = 7;
	add_client(0, 999, EGPU_MINOR_TYPE_RENDER);
	add_client(0, 998, EGPU_MINOR_TYPE_RENDER);
	find();
	assert_int_equal(holders.n, 4);
	/* What nobody accounts for is left for this one. */
	assert_int_equal(holder_of(90)->buffers, 10);
	assert_how(101, HOLDER_NODE | HOLDER_OPENED_FOR);
	assert_false(holder_of(101)->master);
	assert_how(102, HOLDER_NODE);
	assert_false(holder_of(102)->master);
	assert_int_equal(holder_of(102)->buffers, 7);
	assert_how(103, HOLDER_NODE);
	assert_true(holder_of(103)->master);
	assert_int_equal(holder_of(103)->buffers, 10);
	assert_int_equal(holders.unnamed, 1);
}

/* Not every driver names its clients in fdinfo; then the kernel's ids are idle. */
static void driver_names_no_client(void **state)
{
	(void)state;
	program(101, "bochs");
	tree_fd(&tree, 101, 9, "/dev/null", "");
	add_client(5, 101, EGPU_MINOR_TYPE_PRIMARY)->master = true;
	find();
	assert_int_equal(holders.n, 1);
	assert_how(101, HOLDER_NODE);
	assert_true(holder_of(101)->master);
	assert_int_equal(holder_of(101)->buffers, 10);
	assert_int_equal(holders.unnamed, 0);
}

/* A file of who could not be looked into is not laid at another's door. */
static void unseen_by_pid(void **state)
{
	struct tree_process process = { .pid = 101,
					.comm = "hangs",
					.state = 'D' };

	(void)state;
	tree_process(&tree, &process);
	program(102, "other");
	tree_fd(&tree, 102, 9, "/dev/zero", "");
	add_client(0, 101, EGPU_MINOR_TYPE_RENDER);
	find();
	assert_int_equal(holders.n, 2);
	assert_how(101, HOLDER_NODE);
	assert_int_equal(holder_of(101)->buffers, 10);
	assert_int_equal(holder_of(102)->buffers, 0);
}

/* The thread that has opened the file has ended, its process has the file. */
static void opener_has_ended(void **state)
{
	(void)state;
	program(101, "old");
	tree_fd(&tree, 101, 9, "/dev/zero", "");
	add_client(0, 999, EGPU_MINOR_TYPE_RENDER);
	find();
	assert_int_equal(holders.n, 1);
	assert_int_equal(holder_of(101)->buffers, 10);
	assert_int_equal(holders.unnamed, 0);
}

static void broker_alone_by_pid(void **state)
{
	(void)state;
	system_program(101, "seatd");
	tree_fd(&tree, 101, 9, "/dev/null", "");
	program(102, "launcher");
	add_client(0, 101, EGPU_MINOR_TYPE_PRIMARY);
	add_client(0, 102, EGPU_MINOR_TYPE_RENDER);
	find();
	assert_int_equal(holders.n, 1);
	assert_how(101, HOLDER_NODE);
	assert_int_equal(holder_of(101)->buffers, 10);
	assert_int_equal(holders.unnamed, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CASE(open_nodes),
	CASE(one_entry_per_process),
	CASE(mappings),
	CASE(long_map),
	CASE(dma_bufs),
	CASE(hostile_names),
	CASE(ends_meanwhile),
	CASE(threads_without_leader),
	CASE(hanging),
	CASE(kernel_threads),
	CASE(without_rights),
	CASE(broker_by_client_id),
	CASE(broker_for_itself),
	CASE(broker_by_pid),
	CASE(driver_names_no_client),
	CASE(unseen_by_pid),
	CASE(opener_has_ended),
	CASE(broker_alone_by_pid),
};

TEST_MAIN(tests, NULL, NULL)
