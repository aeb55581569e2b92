/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libegpu - external GPUs over the generic netlink family "egpu"
 *
 * The only public header. Three groups of calls: a context with requests that
 * are answered at once, a monitor that delivers events and heals its own
 * losses, and tables of names.
 *
 * Conventions, true of everything below unless it says otherwise:
 *
 * - A call returns 0 or a negative errno. The sentence to show to a person is
 *   then in egpu_error(), with the kernel's own words when it gave any.
 * - -EPROTONOSUPPORT means that the egpu module is not loaded, and only that.
 *   The library never loads it.
 * - Nothing is shared between contexts, there are no threads and no global
 *   state. One context is to be used by one thread at a time.
 * - All times are CLOCK_BOOTTIME in nanoseconds, 0 when not reached.
 * - Numbers of the enums of <linux/egpu.h> are passed through as they came,
 *   also those a newer kernel has added; egpu_name() tells which are known.
 *
 * ABI: the structs below are allocated by the library only and are only ever
 * appended to, and lists are arrays of pointers. So a program must not declare
 * one of these structs itself, copy one by value, or take its sizeof. The three
 * exceptions are marked as such: struct egpu_minor, which is fixed for good,
 * and struct egpu_eject_options and struct egpu_migration, which carry their own
 * size.
 */
#ifndef EGPU_H
#define EGPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/egpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** EGPU_STRING_MAX - size of driver and process names; longer ones are cut. */
#define EGPU_STRING_MAX 64

/** EGPU_MINORS_MAX - DRM nodes kept per GPU; those beyond are left out. */
#define EGPU_MINORS_MAX 64

/**
 * EGPU_HAS() - was an attribute in the message an object was made from?
 * @object: pointer to a struct with a member present
 * @attr: an EGPU_A_* number of the object's attribute set
 *
 * A member whose attribute was absent is 0, an empty string or false.
 */
#define EGPU_HAS(object, attr) (((object)->present >> (attr)) & 1)

/* ------------------------------------------------------------- objects */

/**
 * struct egpu_minor - one DRM node of a GPU (fixed, may be copied)
 * @type: enum egpu_minor_type
 * @index: number in the name of the node, 0 for card0, 128 for renderD128
 */
struct egpu_minor {
	uint32_t type;
	uint32_t index;
};

/**
 * struct egpu_device - a GPU
 * @present: which attributes were there, see EGPU_HAS() and EGPU_A_DEVICE_*
 * @id: never 0, given when the GPU appears and not used again while the module
 *	stays loaded
 * @address: PCI address, "0000:01:00.0"
 * @state: enum egpu_device_state
 * @external: the GPU hangs on a cable
 * @marker: enum egpu_marker, what made it external or internal
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @subsystem_vendor: PCI subsystem vendor id
 * @subsystem_device: PCI subsystem device id
 * @class_code: the 24-bit PCI class code
 * @driver: name of the bound driver, empty when there is none
 * @port: PCI address of the nearest hotplug-capable port above, or empty
 * @link_speed: speed per lane of the GPU's own link in MT/s, 0 if unknown
 * @link_width: lanes of the GPU's own link, 0 if unknown
 * @n_minors: how many of @minors are filled
 * @minors: the GPU's DRM nodes
 * @clients: open DRM files; only in replies, not in events
 * @cookie: the open removal, 0 when there is none
 * @since: when @state was entered
 * @at_load: the GPU was there before the module was loaded
 * @seq: number of the event, or of the last event before the reply
 * @time: when the event was made; 0 in replies
 */
struct egpu_device {
	uint64_t present;
	uint32_t id;
	char address[EGPU_ADDRESS_LEN + 1];
	uint32_t state;
	bool external;
	uint32_t marker;
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem_device;
	uint32_t class_code;
	char driver[EGPU_STRING_MAX];
	char port[EGPU_ADDRESS_LEN + 1];
	uint32_t link_speed;
	uint32_t link_width;
	uint32_t n_minors;
	struct egpu_minor minors[EGPU_MINORS_MAX];
	uint32_t clients;
	uint64_t cookie;
	uint64_t since;
	bool at_load;
	uint64_t seq;
	uint64_t time;
};

/**
 * struct egpu_removal - one removal of one GPU, from its first notice to its end
 * @present: see EGPU_HAS() and EGPU_A_REMOVAL_*
 * @cookie: names the removal, never 0
 * @id: device id
 * @address: PCI address of the device
 * @origin: enum egpu_origin
 * @phase: enum egpu_phase
 * @release: enum egpu_release
 * @cause: enum egpu_cause
 * @evidence: bits of enum egpu_evidence
 * @clients: DRM files open when the removal began
 * @force: an eject that goes on although the GPU is in use
 * @timeout_ms: from @created to the deadline, in milliseconds
 * @created: when the removal began
 * @accepted: when a helper took it
 * @released: when it stopped waiting
 * @unbound: when the driver had let go
 * @finished: when it ended
 * @helper: netlink port id of the accepting helper, 0 when there is none
 * @reason: why an eject was refused or cancelled, in words, or empty
 * @external: the GPU hangs on a cable
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @driver: the driver that was bound when the removal began, or empty
 * @port: PCI address of the nearest hotplug-capable port above, or empty
 * @n_minors: how many of @minors are filled
 * @minors: the GPU's DRM nodes; only in EGPU_EVENT_REMOVAL_PENDING
 * @seq: as in struct egpu_device
 * @time: as in struct egpu_device
 * @step: enum egpu_step, what the accepting helper is doing
 * @vouched: the helper has acknowledged although clients have the GPU open
 */
