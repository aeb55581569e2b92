/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM egpu

#if !defined(_EGPU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _EGPU_TRACE_H

#include <linux/tracepoint.h>
#include <uapi/linux/egpu.h>

#include "compat/compat.h"

TRACE_DEFINE_ENUM(EGPU_PHASE_PENDING);
TRACE_DEFINE_ENUM(EGPU_PHASE_ACCEPTED);
TRACE_DEFINE_ENUM(EGPU_PHASE_RELEASED);
TRACE_DEFINE_ENUM(EGPU_PHASE_UNBOUND);
TRACE_DEFINE_ENUM(EGPU_PHASE_DONE);
TRACE_DEFINE_ENUM(EGPU_PHASE_CANCELLED);
TRACE_DEFINE_ENUM(EGPU_PHASE_REFUSED);

#define egpu_show_phase(phase)						\
	__print_symbolic(phase,						\
		{ EGPU_PHASE_PENDING, "pending" },			\
		{ EGPU_PHASE_ACCEPTED, "accepted" },			\
		{ EGPU_PHASE_RELEASED, "released" },			\
		{ EGPU_PHASE_UNBOUND, "unbound" },			\
		{ EGPU_PHASE_DONE, "done" },				\
		{ EGPU_PHASE_CANCELLED, "cancelled" },			\
		{ EGPU_PHASE_REFUSED, "refused" })

TRACE_DEFINE_ENUM(EGPU_RELEASE_NOT_YET);
TRACE_DEFINE_ENUM(EGPU_RELEASE_ACKED);
TRACE_DEFINE_ENUM(EGPU_RELEASE_UNATTENDED);
TRACE_DEFINE_ENUM(EGPU_RELEASE_NOT_ACCEPTED);
TRACE_DEFINE_ENUM(EGPU_RELEASE_TIMED_OUT);
TRACE_DEFINE_ENUM(EGPU_RELEASE_HELPER_DIED);
TRACE_DEFINE_ENUM(EGPU_RELEASE_GONE);
TRACE_DEFINE_ENUM(EGPU_RELEASE_OVERTAKEN);
TRACE_DEFINE_ENUM(EGPU_RELEASE_UNLOADED);
TRACE_DEFINE_ENUM(EGPU_RELEASE_INTERNAL);
TRACE_DEFINE_ENUM(EGPU_RELEASE_WITHDRAWN);

#define egpu_show_release(release)					\
	__print_symbolic(release,					\
		{ EGPU_RELEASE_NOT_YET, "not-yet" },			\
		{ EGPU_RELEASE_ACKED, "acked" },			\
		{ EGPU_RELEASE_UNATTENDED, "unattended" },		\
		{ EGPU_RELEASE_NOT_ACCEPTED, "not-accepted" },		\
		{ EGPU_RELEASE_TIMED_OUT, "timed-out" },		\
		{ EGPU_RELEASE_HELPER_DIED, "helper-died" },		\
		{ EGPU_RELEASE_GONE, "gone" },				\
		{ EGPU_RELEASE_OVERTAKEN, "overtaken" },		\
		{ EGPU_RELEASE_UNLOADED, "unloaded" },			\
		{ EGPU_RELEASE_INTERNAL, "internal" },			\
		{ EGPU_RELEASE_WITHDRAWN, "withdrawn" })

TRACE_DEFINE_ENUM(EGPU_CAUSE_UNKNOWN);
TRACE_DEFINE_ENUM(EGPU_CAUSE_GRACEFUL);
TRACE_DEFINE_ENUM(EGPU_CAUSE_SURPRISE);
TRACE_DEFINE_ENUM(EGPU_CAUSE_UNBIND);

#define egpu_show_cause(cause)						\
	__print_symbolic(cause,						\
		{ EGPU_CAUSE_UNKNOWN, "unknown" },			\
		{ EGPU_CAUSE_GRACEFUL, "graceful" },			\
		{ EGPU_CAUSE_SURPRISE, "surprise" },			\
		{ EGPU_CAUSE_UNBIND, "unbind" })

