# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Malformed, oversized and unknown messages get a clear error and change nothing.
# rig: gpu igpu virtio-gpu-pci

insert_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
# A removal in the history, and the GPU there again.
sysfs_remove "$gpu"
rescan
gpu_ready "$gpu"
run_ktap "$tests/hostile"
run_ktap "$tests/migrate"