struct egpu_removal {
	uint64_t present;
	uint64_t cookie;
	uint32_t id;
	char address[EGPU_ADDRESS_LEN + 1];
	uint32_t origin;
	uint32_t phase;
	uint32_t release;
	uint32_t cause;
	uint32_t evidence;
	uint32_t clients;
	bool force;
	uint32_t timeout_ms;
	uint64_t created;
	uint64_t accepted;
	uint64_t released;
	uint64_t unbound;
	uint64_t finished;
	uint32_t helper;
	char reason[EGPU_REASON_LEN + 1];
	bool external;
	uint16_t vendor;
	uint16_t device;
	char driver[EGPU_STRING_MAX];
	char port[EGPU_ADDRESS_LEN + 1];
	uint32_t n_minors;
	struct egpu_minor minors[EGPU_MINORS_MAX];
	uint64_t seq;
	uint64_t time;
	uint32_t step;
	bool vouched;
};

/**
 * struct egpu_client - one open DRM file of a GPU
 * @present: see EGPU_HAS() and EGPU_A_CLIENT_*
 * @id: device id
 * @client_id: the DRM client id; absent on kernels before 6.12
 * @pid: process in the asker's pid namespace; absent if not visible there
 * @comm: name of the process, or empty
 * @minor: the node that is open
 * @master: the client is the DRM master, which a running display is
 * @buffers: GEM handles
 * @bytes: sum of the sizes of the buffers behind the handles
 */
struct egpu_client {
	uint64_t present;
	uint32_t id;
	uint64_t client_id;
	uint32_t pid;
	char comm[EGPU_STRING_MAX];
	struct egpu_minor minor;
	bool master;
	uint32_t buffers;
	uint64_t bytes;
};

/**
 * struct egpu_buffer - a buffer behind a GEM handle of one client
 * @present: see EGPU_HAS() and EGPU_A_BUFFER_*
 * @id: device id
 * @client_id: the DRM client id; absent on kernels before 6.12
 * @pid: process in the asker's pid namespace; absent if not visible there
 * @minor: the node that is open
 * @handle: GEM handle in its DRM file
 * @size: bytes
 * @dma_buf: inode number of the dma-buf that it was exported as or imported
 *	from, 0 if none
 * @imported: the memory belongs to another device
 * @pending: fences on it that have not signalled, as far as is known
 * @write_context: context of the newest fence on it, 0 if there is none; absent
 *	when the kernel could not look without waiting
 * @write_seqno: number of that fence in its context. When both are what they
 *	were, and @pending was 0 then, the GPU has not written since
 */
struct egpu_buffer {
	uint64_t present;
	uint32_t id;
	uint64_t client_id;
	uint32_t pid;
	struct egpu_minor minor;
	uint32_t handle;
	uint64_t size;
	uint64_t dma_buf;
	bool imported;
	uint32_t pending;
	uint64_t write_context;
	uint64_t write_seqno;
};

/** EGPU_CULPRITS_MAX - culprits kept per GPU; those beyond are left out. */
#define EGPU_CULPRITS_MAX 16

/**
 * struct egpu_culprit - a client whose fences have not signalled in time
 * @pid: as in struct egpu_client, 0 if not visible
 * @comm: name of the process, or empty
 * @client_id: the DRM client id, 0 on kernels before 6.12
 * @minor: the node that is open
 * @fences: how many have not signalled
 */
struct egpu_culprit {
	uint32_t pid;
	char comm[EGPU_STRING_MAX];
	uint64_t client_id;
	struct egpu_minor minor;
	uint32_t fences;
};

/**
 * struct egpu_quiesce - how far the clients of a GPU are stopped
 * @present: see EGPU_HAS() and EGPU_A_QUIESCE_*
 * @id: device id
 * @state: enum egpu_quiesce_state
 * @result: enum egpu_drain_result, how the last drain ended
 * @owner: netlink port id of the helper that has fenced it, 0 when nobody has
 * @timeout_ms: time the drain may take, in milliseconds
 * @clients: DRM files seen by the last pass
 * @buffers: buffers seen by the last pass
 * @passes: looks at all buffers so far
 * @waited: fences that were waited for
 * @pending: fences that have not signalled
 * @started: when the drain began
 * @ended: when the drain ended
 * @n_culprits: how many of @culprits are filled
 * @culprits: whose fences had not signalled; only in replies
 * @seq: as in struct egpu_device
 * @time: as in struct egpu_device
 */
