# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Every allocation of the module fails for a while, and a GPU comes and goes.
# rig: kernels debug
# rig: gpu gpu0 secondary-vga on tb0

insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
run_ktap "$tests/faults" shortage "$gpu" bochs-drm
expect rmmod egpu
