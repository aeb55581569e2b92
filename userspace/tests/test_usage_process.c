// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One process: who it is, what it is, and this very one in the real /proc.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "tree.h"

/* Nodes that every machine has are those of the GPU. */
static struct node node[] = {
	{ .path = "/dev/zero", .kind = NODE_DRM },
	{ .path = "/dev/full", .kind = NODE_SOUND },
};

static const struct nodes nodes = { .n = 2, .size = 2, .item = node };

static struct holders holders;

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
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	holders_free(&holders);
	return 0;
}

static void find(void)
{
	struct holders_query query = { .roots = &usage_roots_here,
				       .nodes = &nodes };

	holders_free(&holders);
	assert_int_equal(holders_find(&query, &holders), 0);
}

static const struct holder *holder_of(pid_t pid)
{
	size_t i;

	for (i = 0; i < holders.n; i++) {
		if (holders.item[i].process.pid == pid)
			return &holders.item[i];
	}
	return NULL;
}

static void assert_how(pid_t pid, unsigned int how)
{
	const struct holder *holder = holder_of(pid);

	assert_int_equal(holder ? holder->how : 0, how);
}

static void roles(void **state)
{
	static const struct {
		struct process process;
		enum holder_role role;
	} cases[] = {
		{ { .pid = 1, .comm = "Xorg" }, ROLE_INIT },
		{ { .pid = 5, .comm = "Xorg" }, ROLE_DISPLAY_SERVER },
		{ { .pid = 5, .comm = "gnome-shell", .uid = 5 },
		  ROLE_DISPLAY_SERVER },
		{ { .pid = 5, .comm = "kwin_wayland" }, ROLE_DISPLAY_SERVER },
		{ { .pid = 5, .comm = "systemd-logind" }, ROLE_SESSION_BROKER },
		{ { .pid = 5, .comm = "systemd-logind", .uid = 5 },
		  ROLE_PROGRAM },
		{ { .pid = 5, .comm = "pipewire" }, ROLE_SOUND_SERVER },
		{ { .pid = 5, .comm = "egpud" }, ROLE_SELF },
		{ { .pid = 5, .comm = "egpud", .uid = 5 }, ROLE_PROGRAM },
		{ { .pid = 5, .comm = "egpud-save" }, ROLE_SELF },
		{ { .pid = 5, .comm = "egpud-restore", .uid = 5 }, ROLE_PROGRAM },
		{ { .pid = 5, .comm = "Xorgy" }, ROLE_PROGRAM },
		{ { .pid = 5, .comm = "" }, ROLE_PROGRAM },
	};
	struct process self = { .pid = getpid(), .comm = "Xorg", .uid = 5 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(holder_role_of(&cases[i].process),
				 cases[i].role);
	assert_int_equal(holder_role_of(&self), ROLE_SELF);
	assert_string_equal(holder_role_name(ROLE_DISPLAY_SERVER),
			    "display-server");
}

static void names_of_ways(void **state)
{
	char buf[64], small[8];

	(void)state;
	assert_string_equal(holder_how_text(0, buf, sizeof(buf)), "none");
	assert_string_equal(holder_how_text(HOLDER_DMABUF, buf, sizeof(buf)),
			    "dma-buf");
	assert_string_equal(holder_how_text(127, buf, sizeof(buf)),
			    "node, mapped, dma-buf, sound, kfd, vfio, opened-for");
	assert_string_equal(holder_how_text(3, small, sizeof(small)), "node, m");
	assert_null(holder_how_name(128));
}

/* The real /proc: this process, with a node open, and then only mapped. */
static void this_process(void **state)
{
	char *page, *memory;
	int fd, memfd;

	(void)state;
	/* A file that is called like a node is none. */
	memfd = memfd_create("/dev/zero", 0);
	assert_true(memfd >= 0);
	assert_int_equal(ftruncate(memfd, 4096), 0);
	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd, 0);
	assert_true(memory != MAP_FAILED);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(page != MAP_FAILED);
	find();
	assert_how(getpid(), HOLDER_NODE | HOLDER_MAPPED);
	assert_int_equal(holder_of(getpid())->role, ROLE_SELF);
	close(fd);
	find();
	assert_how(getpid(), HOLDER_MAPPED);
	munmap(page, 4096);
	find();
	assert_how(getpid(), 0);
	munmap(memory, 4096);
	close(memfd);
}

/* A child that has the file open, until it ends. */
static void real_child(void **state)
{
	const struct holder *holder;
	int ready[2], fd;
	uint64_t start;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		/* Who waits for our output is not to wait for it as well. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open("/dev/full", O_RDWR);
		if (fd < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	find();
	assert_int_equal(holder_of(child)->how & HOLDER_SOUND, HOLDER_SOUND);
	holder = holder_of(child);
	assert_int_equal(holder->process.ppid, getpid());
	assert_int_equal(holder->process.uid, geteuid());
	start = holder->process.start;
	assert_true(process_is(&usage_roots_here, child, start));
	assert_false(process_is(&usage_roots_here, child, start + 1));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(process_is(&usage_roots_here, child, start));
	find();
	assert_how(child, 0);
	close(ready[0]);
	close(ready[1]);
}

static void one_process(void **state)
{
	struct tree_process process = { .pid = 101, .comm = "one" };
	struct holders_query query = { .nodes = &nodes };
	struct process found;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	query.roots = &tree.roots;
	tree_process(&tree, &process);
	assert_int_equal(process_read(&tree.roots, 101, &found), 0);
	assert_string_equal(found.comm, "one");
	assert_int_equal(process_read(&tree.roots, 102, &found), -ESRCH);
	assert_true(process_is(&tree.roots, 101, TREE_START + 101));
	tree_file(&tree, "proc/103/stat", "103 (x) S 1 2 3");
	assert_int_equal(process_read(&tree.roots, 103, &found), -EIO);
	tree_file(&tree, "proc/104/stat", "nothing at all");
	assert_int_equal(process_read(&tree.roots, 104, &found), -EIO);
	tree.roots.proc = "/there/is/no/proc";
	assert_true(process_read(&tree.roots, 101, &found) < 0);
	assert_int_equal(holders_find(&query, &holders), -ENOENT);
	tree_free(&tree);
}

/* As fdopendir() fails when a process ends right before it, with this errno. */
static int stream_error;

DIR *fdopendir(int fd)
{
	static DIR *(*real)(int fd);

	if (!real)
		real = (DIR * (*)(int)) dlsym(RTLD_NEXT, "fdopendir");
	if (stream_error) {
		errno = stream_error;
		return NULL;
	}
	return real(fd);
}

/* One that ends while it is looked into holds nothing and hides nobody else. */
static void process_that_ends(void **state)
{
	struct tree_process process = { .pid = 101, .comm = "one" };
	struct holders_query query = { .nodes = &nodes };
	struct tree tree;

	(void)state;
	tree_new(&tree);
	query.roots = &tree.roots;
	tree_process(&tree, &process);
	stream_error = ENOENT;
	assert_int_equal(holders_find(&query, &holders), 0);
	assert_int_equal(holders.n, 0);
	assert_int_equal(holders.unseen, 0);
	stream_error = ENOMEM;
	assert_int_equal(holders_find(&query, &holders), -ENOMEM);
	stream_error = 0;
	tree_free(&tree);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(roles),
	cmocka_unit_test(names_of_ways),
	cmocka_unit_test_teardown(this_process, teardown),
	cmocka_unit_test_teardown(real_child, teardown),
	cmocka_unit_test(one_process),
	cmocka_unit_test_teardown(process_that_ends, teardown),
};

TEST_MAIN(tests, setup, NULL)
