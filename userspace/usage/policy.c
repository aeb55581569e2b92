// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is to happen to a program that uses a GPU which is to leave.
 */
#include <string.h>

#include "private.h"

/* The kernel keeps no more of the name of a program. */
#define COMM_LEN 15

/**
 * policy_defaults() - the policy where there is no file
 * @config: where to put it; it never costs anybody his work
 */
void policy_defaults(struct policy_config *config)
{
	memset(config, 0, sizeof(*config));
	config->others = ACTION_WAIT;
	config->ask_ms = 30000;
	config->freeze_ms = 2000;
	config->drain_ms = 5000;
	config->interval_ms = 1000;
	config->share = 0.25;
	config->migrations = 4;
	config->limit_ms = 30000;
	config->cpu_fallback = true;
	config->strategy = STRATEGY_LAZY;
	config->heat = 90;
	config->memory_low = 0.05;
	config->imbalance = 2;
	strcpy(config->store, POLICY_STORE_PATH);
	config->store_max = 16ull << 30;
	config->store_free = 1ull << 30;
	config->save_plain = true;
	config->sample_ms = 2000;
	strcpy(config->sensors, POLICY_SENSOR_PATH);
}

/**
 * policy_rule_of() - the rule for a program
 * @config: policy
 * @comm: name of the program, as in struct process
 *
 * The kernel cuts names, and people write them out: a longer name in the file
 * means the cut one.
 *
 * Return: the rule, or NULL when it has none.
 */
const struct policy_rule *policy_rule_of(const struct policy_config *config,
					 const char *comm)
{
	size_t i;

	for (i = 0; i < config->n_rules; i++) {
		const struct policy_rule *rule = &config->rules[i];

		if (!strncmp(rule->program, comm, COMM_LEN))
			return rule;
	}
	return NULL;
}

/* Where there is no rule, some roles tell. */
static enum policy_action action_by_role(const struct policy_config *config,
					 const struct holder *holder)
{
	switch (holder->role) {
	case ROLE_SELF:
		return ACTION_IGNORE;
	case ROLE_INIT:
	case ROLE_SESSION_BROKER:
		/* It closes a file when the one that uses it does. */
		if (holder->how & HOLDER_OPENED_FOR)
			return ACTION_IGNORE;
		break;
	case ROLE_SOUND_SERVER:
		/* It is used to cards that go. */
		if (!(holder->how & ~HOLDER_SOUND))
			return ACTION_IGNORE;
		break;
	default:
		/* It has passed the GPU on and has nothing of it. */
		if (holder->how == HOLDER_OPENED_FOR)
			return ACTION_IGNORE;
	}
	/* Being moved costs it nothing, whatever is to happen to others. */
	return holder->cooperates ? ACTION_MIGRATE : config->others;
}

/* Nobody ends these for the sake of a GPU, whatever the file says. */
static bool is_untouchable(const struct holder *holder)
{
	return holder->role == ROLE_SELF || holder->role == ROLE_INIT;
}

/**
 * policy_action_of() - what is to happen to a holder
 * @config: policy
 * @holder: who
 * @force: the GPU is taken away also from who does not let go: who would only
 *	be waited for is then frozen and loses it, who is to end is still asked
 *	to, and who can be moved still is
 *
 * Its rule decides, else its role, else what the policy has for others.
 *
 * Return: an action. For pid 1 and for egpu's own programs it is never to end.
 */
enum policy_action policy_action_of(const struct policy_config *config,
				    const struct holder *holder, bool force)
{
	const struct policy_rule *rule;
	enum policy_action action;

	rule = policy_rule_of(config, holder->process.comm);
	if (rule && !is_untouchable(holder))
		action = rule->action;
	else
		action = action_by_role(config, holder);
	if (is_untouchable(holder) &&
	    (action == ACTION_QUIT || action == ACTION_KILL))
		action = ACTION_WAIT;
	if (force && (action == ACTION_WAIT ||
		      (action == ACTION_MIGRATE && !holder->cooperates)))
		action = ACTION_IGNORE;
	return action;
}

