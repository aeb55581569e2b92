# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Who may do what: without CAP_NET_ADMIN, in other namespaces, through others' sockets.
# rig: gpu igpu virtio-gpu-pci

insert_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
# A removal in the history, and the GPU there again.
gpu_ready "$gpu"
sysfs_remove "$gpu"
rescan
gpu_ready "$gpu"
rig_settle tb0
node=$(drm_node "$gpu")
chmod 666 "$node"
run_ktap "$tests/privilege" "$node"