struct egpu_quiesce {
	uint64_t present;
	uint32_t id;
	uint32_t state;
	uint32_t result;
	uint32_t owner;
	uint32_t timeout_ms;
	uint32_t clients;
	uint32_t buffers;
	uint32_t passes;
	uint32_t waited;
	uint32_t pending;
	uint64_t started;
	uint64_t ended;
	uint32_t n_culprits;
	struct egpu_culprit culprits[EGPU_CULPRITS_MAX];
	uint64_t seq;
	uint64_t time;
};

/**
 * struct egpu_migration - how the work of a program goes to another device
 *	(may be declared by a caller of egpu_migrate())
 * @present: see EGPU_HAS() and EGPU_A_MIGRATION_*; egpu_migrate() does not look
 * @size: sizeof(struct egpu_migration), so that it can grow
 * @migration: number of the migration, the helper's own and never 0; the same in
 *	all its events
 * @phase: enum egpu_migration_phase
 * @id: device id of the GPU that is left, 0 for none
 * @target: device id of the GPU that is gone to, 0 for the CPU or not known yet
 * @cpu: the work goes on in memory, without a GPU
 * @cookie: the removal that it is for, 0 if for none
 * @pid: of the program, as the caller of egpu_migrate() sees it; in events as the
 *	initial pid namespace does, 0 when it has ended
 * @comm: its name, at most 15 bytes, or empty
 * @bytes: sum of its buffers
 * @duration: time from started to completed in ns, 0 if not known
 * @still: time in ns that the program stood still
 * @lost: time of work in ns that a surprise has cost, 0 if none was lost
 * @checkpoint: id of the checkpoint, at most 39 bytes, or empty
 * @reason: why it was begun, or why it failed, or empty
 * @helper: netlink port id of the helper that says so; only in events
 * @seq: as in struct egpu_device
 * @time: as in struct egpu_device
 */
struct egpu_migration {
	uint64_t present;
	size_t size;
	uint64_t migration;
	uint32_t phase;
	uint32_t id;
	uint32_t target;
	bool cpu;
	uint64_t cookie;
	uint32_t pid;
	char comm[EGPU_STRING_MAX];
	uint64_t bytes;
	uint64_t duration;
	uint64_t still;
	uint64_t lost;
	char checkpoint[EGPU_STRING_MAX];
	char reason[EGPU_REASON_LEN + 1];
	uint32_t helper;
	uint64_t seq;
	uint64_t time;
};

/**
 * struct egpu_settings - the settings and the state of the module
 * @present: see EGPU_HAS() and EGPU_A_SETTINGS_*
 * @hold_ms: longest wait for a helper in a removal begun by others, in ms
 * @accept_ms: longest wait for a helper to accept, in ms
 * @eject_ms: deadline of an eject that names none, in ms
 * @instance: different after each load of the module
 * @seq: number of the last event
 * @helpers: a helper listens
 * @version: version of the module
 * @drain_ms: how long a forced eject waits for work in flight when no helper
 *	has seen to that, in ms
 */
struct egpu_settings {
	uint64_t present;
	uint32_t hold_ms;
	uint32_t accept_ms;
	uint32_t eject_ms;
	uint64_t instance;
	uint64_t seq;
	bool helpers;
	char version[EGPU_STRING_MAX];
	uint32_t drain_ms;
};

/**
 * struct egpu_override - a rule that says what hangs on a cable
 * @present: see EGPU_HAS() and EGPU_A_OVERRIDE_*
 * @address: PCI address of a GPU or of a bridge above it
 * @placement: enum egpu_placement
 */
struct egpu_override {
	uint64_t present;
	char address[EGPU_ADDRESS_LEN + 1];
	uint32_t placement;
};

/**
 * struct egpu_device_list - GPUs in the order of their ids
 * @count: number of @item
 * @item: the GPUs, owned by the list
 */
struct egpu_device_list {
	size_t count;
	struct egpu_device *item[];
};

/**
 * struct egpu_removal_list - removals in the order of their cookies
 * @count: number of @item
 * @item: the removals, owned by the list
 */
struct egpu_removal_list {
	size_t count;
	struct egpu_removal *item[];
};

/**
 * struct egpu_client_list - clients in the kernel's order
 * @count: number of @item
 * @item: the clients, owned by the list
 */
struct egpu_client_list {
	size_t count;
	struct egpu_client *item[];
};

/**
 * struct egpu_buffer_list - buffers in the kernel's order
 * @count: number of @item
 * @item: the buffers, owned by the list
 */
struct egpu_buffer_list {
	size_t count;
	struct egpu_buffer *item[];
};

/**
 * struct egpu_override_list - rules in the kernel's order
 * @count: number of @item
 * @item: the rules, owned by the list
 */
struct egpu_override_list {
	size_t count;
	struct egpu_override *item[];
};

/**
 * egpu_device_free() - free a GPU
 * @device: what a call of this library has returned, or NULL
 */
void egpu_device_free(struct egpu_device *device);

