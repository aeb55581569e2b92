// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The policy file: what it may say, what is wrong with it, who may write it; and
 * what becomes of whom.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/store.h"
#include "test.h"
#include "tree.h"

static struct policy_config config;
static char error[512];

static int parse_bytes(const char *text, size_t len)
{
	FILE *f = fmemopen((void *)text, len, "r");
	int err;

	assert_non_null(f);
	error[0] = '\0';
	err = policy_parse(f, "conf", &config, error, sizeof(error));
	fclose(f);
	return err;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void right(void **state)
{
	(void)state;
	assert_int_equal(parse("# a comment\n"
			       "\n"
			       "others = migrate   # another\n"
			       "  ask=1.5s\n"
			       "freeze\t=\t250ms\r\n"
			       "drain = 60s\n"
			       "[program firefox]\n"
			       "action = quit\n"
			       "freeze = yes\n"
			       "[program Isolated Web Content] # of it\n"
			       "freeze = no\n"
			       "action = ignore\n"
			       "[program a#b]\n"
			       "action=kill"),
			 0);
	assert_string_equal(error, "");
	assert_int_equal(config.others, ACTION_MIGRATE);
	assert_int_equal(config.ask_ms, 1500);
	assert_int_equal(config.freeze_ms, 250);
	assert_int_equal(config.drain_ms, 60000);
	assert_int_equal(config.n_rules, 3);
	assert_string_equal(config.rules[0].program, "firefox");
	assert_int_equal(config.rules[0].action, ACTION_QUIT);
	assert_true(config.rules[0].may_freeze);
	assert_string_equal(config.rules[1].program, "Isolated Web Content");
	assert_int_equal(config.rules[1].action, ACTION_IGNORE);
	assert_false(config.rules[1].may_freeze);
	assert_string_equal(config.rules[2].program, "a#b");
	/* The kernel cuts the name of a program. */
	assert_ptr_equal(policy_rule_of(&config, "Isolated Web Co"),
			 &config.rules[1]);
	assert_null(policy_rule_of(&config, "Isolated Web"));
	assert_null(policy_rule_of(&config, "firefo"));
	assert_null(policy_rule_of(&config, "firefox2"));
	assert_int_equal(parse("\n"), 0);
	assert_int_equal(config.others, ACTION_WAIT);
	assert_int_equal(config.ask_ms, 30000);
	assert_int_equal(config.n_rules, 0);
}

static void assert_share(double share, int percent)
{
	assert_true(share > percent / 100.0 - 0.000000001 &&
		    share < percent / 100.0 + 0.000000001);
}

/* Those of checkpoint, selection and strategy. */
static void right_about_migration(void **state)
{
	(void)state;
	assert_int_equal(parse("interval = 250ms\nshare = 100%\n"
			       "migrations = 64\nlimit = 600s\n"
			       "cpu-fallback = no\nstrategy = preemptive\n"
			       "heat = 75\nmemory-low = 0%\nimbalance = 256\n"
			       "store = /srv/a b/store # there\n"
			       "store-max = 65536G\nstore-free = 512K\n"
			       "keep = yes\nsave-plain = no\nsample = 1.5s\n"
			       "sensors = /run/sensors\n"),
			 0);
	assert_int_equal(config.interval_ms, 250);
	assert_share(config.share, 100);
	assert_int_equal(config.migrations, 64);
	assert_int_equal(config.limit_ms, 600000);
	assert_false(config.cpu_fallback);
	assert_int_equal(config.strategy, STRATEGY_PREEMPTIVE);
	assert_int_equal(config.heat, 75);
	assert_share(config.memory_low, 0);
	assert_int_equal(config.imbalance, 256);
	assert_string_equal(config.store, "/srv/a b/store");
	assert_int_equal(config.store_max, 1ull << 46);
	assert_int_equal(config.store_free, 512 << 10);
	assert_true(config.keep);
	assert_false(config.save_plain);
	assert_int_equal(config.sample_ms, 1500);
	assert_string_equal(config.sensors, "/run/sensors");
}

static void defaults_about_migration(void **state)
{
	(void)state;
	assert_int_equal(parse("\n"), 0);
	assert_int_equal(config.interval_ms, 1000);
	assert_share(config.share, 25);
	assert_int_equal(config.migrations, 4);
	assert_int_equal(config.limit_ms, 30000);
	assert_true(config.cpu_fallback);
	assert_int_equal(config.strategy, STRATEGY_LAZY);
	assert_int_equal(config.heat, 90);
	assert_share(config.memory_low, 5);
	assert_int_equal(config.imbalance, 2);
	assert_string_equal(config.store, STORE_PATH);
	assert_int_equal(config.store_max, 16ull << 30);
	assert_int_equal(config.store_free, 1ull << 30);
	assert_false(config.keep);
	assert_true(config.save_plain);
	assert_int_equal(config.sample_ms, 2000);
	assert_string_equal(config.sensors, "/sys");
}

static void names_of_strategies(void **state)
{
	enum strategy strategy = STRATEGY_EAGER;
	int i;

	(void)state;
	for (i = STRATEGY_LAZY; i <= STRATEGY_BALANCED; i++) {
		assert_true(strategy_parse(strategy_name(i), &strategy));
		assert_int_equal(strategy, i);
	}
	assert_string_equal(strategy_name(i), "unknown");
	assert_false(strategy_parse("unknown", &strategy));
	assert_false(strategy_parse("", &strategy));
	assert_int_equal(strategy, STRATEGY_BALANCED);
}

/* The begin of what is said about each kind of mistake. */
#define ACTION "expected wait, migrate, quit, kill or ignore, found "
#define LINE   "expected 'key = value' or '[program NAME]', found "
#define KEY                                                                    \
	"expected the key others, ask, freeze, drain, interval, share, "       \
	"migrations, limit, cpu-fallback, strategy, heat, memory-low, "        \
	"imbalance, store, store-max, store-free, keep, save-plain, sample "   \
	"or sensors, found "
#define RULE_KEY                                                               \
	"expected the key action or freeze in the section of a program, found "
#define SECTION	  "expected '[program NAME]', found "
#define TIME_FOR  "expected a time such as 500ms or 2s for "
#define SHARE_FOR "expected a share such as 25% for "
#define SIZE_FOR  "expected a size such as 512M or 16G for "
#define PATH	  "expected an absolute path of at most 255 characters, found "
#define AN_ACTION "expected a line 'action = ...' in the section of "
#define ONE_SECTION                                                            \
	"expected one section for each program "                               \
	"(the first 15 characters count), found another for "

/**
 * struct mistake - a file that is wrong
 * @text: the file
 * @error: what is said, without the name of the file
 */
struct mistake {
	const char *text;
	const char *error;
};

static const struct mistake mistakes[] = {
	{ "others = stop", "1: " ACTION "'stop'" },
	{ "\n\nothers =", "3: " ACTION "nothing" },
	{ "others", "1: " LINE "'others'" },
	{ "= wait", "1: " LINE "'= wait'" },
	{ "Others = wait", "1: " KEY "'Others'" },
	{ "action = wait", "1: " KEY "'action'" },
	{ "ask = 5", "1: " TIME_FOR "'ask', at most 600s, found '5'" },
	{ "ask = 601s", "1: " TIME_FOR "'ask', at most 600s, found '601s'" },
	{ "ask = -1s", "1: " TIME_FOR "'ask', at most 600s, found '-1s'" },
	{ "ask = 99999999999999999999s",
	  "1: " TIME_FOR "'ask', at most 600s, found '99999999999999999999s'" },
	{ "ask = s", "1: " TIME_FOR "'ask', at most 600s, found 's'" },
	{ "ask = ms", "1: " TIME_FOR "'ask', at most 600s, found 'ms'" },
	{ "ask = 1 s", "1: " TIME_FOR "'ask', at most 600s, found '1 s'" },
	{ "freeze = 9ms", "1: " TIME_FOR "'freeze', 10ms to 60s, found '9ms'" },
	{ "drain = 0s", "1: " TIME_FOR "'drain', 10ms to 60s, found '0s'" },
	{ "ask = 1s\ndrain = 1s\nask = 1s",
	  "3: expected 'ask' once, found it again after line 1" },
	{ "[program x]\naction = quit\n\naction = quit",
	  "4: expected 'action' once, found it again after line 2" },
	{ "[program x]\naction = quit\n[program x]\n", "3: " ONE_SECTION "'x'" },
	{ "[program Isolated Web Content]\naction = quit\n"
	  "[program Isolated Web Container]\n",
	  "3: " ONE_SECTION "'Isolated Web Container'" },
	{ "[program x]\n[program y]\naction = quit",
	  "1: " AN_ACTION "'x', found none" },
	{ "\n[program x]\nfreeze = yes\n\n", "2: " AN_ACTION "'x', found none" },
	{ "[program x]\nfreeze = maybe", "2: expected yes or no, found 'maybe'" },
	{ "[program x]\nothers = wait", "2: " RULE_KEY "'others'" },
	{ "[program ]",
	  "1: expected the name of a program, 1 to 63 characters, found nothing" },
	{ "[program]", "1: " SECTION "'[program]'" },
	{ "[programx]", "1: " SECTION "'[programx]'" },
	{ "[program x", "1: " SECTION "'[program x'" },
	{ "[]", "1: " SECTION "'[]'" },
	{ "[group x]", "1: " SECTION "'[group x]'" },
	{ "\033[31mred\n", "1: " LINE "'?[31mred'" },
};

/* About checkpoint, selection and strategy. */
static const struct mistake mistakes_about_migration[] = {
	{ "interval = 601s",
	  "1: " TIME_FOR "'interval', at most 600s, found '601s'" },
	{ "sample = 99ms",
	  "1: " TIME_FOR "'sample', 100ms to 600s, found '99ms'" },
	{ "share = 0%", "1: " SHARE_FOR "'share', 1% to 100%, found '0%'" },
	{ "share = 101%", "1: " SHARE_FOR "'share', 1% to 100%, found '101%'" },
	{ "share = 25", "1: " SHARE_FOR "'share', 1% to 100%, found '25'" },
	{ "share = %", "1: " SHARE_FOR "'share', 1% to 100%, found '%'" },
	{ "share =", "1: " SHARE_FOR "'share', 1% to 100%, found nothing" },
	{ "share = nan%", "1: " SHARE_FOR "'share', 1% to 100%, found 'nan%'" },
	{ "memory-low = 100%",
	  "1: " SHARE_FOR "'memory-low', 0% to 99%, found '100%'" },
	{ "migrations = 0",
	  "1: expected a number such as 4 for 'migrations', 1 to 64, found '0'" },
	{ "migrations = 4.5",
	  "1: expected a number such as 4 for 'migrations', 1 to 64, found '4.5'" },
	{ "heat = -5",
	  "1: expected degrees Celsius such as 90 for 'heat', 30 to 150, found '-5'" },
	{ "heat = 151",
	  "1: expected degrees Celsius such as 90 for 'heat', 30 to 150, found '151'" },
	{ "strategy = fast",
	  "1: expected lazy, eager, preemptive or balanced, found 'fast'" },
	{ "keep = true", "1: expected yes or no, found 'true'" },
	{ "store = checkpoints", "1: " PATH "'checkpoints'" },
	{ "sensors =", "1: " PATH "nothing" },
	{ "store-max = 16",
	  "1: " SIZE_FOR "'store-max', 1M to 65536G, found '16'" },
	{ "store-max = 1023K",
	  "1: " SIZE_FOR "'store-max', 1M to 65536G, found '1023K'" },
	{ "store-max = 65537G",
	  "1: " SIZE_FOR "'store-max', 1M to 65536G, found '65537G'" },
	{ "store-max = 18446744073709551615G",
	  "1: " SIZE_FOR
	  "'store-max', 1M to 65536G, found '18446744073709551615G'" },
	{ "store-free = 1T",
	  "1: " SIZE_FOR "'store-free', at most 65536G, found '1T'" },
	{ "store-free = G",
	  "1: " SIZE_FOR "'store-free', at most 65536G, found 'G'" },
};

static void assert_wrong(const struct mistake *mistake, size_t n)
{
	static struct policy_config before;

	policy_defaults(&config);
	config.ask_ms = 4711;
	before = config;
	while (n--) {
		assert_int_equal(parse(mistake[n].text), -EINVAL);
		assert_int_equal(strncmp(error, "conf:", 5), 0);
		assert_string_equal(error + 5, mistake[n].error);
		assert_memory_equal(&config, &before, sizeof(config));
	}
}

static void wrong(void **state)
{
	(void)state;
	assert_wrong(mistakes, sizeof(mistakes) / sizeof(mistakes[0]));
}

static void wrong_about_migration(void **state)
{
	(void)state;
	assert_wrong(mistakes_about_migration,
		     sizeof(mistakes_about_migration) /
			     sizeof(mistakes_about_migration[0]));
}

static void sizes(void **state)
{
	char *text = malloc(600 * 1024), *at = text;
	int i;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 600);
	text[600] = '\0';
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(error,
			    "conf:1: expected a line of at most 511 characters, found a longer one");
	assert_int_equal(parse_bytes("ask = 1s\nx\0y\n", 13), -EINVAL);
	assert_string_equal(error, "conf:2: expected text, found a NUL byte");
	for (i = 0; i < 257; i++)
		at += sprintf(at, "[program p%d]\naction = quit\n", i);
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(error,
			    "conf:513: expected at most 256 programs, found 'p256'");
	memset(text, 'x', 300);
	memcpy(text, "store = /", 9);
	text[8 + 256] = '\0';
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(error, "at most 255 characters"));
	text[8 + 255] = '\0';
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.store), 255);
	sprintf(text, "[program %064d]\n", 0);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(error, "1 to 63 characters"));
	for (i = 0; i < 600 * 1024 - 1; i++)
		text[i] = i % 100 ? '#' : '\n';
	text[i] = '\0';
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(error, "at most 262144 bytes"));
	free(text);
}

