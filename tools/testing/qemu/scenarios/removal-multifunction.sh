# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A card with a display and an audio function: one GPU, one removal.
# rig: modules bochs snd-hda-intel

load_egpu

test_begin "the audio function is not taken for a GPU"
hotadd_multifunction tb0 card0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
event_expect_count 1 '.event == "connected"'
expect on_bus "${gpu%0}1"

test_begin "the button removes both functions, and one removal is reported"
button_remove card0
graceful_expect "$gpu"
removal_evidence "$gpu" hotplug-thread
event_expect_count 1 '.event == "disconnected"'
wait_gone "${gpu%0}1" 5

test_begin "pulling a card with two functions is one surprise"
sleep 2
hotadd_multifunction tb0 card1
ready_wait "$gpu"
pull tb0
surprise_expect "$gpu"
event_expect_count 1 '.event == "disconnected"'
wait_gone "${gpu%0}1" 5
