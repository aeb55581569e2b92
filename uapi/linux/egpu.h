/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/egpu.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_EGPU_H
#define _UAPI_LINUX_EGPU_H

#define EGPU_FAMILY_NAME	"egpu"
#define EGPU_FAMILY_VERSION	1

#define EGPU_HOLD_MS_MAX	5000
#define EGPU_EJECT_MS_MAX	600000
#define EGPU_ADDRESS_LEN	31
#define EGPU_REASON_LEN		127
#define EGPU_DRAIN_MS_MAX	60000

/**
 * enum egpu_device_state - Where a GPU is in its life.
 * @EGPU_DEVICE_STATE_PRESENT: On the bus, no driver has bound to it yet.
 * @EGPU_DEVICE_STATE_READY: A driver is bound.
 * @EGPU_DEVICE_STATE_LEAVING: A removal request is open or the driver is being
 *   unbound.
 * @EGPU_DEVICE_STATE_DETACHED: The driver was unbound, the device is still on
 *   the bus.
 * @EGPU_DEVICE_STATE_GONE: Off the bus. Terminal; the GPU that comes back is a
 *   new device.
 */
enum egpu_device_state {
	EGPU_DEVICE_STATE_PRESENT,
	EGPU_DEVICE_STATE_READY,
	EGPU_DEVICE_STATE_LEAVING,
	EGPU_DEVICE_STATE_DETACHED,
	EGPU_DEVICE_STATE_GONE,
};

/**
 * enum egpu_marker - What made the kernel side call a GPU external or
 *   internal.
 * @EGPU_MARKER_NONE: Nothing marks the GPU, so it counts as internal.
 * @EGPU_MARKER_REMOVABLE: The PCI core marked it removable (firmware
 *   ExternalFacingPort).
 * @EGPU_MARKER_THUNDERBOLT: The GPU or a bridge above carries Intel's
 *   Thunderbolt capability.
 * @EGPU_MARKER_OVERRIDE: A rule given by parameter or by override-set decided.
 */
enum egpu_marker {
	EGPU_MARKER_NONE,
	EGPU_MARKER_REMOVABLE,
	EGPU_MARKER_THUNDERBOLT,
	EGPU_MARKER_OVERRIDE,
};

/**
 * enum egpu_placement - What a rule says of everything at and below a PCI
 *   address.
 * @EGPU_PLACEMENT_AUTO: No rule, the kernel's markers decide.
 * @EGPU_PLACEMENT_EXTERNAL: Hangs on a cable although nothing marks it
 *   (OCuLink, say).
 * @EGPU_PLACEMENT_INTERNAL: Is not to be unplugged, whatever the markers say.
 */
enum egpu_placement {
	EGPU_PLACEMENT_AUTO,
	EGPU_PLACEMENT_EXTERNAL,
	EGPU_PLACEMENT_INTERNAL,
};

/**
 * enum egpu_cause - Why a GPU's driver lost it. Filter on this.
 * @EGPU_CAUSE_UNKNOWN: Not determined.
 * @EGPU_CAUSE_GRACEFUL: The device still answered when its removal began.
 * @EGPU_CAUSE_SURPRISE: The device was gone, or went before its removal had
 *   finished.
 * @EGPU_CAUSE_UNBIND: Only the driver was detached, the device stays on the
 *   bus.
 */
enum egpu_cause {
	EGPU_CAUSE_UNKNOWN,
	EGPU_CAUSE_GRACEFUL,
	EGPU_CAUSE_SURPRISE,
	EGPU_CAUSE_UNBIND,
};