static int load(const struct tree *tree, const char *path)
{
	error[0] = '\0';
	return policy_load(tree_path(tree, path), &config, error, sizeof(error));
}

static void files(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	config.ask_ms = 1;
	assert_int_equal(load(&tree, "no-such-file"), 0);
	assert_int_equal(config.ask_ms, 30000);
	assert_int_equal(load(&tree, "no-such-dir/file"), 0);
	tree_file(&tree, "conf", "ask = 3s\n");
	assert_int_equal(load(&tree, "conf"), 0);
	assert_int_equal(config.ask_ms, 3000);
	tree_file(&tree, "bad", "ask = 3\n");
	assert_int_equal(load(&tree, "bad"), -EINVAL);
	assert_non_null(strstr(error, "/bad:1: expected a time"));
	assert_int_equal(config.ask_ms, 3000);
	tree_link(&tree, "link", "conf");
	assert_int_equal(load(&tree, "link"), -EPERM);
	assert_non_null(strstr(error, "symbolic link"));
	assert_int_equal(mkfifo(tree_path(&tree, "pipe"), 0600), 0);
	assert_int_equal(load(&tree, "pipe"), -EPERM);
	assert_non_null(strstr(error, "regular file"));
	tree_dir(&tree, "dir");
	assert_int_equal(load(&tree, "dir"), -EPERM);
	tree_free(&tree);
}

