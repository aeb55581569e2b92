# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Verbs of the scenarios: ejects as egpud carries them out, and what has to be true after.

# policy: egpud's configuration, from the standard input.
policy() {
	mkdir -p /etc/egpu
	cat >/etc/egpu/egpud.conf
}

# eject NAME GPU [OPTION...]: in the background; its output is the log NAME.
eject() {
	rig_name=$1
	shift
	start_bg "$rig_name" egpuctl eject "$@"
}

# eject_ends NAME CODE [SECONDS]: with this exit code, see egpuctl(1).
eject_ends() {
	rig_pid=$(bg_pid "$1")
	rig_wait "! kill -0 $rig_pid" "${3:-20}" || { fail "the eject $1 does not end"; return 1; }
	rm "/run/rig/bg.$1"
	rig_code=0
	wait "$rig_pid" || rig_code=$?
	[ "$rig_code" = "$2" ] && return 0
	fail "the eject $1 ends with code $rig_code instead of $2"
	rig_note_file "/run/rig/artifacts/$1.log"
	rig_note_daemon
}

# says NAME PATTERN: that log has it; for the output of ejects and of egpud.
says() {
	grep -qE -- "$2" "/run/rig/artifacts/$1.log" && return 0
	fail "$1 does not say: $2"
	rig_note_file "/run/rig/artifacts/$1.log"
}

rig_note_daemon() {
	tail -n 12 /run/rig/artifacts/egpud.log | sed 's/^/#   /' >&8
}

# step_wait GPU STEP [SECONDS]: until egpud says that it is there.
step_wait() {
	event_wait ".removal.address == \"$1\" and .removal.step == \"$2\"" "${3:-10}" && return 0
	rig_note_daemon
	return 1
}

# steps_expect GPU STEP...: in this order.
steps_expect() {
	rig_address=$1
	shift
	for rig_step; do
		set -- "$@" ".removal.address == \"$rig_address\" and
			.removal.step == \"$rig_step\""
		shift
	done
	event_order "$@"
}

# app NAME COMMAND...: runs it in a cgroup of its own, as a session does with its programs.
app() {
	mkdir -p /sys/fs/cgroup
	[ -e /sys/fs/cgroup/cgroup.procs ] || mount -t cgroup2 none /sys/fs/cgroup
	mkdir -p "/sys/fs/cgroup/$1"
	echo $$ >"/sys/fs/cgroup/$1/cgroup.procs"
	client_start "$@"
	echo $$ >/sys/fs/cgroup/cgroup.procs
}

nothing_kept() {
	[ ! -s /run/egpu/journal ] && [ -z "$(find /dev/.egpu-fence -type c 2>/dev/null)" ]
}

# all_back GPU NODES PID...: as if there had been no eject: the nodes are what they were
# (nodes_save), can be opened, every process runs, nothing is kept anywhere.
all_back() {
	rig_gpu=$1
	rig_nodes=$2
	shift 2
	wait_for "runs $*" 10
	wait_for nothing_kept 10 || rig_note_kept
	nodes_expect "$rig_gpu" "$rig_nodes"
	expect can_open "$(drm_node "$rig_gpu")"
	rig_id=$(gpu_id "$rig_gpu")
	wait_for "request quiesce-get id=$rig_id | grep -qE 'state=(running|resumed)'" 5
	expect_same "state of the GPU" 1 "$(gpu_field "$rig_gpu" state)"
}

# all_gone NODES PID...: the GPU has left as it should: its nodes are nowhere, every process
# runs, nothing is kept.
all_gone() {
	rig_nodes=$1
	shift
	wait_for "runs $*" 10
	wait_for nothing_kept 10 || rig_note_kept
	[ -s "/run/rig/artifacts/nodes.$rig_nodes" ] || fail "nobody has looked at its nodes before"
	cut -d ' ' -f 1 "/run/rig/artifacts/nodes.$rig_nodes" | while read -r rig_node; do
		[ ! -e "$rig_node" ] || echo "$rig_node is still there"
	done >/run/rig/left
	[ ! -s /run/rig/left ] || fail "$(cat /run/rig/left)"
}

rig_note_kept() {
	cat /run/egpu/journal >/run/rig/output 2>&1
	find /dev/.egpu-fence >>/run/rig/output 2>&1
	rig_note_file /run/rig/output
	rig_note_daemon
}

# back GPU: an ejected card is found again.
back() {
	rescan
	gpu_ready "$1"
	rig_wait "drm_node $1" 10
}

# egpud_start [OPTION...]: the daemon, listening; its log goes on from the last one.
egpud_start() {
	[ ! -e /run/rig/artifacts/egpud.log ] ||
		cat /run/rig/artifacts/egpud.log >>/run/rig/artifacts/egpud.all
	start_egpud "$@"
}
