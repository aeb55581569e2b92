# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The daemon outlives the module's unloading and is a helper again after its loading.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)
insert_egpu
gpu_ready "$gpu"
start_egpud
daemon=$(bg_pid egpud)

test_begin "before: the daemon accepts and acknowledges a removal"
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 0 2000

test_begin "unloaded: the daemon stays"
unload_egpu
sleep 1
expect bg_alive egpud

test_begin "loaded again: the same daemon is a helper again"
insert_egpu
wait_for 'request settings-get | grep -q helpers=1' 10
expect_same "pid of the daemon" "$daemon" "$(bg_pid egpud)"
expect bg_alive egpud
rescan
gpu_ready "$gpu"
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 0 2000

test_begin "the daemon started before the module finds it when it comes"
stop_bg egpud
unload_egpu
start_bg egpud egpud
sleep 1
expect bg_alive egpud
insert_egpu
wait_for 'request settings-get | grep -q helpers=1' 10
rescan
gpu_ready "$gpu"
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 0 2000

test_begin "ten quick reloads under the daemon"
n=0
while [ "$n" -lt 10 ]; do
	rig_wait 'rmmod egpu' 5 || fail "unload $n"
	insmod /lib/egpu.ko || fail "load $n"
	n=$((n + 1))
done
wait_for 'request settings-get | grep -q helpers=1' 10
expect bg_alive egpud
