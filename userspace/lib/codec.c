// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From messages to objects. Nothing in a message is believed: lengths are
 * checked by policy, strings must end within their attribute and are cut to
 * fit, attributes that are not known here are skipped, and values that are not
 * known are passed on.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "private.h"

#define U8                                                                     \
	{                                                                      \
		.type = NLA_U8, .minlen = 1, .maxlen = 1                       \
	}
#define U16                                                                    \
	{                                                                      \
		.type = NLA_U16, .minlen = 2, .maxlen = 2                      \
	}
#define U32                                                                    \
	{                                                                      \
		.type = NLA_U32, .minlen = 4, .maxlen = 4                      \
	}
#define U64                                                                    \
	{                                                                      \
		.type = NLA_U64, .minlen = 8, .maxlen = 8                      \
	}
#define STRING                                                                 \
	{                                                                      \
		.type = NLA_STRING                                             \
	}
#define FLAG                                                                   \
	{                                                                      \
		.type = NLA_FLAG                                               \
	}
#define NESTED                                                                 \
	{                                                                      \
		.type = NLA_NESTED                                             \
	}

static const struct nla_policy minor_policy[EGPU_A_MINOR_MAX + 1] = {
	[EGPU_A_MINOR_TYPE] = U32,
	[EGPU_A_MINOR_INDEX] = U32,
};

static const struct nla_policy device_policy[EGPU_A_DEVICE_MAX + 1] = {
	[EGPU_A_DEVICE_ID] = U32,
	[EGPU_A_DEVICE_ADDRESS] = STRING,
	[EGPU_A_DEVICE_STATE] = U32,
	[EGPU_A_DEVICE_EXTERNAL] = U8,
	[EGPU_A_DEVICE_MARKER] = U32,
	[EGPU_A_DEVICE_VENDOR] = U16,
	[EGPU_A_DEVICE_DEVICE] = U16,
	[EGPU_A_DEVICE_SUBSYSTEM_VENDOR] = U16,
	[EGPU_A_DEVICE_SUBSYSTEM_DEVICE] = U16,
	[EGPU_A_DEVICE_CLASS] = U32,
	[EGPU_A_DEVICE_DRIVER] = STRING,
	[EGPU_A_DEVICE_PORT] = STRING,
	[EGPU_A_DEVICE_LINK_SPEED] = U32,
	[EGPU_A_DEVICE_LINK_WIDTH] = U32,
	[EGPU_A_DEVICE_MINOR] = NESTED,
	[EGPU_A_DEVICE_CLIENTS] = U32,
	[EGPU_A_DEVICE_COOKIE] = U64,
	[EGPU_A_DEVICE_SINCE] = U64,
	[EGPU_A_DEVICE_AT_LOAD] = FLAG,
	[EGPU_A_DEVICE_SEQ] = U64,
	[EGPU_A_DEVICE_TIME] = U64,
};

static const struct nla_policy removal_policy[EGPU_A_REMOVAL_MAX + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = U64,	   [EGPU_A_REMOVAL_ID] = U32,
	[EGPU_A_REMOVAL_ADDRESS] = STRING, [EGPU_A_REMOVAL_ORIGIN] = U32,
	[EGPU_A_REMOVAL_PHASE] = U32,	   [EGPU_A_REMOVAL_RELEASE] = U32,
	[EGPU_A_REMOVAL_CAUSE] = U32,	   [EGPU_A_REMOVAL_EVIDENCE] = U32,
	[EGPU_A_REMOVAL_CLIENTS] = U32,	   [EGPU_A_REMOVAL_FORCE] = FLAG,
	[EGPU_A_REMOVAL_TIMEOUT_MS] = U32, [EGPU_A_REMOVAL_CREATED] = U64,
	[EGPU_A_REMOVAL_ACCEPTED] = U64,   [EGPU_A_REMOVAL_RELEASED] = U64,
	[EGPU_A_REMOVAL_UNBOUND] = U64,	   [EGPU_A_REMOVAL_FINISHED] = U64,
	[EGPU_A_REMOVAL_HELPER] = U32,	   [EGPU_A_REMOVAL_REASON] = STRING,
	[EGPU_A_REMOVAL_EXTERNAL] = U8,	   [EGPU_A_REMOVAL_VENDOR] = U16,
	[EGPU_A_REMOVAL_DEVICE] = U16,	   [EGPU_A_REMOVAL_DRIVER] = STRING,
	[EGPU_A_REMOVAL_PORT] = STRING,	   [EGPU_A_REMOVAL_MINOR] = NESTED,
	[EGPU_A_REMOVAL_SEQ] = U64,	   [EGPU_A_REMOVAL_TIME] = U64,
	[EGPU_A_REMOVAL_STEP] = U32,	   [EGPU_A_REMOVAL_VOUCHED] = FLAG,
};

