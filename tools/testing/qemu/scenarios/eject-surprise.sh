# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The cable is pulled in every step of an eject: all go on, nothing is kept, all is told.
# rig: gpu gpu1 virtio-gpu-pci on tb1
# rig: modules bochs virtio-gpu vgem
# rig: time 120
# rig: egpu-only

policy <<END
others = ignore
ask = 20s
freeze = 60s
drain = 8s
[program waiter]
action = wait
END
load_egpu
egpud_start
count=0

# plug: another card in tb0, with two programs that use it.
plug() {
	count=$((count + 1))
	hotadd tb0 "gpu$((count + 10))"
	use tb0
}

# use PORT: the programs "plain" and "group", and what the nodes were.
use() {
	port=$1
	gpu=$(gpu_at "$1")
	gpu_ready "$gpu"
	id=$(gpu_id "$gpu")
	node=$(drm_node "$gpu")
	nodes_save "$gpu" before
	client_start plain --buffers 2 "$node"
	app group --buffers 1 "$node"
	events_mark
}

# pulled NAME PID...: pulled now, and what has to come of it.
pulled() {
	rig_eject=$1
	shift
	pull "$port"
	removal_wait "$gpu" 15
	[ "$rig_eject" = none ] || eject_ends "$rig_eject" 10
	removal_expect "$gpu" '.cause == "surprise"'
	all_gone before "$(bg_pid plain)" "$(bg_pid group)" "$@"
	for rig_pid in $(bg_pid plain) $(bg_pid group) "$@"; do
		wait_for "grep -q \"\\b$rig_pid\\b\" /run/rig/artifacts/egpud.log" 5
	done
	cookie=$(event_value ".removal.address == \"$gpu\"" .removal.cookie)
	request client-get "cookie=$cookie" >/run/rig/victims
	grep -q "pid=$(bg_pid plain) comm=plain buffers=2 " /run/rig/victims ||
		{ fail "the kernel does not tell whom it hit"; rig_note_file /run/rig/victims; }
	request_expect_error 19 quiesce-get "id=$id"
	expect bg_alive egpud
	for rig_client in plain group; do
		if [ "$port" = tb1 ]; then client_leave "$rig_client"
		else stop_bg "$rig_client"; fi
	done
	sleep 2
}

test_begin "without an eject: whom it hit is told"
plug
pulled none

test_begin "the card that comes is another GPU, and ready is said of it when it is"
plug
wait_for "grep -qi 'ready' /run/rig/artifacts/egpud.log" 10
expect egpuctl eject "$gpu" --no-wait
pulled none

test_begin "while programs are asked"
plug
client_start waiter "$node"
eject ask "$gpu"
step_wait "$gpu" ask
pulled ask "$(bg_pid waiter)"
stop_bg waiter

test_begin "while programs are frozen, one of which hangs in the kernel"
plug
client_start stuck --stuck "$node"
eject freeze "$gpu"
step_wait "$gpu" freeze
wait_for "stopped $(bg_pid plain)" 10
pulled freeze
kill_bg stuck

test_begin "right before the removal"
plug
eject remove "$gpu"
step_wait "$gpu" remove 20
on_bus "$gpu" && rig-pull "$(port_address tb0)" 2>/run/rig/output
wait_gone "$gpu" 10
removal_wait "$gpu" 15
all_gone before "$(bg_pid plain)" "$(bg_pid group)"
rig_wait "! bg_alive remove" 20 || fail "the eject does not end"
rm -f /run/rig/bg.remove
expect bg_alive egpud
stop_bg plain
stop_bg group

test_begin "while work in flight is awaited"
use tb1
client_start busy --fence never "$node"
eject drain "$gpu"
step_wait "$gpu" drain
wait_for "request quiesce-get id=$id | grep -q state=draining" 10
expect stopped "$(bg_pid group)"
pulled drain "$(bg_pid busy)"
client_leave busy
