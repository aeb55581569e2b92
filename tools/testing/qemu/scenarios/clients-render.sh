# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Who has a GPU open, on its card and its render node.
# rig: gpu gpu0 virtio-gpu-pci on tb0

insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
run_ktap "$tests/clients" "$gpu" "$(drm_node "$gpu")" "$(drm_node "$gpu" renderD)"
