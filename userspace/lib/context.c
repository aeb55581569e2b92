// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Contexts and their error texts.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

int egpu_open_transport(const struct egpu_transport *transport,
			struct egpu_ctx **ctx)
{
	struct egpu_ctx *made;
	int err;

	*ctx = NULL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->transport = transport;
	err = transport->open(transport, &made->link);
	if (err) {
		free(made);
		return err;
	}
	*ctx = made;
	return 0;
}

int egpu_open(struct egpu_ctx **ctx)
{
	return egpu_open_transport(&egpu_netlink_transport, ctx);
}

void egpu_close(struct egpu_ctx *ctx)
{
	if (!ctx)
		return;
	ctx->link->ops->close(ctx->link);
	free(ctx);
}

const char *egpu_error(const struct egpu_ctx *ctx)
{
	return ctx->error;
}

const char *egpu_error_attribute(const struct egpu_ctx *ctx)
{
	return ctx->error_attr;
}

const char *egpu_version(void)
{
	return EGPU_VERSION;
}

/* Notes what is being tried, for the error text: "cannot <what>: ...". */
void egpu_what(struct egpu_ctx *ctx, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ctx->what, sizeof(ctx->what), format, args);
	va_end(args);
}

/* Notes why it failed and returns @err, so that it can end a function. */
int egpu_fail(struct egpu_ctx *ctx, int err, const char *format, ...)
{
	char why[EGPU_ERROR_SIZE - sizeof(ctx->what) - 16];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	snprintf(ctx->error, sizeof(ctx->error), "cannot %s: %s", ctx->what,
		 why);
	ctx->error_attr = NULL;
	return err;
}

/* The same for errors of which the kernel has said no more than the number. */
int egpu_fail_errno(struct egpu_ctx *ctx, int err)
{
	switch (err) {
	case -EPROTONOSUPPORT:
		return egpu_fail(ctx, err,
				 "the egpu module is not loaded, load it with 'modprobe egpu'");
	case -EPERM:
		return egpu_fail(ctx, err,
				 "permission denied, this needs root (CAP_NET_ADMIN)");
	case -ETIMEDOUT:
		return egpu_fail(ctx, err, "the kernel did not answer");
	case -EBADMSG:
		return egpu_fail(ctx, err,
				 "the kernel's answer is malformed, do the module and libegpu %s fit?",
				 EGPU_VERSION);
	default:
		return egpu_fail(ctx, err, "%s", strerror(-err));
	}
}
