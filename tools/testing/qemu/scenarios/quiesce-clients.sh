# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# 64 programs with 40 buffers each quiesce; more culprits than are kept; very many buffers.
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: modules virtio-gpu vgem
# rig: memory 2048
# rig: time 90
# rig: egpu-only

insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
id=$(gpu_id "$gpu")
node=$(drm_node "$gpu")
owner_start owner

# many NAME PROCESSES [OPTION...]: programs, and all of them are ready.
many() {
	rig_name=$1
	rig_processes=$2
	shift 2
	start_bg "$rig_name" "$tests/gpu-client" --name "$rig_name" \
		--processes "$rig_processes" "$@" "$node"
	wait_for "[ \$(grep -c 'ready pid=' /run/rig/artifacts/$rig_name.log) = $rig_processes ]" 30
}

# drained PATTERN: fenced, drained, resumed; what quiesce-get said is in /run/rig/quiesce.
drained() {
	expect order owner fence "id=$id"
	expect order owner drain "id=$id" timeout-ms=60000
	quiesce_wait "$id" 'state=(quiesced|fenced)' 60
	quiesce_expect "$id" "$1"
	request quiesce-get "id=$id" >/run/rig/quiesce
	rig_note_file /run/rig/quiesce
	expect order owner resume "id=$id"
}

test_begin "64 programs with 40 buffers each, nothing in flight"
many idle 64 --buffers 40
drained 'state=quiesced result=drained .*clients=64 buffers=2560 passes=2 waited=0 pending=0'
expect_same "buffers listed" 2560 "$(request buffer-get "id=$id" | grep -c '^buffer ')"
expect_same "programs listed" 64 "$(request client-get "id=$id" | grep -c ' buffers=40 ')"

test_begin "the same 64 and eight with work in flight"
many busy 8 --buffers 40 --fence 4000
drained 'state=quiesced result=drained .*clients=72 buffers=2880 .* pending=0'
stop_bg busy

test_begin "twenty files whose work never ends: all are counted, 16 are named"
many hung 1 --files 20 --fence never
expect order owner fence "id=$id"
expect order owner drain "id=$id" timeout-ms=500
quiesce_wait "$id" 'state=fenced result=timed-out' 20
quiesce_expect "$id" ' pending=20 '
expect_same "culprits named" 16 \
	"$(request quiesce-get "id=$id" | tr ' ' '\n' | grep -c '^culprit=[0-9]*:hung:1')"
expect order owner resume "id=$id"
stop_bg hung
stop_bg idle

# Making them is what takes time on the debug kernel.
buffers=$((10000 / rig_slow))
test_begin "one program with $buffers buffers"
many big 1 --buffers "$buffers"
drained "result=drained .*clients=1 buffers=$buffers passes=2 waited=0 pending=0"

test_begin "programs that come and go while it is drained"
expect order owner fence "id=$id"
expect order owner drain "id=$id" timeout-ms=60000
for round in 1 2 3 4 5 6 7 8; do
	start_bg "guest$round" "$tests/gpu-client" --buffers 5 "$node"
	usleep 20000
	kill_bg "guest$round"
done
quiesce_wait "$id" 'state=quiesced result=drained' 30
