# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# 1,000 subscribers, one of them stuck; and a stuck user of libegpu.

insert_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
# On a slow kernel 804 events to each of a thousand would take minutes.
run_ktap "$tests/subscribers" "$gpu" $((1000 / rig_slow))
run_ktap "$tests/resync"
