# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
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

# Programs use the GPU as they do with egpu, and lose it when it is pulled.
client_start() {
	rig_client=$1
	shift
	start_bg "$rig_client" "$tests/gpu-client" --name "$rig_client" "$@"
	rig_wait "grep -q 'ready pid=' '/run/rig/artifacts/$rig_client.log'" 20
}

owner_start() { :; }
order() { return 1; }
order_error() { :; }
quiesce_expect() { :; }
quiesce_wait() { :; }
quiesce_steps() { :; }
egpud_start() { :; }
eject() { :; }
eject_ends() { :; }
step_wait() { :; }
steps_expect() { :; }
all_back() { :; }
all_gone() { :; }
