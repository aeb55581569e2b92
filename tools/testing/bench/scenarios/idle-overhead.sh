# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What a program that uses its GPU pays for the module being loaded: nothing.
# rig: time 600

rounds=1500
times=9
phases=16

# The phases take turns. Each has the other kind beside it, which shows the
# overhead, and its own kind two further on, which shows the noise. The emulator
# translates code anew when a module is loaded, so that happens before either.
phase() {
	printf '%s ' "$1" >>/run/rig/artifacts/idle
	bench-drm-loop "$node" "$rounds" "$times" >>/run/rig/artifacts/idle ||
		fail "the loop does not run"
}

load_and_settle() {
	insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
	usleep 300000
}

unload_and_settle() {
	unload_egpu
	usleep 300000
}

test_begin "a loop of ioctls, with the module and without"
hotadd tb0 gpu0
node=$(drm_node "$(gpu_at tb0)")
sleep 1
done=0
while [ "$done" -lt "$phases" ]; do
	done=$((done + 1))
	load_and_settle
	unload_and_settle
	phase without
	load_and_settle
	phase with
	unload_and_settle
done