/**
 * enum egpu_evidence - What speaks for the cause; several may be set.
 * @EGPU_EVIDENCE_MARKED: The PCI core had marked the device disconnected.
 * @EGPU_EVIDENCE_ABSENT: The device did not answer a read of its vendor id.
 * @EGPU_EVIDENCE_PRESENT: The device answered a read of its vendor id.
 * @EGPU_EVIDENCE_FROZEN: Error recovery had frozen the device's channel.
 * @EGPU_EVIDENCE_SLOT_EMPTY: The nearest hotplug port that answers saw no card
 *   in its slot.
 * @EGPU_EVIDENCE_LINK_DOWN: The nearest hotplug port that answers saw its link
 *   down.
 * @EGPU_EVIDENCE_HOTPLUG_THREAD: Begun by a kernel thread (button, slot power,
 *   ACPI, link loss).
 * @EGPU_EVIDENCE_SYSFS_REMOVE: Begun by a write to the remove file of the
 *   device or a bridge above.
 * @EGPU_EVIDENCE_DRIVER_UNLOAD: Begun by the unloading of the driver's module.
 * @EGPU_EVIDENCE_USER_TASK: Begun by a user's process in another way.
 * @EGPU_EVIDENCE_EJECT: Begun by an eject request of this family.
 * @EGPU_EVIDENCE_OVERTAKEN: Begun while the device answered; it went before
 *   the end.
 * @EGPU_EVIDENCE_NO_DRIVER: No driver was bound when the device left.
 */
enum egpu_evidence {
	EGPU_EVIDENCE_MARKED = 1,
	EGPU_EVIDENCE_ABSENT = 2,
	EGPU_EVIDENCE_PRESENT = 4,
	EGPU_EVIDENCE_FROZEN = 8,
	EGPU_EVIDENCE_SLOT_EMPTY = 16,
	EGPU_EVIDENCE_LINK_DOWN = 32,
	EGPU_EVIDENCE_HOTPLUG_THREAD = 64,
	EGPU_EVIDENCE_SYSFS_REMOVE = 128,
	EGPU_EVIDENCE_DRIVER_UNLOAD = 256,
	EGPU_EVIDENCE_USER_TASK = 512,
	EGPU_EVIDENCE_EJECT = 1024,
	EGPU_EVIDENCE_OVERTAKEN = 2048,
	EGPU_EVIDENCE_NO_DRIVER = 4096,
};

/**
 * enum egpu_origin - Who began a removal request.
 * @EGPU_ORIGIN_EJECT: An eject request of this family, before anything was
 *   touched.
 * @EGPU_ORIGIN_OTHERS: Somebody else; the first notice was the unbinding of
 *   the driver.
 */
enum egpu_origin {
	EGPU_ORIGIN_EJECT,
	EGPU_ORIGIN_OTHERS,
};

/**
 * enum egpu_phase - Where a removal request is.
 * @EGPU_PHASE_PENDING: Announced, no helper has accepted it yet.
 * @EGPU_PHASE_ACCEPTED: A helper works on it and the removal waits for it.
 * @EGPU_PHASE_RELEASED: Nothing waits any more, the removal goes on; see
 *   release.
 * @EGPU_PHASE_UNBOUND: The driver has let go of the device.
 * @EGPU_PHASE_DONE: Finished. The device is off the bus or, for cause unbind,
 *   free.
 * @EGPU_PHASE_CANCELLED: An eject was called off, nothing was removed.
 * @EGPU_PHASE_REFUSED: An eject was refused because the GPU is in use.
 */
enum egpu_phase {
	EGPU_PHASE_PENDING,
	EGPU_PHASE_ACCEPTED,
	EGPU_PHASE_RELEASED,
	EGPU_PHASE_UNBOUND,
	EGPU_PHASE_DONE,
	EGPU_PHASE_CANCELLED,
	EGPU_PHASE_REFUSED,
};

