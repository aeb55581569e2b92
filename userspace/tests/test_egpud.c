// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's loop against a kernel of the tests' own.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <stdlib.h>
#include <unistd.h>

#include "desk.h"
#include "test.h"

#define kernel	desk_kernel
#define daemon_ desk_daemon

static int setup(void **state)
{
	(void)state;
	desk_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	desk_free();
	return 0;
}

static void start(void)
{
	assert_int_equal(daemon_start(&daemon_), 0);
}

/* Runs the loop until it has nothing to do; how often it woke up. */
static int run_loop(void)
{
	int woken = 0;

	while (sd_event_run(daemon_.loop, 0) > 0)
		woken++;
	return woken;
}

static bool called(size_t at, uint8_t cmd, uint64_t cookie)
{
	return at < kernel.n_calls && kernel.calls[at].cmd == cmd &&
	       kernel.calls[at].cookie == cookie;
}

/* A removal by others of a GPU that nobody uses, up to its acknowledgment. */
static void accepts_and_acknowledges(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	start();
	rem = desk_begin(dev, EGPU_ORIGIN_OTHERS);
	assert_int_equal(kernel.n_calls, 0);
	run_loop();
	assert_true(called(0, EGPU_CMD_ACCEPT, rem->cookie));
	assert_int_equal(desk_removal()->state, TXN_DRAIN);
	desk_drained(dev);
	run_loop();
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	assert_int_equal(desk_call(EGPU_CMD_ACK)->cookie, rem->cookie);
	assert_int_equal(desk_call(EGPU_CMD_ACK)->port, kernel.calls[0].port);
	kernel_phase(&kernel, rem, EGPU_PHASE_UNBOUND, rem->release);
	kernel_disconnect(&kernel, rem);
	run_loop();
	assert_null(desk_removal());
}

static void leaves_internal_gpus_alone(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:01:00.0", false);

	(void)state;
	start();
	kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	assert_int_equal(kernel.n_calls, 0);
}

/* A surprise is announced with nothing to be awaited. */
static void leaves_released_removals_alone(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	start();
	kernel_lose(1);
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	kernel_phase(&kernel, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_GONE);
	run_loop();
	assert_int_equal(kernel.n_calls, 0);
}

static void pending_at_start(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	desk_begin(dev, EGPU_ORIGIN_OTHERS);
	start();
	assert_true(called(0, EGPU_CMD_ACCEPT, 100));
	assert_int_equal(desk_removal()->state, TXN_DRAIN);
}

static void pending_after_a_loss(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	start();
	kernel_lose(1);
	desk_begin(dev, EGPU_ORIGIN_OTHERS);
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_LEAVING);
	run_loop();
	assert_true(called(0, EGPU_CMD_ACCEPT, 100));
	assert_int_equal(desk_removal()->state, TXN_DRAIN);
}

static void another_helper_was_first(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	start();
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	rem->helper = 4711;
	run_loop();
	assert_int_equal(kernel.n_calls, 1);
	assert_int_equal(kernel.calls[0].cmd, EGPU_CMD_ACCEPT);
	assert_null(desk_removal());
}

