# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Who has a GPU open: count and list, also while a removal is held.
# rig: gpu igpu virtio-gpu-pci

insert_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
run_ktap "$tests/clients" "$gpu" "$(drm_node "$gpu")"
