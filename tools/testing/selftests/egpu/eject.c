// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake of an eject, every answer of it: who may say what, and when.
 *
 * Needs root, the module, one external GPU without clients and one internal
 * GPU. Almost all ejects are cancelled or, because a client has the GPU open,
 * refused, so that the GPU stays; the last one takes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "family.h"
#include "ktap.h"

#define MS 1000000ULL

/* What the issue allows from a helper's death to the release. */
#define DEATH_NS (50 * MS)

static struct family family;
static struct nl user; /* who ejects; no helper */
static struct nl first; /* two helpers */
static struct nl second;
static struct gpu gpu;
static struct answer answer;

static void join_helpers(void)
{
	if (nl_open(&first) || nl_open(&second) ||
	    nl_join(&first, family.helper) || nl_join(&second, family.helper))
		bail_out("cannot join the group of helpers");
}

static void leave_helpers(void)
{
	nl_close(&first);
	nl_close(&second);
}

/* Another open file of the GPU; it is in use until this is closed. */
static int open_client(void)
{
	char pattern[128], node[64];
	glob_t found;
	int fd = -1;

	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/drm/card*",
		 gpu.address);
	if (!glob(pattern, 0, NULL, &found)) {
		snprintf(node, sizeof(node), "/dev/dri/%s",
			 strrchr(found.gl_pathv[0], '/') + 1);
		fd = open(node, O_RDWR | O_CLOEXEC);
		globfree(&found);
	}
	if (fd < 0)
		bail_out("cannot open the DRM node of %s", gpu.address);
	return fd;
}

static int eject(uint32_t id, uint32_t timeout_ms, bool force, uint64_t *cookie)
{
	static struct msg msg;
	int error;

	msg_begin(&msg, family.id, 0, EGPU_CMD_EJECT);
	msg_put_u32(&msg, EGPU_A_REMOVAL_ID, id);
	if (timeout_ms)
		msg_put_u32(&msg, EGPU_A_REMOVAL_TIMEOUT_MS, timeout_ms);
	if (force)
		msg_put(&msg, EGPU_A_REMOVAL_FORCE, NULL, 0);
	error = nl_ask(&user, &msg, &answer);
	*cookie = error ? 0 :
			  attr_u64(answer.data, answer.len,
				   EGPU_A_REMOVAL_COOKIE);
	return error;
}

static int cancel(uint64_t cookie, const char *reason)
{
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_CANCEL);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, cookie);
	if (reason)
		msg_put_text(&msg, EGPU_A_REMOVAL_REASON, reason);
	return nl_ask(&user, &msg, &answer);
}

/* Refused with this error and with words that say why. */
static void check_refused(const char *what, int error, int expected)
{
	check(error == expected, "%s: error %d (%s), expected %d", what, error,
	      answer.text, expected);
	check(answer.text[0], "%s: no message", what);
	if (error == expected)
		note("%s: %s: %s", what, strerror(-error), answer.text);
}

/* One step of the handshake that has to be refused. */
static void refused_step(const char *what, struct nl *nl, uint8_t cmd,
			 uint64_t cookie, int expected)
{
	check_refused(what, step(nl, &family, cmd, cookie, &answer), expected);
}

static void fine_step(const char *what, struct nl *nl, uint8_t cmd,
		      uint64_t cookie)
{
	int error = step(nl, &family, cmd, cookie, &answer);

	check(!error, "%s: error %d (%s)", what, error, answer.text);
}

/* Waits for a phase, at most 10 s. */
static bool wait_phase(uint64_t cookie, uint32_t phase, struct removal *removal)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (removal_get(&user, &family, cookie, removal))
			break;
		if (removal->phase == phase)
			return true;
		usleep(10000);
	}
	return check(false, "the removal did not become %s, it is %s",
		     phase_names[phase], phase_names[removal->phase]);
}

/* After an eject that came to nothing the GPU is as it was before. */
static void check_back(void)
{
	struct gpu now = {};
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		gpu_get(&user, &family, gpu.id, &now);
		if (now.state == EGPU_DEVICE_STATE_READY)
			break;
		usleep(10000);
	}
	check(now.state == EGPU_DEVICE_STATE_READY,
	      "the GPU is in state %u, not ready again", now.state);
	check(!now.cookie, "the GPU still names the removal %" PRIu64,
	      now.cookie);
}

