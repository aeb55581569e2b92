# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Each allocation while the module loads is made to fail.
# rig: kernels debug
# rig: gpu igpu virtio-gpu-pci
# rig: gpu gpu0 secondary-vga on tb0

run_ktap "$tests/faults" load override=0000:00:06.0=external

test_begin "afterwards it loads, and tells of a removal"
insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
helper_start helper --accept 0 --ack 0
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 0 500
stop_bg helper
expect rmmod egpu
