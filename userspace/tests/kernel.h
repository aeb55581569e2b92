/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel for unit tests: the family egpu behind the library's transport, with
 * the semantics of the real one where they matter: sequence numbers, multicast
 * groups, sockets that overflow, families that come and go.
 */
#ifndef TESTS_KERNEL_H
#define TESTS_KERNEL_H

#include "../lib/private.h"

#define KERNEL_MAX 16

struct kernel;

/**
 * struct kernel_call - a request that changes something, as it came in
 * @cmd: EGPU_CMD_*
 * @port: number of the socket that it came from
 * @cookie: cookie in it, or 0
 * @id: device id in it, or 0
 * @value: timeout-ms, the setting's value, or placement
 * @step: step in it, or 0
 * @force: the flag
 * @vouched: the flag
 * @text: address or reason
 */
struct kernel_call {
	uint8_t cmd;
	uint32_t port;
	uint64_t cookie;
	uint32_t id;
	uint32_t value;
	uint32_t step;
	bool force;
	bool vouched;
	char text[128];
};

/**
 * enum kernel_outcome - how an eject goes
 * @OUTCOME_DONE: to the end
 * @OUTCOME_STEPS: to the end, by a helper that goes step by step and vouches
 * @OUTCOME_HELPER_REFUSED: its helper asks, then refuses
 * @OUTCOME_REFUSED: refused once nobody waits
 * @OUTCOME_SURPRISE: the cable is pulled meanwhile
 * @OUTCOME_HANG: it stays accepted until it is cancelled
 * @OUTCOME_RELEASED: the driver does not let go
 */
enum kernel_outcome {
	OUTCOME_DONE,
	OUTCOME_STEPS,
	OUTCOME_HELPER_REFUSED,
	OUTCOME_REFUSED,
	OUTCOME_SURPRISE,
	OUTCOME_HANG,
	OUTCOME_RELEASED,
};

/**
 * struct kernel - see above
 * @transport: for egpu_open_transport(), with .arg pointing here
 * @loaded: the family is registered
 * @admin: callers have CAP_NET_ADMIN
 * @family: numbers of the family and its groups
 * @settings: as reported, .seq and .instance included
 * @devices: the GPUs
 * @n_devices: how many
 * @removals: the removals
 * @n_removals: how many
 * @clients: the clients
 * @n_clients: how many
 * @victims: the clients that a removal has hit, of any
 * @n_victims: how many
 * @buffers: the buffers
 * @n_buffers: how many
 * @quiesce: how far a GPU is quiesced, by place in @devices
 * @overrides: the rules
 * @n_overrides: how many
 * @links: open sockets
 * @queue_max: events that a socket holds before it overflows
 * @next_port: number of the last socket that was opened
 * @next_error: answer the next request of the family with this errno
 * @next_text: ... and this text
 * @next_attr: ... and blame this attribute
 * @interrupted: so many dumps will say that they were interrupted
 * @in_lookup: called when the family is looked for
 * @stray: each answer comes after the left-over of an older request
 * @in_dump: called at the end of each dump of devices
 * @after_settings: called after each reply with the settings, which is the last
 *	thing that a monitor asks for before it waits for events
 * @outcome: how ejects go
 * @refuse: answer ejects with this errno
 * @after_eject: called at the end of each eject
 * @calls: requests that change something
 * @n_calls: how many
 * @dumps: how many dumps of devices there were
 * @lookups: how often the family was looked for
 * @named: how often it was looked for by name, which loads modules
 * @next_cookie: for the next removal
 */
struct kernel {
	struct egpu_transport transport;
	bool loaded;
	bool admin;
	struct egpu_family family;
	struct egpu_settings settings;
	struct egpu_device devices[KERNEL_MAX];
	size_t n_devices;
	struct egpu_removal removals[KERNEL_MAX];
	size_t n_removals;
	struct egpu_client clients[KERNEL_MAX];
	size_t n_clients;
	struct egpu_client victims[KERNEL_MAX];
	size_t n_victims;
	struct egpu_buffer buffers[KERNEL_MAX];
	size_t n_buffers;
	struct egpu_quiesce quiesce[KERNEL_MAX];
	struct egpu_override overrides[KERNEL_MAX];
	size_t n_overrides;
	struct kernel_link *links[KERNEL_MAX];
	uint32_t next_port;
	size_t queue_max;
	int next_error;
	const char *next_text;
	int next_attr;
	int interrupted;
	void (*in_lookup)(struct kernel *kernel);
	bool stray;
	void (*in_dump)(struct kernel *kernel);
	void (*after_settings)(struct kernel *kernel);
	enum kernel_outcome outcome;
	int refuse;
	void (*after_eject)(struct kernel *kernel);
	struct kernel_call calls[KERNEL_MAX];
	size_t n_calls;
	unsigned int dumps;
	unsigned int lookups;
	unsigned int named;
	uint64_t next_cookie;
};

void kernel_init(struct kernel *kernel);
void kernel_use(struct kernel *kernel);
int kernel_open(struct egpu_ctx **ctx);

/* The module comes and goes; sockets hear of it unless told not to. */
void kernel_load(struct kernel *kernel, bool tell);
void kernel_unload(struct kernel *kernel, bool tell);

/* State changes; each makes an event unless it is lost on the way. */
struct egpu_device *kernel_add(struct kernel *kernel, const char *address,
			       bool external);
void kernel_change(struct kernel *kernel, struct egpu_device *dev,
		   uint32_t state);
struct egpu_removal *kernel_begin(struct kernel *kernel,
				  struct egpu_device *dev, uint32_t origin);
void kernel_phase(struct kernel *kernel, struct egpu_removal *rem,
		  uint32_t phase, uint32_t release);
void kernel_step(struct kernel *kernel, struct egpu_removal *rem, uint32_t step);
void kernel_quiesce(struct kernel *kernel, struct egpu_quiesce *quiesce,
		    uint32_t state);
void kernel_migration(struct kernel *kernel, struct egpu_migration *migration);
void kernel_move(struct kernel *kernel, const struct egpu_removal *rem,
		 bool well);
void kernel_disconnect(struct kernel *kernel, struct egpu_removal *rem);
struct egpu_device *kernel_device(struct kernel *kernel, uint32_t id);
struct egpu_quiesce *kernel_quiesce_of(struct kernel *kernel, uint32_t id);

/* So many of the next events are numbered but reach nobody. */
void kernel_lose(unsigned int events);

/* Sends a datagram of any content to the members of the group "events". */
void kernel_send_raw(struct kernel *kernel, const void *buf, size_t len);

/* Descriptors must not be more than before the test. */
size_t kernel_open_links(const struct kernel *kernel);

/* ------------------------------------------------------------- encode.c */

struct nl_msg *encode_device(uint16_t type, uint8_t cmd,
			     const struct egpu_device *dev, bool event);
struct nl_msg *encode_removal(uint16_t type, uint8_t cmd,
			      const struct egpu_removal *rem, bool event);
struct nl_msg *encode_client(uint16_t type, const struct egpu_client *client);
struct nl_msg *encode_buffer(uint16_t type, const struct egpu_buffer *buffer);
struct nl_msg *encode_quiesce(uint16_t type, uint8_t cmd,
			      const struct egpu_quiesce *quiesce, bool event);
struct nl_msg *encode_migration(uint16_t type, uint8_t cmd,
				const struct egpu_migration *migration);
struct nl_msg *encode_settings(uint16_t type, const struct egpu_settings *set);
struct nl_msg *encode_override(uint16_t type, const struct egpu_override *rule);

#endif
