# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A scenario ends early without a failed check.
# expected: the scenario stopped before its end
# rig: time 30

ok "the only test"
exit 0