/* Only for root is it a question who else can write the file. */
static void files_of_root(void **state)
{
	struct tree tree;

	(void)state;
	if (geteuid()) {
		print_message("# files_of_root: skipped, it takes root\n");
		return;
	}
	tree_new(&tree);
	tree_file(&tree, "dir/conf", "ask = 3s\n");
	assert_int_equal(load(&tree, "dir/conf"), 0);
	chmod(tree_path(&tree, "dir/conf"), 0664);
	assert_int_equal(load(&tree, "dir/conf"), -EPERM);
	assert_non_null(strstr(error, "found owner 0 and mode 664"));
	chmod(tree_path(&tree, "dir/conf"), 0602);
	assert_int_equal(load(&tree, "dir/conf"), -EPERM);
	chmod(tree_path(&tree, "dir/conf"), 0644);
	assert_int_equal(chown(tree_path(&tree, "dir/conf"), 1, 0), 0);
	assert_int_equal(load(&tree, "dir/conf"), -EPERM);
	assert_int_equal(chown(tree_path(&tree, "dir/conf"), 0, 1), 0);
	assert_int_equal(load(&tree, "dir/conf"), 0);
	/* A directory above. */
	chmod(tree_path(&tree, "dir"), 0775);
	assert_int_equal(load(&tree, "dir/conf"), -EPERM);
	assert_non_null(strstr(error, "/dir; see to its owner and mode"));
	chmod(tree_path(&tree, "dir"), 01777);
	assert_int_equal(load(&tree, "dir/conf"), 0);
	assert_int_equal(chown(tree_path(&tree, "dir"), 1, 0), 0);
	assert_int_equal(load(&tree, "dir/conf"), -EPERM);
	assert_int_equal(chown(tree_path(&tree, "dir"), 0, 0), 0);
	tree_link(&tree, "way", "dir");
	assert_int_equal(load(&tree, "way/conf"), -EPERM);
	assert_non_null(strstr(error, "symbolic link"));
	assert_int_equal(policy_load("conf", &config, error, sizeof(error)),
			 -EINVAL);
	assert_int_equal(policy_load("/", &config, error, sizeof(error)),
			 -EINVAL);
	tree_free(&tree);
}