static uint64_t begin(uint32_t timeout_ms, bool force)
{
	uint64_t cookie;
	int error = eject(gpu.id, timeout_ms, force, &cookie);

	check(!error && cookie, "eject: error %d (%s)", error, answer.text);
	return cookie;
}

static void test_no_such_gpu(void)
{
	struct gpu internal;
	uint64_t cookie;

	test_begin("a GPU that is not there, and one that is internal");
	check_refused("unknown id", eject(0xfffffff0, 0, false, &cookie),
		      -ENODEV);
	if (!check(!gpu_find(&user, &family, false, &internal),
		   "there is no internal GPU"))
		return test_end();
	check_refused("internal GPU", eject(internal.id, 0, true, &cookie),
		      -EOPNOTSUPP);
	test_end();
}

static void test_unknown_cookie(void)
{
	test_begin("cookies that no removal has");
	refused_step("accept", &first, EGPU_CMD_ACCEPT, 1ULL << 40, -ENOENT);
	refused_step("ack", &first, EGPU_CMD_ACK, 1ULL << 40, -ENOENT);
	refused_step("cancel", &user, EGPU_CMD_CANCEL, 1ULL << 40, -ENOENT);
	refused_step("get", &user, EGPU_CMD_REMOVAL_GET, 1ULL << 40, -ENOENT);
	test_end();
}

static void test_handshake(void)
{
	struct removal removal = {};
	struct gpu now = {};
	uint64_t cookie, other;

	test_begin("only one helper has a removal, and in the right order");
	cookie = begin(10000, false);
	gpu_get(&user, &family, gpu.id, &now);
	check(now.state == EGPU_DEVICE_STATE_LEAVING && now.cookie == cookie,
	      "the GPU is in state %u with removal %" PRIu64, now.state,
	      now.cookie);
	check_refused("second eject", eject(gpu.id, 0, false, &other),
		      -EALREADY);
	refused_step("ack before accept", &first, EGPU_CMD_ACK, cookie, -EPROTO);
	fine_step("accept", &first, EGPU_CMD_ACCEPT, cookie);
	refused_step("accept twice", &first, EGPU_CMD_ACCEPT, cookie, -EALREADY);
	refused_step("accept by another", &second, EGPU_CMD_ACCEPT, cookie,
		     -EBUSY);
	refused_step("ack by another", &second, EGPU_CMD_ACK, cookie, -EPERM);
	wait_phase(cookie, EGPU_PHASE_ACCEPTED, &removal);
	check(removal.helper == first.port, "the helper is %u, not %u",
	      removal.helper, first.port);
	check(!cancel(cookie, "changed my mind"), "cancel: %s", answer.text);
	wait_phase(cookie, EGPU_PHASE_CANCELLED, &removal);
	check(removal.release == EGPU_RELEASE_WITHDRAWN, "release is %s",
	      release_names[removal.release]);
	check(!strcmp(removal.reason, "changed my mind"), "reason is \"%s\"",
	      removal.reason);
	check_back();
	test_end();

	test_begin("after the end of an eject it is too late for everything");
	refused_step("accept", &second, EGPU_CMD_ACCEPT, cookie, -ETIME);
	refused_step("ack", &first, EGPU_CMD_ACK, cookie, -ETIME);
	check_refused("cancel", cancel(cookie, "again"), -EALREADY);
	removal_get(&user, &family, cookie, &removal);
	check(!strcmp(removal.reason, "changed my mind"),
	      "a refused cancel has changed the reason to \"%s\"",
	      removal.reason);
	test_end();
}

static int report(struct nl *nl, uint64_t cookie, uint32_t what)
{
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_REPORT);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, cookie);
	msg_put_u32(&msg, EGPU_A_REMOVAL_STEP, what);
	return nl_ask(nl, &msg, &answer);
}

static int refuse(struct nl *nl, uint64_t cookie, const char *reason)
{
	static struct msg msg;

	msg_begin(&msg, family.id, 0, EGPU_CMD_REFUSE);
	msg_put_u64(&msg, EGPU_A_REMOVAL_COOKIE, cookie);
	msg_put_text(&msg, EGPU_A_REMOVAL_REASON, reason);
	return nl_ask(nl, &msg, &answer);
}

