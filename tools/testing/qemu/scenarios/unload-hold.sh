# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The module is unloaded while it holds a removal: that goes on, and all ends cleanly.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)

# again: the module with a helper that keeps every removal waiting.
again() {
	insert_egpu hold_ms=5000 accept_ms=1000
	gpu_ready "$gpu"
	helper_start "$1" --accept 0 --ack never
	helper=$1
}

# unload: rmmod now; it must not wait for the hold's deadline.
unload() {
	start=$(uptime_ms)
	expect rmmod egpu
	took=$(($(uptime_ms) - start))
	note "rmmod took $took ms"
	[ "$took" -lt 2000 ] || fail "rmmod took $took ms"
	helper_wait "$helper" module-gone 5
}

test_begin "while a removal by sysfs is held"
again sysfs
sysfs_remove "$gpu" &
removal=$!
helper_wait sysfs 'accept cookie=1 error=0' 5
unload
wait "$removal"
expect_not on_bus "$gpu"
helper_wait sysfs 'progress cookie=1 .*phase=released release=unloaded' 5
stop_bg sysfs

test_begin "while a driver's unbinding is held"
rescan
rig_settle tb0
again unbind
unbind "$gpu" &
removal=$!
helper_wait unbind 'accept cookie=1 error=0' 5
unload
wait "$removal"
expect_not has_driver "$gpu"
helper_wait unbind 'progress cookie=1 .*phase=released release=unloaded' 5
stop_bg unbind
bind "$gpu" bochs-drm

test_begin "while an eject waits for its helper: the GPU stays"
again eject
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
helper_wait eject 'accept cookie=1 error=0' 5
unload
helper_wait eject 'progress cookie=1 .*phase=cancelled release=unloaded' 5
expect has_driver "$gpu"
stop_bg eject

test_begin "while an eject waits and sysfs has begun to remove as well"
again both
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
helper_wait both 'accept cookie=1 error=0' 5
sysfs_remove "$gpu" &
removal=$!
usleep 300000
unload
wait "$removal"
expect_not on_bus "$gpu"
helper_wait both 'progress cookie=1 .*phase=released release=unloaded' 5
stop_bg both

test_begin "while the button's removal is held in the hotplug thread"
rescan
rig_settle tb0
again button
button_remove gpu0
helper_wait button 'accept cookie=1 error=0' 15
unload
wait_gone "$gpu" 5
helper_wait button 'progress cookie=1 .*phase=released release=unloaded' 5
