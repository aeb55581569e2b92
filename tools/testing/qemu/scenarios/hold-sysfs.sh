# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# A removal by sysfs waits for an accepting helper, at most the deadline.

insert_egpu hold_ms=1000 accept_ms=250
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"

# remove_again: the whole way of one removal, as root does it, and back.
remove_again() {
	trace_on egpu
	sysfs_remove "$gpu"
	expect_not on_bus "$gpu"
}

back() {
	rescan
	gpu_ready "$gpu"
}

test_begin "nobody listens: not held"
remove_again
no_hold_expect unattended

test_begin "somebody listens to events only: not held"
back
helper_start listener --only-events
remove_again
no_hold_expect unattended
helper_wait listener 'disconnected cookie=2 .* release=unattended' 5
stop_bg listener

test_begin "a helper that acknowledges after 400 ms: held until then"
back
helper_start good --accept 0 --ack 400
remove_again
hold_expect acked 400 700
helper_wait good 'ack cookie=3 error=0' 5
helper_wait good 'progress cookie=3 .*phase=done release=acked' 5

test_begin "a helper that acknowledges at once: held no longer than that takes"
stop_bg good
back
helper_start quick --accept 0 --ack 0
remove_again
hold_expect acked 0 250
stop_bg quick

test_begin "a helper that never acknowledges: held until the deadline"
back
helper_start stuck --accept 0 --ack never
remove_again
hold_expect timed-out 1000 1050

test_begin "an acknowledgment after the deadline changes nothing any more"
request_expect_error 1 ack cookie=5
stop_bg stuck

test_begin "helpers that do not accept: held for the time to accept only"
back
helper_start deaf --accept never
remove_again
hold_expect not-accepted 250 300

test_begin "hold-ms 0: not held although a helper would accept"
back
expect request settings-set hold-ms=0
remove_again
no_hold_expect timed-out
stop_bg deaf

test_begin "an accept-ms of 500 takes effect"
back
helper_start deaf2 --accept never
expect request settings-set hold-ms=1000 accept-ms=500
remove_again
hold_expect not-accepted 500 550

test_begin "a hold-ms shorter than accept-ms bounds it"
back
expect request settings-set hold-ms=300
remove_again
hold_expect not-accepted 300 350
stop_bg deaf2