/**
 * enum egpu_release - Why a removal stopped waiting.
 * @EGPU_RELEASE_NOT_YET: It still waits.
 * @EGPU_RELEASE_ACKED: The accepting helper said that it is done.
 * @EGPU_RELEASE_UNATTENDED: No helper listens.
 * @EGPU_RELEASE_NOT_ACCEPTED: Helpers listen, none accepted in time.
 * @EGPU_RELEASE_TIMED_OUT: The deadline passed before the helper's ack.
 * @EGPU_RELEASE_HELPER_DIED: The accepting helper closed its socket.
 * @EGPU_RELEASE_GONE: The device was gone from the start, so nothing was
 *   awaited.
 * @EGPU_RELEASE_OVERTAKEN: The device went while a helper was awaited.
 * @EGPU_RELEASE_UNLOADED: The egpu module was unloaded.
 * @EGPU_RELEASE_INTERNAL: The GPU is not external, its removals are never
 *   held.
 * @EGPU_RELEASE_WITHDRAWN: The eject was cancelled, or refused by its helper,
 *   while it waited.
 */
enum egpu_release {
	EGPU_RELEASE_NOT_YET,
	EGPU_RELEASE_ACKED,
	EGPU_RELEASE_UNATTENDED,
	EGPU_RELEASE_NOT_ACCEPTED,
	EGPU_RELEASE_TIMED_OUT,
	EGPU_RELEASE_HELPER_DIED,
	EGPU_RELEASE_GONE,
	EGPU_RELEASE_OVERTAKEN,
	EGPU_RELEASE_UNLOADED,
	EGPU_RELEASE_INTERNAL,
	EGPU_RELEASE_WITHDRAWN,
};

/**
 * enum egpu_minor_type - Kind of a DRM minor.
 */
enum egpu_minor_type {
	EGPU_MINOR_TYPE_PRIMARY,
	EGPU_MINOR_TYPE_RENDER,
	EGPU_MINOR_TYPE_ACCEL,
	EGPU_MINOR_TYPE_OTHER,
};

/**
 * enum egpu_step - What the helper that accepted a removal is doing, as it
 *   reports it.
 * @EGPU_STEP_NONE: Nothing was reported yet.
 * @EGPU_STEP_FENCE: The GPU's nodes are being closed to new opens.
 * @EGPU_STEP_ASK: Programs are asked to let go, or to move.
 * @EGPU_STEP_FREEZE: What still uses the GPU is being frozen.
 * @EGPU_STEP_DRAIN: Work in flight is awaited.
 * @EGPU_STEP_REMOVE: The helper is done, the GPU may be removed.
 */
enum egpu_step {
	EGPU_STEP_NONE,
	EGPU_STEP_FENCE,
	EGPU_STEP_ASK,
	EGPU_STEP_FREEZE,
	EGPU_STEP_DRAIN,
	EGPU_STEP_REMOVE,
};

/**
 * enum egpu_quiesce_state - How far the clients of a GPU are stopped.
 * @EGPU_QUIESCE_STATE_RUNNING: Nobody has asked for anything.
 * @EGPU_QUIESCE_STATE_FENCED: A helper keeps new clients out; what is open
 *   works on.
 * @EGPU_QUIESCE_STATE_DRAINING: The kernel waits for the work in flight.
 * @EGPU_QUIESCE_STATE_QUIESCED: Two looks in a row found nothing in flight.
 * @EGPU_QUIESCE_STATE_RESUMED: Called off, or its helper died; new clients may
 *   come again.
 */
enum egpu_quiesce_state {
	EGPU_QUIESCE_STATE_RUNNING,
	EGPU_QUIESCE_STATE_FENCED,
	EGPU_QUIESCE_STATE_DRAINING,
	EGPU_QUIESCE_STATE_QUIESCED,
	EGPU_QUIESCE_STATE_RESUMED,
};

/**
 * enum egpu_drain_result - How the last drain ended.
 * @EGPU_DRAIN_RESULT_NONE: None has ended yet.
 * @EGPU_DRAIN_RESULT_DRAINED: Nothing is in flight any more.
 * @EGPU_DRAIN_RESULT_TIMED_OUT: The deadline passed with fences pending;
 *   culprit says whose.
 * @EGPU_DRAIN_RESULT_GONE: The device went, or its channel was frozen by error
 *   recovery.
 * @EGPU_DRAIN_RESULT_STOPPED: Called off, its helper died, or the module is
 *   being unloaded.
 * @EGPU_DRAIN_RESULT_NO_MEMORY: There was no memory to look at the buffers.
 */