static const struct nla_policy client_policy[EGPU_A_CLIENT_MAX + 1] = {
	[EGPU_A_CLIENT_ID] = U32,	[EGPU_A_CLIENT_CLIENT_ID] = U64,
	[EGPU_A_CLIENT_PID] = U32,	[EGPU_A_CLIENT_COMM] = STRING,
	[EGPU_A_CLIENT_MINOR] = NESTED, [EGPU_A_CLIENT_MASTER] = FLAG,
	[EGPU_A_CLIENT_BUFFERS] = U32,	[EGPU_A_CLIENT_BYTES] = U64,
	[EGPU_A_CLIENT_COOKIE] = U64,
};

static const struct nla_policy buffer_policy[EGPU_A_BUFFER_MAX + 1] = {
	[EGPU_A_BUFFER_ID] = U32,	   [EGPU_A_BUFFER_CLIENT_ID] = U64,
	[EGPU_A_BUFFER_PID] = U32,	   [EGPU_A_BUFFER_MINOR] = NESTED,
	[EGPU_A_BUFFER_HANDLE] = U32,	   [EGPU_A_BUFFER_SIZE] = U64,
	[EGPU_A_BUFFER_DMA_BUF] = U64,	   [EGPU_A_BUFFER_IMPORTED] = FLAG,
	[EGPU_A_BUFFER_PENDING] = U32,	   [EGPU_A_BUFFER_WRITE_CONTEXT] = U64,
	[EGPU_A_BUFFER_WRITE_SEQNO] = U64,
};

static const struct nla_policy culprit_policy[EGPU_A_CULPRIT_MAX + 1] = {
	[EGPU_A_CULPRIT_PID] = U32,	  [EGPU_A_CULPRIT_COMM] = STRING,
	[EGPU_A_CULPRIT_CLIENT_ID] = U64, [EGPU_A_CULPRIT_MINOR] = NESTED,
	[EGPU_A_CULPRIT_FENCES] = U32,
};

static const struct nla_policy quiesce_policy[EGPU_A_QUIESCE_MAX + 1] = {
	[EGPU_A_QUIESCE_ID] = U32,	   [EGPU_A_QUIESCE_STATE] = U32,
	[EGPU_A_QUIESCE_RESULT] = U32,	   [EGPU_A_QUIESCE_OWNER] = U32,
	[EGPU_A_QUIESCE_TIMEOUT_MS] = U32, [EGPU_A_QUIESCE_CLIENTS] = U32,
	[EGPU_A_QUIESCE_BUFFERS] = U32,	   [EGPU_A_QUIESCE_PASSES] = U32,
	[EGPU_A_QUIESCE_WAITED] = U32,	   [EGPU_A_QUIESCE_PENDING] = U32,
	[EGPU_A_QUIESCE_STARTED] = U64,	   [EGPU_A_QUIESCE_ENDED] = U64,
	[EGPU_A_QUIESCE_CULPRIT] = NESTED, [EGPU_A_QUIESCE_SEQ] = U64,
	[EGPU_A_QUIESCE_TIME] = U64,
};

