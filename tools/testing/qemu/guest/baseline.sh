# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The same scenario without egpu: what is plugged, pulled, bound and unbound stays, what
# asks egpu or waits for it is left out. Only what the kernel itself complains of counts,
# see rig.py's verb baseline; the results of the tests mean nothing here.

load_egpu() { :; }
insert_egpu() { :; }
unload_egpu() { :; }
start_egpud() { :; }
settle() { :; }
helper_start() { :; }
helper_wait() { :; }
hold_accepted() { :; }
hold_pending() { :; }
event_wait() { :; }
log_wait() { :; }
insmod() { :; }
rmmod() { :; }
egpuctl() { return 1; }
request() { return 1; }
run_ktap() { :; }
trace_on() { :; }
traced() { return 1; }
hold_expect() { :; }
released_within() { :; }
no_hold_expect() { :; }

# Until its driver has let go, which is when egpu would say that it is done.
removal_wait() {
	rig_wait "! has_driver $1" "$2"
}

ready_wait() {
	rig_wait "has_driver $1" 10
}

gpu_ready() {
	ready_wait "$1"
}

# Wait for the machine, never for egpu.
wait_for() {
	case $1 in
	*on_bus* | *has_driver* | *gpu_at* | */proc/*) rig_wait "$1" "$2" ;;
	*) return 1 ;;
	esac
}
