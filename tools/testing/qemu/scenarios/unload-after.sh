# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Unloaded right after an unbind and after ejects: nothing runs later, nothing is kept.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)

test_begin "unloaded while the end of an unbind is still to come"
insert_egpu
gpu_ready "$gpu"
unbind "$gpu"
request removal-get cookie=1 >/run/rig/output
grep -q 'phase=unbound' /run/rig/output || note "too late: $(cat /run/rig/output)"
expect rmmod egpu
# A second after the unbind it would have been told as done.
sleep 2
expect on_bus "$gpu"
bind "$gpu" bochs-drm

# Several, for what is left on the stack of the last worker hides one from kmemleak.
test_begin "unloaded after three ejects"
insert_egpu
for cookie in 1 2 3; do
	[ "$cookie" = 1 ] || rescan
	gpu_ready "$gpu"
	expect request eject "id=$(gpu_id "$gpu")"
	wait_gone "$gpu" 10
	wait_for "request removal-get cookie=$cookie | grep -q phase=done" 5
done
expect rmmod egpu
