# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The firmware does the hotplug: its eject request, and the slot's power file.
# rig: hotplug acpi

load_egpu

test_begin "an ACPI eject is graceful"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
device_expect "$gpu" '.external and .marker == "removable"'
acpi_eject gpu0
graceful_expect "$gpu"
removal_evidence "$gpu" hotplug-thread -sysfs-remove -user-task

test_begin "the ACPI slot's power file is graceful"
sleep 2
hotadd tb0 gpu1
ready_wait "$gpu"
slot_power_off "$gpu"
graceful_expect "$gpu"
removal_evidence "$gpu" user-task -hotplug-thread -sysfs-remove
