# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A scenario does not come to its end.
# expected: still running after 12 s, stopped
# rig: time 12

test_begin "hang"
sleep 1000
