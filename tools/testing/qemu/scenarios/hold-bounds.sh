# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# How long a removal may wait at most, what is never held, and the settings' limits.

test_begin "the module refuses parameters beyond the cap"
expect_not insmod /lib/egpu.ko hold_ms=5001
expect_not insmod /lib/egpu.ko accept_ms=5001
expect_not insmod /lib/egpu.ko eject_ms=0
expect_not insmod /lib/egpu.ko eject_ms=600001
log_wait 'parameter eject_ms: expected 1 to 600000, found 600001' 5

test_begin "so does settings-set, and changes nothing"
insert_egpu hold_ms=5000 accept_ms=1000
before=$(request settings-get)
request_expect_error 34 settings-set hold-ms=5001
request_expect_error 34 settings-set hold-ms=100 accept-ms=5001
request_expect_error 34 settings-set eject-ms=0
request_expect_error 34 settings-set eject-ms=600001
expect_same settings "$before" "$(request settings-get)"

test_begin "an internal GPU is not held, whoever listens"
helper_start stuck --accept 0 --ack never
hotadd slot0 gpu0
gpu=$(gpu_at slot0)
gpu_ready "$gpu"
expect_same external 0 "$(gpu_field "$gpu" external)"
trace_on egpu
sysfs_remove "$gpu"
no_hold_expect internal

test_begin "the same slot called external is held, for the cap and no longer"
expect request override-set "address=$(port_address slot0)" placement=1
rescan
gpu_ready "$gpu"
expect_same external 1 "$(gpu_field "$gpu" external)"
trace_on egpu
sysfs_remove "$gpu"
hold_expect timed-out 5000 5050

test_begin "a Thunderbolt GPU called internal is not held"
expect request override-set "address=$(port_address tb0)" placement=2
hotadd tb0 gpu1
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
trace_on egpu
sysfs_remove "$gpu"
no_hold_expect internal

test_begin "a GPU without a driver has nothing to hold for"
expect request override-set "address=$(port_address tb0)" placement=0
rescan
gpu_ready "$gpu"
expect request settings-set hold-ms=0
unbind "$gpu"
expect request settings-set hold-ms=5000
trace_on egpu
sysfs_remove "$gpu"
traced egpu_hold_begin: && fail "the removal was held"
helper_wait stuck 'disconnected .* cause=1' 5