/**
 * policy_may_freeze() - whether a holder may be frozen
 * @config: policy
 * @holder: who
 *
 * A frozen display server, broker or sound server takes the session with it, so
 * for these the policy must say so. Pid 1 and egpu's own programs never are.
 *
 * Return: whether it may.
 */
bool policy_may_freeze(const struct policy_config *config,
		       const struct holder *holder)
{
	const struct policy_rule *rule;

	if (is_untouchable(holder))
		return false;
	if (holder->role == ROLE_PROGRAM)
		return true;
	rule = policy_rule_of(config, holder->process.comm);
	return rule && rule->may_freeze;
}

/**
 * policy_action_name() - the name of an action
 * @action: action
 *
 * Return: a constant string, as in the file.
 */
const char *policy_action_name(enum policy_action action)
{
	static const char *const name[] = {
		[ACTION_WAIT] = "wait",	    [ACTION_MIGRATE] = "migrate",
		[ACTION_QUIT] = "quit",	    [ACTION_KILL] = "kill",
		[ACTION_IGNORE] = "ignore",
	};

	return (size_t)action < ARRAY_SIZE(name) ? name[action] : "unknown";
}

/**
 * strategy_name() - the name of a strategy
 * @strategy: strategy
 *
 * Return: a constant string, as in the file.
 */
const char *strategy_name(enum strategy strategy)
{
	static const char *const name[] = {
		[STRATEGY_LAZY] = "lazy",
		[STRATEGY_EAGER] = "eager",
		[STRATEGY_PREEMPTIVE] = "preemptive",
		[STRATEGY_BALANCED] = "balanced",
	};

	return (size_t)strategy < ARRAY_SIZE(name) ? name[strategy] : "unknown";
}

/**
 * strategy_parse() - which strategy has a name
 * @name: as in the file
 * @strategy: where to put it; left as it is when there is none
 *
 * Return: whether there is one.
 */
bool strategy_parse(const char *name, enum strategy *strategy)
{
	int i;

	for (i = STRATEGY_LAZY; i <= STRATEGY_BALANCED; i++) {
		if (strcmp(name, strategy_name(i)) != 0)
			continue;
		*strategy = i;
		return true;
	}
	return false;
}

/* What becomes of who is neither waited for nor asked. */
static const char *ignored_outcome(const struct policy_config *config,
				   const struct holder *holder, bool force)
{
	if (holder->role == ROLE_SELF)
		return "lets go by itself";
	if (holder->how & HOLDER_OPENED_FOR)
		return "lets go with the program it has opened it for";
	if (holder->role == ROLE_SOUND_SERVER)
		return "loses the GPU and goes on";
	if (policy_may_freeze(config, holder))
		return "is frozen, loses the GPU and goes on";
	if (force)
		return "loses the GPU without being frozen";
	return "stops the eject: it may not be frozen";
}

/**
 * policy_outcome() - what is to happen to a holder, for people
 * @config: policy
 * @holder: who
 * @force: as in policy_action_of()
 *
 * Return: a constant string that goes on where the name of the program ends.
 */
const char *policy_outcome(const struct policy_config *config,
			   const struct holder *holder, bool force)
{
	switch (policy_action_of(config, holder, force)) {
	case ACTION_WAIT:
		return "is waited for";
	case ACTION_MIGRATE:
		if (!holder->cooperates)
			return "cannot be moved, is waited for";
		return force ? "moves to another device, or loses the GPU" :
			       "moves to another device";
	case ACTION_QUIT:
		return force ? "is asked to end, then loses the GPU" :
			       "is asked to end and waited for";
	case ACTION_KILL:
		return "is asked to end, then killed";
	case ACTION_IGNORE:
		break;
	}
	return ignored_outcome(config, holder, force);
}