static struct holder holder_named(const char *comm, enum holder_role role,
				  unsigned int how)
{
	struct holder holder = { .role = role, .how = how };

	snprintf(holder.process.comm, sizeof(holder.process.comm), "%s", comm);
	return holder;
}

static void assert_becomes(const char *comm, enum holder_role role,
			   unsigned int how, bool force,
			   enum policy_action action, const char *outcome)
{
	struct holder holder = holder_named(comm, role, how);

	assert_int_equal(policy_action_of(&config, &holder, force), action);
	assert_string_equal(policy_outcome(&config, &holder, force), outcome);
}

static void without_a_file(void **state)
{
	(void)state;
	policy_defaults(&config);
	assert_becomes("game", ROLE_PROGRAM, HOLDER_NODE, false, ACTION_WAIT,
		       "is waited for");
	assert_becomes("game", ROLE_PROGRAM, HOLDER_NODE, true, ACTION_IGNORE,
		       "is frozen, loses the GPU and goes on");
	assert_becomes("Xorg", ROLE_DISPLAY_SERVER, HOLDER_NODE, false,
		       ACTION_WAIT, "is waited for");
	assert_becomes("Xorg", ROLE_DISPLAY_SERVER, HOLDER_NODE, true,
		       ACTION_IGNORE, "loses the GPU without being frozen");
	assert_becomes("systemd-logind", ROLE_SESSION_BROKER,
		       HOLDER_NODE | HOLDER_OPENED_FOR, false, ACTION_IGNORE,
		       "lets go with the program it has opened it for");
	assert_becomes("systemd-logind", ROLE_SESSION_BROKER, HOLDER_NODE,
		       false, ACTION_WAIT, "is waited for");
	assert_becomes("launcher", ROLE_PROGRAM, HOLDER_OPENED_FOR, false,
		       ACTION_IGNORE,
		       "lets go with the program it has opened it for");
	assert_becomes("pipewire", ROLE_SOUND_SERVER, HOLDER_SOUND, false,
		       ACTION_IGNORE, "loses the GPU and goes on");
	assert_becomes("pipewire", ROLE_SOUND_SERVER,
		       HOLDER_SOUND | HOLDER_DMABUF, false, ACTION_WAIT,
		       "is waited for");
	assert_becomes("egpud", ROLE_SELF, HOLDER_NODE, false, ACTION_IGNORE,
		       "lets go by itself");
}

