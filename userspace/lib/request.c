// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One request to the kernel and everything that comes back for it.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "private.h"

/*
 * The kernel queues its answer before the request's system call returns, and
 * that of a dump while it is read. So this is only reached if something is
 * badly wrong, and a program that hangs would not be better.
 */
#define ANSWER_TIMEOUT_MS 10000

/* State of one request while its answers come in. */
struct exchange {
	struct egpu_ctx *ctx;
	struct nlmsghdr *request;
	egpu_reply_fn fn;
	void *arg;
	bool interrupted;
	bool finished;
};

struct nl_msg *egpu_msg_new(struct egpu_ctx *ctx, uint16_t type, uint8_t cmd,
			    int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, 0, type, 0, NLM_F_REQUEST | flags,
			 cmd, EGPU_FAMILY_VERSION)) {
		nlmsg_free(msg);
		egpu_fail_errno(ctx, -ENOMEM);
		return NULL;
	}
	return msg;
}

/* The attribute of our own request that begins at @offset, or -1. */
static int attr_at_offset(struct nlmsghdr *request, uint32_t offset)
{
	struct nlattr *attr;
	int rem;

	attr = genlmsg_attrdata(nlmsg_data(request), 0);
	rem = genlmsg_attrlen(nlmsg_data(request), 0);
	for (; nla_ok(attr, rem); attr = nla_next(attr, &rem)) {
		if ((uint32_t)((char *)attr - (char *)request) == offset)
			return nla_type(attr);
	}
	return -1;
}

/* Turns the kernel's extended acknowledgement into the context's error. */
static int fail_with_extack(struct exchange *x, int err, struct nlattr *attrs,
			    int len)
{
	static struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = { .type = NLA_STRING },
		[NLMSGERR_ATTR_OFFS] = { .type = NLA_U32 },
		[NLMSGERR_ATTR_MISS_TYPE] = { .type = NLA_U32 },
	};
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	const struct genlmsghdr *genl = nlmsg_data(x->request);
	const char *name = NULL;

	if (nla_parse(tb, NLMSGERR_ATTR_MAX, attrs, len, policy) < 0)
		return egpu_fail_errno(x->ctx, err);
	if (tb[NLMSGERR_ATTR_OFFS]) {
		uint32_t offset = nla_get_u32(tb[NLMSGERR_ATTR_OFFS]);

		name = egpu_attr_name(genl->cmd,
				      attr_at_offset(x->request, offset));
	} else if (tb[NLMSGERR_ATTR_MISS_TYPE]) {
		name = egpu_attr_name(genl->cmd,
				      nla_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE]));
	}
	if (!tb[NLMSGERR_ATTR_MSG] && !name)
		return egpu_fail_errno(x->ctx, err);
	egpu_fail(x->ctx, err, "%s%s%s%s",
		  tb[NLMSGERR_ATTR_MSG] ? nla_get_string(tb[NLMSGERR_ATTR_MSG]) :
					  strerror(-err),
		  name ? " (attribute " : "", name ? name : "", name ? ")" : "");
	x->ctx->error_attr = name;
	return err;
}

