// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finding the family, and hearing that it came or went.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "private.h"

static struct nla_policy ctrl_policy[CTRL_ATTR_MAX + 1] = {
	[CTRL_ATTR_FAMILY_ID] = { .type = NLA_U16 },
	[CTRL_ATTR_FAMILY_NAME] = { .type = NLA_STRING },
	[CTRL_ATTR_MCAST_GROUPS] = { .type = NLA_NESTED },
};

static struct nla_policy group_policy[CTRL_ATTR_MCAST_GRP_MAX + 1] = {
	[CTRL_ATTR_MCAST_GRP_NAME] = { .type = NLA_STRING },
	[CTRL_ATTR_MCAST_GRP_ID] = { .type = NLA_U32 },
};

/* Parses a message of nlctrl; true when it is about our family. */
static bool parse_ctrl(struct nlmsghdr *nlh, struct nlattr **tb)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);

	if (!genlmsg_valid_hdr(nlh, 0) ||
	    nla_parse(tb, CTRL_ATTR_MAX, genlmsg_attrdata(genl, 0),
		      genlmsg_attrlen(genl, 0), ctrl_policy) < 0)
		return false;
	return tb[CTRL_ATTR_FAMILY_NAME] && tb[CTRL_ATTR_FAMILY_ID] &&
	       !strcmp(nla_get_string(tb[CTRL_ATTR_FAMILY_NAME]),
		       EGPU_FAMILY_NAME);
}

static void take_group(struct nlattr *nest, struct egpu_family *family)
{
	struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];
	const char *name;

	if (nla_parse_nested(tb, CTRL_ATTR_MCAST_GRP_MAX, nest, group_policy) <
		    0 ||
	    !tb[CTRL_ATTR_MCAST_GRP_NAME] || !tb[CTRL_ATTR_MCAST_GRP_ID])
		return;
	name = nla_get_string(tb[CTRL_ATTR_MCAST_GRP_NAME]);
	if (!strcmp(name, EGPU_MCGRP_EVENTS))
		family->events = nla_get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	else if (!strcmp(name, EGPU_MCGRP_HELPER))
		family->helper = nla_get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
}

static int take_family(struct nlmsghdr *nlh, void *arg)
{
	struct egpu_family *family = arg;
	struct nlattr *tb[CTRL_ATTR_MAX + 1], *group;
	int rem;

	if (!parse_ctrl(nlh, tb))
		return 0;
	family->id = nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_MCAST_GROUPS]) {
		nla_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS], rem)
			take_group(group, family);
	}
	return 0;
}

/**
 * egpu_family_find() - look for the family
 * @ctx: context
 * @family: where to put what was found, .id 0 when there is none
 *
 * By a dump and not by name: being asked for a name that it does not know, the
 * kernel loads the module that claims it. Then nobody could unload egpu while
 * a daemon waits for it.
 *
 * Return: 0 also when there is none, or a negative errno.
 */
int egpu_family_find(struct egpu_ctx *ctx, struct egpu_family *family)
{
	struct nl_msg *msg;
	int err, tries = 8;

	msg = egpu_msg_new(ctx, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	do {
		memset(family, 0, sizeof(*family));
		err = egpu_transact(ctx, msg, take_family, family);
	} while (err == -EINTR && --tries);
	nlmsg_free(msg);
	return err;
}

/* Makes sure that ctx->family is filled; -EPROTONOSUPPORT if there is none. */
int egpu_family_ensure(struct egpu_ctx *ctx)
{
	int err;

	if (ctx->family.id)
		return 0;
	err = egpu_family_find(ctx, &ctx->family);
	if (err)
		return err;
	return ctx->family.id ? 0 : egpu_fail_errno(ctx, -EPROTONOSUPPORT);
}

/* What a message of nlctrl's group says about our family, if anything. */
void egpu_family_notice(struct nlmsghdr *nlh, struct egpu_family_notice *notice)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	const struct genlmsghdr *genl = nlmsg_data(nlh);

	memset(notice, 0, sizeof(*notice));
	if (!parse_ctrl(nlh, tb))
		return;
	if (genl->cmd != CTRL_CMD_NEWFAMILY && genl->cmd != CTRL_CMD_DELFAMILY)
		return;
	notice->cmd = genl->cmd;
	notice->id = nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
}
