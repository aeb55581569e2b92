// SPDX-License-Identifier: GPL-2.0
#include "stress.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How long an act waits for the moment at which its second half begins. */
#define MOMENT_MS 1000

/* How long the module has to be gone for before an eject is given up. */
#define GIVE_UP_MS 5000

/* What a thread of an act needs. */
struct run {
	pthread_t thread;
	struct act *act;
	const struct plan *plan;
};

static uint32_t id_at(int port)
{
	struct stream *stream = reference();
	char address[32];
	uint32_t id = 0;
	unsigned int i;

	if (!gpu_address(port, address, sizeof(address)))
		return 0;
	pthread_mutex_lock(&lock);
	for (i = 0; i < stream->gpus; i++)
		if (!strcmp(stream->gpu[i].address, address))
			id = stream->gpu[i].id;
	pthread_mutex_unlock(&lock);
	return id;
}

static bool has_come(enum moment moment, uint32_t id, uint64_t since)
{
	struct stream *stream = reference();
	struct stream_removal *removal;
	uint64_t cookie;

	for (cookie = since + 1; cookie <= stream->last_cookie; cookie++) {
		removal = stream_removal(stream, cookie);
		if (!removal || removal->now.id != id)
			continue;
		if (moment == WHEN_PENDING ||
		    removal->now.phase != EGPU_PHASE_PENDING)
			return true;
	}
	return false;
}

/* Until the removal that the first half began is as far as it should be. That it
 * never is does no harm: then the second half comes late.
 */
static void wait_moment(const struct act *act, uint32_t id, uint64_t since)
{
	uint64_t end = now_ns() + MOMENT_MS * slow * 1000000ULL;

	if (act->moment == AFTER_DELAY) {
		sleep_ms(act->delay_ms);
		return;
	}
	pthread_mutex_lock(&lock);
	while (!has_come(act->moment, id, since) && now_ns() < end)
		listeners_wait(50);
	pthread_mutex_unlock(&lock);
}

static uint64_t last_cookie(void)
{
	uint64_t cookie;

	pthread_mutex_lock(&lock);
	cookie = reference()->last_cookie;
	pthread_mutex_unlock(&lock);
	return cookie;
}

static bool has_ended(uint64_t cookie)
{
	struct stream_removal *removal;
	bool ended;

	pthread_mutex_lock(&lock);
	removal = stream_removal(reference(), cookie);
	ended = removal && removal->ended && !removal->disconnected;
	pthread_mutex_unlock(&lock);
	return ended;
}

/* Until an eject has taken the GPU off the bus or has come to another end. */
static bool ejected(const struct act *act, const struct plan *plan)
{
	uint64_t end = now_ns() + 40000 * slow * 1000000ULL;

	if (plan->disturbed)
		end = now_ns() + GIVE_UP_MS * slow * 1000000ULL;
	while (gpu_on_bus(act->port)) {
		if (act->error || has_ended(act->cookie) || now_ns() > end)
			return false;
		sleep_ms(5);
	}
	return true;
}

static void begin_eject(struct act *act)
{
	act->error = ask_eject(id_at(act->port), act->timeout_ms, act->force,
			       &act->cookie);
}

static void cancel(struct act *act)
{
	act->cancelled = !ask_step(EGPU_CMD_CANCEL, act->cookie);
	if (!act->cancelled)
		return;
	pthread_mutex_lock(&lock);
	dealing_of(act->cookie)->withdrawn = true;
	pthread_mutex_unlock(&lock);
}

static void *remove_aside(void *data)
{
	gpu_remove(*(int *)data);
	return NULL;
}

/* The removal begins in a thread of its own, as it can be held up. */
static void remove_and(struct act *act, void (*then)(struct act *act))
{
	uint32_t id = id_at(act->port);
	uint64_t since = last_cookie();
	pthread_t thread;

	pthread_create(&thread, NULL, remove_aside, &act->port);
	wait_moment(act, id, since);
	then(act);
	pthread_join(thread, NULL);
}

static void then_pull(struct act *act)
{
	card_pull(act->port, act);
}

static void run_eject(struct act *act, const struct plan *plan)
{
	uint32_t id = id_at(act->port);
	uint64_t since = last_cookie();

	begin_eject(act);
	switch (act->kind) {
	case EJECT_TWICE:
		act->error_again =
			ask_eject(id, act->timeout_ms, act->force, &since);
		break;
	case EJECT_PULL:
		wait_moment(act, id, since);
		card_pull(act->port, act);
		return;
	case EJECT_REMOVE:
		wait_moment(act, id, since);
		gpu_remove(act->port);
		return;
	case EJECT_UNBIND:
		wait_moment(act, id, since);
		gpu_unbind(act->port);
		gpu_remove(act->port);
		return;
	case EJECT_CANCEL:
		wait_moment(act, id, since);
		cancel(act);
		if (ejected(act, plan))
			bus_rescan(act->port);
		return;
	default:
		break;
	}
	if (act->stays || ejected(act, plan))
		return;
	act->fell_back = true;
	gpu_remove(act->port);
}

static void run_removal(struct act *act)
{
	switch (act->kind) {
	case PULL:
	case UNPLUG:
		sleep_ms(act->delay_ms);
		card_pull(act->port, act);
		break;
	case SYSFS_REMOVE:
		gpu_remove(act->port);
		break;
	case BRIDGE_REMOVE:
		bridge_remove(act->port);
		break;
	case SLOT_OFF:
		slot_off(act->port);
		break;
	case BUTTON:
		card_button(act->port);
		break;
	case REMOVE_PULL:
		remove_and(act, then_pull);
		break;
	case EJECT_LEAVING:
		remove_and(act, begin_eject);
		break;
	default: /* UNBIND and what begins with it */
		gpu_unbind(act->port);
		if (act->kind == UNBIND)
			break;
		sleep_ms(act->delay_ms);
		if (act->kind == REBIND)
			gpu_bind(act->port);
		else if (act->kind == UNBIND_REMOVE)
			gpu_remove(act->port);
		else
			card_pull(act->port, act);
	}
}