static const struct nla_policy migration_policy[EGPU_A_MIGRATION_MAX + 1] = {
	[EGPU_A_MIGRATION_MIGRATION] = U64,
	[EGPU_A_MIGRATION_PHASE] = U32,
	[EGPU_A_MIGRATION_ID] = U32,
	[EGPU_A_MIGRATION_TARGET] = U32,
	[EGPU_A_MIGRATION_CPU] = FLAG,
	[EGPU_A_MIGRATION_COOKIE] = U64,
	[EGPU_A_MIGRATION_PID] = U32,
	[EGPU_A_MIGRATION_COMM] = STRING,
	[EGPU_A_MIGRATION_BYTES] = U64,
	[EGPU_A_MIGRATION_DURATION] = U64,
	[EGPU_A_MIGRATION_STILL] = U64,
	[EGPU_A_MIGRATION_LOST] = U64,
	[EGPU_A_MIGRATION_CHECKPOINT] = STRING,
	[EGPU_A_MIGRATION_REASON] = STRING,
	[EGPU_A_MIGRATION_HELPER] = U32,
	[EGPU_A_MIGRATION_SEQ] = U64,
	[EGPU_A_MIGRATION_TIME] = U64,
};

static const struct nla_policy settings_policy[EGPU_A_SETTINGS_MAX + 1] = {
	[EGPU_A_SETTINGS_HOLD_MS] = U32,    [EGPU_A_SETTINGS_ACCEPT_MS] = U32,
	[EGPU_A_SETTINGS_EJECT_MS] = U32,   [EGPU_A_SETTINGS_INSTANCE] = U64,
	[EGPU_A_SETTINGS_SEQ] = U64,	    [EGPU_A_SETTINGS_HELPERS] = U8,
	[EGPU_A_SETTINGS_VERSION] = STRING, [EGPU_A_SETTINGS_DRAIN_MS] = U32,
};

static const struct nla_policy override_policy[EGPU_A_OVERRIDE_MAX + 1] = {
	[EGPU_A_OVERRIDE_ADDRESS] = STRING,
	[EGPU_A_OVERRIDE_PLACEMENT] = U32,
};

static uint8_t get_u8(struct nlattr **tb, int attr)
{
	return tb[attr] ? attr_u8(tb[attr]) : 0;
}

static uint16_t get_u16(struct nlattr **tb, int attr)
{
	return tb[attr] ? attr_u16(tb[attr]) : 0;
}

static uint32_t get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? attr_u32(tb[attr]) : 0;
}

static uint64_t get_u64(struct nlattr **tb, int attr)
{
	return tb[attr] ? attr_u64(tb[attr]) : 0;
}

/* The policy has seen to it that there is a zero inside the attribute. */
static void get_string(struct nlattr **tb, int attr, char *buf, size_t size)
{
	size_t len;

	if (!tb[attr])
		return;
	len = strnlen(attr_data(tb[attr]), attr_len(tb[attr]));
	if (len >= size)
		len = size - 1;
	memcpy(buf, attr_data(tb[attr]), len);
	buf[len] = '\0';
}

#define GET_STRING(tb, attr, array) get_string(tb, attr, array, sizeof(array))

static uint64_t presence(struct nlattr **tb, int max)
{
	uint64_t bits = 0;
	int i;

	for (i = 1; i <= max; i++) {
		if (tb[i])
			bits |= 1ULL << i;
	}
	return bits;
}

static int parse(struct nlmsghdr *nlh, struct nlattr **tb, int max,
		 const struct nla_policy *policy)
{
	int len;
	struct nlattr *attr = attr_of_message(nlh, &len);

	return attr ? attr_parse(tb, max, attr, len, policy) : -EBADMSG;
}

static int get_minor(struct nlattr *nest, struct egpu_minor *minor)
{
	struct nlattr *tb[EGPU_A_MINOR_MAX + 1];
	struct nlattr *first = (struct nlattr *)attr_data(nest);

	if (attr_parse(tb, EGPU_A_MINOR_MAX, first, attr_len(nest),
		       minor_policy) ||
	    !tb[EGPU_A_MINOR_TYPE] || !tb[EGPU_A_MINOR_INDEX])
		return -EBADMSG;
	minor->type = attr_u32(tb[EGPU_A_MINOR_TYPE]);
	minor->index = attr_u32(tb[EGPU_A_MINOR_INDEX]);
	return 0;
}

