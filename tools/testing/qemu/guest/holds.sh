# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Verbs of the scenarios: removals that wait for a helper, measured by tracepoints.
# They use the test programs' own netlink code and nothing of libegpu.

tests=/usr/lib/egpu/tests

# insert_egpu [PARAMETER=VALUE...]: the module alone. load_egpu records events as well.
insert_egpu() {
	[ -e /lib/egpu.ko ] || rig_abort "egpu.ko is not built for this kernel"
	[ -e "$tests/helper" ] || rig_abort "the test programs are not built"
	insmod /lib/egpu.ko "$@" || rig_abort "egpu.ko does not load"
}

# request COMMAND [NAME=VALUE...]: one netlink request; prints the reply, or
# "error=NUMBER MESSAGE" and fails. See selftests/egpu/request.c.
request() {
	"$tests/request" "$@"
}

# request_expect_error NUMBER COMMAND [NAME=VALUE...]: refused, and with a reason.
request_expect_error() {
	rig_want=$1
	shift
	rig_reply=$(request "$@")
	case $rig_reply in
	"error=$rig_want "?*) note "$1: $rig_reply" ;;
	*) fail "$*: expected error $rig_want with a message, found: $rig_reply" ;;
	esac
}

# gpu_id ADDRESS: egpu's id of the GPU that is there now; see also gpu_field.
gpu_id() {
	gpu_field "$1" id
}

# gpu_field ADDRESS id|state|external|clients|cookie: as a number.
gpu_field() {
	request device-get "address=$1" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# gpu_ready ADDRESS: until it is on the bus and the module knows of its driver.
gpu_ready() {
	wait_for "[ \"\$(gpu_field $1 state)\" = 1 ]" 10
}

# --- helpers -----------------------------------------------------------------

# helper_start NAME [OPTION...]: see selftests/egpu/helper.c; returns when it listens.
helper_start() {
	rig_helper=$1
	shift
	start_bg "$rig_helper" "$tests/helper" "$@"
	helper_wait "$rig_helper" listening 5
}

# helper_wait NAME PATTERN SECONDS: until it has said so.
helper_wait() {
	wait_for "grep -qE -- '$2' /run/rig/artifacts/$1.log" "$3" && return 0
	rig_note_file "/run/rig/artifacts/$1.log"
	return 1
}

# helper_said NAME PATTERN
helper_said() {
	grep -qE -- "$2" "/run/rig/artifacts/$1.log"
}

# helper_never_said NAME PATTERN
helper_never_said() {
	helper_said "$1" "$2" || return 0
	fail "the helper $1 said: $(grep -m 1 -E -- "$2" "/run/rig/artifacts/$1.log")"
	return 1
}

# --- holds -------------------------------------------------------------------

# traced PATTERN
traced() {
	grep -qE -- "$1" "$tracing/trace"
}

# hold_accepted: until a helper has accepted the removal that is held.
hold_accepted() {
	wait_for "traced 'egpu_removal: .* phase=accepted'" "${1:-10}" || rig_show_trace
}

# hold_pending: until a removal waits, accepted or not.
hold_pending() {
	wait_for "traced 'egpu_hold_begin:'" "${1:-10}" || rig_show_trace
}

rig_show_trace() {
	grep -E 'egpu_|rig' "$tracing/trace" | sed 's/^ *//; s/  */ /g' >/run/rig/output
	rig_note_file /run/rig/output 30
	return 1
}

# time_between FROM TO: microseconds between the first trace lines that match.
time_between() {
	rig_from=$(trace_time "$1")
	rig_to=$(trace_time "$2")
	[ -n "$rig_from" ] && [ -n "$rig_to" ] || return 1
	echo $((rig_to - rig_from))
}

# rig_goes_on RELEASE: the trace line after which a removal goes on. A helper can be done
# before the removal has begun to wait; then the release itself is that line.
rig_goes_on() {
	if traced egpu_hold_begin:; then
		echo "egpu_hold_end: .*release=$1\$"
	else
		echo "egpu_removal: .* release=$1 "
	fi
}

# hold_expect RELEASE MIN_MS MAX_MS: one hold since trace_on, this long from the
# first notice of the removal to its release, and released for this reason.
hold_expect() {
	wait_for "traced \"\$(rig_goes_on $1)\"" 15
	rig_us=$(time_between egpu_leave_begin: "$(rig_goes_on "$1")") ||
		{ fail "no hold that ended with release=$1"; rig_show_trace; return 1; }
	rig_max=$(($3 * rig_slow))
	note "held for $(rig_ms "$rig_us") ms, release $1 (allowed: $2 to $rig_max ms)"
	[ "$rig_us" -ge $(($2 * 1000)) ] && [ "$rig_us" -le $((rig_max * 1000)) ] && return 0
	fail "held for $(rig_ms "$rig_us") ms instead of $2 to $rig_max ms"
	rig_show_trace
}

# released_within MS FROM RELEASE: since the first trace line that matches FROM. MS is what
# is promised of a machine; this one is emulated, with others beside it, and gets ten times
# that, which is still before any deadline. The note has the figure.
released_within() {
	wait_for "traced \"\$(rig_goes_on $3)\"" 15
	rig_us=$(time_between "$2" "$(rig_goes_on "$3")") ||
		{ fail "no '$2' and then a hold that ended with release=$3"; rig_show_trace
		return 1; }
	rig_max=$(($1 * 10))
	note "released $(rig_ms "$rig_us") ms after '$2', release $3 (promised: $1 ms)"
	[ "$rig_us" -ge 0 ] && [ "$rig_us" -le $((rig_max * 1000)) ] && return 0
	fail "released $(rig_ms "$rig_us") ms after '$2' instead of within $rig_max ms"
	rig_show_trace
}

# no_hold_expect RELEASE: a removal since trace_on that did not wait at all.
no_hold_expect() {
	wait_for "traced 'egpu_removal: .* release=$1 '" 15 || { rig_show_trace; return 1; }
	rig_us=$(time_between egpu_leave_begin: "egpu_removal: .* release=$1 ")
	note "not held, release $1 after $(rig_ms "$rig_us") ms"
	traced egpu_hold_begin: || return 0
	fail "the removal was held"
	rig_show_trace
}

rig_ms() {
	printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}
