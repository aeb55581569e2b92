/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program and egpud say to each other; Documentation/client-protocol.rst.
 *
 * One message is one packet of a SOCK_SEQPACKET socket, in the byte order of
 * the machine, descriptors passed beside it. Both sides use this code, and
 * neither believes the other.
 */
#ifndef EGPU_COMMON_WIRE_H
#define EGPU_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_VERSION 1
#define WIRE_PATH    "/run/egpu/client"

/* Lengths with the NUL at the end. */
#define WIRE_NAME    32
#define WIRE_ADDRESS 32
#define WIRE_NODE    64
#define WIRE_TEXT    160
#define WIRE_ID	     40

/* What one program may have; WELCOME tells the values in force. */
#define WIRE_BUFFERS_MAX 1024
#define WIRE_SIZE_MAX	 0x10000000000ull
#define WIRE_STATE_MAX	 (16u << 20)
#define WIRE_SIDE_MAX	 32768
#define WIRE_FDS_MAX	 1

/**
 * enum wire_type - what a message is
 *
 * From the program:
 * @WIRE_HELLO: first of all; answered by WELCOME or by an ERROR and the end
 * @WIRE_ADD: a buffer, with its descriptor; answered by REPLY
 * @WIRE_REMOVE: the buffer is no longer part of the work; answered by REPLY
 * @WIRE_DIRTY: the program has written a buffer since the last safe point
 * @WIRE_SAFE: the program stands still at a safe point, with the descriptor of
 *	its state if it has one, until it is told to go on; serial is that of
 *	REACH, and one of a REACH that was withdrawn means nothing
 * @WIRE_UNABLE: it cannot come to a safe point; serial is that of REACH
 * @WIRE_CONFIRM: it has taken what MOVE_END offered, or not; serial is its
 *
 * From egpud:
 * @WIRE_WELCOME: version and limits
 * @WIRE_REPLY: done, or what is wrong; serial is that of the request
 * @WIRE_REACH: come to a safe point
 * @WIRE_GO_ON: go on with the buffers there are; serial is that of the REACH
 *	that it ends or withdraws
 * @WIRE_LOST: the GPU has gone; a MOVE_BEGIN or FAILED follows
 * @WIRE_MOVE_BEGIN: a new device
 * @WIRE_MOVE_BUFFER: a buffer there, with its descriptor
 * @WIRE_MOVE_END: that were all, with the descriptor of the state; answered by
 *	CONFIRM
 * @WIRE_FAILED: the work cannot go on from a checkpoint, and why
 * @WIRE_ERROR: the program has broken the protocol, and how; then the end
 */
enum wire_type {
	WIRE_HELLO = 1,
	WIRE_ADD,
	WIRE_REMOVE,
	WIRE_DIRTY,
	WIRE_SAFE,
	WIRE_UNABLE,
	WIRE_CONFIRM,
	WIRE_WELCOME = 64,
	WIRE_REPLY,
	WIRE_REACH,
	WIRE_GO_ON,
	WIRE_LOST,
	WIRE_MOVE_BEGIN,
	WIRE_MOVE_BUFFER,
	WIRE_MOVE_END,
	WIRE_FAILED,
	WIRE_ERROR,
};

/**
 * enum wire_kind - what is behind the descriptor of a buffer
 * @WIRE_DMABUF: a dma-buf
 * @WIRE_HANDLE: an open DRM node, in which .handle names the buffer
 * @WIRE_MEMORY: a memfd that cannot shrink (F_SEAL_SHRINK)
 */
enum wire_kind {
	WIRE_DMABUF = 1,
	WIRE_HANDLE,
	WIRE_MEMORY,
};

/**
 * struct wire_buffer - a buffer
 * @id: the program's number for it, not 0
 * @kind: enum wire_kind
 * @flags: WIRE_DECLARED
 * @handle: GEM handle for WIRE_HANDLE, else 0
 * @size: in bytes, not 0
 * @format: DRM fourcc, or 0 for bytes that mean nothing to us
 * @width: in pixels, 0 without a format
 * @height: in lines, 0 without a format
 * @stride: bytes from line to line, 0 without a format
 * @modifier: DRM format modifier; only linear ones can go to another device
 * @name: for people, may be empty
 */