enum egpu_drain_result {
	EGPU_DRAIN_RESULT_NONE,
	EGPU_DRAIN_RESULT_DRAINED,
	EGPU_DRAIN_RESULT_TIMED_OUT,
	EGPU_DRAIN_RESULT_GONE,
	EGPU_DRAIN_RESULT_STOPPED,
	EGPU_DRAIN_RESULT_NO_MEMORY,
};

/**
 * enum egpu_migration_phase - How far the work of a program is on its way to
 *   another device.
 * @EGPU_MIGRATION_PHASE_STARTED: The program was asked to stand still, or its
 *   device has gone.
 * @EGPU_MIGRATION_PHASE_COMPLETED: The program has confirmed that it goes on
 *   with its new buffers.
 * @EGPU_MIGRATION_PHASE_FAILED: It goes on as before, or not at all; reason
 *   says why.
 * @EGPU_MIGRATION_PHASE_CHECKPOINTED: A copy is on the disk; the program goes
 *   on where it is.
 */
enum egpu_migration_phase {
	EGPU_MIGRATION_PHASE_STARTED,
	EGPU_MIGRATION_PHASE_COMPLETED,
	EGPU_MIGRATION_PHASE_FAILED,
	EGPU_MIGRATION_PHASE_CHECKPOINTED,
};

enum {
	EGPU_A_MINOR_TYPE = 1,
	EGPU_A_MINOR_INDEX,

	__EGPU_A_MINOR_MAX,
	EGPU_A_MINOR_MAX = (__EGPU_A_MINOR_MAX - 1)
};

enum {
	EGPU_A_DEVICE_PAD = 1,
	EGPU_A_DEVICE_ID,
	EGPU_A_DEVICE_ADDRESS,
	EGPU_A_DEVICE_STATE,
	EGPU_A_DEVICE_EXTERNAL,
	EGPU_A_DEVICE_MARKER,
	EGPU_A_DEVICE_VENDOR,
	EGPU_A_DEVICE_DEVICE,
	EGPU_A_DEVICE_SUBSYSTEM_VENDOR,
	EGPU_A_DEVICE_SUBSYSTEM_DEVICE,
	EGPU_A_DEVICE_CLASS,
	EGPU_A_DEVICE_DRIVER,
	EGPU_A_DEVICE_PORT,
	EGPU_A_DEVICE_LINK_SPEED,
	EGPU_A_DEVICE_LINK_WIDTH,
	EGPU_A_DEVICE_MINOR,
	EGPU_A_DEVICE_CLIENTS,
	EGPU_A_DEVICE_COOKIE,
	EGPU_A_DEVICE_SINCE,
	EGPU_A_DEVICE_AT_LOAD,
	EGPU_A_DEVICE_SEQ,
	EGPU_A_DEVICE_TIME,

	__EGPU_A_DEVICE_MAX,
	EGPU_A_DEVICE_MAX = (__EGPU_A_DEVICE_MAX - 1)
};

