// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what: a user without CAP_NET_ADMIN, a user who has it only in a
 * namespace of its own, other network and pid namespaces.
 *
 *   privilege NODE        a DRM node of the external GPU, open to everybody
 *
 * Needs root, the module and an external GPU. What needs another user or
 * namespace is done in a child, which reports through its exit code.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family.h"
#include "ktap.h"
#include "snapshot.h"

#define NOBODY 65534

static struct family family;
static struct nl root;
static struct gpu gpu;
static const char *node;

static struct answer answer;
static struct msg msg;

/* --- what a child does, and how it tells what went wrong -------------------- */

static bool child_failed;

static void expect(const char *what, int found, int expected)
{
	if (found == expected)
		return;
	child_failed = true;
	printf("# %s: error %d, expected %d\n", what, found, expected);
	fflush(stdout);
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(3);
}

/* Runs it in a child and checks that the child found all as expected. */
static void in_child(void (*body)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		body();
		fflush(stdout);
		_exit(child_failed);
	}
	waitpid(pid, &status, 0);
	check(WIFEXITED(status) && !WEXITSTATUS(status),
	      "the child ended with status %#x", status);
}

/* The same, and nothing may have changed meanwhile. */
static void test_harmless(const char *name, void (*body)(void))
{
	static struct snapshot before, after;

	test_begin("%s", name);
	snapshot_take(&before, &root, &family);
	in_child(body);
	snapshot_take(&after, &root, &family);
	check(snapshot_same(&before, &after), "something has changed");
	test_end();
}

/* --- commands ----------------------------------------------------------------*/

static int send_eject(struct nl *nl)
{
	msg_begin(&msg, family.id, 0, EGPU_CMD_EJECT);
	msg_put_u32(&msg, EGPU_A_REMOVAL_ID, gpu.id);
	return nl_ask(nl, &msg, &answer);
}

static int send_named(struct nl *nl, uint8_t cmd)
{
	return step(nl, &family, cmd, 1, &answer);
}

static int send_quiesce(struct nl *nl, uint8_t cmd)
{
	msg_begin(&msg, family.id, 0, cmd);
	msg_put_u32(&msg, EGPU_A_QUIESCE_ID, gpu.id);
	if (cmd == EGPU_CMD_DRAIN)
		msg_put_u32(&msg, EGPU_A_QUIESCE_TIMEOUT_MS, 1000);
	return nl_ask(nl, &msg, &answer);
}

static int send_report(struct nl *nl)
{
	msg_begin(&msg, family.id, 0, EGPU_CMD_REPORT);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, 1);
	msg_put_u32(&msg, EGPU_A_REMOVAL_STEP, EGPU_STEP_FENCE);
	return nl_ask(nl, &msg, &answer);
}

static int send_migrate(struct nl *nl)
{
	msg_begin(&msg, family.id, 0, EGPU_CMD_MIGRATE);
	msg_put_u64(&msg, EGPU_A_MIGRATION_MIGRATION, 1);
	msg_put_u32(&msg, EGPU_A_MIGRATION_PHASE, EGPU_MIGRATION_PHASE_STARTED);
	msg_put_u32(&msg, EGPU_A_MIGRATION_ID, gpu.id);
	return nl_ask(nl, &msg, &answer);
}

static void expect_all_refused(struct nl *nl)
{
	expect("refuse", send_named(nl, EGPU_CMD_REFUSE), -EPERM);
	expect("report", send_report(nl), -EPERM);
	expect("fence", send_quiesce(nl, EGPU_CMD_FENCE), -EPERM);
	expect("drain", send_quiesce(nl, EGPU_CMD_DRAIN), -EPERM);
	expect("resume", send_quiesce(nl, EGPU_CMD_RESUME), -EPERM);
	expect("migrate", send_migrate(nl), -EPERM);
	expect("eject", send_eject(nl), -EPERM);
	expect("accept", send_named(nl, EGPU_CMD_ACCEPT), -EPERM);
	expect("ack", send_named(nl, EGPU_CMD_ACK), -EPERM);
	expect("cancel", send_named(nl, EGPU_CMD_CANCEL), -EPERM);
	expect("settings-set",
	       setting_set(nl, &family, EGPU_A_SETTINGS_HOLD_MS, 17), -EPERM);
	expect("override-set", override_set(nl, &family, gpu.address, 2),
	       -EPERM);
	expect("join helper", nl_join(nl, family.helper), -EPERM);
}

/* By the mask in the address that the socket is bound to, as old programs do. */
static int join_by_bind(uint32_t group)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1U << (group - 1),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	int error;

	error = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno :
									 0;
	close(fd);
	return error;
}

static void nobody_is_refused(void)
{
	struct nl nl;

	become_nobody();
	nl_open(&nl);
	expect_all_refused(&nl);
	if (family.helper <= 32)
		expect("join helper by bind", join_by_bind(family.helper),
		       -EPERM);
}

static void count_message(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	(void)attrs;
	(void)len;
	++*(int *)data;
}

