# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# All tests pass, and the kernel log has a complaint.
# expected: kernel log is clean
# rig: time 30

test_begin "complaint"
echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg
