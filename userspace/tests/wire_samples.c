// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One good message of each type of the protocol between a program and egpud.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire_samples.h"

const uint32_t wire_types[] = {
	WIRE_HELLO,	 WIRE_ADD,	   WIRE_REMOVE,	  WIRE_DIRTY,
	WIRE_SAFE,	 WIRE_UNABLE,	   WIRE_CONFIRM,  WIRE_WELCOME,
	WIRE_REPLY,	 WIRE_REACH,	   WIRE_GO_ON,	  WIRE_LOST,
	WIRE_MOVE_BEGIN, WIRE_MOVE_BUFFER, WIRE_MOVE_END, WIRE_FAILED,
	WIRE_ERROR,
};

const size_t wire_types_n = sizeof(wire_types) / sizeof(wire_types[0]);

static void sample_buffer(struct wire_buffer *buffer)
{
	buffer->id = 7;
	buffer->kind = WIRE_HANDLE;
	buffer->flags = WIRE_DECLARED;
	buffer->handle = 3;
	buffer->size = 64 * 48 * 4;
	buffer->format = 0x34325258; /* XR24 */
	buffer->width = 64;
	buffer->height = 48;
	buffer->stride = 256;
	strcpy(buffer->name, "current");
}

static void sample_result(struct wire_result *result, uint32_t type)
{
	if (type == WIRE_REPLY || type == WIRE_CONFIRM)
		return;
	result->error = EBUSY;
	strcpy(result->text, "it is in the midst of something");
}

static void sample_move(struct wire_move *move)
{
	move->lost = 1;
	move->n_buffers = 1;
	move->step = 41;
	move->lost_ns = 700 * 1000 * 1000;
	move->state_size = 16;
	strcpy(move->address, "0000:02:00.0");
	strcpy(move->node, "/dev/dri/card1");
	strcpy(move->checkpoint, "20261121-203000-1");
}

/* A type that does not exist gives a head alone. */
void wire_sample(struct wire_message *message, uint32_t type)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	message->serial = 100 + type;
	switch (type) {
	case WIRE_HELLO:
		message->hello.version = WIRE_VERSION;
		strcpy(message->hello.name, "simulation");
		break;
	case WIRE_WELCOME:
		message->welcome = (struct wire_welcome){
			.version = WIRE_VERSION,
			.interval_ms = 1000,
			.session = 1,
			.buffers_max = WIRE_BUFFERS_MAX,
			.state_max = WIRE_STATE_MAX,
			.bytes_max = WIRE_SIZE_MAX,
		};
		break;
	case WIRE_ADD:
	case WIRE_MOVE_BUFFER:
		sample_buffer(&message->buffer);
		break;
	case WIRE_REMOVE:
	case WIRE_DIRTY:
		message->ref.id = 7;
		break;
	case WIRE_SAFE:
		message->safe.step = 41;
		message->safe.state_size = 16;
		break;
	case WIRE_REACH:
		message->reach.reason = WIRE_FOR_MOVE;
		message->reach.deadline = 1000;
		break;
	case WIRE_MOVE_BEGIN:
		sample_move(&message->move);
		break;
	case WIRE_UNABLE:
	case WIRE_CONFIRM:
	case WIRE_REPLY:
	case WIRE_FAILED:
	case WIRE_ERROR:
		sample_result(&message->result, type);
		break;
	}
}

bool wire_sample_has_fd(uint32_t type)
{
	return type == WIRE_ADD || type == WIRE_SAFE ||
	       type == WIRE_MOVE_BUFFER || type == WIRE_MOVE_END;
}

enum wire_side wire_sample_side(uint32_t type)
{
	return type < WIRE_WELCOME ? WIRE_PROGRAM : WIRE_DAEMON;
}

/* To see that none is left open; the one that looks is counted each time. */
unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Of files that have this in their names, as "/memfd:test (deleted)". */
unsigned int descriptors_of(const char *name)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	unsigned int n = 0;
	char target[256];
	ssize_t len;

	while (dir && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, target,
				 sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		if (strstr(target, name))
			n++;
	}
	if (dir)
		closedir(dir);
	return n;
}
