// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Putting back what a removal's transaction has done, in the reverse order:
 * the kernel's quiescing, who stands still, the nodes, the journal. Everything
 * is undone that can be, whatever fails.
 */
#include <errno.h>
#include <syslog.h>

#include "../work.h"

/* What has gone has nothing to be resumed. */
static bool is_gone(int err)
{
	return err == -ENODEV || err == -EPROTONOSUPPORT || err == -EALREADY;
}

static void resume(struct removal *removal)
{
	struct egpu_ctx *ctx = removal->daemon->ctx;
	int err;

	if (!removal->owned)
		return;
	removal->owned = false;
	crash_point();
	err = egpu_resume(ctx, removal->id);
	if (err && !is_gone(err))
		removal_log(LOG_WARNING, removal, "cannot resume: %s",
			    egpu_error(ctx));
}

/* Whoever stands still goes on, and new clients may come. */
void undo_freeze(struct removal *removal)
{
	resume(removal);
	if (removal->frozen.n)
		removal_log(LOG_INFO, removal, "what was frozen goes on");
	freeze_release(&removal->daemon->freezer, &removal->frozen);
}

static void refuse(struct removal *removal)
{
	struct egpu_ctx *ctx = removal->daemon->ctx;
	int err;

	crash_point();
	err = egpu_refuse(ctx, removal->cookie, removal->reason);
	if (err)
		removal_log(LOG_WARNING, removal, "cannot refuse (%s): %s",
			    removal->reason, egpu_error(ctx));
	else
		removal_log(LOG_NOTICE, removal, "refused: %s", removal->reason);
}

/**
 * undo_all() - put everything back
 * @removal: removal
 *
 * Nodes of a GPU that is no more are deleted instead. Who refuses does so when
 * all is as it was before.
 */
void undo_all(struct removal *removal)
{
	plain_stop(removal);
	if (removal->state == TXN_UNDONE)
		migrations_off(removal->daemon, removal->cookie);
	undo_freeze(removal);
	if (removal->fenced)
		node_fence_open(removal->daemon->roots, removal->address);
	removal->fenced = false;
	if (removal->refuse)
		refuse(removal);
	removal->refuse = false;
}
