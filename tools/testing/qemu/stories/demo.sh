# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# One graceful and one surprise removal, as a person at the laptop sees them.
# rig: gpu igpu virtio-gpu-pci
# rig: time 150

test_begin "an idle machine"
step "A laptop with a GPU of its own and two Thunderbolt ports"
tell "It is a virtual one, so no GPU is needed to see this. The kernel is Debian's" \
	"$(uname -r), the hotplug is its own. The module and the daemon are loaded:"
load_egpu
start_egpud
tell_start monitor-text egpuctl monitor
sleep 1
tell_run egpuctl

test_begin "plugging in"
step "An external GPU is plugged in"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
settle
tell_more monitor-text
tell_run egpuctl
tell_run egpuctl show "$gpu"

test_begin "an eject of a GPU in use is refused"
step "A program uses it"
hold_open program "$(drm_node "$gpu")"
tell_run egpuctl clients
tell "Whoever ejects it now is told who would lose it, and nothing is broken:"
tell_run egpuctl eject "$gpu"
expect_same "exit code of the eject" 4 "$tell_code"
expect on_bus "$gpu"
tell_more monitor-text

test_begin "an eject of an idle GPU"
step "The program ends; now it can be ejected"
stop_bg program
tell_run egpuctl eject "$gpu"
expect_same "exit code of the eject" 0 "$tell_code"
wait_gone "$gpu" 5
event_wait '.event == "removal-progress" and .removal.phase == "done"' 5
tell_more monitor-text
tell_run egpuctl

test_begin "a pulled cable"
step "It is plugged in again, used, and this time the cable is pulled"
unplug tb0
sleep 2
hotadd tb0 gpu1
ready_wait "$gpu"
hold_open program "$(drm_node "$gpu")"
tell_run egpuctl
tell "...and out:"
events_mark
pull tb0
removal_wait "$gpu" 10
removal_expect "$gpu" '.cause == "surprise" and .clients == 1'
sleep 1
tell_more monitor-text
tell "Everybody who listened knew before the driver had let go, and the GPU is off" \
	"the list while the program still has it open:"
tell_run egpuctl
stop_bg program

test_begin "the timeline"
step "What took how long"
tell_run egpuctl timeline
expect_same "exit code of the timeline" 0 "$tell_code"
tell "That was it. make check runs the scenarios that hold all this to be so."