enum {
	EGPU_A_REMOVAL_PAD = 1,
	EGPU_A_REMOVAL_COOKIE,
	EGPU_A_REMOVAL_ID,
	EGPU_A_REMOVAL_ADDRESS,
	EGPU_A_REMOVAL_ORIGIN,
	EGPU_A_REMOVAL_PHASE,
	EGPU_A_REMOVAL_RELEASE,
	EGPU_A_REMOVAL_CAUSE,
	EGPU_A_REMOVAL_EVIDENCE,
	EGPU_A_REMOVAL_CLIENTS,
	EGPU_A_REMOVAL_FORCE,
	EGPU_A_REMOVAL_TIMEOUT_MS,
	EGPU_A_REMOVAL_CREATED,
	EGPU_A_REMOVAL_ACCEPTED,
	EGPU_A_REMOVAL_RELEASED,
	EGPU_A_REMOVAL_UNBOUND,
	EGPU_A_REMOVAL_FINISHED,
	EGPU_A_REMOVAL_HELPER,
	EGPU_A_REMOVAL_REASON,
	EGPU_A_REMOVAL_EXTERNAL,
	EGPU_A_REMOVAL_VENDOR,
	EGPU_A_REMOVAL_DEVICE,
	EGPU_A_REMOVAL_DRIVER,
	EGPU_A_REMOVAL_PORT,
	EGPU_A_REMOVAL_MINOR,
	EGPU_A_REMOVAL_SEQ,
	EGPU_A_REMOVAL_TIME,
	EGPU_A_REMOVAL_STEP,
	EGPU_A_REMOVAL_VOUCHED,

	__EGPU_A_REMOVAL_MAX,
	EGPU_A_REMOVAL_MAX = (__EGPU_A_REMOVAL_MAX - 1)
};

enum {
	EGPU_A_CLIENT_PAD = 1,
	EGPU_A_CLIENT_ID,
	EGPU_A_CLIENT_CLIENT_ID,
	EGPU_A_CLIENT_PID,
	EGPU_A_CLIENT_COMM,
	EGPU_A_CLIENT_MINOR,
	EGPU_A_CLIENT_MASTER,
	EGPU_A_CLIENT_BUFFERS,
	EGPU_A_CLIENT_BYTES,
	EGPU_A_CLIENT_COOKIE,

	__EGPU_A_CLIENT_MAX,
	EGPU_A_CLIENT_MAX = (__EGPU_A_CLIENT_MAX - 1)
};

enum {
	EGPU_A_BUFFER_PAD = 1,
	EGPU_A_BUFFER_ID,
	EGPU_A_BUFFER_CLIENT_ID,
	EGPU_A_BUFFER_PID,
	EGPU_A_BUFFER_MINOR,
	EGPU_A_BUFFER_HANDLE,
	EGPU_A_BUFFER_SIZE,
	EGPU_A_BUFFER_DMA_BUF,
	EGPU_A_BUFFER_IMPORTED,
	EGPU_A_BUFFER_PENDING,
	EGPU_A_BUFFER_WRITE_CONTEXT,
	EGPU_A_BUFFER_WRITE_SEQNO,

	__EGPU_A_BUFFER_MAX,
	EGPU_A_BUFFER_MAX = (__EGPU_A_BUFFER_MAX - 1)
};

enum {
	EGPU_A_MIGRATION_PAD = 1,
	EGPU_A_MIGRATION_MIGRATION,
	EGPU_A_MIGRATION_PHASE,
	EGPU_A_MIGRATION_ID,
	EGPU_A_MIGRATION_TARGET,
	EGPU_A_MIGRATION_CPU,
	EGPU_A_MIGRATION_COOKIE,
	EGPU_A_MIGRATION_PID,
	EGPU_A_MIGRATION_COMM,
	EGPU_A_MIGRATION_BYTES,
	EGPU_A_MIGRATION_DURATION,
	EGPU_A_MIGRATION_STILL,
	EGPU_A_MIGRATION_LOST,
	EGPU_A_MIGRATION_CHECKPOINT,
	EGPU_A_MIGRATION_REASON,
	EGPU_A_MIGRATION_HELPER,
	EGPU_A_MIGRATION_SEQ,
	EGPU_A_MIGRATION_TIME,

	__EGPU_A_MIGRATION_MAX,
	EGPU_A_MIGRATION_MAX = (__EGPU_A_MIGRATION_MAX - 1)
};

enum {
	EGPU_A_CULPRIT_PAD = 1,
	EGPU_A_CULPRIT_PID,
	EGPU_A_CULPRIT_COMM,
	EGPU_A_CULPRIT_CLIENT_ID,
	EGPU_A_CULPRIT_MINOR,
	EGPU_A_CULPRIT_FENCES,

