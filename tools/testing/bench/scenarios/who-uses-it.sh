# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How long it takes to learn who uses a GPU: by our dump, and by a scan of /proc.
# rig: time 300
# rig: memory 2048

processes=200
runs=40

insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
test_begin "both find the same $processes clients"
hotadd tb0 gpu0
node=$(drm_node "$(gpu_at tb0)")
sleep 1
expect bench-clients "$node" "$processes" "$runs" && save /run/rig/output clients
