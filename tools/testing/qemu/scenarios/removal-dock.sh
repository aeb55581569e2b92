# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# An enclosure with switches of its own: only its card is pulled, then the enclosure.
# rig: dock dock0 on tb0
# rig: gpu card0 secondary-vga on dock0-slot

load_egpu

test_begin "a GPU in an enclosure is external"
gpu=$(gpu_at dock0-slot)
device_expect "$gpu" '.external and .marker == "removable" and .state == "ready"'
device_expect "$gpu" ".port == \"$(port_address dock0-slot)\""

test_begin "pulling the card out of the enclosure is a surprise"
pull dock0-slot
surprise_expect "$gpu"
removal_evidence "$gpu" hotplug-thread slot-empty
sleep 2

test_begin "pulling the enclosure with its card is a surprise"
hotadd dock0-slot card1
ready_wait "$gpu"
pull dock0
surprise_expect "$gpu"
# The card's own port is gone as well: the one above answers for it.
removal_evidence "$gpu" hotplug-thread slot-empty
event_expect_count 1 '.event == "disconnected"'
