# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Others come between an eject and its helper: sysfs, a pull; and the plain eject.

insert_egpu hold_ms=600 accept_ms=250

plug() {
	hotadd tb0 "$1"
	gpu=$(gpu_at tb0)
	gpu_ready "$gpu"
	trace_on egpu
}

test_begin "nobody listens, nobody uses it: ejected at once"
plug gpu0
expect request eject "id=$(gpu_id "$gpu")"
wait_gone "$gpu" 10
wait_for 'request removal-get cookie=1 | grep -q "phase=done release=unattended cause=1"' 5

test_begin "a helper acknowledges: ejected then, and not held a second time"
rescan
gpu_ready "$gpu"
helper_start good --accept 0 --ack 300
trace_on egpu
expect request eject "id=$(gpu_id "$gpu")"
wait_gone "$gpu" 10
helper_wait good 'disconnected cookie=2 .*release=acked cause=1' 5
helper_wait good 'progress cookie=2 .*phase=done' 5
expect_same "number of waits" 1 "$(grep -c egpu_hold_begin: "$tracing/trace")"
helper_never_said good 'pending cookie=3'
stop_bg good

test_begin "sysfs removes it during the handshake: the same removal, the short bound"
rescan
gpu_ready "$gpu"
helper_start stuck --accept 0 --ack never
trace_on egpu
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
hold_accepted
sysfs_remove "$gpu"
expect_not on_bus "$gpu"
hold_expect timed-out 600 650
helper_wait stuck 'disconnected cookie=3 .*release=timed-out cause=1' 5
helper_wait stuck 'progress cookie=3 .*phase=done' 5
helper_never_said stuck 'pending cookie=4'

test_begin "sysfs removes it during the handshake and the helper acknowledges"
stop_bg stuck
rescan
gpu_ready "$gpu"
helper_start good --accept 0 --ack 500
trace_on egpu
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
hold_accepted
sysfs_remove "$gpu"
helper_wait good 'disconnected cookie=4 .*release=acked cause=1' 5
stop_bg good

test_begin "an eject that another removal has taken over cannot be cancelled"
rescan
gpu_ready "$gpu"
helper_start stuck --accept 0 --ack never
trace_on egpu
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
hold_accepted
sysfs_remove "$gpu" &
removal=$!
wait_for "traced egpu_leave_begin:" 5
usleep 100000
request_expect_error 16 cancel cookie=5
wait "$removal"

test_begin "pulled during the handshake: released at once, reported as a surprise"
sleep 1
rescan
gpu_ready "$gpu"
trace_on egpu
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
hold_accepted
pull tb0
released_within 50 'rig-pull: pulling' overtaken
helper_wait stuck 'disconnected cookie=6 .*release=overtaken cause=2' 10
helper_wait stuck 'progress cookie=6 .*phase=done' 5
wait_gone "$gpu" 5