/* A table keeps the last of several equal attributes, so go through all. */
static int get_minors(struct nlmsghdr *nlh, int type, struct egpu_minor *minors,
		      uint32_t *n)
{
	int len, err;
	struct nlattr *attr = attr_of_message(nlh, &len);

	if (!attr)
		return -EBADMSG;
	for (; attr_ok(attr, len); attr = attr_next(attr, &len)) {
		if (attr_type(attr) != type || *n == EGPU_MINORS_MAX)
			continue;
		err = get_minor(attr, &minors[*n]);
		if (err)
			return err;
		(*n)++;
	}
	return 0;
}

static void fill_device(struct egpu_device *dev, struct nlattr **tb)
{
	dev->present = presence(tb, EGPU_A_DEVICE_MAX);
	dev->id = get_u32(tb, EGPU_A_DEVICE_ID);
	GET_STRING(tb, EGPU_A_DEVICE_ADDRESS, dev->address);
	dev->state = get_u32(tb, EGPU_A_DEVICE_STATE);
	dev->external = get_u8(tb, EGPU_A_DEVICE_EXTERNAL);
	dev->marker = get_u32(tb, EGPU_A_DEVICE_MARKER);
	dev->vendor = get_u16(tb, EGPU_A_DEVICE_VENDOR);
	dev->device = get_u16(tb, EGPU_A_DEVICE_DEVICE);
	dev->subsystem_vendor = get_u16(tb, EGPU_A_DEVICE_SUBSYSTEM_VENDOR);
	dev->subsystem_device = get_u16(tb, EGPU_A_DEVICE_SUBSYSTEM_DEVICE);
	dev->class_code = get_u32(tb, EGPU_A_DEVICE_CLASS);
	GET_STRING(tb, EGPU_A_DEVICE_DRIVER, dev->driver);
	GET_STRING(tb, EGPU_A_DEVICE_PORT, dev->port);
	dev->link_speed = get_u32(tb, EGPU_A_DEVICE_LINK_SPEED);
	dev->link_width = get_u32(tb, EGPU_A_DEVICE_LINK_WIDTH);
	dev->clients = get_u32(tb, EGPU_A_DEVICE_CLIENTS);
	dev->cookie = get_u64(tb, EGPU_A_DEVICE_COOKIE);
	dev->since = get_u64(tb, EGPU_A_DEVICE_SINCE);
	dev->at_load = tb[EGPU_A_DEVICE_AT_LOAD];
	dev->seq = get_u64(tb, EGPU_A_DEVICE_SEQ);
	dev->time = get_u64(tb, EGPU_A_DEVICE_TIME);
}