static void survives_unload_and_reload(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	start();
	desk_begin(dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	assert_non_null(desk_removal());
	kernel_unload(&kernel, true);
	run_loop();
	assert_null(desk_removal());
	assert_null(daemon_.cards);
	assert_false(daemon_.loaded);
	kernel_load(&kernel, true);
	run_loop();
	assert_true(daemon_.loaded);
	assert_true(kernel.settings.helpers);
	dev = kernel_add(&kernel, "0000:07:00.0", true);
	desk_begin(dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	assert_non_null(desk_removal());
}

static void waits_for_the_module(void **state)
{
	(void)state;
	kernel_unload(&kernel, false);
	start();
	assert_false(daemon_.loaded);
	/* At rest there is nothing to wake up for. */
	assert_int_equal(run_loop(), 0);
	kernel_load(&kernel, true);
	run_loop();
	assert_true(daemon_.loaded);
}

static void counts_gpus(void **state)
{
	struct egpu_removal *rem;

	(void)state;
	kernel_add(&kernel, "0000:01:00.0", false);
	start();
	kernel_add(&kernel, "0000:07:00.0", true);
	run_loop();
	assert_int_equal(daemon_.n_gpus, 2);
	assert_int_equal(daemon_.n_external, 1);
	rem = kernel_begin(&kernel, kernel_device(&kernel, 2),
			   EGPU_ORIGIN_OTHERS);
	kernel_disconnect(&kernel, rem);
	run_loop();
	assert_int_equal(daemon_.n_gpus, 1);
	assert_int_equal(daemon_.n_external, 0);
}

static void needs_rights(void **state)
{
	(void)state;
	kernel.admin = false;
	assert_int_equal(daemon_start(&daemon_), -EPERM);
}

/* Rights that are missing only when the module comes end the daemon as well. */
static void needs_rights_later(void **state)
{
	int code = 0;

	(void)state;
	kernel_unload(&kernel, false);
	start();
	kernel.admin = false;
	kernel_load(&kernel, true);
	run_loop();
	assert_int_equal(sd_event_get_exit_code(daemon_.loop, &code), 0);
	assert_int_equal(code, -EPERM);
}

static void ends_on_sigterm(void **state)
{
	(void)state;
	start();
	raise(SIGTERM);
	assert_int_equal(sd_event_loop(daemon_.loop), 0);
}

/* A socket where sd_notify() finds it; @name gets its place. */
static int notify_socket(char *name, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static int number;

	assert_true(fd >= 0);
	/* A child that is being ended may have the last one for a moment yet. */
	number++;
	/* '@' stands for the zero that begins an abstract name. */
	snprintf(name, size, "@egpud-test-%d-%d", getpid(), number);
	strcpy(address.sun_path + 1, name + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      offsetof(struct sockaddr_un, sun_path) +
				      strlen(name)),
			 0);
	return fd;
}

/* All messages so far, one after the other. */
static void read_all(int fd, char *buf, size_t size)
{
	ssize_t len;
	size_t at = 0;

	while ((len = recv(fd, buf + at, size - at - 1, MSG_DONTWAIT)) > 0)
		at += len;
	buf[at] = '\0';
}

static void tells_systemd(void **state)
{
	char name[64], buf[2048];
	int fd = notify_socket(name, sizeof(name));

	(void)state;
	setenv("NOTIFY_SOCKET", name, 1);
	kernel_add(&kernel, "0000:07:00.0", true);
	start();
	read_all(fd, buf, sizeof(buf));
	assert_non_null(strstr(buf, "READY=1"));
	assert_non_null(strstr(buf,
			       "STATUS=Watching 1 GPUs, 1 of them external"));
	kernel_unload(&kernel, true);
	run_loop();
	read_all(fd, buf, sizeof(buf));
	assert_non_null(strstr(buf, "STATUS=Waiting for the egpu module"));
	daemon_stop(&daemon_);
	desk_set_daemon();
	read_all(fd, buf, sizeof(buf));
	assert_non_null(strstr(buf, "STOPPING=1"));
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

/* What it says of the last removal stands beside how many GPUs there are. */
static void tells_the_verdict(void **state)
{
	char name[64], buf[4096];
	int fd = notify_socket(name, sizeof(name));
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	setenv("NOTIFY_SOCKET", name, 1);
	start();
	rem = desk_begin(dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	read_all(fd, buf, sizeof(buf));
	desk_drained(dev);
	run_loop();
	/* The socket takes few messages, and who sends one more waits. */
	read_all(fd, buf, sizeof(buf));
	kernel_phase(&kernel, rem, EGPU_PHASE_UNBOUND, rem->release);
	kernel_disconnect(&kernel, rem);
	kernel_phase(&kernel, rem, EGPU_PHASE_DONE, rem->release);
	run_loop();
	read_all(fd, buf, sizeof(buf));
	assert_non_null(strstr(buf, "0000:07:00.0: safe-to-unplug."));
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

static void reads_its_configuration(void **state)
{
	(void)state;
	desk_configure("others = quit\nask = 7s\n");
	start();
	assert_int_equal(daemon_.config.others, ACTION_QUIT);
	assert_int_equal(daemon_.config.ask_ms, 7000);
	desk_configure("others = kill\n");
	raise(SIGHUP);
	run_loop();
	assert_int_equal(daemon_.config.others, ACTION_KILL);
	assert_int_equal(daemon_.config.ask_ms, 30000);
	/* Half a file is none. */
	desk_configure("ask = 1s\nothers = burn\n");
	raise(SIGHUP);
	run_loop();
	assert_int_equal(daemon_.config.others, ACTION_KILL);
	assert_int_equal(daemon_.config.ask_ms, 30000);
	desk_configure("");
	raise(SIGHUP);
	run_loop();
	assert_int_equal(daemon_.config.others, ACTION_WAIT);
}

static void bad_configuration_at_start(void **state)
{
	(void)state;
	desk_configure("others = burn\n");
	assert_true(daemon_start(&daemon_) < 0);
}

static void another_daemon_runs(void **state)
{
	struct journal other;

	(void)state;
	assert_int_equal(journal_open(&other, desk_world.run), 0);
	assert_int_equal(daemon_start(&daemon_), -EBUSY);
	journal_close(&other);
}

/* The nodes are known before anything is held. */
static void knows_the_nodes(void **state)
{
	struct card *card;

	(void)state;
	start();
	desk_add(WORLD_GPU, 1);
	run_loop();
	card = card_find(&daemon_, 1);
	assert_non_null(card);
	assert_int_equal(card->nodes.n, 2);
}

static void log_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_of("error"), LOG_ERR);
	assert_int_equal(log_level_of("debug"), LOG_DEBUG);
	assert_int_equal(log_level_of("loud"), -1);
	assert_int_equal(log_level_of(""), -1);
}

/* What a line of the log looks like when it does not go to the journal. */
static void log_lines(void **state)
{
	const struct log_field fields[] = {
		{ "cookie", "3" },
		{ "comm", "a \"b\" \033[31m" },
		{ "driver", "" },
		{ NULL, NULL },
	};
	char buf[512] = "";
	FILE *old = stderr, *f = fmemopen(buf, sizeof(buf), "w");

	(void)state;
	assert_non_null(f);
	log_setup(LOG_INFO);
	stderr = f;
	log_fields(LOG_INFO, fields, "hello %d", 5);
	log_line(LOG_DEBUG, "not to be seen");
	fclose(f);
	stderr = old;
	assert_string_equal(buf, "level=info message=\"hello 5\" cookie=3 "
				 "comm=\"a \\\"b\\\" ?[31m\" driver=\"\"\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(accepts_and_acknowledges),
	T(leaves_internal_gpus_alone),
	T(leaves_released_removals_alone),
	T(pending_at_start),
	T(pending_after_a_loss),
	T(another_helper_was_first),
	T(survives_unload_and_reload),
	T(waits_for_the_module),
	T(counts_gpus),
	T(needs_rights),
	T(needs_rights_later),
	T(ends_on_sigterm),
	T(tells_systemd),
	T(tells_the_verdict),
	T(reads_its_configuration),
	T(bad_configuration_at_start),
	T(another_daemon_runs),
	T(knows_the_nodes),
	cmocka_unit_test(log_levels),
	cmocka_unit_test(log_lines),
};

TEST_MAIN(tests, NULL, NULL)