static void with_rules(void **state)
{
	(void)state;
	assert_int_equal(parse("others = quit\n"
			       "[program Xorg]\naction = ignore\nfreeze = yes\n"
			       "[program sway]\naction = ignore\n"
			       "[program game]\naction = kill\n"
			       "[program mover]\naction = migrate\n"
			       "[program pipewire]\naction = wait\n"
			       "[program systemd]\naction = kill\n"
			       "freeze = yes\n"),
			 0);
	assert_becomes("other", ROLE_PROGRAM, HOLDER_NODE, false, ACTION_QUIT,
		       "is asked to end and waited for");
	assert_becomes("other", ROLE_PROGRAM, HOLDER_NODE, true, ACTION_QUIT,
		       "is asked to end, then loses the GPU");
	assert_becomes("game", ROLE_PROGRAM, HOLDER_NODE, true, ACTION_KILL,
		       "is asked to end, then killed");
	assert_becomes("mover", ROLE_PROGRAM, HOLDER_NODE, false,
		       ACTION_MIGRATE, "cannot be moved, is waited for");
	assert_becomes("mover", ROLE_PROGRAM, HOLDER_NODE, true, ACTION_IGNORE,
		       "is frozen, loses the GPU and goes on");
	assert_becomes("Xorg", ROLE_DISPLAY_SERVER, HOLDER_NODE, false,
		       ACTION_IGNORE, "is frozen, loses the GPU and goes on");
	assert_becomes("sway", ROLE_DISPLAY_SERVER, HOLDER_NODE, false,
		       ACTION_IGNORE, "stops the eject: it may not be frozen");
	assert_becomes("pipewire", ROLE_SOUND_SERVER, HOLDER_SOUND, false,
		       ACTION_WAIT, "is waited for");
	/* Nobody ends these, nor freezes them. */
	assert_becomes("systemd", ROLE_INIT, HOLDER_NODE, false, ACTION_WAIT,
		       "is waited for");
	assert_becomes("systemd", ROLE_SELF, HOLDER_NODE, false, ACTION_IGNORE,
		       "lets go by itself");
}

