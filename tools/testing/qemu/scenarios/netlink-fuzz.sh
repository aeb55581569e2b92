# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Thousands of good messages with random mistakes, the same in every run.
# rig: gpu igpu virtio-gpu-pci

insert_egpu
run_ktap "$tests/fuzz"
