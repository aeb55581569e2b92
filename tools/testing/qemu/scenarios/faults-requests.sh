# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Each allocation of a task that asks the module is made to fail.
# rig: kernels debug
# rig: gpu gpu0 secondary-vga on tb0
# rig: gpu igpu virtio-gpu-pci

insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
run_ktap "$tests/faults" requests "$gpu"
expect rmmod egpu
