# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# A cancel in any step puts all back; meanwhile nobody can open the GPU, root neither.
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: modules virtio-gpu vgem
# rig: time 120
# rig: egpu-only

policy <<END
others = ignore
ask = 20s
freeze = 20s
drain = 8s
[program waiter]
action = wait
END
load_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
node=$(drm_node "$gpu")
chmod 0640 "$(drm_node "$gpu" renderD)"
chown nobody "$(drm_node "$gpu" renderD)"
"$tests/node" acl "$node" 65534 >/run/rig/acl ||
	note "this kernel has no access control lists in /dev: $(cat /run/rig/acl)"
nodes_save "$gpu" before
rig_note_file /run/rig/artifacts/nodes.before
egpud_start

# closed: nobody can open the GPU.
closed() {
	expect_not can_open "$node"
	# A fence of vgem ends by itself after 10 s: no time for more on a slow kernel, where
	# the other steps show it.
	[ "$rig_at" != drain ] || [ "$rig_slow" -eq 1 ] || return 0
	expect_not can_open "$(drm_node "$gpu" renderD)"
	expect_not can_open "$(drm_node "$gpu" renderD)" nobody
	expect_not "$tests/gpu-client" "$node"
}

# cancelled STEP PID...: in this step the nodes are closed; then it is called off.
cancelled() {
	rig_at=$1
	shift
	eject "$rig_at" "$gpu"
	step_wait "$gpu" "$rig_at"
	closed
	expect egpuctl cancel "$gpu"
	eject_ends "$rig_at" 9
	on_bus "$gpu" || rig_abort "the GPU has gone, so there is nothing to go on with"
	says "$rig_at" 'cancelled'
	removal_expect "$gpu" '.phase == "cancelled"'
	all_back "$gpu" before "$@"
	expect can_open "$(drm_node "$gpu" renderD)" nobody
}

client_start idle --buffers 2 --beat 100 "$node"
app cgroup --buffers 2 --beat 100 "$node"
client_start user "$node"
kill -STOP "$(bg_pid user)"

test_begin "while programs are asked"
client_start waiter "$node"
cancelled ask "$(bg_pid idle)" "$(bg_pid cgroup)" "$(bg_pid waiter)"
stop_bg waiter

test_begin "while programs are frozen, one of which hangs in the kernel"
client_start stuck --stuck "$node"
expect_same "state of the one that hangs" D "$(process_state "$(bg_pid stuck)")"
cancelled freeze "$(bg_pid idle)" "$(bg_pid cgroup)"
kill_bg stuck

test_begin "while work in flight is awaited"
client_start busy --fence never "$node"
cancelled drain "$(bg_pid idle)" "$(bg_pid cgroup)" "$(bg_pid busy)"
helper_said idle 'gap ms=' || fail "a program was not frozen before the drain"
helper_said cgroup 'gap ms=' || fail "a cgroup was not frozen before the drain"
kill_bg busy

test_begin "what somebody else had stopped is still stopped"
expect_same "state" T "$(process_state "$(bg_pid user)")"
kill -CONT "$(bg_pid user)"

test_begin "at any moment"
for delay in 0 15000 40000 90000; do
	client_start busy --fence never "$node"
	expect egpuctl eject "$gpu" --no-wait
	usleep "$delay"
	expect egpuctl cancel "$gpu"
	event_wait ".removal.address == \"$gpu\" and .removal.phase == \"cancelled\"" 10
	all_back "$gpu" before "$(bg_pid idle)" "$(bg_pid cgroup)" "$(bg_pid busy)" \
		"$(bg_pid user)"
	kill_bg busy
	events_mark
done

test_begin "Ctrl-C on egpuctl is a cancel"
client_start waiter "$node"
eject interrupted "$gpu"
step_wait "$gpu" ask
kill -INT "$(bg_pid interrupted)"
eject_ends interrupted 9
all_back "$gpu" before "$(bg_pid idle)" "$(bg_pid waiter)"
stop_bg waiter

test_begin "the daemon is stopped during an eject: refused, all is back"
client_start waiter "$node"
eject stopped "$gpu"
step_wait "$gpu" ask
stop_bg egpud
eject_ends stopped 4
all_back "$gpu" before "$(bg_pid idle)" "$(bg_pid waiter)"
