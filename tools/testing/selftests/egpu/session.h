/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client protocol of egpud, spoken without libegpu: what no library would say,
 * and no mistake shared with it. As Documentation/client-protocol.rst has it.
 */
#ifndef EGPU_TEST_SESSION_H
#define EGPU_TEST_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_PATH "/run/egpu/client"
#define SESSION_TEXT 160

enum {
	HELLO = 1,
	ADD,
	REMOVE,
	DIRTY,
	SAFE,
	UNABLE,
	CONFIRM,
	WELCOME = 64,
	REPLY,
	REACH,
	GO_ON,
	LOST,
	MOVE_BEGIN,
	MOVE_BUFFER,
	MOVE_END,
	FAILED,
	ERROR,
};

enum { DMABUF = 1, HANDLE, MEMORY };

struct said_hello {
	uint32_t version;
	uint32_t reserved;
	char name[32];
};

struct said_buffer {
	uint32_t id;
	uint32_t kind;
	uint32_t flags;
	uint32_t handle;
	uint64_t size;
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint64_t modifier;
	char name[32];
};

struct said_ref {
	uint32_t id;
	uint32_t reserved;
};

struct said_safe {
	uint64_t step;
	uint32_t state_size;
	uint32_t reserved;
};

struct said_result {
	int32_t error;
	uint32_t reserved;
	char text[SESSION_TEXT];
};

/**
 * struct heard - what egpud has said
 * @type: which message, 0 when it has closed the connection
 * @serial: of the request that it answers
 * @error: of REPLY, ERROR and FAILED: its number, not 0 when something is wrong
 * @text: and in words
 */
struct heard {
	uint32_t type;
	uint32_t serial;
	int error;
	char text[SESSION_TEXT];
};

int session_connect(void);
int session_open(void);
int session_say(int sock, uint32_t type, uint32_t serial, const void *payload,
		size_t len, const int *fds, size_t n);
bool session_hear(int sock, struct heard *heard, int ms);
bool session_ends(int sock, int ms, struct heard *last);
int session_memory(uint64_t size, unsigned int seals);
uint32_t session_size(uint32_t type);

#endif /* EGPU_TEST_SESSION_H */
