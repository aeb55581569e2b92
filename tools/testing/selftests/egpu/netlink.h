/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink by hand, so that the tests can also send what no library would, and
 * do not share a mistake with libegpu.
 */
#ifndef EGPU_TEST_NETLINK_H
#define EGPU_TEST_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

/**
 * struct nl - a generic netlink socket
 * @fd: the socket, -1 when it is closed
 * @port: its port id
 * @seq: number of the last request
 */
struct nl {
	int fd;
	uint32_t port;
	uint32_t seq;
};

/** MSG_ROOM - largest message that the tests build themselves */
#define MSG_ROOM (256 * 1024)

/**
 * struct msg - a request under construction
 * @len: bytes in use
 * @data: netlink header, generic header, attributes
 */
struct msg {
	size_t len;
	char data[MSG_ROOM] __attribute__((aligned(8)));
};

/**
 * struct answer - what the kernel said to a request
 * @error: negative errno, 0 for success, 1 when no answer came
 * @text: the extended ack's message, or empty
 * @offset: of the bad attribute in the request, 0 when none was named
 * @missing: type of the attribute that was missing, 0 for none
 * @count: number of replies besides the ack
 * @len: bytes in @data
 * @data: attributes of the first reply
 */
struct answer {
	int error;
	char text[256];
	uint32_t offset;
	uint32_t missing;
	unsigned int count;
	size_t len;
	char data[16384];
};

/** nl_visit - gets the attributes of each message of a dump, or each event */
typedef void (*nl_visit)(uint8_t cmd, const void *attrs, size_t len, void *data);

int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
int nl_join(const struct nl *nl, uint32_t group);
int nl_leave(const struct nl *nl, uint32_t group);

void msg_begin(struct msg *msg, uint16_t type, uint16_t flags, uint8_t cmd);
void msg_put(struct msg *msg, uint16_t attr, const void *value, size_t len);
void msg_put_u32(struct msg *msg, uint16_t attr, uint32_t value);
void msg_put_u64(struct msg *msg, uint16_t attr, uint64_t value);
void msg_put_text(struct msg *msg, uint16_t attr, const char *text);
void msg_raw(struct msg *msg, const void *bytes, size_t len);

int nl_send(struct nl *nl, struct msg *msg);
int nl_send_as_is(struct nl *nl, const void *data, size_t len);
int nl_ask(struct nl *nl, struct msg *msg, struct answer *answer);
int nl_dump(struct nl *nl, struct msg *msg, nl_visit visit, void *data,
	    struct answer *answer);
int nl_receive(struct nl *nl, int timeout_ms, nl_visit visit, void *data);
unsigned int nl_drain(struct nl *nl);

const void *attr_find(const void *attrs, size_t len, int type, size_t *size);
uint32_t attr_u32(const void *attrs, size_t len, int type);
uint64_t attr_u64(const void *attrs, size_t len, int type);
const char *attr_text(const void *attrs, size_t len, int type);
void attr_each(const void *attrs, size_t len, int type,
	       void (*visit)(const void *attrs, size_t len));
bool attr_there(const void *attrs, size_t len, int type);

#endif /* EGPU_TEST_NETLINK_H */