TRACE_DEFINE_ENUM(EGPU_DEVICE_STATE_PRESENT);
TRACE_DEFINE_ENUM(EGPU_DEVICE_STATE_READY);
TRACE_DEFINE_ENUM(EGPU_DEVICE_STATE_LEAVING);
TRACE_DEFINE_ENUM(EGPU_DEVICE_STATE_DETACHED);
TRACE_DEFINE_ENUM(EGPU_DEVICE_STATE_GONE);

#define egpu_show_state(state)						\
	__print_symbolic(state,						\
		{ EGPU_DEVICE_STATE_PRESENT, "present" },		\
		{ EGPU_DEVICE_STATE_READY, "ready" },			\
		{ EGPU_DEVICE_STATE_LEAVING, "leaving" },		\
		{ EGPU_DEVICE_STATE_DETACHED, "detached" },		\
		{ EGPU_DEVICE_STATE_GONE, "gone" })

TRACE_EVENT(egpu_device,
	TP_PROTO(u32 id, const char *address, u32 state, bool external,
		 u32 marker),
	TP_ARGS(id, address, state, external, marker),
	TP_STRUCT__entry(
		__field(u32, id)
		__string(address, address)
		__field(u32, state)
		__field(bool, external)
		__field(u32, marker)
	),
	TP_fast_assign(
		__entry->id = id;
		egpu_assign_str(address, address);
		__entry->state = state;
		__entry->external = external;
		__entry->marker = marker;
	),
	TP_printk("id=%u address=%s state=%s external=%d marker=%u",
		  __entry->id, __get_str(address),
		  egpu_show_state(__entry->state), __entry->external,
		  __entry->marker)
);

/* The first thing that is known of a removal: UNBIND_DRIVER, or DEL_DEVICE
 * of a GPU without a driver. evidence is not gathered yet.
 */
TRACE_EVENT(egpu_leave_begin,
	TP_PROTO(u32 id, const char *address, bool marked),
	TP_ARGS(id, address, marked),
	TP_STRUCT__entry(
		__field(u32, id)
		__string(address, address)
		__field(bool, marked)
	),
	TP_fast_assign(
		__entry->id = id;
		egpu_assign_str(address, address);
		__entry->marked = marked;
	),
	TP_printk("id=%u address=%s marked=%d", __entry->id,
		  __get_str(address), __entry->marked)
);

TRACE_EVENT(egpu_removal,
	TP_PROTO(u64 cookie, u32 id, u32 phase, u32 release, u32 cause,
		 u32 evidence, u32 helper, u32 clients),
	TP_ARGS(cookie, id, phase, release, cause, evidence, helper, clients),
	TP_STRUCT__entry(
		__field(u64, cookie)
		__field(u32, id)
		__field(u32, phase)
		__field(u32, release)
		__field(u32, cause)
		__field(u32, evidence)
		__field(u32, helper)
		__field(u32, clients)
	),
	TP_fast_assign(
		__entry->cookie = cookie;
		__entry->id = id;
		__entry->phase = phase;
		__entry->release = release;
		__entry->cause = cause;
		__entry->evidence = evidence;
		__entry->helper = helper;
		__entry->clients = clients;
	),
	TP_printk("cookie=%llu id=%u phase=%s release=%s cause=%s evidence=0x%x helper=%u clients=%u",
		  __entry->cookie, __entry->id,
		  egpu_show_phase(__entry->phase),
		  egpu_show_release(__entry->release),
		  egpu_show_cause(__entry->cause), __entry->evidence,
		  __entry->helper, __entry->clients)
);

DECLARE_EVENT_CLASS(egpu_hold,
	TP_PROTO(u64 cookie, u32 id, u32 release),
	TP_ARGS(cookie, id, release),
	TP_STRUCT__entry(
		__field(u64, cookie)
		__field(u32, id)
		__field(u32, release)
	),
	TP_fast_assign(
		__entry->cookie = cookie;
		__entry->id = id;
		__entry->release = release;
	),
	TP_printk("cookie=%llu id=%u release=%s", __entry->cookie,
		  __entry->id, egpu_show_release(__entry->release))
);

/* A removal, or the worker of an eject, begins to wait for a helper. */
DEFINE_EVENT(egpu_hold, egpu_hold_begin,
	TP_PROTO(u64 cookie, u32 id, u32 release),
	TP_ARGS(cookie, id, release)
);

