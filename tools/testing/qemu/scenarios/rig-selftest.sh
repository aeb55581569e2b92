# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The rig itself, without our module: plugging in, both ways of taking out.
# rig: gpu igpu virtio-gpu-pci

test_begin "the internal GPU is not removable"
igpu=$(internal_gpu)
expect has_driver "$igpu"
expect_same removable "" "$(cat "$sys/$igpu/removable" 2>/dev/null)"

test_begin "a GPU plugged into a Thunderbolt port reads removable"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
expect_same removable removable "$(cat "$sys/$gpu/removable")"
expect_same driver bochs-drm "$(driver_of "$gpu")"

test_begin "a pulled GPU is found gone by pciehp"
pull tb0
log_wait 'pciehp.*Slot\(4\): Card not present' 5
wait_gone "$gpu" 5

test_begin "the port takes another GPU, and the button removes it"
sleep 2
hotadd tb0 gpu1
gpu=$(gpu_at tb0)
button_remove gpu1
log_wait 'pciehp.*Slot\(4\): (Attention b|B)utton press' 5
wait_gone "$gpu" 12

test_begin "a GPU in an internal hotplug slot is not removable"
hotadd slot0 gpu2
expect_same removable "" "$(cat "$sys/$(gpu_at slot0)/removable" 2>/dev/null)"