/**
 * egpu_decode_device() - make a GPU from a message
 * @nlh: message, its length checked against that of its datagram
 * @device: where to put it; free it with egpu_device_free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_device(struct nlmsghdr *nlh, struct egpu_device **device)
{
	struct nlattr *tb[EGPU_A_DEVICE_MAX + 1];
	struct egpu_device *dev;
	int err;

	err = parse(nlh, tb, EGPU_A_DEVICE_MAX, device_policy);
	if (err)
		return err;
	if (!get_u32(tb, EGPU_A_DEVICE_ID))
		return -EBADMSG;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	fill_device(dev, tb);
	err = get_minors(nlh, EGPU_A_DEVICE_MINOR, dev->minors, &dev->n_minors);
	if (err) {
		free(dev);
		return err;
	}
	*device = dev;
	return 0;
}

static void fill_removal(struct egpu_removal *rem, struct nlattr **tb)
{
	rem->present = presence(tb, EGPU_A_REMOVAL_MAX);
	rem->cookie = get_u64(tb, EGPU_A_REMOVAL_COOKIE);
	rem->id = get_u32(tb, EGPU_A_REMOVAL_ID);
	GET_STRING(tb, EGPU_A_REMOVAL_ADDRESS, rem->address);
	rem->origin = get_u32(tb, EGPU_A_REMOVAL_ORIGIN);
	rem->phase = get_u32(tb, EGPU_A_REMOVAL_PHASE);
	rem->release = get_u32(tb, EGPU_A_REMOVAL_RELEASE);
	rem->cause = get_u32(tb, EGPU_A_REMOVAL_CAUSE);
	rem->evidence = get_u32(tb, EGPU_A_REMOVAL_EVIDENCE);
	rem->clients = get_u32(tb, EGPU_A_REMOVAL_CLIENTS);
	rem->force = tb[EGPU_A_REMOVAL_FORCE];
	rem->timeout_ms = get_u32(tb, EGPU_A_REMOVAL_TIMEOUT_MS);
	rem->created = get_u64(tb, EGPU_A_REMOVAL_CREATED);
	rem->accepted = get_u64(tb, EGPU_A_REMOVAL_ACCEPTED);
	rem->released = get_u64(tb, EGPU_A_REMOVAL_RELEASED);
	rem->unbound = get_u64(tb, EGPU_A_REMOVAL_UNBOUND);
	rem->finished = get_u64(tb, EGPU_A_REMOVAL_FINISHED);
	rem->helper = get_u32(tb, EGPU_A_REMOVAL_HELPER);
	GET_STRING(tb, EGPU_A_REMOVAL_REASON, rem->reason);
	rem->external = get_u8(tb, EGPU_A_REMOVAL_EXTERNAL);
	rem->vendor = get_u16(tb, EGPU_A_REMOVAL_VENDOR);
	rem->device = get_u16(tb, EGPU_A_REMOVAL_DEVICE);
	GET_STRING(tb, EGPU_A_REMOVAL_DRIVER, rem->driver);
	GET_STRING(tb, EGPU_A_REMOVAL_PORT, rem->port);
	rem->seq = get_u64(tb, EGPU_A_REMOVAL_SEQ);
	rem->time = get_u64(tb, EGPU_A_REMOVAL_TIME);
	rem->step = get_u32(tb, EGPU_A_REMOVAL_STEP);
	rem->vouched = tb[EGPU_A_REMOVAL_VOUCHED];
}

/**
 * egpu_decode_removal() - make a removal from a message
 * @nlh: message, its length checked against that of its datagram
 * @removal: where to put it; free it with egpu_removal_free()
 *
 * The reply to an eject is a removal of which only the cookie is known.
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_removal(struct nlmsghdr *nlh, struct egpu_removal **removal)
{
	struct nlattr *tb[EGPU_A_REMOVAL_MAX + 1];
	struct egpu_removal *rem;
	int err;

	err = parse(nlh, tb, EGPU_A_REMOVAL_MAX, removal_policy);
	if (err)
		return err;
	if (!get_u64(tb, EGPU_A_REMOVAL_COOKIE))
		return -EBADMSG;
	rem = calloc(1, sizeof(*rem));
	if (!rem)
		return -ENOMEM;
	fill_removal(rem, tb);
	err = get_minors(nlh, EGPU_A_REMOVAL_MINOR, rem->minors, &rem->n_minors);
	if (err) {
		free(rem);
		return err;
	}
	*removal = rem;
	return 0;
}

/**
 * egpu_decode_client() - make a client from a message
 * @nlh: message, its length checked against that of its datagram
 * @client: where to put it; free it with free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_client(struct nlmsghdr *nlh, struct egpu_client **client)
{
	struct nlattr *tb[EGPU_A_CLIENT_MAX + 1];
	struct egpu_client *made;
	int err;

	err = parse(nlh, tb, EGPU_A_CLIENT_MAX, client_policy);
	if (err)
		return err;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->present = presence(tb, EGPU_A_CLIENT_MAX);
	made->id = get_u32(tb, EGPU_A_CLIENT_ID);
	made->client_id = get_u64(tb, EGPU_A_CLIENT_CLIENT_ID);
	made->pid = get_u32(tb, EGPU_A_CLIENT_PID);
	GET_STRING(tb, EGPU_A_CLIENT_COMM, made->comm);
	made->master = tb[EGPU_A_CLIENT_MASTER];
	made->buffers = get_u32(tb, EGPU_A_CLIENT_BUFFERS);
	made->bytes = get_u64(tb, EGPU_A_CLIENT_BYTES);
	if (tb[EGPU_A_CLIENT_MINOR])
		err = get_minor(tb[EGPU_A_CLIENT_MINOR], &made->minor);
	if (err) {
		free(made);
		return err;
	}
	*client = made;
	return 0;
}

/**
 * egpu_decode_buffer() - make a buffer from a message
 * @nlh: message, its length checked against that of its datagram
 * @buffer: where to put it; free it with free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_buffer(struct nlmsghdr *nlh, struct egpu_buffer **buffer)
{
	struct nlattr *tb[EGPU_A_BUFFER_MAX + 1];
	struct egpu_buffer *made;
	int err;

	err = parse(nlh, tb, EGPU_A_BUFFER_MAX, buffer_policy);
	if (err)
		return err;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->present = presence(tb, EGPU_A_BUFFER_MAX);
	made->id = get_u32(tb, EGPU_A_BUFFER_ID);
	made->client_id = get_u64(tb, EGPU_A_BUFFER_CLIENT_ID);
	made->pid = get_u32(tb, EGPU_A_BUFFER_PID);
	made->handle = get_u32(tb, EGPU_A_BUFFER_HANDLE);
	made->size = get_u64(tb, EGPU_A_BUFFER_SIZE);
	made->dma_buf = get_u64(tb, EGPU_A_BUFFER_DMA_BUF);
	made->imported = tb[EGPU_A_BUFFER_IMPORTED];
	made->pending = get_u32(tb, EGPU_A_BUFFER_PENDING);
	made->write_context = get_u64(tb, EGPU_A_BUFFER_WRITE_CONTEXT);
	made->write_seqno = get_u64(tb, EGPU_A_BUFFER_WRITE_SEQNO);
	if (tb[EGPU_A_BUFFER_MINOR])
		err = get_minor(tb[EGPU_A_BUFFER_MINOR], &made->minor);
	if (err) {
		free(made);
		return err;
	}
	*buffer = made;
	return 0;
}

static int get_culprit(struct nlattr *nest, struct egpu_culprit *culprit)
{
	struct nlattr *tb[EGPU_A_CULPRIT_MAX + 1];
	struct nlattr *first = (struct nlattr *)attr_data(nest);

	if (attr_parse(tb, EGPU_A_CULPRIT_MAX, first, attr_len(nest),
		       culprit_policy))
		return -EBADMSG;
	culprit->pid = get_u32(tb, EGPU_A_CULPRIT_PID);
	GET_STRING(tb, EGPU_A_CULPRIT_COMM, culprit->comm);
	culprit->client_id = get_u64(tb, EGPU_A_CULPRIT_CLIENT_ID);
	culprit->fences = get_u32(tb, EGPU_A_CULPRIT_FENCES);
	return tb[EGPU_A_CULPRIT_MINOR] ?
		       get_minor(tb[EGPU_A_CULPRIT_MINOR], &culprit->minor) :
		       0;
}

static int get_culprits(struct nlmsghdr *nlh, struct egpu_quiesce *quiesce)
{
	int len, err;
	struct nlattr *attr = attr_of_message(nlh, &len);

	if (!attr)
		return -EBADMSG;
	for (; attr_ok(attr, len); attr = attr_next(attr, &len)) {
		if (attr_type(attr) != EGPU_A_QUIESCE_CULPRIT ||
		    quiesce->n_culprits == EGPU_CULPRITS_MAX)
			continue;
		err = get_culprit(attr, &quiesce->culprits[quiesce->n_culprits]);
		if (err)
			return err;
		quiesce->n_culprits++;
	}
	return 0;
}

static void fill_quiesce(struct egpu_quiesce *quiesce, struct nlattr **tb)
{
	quiesce->present = presence(tb, EGPU_A_QUIESCE_MAX);
	quiesce->id = get_u32(tb, EGPU_A_QUIESCE_ID);
	quiesce->state = get_u32(tb, EGPU_A_QUIESCE_STATE);
	quiesce->result = get_u32(tb, EGPU_A_QUIESCE_RESULT);
	quiesce->owner = get_u32(tb, EGPU_A_QUIESCE_OWNER);
	quiesce->timeout_ms = get_u32(tb, EGPU_A_QUIESCE_TIMEOUT_MS);
	quiesce->clients = get_u32(tb, EGPU_A_QUIESCE_CLIENTS);
	quiesce->buffers = get_u32(tb, EGPU_A_QUIESCE_BUFFERS);
	quiesce->passes = get_u32(tb, EGPU_A_QUIESCE_PASSES);
	quiesce->waited = get_u32(tb, EGPU_A_QUIESCE_WAITED);
	quiesce->pending = get_u32(tb, EGPU_A_QUIESCE_PENDING);
	quiesce->started = get_u64(tb, EGPU_A_QUIESCE_STARTED);
	quiesce->ended = get_u64(tb, EGPU_A_QUIESCE_ENDED);
	quiesce->seq = get_u64(tb, EGPU_A_QUIESCE_SEQ);
	quiesce->time = get_u64(tb, EGPU_A_QUIESCE_TIME);
}

/**
 * egpu_decode_quiesce() - make the quiescing of a GPU from a message
 * @nlh: message, its length checked against that of its datagram
 * @quiesce: where to put it; free it with egpu_quiesce_free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_quiesce(struct nlmsghdr *nlh, struct egpu_quiesce **quiesce)
{
	struct nlattr *tb[EGPU_A_QUIESCE_MAX + 1];
	struct egpu_quiesce *made;
	int err;

	err = parse(nlh, tb, EGPU_A_QUIESCE_MAX, quiesce_policy);
	if (err)
		return err;
	if (!get_u32(tb, EGPU_A_QUIESCE_ID))
		return -EBADMSG;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	fill_quiesce(made, tb);
	err = get_culprits(nlh, made);
	if (err) {
		free(made);
		return err;
	}
	*quiesce = made;
	return 0;
}

static void fill_migration(struct egpu_migration *mig, struct nlattr **tb)
{
	mig->present = presence(tb, EGPU_A_MIGRATION_MAX);
	mig->size = sizeof(*mig);
	mig->migration = get_u64(tb, EGPU_A_MIGRATION_MIGRATION);
	mig->phase = get_u32(tb, EGPU_A_MIGRATION_PHASE);
	mig->id = get_u32(tb, EGPU_A_MIGRATION_ID);
	mig->target = get_u32(tb, EGPU_A_MIGRATION_TARGET);
	mig->cpu = tb[EGPU_A_MIGRATION_CPU];
	mig->cookie = get_u64(tb, EGPU_A_MIGRATION_COOKIE);
	mig->pid = get_u32(tb, EGPU_A_MIGRATION_PID);
	GET_STRING(tb, EGPU_A_MIGRATION_COMM, mig->comm);
	mig->bytes = get_u64(tb, EGPU_A_MIGRATION_BYTES);
	mig->duration = get_u64(tb, EGPU_A_MIGRATION_DURATION);
	mig->still = get_u64(tb, EGPU_A_MIGRATION_STILL);
	mig->lost = get_u64(tb, EGPU_A_MIGRATION_LOST);
	GET_STRING(tb, EGPU_A_MIGRATION_CHECKPOINT, mig->checkpoint);
	GET_STRING(tb, EGPU_A_MIGRATION_REASON, mig->reason);
	mig->helper = get_u32(tb, EGPU_A_MIGRATION_HELPER);
	mig->seq = get_u64(tb, EGPU_A_MIGRATION_SEQ);
	mig->time = get_u64(tb, EGPU_A_MIGRATION_TIME);
}

/**
 * egpu_decode_migration() - make a migration from a message
 * @nlh: message, its length checked against that of its datagram
 * @migration: where to put it; free it with free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_migration(struct nlmsghdr *nlh,
			  struct egpu_migration **migration)
{
	struct nlattr *tb[EGPU_A_MIGRATION_MAX + 1];
	struct egpu_migration *made;
	int err;

	err = parse(nlh, tb, EGPU_A_MIGRATION_MAX, migration_policy);
	if (err)
		return err;
	if (!get_u64(tb, EGPU_A_MIGRATION_MIGRATION))
		return -EBADMSG;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	fill_migration(made, tb);
	*migration = made;
	return 0;
}

/**
 * egpu_decode_settings() - make settings from a message
 * @nlh: message, its length checked against that of its datagram
 * @settings: where to put them; free them with egpu_settings_free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_settings(struct nlmsghdr *nlh, struct egpu_settings **settings)
{
	struct nlattr *tb[EGPU_A_SETTINGS_MAX + 1];
	struct egpu_settings *set;
	int err;

	err = parse(nlh, tb, EGPU_A_SETTINGS_MAX, settings_policy);
	if (err)
		return err;
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->present = presence(tb, EGPU_A_SETTINGS_MAX);
	set->hold_ms = get_u32(tb, EGPU_A_SETTINGS_HOLD_MS);
	set->accept_ms = get_u32(tb, EGPU_A_SETTINGS_ACCEPT_MS);
	set->eject_ms = get_u32(tb, EGPU_A_SETTINGS_EJECT_MS);
	set->instance = get_u64(tb, EGPU_A_SETTINGS_INSTANCE);
	set->seq = get_u64(tb, EGPU_A_SETTINGS_SEQ);
	set->helpers = get_u8(tb, EGPU_A_SETTINGS_HELPERS);
	GET_STRING(tb, EGPU_A_SETTINGS_VERSION, set->version);
	set->drain_ms = get_u32(tb, EGPU_A_SETTINGS_DRAIN_MS);
	*settings = set;
	return 0;
}

/**
 * egpu_decode_override() - make a rule from a message
 * @nlh: message, its length checked against that of its datagram
 * @rule: where to put it; free it with free()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int egpu_decode_override(struct nlmsghdr *nlh, struct egpu_override **rule)
{
	struct nlattr *tb[EGPU_A_OVERRIDE_MAX + 1];
	struct egpu_override *made;
	int err;

	err = parse(nlh, tb, EGPU_A_OVERRIDE_MAX, override_policy);
	if (err)
		return err;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->present = presence(tb, EGPU_A_OVERRIDE_MAX);
	GET_STRING(tb, EGPU_A_OVERRIDE_ADDRESS, made->address);
	made->placement = get_u32(tb, EGPU_A_OVERRIDE_PLACEMENT);
	*rule = made;
	return 0;
}

/**
 * egpu_decode_event() - make an event from a message of the family's groups
 * @nlh: message, its length checked against that of its datagram
 * @decoded: filled with what is in it
 *
 * Return: 0; -ENOMSG for an event that is not known here, which can be skipped
 * when it has no number to be missed; -EBADMSG or -ENOMEM.
 */