/**
 * egpu_removal_free() - free a removal
 * @removal: what a call of this library has returned, or NULL
 */
void egpu_removal_free(struct egpu_removal *removal);

/**
 * egpu_settings_free() - free settings
 * @settings: what a call of this library has returned, or NULL
 */
void egpu_settings_free(struct egpu_settings *settings);

/**
 * egpu_device_list_free() - free a list with its GPUs
 * @list: what a call of this library has returned, or NULL
 */
void egpu_device_list_free(struct egpu_device_list *list);

/**
 * egpu_removal_list_free() - free a list with its removals
 * @list: what a call of this library has returned, or NULL
 */
void egpu_removal_list_free(struct egpu_removal_list *list);

/**
 * egpu_client_list_free() - free a list with its clients
 * @list: what a call of this library has returned, or NULL
 */
void egpu_client_list_free(struct egpu_client_list *list);

/**
 * egpu_buffer_list_free() - free a list with its buffers
 * @list: what a call of this library has returned, or NULL
 */
void egpu_buffer_list_free(struct egpu_buffer_list *list);

/**
 * egpu_quiesce_free() - free what egpu_quiesce_get() has returned
 * @quiesce: it, or NULL
 */
void egpu_quiesce_free(struct egpu_quiesce *quiesce);

/**
 * egpu_override_list_free() - free a list with its rules
 * @list: what a call of this library has returned, or NULL
 */
void egpu_override_list_free(struct egpu_override_list *list);

/* ------------------------------------------------------------- context */

/** struct egpu_ctx - a netlink socket, what is known of the family, an error */
struct egpu_ctx;

/**
 * egpu_open() - make a context
 * @ctx: where to put it; NULL on failure
 *
 * Succeeds whether or not the module is loaded; it is looked for when it is
 * needed, and again after it was reloaded.
 *
 * Return: 0, or -ENOMEM, -EMFILE and the other errors of socket(2).
 */
int egpu_open(struct egpu_ctx **ctx);

/**
 * egpu_close() - close a context
 * @ctx: context whose monitors are all freed, or NULL
 *
 * To the kernel this is the death of a helper that has accepted a removal.
 */
void egpu_close(struct egpu_ctx *ctx);

/**
 * egpu_error() - what went wrong in the last call that failed
 * @ctx: context
 *
 * Return: a sentence without a newline, valid until the next call on @ctx;
 * empty when nothing failed yet. Never NULL.
 */
const char *egpu_error(const struct egpu_ctx *ctx);

/**
 * egpu_error_attribute() - which attribute the kernel found at fault
 * @ctx: context
 *
 * Return: the attribute's name in the netlink spec ("timeout-ms"), or NULL when
 * the kernel named none in the last call that failed.
 */
const char *egpu_error_attribute(const struct egpu_ctx *ctx);

/* ------------------------------------------------------------- requests */

/**
 * egpu_device_get() - ask for one GPU
 * @ctx: context
 * @id: device id, or 0 to ask by @address
 * @address: full PCI address, or NULL
 * @device: where to put it; free it with egpu_device_free()
 *
 * Return: 0, -ENODEV when there is none, -EINVAL when neither or a malformed
 * name was given, or another errno.
 */
int egpu_device_get(struct egpu_ctx *ctx, uint32_t id, const char *address,
		    struct egpu_device **device);

/**
 * egpu_device_list() - ask for all GPUs
 * @ctx: context
 * @list: where to put them; free it with egpu_device_list_free()
 *
 * Return: 0 or a negative errno.
 */
int egpu_device_list(struct egpu_ctx *ctx, struct egpu_device_list **list);

/**
 * egpu_client_list() - ask who has GPUs open
 * @ctx: context
 * @id: device id, or 0 for all GPUs
 * @list: where to put them; free it with egpu_client_list_free()
 *
 * Without CAP_NET_ADMIN in the initial namespace only the asker's own
 * processes are in the list.
 *
 * Return: 0, -ENODEV when there is no GPU @id, or another errno.
 */
int egpu_client_list(struct egpu_ctx *ctx, uint32_t id,
		     struct egpu_client_list **list);

/**
 * egpu_client_list_of() - ask whom a removal has hit
 * @ctx: context
 * @cookie: names the removal
 * @list: where to put who had the GPU open when its driver was about to lose
 *	it; free it with egpu_client_list_free()
 *
 * Without CAP_NET_ADMIN in the initial namespace only the asker's own
 * processes are in the list. A process may have ended since.
 *
 * Return: 0, -ENOENT when the kernel does not know it (any more), or another
 * errno.
 */
int egpu_client_list_of(struct egpu_ctx *ctx, uint64_t cookie,
			struct egpu_client_list **list);

/**
 * egpu_buffer_list() - ask for the buffers of all clients of a GPU
 * @ctx: context
 * @id: device id
 * @list: where to put them; free it with egpu_buffer_list_free()
 *
 * Without CAP_NET_ADMIN in the initial namespace only those of the asker's own
 * processes are in the list.
 *
 * Return: 0, -ENODEV when there is no GPU @id, or another errno.
 */
