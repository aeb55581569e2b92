/* SPDX-License-Identifier: GPL-2.0 */
/*
 * egpu: hotplug of external GPUs. Internal interfaces, one section per file.
 *
 * One mutex, egpu_lock, guards the registry, the requests, the rules, the
 * settings and the event counter, so that the order of events is the order
 * of what happened. It nests inside device_lock and the PCI rescan lock (the
 * notifier comes with them) and is never held while anybody is waited for.
 * Netlink handlers take it and nothing outside it, so an ack can always come
 * in while a removal is held.
 */
#ifndef _EGPU_H
#define _EGPU_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <uapi/linux/egpu.h>

#include "classify.h"
#include "quiesce_fsm.h"
#include "request_fsm.h"

#define EGPU_VERSION	  "0.1.0"
#define EGPU_NAME_LEN	  32
#define EGPU_MINORS_MAX	  8
#define EGPU_RULES_MAX	  64
#define EGPU_HISTORY_MAX  32
#define EGPU_CULPRITS_MAX 16

struct egpu_device;
struct egpu_migration;
struct egpu_request;

/* drm_clients.c: who has the GPU open */

/**
 * struct egpu_minor - one DRM node
 * @type: primary, render, ...
 * @index: its number
 */
struct egpu_minor {
	enum egpu_minor_type type;
	u32 index;
};

/**
 * struct egpu_client - one open DRM file
 * @client_id: the kernel's DRM client id, 0 where it has none
 * @pid: of the owner, held; NULL when unknown
 * @minor: the node it has open
 * @master: it is its device's DRM master
 * @buffers: GEM handles
 * @bytes: sum of the sizes behind them
 * @known: the process was there, @uid and @comm are its
 * @uid: its user
 * @comm: its name, or empty
 */