	__EGPU_A_CULPRIT_MAX,
	EGPU_A_CULPRIT_MAX = (__EGPU_A_CULPRIT_MAX - 1)
};

enum {
	EGPU_A_QUIESCE_PAD = 1,
	EGPU_A_QUIESCE_ID,
	EGPU_A_QUIESCE_STATE,
	EGPU_A_QUIESCE_RESULT,
	EGPU_A_QUIESCE_OWNER,
	EGPU_A_QUIESCE_TIMEOUT_MS,
	EGPU_A_QUIESCE_CLIENTS,
	EGPU_A_QUIESCE_BUFFERS,
	EGPU_A_QUIESCE_PASSES,
	EGPU_A_QUIESCE_WAITED,
	EGPU_A_QUIESCE_PENDING,
	EGPU_A_QUIESCE_STARTED,
	EGPU_A_QUIESCE_ENDED,
	EGPU_A_QUIESCE_CULPRIT,
	EGPU_A_QUIESCE_SEQ,
	EGPU_A_QUIESCE_TIME,

	__EGPU_A_QUIESCE_MAX,
	EGPU_A_QUIESCE_MAX = (__EGPU_A_QUIESCE_MAX - 1)
};

enum {
	EGPU_A_SETTINGS_PAD = 1,
	EGPU_A_SETTINGS_HOLD_MS,
	EGPU_A_SETTINGS_ACCEPT_MS,
	EGPU_A_SETTINGS_EJECT_MS,
	EGPU_A_SETTINGS_INSTANCE,
	EGPU_A_SETTINGS_SEQ,
	EGPU_A_SETTINGS_HELPERS,
	EGPU_A_SETTINGS_VERSION,
	EGPU_A_SETTINGS_DRAIN_MS,

	__EGPU_A_SETTINGS_MAX,
	EGPU_A_SETTINGS_MAX = (__EGPU_A_SETTINGS_MAX - 1)
};

enum {
	EGPU_A_OVERRIDE_ADDRESS = 1,
	EGPU_A_OVERRIDE_PLACEMENT,

	__EGPU_A_OVERRIDE_MAX,
	EGPU_A_OVERRIDE_MAX = (__EGPU_A_OVERRIDE_MAX - 1)
};

enum {
	EGPU_CMD_DEVICE_GET = 1,
	EGPU_CMD_CLIENT_GET,
	EGPU_CMD_REMOVAL_GET,
	EGPU_CMD_EJECT,
	EGPU_CMD_ACCEPT,
	EGPU_CMD_ACK,
	EGPU_CMD_CANCEL,
	EGPU_CMD_SETTINGS_GET,
	EGPU_CMD_SETTINGS_SET,
	EGPU_CMD_OVERRIDE_GET,
	EGPU_CMD_OVERRIDE_SET,
	EGPU_CMD_CONNECTED,
	EGPU_CMD_CHANGED,
	EGPU_CMD_REMOVAL_PENDING,
	EGPU_CMD_REMOVAL_PROGRESS,
	EGPU_CMD_DISCONNECTED,
	EGPU_CMD_REFUSE,
	EGPU_CMD_REPORT,
	EGPU_CMD_BUFFER_GET,
	EGPU_CMD_QUIESCE_GET,
	EGPU_CMD_FENCE,
	EGPU_CMD_DRAIN,
	EGPU_CMD_RESUME,
	EGPU_CMD_QUIESCE,
	EGPU_CMD_MIGRATE,
	EGPU_CMD_MIGRATION,

	__EGPU_CMD_MAX,
	EGPU_CMD_MAX = (__EGPU_CMD_MAX - 1)
};

#define EGPU_MCGRP_EVENTS	"events"
#define EGPU_MCGRP_HELPER	"helper"

#endif /* _UAPI_LINUX_EGPU_H */
