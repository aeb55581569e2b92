/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of the tests that speaks with the daemon message by message, so that
 * it can also say what no program would. The loop runs while it waits.
 */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include "../egpud/work.h"

#define PEER_BYTES 65536

extern struct egpu_device *peer_gpu;
extern int peer_sock;
extern struct wire_message peer_answer;
extern size_t peer_fds;

int peer_setup(void **state);
int peer_teardown(void **state);
int peer_connect(void);
void peer_hang_up(void);
bool peer_gone(void);
struct session *peer_session(void);
size_t peer_count_fds(void);

void peer_expect(uint32_t type);
void peer_expect_end(void);
void peer_expect_error(const char *because);
void peer_expect_reply(int error, const char *because);

void peer_send_raw(const void *data, size_t len, const int *fds, size_t n);
void peer_say(const struct wire_message *message, int fd);
void peer_hello(void);
void peer_open(void);
int peer_memory(size_t size, unsigned int seals);
struct wire_message peer_add_message(uint32_t id, uint64_t size);
void peer_add_buffer(uint32_t id);
void peer_safe(uint32_t serial, uint64_t step);

#endif
