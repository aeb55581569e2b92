/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of libegpu share. One section per .c file.
 */
#ifndef EGPU_PRIVATE_H
#define EGPU_PRIVATE_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/genl/genl.h>
#include <sys/types.h>

#include "egpu.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------- link.c */

/*
 * The largest datagram that is read. The kernel fills the messages of a dump up
 * to 32 KiB when the reader has shown that it has that much room.
 */
#define EGPU_DATAGRAM_MAX 32768

struct egpu_link;

/**
 * struct egpu_link_ops - what a netlink socket does
 * @close: close it and free the link
 * @send: send one request; 0 or a negative errno
 * @recv: take one datagram that came from the kernel, waiting at most
 *	timeout_ms; its length, -EAGAIN when none came, -ENOBUFS after an
 *	overflow, -EMSGSIZE when it was larger than size
 * @join: join a multicast group; 0 or a negative errno
 *
 * Everything above this table is the same in production and in the unit tests,
 * which put a kernel of their own behind it.
 */
struct egpu_link_ops {
	void (*close)(struct egpu_link *link);
	int (*send)(struct egpu_link *link, const void *buf, size_t len);
	ssize_t (*recv)(struct egpu_link *link, void *buf, size_t size,
			int timeout_ms);
	int (*join)(struct egpu_link *link, uint32_t group);
};

/**
 * struct egpu_link - one netlink socket
 * @ops: what it does
 * @fd: to wait for
 */
struct egpu_link {
	const struct egpu_link_ops *ops;
	int fd;
};

/**
 * struct egpu_transport - where links come from
 * @open: make one; 0 or a negative errno
 * @arg: the transport's own
 */
struct egpu_transport {
	int (*open)(const struct egpu_transport *transport,
		    struct egpu_link **link);
	void *arg;
};

extern const struct egpu_transport egpu_netlink_transport;

/* ------------------------------------------------------------- family.c */

/**
 * struct egpu_family - what nlctrl says of a family
 * @id: message type, 0 when the family is not there
 * @events: number of the multicast group "events", 0 if there is none
 * @helper: number of the multicast group "helper", 0 if there is none
 */
struct egpu_family {
	uint16_t id;
	uint32_t events;
	uint32_t helper;
};

/**
 * struct egpu_family_notice - a message of nlctrl's group "notify"
 * @cmd: CTRL_CMD_NEWFAMILY, CTRL_CMD_DELFAMILY, or 0 if it is not about us
 * @id: the family's message type
 */
struct egpu_family_notice {
	uint8_t cmd;
	uint16_t id;
};

int egpu_family_find(struct egpu_ctx *ctx, struct egpu_family *family);
int egpu_family_ensure(struct egpu_ctx *ctx);
void egpu_family_notice(struct nlmsghdr *nlh, struct egpu_family_notice *notice);

/* nlctrl's own group has had this number since it exists; it cannot move. */
#define EGPU_NLCTRL_GROUP GENL_ID_CTRL

/* ------------------------------------------------------------- context.c */

#define EGPU_ERROR_SIZE 512

/**
 * struct egpu_ctx - see egpu.h
 * @transport: where further links come from
 * @link: the socket of all requests
 * @family: as last found, .id 0 when it has to be looked for
 * @seq: sequence number of the last request
 * @what: what is being tried, goes into the error text
 * @error: text of the last error
 * @error_attr: attribute the kernel blamed in the last error, or NULL
 * @buf: the datagram being read
 */
struct egpu_ctx {
	const struct egpu_transport *transport;
	struct egpu_link *link;
	struct egpu_family family;
	uint32_t seq;
	char what[96];
	char error[EGPU_ERROR_SIZE];
	const char *error_attr;
	uint32_t buf[EGPU_DATAGRAM_MAX / sizeof(uint32_t)];
};

int egpu_open_transport(const struct egpu_transport *transport,
			struct egpu_ctx **ctx);
