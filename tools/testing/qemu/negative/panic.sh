# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The kernel dies.
# expected: the machine stopped by itself
# rig: time 30

test_begin "crash"
echo c >/proc/sysrq-trigger
