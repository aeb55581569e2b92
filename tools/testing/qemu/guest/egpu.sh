# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Verbs of the scenarios: our module, our daemon, and the events they send.

events=/run/rig/artifacts/events.json
events_from=1

# --- module and daemon -------------------------------------------------------

# load_egpu [PARAMETER=VALUE...]: insert the module and record its events from then on.
load_egpu() {
	[ -e /lib/egpu.ko ] || rig_abort "egpu.ko is not built for this kernel"
	insmod /lib/egpu.ko "$@" || rig_abort "egpu.ko does not load"
	events_start
}

unload_egpu() {
	rmmod egpu || rig_abort "egpu.ko does not unload"
}

# start_egpud [ARG...], stop with stop_bg egpud; returns when it listens.
start_egpud() {
	start_bg egpud egpud "$@"
	wait_for 'helper_listens' 10
}

helper_listens() {
	[ "$(egpuctl settings --json | jq .settings.helpers)" = 1 ]
}

# device_id ADDRESS: egpu's id of the GPU that is there now.
device_id() {
	egpuctl list --json |
		jq -e --arg a "$1" '.devices[] | select(.address == $a and .state != "gone") | .id'
}

# device_expect ADDRESS FILTER: what egpuctl says of it.
device_expect() {
	egpuctl show "$1" --json >/run/rig/show 2>&1
	jq -e ".device | ($2)" /run/rig/show >/dev/null 2>&1 && return 0
	fail "device $1 does not satisfy: $2"
	rig_note_file /run/rig/show
	return 1
}

# --- events ------------------------------------------------------------------

# events_start: record what egpuctl monitor --json prints; load_egpu calls it.
events_start() {
	bg_alive monitor && return 0
	rig_before=$(rig_netlink_listeners)
	egpuctl monitor --json >>"$events" 2>/run/rig/artifacts/monitor.stderr \
		7>&- 8>&- 9>&- </dev/null &
	echo $! >/run/rig/bg.monitor
	rig_wait "[ \$(rig_netlink_listeners) -gt $rig_before ]" 10 ||
		rig_abort "egpuctl monitor does not subscribe"
}

# Generic netlink sockets (protocol 16) that are in a multicast group.
rig_netlink_listeners() {
	awk '$2 == 16 && $4 != "00000000"' /proc/net/netlink | wc -l
}

# events_mark: look at events from now on only; test_begin calls it.
events_mark() {
	rig_lines=$(rig_event_lines)
	events_from=$((${rig_lines:-0} + 1))
}

# Complete lines only: the last may be half written.
rig_event_lines() {
	[ ! -e "$events" ] || wc -l <"$events"
}

# events_list [FILTER]: the events since the mark, one per line.
events_list() {
	[ -e "$events" ] || return 0
	head -n "$(rig_event_lines)" "$events" | tail -n "+$events_from" |
		jq -c "select(${1:-true})"
}

# event_wait FILTER SECONDS: until an event satisfies the jq FILTER, for example
# '.event == "removal-pending" and .removal.cause == "surprise"'.
event_wait() {
	rig_filter=$1
	# shellcheck disable=SC2016 # rig_wait evaluates it
	rig_wait '[ -n "$(events_list "$rig_filter")" ]' "$2" && return 0
	fail "no such event within $2 s: $1"
	rig_show_events
	return 1
}

# event_count FILTER
event_count() {
	events_list "$1" | wc -l
}

# event_expect_count N FILTER
event_expect_count() {
	rig_found=$(event_count "$2")
	[ "$rig_found" = "$1" ] && return 0
	fail "expected $1 events, found $rig_found: $2"
	rig_show_events
	return 1
}

# event_order FILTER...: an event for each, one after the other in this order.
event_order() {
	rig_last=0
	for rig_filter; do
		rig_next=$(events_list "$rig_filter" | jq -s "map(.seq | select(. > $rig_last)) |
			min // 0")
		if [ "${rig_next:-0}" = 0 ]; then
			fail "no such event after number $rig_last: $rig_filter"
			rig_show_events
			return 1
		fi
		rig_last=$rig_next
	done
}

# events_consecutive: no sequence number missing, none twice, since the mark.
events_consecutive() {
	events_list '.seq' | jq -s -e 'map(.seq) |
		[.[1:], .[:-1]] | transpose | all(.[0] == .[1] + 1)' >/dev/null && return 0
	fail "the events' sequence numbers have gaps"
	rig_show_events
	return 1
}

# event_value FILTER PATH: a value out of the first event that satisfies FILTER.
event_value() {
	events_list "$1" | jq -s -r ".[0] | $2"
}

rig_show_events() {
	events_list | jq -c '[.seq, .event, .device.address // .removal.address,
		.device.state // .removal.phase, .removal.cause, .removal.evidence]' \
		>/run/rig/output 2>&1
	rig_note_file /run/rig/output 30
}

events_save() {
	[ ! -e /run/rig/artifacts/monitor.stderr ] ||
		[ -s /run/rig/artifacts/monitor.stderr ] || rm /run/rig/artifacts/monitor.stderr
	return 0
}