int egpu_buffer_list(struct egpu_ctx *ctx, uint32_t id,
		     struct egpu_buffer_list **list);

/**
 * egpu_removal_get() - ask for one removal
 * @ctx: context
 * @cookie: names it
 * @removal: where to put it; free it with egpu_removal_free()
 *
 * Return: 0, -ENOENT when the kernel does not know it (any more), or another
 * errno.
 */
int egpu_removal_get(struct egpu_ctx *ctx, uint64_t cookie,
		     struct egpu_removal **removal);

/**
 * egpu_removal_list() - ask for all open removals and the latest finished ones
 * @ctx: context
 * @list: where to put them; free it with egpu_removal_list_free()
 *
 * Return: 0 or a negative errno.
 */
int egpu_removal_list(struct egpu_ctx *ctx, struct egpu_removal_list **list);

/**
 * struct egpu_eject_options - how to eject (declared by the caller)
 * @size: sizeof(struct egpu_eject_options), so that it can grow
 * @timeout_ms: deadline in ms, at most EGPU_EJECT_MS_MAX; 0 for the default
 * @force: go on although the GPU is in use
 */
struct egpu_eject_options {
	size_t size;
	uint32_t timeout_ms;
	bool force;
};

/**
 * egpu_eject() - begin the graceful removal of an external GPU
 * @ctx: context
 * @id: device id
 * @options: how, or NULL for the defaults
 * @cookie: where to put the cookie of the removal, or NULL
 *
 * Comes back at once; how it goes on comes as events, so a caller who wants to
 * know makes a monitor first. Needs CAP_NET_ADMIN.
 *
 * Return: 0; -ENODEV no such GPU, -EOPNOTSUPP it is internal, -EALREADY it is
 * leaving already, -EBUSY it is in use and nobody could change that, -EPERM.
 */
int egpu_eject(struct egpu_ctx *ctx, uint32_t id,
	       const struct egpu_eject_options *options, uint64_t *cookie);

/**
 * egpu_cancel() - call an eject off
 * @ctx: context
 * @cookie: names it
 * @reason: why, at most EGPU_REASON_LEN bytes, or NULL
 *
 * Return: 0; -ENOENT unknown, -EALREADY released already or not an eject,
 * -EPERM, -EINVAL @reason is too long.
 */
int egpu_cancel(struct egpu_ctx *ctx, uint64_t cookie, const char *reason);

/**
 * egpu_accept() - take a pending removal, which then waits for egpu_ack()
 * @ctx: context; its life is the helper's life, egpu_close() lets go of
 *	everything that it has accepted
 * @cookie: names the removal
 *
 * Return: 0; -ENOENT unknown, -EBUSY another helper was first, -EALREADY it is
 * over or was accepted already, -ETIME too late, -EPERM.
 */
int egpu_accept(struct egpu_ctx *ctx, uint64_t cookie);

/**
 * egpu_ack() - say that an accepted removal can go on
 * @ctx: the context that accepted it
 * @cookie: names the removal
 *
 * Return: 0; -ENOENT unknown, -EPERM accepted by another, -EPROTO not accepted
 * yet, -ETIME too late, -EALREADY done already.
 */
int egpu_ack(struct egpu_ctx *ctx, uint64_t cookie);

/**
 * egpu_ack_vouched() - let a removal go on although clients have the GPU open
 * @ctx: the context that accepted it
 * @cookie: names the removal
 *
 * For a helper that has seen to them: frozen, told, or given up on purpose.
 *
 * Return: as egpu_ack().
 */
int egpu_ack_vouched(struct egpu_ctx *ctx, uint64_t cookie);

/**
 * egpu_refuse() - end an accepted eject without removing anything
 * @ctx: the context that accepted it
 * @cookie: names the eject
 * @reason: who uses the GPU and why that cannot be ended, at most
 *	EGPU_REASON_LEN bytes, or NULL
 *
 * Return: 0; -ENOENT unknown, -EPERM accepted by another, -EINVAL not an eject
 * that waits, or @reason is too long.
 */
int egpu_refuse(struct egpu_ctx *ctx, uint64_t cookie, const char *reason);

/**
 * egpu_report() - say what the helper is doing for an accepted removal
 * @ctx: the context that accepted it
 * @cookie: names the removal
 * @step: enum egpu_step
 *
 * Everybody is told by EGPU_EVENT_REMOVAL_PROGRESS.
 *
 * Return: 0; -ENOENT unknown, -EPERM accepted by another, -ETIME it waits no
 * more.
 */
int egpu_report(struct egpu_ctx *ctx, uint64_t cookie, uint32_t step);

/**
 * egpu_fence() - own the quiescing of an external GPU
 * @ctx: context; its life is the fence's life
 * @id: device id
 *
 * Says that the caller keeps new clients away from it, which is for the caller
 * to do. The kernel counts and tells.
 *
 * Return: 0; -ENODEV no such GPU, -EOPNOTSUPP it is internal, -EALREADY the
 * caller has fenced it, -EBUSY another has, -EPERM.
 */
