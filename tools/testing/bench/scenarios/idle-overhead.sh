# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What a program that uses its GPU pays for the module being loaded: nothing.
# rig: time 600

rounds=8000
pairs=24

# The order is without, without, with, with, without ...: each figure has beside it
# one of its own kind, which shows the noise, and one of the other.
measure() {
	printf '%s ' "$1" >>/run/rig/artifacts/idle
	bench-drm-loop "$node" "$rounds" >>/run/rig/artifacts/idle ||
		fail "the loop does not run"
}

test_begin "a loop of ioctls, with the module and without"
hotadd tb0 gpu0
node=$(drm_node "$(gpu_at tb0)")
sleep 1
pair=0
while [ "$pair" -lt "$pairs" ]; do
	pair=$((pair + 1))
	measure without
	measure without
	insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
	sleep 1
	measure with
	measure with
	unload_egpu
	sleep 1
done
