# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The cable is pulled: a hot-added GPU, and one that was there at power-on and is in use.
# rig: gpu cold0 virtio-gpu-pci on tb1

load_egpu

test_begin "a hot-added GPU is announced as external"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
event_order '.event == "connected"' '.event == "changed" and .device.state == "ready"'
device_expect "$gpu" '.external and .marker == "removable" and .driver == "bochs-drm"'
device_expect "$gpu" '.at_load | not'
events_consecutive

test_begin "pulling a hot-added GPU is a surprise"
pull tb0
surprise_expect "$gpu"
removal_evidence "$gpu" hotplug-thread slot-empty
removal_expect "$gpu" '.external and .clients == 0 and .driver == "bochs-drm"'
expect_not device_id "$gpu"

test_begin "pulling a virtio GPU with a client is a surprise"
cold=$(gpu_at tb1)
device_expect "$cold" '.external and .at_load and .state == "ready"'
hold_open client "$(drm_node "$cold" renderD)"
pull tb1
surprise_expect "$cold"
removal_evidence "$cold" hotplug-thread slot-empty
removal_expect "$cold" '.clients == 1 and .driver == "virtio-pci"'
client_leave client

test_begin "the next GPU in the port is a new device"
sleep 2
hotadd tb0 gpu1
ready_wait "$gpu"
again=$(device_id "$gpu")
pull tb0
surprise_expect "$gpu"
removal_expect "$gpu" ".id == $again"
first=$(head -n 40 "$events" | jq -s "map(select(.event == \"connected\" and
	.device.address == \"$gpu\"))[0].device.id")
expect_not test "$first" = "$again"
