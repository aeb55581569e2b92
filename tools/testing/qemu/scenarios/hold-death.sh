# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# A held removal goes on at once when its helper dies: sysfs, unbind, button.

killed='signal_generate: sig=9 .*comm=helper'

insert_egpu hold_ms=5000 accept_ms=1000
hotadd tb0 gpu0
gpu=$(gpu_at tb0)

trace_death() {
	gpu_ready "$gpu"
	trace_on egpu signal:signal_generate
}

test_begin "sysfs: the helper is killed"
helper_start victim --accept 0 --ack never
trace_death
sysfs_remove "$gpu" &
removal=$!
hold_accepted
kill_bg victim
wait "$removal"
expect_not on_bus "$gpu"
released_within 50 "$killed" helper-died
released_within 50 egpu_helper_gone: helper-died

test_begin "sysfs: the helper kills itself right after accepting"
rescan
helper_start suicide --accept 0 --die-on-accept
trace_death
sysfs_remove "$gpu"
released_within 50 "$killed" helper-died
rm /run/rig/bg.suicide

test_begin "sysfs: the only helper dies before it has accepted"
rescan
helper_start deaf --accept never
trace_death
sysfs_remove "$gpu" &
removal=$!
hold_pending
kill_bg deaf
wait "$removal"
released_within 50 "$killed" unattended

test_begin "sysfs: the death of another helper releases nothing"
rescan
helper_start good --accept 0 --ack 800
helper_start deaf --accept never
trace_death
sysfs_remove "$gpu" &
removal=$!
hold_accepted
kill_bg deaf
wait "$removal"
hold_expect acked 800 1100
expect traced "$killed"
stop_bg good

test_begin "sysfs: a helper that leaves the group after accepting is waited for"
rescan
helper_start leaver --accept 0 --leave-on-accept --ack 400
trace_death
sysfs_remove "$gpu"
hold_expect acked 400 700
stop_bg leaver

test_begin "unbind: the helper is killed"
rescan
helper_start victim --accept 0 --ack never
trace_death
unbind "$gpu" &
removal=$!
hold_accepted
kill_bg victim
wait "$removal"
released_within 50 "$killed" helper-died
released_within 50 egpu_helper_gone: helper-died
expect_not has_driver "$gpu"

test_begin "button, held in the kernel's own hotplug thread: the helper is killed"
bind "$gpu" bochs-drm
helper_start victim --accept 0 --ack never
trace_death
button_remove gpu0
hold_accepted 15
kill_bg victim
released_within 50 "$killed" helper-died
released_within 50 egpu_helper_gone: helper-died
wait_gone "$gpu" 5
