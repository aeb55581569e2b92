// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Joins what the kernel lists, DRM files, with the processes that have them.
 *
 * From 6.12 on both sides name the file by its DRM client id, if the driver
 * tells of its clients in fdinfo; not all do. Else only the process that has
 * opened it is known to the kernel. That one may have passed the file on and need
 * not be the one that uses it: a session broker does so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

/* By client id, those without one behind; and by process. */
static int compare_by_client(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int compare_by_pid(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* The first use that is not before @key in the order of @compare. */
static size_t first_use(const struct scan *scan, const struct use *key,
			int (*compare)(const void *, const void *))
{
	size_t low = 0, high = scan->n_uses;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&scan->use[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool opens_for_others(const struct holder *holder)
{
	return holder && (holder->role == ROLE_SESSION_BROKER ||
			  holder->role == ROLE_INIT);
}

static void credit(struct holder *holder, const struct egpu_client *client)
{
	if (!holder)
		return;
	holder->buffers += client->buffers;
	holder->bytes += client->bytes;
	if (!client->master)
		return;
	holder->master = true;
	if (holder->role == ROLE_PROGRAM)
		holder->role = ROLE_DISPLAY_SERVER;
}

/* Puts a holder in its place; few are added here, so one by one. */
static int insert_holder(struct holders *holders, struct holder *holder)
{
	struct holder *at;
	int err;

	err = holders_add(holders, holder);
	if (err)
		return err;
	for (at = &holders->item[holders->n - 1];
	     at > holders->item && at[-1].process.pid > holder->process.pid;
	     at--)
		at[0] = at[-1];
	*at = *holder;
	return 0;
}

/* The holder with this pid, added if need be. No holder: it has ended. */
static int get_holder(struct scan *scan, pid_t pid, struct holder **found)
{
	struct holder holder = { 0 };
	int dir, err;

	*found = holders_with(scan->holders, pid);
	if (*found)
		return 0;
	dir = process_open(scan->proc, pid);
	if (dir < 0)
		return 0;
	err = process_read_stat(dir, &holder.process, NULL);
	if (!err)
		err = process_read_rest(dir, &holder.process);
	close(dir);
	if (err)
		return 0;
	holder.role = holder_role_of(&holder.process);
	err = insert_holder(scan->holders, &holder);
	*found = holders_with(scan->holders, pid);
	return err;
}

/* A process that has passed on the file that it has opened. */
static int add_opener(struct scan *scan, pid_t pid)
{
	struct holder *holder = NULL;
	int err;

	err = pid ? get_holder(scan, pid, &holder) : 0;
	if (!err && holder)
		holder->how |= HOLDER_OPENED_FOR;
	return err;
}

static bool is_unseen(const struct scan *scan, pid_t pid)
{
	return pid && scan->n_unseen &&
	       bsearch(&pid, scan->unseen, scan->n_unseen, sizeof(pid),
		       scan_compare_pids);
}

/*
 * A file that no process has as far as could be seen. The one that the kernel
 * names is taken to have it if it could not be looked into; otherwise the file
 * is on its way between processes, or with one that is hidden.
 */
static int add_unnamed(struct scan *scan, pid_t pid,
		       const struct egpu_client *client)
{
	struct holder *holder = NULL;
	int err = 0;

	if (is_unseen(scan, pid))
		err = get_holder(scan, pid, &holder);
	if (err)
		return err;
	if (!holder) {
		scan->holders->unnamed++;
		return 0;
	}
	holder->how |= HOLDER_NODE;
	holder->files++;
	credit(holder, client);
	return 0;
}

/* The kernel names the file: all that have it are known. */
static int join_by_client(struct scan *scan, const struct egpu_client *client,
			  pid_t opener)
{
	struct use key = { .client = client->client_id, .known = true };
	size_t i = first_use(scan, &key, compare_by_client);
	bool found = false, opener_has_it = false;

	for (; i < scan->n_uses && scan->use[i].known &&
	       scan->use[i].client == key.client;
	     i++) {
		credit(holders_with(scan->holders, scan->use[i].pid), client);
		found = true;
		opener_has_it |= scan->use[i].pid == opener;
	}
	if (!found)
		return add_unnamed(scan, opener, client);
	return opener_has_it ? 0 : add_opener(scan, opener);
}

/* Index of the node that a client has open; the number of nodes if unknown. */
static uint32_t node_of(const struct scan *scan,
			const struct egpu_client *client)
{
	const struct nodes *nodes = scan->query->nodes;
	size_t skip = strlen(scan->query->roots->dev);
	char path[32];
	uint32_t i;

	if (!egpu_minor_path(&client->minor, path, sizeof(path)))
		return nodes->n;
	for (i = 0; i < nodes->n; i++) {
		if (strlen(nodes->item[i].path) > skip &&
		    !strcmp(nodes->item[i].path + skip, path + strlen("/dev")))
			break;
	}
	return i;
}

static struct use *use_of(const struct scan *scan, pid_t pid, uint32_t node)
{
	struct use key = { .pid = pid, .node = node };
	size_t i = first_use(scan, &key, compare_by_pid);

	if (i == scan->n_uses || compare_by_pid(&scan->use[i], &key))
		return NULL;
	return &scan->use[i];
}

/*
 * Who has a file of this node that no client of its own accounts for. A display
 * server is the likeliest to have the file of a master.
 */
static struct use *use_unclaimed(const struct scan *scan, uint32_t node,
				 bool master)
{
	struct use *found = NULL;
	size_t i;

	for (i = 0; i < scan->n_uses; i++) {
		struct use *use = &scan->use[i];
		struct holder *holder = holders_with(scan->holders, use->pid);

		if (use->node != node || use->claimed >= use->files ||
		    !holder || opens_for_others(holder))
			continue;
		if (!master || holder->role == ROLE_DISPLAY_SERVER)
			return use;
		if (!found)
			found = use;
	}
	return found;
}

/* The file belongs to who has opened it, unless that is a broker. */
static bool claim_own(struct scan *scan, const struct egpu_client *client,
		      pid_t opener)
{
	struct holder *holder = holders_with(scan->holders, opener);
	struct use *use = use_of(scan, opener, node_of(scan, client));

	if (!use || !holder || opens_for_others(holder))
		return false;
	use->claimed++;
	credit(holder, client);
	return true;
}

/* The file belongs to somebody else, or the broker has it for itself. */
static int claim_others(struct scan *scan, const struct egpu_client *client,
			pid_t opener)
{
	uint32_t node = node_of(scan, client);
	bool opener_has_it = use_of(scan, opener, node);
	struct holder *holder = NULL;
	struct use *use;

	/* Who could not be looked into is taken at the kernel's word. */
	if (is_unseen(scan, opener) && get_holder(scan, opener, &holder))
		return -ENOMEM;
	if (holder && !opens_for_others(holder))
		return add_unnamed(scan, opener, client);
	use = use_unclaimed(scan, node, client->master);
	if (use) {
		use->claimed++;
		credit(holders_with(scan->holders, use->pid), client);
		return opener_has_it ? 0 : add_opener(scan, opener);
	}
	if (!opener_has_it)
		return add_unnamed(scan, opener, client);
	credit(holders_with(scan->holders, opener), client);
	return 0;
}

/* One use per process and node, in that order. */
static void merge_uses(struct scan *scan)
{
	size_t i, n = 0;

	if (scan->n_uses)
		qsort(scan->use, scan->n_uses, sizeof(*scan->use),
		      compare_by_pid);
	for (i = 0; i < scan->n_uses; i++) {
		if (n && !compare_by_pid(&scan->use[n - 1], &scan->use[i])) {
			scan->use[n - 1].files += scan->use[i].files;
			continue;
		}
		scan->use[n] = scan->use[i];
		/* Such an id would be the driver's own, of another count. */
		scan->use[n++].known = false;
	}
	scan->n_uses = n;
}

/* Many clients of one process come one after the other. */
static pid_t opener_of(const struct scan *scan, const struct egpu_client *client,
		       pid_t *last_tid, pid_t *last)
{
	if (!EGPU_HAS(client, EGPU_A_CLIENT_PID))
		return 0;
	if (*last_tid != (pid_t)client->pid) {
		*last_tid = client->pid;
		*last = process_leader(scan->proc, client->pid);
	}
	return *last;
}

static int join_by_pid(struct scan *scan, const struct egpu_client_list *list)
{
	pid_t last_tid = 0, last = 0, opener;
	bool *done;
	size_t i;
	int err = 0;

	done = calloc(list->count, sizeof(*done));
	if (!done)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		opener = opener_of(scan, list->item[i], &last_tid, &last);
		done[i] = claim_own(scan, list->item[i], opener);
	}
	for (i = 0; i < list->count && !err; i++) {
		opener = opener_of(scan, list->item[i], &last_tid, &last);
		if (!done[i])
			err = claim_others(scan, list->item[i], opener);
	}
	free(done);
	return err;
}

/* Does a process that is no broker have the file, or else the node, as well? */
static bool used_by_others(const struct scan *scan, const struct use *broker)
{
	size_t i;

	for (i = 0; i < scan->n_uses; i++) {
		const struct use *use = &scan->use[i];

		if (broker->known ? !use->known || use->client != broker->client :
				    use->node != broker->node)
			continue;
		if (!opens_for_others(holders_with(scan->holders, use->pid)))
			return true;
	}
	return false;
}

/* A broker keeps the files that it has opened for others, and init for it. */
static void mark_brokers(struct scan *scan)
{
	struct holder *holder;
	size_t i;

	for (i = 0; i < scan->n_uses; i++) {
		holder = holders_with(scan->holders, scan->use[i].pid);
		if (opens_for_others(holder) &&
		    used_by_others(scan, &scan->use[i]))
			holder->how |= HOLDER_OPENED_FOR;
	}
}

/* Do both sides name files? All of a GPU's are of one driver. */
static bool files_are_named(const struct scan *scan,
			    const struct egpu_client_list *list)
{
	size_t i;

	if (!EGPU_HAS(list->item[0], EGPU_A_CLIENT_CLIENT_ID))
		return false;
	for (i = 0; i < scan->n_uses; i++) {
		if (scan->use[i].known)
			return true;
	}
	return !scan->n_uses;
}

/**
 * join_clients() - join the kernel's list with what a pass has found
 * @scan: the pass; its holders and its list of the unseen are sorted by pid
 *
 * Return: 0 or -ENOMEM.
 */
int join_clients(struct scan *scan)
{
	const struct egpu_client_list *list = scan->query->clients;
	pid_t last_tid = 0, last = 0, opener;
	int err = 0;
	size_t i;

	if (list && list->count && !files_are_named(scan, list)) {
		merge_uses(scan);
		err = join_by_pid(scan, list);
	} else {
		if (scan->n_uses)
			qsort(scan->use, scan->n_uses, sizeof(*scan->use),
			      compare_by_client);
		for (i = 0; list && i < list->count && !err; i++) {
			opener = opener_of(scan, list->item[i], &last_tid,
					   &last);
			err = join_by_client(scan, list->item[i], opener);
		}
	}
	if (!err)
		mark_brokers(scan);
	return err;
}