void egpu_what(struct egpu_ctx *ctx, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int egpu_fail(struct egpu_ctx *ctx, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int egpu_fail_errno(struct egpu_ctx *ctx, int err);

/* ------------------------------------------------------------- request.c */

/** egpu_reply_fn - called per reply; 0, or a negative errno that ends it all */
typedef int (*egpu_reply_fn)(struct nlmsghdr *nlh, void *arg);

struct nl_msg *egpu_msg_new(struct egpu_ctx *ctx, uint16_t type, uint8_t cmd,
			    int flags);
int egpu_transact(struct egpu_ctx *ctx, struct nl_msg *msg, egpu_reply_fn fn,
		  void *arg);
int egpu_call(struct egpu_ctx *ctx, struct nl_msg *msg, egpu_reply_fn fn,
	      void *arg);

/* ------------------------------------------------------------- codec.c */

int egpu_decode_device(struct nlmsghdr *nlh, struct egpu_device **device);
int egpu_decode_removal(struct nlmsghdr *nlh, struct egpu_removal **removal);
int egpu_decode_client(struct nlmsghdr *nlh, struct egpu_client **client);
int egpu_decode_buffer(struct nlmsghdr *nlh, struct egpu_buffer **buffer);
int egpu_decode_quiesce(struct nlmsghdr *nlh, struct egpu_quiesce **quiesce);
int egpu_decode_migration(struct nlmsghdr *nlh,
			  struct egpu_migration **migration);
int egpu_decode_settings(struct nlmsghdr *nlh, struct egpu_settings **settings);
int egpu_decode_override(struct nlmsghdr *nlh, struct egpu_override **rule);

/**
 * struct egpu_decoded - an event message of the family
 * @type: enum egpu_event_type
 * @device: GPU or NULL, the caller's to free
 * @removal: removal or NULL, the caller's to free
 * @quiesce: quiescing or NULL, the caller's to free
 * @migration: migration or NULL, the caller's to free
 */
struct egpu_decoded {
	uint32_t type;
	struct egpu_device *device;
	struct egpu_removal *removal;
	struct egpu_quiesce *quiesce;
	struct egpu_migration *migration;
};

int egpu_decode_event(struct nlmsghdr *nlh, struct egpu_decoded *decoded);

/* ------------------------------------------------------------- names.c */

const char *egpu_attr_name(uint8_t cmd, int attr);

/* ------------------------------------------------------------- vec.c */

/**
 * struct egpu_vec - a growing array of pointers to allocated objects
 * @item: the objects
 * @count: how many
 * @room: how many @item has room for
 */
struct egpu_vec {
	void **item;
	size_t count;
	size_t room;
};

int egpu_vec_insert(struct egpu_vec *vec, size_t at, void *item);
int egpu_vec_push(struct egpu_vec *vec, void *item);
void egpu_vec_drop(struct egpu_vec *vec, size_t at);
void egpu_vec_clear(struct egpu_vec *vec);
void *egpu_memdup(const void *object, size_t size);

struct egpu_device_list *egpu_vec_to_devices(struct egpu_vec *vec);
struct egpu_removal_list *egpu_vec_to_removals(struct egpu_vec *vec);
struct egpu_client_list *egpu_vec_to_clients(struct egpu_vec *vec);
struct egpu_buffer_list *egpu_vec_to_buffers(struct egpu_vec *vec);
struct egpu_override_list *egpu_vec_to_overrides(struct egpu_vec *vec);

/* ------------------------------------------------------------- dump.c */

int egpu_dump_devices(struct egpu_ctx *ctx, struct egpu_vec *vec);
int egpu_dump_removals(struct egpu_ctx *ctx, struct egpu_vec *vec);

/* ------------------------------------------------------------- mirror.c */

/* Finished removals are kept to tell what is new after a loss; no more. */
#define EGPU_MIRROR_REMOVALS_MAX 256

/**
 * struct egpu_mirror - the kernel's state as a monitor's user was told it
 * @devices: struct egpu_device, by id
 * @removals: struct egpu_removal, by cookie
 */
struct egpu_mirror {
	struct egpu_vec devices;
	struct egpu_vec removals;
};

void egpu_mirror_clear(struct egpu_mirror *mirror);
int egpu_mirror_copy(struct egpu_mirror *to, const struct egpu_mirror *from);
struct egpu_device *egpu_mirror_device(const struct egpu_mirror *mirror,
				       uint32_t id);
struct egpu_removal *egpu_mirror_removal(const struct egpu_mirror *mirror,
					 uint64_t cookie);
int egpu_mirror_put_device(struct egpu_mirror *mirror,
			   const struct egpu_device *device);
int egpu_mirror_put_removal(struct egpu_mirror *mirror,
			    const struct egpu_removal *removal);
void egpu_mirror_drop_device(struct egpu_mirror *mirror, uint32_t id);
bool egpu_removal_is_over(const struct egpu_removal *removal);
bool egpu_device_same(const struct egpu_device *a, const struct egpu_device *b);
bool egpu_removal_same(const struct egpu_removal *a,
		       const struct egpu_removal *b);

/* ------------------------------------------------------------- monitor.c */

/**
 * struct egpu_queued - an event waiting to be taken, with all that it owns
 * @event: what the user gets
 * @device: what @event.device points to
 * @removal: what @event.removal points to
 * @quiesce: what @event.quiesce points to
 * @migration: what @event.migration points to
 * @target: what @event.target points to
 * @devices: what @event.devices points to
 * @removals: what @event.removals points to
 */
struct egpu_queued {
	struct egpu_event event;
	struct egpu_device *device;
	struct egpu_removal *removal;
	struct egpu_quiesce *quiesce;
	struct egpu_migration *migration;
	struct egpu_device *target;
	struct egpu_device_list *devices;
	struct egpu_removal_list *removals;
};

/**
 * struct egpu_monitor - see egpu.h
 * @ctx: for dumps and error texts
 * @flags: enum egpu_monitor_flags
 * @link: the socket of the events
 * @joined: the family whose groups @link is a member of, .id 0 if none
 * @started: EGPU_EVENT_START was queued
 * @loaded: the module is there, as far as the user was told
 * @ended: the module went and the user does not want to wait for it
 * @stale: @mirror is not to be trusted, resynchronise
 * @loss: why @stale
 * @instance: which load of the module @mirror is of
 * @seq: the last event that is in @mirror
 * @mirror: the state as the user was told it
 * @queue: struct egpu_queued, oldest first
 * @current: the event that the user has in hands, or NULL
 * @buf: the datagram being read
 */
struct egpu_monitor {
	struct egpu_ctx *ctx;
	unsigned int flags;
	struct egpu_link *link;
	struct egpu_family joined;
	bool started;
	bool loaded;
	bool ended;
	bool stale;
	uint32_t loss;
	uint64_t instance;
	uint64_t seq;
	struct egpu_mirror mirror;
	struct egpu_vec queue;
	struct egpu_queued *current;
	uint32_t buf[EGPU_DATAGRAM_MAX / sizeof(uint32_t)];
};

int egpu_monitor_queue(struct egpu_monitor *mon, const struct egpu_event *event);
int egpu_monitor_queue_state(struct egpu_monitor *mon, uint32_t type);
int egpu_monitor_module_gone(struct egpu_monitor *mon);

/* ------------------------------------------------------------- resync.c */

int egpu_monitor_resync(struct egpu_monitor *mon);

/* ------------------------------------------------------------- diff.c */

int egpu_monitor_diff(struct egpu_monitor *mon, const struct egpu_mirror *old,
		      bool from_nothing);

#endif /* EGPU_PRIVATE_H */
