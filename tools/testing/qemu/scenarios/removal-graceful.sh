# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Others remove a GPU that is still there: the button, the slot's power, sysfs.

load_egpu

test_begin "the attention button is a graceful removal"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
button_remove gpu0
graceful_expect "$gpu"
removal_evidence "$gpu" hotplug-thread -sysfs-remove -user-task
removal_expect "$gpu" '.release == "unattended" and .origin == "others" and .external'

test_begin "removing the GPU in sysfs is graceful"
sleep 2
hotadd tb0 gpu1
ready_wait "$gpu"
sysfs_remove "$gpu"
graceful_expect "$gpu"
removal_evidence "$gpu" sysfs-remove -hotplug-thread -user-task

test_begin "removing the bridge above it in sysfs is graceful"
rescan
ready_wait "$gpu"
sysfs_remove "$(port_address tb0)"
graceful_expect "$gpu"
removal_evidence "$gpu" sysfs-remove -hotplug-thread -user-task

test_begin "the slot's power file is graceful"
rescan
ready_wait "$gpu"
slot_power_off "$gpu"
graceful_expect "$gpu"
removal_evidence "$gpu" -sysfs-remove -driver-unload
