# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# GPUs that are there before the module: found, classified, and their removal told.
# rig: gpu igpu virtio-gpu-pci
# rig: gpu cold0 virtio-gpu-pci on tb1

test_begin "GPUs present at load are in the list"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
cold=$(gpu_at tb1)
unbind "$gpu"
load_egpu
expect_same "number of GPUs" 3 "$(egpuctl list --json | jq '.devices | length')"
device_expect "$cold" '.external and .at_load and .state == "ready"'
device_expect "$(internal_gpu)" '(.external | not) and .at_load and .state == "ready"'
device_expect "$gpu" '.external and .at_load and .state == "present"'

test_begin "one that gets its driver later becomes ready"
bind "$gpu" bochs-drm
ready_wait "$gpu"
device_expect "$gpu" '.external and .at_load and .state == "ready"'

test_begin "their removals are told as any other"
pull tb0
surprise_expect "$gpu"
slot_power_off "$cold"
removal_wait "$cold" 10
removal_expect "$cold" '.cause == "graceful"'
removal_steps "$cold" "$steps_unheld"