static void assert_cooperating(const char *comm, enum holder_role role,
			       unsigned int how, bool force,
			       enum policy_action action, const char *outcome)
{
	struct holder holder = holder_named(comm, role, how);

	holder.cooperates = true;
	assert_int_equal(policy_action_of(&config, &holder, force), action);
	assert_string_equal(policy_outcome(&config, &holder, force), outcome);
}

/* Who can be moved is, unless his rule says something else. */
static void who_cooperates(void **state)
{
	(void)state;
	assert_int_equal(parse("others = kill\n[program stays]\naction = wait\n"
			       "[program goes]\naction = migrate\n"),
			 0);
	assert_cooperating("demo", ROLE_PROGRAM, HOLDER_NODE, false,
			   ACTION_MIGRATE, "moves to another device");
	assert_cooperating("demo", ROLE_PROGRAM, HOLDER_NODE, true,
			   ACTION_MIGRATE,
			   "moves to another device, or loses the GPU");
	assert_cooperating("goes", ROLE_PROGRAM, HOLDER_NODE, false,
			   ACTION_MIGRATE, "moves to another device");
	assert_cooperating("stays", ROLE_PROGRAM, HOLDER_NODE, false,
			   ACTION_WAIT, "is waited for");
	assert_cooperating("stays", ROLE_PROGRAM, HOLDER_NODE, true,
			   ACTION_IGNORE,
			   "is frozen, loses the GPU and goes on");
	assert_cooperating("sway", ROLE_DISPLAY_SERVER, HOLDER_NODE, false,
			   ACTION_MIGRATE, "moves to another device");
	/* What has nothing of the GPU need not move. */
	assert_cooperating("demo", ROLE_PROGRAM, HOLDER_OPENED_FOR, false,
			   ACTION_IGNORE,
			   "lets go with the program it has opened it for");
	assert_cooperating("egpud", ROLE_SELF, HOLDER_NODE, false,
			   ACTION_IGNORE, "lets go by itself");
	assert_becomes("demo", ROLE_PROGRAM, HOLDER_NODE, false, ACTION_KILL,
		       "is asked to end, then killed");
}

static void who_may_be_frozen(void **state)
{
	static const struct {
		const char *comm;
		enum holder_role role;
		bool may;
	} cases[] = {
		{ "game", ROLE_PROGRAM, true },
		{ "no", ROLE_PROGRAM, true },
		{ "yes", ROLE_DISPLAY_SERVER, true },
		{ "no", ROLE_DISPLAY_SERVER, false },
		{ "Xorg", ROLE_DISPLAY_SERVER, false },
		{ "yes", ROLE_SESSION_BROKER, true },
		{ "seatd", ROLE_SESSION_BROKER, false },
		{ "pipewire", ROLE_SOUND_SERVER, false },
		{ "yes", ROLE_INIT, false },
		{ "yes", ROLE_SELF, false },
	};
	size_t i;

	(void)state;
	assert_int_equal(parse("[program yes]\naction = ignore\nfreeze = yes\n"
			       "[program no]\naction = ignore\nfreeze = no\n"),
			 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct holder holder =
			holder_named(cases[i].comm, cases[i].role, HOLDER_NODE);

		assert_int_equal(policy_may_freeze(&config, &holder),
				 cases[i].may);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(right),
	cmocka_unit_test(right_about_migration),
	cmocka_unit_test(defaults_about_migration),
	cmocka_unit_test(names_of_strategies),
	cmocka_unit_test(wrong),
	cmocka_unit_test(wrong_about_migration),
	cmocka_unit_test(sizes),
	cmocka_unit_test(files),
	cmocka_unit_test(files_of_root),
	cmocka_unit_test(without_a_file),
	cmocka_unit_test(with_rules),
	cmocka_unit_test(who_cooperates),
	cmocka_unit_test(who_may_be_frozen),
};

TEST_MAIN(tests, NULL, NULL)
