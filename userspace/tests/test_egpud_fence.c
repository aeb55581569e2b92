// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Closing nodes and putting them back, with plain files for nodes: what counts
 * is that nothing about them changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../egpud/egpud.h"
#include "test.h"
#include "world.h"

static struct world world;
static struct nodes nodes;
static struct stat before;
static char error[256];

static int setup(void **state)
{
	char path[256];

	(void)state;
	log_setup(LOG_EMERG);
	world_make(&world);
	world_add_gpu(&world, WORLD_GPU, 1);
	assert_int_equal(nodes_find(&world.roots, WORLD_GPU, &nodes), 0);
	assert_int_equal(nodes.n, 2);
	world_node(&world, 1, path, sizeof(path));
	assert_int_equal(stat(path, &before), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nodes_free(&nodes);
	world_free(&world);
	return 0;
}

static int close_nodes(void)
{
	return node_fence_close(&world.roots, WORLD_GPU, &nodes, error,
				sizeof(error));
}

static bool node_is_there(void)
{
	char path[256];

	world_node(&world, 1, path, sizeof(path));
	return !access(path, F_OK);
}

static void bit_for_bit(void **state)
{
	struct stat st;
	char path[256];

	(void)state;
	assert_true(world_node_is(&world, 1, &before));
	assert_int_equal(close_nodes(), 0);
	assert_false(node_is_there());
	snprintf(path, sizeof(path), "%s/" FENCE_DIR, world.dev);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	node_fence_open(&world.roots, WORLD_GPU);
	assert_true(world_node_is(&world, 1, &before));
	assert_false(world_is_fenced(&world));
}

static void twice(void **state)
{
	(void)state;
	assert_int_equal(close_nodes(), 0);
	assert_int_equal(close_nodes(), 0);
	node_fence_open(&world.roots, WORLD_GPU);
	node_fence_open(&world.roots, WORLD_GPU);
	assert_true(world_node_is(&world, 1, &before));
}

/* Who was killed knows no addresses: all is put back. */
static void by_who_comes_after(void **state)
{
	(void)state;
	assert_int_equal(close_nodes(), 0);
	node_fence_open(&world.roots, NULL);
	assert_true(world_node_is(&world, 1, &before));
	assert_false(world_is_fenced(&world));
}

static void of_another_gpu(void **state)
{
	(void)state;
	assert_int_equal(close_nodes(), 0);
	node_fence_open(&world.roots, WORLD_GPU2);
	assert_false(node_is_there());
	assert_true(world_is_fenced(&world));
}

static void device_has_gone(void **state)
{
	(void)state;
	assert_int_equal(close_nodes(), 0);
	world_remove_gpu(&world, WORLD_GPU, 1);
	node_fence_open(&world.roots, WORLD_GPU);
	assert_false(node_is_there());
	assert_false(world_is_fenced(&world));
}

/* The number is there, but it is that of another device now. */
static void number_of_another(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(close_nodes(), 0);
	snprintf(path, sizeof(path), "%s/dev/char/0:0", world.sys);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../x/renderD130", path), 0);
	node_fence_open(&world.roots, WORLD_GPU);
	assert_false(node_is_there());
	assert_false(world_is_fenced(&world));
}

/* A new device has a new node at the same place, which stays. */
static void place_is_taken(void **state)
{
	struct stat st;
	char path[256];

	(void)state;
	assert_int_equal(close_nodes(), 0);
	world_node(&world, 1, path, sizeof(path));
	world_file("new", "%s", path);
	node_fence_open(&world.roots, WORLD_GPU);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_false(world_is_fenced(&world));
}

/* The kernel takes an empty directory away; it comes back with the node. */
static void directory_has_gone(void **state)
{
	struct stat st;
	char path[256];
	mode_t old;

	(void)state;
	assert_int_equal(close_nodes(), 0);
	snprintf(path, sizeof(path), "%s/dri", world.dev);
	assert_int_equal(rmdir(path), 0);
	old = umask(0077);
	node_fence_open(&world.roots, WORLD_GPU);
	umask(old);
	assert_true(world_node_is(&world, 1, &before));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void shared_stays(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < nodes.n; i++)
		nodes.item[i].shared = true;
	assert_int_equal(close_nodes(), 0);
	assert_true(world_node_is(&world, 1, &before));
}

static void not_the_node(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < nodes.n; i++)
		nodes.item[i].rdev = 4711;
	assert_int_equal(close_nodes(), -ESTALE);
	assert_non_null(strstr(error, "renderD129"));
	assert_true(world_node_is(&world, 1, &before));
}

static void path_elsewhere(void **state)
{
	char path[NODE_PATH_SIZE];

	(void)state;
	snprintf(path, sizeof(path), "%s/dri/../../target", world.dev);
	world_file("", "%s/target", world.dir);
	nodes.n = 1;
	nodes.item[0].rdev = 0;
	strcpy(nodes.item[0].path, path);
	assert_int_equal(close_nodes(), -EINVAL);
	strcpy(nodes.item[0].path, "/etc/hostname");
	assert_int_equal(close_nodes(), -EINVAL);
	assert_int_equal(access(path, F_OK), 0);
}

/* A directory that others can enter closes nothing. */
static void directory_of_others(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/" FENCE_DIR, world.dev);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(close_nodes(), -EPERM);
	assert_non_null(strstr(error, FENCE_DIR));
	assert_true(world_node_is(&world, 1, &before));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(world.dir, path), 0);
	assert_true(close_nodes() < 0);
	assert_true(world_node_is(&world, 1, &before));
}

/* Names that are none of ours are left alone. */
static void strange_entries(void **state)
{
	static const char *const names[] = {
		"x",
		"!x",
		"0000:07:00.0!",
		"0000:07:00.0!..!..!etc!passwd",
		"0000:07:00.0!!x",
	};
	char path[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		world_file("", "%s/" FENCE_DIR "/%s", world.dev, names[i]);
	snprintf(path, sizeof(path), "%s/" FENCE_DIR, world.dev);
	assert_int_equal(chmod(path, 0700), 0);
	node_fence_open(&world.roots, NULL);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/" FENCE_DIR "/%s", world.dev,
			 names[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
}

static void nvidia_by_its_driver(void **state)
{
	char path[256];
	int turn;

	(void)state;
	for (turn = 0; turn < 2; turn++) {
		world_file("", "%s/nvidia0", world.dev);
		snprintf(path, sizeof(path), "%s/dev/char/0:0", world.sys);
		unlink(path);
		if (!turn)
			world_file("", "%s/bus/pci/devices/" WORLD_GPU "/driver",
				   world.sys);
		nodes.n = 1;
		nodes.item[0].rdev = 0;
		snprintf(nodes.item[0].path, NODE_PATH_SIZE, "%s/nvidia0",
			 world.dev);
		assert_int_equal(close_nodes(), 0);
		assert_int_equal(access(nodes.item[0].path, F_OK), -1);
		node_fence_open(&world.roots, WORLD_GPU);
		assert_int_equal(access(nodes.item[0].path, F_OK),
				 turn ? -1 : 0);
		world_remove_gpu(&world, WORLD_GPU, 1);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(bit_for_bit),	       T(twice),
	T(by_who_comes_after), T(of_another_gpu),
	T(device_has_gone),    T(number_of_another),
	T(place_is_taken),     T(directory_has_gone),
	T(shared_stays),       T(not_the_node),
	T(path_elsewhere),     T(directory_of_others),
	T(strange_entries),    T(nvidia_by_its_driver),
};

TEST_MAIN(tests, NULL, NULL)