int egpu_decode_event(struct nlmsghdr *nlh, struct egpu_decoded *decoded)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);

	memset(decoded, 0, sizeof(*decoded));
	if (!genlmsg_valid_hdr(nlh, 0))
		return -EBADMSG;
	switch (genl->cmd) {
	case EGPU_CMD_CONNECTED:
		decoded->type = EGPU_EVENT_CONNECTED;
		return egpu_decode_device(nlh, &decoded->device);
	case EGPU_CMD_CHANGED:
		decoded->type = EGPU_EVENT_CHANGED;
		return egpu_decode_device(nlh, &decoded->device);
	case EGPU_CMD_REMOVAL_PENDING:
		decoded->type = EGPU_EVENT_REMOVAL_PENDING;
		return egpu_decode_removal(nlh, &decoded->removal);
	case EGPU_CMD_REMOVAL_PROGRESS:
		decoded->type = EGPU_EVENT_REMOVAL_PROGRESS;
		return egpu_decode_removal(nlh, &decoded->removal);
	case EGPU_CMD_DISCONNECTED:
		decoded->type = EGPU_EVENT_DISCONNECTED;
		return egpu_decode_removal(nlh, &decoded->removal);
	case EGPU_CMD_QUIESCE:
		decoded->type = EGPU_EVENT_QUIESCE;
		return egpu_decode_quiesce(nlh, &decoded->quiesce);
	case EGPU_CMD_MIGRATION:
		decoded->type = EGPU_EVENT_MIGRATION;
		return egpu_decode_migration(nlh, &decoded->migration);
	default:
		return -ENOMSG;
	}
}
