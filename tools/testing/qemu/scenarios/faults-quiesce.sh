# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Each allocation of the module is made to fail while the clients of a GPU are stopped.
# rig: kernels debug
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: modules virtio-gpu vgem
# rig: egpu-only

insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
run_ktap "$tests/faults" quiesce "$gpu"
expect rmmod egpu