/* NLMSG_ERROR: an error, or with error 0 the end of a request that is no dump. */
static int take_error(struct exchange *x, struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = nlmsg_data(nlh);
	size_t used = sizeof(*error);

	if (nlmsg_datalen(nlh) < (int)sizeof(*error))
		return egpu_fail_errno(x->ctx, -EBADMSG);
	x->finished = true;
	if (!error->error)
		return 0;
	if (error->error > 0 || error->error < -4095)
		return egpu_fail_errno(x->ctx, -EBADMSG);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return egpu_fail_errno(x->ctx, error->error);
	/* Unless capped, the whole request is repeated before the attributes. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
		if (error->msg.nlmsg_len < sizeof(error->msg))
			return egpu_fail_errno(x->ctx, error->error);
		used += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(error->msg);
	}
	if (used > (size_t)nlmsg_datalen(nlh))
		return egpu_fail_errno(x->ctx, error->error);
	return fail_with_extack(x, error->error,
				(struct nlattr *)((char *)nlmsg_data(nlh) + used),
				nlmsg_datalen(nlh) - used);
}

/* NLMSG_DONE: the end of a dump, with its verdict. */
static int take_done(struct exchange *x, struct nlmsghdr *nlh)
{
	int err = 0;

	x->finished = true;
	if (nlmsg_datalen(nlh) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(nlh), sizeof(err));
	if (err > 0 || err < -4095)
		return egpu_fail_errno(x->ctx, -EBADMSG);
	if (!err)
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return egpu_fail_errno(x->ctx, err);
	return fail_with_extack(x, err,
				(struct nlattr *)((char *)nlmsg_data(nlh) +
						  NLMSG_ALIGN(sizeof(err))),
				nlmsg_datalen(nlh) - NLMSG_ALIGN(sizeof(err)));
}

static int take_message(struct exchange *x, struct nlmsghdr *nlh)
{
	int err;

	/* A left-over of a request that was given up. */
	if (nlh->nlmsg_seq != x->request->nlmsg_seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		return take_error(x, nlh);
	case NLMSG_DONE:
		return take_done(x, nlh);
	case NLMSG_NOOP:
		return 0;
	}
	if (nlh->nlmsg_type != x->request->nlmsg_type || !x->fn)
		return 0;
	err = x->fn(nlh, x->arg);
	return err ? egpu_fail_errno(x->ctx, err) : 0;
}

/* Takes in one datagram; after an error the rest of the answer is of no use. */
static int take_datagram(struct exchange *x, void *buf, int len)
{
	struct nlmsghdr *nlh;
	int err;

	for (nlh = buf; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		err = take_message(x, nlh);
		if (err || x->finished)
			return err;
	}
	return 0;
}

/**
 * egpu_transact() - send a request to a family whose id is in it
 * @ctx: context
 * @msg: request, stays the caller's
 * @fn: called for each reply, or NULL
 * @arg: for @fn
 *
 * Return: 0; -EINTR when the state changed during a dump, which is then to be
 * made again; or another errno, with its text in @ctx.
 */
int egpu_transact(struct egpu_ctx *ctx, struct nl_msg *msg, egpu_reply_fn fn,
		  void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct exchange x = {
		.ctx = ctx,
		.request = nlh,
		.fn = fn,
		.arg = arg,
	};
	ssize_t len;
	int err;

	nlh->nlmsg_seq = ++ctx->seq;
	nlh->nlmsg_pid = 0;
	if (!(nlh->nlmsg_flags & NLM_F_DUMP))
		nlh->nlmsg_flags |= NLM_F_ACK;
	err = ctx->link->ops->send(ctx->link, nlh, nlh->nlmsg_len);
	if (err)
		return egpu_fail_errno(ctx, err);
	while (!x.finished) {
		len = ctx->link->ops->recv(ctx->link, ctx->buf,
					   sizeof(ctx->buf), ANSWER_TIMEOUT_MS);
		if (len < 0)
			return egpu_fail_errno(ctx, len == -EAGAIN ? -ETIMEDOUT :
								     (int)len);
		err = take_datagram(&x, ctx->buf, (int)len);
		if (err)
			return err;
	}
	return x.interrupted ? egpu_fail_errno(ctx, -EINTR) : 0;
}

/**
 * egpu_call() - send a request to the family egpu
 * @ctx: context
 * @msg: request, of type 0; stays the caller's
 * @fn: called for each reply, or NULL
 * @arg: for @fn
 *
 * A family that was unregistered and registered again has another id, of which
 * the first sign is that the kernel does not know the old one.
 *
 * Return: as egpu_transact(), and -EPROTONOSUPPORT when there is no family.
 */
int egpu_call(struct egpu_ctx *ctx, struct nl_msg *msg, egpu_reply_fn fn,
	      void *arg)
{
	uint16_t id;
	int err;

	err = egpu_family_ensure(ctx);
	if (err)
		return err;
	id = ctx->family.id;
	nlmsg_hdr(msg)->nlmsg_type = id;
	err = egpu_transact(ctx, msg, fn, arg);
	if (err != -ENOENT)
		return err;

	ctx->family.id = 0;
	err = egpu_family_ensure(ctx);
	if (err)
		return err;
	/* It is the same, so the ENOENT was the request's; its text is there. */
	if (ctx->family.id == id)
		return -ENOENT;
	nlmsg_hdr(msg)->nlmsg_type = ctx->family.id;
	return egpu_transact(ctx, msg, fn, arg);
}