static int dump(struct nl *nl, uint8_t cmd, int *count)
{
	*count = 0;
	msg_begin(&msg, family.id, NLM_F_DUMP, cmd);
	return nl_dump(nl, &msg, count_message, count, &answer);
}

static void nobody_may_look(void)
{
	struct family found;
	struct gpu seen;
	struct nl nl;
	int count;

	become_nobody();
	expect("resolve", family_open(&nl, &found), 0);
	expect("device-get", gpu_get(&nl, &family, gpu.id, &seen), 0);
	expect("devices", dump(&nl, EGPU_CMD_DEVICE_GET, &count), 0);
	expect("number of devices is not 0", !count, 0);
	expect("removals", dump(&nl, EGPU_CMD_REMOVAL_GET, &count), 0);
	expect("rules", dump(&nl, EGPU_CMD_OVERRIDE_GET, &count), 0);
	expect("quiesce-get", send_quiesce(&nl, EGPU_CMD_QUIESCE_GET), 0);
	expect("join events", nl_join(&nl, family.events), 0);
	msg_begin(&msg, family.id, 0, EGPU_CMD_SETTINGS_GET);
	expect("settings-get", nl_ask(&nl, &msg, &answer), 0);
}

/* Capable in a user namespace of its own, which means nothing outside it. */
static void own_namespace_is_refused(void)
{
	struct nl nl;

	become_nobody();
	expect("unshare(CLONE_NEWUSER)", unshare(CLONE_NEWUSER), 0);
	nl_open(&nl);
	expect_all_refused(&nl);
}

/* A socket that nobody opened is no better in the hands of root. */
static void borrowed_socket_is_refused(void)
{
	struct nl nl;

	if (setegid(NOBODY) || seteuid(NOBODY))
		_exit(3);
	nl_open(&nl);
	if (seteuid(0) || setegid(0))
		_exit(3);
	expect("eject", send_eject(&nl), -EPERM);
	expect("migrate", send_migrate(&nl), -EPERM);
	expect("settings-set",
	       setting_set(&nl, &family, EGPU_A_SETTINGS_HOLD_MS, 17), -EPERM);
}

static void other_net_namespace(void)
{
	struct family found;

	expect("unshare(CLONE_NEWNET)", unshare(CLONE_NEWNET), 0);
	expect("resolve", family_resolve(&found), -ENOENT);
}

/* --- events ------------------------------------------------------------------*/

static void nobody_hears(void)
{
	int heard = 0, count, error;
	struct nl nl;

	become_nobody();
	nl_open(&nl);
	expect("join events", nl_join(&nl, family.events), 0);
	error = write(STDERR_FILENO, "joined\n", 7) == 7 ? 0 : -EIO;
	expect("say so", error, 0);
	while (heard < 2) {
		count = nl_receive(&nl, 5000, count_message, &heard);
		if (count < 0) {
			expect("receive", count, 0);
			return;
		}
	}
}

static void wait_for_line(int fd)
{
	char byte;

	while (read(fd, &byte, 1) == 1 && byte != '\n')
		continue;
}

static void test_events(void)
{
	int status, ends[2];
	pid_t pid;

	test_begin("events reach a user without privilege");
	fflush(stdout);
	if (pipe(ends))
		bail_out("no pipe");
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		nobody_hears();
		fflush(stdout);
		_exit(child_failed);
	}
	close(ends[1]);
	wait_for_line(ends[0]);
	close(ends[0]);
	override_set(&root, &family, gpu.address, EGPU_PLACEMENT_INTERNAL);
	override_set(&root, &family, gpu.address, EGPU_PLACEMENT_AUTO);
	waitpid(pid, &status, 0);
	check(!status, "the child ended with status %#x", status);
	test_end();
}

/* --- clients -----------------------------------------------------------------*/

struct seen {
	int clients;
	int with_pid;
	int own; /* with the pid that is looked for */
	uint32_t pid;
};

static void look_at_client(uint8_t cmd, const void *attrs, size_t len,
			   void *data)
{
	struct seen *seen = data;
	uint32_t pid = attr_u32(attrs, len, EGPU_A_CLIENT_PID);

	(void)cmd;
	seen->clients++;
	seen->with_pid += attr_there(attrs, len, EGPU_A_CLIENT_PID);
	seen->own += pid == seen->pid;
}

static void see_clients(struct seen *seen)
{
	struct nl nl;

	*seen = (struct seen){ .pid = getpid() };
	nl_open(&nl);
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_CLIENT_GET);
	msg_put_u32(&msg, EGPU_A_CLIENT_ID, gpu.id);
	expect("clients", nl_dump(&nl, &msg, look_at_client, seen, &answer), 0);
	nl_close(&nl);
}

static void open_node(void)
{
	expect("open the node", open(node, O_RDWR | O_CLOEXEC) < 0, 0);
}

static void nobody_sees_own_only(void)
{
	struct seen seen;

	become_nobody();
	see_clients(&seen);
	expect("clients seen before", seen.clients, 0);
	open_node();
	see_clients(&seen);
	expect("clients seen", seen.clients, 1);
	expect("with my pid", seen.own, 1);
}

