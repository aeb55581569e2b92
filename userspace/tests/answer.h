/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_ANSWER_H
#define TESTS_ANSWER_H

#include "kernel.h"

/**
 * struct kernel_link - a socket
 * @base: what the library sees
 * @kernel: whose it is
 * @port: its number
 * @notify: member of nlctrl's group
 * @events: member of the group "events"
 * @helper: member of the group "helper"
 * @overflow: the next read fails with ENOBUFS
 * @congested: events are dropped until the queue is empty
 * @queue: struct datagram
 */
struct kernel_link {
	struct egpu_link base;
	struct kernel *kernel;
	uint32_t port;
	bool notify;
	bool events;
	bool helper;
	bool overflow;
	bool congested;
	struct egpu_vec queue;
};

void link_push(struct kernel_link *link, const void *buf, size_t len,
	       bool event);
struct nl_msg *encode_family(struct kernel *kernel, uint8_t cmd, uint32_t seq);
void kernel_answer(struct kernel *kernel, struct kernel_link *link,
		   struct nlmsghdr *request);

#endif
