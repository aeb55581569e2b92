# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# One scenario: the verbs, then the scenario's body, then the closing of its last test.
set -u
# shellcheck source=lib.sh
. /rig/lib.sh
# shellcheck source=baseline.sh
grep -q '^without egpu$' /rig/machine && . /rig/baseline.sh
# shellcheck source=/dev/null
. /rig/scenario.sh
rig_finish
: >/run/rig/complete