static void root_sees_all(void)
{
	struct seen seen;

	open_node();
	see_clients(&seen);
	expect("clients seen", seen.clients, 2);
	expect("with a pid", seen.with_pid, 2);
	expect("with my pid", seen.own, 1);
}

/* In the new pid namespace: its own pid is 1, that of the holder is hidden. */
static void first_of_pid_namespace(void)
{
	struct seen seen;

	expect("my pid", getpid(), 1);
	open_node();
	see_clients(&seen);
	expect("clients seen", seen.clients, 2);
	expect("with a pid", seen.with_pid, 1);
	expect("with my pid", seen.own, 1);
}

static void other_pid_namespace(void)
{
	int status;
	pid_t pid;

	expect("unshare(CLONE_NEWPID)", unshare(CLONE_NEWPID), 0);
	pid = fork();
	if (!pid) {
		first_of_pid_namespace();
		fflush(stdout);
		_exit(child_failed);
	}
	waitpid(pid, &status, 0);
	expect("the namespace's first process", status, 0);
}

static void test_clients(void)
{
	int holder = open(node, O_RDWR | O_CLOEXEC);

	if (holder < 0)
		bail_out("cannot open %s", node);
	test_harmless("nobody sees its own clients only", nobody_sees_own_only);
	test_harmless("root sees those of everybody", root_sees_all);
	test_harmless("pids are those of the asker's namespace, or left out",
		      other_pid_namespace);
	close(holder);
}

/* --- texts -------------------------------------------------------------------*/

static const struct {
	uint8_t cmd;
	uint16_t attr;
} texts[] = {
	{ EGPU_CMD_DEVICE_GET, EGPU_A_DEVICE_ADDRESS },
	{ EGPU_CMD_DEVICE_GET, EGPU_A_DEVICE_DRIVER },
	{ EGPU_CMD_DEVICE_GET, EGPU_A_DEVICE_PORT },
	{ EGPU_CMD_REMOVAL_GET, EGPU_A_REMOVAL_ADDRESS },
	{ EGPU_CMD_REMOVAL_GET, EGPU_A_REMOVAL_DRIVER },
	{ EGPU_CMD_REMOVAL_GET, EGPU_A_REMOVAL_PORT },
	{ EGPU_CMD_CLIENT_GET, EGPU_A_CLIENT_COMM },
	{ EGPU_CMD_OVERRIDE_GET, EGPU_A_OVERRIDE_ADDRESS },
};

static void look_at_texts(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	const char *text;
	size_t size;
	unsigned int i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].cmd != cmd)
			continue;
		text = attr_find(attrs, len, texts[i].attr, &size);
		if (!text)
			continue;
		++*(int *)data;
		check(strnlen(text, size) + 1 == size,
		      "command %u, attribute %u: %zu bytes, the text ends earlier",
		      cmd, texts[i].attr, size);
	}
}

/* One with the size of its array would tell what lay in memory behind it. */
static void test_texts(void)
{
	static const uint8_t dumps[] = { EGPU_CMD_DEVICE_GET,
					 EGPU_CMD_REMOVAL_GET,
					 EGPU_CMD_CLIENT_GET,
					 EGPU_CMD_OVERRIDE_GET };
	int holder = open(node, O_RDWR | O_CLOEXEC);
	int before, seen = 0;
	unsigned int i;

	test_begin("nothing is told behind the end of a text");
	override_set(&root, &family, gpu.address, EGPU_PLACEMENT_EXTERNAL);
	for (i = 0; i < sizeof(dumps); i++) {
		before = seen;
		msg_begin(&msg, family.id, NLM_F_DUMP, dumps[i]);
		nl_dump(&root, &msg, look_at_texts, &seen, &answer);
		check(seen > before, "the dump %u has no text", dumps[i]);
	}
	override_set(&root, &family, gpu.address, EGPU_PLACEMENT_AUTO);
	close(holder);
	test_end();
}

/* While there is a helper, for without one nobody could speak as one. */
static void test_refusals(void)
{
	struct nl helper;

	nl_open(&helper);
	if (nl_join(&helper, family.helper))
		bail_out("nobody can be a helper");
	test_harmless("without CAP_NET_ADMIN nothing is changed",
		      nobody_is_refused);
	test_harmless("nor with it in a user namespace of one's own",
		      own_namespace_is_refused);
	test_harmless("nor by a socket that was opened without it",
		      borrowed_socket_is_refused);
	nl_close(&helper);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail_out("name a DRM node of the external GPU");
	node = argv[1];
	if (family_open(&root, &family) || gpu_find(&root, &family, true, &gpu))
		bail_out("there is no module or no external GPU");
	test_refusals();
	test_harmless("without CAP_NET_ADMIN all may look", nobody_may_look);
	test_harmless("other network namespaces do not know the family",
		      other_net_namespace);
	test_events();
	test_clients();
	test_texts();
	return ktap_finish();
}
