# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Every answer in the handshake of an eject: accept, ack, cancel, refuse, deadlines.
# rig: gpu igpu virtio-gpu-pci

insert_egpu
hotadd tb0 gpu0
gpu_ready "$(gpu_at tb0)"
run_ktap "$tests/eject"
