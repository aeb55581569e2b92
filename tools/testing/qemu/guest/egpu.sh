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
	egpuctl settings --json | jq -e .settings.helpers
}

# device_id ADDRESS: egpu's id of the GPU that is there now.
device_id() {
	egpuctl list --json |
		jq -e --arg a "$1" '.devices[] | select(.address == $a and .state != "gone") | .id'
}

# settle: all events of what has happened have arrived (the kernel's last sequence
# number is in the record).
settle() {
	wait_for 'rig_all_arrived' 10
}

rig_all_arrived() {
	rig_last=$(egpuctl settings --json | jq .settings.seq)
	grep -qE "\"seq\":$rig_last(,|})" "$events" || [ "$rig_last" = 0 ]
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
	rig_seen=
	rig_wait rig_event_came "$2" && return 0
	fail "no such event within $2 s: $1"
	rig_show_events
	return 1
}

# Looks only when there are more: jq is slow under emulation, and would take its time from
# what is waited for.
rig_event_came() {
	rig_lines=$(rig_event_lines)
	[ "$rig_lines" != "$rig_seen" ] || return 1
	rig_seen=$rig_lines
	[ -n "$(events_list "$rig_filter")" ]
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

# --- removals ----------------------------------------------------------------

# What a removal shows that nobody was asked about, one word an event.
steps_unheld="removal-pending:released removal-progress:unbound disconnected \
removal-progress:done"

# ready_wait ADDRESS: until the GPU's driver is bound, as the events tell it.
ready_wait() {
	event_wait ".device.address == \"$1\" and .device.state == \"ready\"" 10
}

# removal_wait ADDRESS SECONDS: until a removal of this GPU is done.
removal_wait() {
	event_wait ".removal.address == \"$1\" and .removal.phase == \"done\"" "$2"
}

# The events of the last removal of a GPU since the mark, in /run/rig/removal; read
# again only when there are more.
rig_removal() {
	rig_now="$1 $events_from $(rig_event_lines)"
	[ "$rig_now" != "${rig_removal_of:-}" ] || return 0
	rig_removal_of=$rig_now
	events_list ".removal.address == \"$1\"" | jq -s -c \
		'(last.removal.cookie // 0) as $last | .[] | select(.removal.cookie == $last)' \
		>/run/rig/removal
}

# removal_expect ADDRESS FILTER: of the removal as its last event has it, for example
# '.cause == "surprise" and .release == "gone"'.
removal_expect() {
	rig_removal "$1"
	jq -s -e "last.removal | ($2)" /run/rig/removal >/dev/null && return 0
	fail "the removal of $1 does not satisfy: $2"
	jq -c .removal /run/rig/removal >/run/rig/output
	rig_note_file /run/rig/output
	return 1
}

# removal_evidence ADDRESS FLAG...: has all of these; -FLAG: has it not.
removal_evidence() {
	rig_address=$1
	rig_filter=true
	shift
	for rig_flag; do
		case $rig_flag in
		-*) rig_filter="$rig_filter and (index(\"${rig_flag#-}\") | not)" ;;
		*) rig_filter="$rig_filter and index(\"$rig_flag\") != null" ;;
		esac
	done
	removal_expect "$rig_address" ".evidence | $rig_filter"
}

# removal_steps ADDRESS "EVENT:PHASE ...": exactly these events, in this order.
removal_steps() {
	rig_removal "$1"
	rig_steps=$(jq -s -r 'sort_by(.seq) | map(.event + if .event == "disconnected" then ""
		else ":" + .removal.phase end) | join(" ")' /run/rig/removal)
	expect_same "events of the removal of $1" "$2" "$rig_steps"
}

# surprise_expect ADDRESS, graceful_expect ADDRESS, unbind_expect ADDRESS: what has to be
# true of every removal of this kind that no helper was asked about.
surprise_expect() {
	removal_wait "$1" 15 || return 1
	removal_expect "$1" '.cause == "surprise" and .release == "gone"'
	removal_evidence "$1" marked absent -present -user-task -eject
	removal_steps "$1" "$steps_unheld"
	events_consecutive
}

graceful_expect() {
	removal_wait "$1" 15 || return 1
	removal_expect "$1" '.cause == "graceful"'
	removal_evidence "$1" present -marked -absent -slot-empty -link-down -overtaken
	removal_steps "$1" "$steps_unheld"
	events_consecutive
}

unbind_expect() {
	removal_wait "$1" 15 || return 1
	removal_expect "$1" '.cause == "unbind"'
	removal_evidence "$1" present -marked -absent -slot-empty -overtaken
	event_expect_count 0 '.event == "disconnected"'
	events_consecutive
}