struct wire_buffer {
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
	char name[WIRE_NAME];
};

/* The program says with DIRTY when it has written; else it always may have. */
#define WIRE_DECLARED 1u

/* Why a safe point is wanted. */
enum wire_reason {
	WIRE_FOR_CHECKPOINT = 1,
	WIRE_FOR_MOVE,
};

struct wire_hello {
	uint32_t version;
	uint32_t reserved;
	char name[WIRE_NAME];
};

struct wire_welcome {
	uint32_t version;
	uint32_t interval_ms;
	uint64_t session;
	uint32_t buffers_max;
	uint32_t state_max;
	uint64_t bytes_max;
};

struct wire_ref {
	uint32_t id;
	uint32_t reserved;
};

/* @step: the program's own count of progress, for people and for LOST. */
struct wire_safe {
	uint64_t step;
	uint32_t state_size;
	uint32_t reserved;
};

/* @error: 0 or a positive errno; @text: why, a sentence without a full stop. */
struct wire_result {
	int32_t error;
	uint32_t reserved;
	char text[WIRE_TEXT];
};

/* @deadline: CLOCK_BOOTTIME in ns. */
struct wire_reach {
	uint32_t reason;
	uint32_t reserved;
	uint64_t deadline;
};

/**
 * struct wire_move - to which device, from which checkpoint
 * @lost: 1 after a surprise: go back to @step; 0: nothing is lost
 * @n_buffers: MOVE_BUFFER messages that follow
 * @step: of the checkpoint, as in its SAFE
 * @lost_ns: time between the checkpoint and the loss, in ns; 0 if not @lost
 * @state_size: bytes behind the descriptor of MOVE_END, 0 for none
 * @cpu: 1 when there is no device but memory
 * @address: PCI address of the device, empty for the CPU
 * @node: its DRM node, empty for the CPU
 * @checkpoint: id of the checkpoint
 */
struct wire_move {
	uint32_t lost;
	uint32_t n_buffers;
	uint64_t step;
	uint64_t lost_ns;
	uint32_t state_size;
	uint32_t cpu;
	char address[WIRE_ADDRESS];
	char node[WIRE_NODE];
	char checkpoint[WIRE_ID];
};

/**
 * struct wire_message - a message
 * @type: enum wire_type
 * @serial: of a request the sender's own; in an answer that of the request
 * @hello: of HELLO
 * @welcome: of WELCOME
 * @buffer: of ADD and MOVE_BUFFER
 * @ref: of REMOVE and DIRTY
 * @safe: of SAFE
 * @result: of UNABLE, CONFIRM, REPLY, FAILED and ERROR
 * @reach: of REACH
 * @move: of MOVE_BEGIN
 *
 * GO_ON, LOST and MOVE_END have none.
 */
struct wire_message {
	uint32_t type;
	uint32_t serial;
	union {
		struct wire_hello hello;
		struct wire_welcome welcome;
		struct wire_buffer buffer;
		struct wire_ref ref;
		struct wire_safe safe;
		struct wire_result result;
		struct wire_reach reach;
		struct wire_move move;
	};
};

/* Who a message comes from. */
enum wire_side {
	WIRE_PROGRAM,
	WIRE_DAEMON,
};

size_t wire_size(uint32_t type);
const char *wire_type_name(uint32_t type);
const char *wire_check(const struct wire_message *message, size_t len,
		       enum wire_side from, bool has_fd);
int wire_send(int sock, const struct wire_message *message, int fd);
int wire_take(int sock, enum wire_side from, struct wire_message *message,
	      int *fd, const char **why, void (*let_go)(int fd));
int wire_receive(int sock, enum wire_side from, struct wire_message *message,
		 int *fd, const char **why);

#endif
