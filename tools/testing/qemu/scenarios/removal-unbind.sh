# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Only the driver leaves: by sysfs, by its module's unloading; the GPU stays.

load_egpu

test_begin "a sysfs unbind is no removal"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
id=$(device_id "$gpu")
unbind "$gpu"
unbind_expect "$gpu"
event_expect_count 1 '.event == "changed" and .device.state == "detached"'
removal_evidence "$gpu" user-task -driver-unload -sysfs-remove
device_expect "$gpu" ".state == \"detached\" and .id == $id and .driver == null"

test_begin "a driver that is bound again makes it ready"
bind "$gpu" bochs-drm
ready_wait "$gpu"
device_expect "$gpu" ".state == \"ready\" and .id == $id"

test_begin "unloading the driver's module is no removal"
# The text console holds the driver as long as it draws on the GPU.
for console in /sys/class/vtconsole/vtcon*; do
	grep -q 'frame buffer' "$console/name" && echo 0 >"$console/bind"
done
expect rmmod bochs
unbind_expect "$gpu"
removal_evidence "$gpu" driver-unload -user-task -sysfs-remove
device_expect "$gpu" ".state == \"detached\" and .id == $id"

test_begin "a GPU without a driver leaves without a wait"
pull tb0
removal_wait "$gpu" 10
removal_evidence "$gpu" no-driver marked
removal_expect "$gpu" '.cause == "surprise" and .driver == null'
event_expect_count 1 '.event == "disconnected"'
events_consecutive
