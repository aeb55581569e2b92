# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# A GPU that has left is kept by nobody: the PCI core gets to free it each time.
# rig: kernels 6.1 6.12

# released_once: since trace_on the last reference to one PCI device was given back.
released_once() {
	wait_for "traced rig_release:" 10
	expect_same "PCI devices freed" 1 "$(grep -c rig_release: "$tracing/trace")"
}

# back: the GPU again after a removal that left it in its port.
back() {
	rescan
	gpu_ready "$gpu"
	trace_on egpu kprobes:rig_release
}

echo 'p:rig_release pci_release_dev' >"$tracing/kprobe_events"
insert_egpu hold_ms=1000
hotadd tb0 gpu0
gpu=$(gpu_at tb0)

test_begin "removed by sysfs"
back
sysfs_remove "$gpu"
released_once

test_begin "ejected"
back
expect request eject "id=$(gpu_id "$gpu")"
wait_gone "$gpu" 10
released_once

test_begin "unbound first, then removed"
back
unbind "$gpu"
sysfs_remove "$gpu"
released_once

test_begin "held for a helper"
helper_start good --accept 0 --ack 100
back
sysfs_remove "$gpu"
released_once

test_begin "ejected with a helper"
back
expect request eject "id=$(gpu_id "$gpu")"
wait_gone "$gpu" 10
released_once

test_begin "an eject that is cancelled, then a pull"
stop_bg good
helper_start stuck --accept 0 --ack never
back
expect request eject "id=$(gpu_id "$gpu")" timeout-ms=60000
hold_accepted
cookie=$(gpu_field "$gpu" cookie)
expect request cancel "cookie=$cookie"
gpu_ready "$gpu"
pull tb0
wait_gone "$gpu" 10
released_once
