# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The module is unloaded and loaded again under a helper: removals are held again.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)
insert_egpu
gpu_ready "$gpu"
helper_start helper --accept 0 --ack 300

test_begin "before: a removal is held for the helper"
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 300 600

test_begin "each load is told from the other by its instance"
first=$(request settings-get | sed 's/.*\(instance=[0-9]*\).*/\1/')
unload_egpu
expect_not request settings-get
insert_egpu
second=$(request settings-get | sed 's/.*\(instance=[0-9]*\).*/\1/')
[ "$first" != "$second" ] || fail "both loads are $first"

test_begin "after: the helper is back by itself and a removal is held again"
helper_wait helper module-back 5
rescan
gpu_ready "$gpu"
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 300 600

test_begin "unloaded and loaded during a removal that the old module held"
rescan
gpu_ready "$gpu"
stop_bg helper
helper_start stuck --accept 0 --ack never
sysfs_remove "$gpu" &
removal=$!
helper_wait stuck 'accept cookie=2 error=0' 5
unload_egpu
insert_egpu
wait "$removal"
expect_not on_bus "$gpu"
helper_wait stuck module-back 5
rescan
gpu_ready "$gpu"
