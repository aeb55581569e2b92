# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How long a program stands still: an eject by egpud, and unbind plus restart.
# rig: gpu igpu virtio-gpu-pci
# rig: time 600

runs=16

policy <<END
others = ignore
END
insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
other=$(drm_node "$(internal_gpu)")
egpud_start

# In turns, each on a GPU that has just been found.
test_begin "both take the GPU away"
run=0
while [ "$run" -lt "$runs" ]; do
	run=$((run + 1))
	for how in eject unbind; do
		rig_settle tb0
		sleep 1
		expect bench-stop "$how" "$gpu" "$(drm_node "$gpu")" "$other" &&
			cat /run/rig/output >>"/run/rig/artifacts/stop-$how"
		wait_gone "$gpu" 10
		rescan
	done
done
