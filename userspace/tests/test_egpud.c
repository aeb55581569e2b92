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

#include "../egpud/egpud.h"
#include "kernel.h"
#include "test.h"

static struct kernel kernel;
static struct daemon daemon_;
static struct job *busy_job;
static int stops;

/* A policy that takes its time. */
static bool busy_wants(const struct egpu_removal *removal)
{
	return removal->external;
}

static enum policy_result busy_begin(struct job *job)
{
	busy_job = job;
	return POLICY_BUSY;
}

static void busy_stop(struct job *job)
{
	assert_ptr_equal(job, busy_job);
	busy_job = NULL;
	stops++;
}

static const struct policy policy_busy = {
	.name = "busy",
	.wants = busy_wants,
	.begin = busy_begin,
	.stop = busy_stop,
};

static int setup(void **state)
{
	(void)state;
	kernel_init(&kernel);
	log_setup(LOG_EMERG);
	busy_job = NULL;
	stops = 0;
	memset(&daemon_, 0, sizeof(daemon_));
	daemon_.open = kernel_open;
	daemon_.policy = &policy_let_go;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&daemon_);
	return (int)kernel_open_links(&kernel);
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

static void accepts_and_acknowledges(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	start();
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	assert_int_equal(kernel.n_calls, 0);
	run_loop();
	assert_true(called(0, EGPU_CMD_ACCEPT, rem->cookie));
	assert_true(called(1, EGPU_CMD_ACK, rem->cookie));
	assert_int_equal(kernel.n_calls, 2);
	assert_int_equal(kernel.calls[0].port, kernel.calls[1].port);
	assert_int_equal(rem->release, EGPU_RELEASE_ACKED);
	assert_null(daemon_.jobs);
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
	kernel_begin(&kernel, dev, EGPU_ORIGIN_EJECT);
	start();
	assert_true(called(0, EGPU_CMD_ACCEPT, 100));
	assert_true(called(1, EGPU_CMD_ACK, 100));
}

static void pending_after_a_loss(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	start();
	kernel_lose(1);
	kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_LEAVING);
	run_loop();
	assert_true(called(0, EGPU_CMD_ACCEPT, 100));
	assert_true(called(1, EGPU_CMD_ACK, 100));
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
	assert_null(daemon_.jobs);
}

static void waits_for_the_policy(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	daemon_.policy = &policy_busy;
	start();
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	assert_int_equal(kernel.n_calls, 1);
	assert_non_null(busy_job);
	assert_int_equal(rem->phase, EGPU_PHASE_ACCEPTED);
	job_done(busy_job);
	busy_job = NULL;
	assert_true(called(1, EGPU_CMD_ACK, rem->cookie));
	run_loop();
	assert_int_equal(stops, 0);
	assert_int_equal(kernel.n_calls, 2);
}

static void drops_the_work_when_overtaken(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);
	struct egpu_removal *rem;

	(void)state;
	daemon_.policy = &policy_busy;
	start();
	rem = kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	rem->cause = EGPU_CAUSE_SURPRISE;
	kernel_phase(&kernel, rem, EGPU_PHASE_RELEASED, EGPU_RELEASE_OVERTAKEN);
	run_loop();
	assert_int_equal(stops, 1);
	assert_null(daemon_.jobs);
	/* And does not acknowledge what nobody waits for. */
	assert_int_equal(kernel.n_calls, 1);
}

/* The removal ended and was forgotten while events were lost. */
static void drops_forgotten_work(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	daemon_.policy = &policy_busy;
	start();
	kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	kernel.n_removals = 0;
	kernel_lose(1);
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_DETACHED);
	kernel_change(&kernel, dev, EGPU_DEVICE_STATE_READY);
	run_loop();
	assert_int_equal(stops, 1);
	assert_null(daemon_.jobs);
}

static void survives_unload_and_reload(void **state)
{
	struct egpu_device *dev = kernel_add(&kernel, "0000:07:00.0", true);

	(void)state;
	daemon_.policy = &policy_busy;
	start();
	kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	assert_non_null(daemon_.jobs);
	kernel_unload(&kernel, true);
	run_loop();
	assert_int_equal(stops, 1);
	assert_false(daemon_.loaded);
	kernel_load(&kernel, true);
	run_loop();
	assert_true(daemon_.loaded);
	assert_true(kernel.settings.helpers);
	dev = kernel_add(&kernel, "0000:07:00.0", true);
	kernel_begin(&kernel, dev, EGPU_ORIGIN_OTHERS);
	run_loop();
	assert_non_null(busy_job);
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

	assert_true(fd >= 0);
	/* '@' stands for the zero that begins an abstract name. */
	snprintf(name, size, "@egpud-test-%d", getpid());
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
	memset(&daemon_, 0, sizeof(daemon_));
	read_all(fd, buf, sizeof(buf));
	assert_non_null(strstr(buf, "STOPPING=1"));
	unsetenv("NOTIFY_SOCKET");
	close(fd);
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
	T(waits_for_the_policy),
	T(drops_the_work_when_overtaken),
	T(drops_forgotten_work),
	T(survives_unload_and_reload),
	T(waits_for_the_module),
	T(counts_gpus),
	T(needs_rights),
	T(needs_rights_later),
	T(ends_on_sigterm),
	T(tells_systemd),
	cmocka_unit_test(log_levels),
	cmocka_unit_test(log_lines),
};

TEST_MAIN(tests, NULL, NULL)
