// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Freezing: real processes by signals, and cgroups in a folder that looks like
 * the unified hierarchy.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "../egpud/egpud.h"
#include "test.h"
#include "world.h"

static struct world world;
static struct journal journal;
static struct freezer freezer;
static struct freeze_set set, other;
static struct process list[4];
static pid_t user[2];

static int setup(void **state)
{
	size_t i;

	(void)state;
	log_setup(LOG_EMERG);
	world_make(&world);
	assert_int_equal(journal_open(&journal, world.run), 0);
	memset(&freezer, 0, sizeof(freezer));
	freezer.roots = &world.roots;
	freezer.journal = &journal;
	for (i = 0; i < 2; i++) {
		user[i] = world_user(&world, USER_PLAIN, "user");
		assert_int_equal(process_read(&world.roots, user[i], &list[i]),
				 0);
		/* The cgroups of this machine are not to be touched. */
		list[i].cgroup[0] = '\0';
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	freeze_release(&freezer, &set);
	freeze_release(&freezer, &other);
	assert_null(freezer.list);
	world_end_user(user[0]);
	world_end_user(user[1]);
	journal_close(&journal);
	world_free(&world);
	return 0;
}

static void freeze(struct freeze_set *into, size_t n)
{
	const struct process *failed = NULL;

	assert_int_equal(freeze_add(&freezer, into, list, n, &failed), 0);
}

static bool all_still(const struct freeze_set *of)
{
	int tries;
	char state;

	for (tries = 0; tries < 1000; tries++) {
		if (!freeze_culprit(&freezer, of, &state))
			return true;
		usleep(1000);
	}
	return false;
}

static off_t journal_size(void)
{
	struct stat st;

	assert_int_equal(fstat(journal.file, &st), 0);
	return st.st_size;
}

static void stops_and_continues(void **state)
{
	(void)state;
	freeze(&set, 2);
	assert_true(journal_size() > 0);
	assert_true(all_still(&set));
	assert_int_equal(world_state(user[0]), 'T');
	assert_int_equal(world_state(user[1]), 'T');
	freeze_release(&freezer, &set);
	assert_int_not_equal(world_state(user[0]), 'T');
	assert_int_not_equal(world_state(user[1]), 'T');
	assert_int_equal(journal_size(), 0);
}

/* By its user, so only its user lets it go on. */
static void stopped_before_stays_stopped(void **state)
{
	(void)state;
	kill(user[0], SIGSTOP);
	assert_true(world_stands_still(user[0]));
	assert_int_equal(process_read(&world.roots, user[0], &list[0]), 0);
	list[0].cgroup[0] = '\0';
	freeze(&set, 1);
	assert_int_equal(set.n, 0);
	assert_int_equal(journal_size(), 0);
	freeze_release(&freezer, &set);
	assert_int_equal(world_state(user[0]), 'T');
}

static void pid_of_another(void **state)
{
	(void)state;
	list[0].start++;
	freeze(&set, 1);
	assert_int_equal(set.n, 0);
	assert_int_not_equal(world_state(user[0]), 'T');
}

static void used_by_two(void **state)
{
	(void)state;
	freeze(&set, 1);
	freeze(&other, 1);
	assert_ptr_equal(set.item[0], other.item[0]);
	assert_true(all_still(&set));
	freeze_release(&freezer, &set);
	assert_int_equal(world_state(user[0]), 'T');
	assert_true(journal_size() > 0);
	freeze_release(&freezer, &other);
	assert_int_not_equal(world_state(user[0]), 'T');
	assert_int_equal(journal_size(), 0);
}

/* Adding what is there already is no second use. */
static void added_twice(void **state)
{
	(void)state;
	freeze(&set, 1);
	freeze(&set, 2);
	assert_int_equal(set.n, 2);
	freeze_release(&freezer, &set);
	assert_int_not_equal(world_state(user[0]), 'T');
}

static void ends_while_still(void **state)
{
	(void)state;
	freeze(&set, 1);
	assert_true(all_still(&set));
	world_end_user(user[0]);
	assert_true(all_still(&set));
	freeze_release(&freezer, &set);
	assert_int_equal(journal_size(), 0);
	user[0] = world_user(&world, USER_PLAIN, "user");
}

/* What cannot be recorded is not done. */
static void without_a_journal(void **state)
{
	const struct process *failed = NULL;

	(void)state;
	journal_close(&journal);
	assert_int_equal(freeze_add(&freezer, &set, list, 1, &failed), -EBADF);
	assert_ptr_equal(failed, &list[0]);
	assert_int_equal(set.n, 0);
	assert_int_not_equal(world_state(user[0]), 'T');
}

/* ------------------------------------------------------------- cgroups */

static void make_cgroup(const char *path, pid_t a, pid_t b)
{
	char text[64] = "";

	if (a)
		snprintf(text, sizeof(text), "%d\n", a);
	if (b)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%d\n", b);
	world_file("", "%s/fs/cgroup/cgroup.controllers", world.sys);
	world_file("", "%s/fs/cgroup/cgroup.procs", world.sys);
	world_file(text, "%s/fs/cgroup%s/cgroup.procs", world.sys, path);
	world_file("0", "%s/fs/cgroup%s/cgroup.freeze", world.sys, path);
	world_file("populated 1\nfrozen 0\n", "%s/fs/cgroup%s/cgroup.events",
		   world.sys, path);
}

static char written(const char *path)
{
	char name[256], c;
	int fd;

	snprintf(name, sizeof(name), "%s/fs/cgroup%s/cgroup.freeze", world.sys,
		 path);
	fd = open(name, O_RDONLY);
	assert_int_equal(read(fd, &c, 1), 1);
	close(fd);
	return c;
}

static void cgroup_of_its_own(void **state)
{
	char letter;

	(void)state;
	make_cgroup("/app", user[0], user[1]);
	strcpy(list[0].cgroup, "/app");
	strcpy(list[1].cgroup, "/app");
	freeze(&set, 2);
	assert_int_equal(set.n, 1);
	assert_int_equal(written("/app"), '1');
	/* Not by a signal as well. */
	assert_int_not_equal(world_state(user[0]), 'T');
	assert_non_null(freeze_culprit(&freezer, &set, &letter));
	world_file("populated 1\nfrozen 1\n", "%s/fs/cgroup/app/cgroup.events",
		   world.sys);
	assert_null(freeze_culprit(&freezer, &set, &letter));
	freeze_release(&freezer, &set);
	assert_int_equal(written("/app"), '0');
	assert_int_equal(journal_size(), 0);
}

static void cgroup_with_others(void **state)
{
	(void)state;
	make_cgroup("/app", user[0], getpid());
	strcpy(list[0].cgroup, "/app");
	freeze(&set, 1);
	assert_int_equal(written("/app"), '0');
	assert_true(all_still(&set));
	assert_int_equal(world_state(user[0]), 'T');
}

/* Freezing a cgroup freezes those below it as well. */
static void cgroup_with_others_below(void **state)
{
	(void)state;
	make_cgroup("/app", user[0], 0);
	make_cgroup("/app/below", user[1], 0);
	strcpy(list[0].cgroup, "/app");
	freeze(&set, 1);
	assert_int_equal(written("/app"), '0');
	freeze_release(&freezer, &set);
	strcpy(list[1].cgroup, "/app/below");
	freeze(&set, 2);
	assert_int_equal(set.n, 1);
	assert_int_equal(written("/app"), '1');
	assert_int_equal(written("/app/below"), '0');
}

static void root_cgroup(void **state)
{
	(void)state;
	make_cgroup("/", user[0], 0);
	strcpy(list[0].cgroup, "/");
	freeze(&set, 1);
	assert_int_equal(written("/"), '0');
	assert_true(all_still(&set));
}

static void cgroup_frozen_before(void **state)
{
	(void)state;
	make_cgroup("/app", user[0], 0);
	world_file("populated 1\nfrozen 1\n", "%s/fs/cgroup/app/cgroup.events",
		   world.sys);
	strcpy(list[0].cgroup, "/app");
	freeze(&set, 1);
	assert_int_equal(set.n, 0);
	assert_int_equal(written("/app"), '0');
	assert_int_not_equal(world_state(user[0]), 'T');
}

/* A path is not followed out of the hierarchy. */
static void cgroup_elsewhere(void **state)
{
	char path[256];

	(void)state;
	make_cgroup("/app", 0, 0);
	snprintf(path, sizeof(path), "%s/fs/cgroup/link", world.sys);
	make_cgroup("/../elsewhere", user[0], 0);
	assert_int_equal(symlink("../elsewhere", path), 0);
	strcpy(list[0].cgroup, "/link");
	strcpy(list[1].cgroup, "/../elsewhere");
	freeze(&set, 2);
	assert_int_equal(written("/../elsewhere"), '0');
	assert_true(all_still(&set));
	assert_int_equal(world_state(user[1]), 'T');
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(stops_and_continues), T(stopped_before_stays_stopped),
	T(pid_of_another),	T(used_by_two),
	T(added_twice),		T(ends_while_still),
	T(without_a_journal),	T(cgroup_of_its_own),
	T(cgroup_with_others),	T(cgroup_with_others_below),
	T(root_cgroup),		T(cgroup_frozen_before),
	T(cgroup_elsewhere),
};

TEST_MAIN(tests, NULL, NULL)
