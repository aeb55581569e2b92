# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How long until the last of 1,000 subscribers has an event; ours and the kernel's.
# rig: time 600
# rig: memory 4096

runs=30
many=1000

# fanout HOW-MANY
fanout() {
	test_begin "an event reaches $1 subscribers"
	expect bench-fanout "$1" "$runs" "$gpu" "/sys/class/drm/${card##*/}/uevent" &&
		save /run/rig/output "fanout-$1"
	test_end
}

insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
card=$(drm_node "$gpu")
sleep 1
fanout 1
fanout "$many"