int egpu_fence(struct egpu_ctx *ctx, uint32_t id);

/**
 * egpu_drain() - begin to wait for the work in flight on a fenced GPU
 * @ctx: the context that has fenced it
 * @id: device id
 * @timeout_ms: at most EGPU_EJECT_MS_MAX, at least 1
 *
 * Comes back at once; EGPU_EVENT_QUIESCE tells how it goes and ends.
 *
 * Return: 0; -ENODEV no such GPU, -EPROTO not fenced, -EPERM fenced by another,
 * -EALREADY draining or quiesced already.
 */
int egpu_drain(struct egpu_ctx *ctx, uint32_t id, uint32_t timeout_ms);

/**
 * egpu_resume() - end a fence, and a drain that goes on
 * @ctx: the context that has fenced it
 * @id: device id
 *
 * Return: 0; -ENODEV no such GPU, -EALREADY not fenced, -EPERM fenced by
 * another.
 */
int egpu_resume(struct egpu_ctx *ctx, uint32_t id);

/**
 * egpu_quiesce_get() - ask how far the clients of a GPU are stopped
 * @ctx: context
 * @id: device id
 * @quiesce: where to put it; free it with egpu_quiesce_free()
 *
 * Return: 0, -ENODEV when there is no GPU @id, or another errno.
 */
int egpu_quiesce_get(struct egpu_ctx *ctx, uint32_t id,
		     struct egpu_quiesce **quiesce);

/**
 * egpu_migrate() - tell everybody how the migration of a program goes
 * @ctx: context
 * @migration: what to say; what is 0, false or empty is left unsaid
 *
 * For helpers. The kernel passes it on as EGPU_EVENT_MIGRATION.
 *
 * Return: 0; -ENODEV there is no such GPU and was none, -ENOENT the same of the
 * removal, -EINVAL @target and @cpu, an unknown phase, no number, a text without
 * end, or no size, -ERANGE a text is too long, -EPERM no helper listens, or no
 * CAP_NET_ADMIN, -EOPNOTSUPP the module knows of no migrations.
 */
int egpu_migrate(struct egpu_ctx *ctx, const struct egpu_migration *migration);

/**
 * egpu_settings_get() - ask for the settings and the state of the module
 * @ctx: context
 * @settings: where to put them; free it with egpu_settings_free()
 *
 * Return: 0 or a negative errno.
 */
int egpu_settings_get(struct egpu_ctx *ctx, struct egpu_settings **settings);

/**
 * egpu_setting_set() - change one setting
 * @ctx: context
 * @attr: EGPU_A_SETTINGS_HOLD_MS, EGPU_A_SETTINGS_ACCEPT_MS,
 *	EGPU_A_SETTINGS_EJECT_MS or EGPU_A_SETTINGS_DRAIN_MS
 * @value: in ms
 *
 * Return: 0, -ERANGE or -EINVAL when the kernel does not take @value, -EPERM.
 */
int egpu_setting_set(struct egpu_ctx *ctx, int attr, uint32_t value);

/**
 * egpu_settings_set() - change several settings at once, or none
 * @ctx: context
 * @attrs: @count attributes as in egpu_setting_set()
 * @values: @count values
 * @count: how many, at least 1
 *
 * Return: as egpu_setting_set(); after a failure none is changed.
 */
int egpu_settings_set(struct egpu_ctx *ctx, const int *attrs,
		      const uint32_t *values, size_t count);

/**
 * egpu_override_list() - ask for all rules
 * @ctx: context
 * @list: where to put them; free it with egpu_override_list_free()
 *
 * Return: 0 or a negative errno.
 */
int egpu_override_list(struct egpu_ctx *ctx, struct egpu_override_list **list);

/**
 * egpu_override_set() - say what everything at and below an address is
 * @ctx: context
 * @address: full PCI address of a GPU or of a bridge above it
 * @placement: enum egpu_placement; EGPU_PLACEMENT_AUTO takes the rule away
 *
 * Return: 0; -EINVAL not an address or placement, -ENOENT no rule to take away,
 * -ENOSPC too many rules, -EPERM.
 */
int egpu_override_set(struct egpu_ctx *ctx, const char *address,
		      uint32_t placement);

/* ------------------------------------------------------------- monitor */

/** struct egpu_monitor - a subscription with a mirror of the kernel's state */
struct egpu_monitor;

/**
 * enum egpu_monitor_flags - how to subscribe
 * @EGPU_MONITOR_HELPER: also be a helper: removals wait for somebody who
 *	accepts. Needs CAP_NET_ADMIN.
 * @EGPU_MONITOR_WAIT: the module need not be loaded, wait for it; and go on
 *	after it was unloaded, which is reported but no error.
 */
enum egpu_monitor_flags {
	EGPU_MONITOR_HELPER = 1,
	EGPU_MONITOR_WAIT = 2,
};

