# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How long until the last of 1,000 subscribers has an event; ours and the kernel's.
# rig: time 600
# rig: memory 4096

runs=30
many=1000

# fanout WHO HOW-MANY TARGET
fanout() {
	test_begin "an event reaches $2 subscribers of $1"
	expect bench-fanout "$1" "$2" "$runs" "$3" &&
		save /run/rig/output "fanout-$1-$2"
	test_end
}

insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
card=$(drm_node "$gpu")
uevent=/sys/class/drm/${card##*/}/uevent
sleep 1
fanout egpu 1 "$gpu"
fanout uevent 1 "$uevent"
fanout egpu "$many" "$gpu"
fanout uevent "$many" "$uevent"