struct egpu_client {
	u64 client_id;
	struct pid *pid;
	struct egpu_minor minor;
	bool master;
	u32 buffers;
	u64 bytes;
	bool known;
	kuid_t uid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct egpu_drm_summary - nodes and number of clients of a GPU
 * @n_minors: entries of @minor in use
 * @minor: the nodes, more than EGPU_MINORS_MAX are left out
 * @clients: open DRM files over all nodes
 */
struct egpu_drm_summary {
	unsigned int n_minors;
	struct egpu_minor minor[EGPU_MINORS_MAX];
	u32 clients;
};

/**
 * struct egpu_client_list - clients of a GPU at one moment
 * @n: entries in use
 * @size: entries there is room for
 * @client: the entries; egpu_drm_clients_free() gives them back
 */
struct egpu_client_list {
	unsigned int n;
	unsigned int size;
	struct egpu_client *client;
};

/* drm_buffers.c: what the clients have on the GPU */

/**
 * struct egpu_buffer - a buffer behind a GEM handle
 * @client_id: of the client, as in struct egpu_client
 * @pid: of the client's process in the asker's pid namespace, 0 if not visible
 * @minor: the node that the client has open
 * @handle: the GEM handle
 * @imported: the memory is another device's
 * @pending: fences on it that have not signalled, as far as known
 * @size: bytes
 * @dma_buf: inode number of its dma-buf, 0 when it has none
 * @write_known: the two that follow are; they are not when somebody had the
 *	reservation locked, or the device has gone
 * @write_context: of the newest fence on it, 0 when there is none
 * @write_seqno: its number in that context
 */
struct egpu_buffer {
	u64 client_id;
	u32 pid;
	struct egpu_minor minor;
	u32 handle;
	bool imported;
	u32 pending;
	u64 size;
	u64 dma_buf;
	bool write_known;
	u64 write_context;
	u64 write_seqno;
};

/**
 * struct egpu_buffer_list - buffers of a GPU at one moment
 * @all: list everybody's, not the asker's only
 * @fences: look at fences; of no use when the device has gone
 * @n: entries in use
 * @size: entries there is room for
 * @buffer: the entries, to be given back with kvfree()
 */
struct egpu_buffer_list {
	bool all;
	bool fences;
	unsigned int n;
	unsigned int size;
	struct egpu_buffer *buffer;
};

#if IS_ENABLED(CONFIG_DRM)
int egpu_drm_buffers(struct pci_dev *pdev, struct egpu_buffer_list *list);
void egpu_drm_summarise(struct pci_dev *pdev, struct egpu_drm_summary *sum);
int egpu_drm_clients(struct pci_dev *pdev, struct egpu_client_list *list);
void egpu_drm_victims(struct pci_dev *pdev, struct egpu_client_list *list);
#else
static inline void egpu_drm_summarise(struct pci_dev *pdev,
				      struct egpu_drm_summary *sum)
{
	memset(sum, 0, sizeof(*sum));
}

static inline int egpu_drm_clients(struct pci_dev *pdev,
				   struct egpu_client_list *list)
{
	return 0;
}

static inline int egpu_drm_buffers(struct pci_dev *pdev,
				   struct egpu_buffer_list *list)
{
	return 0;
}

static inline void egpu_drm_victims(struct pci_dev *pdev,
				    struct egpu_client_list *list)
{
}
#endif

/* clients_dump.c: clients as an asker may see them */

void egpu_client_list_free(struct egpu_client_list *list);
bool egpu_client_visible(const struct egpu_client *client, bool all);
u32 egpu_client_pid(const struct egpu_client *client);

/* quiesce.c: stopping the clients of a GPU */

/**
 * struct egpu_culprit - a client whose fences have not signalled
 * @client: who; its buffers are not counted
 * @fences: how many have not
 */
struct egpu_culprit {
	struct egpu_client client;
	u32 fences;
};

/**
 * struct egpu_blame - whose work was in flight when a drain ran out of time
 * @clients: DRM files seen
 * @buffers: buffers seen
 * @pending: fences that had not signalled, over all clients
 * @n: entries of @culprit in use
 * @culprit: the clients, more than EGPU_CULPRITS_MAX are left out
 */
struct egpu_blame {
	u32 clients;
	u32 buffers;
	u32 pending;
	unsigned int n;
	struct egpu_culprit culprit[EGPU_CULPRITS_MAX];
};

/**
 * struct egpu_drain_counts - how a drain goes
 * @clients: DRM files seen by the last look
 * @buffers: buffers seen by the last look
 * @passes: looks that have seen everything
 * @waited: fences that were waited for
 * @pending: fences that had not signalled, of the last look
 */
struct egpu_drain_counts {
	u32 clients;
	u32 buffers;
	u32 passes;
	u32 waited;
	u32 pending;
};

/**
 * struct egpu_quiesce - how far the clients of a GPU are stopped
 * @fsm: state, owner, times
 * @wait_ms: time that the last drain was given
 * @count: of the last drain
 * @blame: whose work was in flight when it ran out of time
 * @busy: somebody drains, and may have fences of the driver
 * @wait: woken when @fsm changes, when fences have signalled, and by @busy
 * @work: drains for a helper, with a reference to the device
 * @work_run: which drain that is
 *
 * Guarded by egpu_lock.
 */
struct egpu_quiesce {
	struct egpu_quiesce_fsm fsm;
	u32 wait_ms;
	struct egpu_drain_counts count;
	struct egpu_blame blame;
	unsigned int busy;
	wait_queue_head_t wait;
	struct work_struct work;
	u32 work_run;
};

void egpu_quiesce_init(struct egpu_quiesce *quiesce);
void egpu_quiesce_release(struct egpu_quiesce *quiesce);
int egpu_quiesce_fence(struct egpu_device *edev, u32 port, const char **why);
int egpu_quiesce_drain(struct egpu_device *edev, u32 port, u32 wait_ms,
		       const char **why);
int egpu_quiesce_resume(struct egpu_device *edev, u32 port, const char **why);
void egpu_quiesce_bound(struct egpu_device *edev);
void egpu_quiesce_gone(struct egpu_device *edev);
void egpu_quiesce_let_go(struct egpu_device *edev);
void egpu_quiesce_for_eject(struct egpu_device *edev, u32 wait_ms);
void egpu_quiesce_after_eject(struct egpu_device *edev);
void egpu_quiesce_helper_gone(u32 port);
void egpu_quiesce_unload(void);
void egpu_blame_clear(struct egpu_blame *blame);

/* registry.c: the GPUs that are there */

/**
 * struct egpu_device - a GPU from the moment it appears until it has left
 * @ref: the registry holds one, whoever uses it outside egpu_lock another
 * @node: in the registry
 * @pdev: referenced as long as this lives
 * @id: never given twice
 * @state: see enum egpu_device_state
 * @since: ns of CLOCK_BOOTTIME at which @state was entered
 * @at_load: it was there before the module
 * @placement: external or not, and why
 * @topology: what @placement was made from
 * @port: address of the nearest hotplug port above, or empty
 * @driver: name of the bound driver, or empty
 * @link_speed: MT/s per lane, 0 unknown
 * @link_width: lanes, 0 unknown
 * @drm: nodes and clients when last looked at
 * @request: the open removal request, referenced; NULL when there is none
 * @spare: the request of the next removal that others begin, so that none is
 *	lost for want of memory; NULL only until there is some again
 * @quiesce: how far its clients are stopped
 * @walk_lock: one walk over the DRM side at a time; see @held
 * @held: our UNBIND_DRIVER callback keeps device_lock held by its caller, so
 *	the DRM side may be walked without taking it
 *
 * Everything but the constant members is guarded by egpu_lock; @held by
 * @walk_lock.
 */
struct egpu_device {
	struct kref ref;
	struct list_head node;
	struct pci_dev *pdev;
	u32 id;
	enum egpu_device_state state;
	u64 since;
	bool at_load;
	struct egpu_placement_verdict placement;
	struct egpu_topology topology;
	char port[EGPU_NAME_LEN];
	char driver[EGPU_NAME_LEN];
	u32 link_speed;
	u32 link_width;
	struct egpu_drm_summary drm;
	struct egpu_request *request;
	struct egpu_request *spare;
	struct egpu_quiesce quiesce;
	struct mutex walk_lock; /* one walk at a time, and @held */
	bool held;
};

extern struct mutex egpu_lock;

bool egpu_is_gpu(const struct pci_dev *pdev);
struct egpu_device *egpu_device_alloc(void);
struct egpu_device *egpu_device_add(struct pci_dev *pdev, bool at_load);
struct egpu_device *egpu_device_find(const struct pci_dev *pdev);
struct egpu_device *egpu_device_find_id(u32 id);
bool egpu_device_was_there(u32 id);
struct egpu_device *egpu_device_find_address(const struct egpu_pci_address *at);
struct egpu_device *egpu_device_after(u32 id);
void egpu_device_get(struct egpu_device *edev);
void egpu_device_put(struct egpu_device *edev);
void egpu_device_set_state(struct egpu_device *edev,
			   enum egpu_device_state state);
void egpu_device_read_driver(struct egpu_device *edev);
void egpu_device_read_link(struct egpu_device *edev);
void egpu_device_drop(struct egpu_device *edev);
void egpu_devices_reclassify(void);
bool egpu_devices_fill_spares(void);
void egpu_devices_drop_all(void);
int egpu_device_walk_begin(struct egpu_device *edev, bool *locked);
void egpu_device_walk_end(struct egpu_device *edev, bool locked);
void egpu_device_refresh(struct egpu_device *edev);

/* reserve.c: what is set aside for a shortage of memory */

int egpu_reserve_init(void);
struct egpu_device *egpu_reserve_take(void);
void egpu_reserve_mend(void);
void egpu_reserve_stop(void);
void egpu_reserve_exit(void);

/* overrides.c: what the user says is external */

int egpu_overrides_parse(const char *text);
int egpu_override_set(const struct egpu_pci_address *address,
		      enum egpu_placement placement, const char **why);
const struct egpu_rule *egpu_overrides(unsigned int *n);

/* evidence.c: what can be seen when a GPU leaves */

bool egpu_device_silent(struct pci_dev *pdev);
void egpu_gather_facts(struct pci_dev *pdev, bool by_eject,
		       struct egpu_cause_facts *facts);

/* request.c: one removal, one request */

/**
 * struct egpu_said - what users and helpers have said of a removal
 * @reason: why it was refused or cancelled, or empty
 * @step: what the accepting helper is doing
 * @vouched: the helper answers for the clients that are still there
 */
struct egpu_said {
	char reason[EGPU_REASON_LEN + 1];
	enum egpu_step step;
	bool vouched;
};

/**
 * struct egpu_request - a removal from its announcement to its end
 * @ref: the list holds one, the device while it is open another
 * @node: in the list of requests, by cookie
 * @fsm: phase, cause, times
 * @cookie: never given twice
 * @id: of the device
 * @address: PCI address
 * @driver: bound when the removal began
 * @port: hotplug port above
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @external: it hung on a cable
 * @drm: nodes, and clients when the removal began
 * @force: eject although clients have it open
 * @wait_ms: time from creation to deadline
 * @said: by users and helpers
 * @victims: who had it open when the driver was about to lose it
 * @wait: woken when @fsm changes
 * @edev: of an eject, referenced until @work has ended; used by it alone
 * @work: carries an eject out
 * @worker: the task that does, to tell its unbinding from others'
 * @settle: ends an unbind after which nothing more has come
 */
struct egpu_request {
	struct kref ref;
	struct list_head node;
	struct egpu_fsm fsm;
	u64 cookie;
	u32 id;
	char address[EGPU_NAME_LEN];
	char driver[EGPU_NAME_LEN];
	char port[EGPU_NAME_LEN];
	u16 vendor;
	u16 device;
	bool external;
	struct egpu_drm_summary drm;
	bool force;
	u32 wait_ms;
	struct egpu_said said;
	struct egpu_client_list victims;
	wait_queue_head_t wait;
	struct egpu_device *edev;
	struct work_struct work;
	struct task_struct *worker;
	struct delayed_work settle;
};

/**
 * struct egpu_request_terms - what a new request is given
 * @origin: who began it
 * @verdict: presumed cause
 * @gone: the device has left already
 * @wait_ms: time to the deadline
 * @force: eject although clients have it open
 */
struct egpu_request_terms {
	enum egpu_origin origin;
	struct egpu_cause_verdict verdict;
	bool gone;
	u32 wait_ms;
	bool force;
};

struct egpu_request *egpu_request_alloc(void);
void egpu_request_get(struct egpu_request *req);
void egpu_request_put(struct egpu_request *req);
struct egpu_request *egpu_request_open(struct egpu_device *edev,
				       const struct egpu_request_terms *terms);
int egpu_request_step(struct egpu_request *req, enum egpu_fsm_input input,
		      u32 port, const char **why);
void egpu_request_changed(struct egpu_request *req);
void egpu_request_close(struct egpu_device *edev);
void egpu_request_hits(struct egpu_request *req,
		       struct egpu_client_list *victims);
void egpu_request_wait(struct egpu_request *req, struct pci_dev *pdev);
void egpu_request_settle_later(struct egpu_request *req);
struct egpu_request *egpu_request_find(u64 cookie);
bool egpu_request_was_there(u64 cookie);
struct egpu_request *egpu_request_after(u64 cookie);
void egpu_requests_helper_gone(u32 port);
void egpu_requests_unload(void);
void egpu_requests_free_all(void);

/* eject.c: a removal that we carry out ourselves */

int egpu_eject_begin(struct egpu_device *edev, u32 wait_ms, bool force,
		     u64 *cookie, const char **why);

/* hotplug.c: what the PCI core tells */

int egpu_hotplug_init(void);
void egpu_hotplug_take_in(bool at_load);
void egpu_hotplug_exit(void);

/* events.c: what everybody is told */

/*
 * Room for the attributes of one event. Kept tight, for what a slow listener
 * can have waiting is counted in the size of the buffers.
 */
#define EGPU_EVENT_ROOM 960

bool egpu_helper_listens(void);
u64 egpu_event_seq(void);
void egpu_event_device(u8 cmd, struct egpu_device *edev);
void egpu_event_removal(u8 cmd, struct egpu_request *req);
void egpu_event_quiesce(struct egpu_device *edev);
void egpu_event_migration(const struct egpu_migration *said);
void egpu_event_lost(void);

/* message.c: devices, requests and quiescing as attributes */

int egpu_put_device(struct sk_buff *skb, const struct egpu_device *edev);
int egpu_put_removal(struct sk_buff *skb, const struct egpu_request *req,
		     bool with_minors);
int egpu_put_quiesce(struct sk_buff *skb, const struct egpu_device *edev);
int egpu_put_minor(struct sk_buff *skb, int attr,
		   const struct egpu_minor *minor);

/* netlink.c: the family */

/**
 * struct egpu_settings - what can be changed at run time
 * @hold_ms: longest wait of a removal begun by others
 * @accept_ms: time to accept
 * @eject_ms: deadline of an eject that names none
 * @drain_ms: how long a forced eject waits for work in flight
 */
struct egpu_settings {
	u32 hold_ms;
	u32 accept_ms;
	u32 eject_ms;
	u32 drain_ms;
};

extern struct egpu_settings egpu_settings;

int egpu_error(struct genl_info *info, int attr, int error, const char *why);
struct sk_buff *egpu_reply_new(struct genl_info *info);
int egpu_dump_takes_none(struct netlink_callback *cb);
int egpu_netlink_init(void);
void egpu_netlink_exit(void);

/* netlink_migrate.c: what a helper tells of a program's way */

/**
 * struct egpu_migration - what is passed on
 * @attrs: of the helper's message, indexed by EGPU_A_MIGRATION_*
 * @pid: of the program in the initial pid namespace, 0 when there is none
 * @helper: netlink port of the helper
 */
struct egpu_migration {
	struct nlattr **attrs;
	u32 pid;
	u32 helper;
};

int egpu_put_migration(struct sk_buff *skb, const struct egpu_migration *said);

/* main.c: load and unload */

extern struct workqueue_struct *egpu_workqueue;

bool egpu_unloading(void);
u64 egpu_instance(void);

#endif /* _EGPU_H */
