# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Two GPUs on two ports leave at once, one in each way; the internal one stays.
# rig: gpu igpu virtio-gpu-pci

load_egpu
igpu=$(internal_gpu)

test_begin "two GPUs are two devices"
hotadd tb0 gpu0
hotadd tb1 gpu1
one=$(gpu_at tb0)
two=$(gpu_at tb1)
ready_wait "$one"
ready_wait "$two"
expect_not test "$(device_id "$one")" = "$(device_id "$two")"
device_expect "$one" ".external and .port == \"$(port_address tb0)\""
device_expect "$two" ".external and .port == \"$(port_address tb1)\""

test_begin "one pulled while the button removes the other"
button_remove gpu0
pull tb1
removal_wait "$two" 10
removal_wait "$one" 15
removal_expect "$two" '.cause == "surprise"'
removal_expect "$one" '.cause == "graceful"'
removal_steps "$one" "$steps_unheld"
removal_steps "$two" "$steps_unheld"
events_consecutive

test_begin "both pulled at once are two surprises"
sleep 2
hotadd tb0 gpu2
hotadd tb1 gpu3
ready_wait "$one"
ready_wait "$two"
pull tb0
pull tb1
removal_wait "$one" 10
removal_wait "$two" 10
for gpu in "$one" "$two"; do
	removal_expect "$gpu" '.cause == "surprise" and .release == "gone"'
	removal_evidence "$gpu" marked absent slot-empty
	removal_steps "$gpu" "$steps_unheld"
done
events_consecutive

test_begin "the internal GPU is still there and internal"
device_expect "$igpu" '.state == "ready" and (.external | not)'
