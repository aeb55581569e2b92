// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs are asked to let go of a leaving GPU, each as its policy says, and
 * waited for; who cooperates is moved to another device.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <syslog.h>
#include <unistd.h>

#include "../work.h"

static enum policy_action action_of(const struct removal *removal,
				    const struct holder *holder)
{
	return policy_action_of(&removal->daemon->config, holder,
				removal->force);
}

static struct asked *find(const struct removal *removal,
			  const struct process *process)
{
	struct asked *asked;

	for (asked = removal->asked; asked; asked = asked->next) {
		if (asked->process.pid == process->pid &&
		    asked->process.start == process->start)
			return asked;
	}
	return NULL;
}

/* Also for reason_holders(). */
bool ask_waits_for(const struct holder *holder, const void *arg)
{
	const struct removal *removal = arg;
	const struct asked *asked;

	if (holder->role == ROLE_SELF ||
	    action_of(removal, holder) == ACTION_IGNORE)
		return false;
	/* Whose work cannot be moved loses the GPU when that is forced. */
	asked = removal->force ? find(removal, &holder->process) : NULL;
	return !asked || !asked->failed;
}

/**
 * ask_failed() - the work of a program could not be moved
 * @removal: the removal that it was to be moved for
 * @process: the program
 * @format: why, for the reason of the removal
 */
void ask_failed(struct removal *removal, const struct process *process,
		const char *format, ...)
{
	struct asked *asked = find(removal, process);
	char text[EGPU_REASON_LEN + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!asked)
		return;
	asked->failed = true;
	reason_set(removal->reason, "%s", text);
}

/* Whether somebody cannot let go, so that there is no sense in waiting on. */
bool ask_in_vain(const struct removal *removal)
{
	const struct asked *asked;

	for (asked = removal->asked; asked && !removal->force;
	     asked = asked->next) {
		if (asked->failed)
			return true;
	}
	return false;
}

static int on_exit_of(sd_event_source *source, int fd, uint32_t revents,
		      void *arg)
{
	struct removal *removal = arg;

	(void)fd;
	(void)revents;
	/* Once is enough: a pidfd stays readable. */
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	removal_input(removal, step_tick(removal));
	return 0;
}

static struct asked *add(struct removal *removal, const struct process *process)
{
	struct daemon *daemon = removal->daemon;
	struct asked *asked = calloc(1, sizeof(*asked));
	char who[96];

	if (!asked)
		return NULL;
	asked->process = *process;
	removal_log(LOG_INFO, removal, "waiting for %s to let go",
		    reason_who(process, who, sizeof(who)));
	asked->fd = pidfd_open(process->pid, 0);
	if (asked->fd >= 0 &&
	    !process_is(daemon->roots, process->pid, process->start)) {
		close(asked->fd);
		asked->fd = -1;
	}
	/* Without it the next look sees that the program has ended. */
	if (asked->fd >= 0)
		sd_event_add_io(daemon->loop, &asked->source, asked->fd,
				EPOLLIN, on_exit_of, removal);
	asked->next = removal->asked;
	removal->asked = asked;
	return asked;
}

static void tell(const struct removal *removal, struct asked *asked, int sig)
{
	char who[96];

	reason_who(&asked->process, who, sizeof(who));
	crash_point();
	if (asked->fd < 0 || pidfd_send_signal(asked->fd, sig, NULL, 0))
		removal_log(LOG_WARNING, removal, "cannot ask %s to end", who);
	else
		removal_log(LOG_NOTICE, removal, "%s %s",
			    sig == SIGKILL ? "killed" : "asked to end:", who);
}

/* Nobody but a plain program is ever sent a signal to end. */
static bool may_end(const struct removal *removal, const struct holder *holder)
{
	enum policy_action action = action_of(removal, holder);

	return (action == ACTION_QUIT || action == ACTION_KILL) &&
	       holder->role != ROLE_INIT && holder->role != ROLE_SELF;
}

/**
 * ask_look() - look who still has to let go, and ask who was not yet asked
 * @removal: removal whose .holders were just looked up
 *
 * Return: how many have to let go.
 */
int ask_look(struct removal *removal)
{
	const struct holders *holders = &removal->holders;
	struct asked *asked;
	int waiting = 0;
	size_t i;

	for (i = 0; i < holders->n; i++) {
		const struct holder *holder = &holders->item[i];

		if (!ask_waits_for(holder, removal))
			continue;
		waiting++;
		asked = find(removal, &holder->process);
		if (!asked)
			asked = add(removal, &holder->process);
		if (asked && !asked->moving && holder->cooperates &&
		    action_of(removal, holder) == ACTION_MIGRATE) {
			asked->moving = true;
			moving_begin(removal, &holder->process);
		}
		if (asked && !asked->told && may_end(removal, holder)) {
			asked->told = true;
			tell(removal, asked, SIGTERM);
		}
	}
	moving_go(removal);
	/* Nobody can be asked to close what nobody is known to have. */
	if (holders->unnamed && !removal->force)
		waiting += (int)holders->unnamed;
	return waiting;
}

/**
 * ask_kill() - the time is up: end who may be ended
 * @removal: removal whose .holders were just looked up
 *
 * Return: whether anybody was, who has not been before.
 */
bool ask_kill(struct removal *removal)
{
	const struct holders *holders = &removal->holders;
	struct asked *asked;
	bool any = false;
	size_t i;

	for (i = 0; i < holders->n; i++) {
		const struct holder *holder = &holders->item[i];

		asked = find(removal, &holder->process);
		if (!asked || asked->killed || !may_end(removal, holder) ||
		    action_of(removal, holder) != ACTION_KILL)
			continue;
		asked->killed = true;
		any = true;
		tell(removal, asked, SIGKILL);
	}
	return any;
}

/**
 * ask_stop() - wait for nobody any more
 * @removal: removal
 */
void ask_stop(struct removal *removal)
{
	struct asked *asked;

	while ((asked = removal->asked)) {
		removal->asked = asked->next;
		sd_event_source_disable_unref(asked->source);
		if (asked->fd >= 0)
			close(asked->fd);
		free(asked);
	}
}
