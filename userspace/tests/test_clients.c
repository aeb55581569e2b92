// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl clients and show: who holds a GPU, what would happen, can it be used.
 */
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_case.h"
#include "test.h"

static void clients_of_nobody(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "clients");
	assert_string_equal(ctl_run.out, "Nobody is seen to hold a GPU.\n");
	ctl_expect(EXIT_OK, "clients 2");
	assert_string_equal(ctl_run.out, "Nobody is seen to hold GPU 2.\n");
	ctl_expect(EXIT_OK, "clients 2 --json");
	assert_string_equal(ctl_run.out,
			    "{\"schema\":1,\"clients\":[],\"usage\":[{\"id\":2,"
			    "\"address\":\"0000:07:00.0\",\"holders\":[],"
			    "\"unnamed\":0,\"unseen\":0,"
			    "\"policy_error\":null}]}\n");
	ctl_expect(EXIT_NOT_FOUND, "clients 9");
}

/* A GPU may go between the list and the look, and then nobody holds it. */
static void clients_of_a_gpu_that_goes(void **state)
{
	(void)state;
	ctl_roots_new();
	ctl_roots_add_gpu("0000:01:00.0", 1, false);
	ctl_expect(EXIT_OK, "clients");
	ctl_says("GPU 2 is just coming or going, who holds it is not known.\n");
	ctl_expect(EXIT_OK, "clients --json");
	ctl_says("\"address\":\"0000:07:00.0\",\"holders\":null}");
	ctl_expect(EXIT_NOT_FOUND, "clients 2");
	ctl_says("cannot find out who holds GPU 2");
}

/* The daemon's file; it takes none that others can write to. */
static void set_policy(const char *text)
{
	static char path[128];

	tree_file(&ctl_tree, "egpud.conf", "%s", text);
	snprintf(path, sizeof(path), "%s/egpud.conf", ctl_tree.top);
	assert_int_equal(chmod(path, 0644), 0);
	ctl_run.ctl.policy_path = path;
}

/* The daemon says who can be moved. */
static void clients_that_cooperate(void **state)
{
	static char path[128];

	(void)state;
	if (geteuid()) {
		print_message("# clients_that_cooperate: skipped, it takes root\n");
		return;
	}
	ctl_add_client(2, 4242, "blender");
	snprintf(path, sizeof(path), "%s/sessions", ctl_tree.top);
	ctl_run.ctl.sessions_path = path;
	ctl_expect(EXIT_OK, "clients");
	ctl_says("is waited for");
	tree_file(&ctl_tree, "sessions", "4242 %d 2 0 1 4096 demo\n",
		  TREE_START + 4242);
	assert_int_equal(chmod(path, 0644), 0);
	ctl_expect(EXIT_OK, "clients");
	ctl_says("  2 4242 blender program node        3 1.5 MiB "
		 "moves to another device\n");
	ctl_expect(EXIT_OK, "clients --json");
	ctl_says("\"cooperates\":true,");
	ctl_says("\"action\":\"migrate\",\"outcome\":\"moves to another device\"");
	/* Its rule wins. */
	set_policy("[program blender]\naction = quit\n");
	ctl_expect(EXIT_OK, "clients");
	ctl_says("is asked to end and waited for\n");
	/* A file that anybody may have written says nothing. */
	ctl_run.ctl.policy_path = NULL;
	assert_int_equal(chmod(path, 0666), 0);
	ctl_expect(EXIT_OK, "clients");
	ctl_says("is waited for\n");
}

/* The file of the daemon says what would happen. */
static void clients_by_the_policy(void **state)
{
	(void)state;
	ctl_add_client(2, 4242, "blender");
	set_policy("[program blender]\naction = quit\n");
	ctl_expect(EXIT_OK, "clients");
	ctl_says("  2 4242 blender program node        3 1.5 MiB "
		 "is asked to end and waited for\n");
	assert_string_equal(ctl_run.err, "");
	ctl_expect(EXIT_OK, "clients --json");
	ctl_says("\"action\":\"quit\",\"outcome\":\"is asked to end and waited for\"");
	/* With errors in it the defaults are shown, which is said. */
	set_policy("others = wait\naction = quit\n");
	ctl_expect(EXIT_OK, "clients");
	ctl_says("is waited for");
	ctl_says("egpud.conf:2: ");
	ctl_says("; the defaults are shown\n");
	ctl_expect(EXIT_OK, "clients --json");
	assert_string_equal(ctl_run.err, "");
	ctl_says("egpud.conf:2: ");
	ctl_says("\"action\":\"wait\"");
}