static void test_report_and_refuse(void)
{
	struct removal removal = {};
	uint64_t cookie;

	test_begin("who has accepted an eject reports on it, and may refuse it");
	cookie = begin(10000, false);
	check_refused("report before accept",
		      report(&first, cookie, EGPU_STEP_FENCE), -EPROTO);
	check_refused("refuse before accept", refuse(&first, cookie, "no"),
		      -EPROTO);
	fine_step("accept", &first, EGPU_CMD_ACCEPT, cookie);
	check_refused("report by another",
		      report(&second, cookie, EGPU_STEP_FENCE), -EPERM);
	check_refused("refuse by another", refuse(&second, cookie, "no"),
		      -EPERM);
	removal_get(&user, &family, cookie, &removal);
	check(removal.step == EGPU_STEP_NONE, "step %u is not reported yet",
	      removal.step);
	check(!report(&first, cookie, EGPU_STEP_FREEZE), "report: %s",
	      answer.text);
	removal_get(&user, &family, cookie, &removal);
	check(removal.step == EGPU_STEP_FREEZE, "the step is %u", removal.step);
	check(!refuse(&first, cookie, "somebody works with it"), "refuse: %s",
	      answer.text);
	wait_phase(cookie, EGPU_PHASE_REFUSED, &removal);
	check(removal.release == EGPU_RELEASE_WITHDRAWN, "release is %s",
	      release_names[removal.release]);
	check(!strcmp(removal.reason, "somebody works with it"),
	      "reason is \"%s\"", removal.reason);
	check_back();
	test_end();

	test_begin("after a refusal it is too late to report, refuse, accept");
	check_refused("report", report(&first, cookie, EGPU_STEP_DRAIN), -ETIME);
	check_refused("refuse", refuse(&first, cookie, "again"), -EINVAL);
	refused_step("accept", &second, EGPU_CMD_ACCEPT, cookie, -ETIME);
	test_end();
}

static void test_cancel_pending(void)
{
	char longest[EGPU_REASON_LEN + 1];
	struct removal removal = {};
	uint64_t cookie;

	test_begin("cancelled before anybody has accepted, with the longest reason");
	memset(longest, 'x', EGPU_REASON_LEN);
	longest[EGPU_REASON_LEN] = '\0';
	cookie = begin(10000, false);
	check(!cancel(cookie, longest), "cancel: %s", answer.text);
	wait_phase(cookie, EGPU_PHASE_CANCELLED, &removal);
	check(!strcmp(removal.reason, longest), "reason is \"%s\"",
	      removal.reason);
	check_back();
	test_end();
}

/* Released for @release after @low to @high ms, then refused for a client. */
static void check_refused_after(uint64_t cookie, uint32_t release,
				unsigned int low, unsigned int high)
{
	struct removal removal = {};
	uint64_t waited;

	if (!wait_phase(cookie, EGPU_PHASE_REFUSED, &removal))
		return;
	waited = removal.released - removal.created;
	note("released after %" PRIu64 ".%03" PRIu64
	     " ms: %s (allowed: %u to %u ms); %s",
	     waited / 1000000, waited / 1000 % 1000,
	     release_names[removal.release], low, high, removal.reason);
	check(removal.release == release, "release is %s, expected %s",
	      release_names[removal.release], release_names[release]);
	check(waited >= low * MS && waited <= high * MS, "waited too %s",
	      waited < low * MS ? "short" : "long");
	check(strstr(removal.reason, "1 client"), "the reason is \"%s\"",
	      removal.reason);
	check(removal.clients == 1, "%u clients counted", removal.clients);
	check_back();
}

static void test_in_use(void)
{
	uint64_t cookie;

	test_begin("in use, after the helper's ack: refused, and the GPU stays");
	cookie = begin(10000, false);
	fine_step("accept", &first, EGPU_CMD_ACCEPT, cookie);
	usleep(200000);
	fine_step("ack", &first, EGPU_CMD_ACK, cookie);
	check_refused_after(cookie, EGPU_RELEASE_ACKED, 200, 2000);
	refused_step("ack of the end", &first, EGPU_CMD_ACK, cookie, -EALREADY);
	check_refused("cancel of the end", cancel(cookie, NULL), -ESTALE);
	test_end();
}

