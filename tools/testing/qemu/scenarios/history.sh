# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Removals that are over: the last 32 are remembered, older ones are forgotten for good.

insert_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"

test_begin "of 40 removals the last 32 are remembered"
n=0
while [ "$n" -lt 40 ]; do
	unbind "$gpu"
	bind "$gpu" bochs-drm
	n=$((n + 1))
done
expect request removal-get cookie=40
expect request removal-get cookie=9
request_expect_error 2 removal-get cookie=8
request_expect_error 2 removal-get cookie=1

test_begin "who still names a forgotten one is told so, and nothing is stuck"
request_expect_error 2 accept cookie=8
request_expect_error 2 ack cookie=8
request_expect_error 2 cancel cookie=8
gpu_ready "$gpu"