DEFINE_EVENT(egpu_hold, egpu_hold_end,
	TP_PROTO(u64 cookie, u32 id, u32 release),
	TP_ARGS(cookie, id, release)
);

TRACE_EVENT(egpu_helper_gone,
	TP_PROTO(u32 port),
	TP_ARGS(port),
	TP_STRUCT__entry(
		__field(u32, port)
	),
	TP_fast_assign(
		__entry->port = port;
	),
	TP_printk("port=%u", __entry->port)
);

TRACE_DEFINE_ENUM(EGPU_QUIESCE_STATE_RUNNING);
TRACE_DEFINE_ENUM(EGPU_QUIESCE_STATE_FENCED);
TRACE_DEFINE_ENUM(EGPU_QUIESCE_STATE_DRAINING);
TRACE_DEFINE_ENUM(EGPU_QUIESCE_STATE_QUIESCED);
TRACE_DEFINE_ENUM(EGPU_QUIESCE_STATE_RESUMED);

#define egpu_show_quiesce(state)					\
	__print_symbolic(state,						\
		{ EGPU_QUIESCE_STATE_RUNNING, "running" },		\
		{ EGPU_QUIESCE_STATE_FENCED, "fenced" },		\
		{ EGPU_QUIESCE_STATE_DRAINING, "draining" },		\
		{ EGPU_QUIESCE_STATE_QUIESCED, "quiesced" },		\
		{ EGPU_QUIESCE_STATE_RESUMED, "resumed" })

TRACE_DEFINE_ENUM(EGPU_DRAIN_RESULT_NONE);
TRACE_DEFINE_ENUM(EGPU_DRAIN_RESULT_DRAINED);
TRACE_DEFINE_ENUM(EGPU_DRAIN_RESULT_TIMED_OUT);
TRACE_DEFINE_ENUM(EGPU_DRAIN_RESULT_GONE);
TRACE_DEFINE_ENUM(EGPU_DRAIN_RESULT_STOPPED);
TRACE_DEFINE_ENUM(EGPU_DRAIN_RESULT_NO_MEMORY);

#define egpu_show_drain(result)						\
	__print_symbolic(result,					\
		{ EGPU_DRAIN_RESULT_NONE, "none" },			\
		{ EGPU_DRAIN_RESULT_DRAINED, "drained" },		\
		{ EGPU_DRAIN_RESULT_TIMED_OUT, "timed-out" },		\
		{ EGPU_DRAIN_RESULT_GONE, "gone" },			\
		{ EGPU_DRAIN_RESULT_STOPPED, "stopped" },		\
		{ EGPU_DRAIN_RESULT_NO_MEMORY, "no-memory" })

TRACE_EVENT(egpu_quiesce,
	TP_PROTO(u32 id, u32 state, u32 result, u32 owner, u32 passes,
		 u32 waited, u32 pending),
	TP_ARGS(id, state, result, owner, passes, waited, pending),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(u32, state)
		__field(u32, result)
		__field(u32, owner)
		__field(u32, passes)
		__field(u32, waited)
		__field(u32, pending)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->state = state;
		__entry->result = result;
		__entry->owner = owner;
		__entry->passes = passes;
		__entry->waited = waited;
		__entry->pending = pending;
	),
	TP_printk("id=%u state=%s result=%s owner=%u passes=%u waited=%u pending=%u",
		  __entry->id, egpu_show_quiesce(__entry->state),
		  egpu_show_drain(__entry->result), __entry->owner,
		  __entry->passes, __entry->waited, __entry->pending)
);

/* error: of the multicast; -ESRCH when nobody listens. */
TRACE_EVENT(egpu_event,
	TP_PROTO(u64 seq, u32 cmd, u32 id, int error),
	TP_ARGS(seq, cmd, id, error),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u32, cmd)
		__field(u32, id)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->cmd = cmd;
		__entry->id = id;
		__entry->error = error;
	),
	TP_printk("seq=%llu cmd=%u id=%u error=%d", __entry->seq, __entry->cmd,
		  __entry->id, __entry->error)
);

#endif /* _EGPU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