static void test_deadline(void)
{
	uint64_t cookie;

	test_begin("a helper that never acknowledges: the eject's own deadline");
	cookie = begin(400, false);
	fine_step("accept", &first, EGPU_CMD_ACCEPT, cookie);
	check_refused_after(cookie, EGPU_RELEASE_TIMED_OUT, 400, 450);
	refused_step("late ack", &first, EGPU_CMD_ACK, cookie, -ETIME);
	test_end();

	test_begin("an eject that names no deadline has the one of the settings");
	setting_set(&user, &family, EGPU_A_SETTINGS_EJECT_MS, 300);
	cookie = begin(0, false);
	fine_step("accept", &first, EGPU_CMD_ACCEPT, cookie);
	check_refused_after(cookie, EGPU_RELEASE_TIMED_OUT, 300, 350);
	setting_set(&user, &family, EGPU_A_SETTINGS_EJECT_MS, 30000);
	test_end();

	test_begin("helpers that do not accept: only the time to accept");
	setting_set(&user, &family, EGPU_A_SETTINGS_ACCEPT_MS, 200);
	cookie = begin(10000, false);
	check_refused_after(cookie, EGPU_RELEASE_NOT_ACCEPTED, 200, 250);
	refused_step("late accept", &first, EGPU_CMD_ACCEPT, cookie, -ETIME);
	setting_set(&user, &family, EGPU_A_SETTINGS_ACCEPT_MS, 5000);
	test_end();
}

static void test_helper_closes(void)
{
	struct removal removal = {};
	uint64_t cookie, closed;

	test_begin("a helper that closes its socket is waited for no longer");
	cookie = begin(10000, false);
	fine_step("accept", &first, EGPU_CMD_ACCEPT, cookie);
	usleep(100000);
	closed = now_ns();
	nl_close(&first);
	wait_phase(cookie, EGPU_PHASE_REFUSED, &removal);
	check(removal.release == EGPU_RELEASE_HELPER_DIED, "release is %s",
	      release_names[removal.release]);
	note("released %" PRIu64 " us after the close",
	     (removal.released - closed) / 1000);
	check(removal.released >= closed && removal.released - closed <= DEATH_NS,
	      "not released within 50 ms");
	check_back();
	test_end();
}

static void test_nobody_listens(void)
{
	uint64_t cookie;

	test_begin("in use and nobody listens: refused at once");
	leave_helpers();
	check_refused("eject", eject(gpu.id, 0, false, &cookie), -EBUSY);
	check_back();
	join_helpers();
	test_end();
}

static void test_force(void)
{
	struct removal removal = {};
	uint64_t cookie, other;

	test_begin("in use, but forced: the helper is asked, then the GPU goes");
	cookie = begin(10000, true);
	fine_step("accept", &second, EGPU_CMD_ACCEPT, cookie);
	usleep(100000);
	fine_step("ack", &second, EGPU_CMD_ACK, cookie);
	wait_phase(cookie, EGPU_PHASE_DONE, &removal);
	check(removal.release == EGPU_RELEASE_ACKED, "release is %s",
	      release_names[removal.release]);
	check(removal.cause == EGPU_CAUSE_GRACEFUL, "cause is %u",
	      removal.cause);
	check(removal.evidence & EGPU_EVIDENCE_EJECT, "evidence is %#x",
	      removal.evidence);
	check_refused("cancel of the end", cancel(cookie, NULL), -ESTALE);
	check_refused("eject of what is gone", eject(gpu.id, 0, true, &other),
		      -ENODEV);
	test_end();
}

int main(void)
{
	int client;

	if (family_open(&user, &family))
		bail_out("the module is not loaded");
	if (gpu_find(&user, &family, true, &gpu))
		bail_out("there is no external GPU");
	setting_set(&user, &family, EGPU_A_SETTINGS_ACCEPT_MS, 5000);
	join_helpers();
	test_no_such_gpu();
	test_unknown_cookie();
	test_handshake();
	test_report_and_refuse();
	test_cancel_pending();
	client = open_client();
	test_in_use();
	test_deadline();
	test_helper_closes();
	test_nobody_listens();
	test_force();
	close(client);
	return ktap_finish();
}
