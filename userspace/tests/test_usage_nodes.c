// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The nodes of a GPU, and whether it is ready, on made-up trees of sysfs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test.h"
#include "tree.h"

#define GPU    "0000:01:00.0"
#define BRIDGE "sys/devices/pci0000:00/0000:00:01.0/"

static struct tree tree;
static struct nodes nodes;
static struct readiness ready;

static void add_function(const char *address, const char *driver)
{
	char path[256], target[256];

	snprintf(path, sizeof(path), BRIDGE "%s", address);
	tree_dir(&tree, path);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	snprintf(target, sizeof(target), "../../../../" BRIDGE "%s", address);
	tree_link(&tree, path, target);
	if (!driver)
		return;
	snprintf(path, sizeof(path), BRIDGE "%s/driver", address);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	tree_link(&tree, path, target);
}

/* A device below a function, with the links that sysfs has. */
static void add_device(const char *where, const char *dev, const char *name,
		       const char *subsystem)
{
	char path[256], target[64];

	snprintf(path, sizeof(path), BRIDGE "%s/dev", where);
	tree_file(&tree, path, "%s\n", dev);
	snprintf(path, sizeof(path), BRIDGE "%s/uevent", where);
	tree_file(&tree, path, "MAJOR=1\nMINOR=2\nDEVNAME=%s\nDEVTYPE=x\n",
		  name);
	snprintf(path, sizeof(path), BRIDGE "%s/subsystem", where);
	snprintf(target, sizeof(target), "../../../class/%s", subsystem);
	tree_link(&tree, path, target);
	snprintf(path, sizeof(path), BRIDGE "%s/device", where);
	tree_link(&tree, path, "../../../0000:01:00.0");
}

