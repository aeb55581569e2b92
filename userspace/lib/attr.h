/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading attributes, inline.
 *
 * libnl does the same through a hundred calls into a shared library for each
 * client of a GPU, which was two thirds of the time that it took to learn who
 * uses it. The rules stay libnl's struct nla_policy, and so does what they
 * mean; requests are built with libnl as ever.
 */
#ifndef EGPU_LIB_ATTR_H
#define EGPU_LIB_ATTR_H

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline const void *attr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static inline int attr_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

static inline int attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

/* Is there a whole attribute at @attr, of which @len bytes are left? */
static inline bool attr_ok(const struct nlattr *attr, int len)
{
	return len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN &&
	       attr->nla_len <= len;
}

static inline struct nlattr *attr_next(struct nlattr *attr, int *len)
{
	int step = NLA_ALIGN(attr->nla_len);

	*len -= step;
	return (struct nlattr *)((char *)attr + step);
}

/* Numbers may stand at any address. */
static inline uint8_t attr_u8(const struct nlattr *attr)
{
	return *(const uint8_t *)attr_data(attr);
}

static inline uint16_t attr_u16(const struct nlattr *attr)
{
	uint16_t value;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static inline uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static inline uint64_t attr_u64(const struct nlattr *attr)
{
	uint64_t value;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static inline bool attr_fits(const struct nlattr *attr,
			     const struct nla_policy *rule)
{
	int len = attr_len(attr);

	if (len < rule->minlen || (rule->maxlen && len > rule->maxlen))
		return false;
	if (rule->type != NLA_STRING)
		return true;
	return len && !((const char *)attr_data(attr))[len - 1];
}

/**
 * attr_parse() - find attributes by their type
 * @tb: filled, by type; the last of several equal ones, NULL for none
 * @max: largest type that is looked for; others are skipped
 * @attr: the first attribute
 * @len: bytes of all of them; what does not make a whole one at the end is
 *	passed over
 * @rules: by type, @max + 1 of them
 *
 * Return: 0, or -EBADMSG when an attribute breaks its rule.
 */
static inline int attr_parse(struct nlattr **tb, int max, struct nlattr *attr,
			     int len, const struct nla_policy *rules)
{
	int type;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	for (; attr_ok(attr, len); attr = attr_next(attr, &len)) {
		type = attr_type(attr);
		if (!type || type > max)
			continue;
		if (!attr_fits(attr, &rules[type]))
			return -EBADMSG;
		tb[type] = attr;
	}
	return 0;
}

/**
 * attr_of_message() - the attributes of a generic netlink message
 * @nlh: message, its length checked against that of its datagram
 * @len: set to their bytes
 *
 * Return: the first, or NULL when the message is too short for its header.
 */
static inline struct nlattr *attr_of_message(struct nlmsghdr *nlh, int *len)
{
	if (nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return NULL;
	*len = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	return (struct nlattr *)((char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN);
}

#endif
