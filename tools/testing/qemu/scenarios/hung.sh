# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# What hangs: a fence, a client in the kernel, a helper. Bounded, and the culprit is named.
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: modules virtio-gpu vgem
# rig: time 120
# rig: egpu-only

policy <<END
others = ignore
ask = 2s
freeze = 2s
drain = 2s
END
load_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
node=$(drm_node "$gpu")
egpud_start
client_start plain --buffers 2 "$node"
nodes_save "$gpu" before

# names NAME PROGRAM: the eject says who is to blame.
names() {
	says "$1" "$2.*$(bg_pid "$2")|$(bg_pid "$2").*$2"
}

test_begin "a fence that never signals: refused in time, whose it is, all is back"
client_start hung --fence never "$node"
eject fence "$gpu"
eject_ends fence 4
names fence hung
all_back "$gpu" before "$(bg_pid plain)" "$(bg_pid hung)"

test_begin "the same by force: it is taken away"
client_start hung2 --fence never "$node"
eject by-force "$gpu" --force
eject_ends by-force 0
all_gone before "$(bg_pid plain)" "$(bg_pid hung)" "$(bg_pid hung2)"
for name in plain hung hung2; do client_leave "$name"; done
back "$gpu"

test_begin "a client that hangs in the kernel: refused in time, who it is"
client_start plain2 --buffers 2 "$(drm_node "$gpu")"
client_start stuck --stuck "$(drm_node "$gpu")"
nodes_save "$gpu" before
eject client "$gpu"
eject_ends client 4
names client stuck
all_back "$gpu" before "$(bg_pid plain2)"
expect_same "state of the one that hangs" D "$(process_state "$(bg_pid stuck)")"

test_begin "once it hangs no more it is not stopped either"
kill_bg stuck
all_back "$gpu" before "$(bg_pid plain2)"

test_begin "a helper that never answers: the eject ends in time, and says so"
kill -STOP "$(bg_pid egpud)"
request settings-set accept-ms=1000
eject helper "$gpu" --timeout 2
eject_ends helper 4
kill -CONT "$(bg_pid egpud)"
all_back "$gpu" before "$(bg_pid plain2)"

test_begin "one that stops in the middle: bounded, and put right when it wakes up"
policy <<END
others = wait
ask = 60s
END
kill -HUP "$(bg_pid egpud)"
usleep 300000
eject middle "$gpu" --timeout 3
step_wait "$gpu" ask
kill -STOP "$(bg_pid egpud)"
eject_ends middle 4
kill -CONT "$(bg_pid egpud)"
all_back "$gpu" before "$(bg_pid plain2)"

test_begin "meanwhile everybody else gets answers: no lock is kept"
kill -STOP "$(bg_pid egpud)"
client_start hung3 --fence never "$(drm_node "$gpu")"
owner_start owner
expect order owner fence "id=$(gpu_id "$gpu")"
expect order owner drain "id=$(gpu_id "$gpu")" timeout-ms=5000
expect egpuctl list
expect request client-get "id=$(gpu_id "$gpu")"
expect request buffer-get "id=$(gpu_id "$gpu")"
expect request settings-get
client_start late --buffers 1 "$(drm_node "$gpu")"
quiesce_wait "$(gpu_id "$gpu")" 'state=fenced result=timed-out' 15
expect_same "culprit" hung3 "$(request quiesce-get "id=$(gpu_id "$gpu")" |
	sed -n 's/.* culprit=[0-9]*:\([^:]*\):.*/\1/p')"
kill -CONT "$(bg_pid egpud)"