/* Not every driver names the client in fdinfo; the process is known still. */
static void clients_of_a_driver_without_fdinfo(void **state)
{
	const struct tree_process process = { .pid = 4242, .comm = "bochs" };
	struct egpu_client *client = &ctl_kernel.clients[0];

	(void)state;
	ctl_roots_add_process(&process, 0);
	tree_fd(&ctl_tree, 4242, 5, "/dev/zero", "");
	*client = (struct egpu_client){ .id = 2, .client_id = 9, .pid = 4242 };
	client->minor = (struct egpu_minor){ EGPU_MINOR_TYPE_RENDER, 130 };
	client->buffers = 7;
	client->master = true;
	ctl_kernel.n_clients = 1;
	ctl_expect(EXIT_OK, "clients 2");
	ctl_says("  2 4242 bochs   display-server, master node        7  0 B ");
	assert_null(strstr(ctl_run.out, "no process"));
}

/* Nothing happens to whoever uses a GPU that cannot be ejected. */
static void clients_of_an_internal_gpu(void **state)
{
	(void)state;
	ctl_roots_new();
	ctl_roots_add_gpu("0000:01:00.0", 1, true);
	ctl_add_client(1, 4242, "blender");
	ctl_kernel.clients[0].minor.index = 129;
	ctl_expect(EXIT_OK, "clients 1");
	ctl_says("  1 4242 blender program node        3 1.5 MiB -\n");
	ctl_expect(EXIT_OK, "clients 1 --json");
	ctl_says("\"action\":null,\"outcome\":null");
}

/* What could not be looked at is counted: here one that hangs in the ctl_kernel. */
static void clients_unseen(void **state)
{
	const struct tree_process stuck = { .pid = 77,
					    .comm = "stuck",
					    .state = 'D' };

	(void)state;
	ctl_roots_add_process(&stuck, 0);
	ctl_expect(EXIT_OK, "clients 2");
	ctl_says("Nobody is seen to hold GPU 2.\n1 process could not be looked into");
	ctl_expect(EXIT_OK, "clients 2 --json");
	ctl_says("\"unseen\":1");
}

static void show_of_what_leaves(void **state)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct inotify_event event;
	char node[128];

	(void)state;
	ctl_roots_new();
	ctl_roots_add_gpu("0000:07:00.0", 2, true);
	snprintf(node, sizeof(node), "%s/dri/renderD130", ctl_tree.dev);
	assert_int_equal(remove(node), 0);
	tree_file(&ctl_tree, "dev/dri/renderD130", "%s", "");
	assert_true(inotify_add_watch(watch, node, IN_OPEN) >= 0);
	kernel_begin(&ctl_kernel, kernel_device(&ctl_kernel, 2),
		     EGPU_ORIGIN_EJECT);
	ctl_expect(EXIT_OK, "show 2");
	ctl_says("verdict: is not safe to unplug: its removal waits for a helper\n");
	assert_null(strstr(ctl_run.out, "ready: "));
	/* For that, its node must not be opened either. */
	assert_int_equal(read(watch, &event, sizeof(event)), -1);
	close(watch);
	ctl_expect(EXIT_OK, "show 2 --json");
	ctl_says("\"verdict\":{\"name\":\"leaving\",\"safe\":false,");
	ctl_says("\"readiness\":null");
}

/* Here it is a file of sysfs: a pipe, which nobody opens at the other end. */
static void show_of_a_driver_that_hangs(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:07:00.0/resource",
		 ctl_tree.sys);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	ctl_run.ctl.open_ms = 20;
	ctl_expect(EXIT_OK, "show 2");
	ctl_says("ready: no, its driver does not answer\n");
}

static void show_of_what_is_not_ready(void **state)
{
	(void)state;
	ctl_expect(EXIT_OK, "show 2");
	ctl_says("ready: yes\n");
	ctl_expect(EXIT_OK, "show 1");
	ctl_says("ready: no, no driver is bound to it\n");
	ctl_says("verdict: is not safe to unplug: it is internal, it has no cable\n");
	ctl_expect(EXIT_OK, "show 1 --json");
	ctl_says("\"readiness\":{\"ready\":false,\"bars\":true,\"driver\":false,");
}

#define T(name) cmocka_unit_test_setup_teardown(name, ctl_setup, ctl_teardown)

static const struct CMUnitTest tests[] = {
	T(clients_of_nobody),
	T(clients_of_a_gpu_that_goes),
	T(clients_that_cooperate),
	T(clients_by_the_policy),
	T(clients_of_a_driver_without_fdinfo),
	T(clients_of_an_internal_gpu),
	T(clients_unseen),
	T(show_of_what_leaves),
	T(show_of_a_driver_that_hangs),
	T(show_of_what_is_not_ready),
};

TEST_MAIN(tests, NULL, NULL)