/*
 * A write to a remove file waits for the rescan lock without a reference to the
 * device (remove_store() in the kernel's pci-sysfs.c): whoever removes it meanwhile
 * frees what the writer then goes on with. That is the kernel's own, so the device is
 * kept by its open node in what lets the two meet.
 */
static bool meets_remove(enum act_kind kind)
{
	return kind == REMOVE_PULL || kind == EJECT_REMOVE ||
	       kind == EJECT_UNBIND || kind == EJECT_LEAVING ||
	       kind == QUIESCE_REMOVE;
}

static void run_port(struct act *act, const struct plan *plan)
{
	int node = -1;

	switch (act->kind) {
	case ADD:
		card_add(act->port);
		return;
	case BIND:
		gpu_bind(act->port);
		return;
	case RESCAN:
		bus_rescan(act->port);
		return;
	case OPEN_CLIENT:
		client_open(act->port, act->which);
		return;
	case CLOSE_CLIENT:
		client_close(act->port, act->which);
		return;
	case WORK_EJECT:
	case WORK_PULL:
	case WORK_REMOVE:
	case WORK_KILL:
		run_work(act, id_at(act->port));
		return;
	default:
		break;
	}
	if (meets_remove(act->kind))
		node = gpu_node_open(act->port);
	if (act->kind >= QUIESCE)
		run_quiesce(act, id_at(act->port));
	else if (act->kind >= EJECT && act->kind != EJECT_LEAVING)
		run_eject(act, plan);
	else
		run_removal(act);
	if (node >= 0)
		close(node);
	if (act->leaves || act->kind == UNBIND || act->kind == REBIND)
		clients_orphan(act->port);
}

static void run_rescan_all(const struct act *act)
{
	int i;

	bus_rescan(-1);
	for (i = 0; i < PORTS; i++)
		if (act->which & BIT(i))
			wait_until(gpu_has_driver, i, true,
				   "found by a rescan of everything");
}

static void run_dumps(void)
{
	static struct snapshot snapshot;
	int i;

	for (i = 0; i < 10; i++) {
		ask_snapshot(&snapshot);
		ask_clients();
	}
}

static void run_module(const struct act *act)
{
	if (act->kind != LOAD) {
		module_unload();
		listen_part();
	}
	if (act->kind != UNLOAD) {
		module_load(act);
		listen_join();
	}
}

static void run_daemon(enum act_kind kind)
{
	switch (kind) {
	case EGPUD_START:
		daemon_start();
		break;
	case EGPUD_TERM:
		daemon_end(SIGTERM);
		break;
	case EGPUD_KILL:
		daemon_end(SIGKILL);
		daemon_start();
		break;
	case EGPUD_STOP:
		daemon_signal(SIGSTOP);
		break;
	default:
		daemon_signal(SIGCONT);
	}
}

static void run_settings(const struct act *act)
{
	if (ask_setting(EGPU_A_SETTINGS_HOLD_MS, act->setting[0]) ||
	    ask_setting(EGPU_A_SETTINGS_ACCEPT_MS, act->setting[1]) ||
	    ask_setting(EGPU_A_SETTINGS_EJECT_MS, act->setting[2]))
		fail("settings can be changed", "they cannot");
}

static void run_world(struct act *act)
{
	sleep_ms(act->delay_ms);
	switch (act->kind) {
	case HELPER_COME:
		helper_come(act->which, &act->manners);
		break;
	case HELPER_GO:
		helper_go(act->which);
		break;
	case HELPER_STOP:
	case HELPER_CONT:
		helper_stop(act->which, act->kind == HELPER_STOP);
		break;
	case STALL:
	case RESUME:
		listener_stall(act->kind == STALL);
		break;
	case VISIT:
	case LEAVE:
		listener_visit(act->kind == VISIT);
		break;
	case DUMPS:
		run_dumps();
		break;
	case RESCAN_ALL:
		run_rescan_all(act);
		break;
	case LOAD:
	case UNLOAD:
	case RELOAD:
		run_module(act);
		break;
	default:
		run_daemon(act->kind);
	}
}

static void *run(void *data)
{
	struct run *run = data;

	if (run->act->port >= 0)
		run_port(run->act, run->plan);
	else
		run_world(run->act);
	return NULL;
}

/* What the others depend on comes first. */
static bool run_before(struct act *act)
{
	if (act->kind == SETTINGS)
		run_settings(act);
	else if (act->kind == RULE)
		ask_rule(port_address(act->which), act->rule[act->which]);
	else
		return false;
	return true;
}

/**
 * acts_run - do all acts of a step side by side
 * @plan: the step; what came of each act is put into it
 */
void acts_run(struct plan *plan)
{
	struct run runs[ACTS];
	int i, n = 0;

	for (i = 0; i < plan->acts; i++) {
		if (run_before(&plan->act[i]))
			continue;
		runs[n] = (struct run){ .act = &plan->act[i], .plan = plan };
		if (pthread_create(&runs[n].thread, NULL, run, &runs[n]))
			trouble("cannot start a thread");
		n++;
	}
	for (i = 0; i < n; i++)
		pthread_join(runs[i].thread, NULL);
}