static int setup(void **state)
{
	(void)state;
	/* Reading the uevent of a function is to hang, as on old kernels. */
	alarm(60);
	tree_new(&tree);
	add_function(GPU, "amdgpu");
	assert_int_equal(mkfifo(tree_path(&tree, BRIDGE GPU "/uevent"), 0600),
			 0);
	add_device(GPU "/drm/card1", "226:1", "dri/card1", "drm");
	add_device(GPU "/drm/renderD129", "226:129", "dri/renderD129", "drm");
	tree_file(&tree, BRIDGE GPU "/resource",
		  "0x0000004000000000 0x00000043ffffffff 0x000000000014220c\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		  "0x0000004400000000 0x000000440fffffff 0x000000000014220c\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		  "0x0000000000000000 0x00000000000000ff 0x0000000000040101\n"
		  "0x0000000080000000 0x000000008007ffff 0x0000000000040200\n"
		  "0x0000000000000000 0x000000000001ffff 0x000000000004e200\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nodes_free(&nodes);
	tree_free(&tree);
	alarm(0);
	return 0;
}

static const struct node *node_called(const char *name)
{
	char path[256];
	size_t i;

	snprintf(path, sizeof(path), "%s/%s", tree.dev, name);
	for (i = 0; i < nodes.n; i++) {
		if (!strcmp(nodes.item[i].path, path))
			return &nodes.item[i];
	}
	return NULL;
}

static void find(int expected)
{
	nodes_free(&nodes);
	assert_int_equal(nodes_find(&tree.roots, GPU, &nodes), expected);
}

static void assert_node(const char *name, unsigned int major,
			unsigned int minor, enum node_kind kind)
{
	const struct node *node = node_called(name);

	if (!node)
		fail_msg("%s was not found", name);
	assert_int_equal(node->rdev, makedev(major, minor));
	assert_int_equal(node->kind, kind);
	assert_false(node->block);
}

static void all_functions_of_the_slot(void **state)
{
	(void)state;
	add_function("0000:01:00.1", "snd_hda_intel");
	add_device("0000:01:00.1/sound/card2/pcmC2D3p", "116:10",
		   "snd/pcmC2D3p", "sound");
	add_function("0000:01:00.2", "xhci_hcd");
	add_device("0000:01:00.2/usb3/3-1/3-1:1.0/host1/target1/1/block/sdb",
		   "8:16", "sdb", "block");
	add_device("0000:01:00.2/usb3", "189:256", "bus/usb/003/001", "usb");
	add_device(GPU "/drm/card1/card1-DP-1/i2c-7/i2c-dev/i2c-7", "89:7",
		   "i2c-7", "i2c-dev");
	add_function("0000:02:00.0", NULL);
	add_device("0000:02:00.0/drm/card2", "226:2", "dri/card2", "drm");
	find(0);
	assert_int_equal(nodes.n, 6);
	assert_node("dri/card1", 226, 1, NODE_DRM);
	assert_node("dri/renderD129", 226, 129, NODE_DRM);
	assert_node("snd/pcmC2D3p", 116, 10, NODE_SOUND);
	assert_node("bus/usb/003/001", 189, 256, NODE_OTHER);
	assert_node("i2c-7", 89, 7, NODE_OTHER);
	assert_true(node_called("sdb")->block);
	assert_false(node_called("dri/card1")->shared);
	assert_int_equal(nodes_left(&tree.roots, GPU), 2);
	assert_int_equal(nodes_left(&tree.roots, "0000:02:00.0"), 0);
	/* From any function the whole slot is found. */
	nodes_free(&nodes);
	assert_int_equal(nodes_find(&tree.roots, "01:00.1", &nodes), 0);
	assert_int_equal(nodes.n, 6);
}

static void by_driver(void **state)
{
	(void)state;
	tree_file(&tree, "sys/class/kfd/kfd/dev", "511:0\n");
	find(0);
	assert_node("kfd", 511, 0, NODE_KFD);
	assert_true(node_called("kfd")->shared);

	unlink(tree_path(&tree, BRIDGE GPU "/driver"));
	find(0);
	assert_null(node_called("kfd"));

	tree_link(&tree, BRIDGE GPU "/driver", "../drivers/nvidia");
	tree_file(&tree, "proc/driver/nvidia/gpus/" GPU "/information",
		  "Model: \t\t GeForce\nDevice Minor: \t 3\n");
	tree_link(&tree, "dev/nvidia3", "/dev/null");
	find(0);
	assert_node("nvidia3", 1, 3, NODE_NVIDIA);
}

static void virtual_machines(void **state)
{
	(void)state;
	unlink(tree_path(&tree, BRIDGE GPU "/driver"));
	tree_link(&tree, BRIDGE GPU "/driver", "../drivers/vfio-pci");
	tree_dir(&tree, "sys/kernel/iommu_groups/14/devices/" GPU);
	tree_dir(&tree, "sys/kernel/iommu_groups/14/devices/0000:01:00.1");
	tree_link(&tree, BRIDGE GPU "/iommu_group",
		  "../../../../kernel/iommu_groups/14");
	tree_file(&tree, "sys/class/vfio/14/dev", "240:0\n");
	find(0);
	assert_node("vfio/14", 240, 0, NODE_VFIO);
	assert_false(node_called("vfio/14")->shared);
	tree_dir(&tree, "sys/kernel/iommu_groups/14/devices/0000:03:00.0");
	find(0);
	assert_true(node_called("vfio/14")->shared);
}

static void strange_text(void **state)
{
	(void)state;
	add_device(GPU "/a", "1:1", "../etc/passwd", "x");
	add_device(GPU "/b", "1:2", "/etc/passwd", "x");
	add_device(GPU "/c", "1:3", "a/../../etc/passwd", "x");
	add_device(GPU "/d", "none", "d", "x");
	add_device(GPU "/e", "1:4", "", "x");
	add_device(GPU "/f", "226:1", "again", "x");
	tree_file(&tree, BRIDGE GPU "/g/dev", "1:5\n");
	tree_file(&tree, BRIDGE GPU "/h/dev", "1:6\n");
	tree_file(&tree, BRIDGE GPU "/h/uevent", "XDEVNAME=h\n");
	find(0);
	/* The same number is the same node, and it was found before or after. */
	assert_int_equal(nodes.n, 2);
}

static void too_deep(void **state)
{
	char path[256] = BRIDGE GPU;
	int i;

	(void)state;
	for (i = 0; i < 30; i++)
		strcat(path, "/d");
	tree_dir(&tree, path);
	find(-E2BIG);
}

static void too_many(void **state)
{
	char where[64], dev[16], name[16];
	int i;

	(void)state;
	for (i = 0; i < 1100; i++) {
		snprintf(where, sizeof(where), GPU "/many/n%d", i);
		snprintf(dev, sizeof(dev), "200:%d", i);
		snprintf(name, sizeof(name), "n%d", i);
		add_device(where, dev, name, "x");
	}
	find(-E2BIG);
}

static void no_such_gpu(void **state)
{
	(void)state;
	assert_int_equal(nodes_find(&tree.roots, "0000:05:00.0", &nodes),
			 -ENODEV);
	assert_int_equal(nodes_find(&tree.roots, "../../../etc", &nodes),
			 -EINVAL);
	assert_int_equal(nodes_find(&tree.roots, "", &nodes), -EINVAL);
	assert_int_equal(nodes.n, 0);
	assert_string_equal(node_kind_name(NODE_KFD), "kfd");
}

/* Its node is the null device, by the path that a machine has. */
static void look(enum node_kind kind, const char *path, unsigned int minor)
{
	struct node node = { .kind = kind, .rdev = makedev(1, minor) };
	struct nodes one = { .n = 1, .size = 1, .item = &node };
	struct egpu_device device = { .address = GPU };

	snprintf(node.path, sizeof(node.path), "%s", path);
	readiness_of(&tree.roots, &device, path ? &one : NULL, &ready);
}

static void ready_gpu(void **state)
{
	(void)state;
	/* The I/O region and the ROM of setup() have no address. */
	look(NODE_DRM, "/dev/null", 3);
	assert_string_equal(ready.why, "");
	assert_true(ready.ready && ready.bars && ready.driver && ready.opens);
}

static void assert_why(const char *why)
{
	assert_false(ready.ready);
	assert_string_equal(ready.why, why);
}

static void not_ready(void **state)
{
	struct egpu_device gone = { .address = "0000:05:00.0" };

	(void)state;
	look(NODE_DRM, "/dev/there-is-none", 3);
	assert_true(ready.bars && ready.driver && !ready.opens);
	assert_why("/dev/there-is-none could not be opened: No such file or directory");
	look(NODE_DRM, "/dev/null", 4);
	assert_why("/dev/null is not the device node of this GPU");
	look(NODE_SOUND, "/dev/null", 3);
	assert_why("it has no device node that could be opened");
	readiness_of(&tree.roots, &gone, NULL, &ready);
	assert_why("it is not on the bus");
	unlink(tree_path(&tree, BRIDGE GPU "/driver"));
	look(NODE_DRM, "/dev/null", 3);
	assert_true(ready.bars && !ready.driver && !ready.opens);
	assert_why("no driver is bound to it");
	tree_link(&tree, BRIDGE GPU "/driver", "../drivers/vfio-pci");
	look(NODE_DRM, "/dev/null", 3);
	assert_true(ready.driver && !ready.opens);
	assert_why("vfio-pci keeps it for a virtual machine");
}

static void no_room(void **state)
{
	static const char *const resource[] = {
		"0x0000000000000000 0x00000003ffffffff 0x000000000014220c\n",
		"0x0000000080000000 0x000000008fffffff 0x0000000020140200\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(resource) / sizeof(resource[0]); i++) {
		tree_file(&tree, BRIDGE GPU "/resource", "%s", resource[i]);
		look(NODE_DRM, "/dev/null", 3);
		assert_false(ready.bars || ready.opens);
		assert_why("memory region 0 has no address, the ports above it leave no room");
	}
	unlink(tree_path(&tree, BRIDGE GPU "/resource"));
	look(NODE_DRM, "/dev/null", 3);
	assert_why("its memory regions could not be read: No such file or directory");
}

/* A card node makes a master of who opens it, so it is the last choice. */
static void render_node_first(void **state)
{
	struct egpu_device device = { .address = GPU };
	struct node node[3] = {
		{ .kind = NODE_DRM, .rdev = makedev(1, 3) },
		{ .kind = NODE_DRM, .rdev = makedev(1, 5) },
		{ .kind = NODE_KFD, .rdev = makedev(1, 7), .shared = true },
	};
	struct nodes list = { .n = 3, .size = 3, .item = node };

	(void)state;
	tree_link(&tree, "dev/dri/renderD129", "/dev/zero");
	snprintf(node[0].path, sizeof(node[0].path), "%s/dri/card1", tree.dev);
	snprintf(node[1].path, sizeof(node[1].path), "%s/dri/renderD129",
		 tree.dev);
	strcpy(node[2].path, "/dev/full");
	readiness_of(&tree.roots, &device, &list, &ready);
	assert_true(ready.ready);
	/* There is no card1, so it is named when it is what is tried. */
	list.n = 1;
	readiness_of(&tree.roots, &device, &list, &ready);
	assert_non_null(strstr(ready.why, "card1 could not be opened"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CASE(all_functions_of_the_slot),
	CASE(by_driver),
	CASE(virtual_machines),
	CASE(strange_text),
	CASE(too_deep),
	CASE(too_many),
	CASE(no_such_gpu),
	CASE(ready_gpu),
	CASE(not_ready),
	CASE(no_room),
	CASE(render_node_first),
};

TEST_MAIN(tests, NULL, NULL)