/**
 * enum egpu_event_type - what an event says
 * @EGPU_EVENT_START: the first event of every monitor: the state to start from
 * @EGPU_EVENT_CONNECTED: a GPU appeared
 * @EGPU_EVENT_CHANGED: a GPU's state, driver or placement changed
 * @EGPU_EVENT_REMOVAL_PENDING: a GPU is about to go
 * @EGPU_EVENT_REMOVAL_PROGRESS: a removal entered another phase
 * @EGPU_EVENT_DISCONNECTED: a GPU left the bus
 * @EGPU_EVENT_RESYNC: events were lost; here is the state now
 * @EGPU_EVENT_MODULE_GONE: the module was unloaded; all ids and cookies are void
 * @EGPU_EVENT_MODULE_BACK: the module was loaded; here is the state now
 * @EGPU_EVENT_QUIESCE: the quiescing of a GPU entered another state, or a drain
 *	goes on. Not mirrored: after a RESYNC ask egpu_quiesce_get()
 * @EGPU_EVENT_MIGRATION: the work of a program goes to another device, or a copy
 *	of it was made. Not mirrored: what was lost is not told again
 */
enum egpu_event_type {
	EGPU_EVENT_START,
	EGPU_EVENT_CONNECTED,
	EGPU_EVENT_CHANGED,
	EGPU_EVENT_REMOVAL_PENDING,
	EGPU_EVENT_REMOVAL_PROGRESS,
	EGPU_EVENT_DISCONNECTED,
	EGPU_EVENT_RESYNC,
	EGPU_EVENT_MODULE_GONE,
	EGPU_EVENT_MODULE_BACK,
	EGPU_EVENT_QUIESCE,
	EGPU_EVENT_MIGRATION,
};

/**
 * enum egpu_loss - why a monitor had to resynchronise
 * @EGPU_LOSS_NONE: it had not to
 * @EGPU_LOSS_OVERFLOW: the socket's buffer was full, the reader too slow
 * @EGPU_LOSS_GAP: a sequence number was missing
 * @EGPU_LOSS_MALFORMED: an event could not be understood
 */
enum egpu_loss {
	EGPU_LOSS_NONE,
	EGPU_LOSS_OVERFLOW,
	EGPU_LOSS_GAP,
	EGPU_LOSS_MALFORMED,
};

/**
 * struct egpu_event - one event
 * @type: enum egpu_event_type; skip those that you do not know
 * @synthetic: made by the library out of a difference found while it
 *	resynchronised, not sent by the kernel in this form
 * @loss: enum egpu_loss, in EGPU_EVENT_RESYNC
 * @loaded: whether the module is loaded, in EGPU_EVENT_START
 * @seq: the kernel's event number; in a synthetic event that of the state
 * @time: when the kernel made the event; 0 in synthetic events
 * @instance: which load of the module this is about, 0 if none
 * @device: in CONNECTED and CHANGED the GPU; in the events of a removal the GPU
 *	as last known, or NULL; in MIGRATION the GPU that is left, or NULL
 * @removal: in REMOVAL_PENDING, REMOVAL_PROGRESS and DISCONNECTED the removal
 * @devices: all GPUs, in START, RESYNC and MODULE_BACK
 * @removals: all removals that the kernel remembers, in the same
 * @quiesce: in QUIESCE how far the clients are stopped, without culprits
 * @migration: in MIGRATION how it goes
 * @target: in MIGRATION the GPU that is gone to, or NULL
 */
struct egpu_event {
	uint32_t type;
	bool synthetic;
	uint32_t loss;
	bool loaded;
	uint64_t seq;
	uint64_t time;
	uint64_t instance;
	const struct egpu_device *device;
	const struct egpu_removal *removal;
	const struct egpu_device_list *devices;
	const struct egpu_removal_list *removals;
	const struct egpu_quiesce *quiesce;
	const struct egpu_migration *migration;
	const struct egpu_device *target;
};

/**
 * egpu_monitor_new() - subscribe
 * @ctx: context, used for the dumps; must outlive the monitor
 * @flags: bits of enum egpu_monitor_flags
 * @monitor: where to put it
 *
 * When this returns, the subscription stands: whatever happens from now on will
 * be delivered.
 *
 * Return: 0; -EPROTONOSUPPORT without EGPU_MONITOR_WAIT, -EPERM with
 * EGPU_MONITOR_HELPER and no CAP_NET_ADMIN (here or, when the module comes
 * later, from egpu_monitor_next()), or another errno.
 */
int egpu_monitor_new(struct egpu_ctx *ctx, unsigned int flags,
		     struct egpu_monitor **monitor);

/**
 * egpu_monitor_free() - end a subscription
 * @monitor: monitor or NULL
 */
void egpu_monitor_free(struct egpu_monitor *monitor);

/**
 * egpu_monitor_fd() - the file descriptor to wait for
 * @monitor: monitor
 *
 * Wait for POLLIN, and only after egpu_monitor_next() has returned 0: events
 * can be ready that the descriptor does not know of. POLLERR means overflow,
 * for which egpu_monitor_next() is to be called as well.
 *
 * Return: a descriptor that is the same for the life of the monitor.
 */
