# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2046
# Unloading with an open dump and with subscribers.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)

test_begin "an open dump keeps the module; when it ends the module can go"
insert_egpu
node=$(drm_node "$gpu")
# More clients than fit into one buffer of a dump, whoever asks.
start_bg clients rig-hold $(yes "$node" | head -n 400)
wait_for "[ \"\$(gpu_field $gpu clients)\" = 400 ]" 10
expect_same "clients in the list" 400 "$(egpuctl clients --json | jq '.clients | length')"
start_bg dump "$tests/request" open-dump
wait_for 'grep -q open /run/rig/artifacts/dump.log' 5
expect_not rmmod egpu
expect gpu_id "$gpu"
stop_bg dump
stop_bg clients
expect rmmod egpu

test_begin "subscribers do not keep it, and hear that it went"
insert_egpu
helper_start reader --only-events
helper_start helper --accept 0 --ack 0
expect rmmod egpu
helper_wait reader module-gone 5
helper_wait helper module-gone 5
stop_bg reader
stop_bg helper
