// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds a leaving GPU now. The device itself and its files in sysfs are not
 * looked at: its removal may be held, and on 6.1 who reads them then waits for
 * us.
 */
#include <string.h>
#include <syslog.h>

#include "../work.h"

/**
 * look() - find who holds the GPU of a removal
 * @removal: its .holders are replaced
 *
 * Return: 0 or a negative errno, of which the log tells; .holders is then as
 * it was.
 */
int look(struct removal *removal)
{
	struct daemon *daemon = removal->daemon;
	struct egpu_client_list *clients = NULL;
	struct egpu_buffer_list *buffers = NULL;
	struct holders_query query = {
		.roots = daemon->roots,
		.nodes = &removal->nodes,
	};
	struct holders holders = { 0 };
	int err;

	/* Without them /proc still tells of everybody but the nameless. */
	if (egpu_client_list(daemon->ctx, removal->id, &clients))
		removal_log(LOG_DEBUG, removal, "clients: %s",
			    egpu_error(daemon->ctx));
	if (egpu_buffer_list(daemon->ctx, removal->id, &buffers))
		removal_log(LOG_DEBUG, removal, "buffers: %s",
			    egpu_error(daemon->ctx));
	query.clients = clients;
	query.buffers = buffers;
	err = holders_find(&query, &holders);
	egpu_client_list_free(clients);
	egpu_buffer_list_free(buffers);
	if (err) {
		holders_free(&holders);
		removal_log(LOG_ERR, removal,
			    "cannot look who uses the GPU: %s", strerror(-err));
		return err;
	}
	holders_free(&removal->holders);
	removal->holders = holders;
	moving_mark(removal);
	return 0;
}

/*
 * Who need not stand still: what is of this project, who knows how to lose a
 * sound card, and who only opened the GPU for somebody else.
 */
bool look_may_stay(const struct holder *holder)
{
	if (holder->role == ROLE_PROGRAM)
		return holder->how == HOLDER_OPENED_FOR;
	return holder->role == ROLE_SELF || holder->role == ROLE_SOUND_SERVER ||
	       holder->how & HOLDER_OPENED_FOR;
}

/* Whether the kernel would refuse to remove the GPU unless we vouch. */
bool look_anybody(const struct removal *removal)
{
	return removal->holders.n || removal->holders.unnamed;
}
