# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What counts as external: markers, and what the user says of an unmarked slot.
# rig: gpu igpu virtio-gpu-pci

slot=$(port_address slot0)
igpu=$(internal_gpu)
load_egpu

test_begin "the GPU on the root bus is internal"
device_expect "$igpu" '(.external | not) and .marker == "none" and .at_load'

test_begin "a GPU in an internal hotplug slot is internal"
hotadd slot0 gpu0
gpu=$(gpu_at slot0)
ready_wait "$gpu"
device_expect "$gpu" '(.external | not) and .marker == "none"'

test_begin "its removal is reported as that of an internal GPU"
sysfs_remove "$gpu"
removal_wait "$gpu" 10
removal_expect "$gpu" '(.external | not) and .release == "internal" and .cause == "graceful"'

test_begin "told so, it is external from then on"
rescan
ready_wait "$gpu"
expect egpuctl override "$slot" external
event_wait ".event == \"changed\" and .device.address == \"$gpu\" and .device.external" 5
device_expect "$gpu" '.external and .marker == "override"'
device_expect "$igpu" '.external | not'

test_begin "the rule nearest to the GPU wins"
expect egpuctl override "$gpu" internal
device_expect "$gpu" '(.external | not) and .marker == "override"'
expect egpuctl override "$gpu" auto
device_expect "$gpu" '.external and .marker == "override"'

test_begin "pulled from a slot that was called external, it is a surprise"
pull slot0
surprise_expect "$gpu"
removal_expect "$gpu" '.external'

test_begin "taken back, the slot is internal again"
expect egpuctl override "$slot" auto
sleep 2
hotadd slot0 gpu1
ready_wait "$gpu"
device_expect "$gpu" '(.external | not) and .marker == "none"'

test_begin "the module's parameter says it at load"
unload_egpu
load_egpu override="$slot=external,0000:00:04.0=internal"
device_expect "$gpu" '.external and .marker == "override" and .at_load'
hotadd tb0 gpu2
device_expect "$(gpu_at tb0)" '(.external | not) and .marker == "override"'
