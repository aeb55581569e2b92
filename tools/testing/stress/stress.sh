# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Random sequences against the module, with everything compared after each step.

# setting NAME: what the caller of the rig has chosen.
setting() {
	awk -v name="$1" '$1 == name { print $2 }' /rig/settings
}

run_ktap stress "$(setting cycles)" "$(setting seed)"
save /run/rig/ktap steps
