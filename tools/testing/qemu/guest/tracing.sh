# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Verbs of the scenarios: kernel tracing. Times are those of CLOCK_BOOTTIME.

tracing=/sys/kernel/tracing

# trace_on EVENT...: start afresh with these ("egpu", "sched:sched_switch").
trace_on() {
	echo 0 >"$tracing/tracing_on"
	echo boot >"$tracing/trace_clock"
	echo 8192 >"$tracing/buffer_size_kb"
	echo >"$tracing/trace"
	for rig_event; do
		case $rig_event in
		*:*) rig_path=${rig_event%%:*}/${rig_event#*:} ;;
		*) rig_path=$rig_event ;;
		esac
		[ -e "$tracing/events/$rig_path/enable" ] ||
			rig_abort "this kernel has no trace event $rig_event"
		echo 1 >"$tracing/events/$rig_path/enable"
	done
	echo 1 >"$tracing/tracing_on"
}

# trace_mark TEXT: a line of our own in the trace.
trace_mark() {
	echo "rig: $*" >"$tracing/trace_marker"
}

# trace_off [NAME]: stop, and keep the trace for the host as NAME (default trace).
trace_off() {
	echo 0 >"$tracing/tracing_on"
	cat "$tracing/trace" >"/run/rig/artifacts/${1:-trace}"
	echo 0 >"$tracing/events/enable"
}

# trace_time PATTERN [FILE]: microseconds at which the first matching line was made.
trace_time() {
	grep -E -m 1 -- "$1" "${2:-$tracing/trace}" |
		sed -n 's/^.* \([0-9]*\)\.\([0-9]\{6\}\): .*$/\1\2/p'
}