int egpu_monitor_fd(const struct egpu_monitor *monitor);

/**
 * egpu_monitor_next() - take the next event
 * @monitor: monitor
 * @event: where to put a pointer to it, valid until the next call
 *
 * Never blocks for an event. The first event is EGPU_EVENT_START.
 *
 * What a subscriber can count on, whatever was lost on the way:
 *
 * - Kernel events come in order of their number, none twice.
 * - For each GPU exactly one CONNECTED, then its changes, then exactly one
 *   DISCONNECTED, unless the module is unloaded before.
 * - After a loss the library empties its queue, dumps the state until it has a
 *   consistent one and delivers EGPU_EVENT_RESYNC with it, followed by the
 *   differences to what was last known as synthetic events: first removals
 *   (PENDING, PROGRESS, DISCONNECTED) by cookie, then CONNECTED and CHANGED.
 *   So who ignores RESYNC still sees all that happened, only not each step.
 * - START and MODULE_BACK are followed by the same events against an empty
 *   state; finished removals are then left out.
 * - Without EGPU_MONITOR_WAIT, MODULE_GONE is the last event and the call
 *   after it returns -EPROTONOSUPPORT.
 *
 * Return: 1 with an event, 0 when there is none now, or a negative errno. After
 * an error it is safe to call again; the library then starts with a resync.
 */
int egpu_monitor_next(struct egpu_monitor *monitor,
		      const struct egpu_event **event);

/* ------------------------------------------------------------- names */

/**
 * enum egpu_names - tables of names, which are those of the netlink spec
 * @EGPU_NAMES_STATE: enum egpu_device_state
 * @EGPU_NAMES_MARKER: enum egpu_marker
 * @EGPU_NAMES_PLACEMENT: enum egpu_placement
 * @EGPU_NAMES_CAUSE: enum egpu_cause
 * @EGPU_NAMES_EVIDENCE: enum egpu_evidence, single bits
 * @EGPU_NAMES_ORIGIN: enum egpu_origin
 * @EGPU_NAMES_PHASE: enum egpu_phase
 * @EGPU_NAMES_RELEASE: enum egpu_release
 * @EGPU_NAMES_MINOR: enum egpu_minor_type
 * @EGPU_NAMES_EVENT: enum egpu_event_type
 * @EGPU_NAMES_LOSS: enum egpu_loss
 * @EGPU_NAMES_STEP: enum egpu_step
 * @EGPU_NAMES_QUIESCE: enum egpu_quiesce_state
 * @EGPU_NAMES_DRAIN: enum egpu_drain_result
 * @EGPU_NAMES_MIGRATION: enum egpu_migration_phase
 */
enum egpu_names {
	EGPU_NAMES_STATE,
	EGPU_NAMES_MARKER,
	EGPU_NAMES_PLACEMENT,
	EGPU_NAMES_CAUSE,
	EGPU_NAMES_EVIDENCE,
	EGPU_NAMES_ORIGIN,
	EGPU_NAMES_PHASE,
	EGPU_NAMES_RELEASE,
	EGPU_NAMES_MINOR,
	EGPU_NAMES_EVENT,
	EGPU_NAMES_LOSS,
	EGPU_NAMES_STEP,
	EGPU_NAMES_QUIESCE,
	EGPU_NAMES_DRAIN,
	EGPU_NAMES_MIGRATION,
};

/** EGPU_NAME_SIZE - room that egpu_name_text() needs at most */
#define EGPU_NAME_SIZE 32

/**
 * egpu_name() - the name of a value
 * @table: which table
 * @value: value
 *
 * Return: a constant string such as "helper-died", or NULL when it is unknown.
 */
const char *egpu_name(enum egpu_names table, uint32_t value);

/**
 * egpu_name_text() - the name of a value, or "unknown(17)"
 * @table: which table
 * @value: value
 * @buf: room for the text of an unknown value
 * @size: size of @buf, EGPU_NAME_SIZE is enough
 *
 * Return: @buf or a constant string, never NULL.
 */
const char *egpu_name_text(enum egpu_names table, uint32_t value, char *buf,
			   size_t size);

/**
 * egpu_value() - the value of a name
 * @table: which table
 * @name: name
 * @value: where to put the value
 *
 * Return: 0 or -ENOENT.
 */
int egpu_value(enum egpu_names table, const char *name, uint32_t *value);

/**
 * egpu_minor_path() - where the node of a minor is
 * @minor: minor
 * @buf: where to put the path, "/dev/dri/renderD128"
 * @size: size of @buf, 32 is enough
 *
 * Return: the length of the path; 0 and an empty string when the kind of the
 * node is not one that has a known place.
 */
size_t egpu_minor_path(const struct egpu_minor *minor, char *buf, size_t size);

/** egpu_version() - version of the library, "0.1.0" */
const char *egpu_version(void);

#ifdef __cplusplus
}
#endif

#endif /* EGPU_H */
