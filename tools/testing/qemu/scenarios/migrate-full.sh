# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The disk is full: an eject is refused in words, the program goes on, no copy is torn.
# rig: gpu igpu virtio-gpu-pci
# rig: time 120
# rig: egpu-only

work_policy 1 <<END
interval = 0s
store-free = 0M
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
egpud_start
work_base

test_begin "no room for a copy: the eject is refused with the reason, and the work goes on"
work_start work --side 512 "$(drm_node "$gpu")"
nodes_save "$gpu" before
eject full "$gpu"
eject_ends full 4 40
says full 'not safe to unplug'
says full 'does not fit|No space'
migration_wait work failed
migrations_paired
all_back "$gpu" before "$(bg_pid work)"
work_steps work 2
work_never_said work '^[0-9]* moved'
store_whole

test_begin "copies that find no room are no harm"
work_policy <<END
interval = 200ms
store-free = 0M
END
kill -HUP "$(bg_pid egpud)"
work_steps work 4
expect bg_alive egpud
store_whole

# anew: with another egpud, for a store stays what it is while there are sessions; the program
# joins it.
anew() {
	stop_bg egpud
	egpud_start
	work_base
	events_mark
	work_steps work 1
	wait_for '[ -s /run/egpu/sessions ]' 10
}

test_begin "the limit of the store is kept to"
work_policy <<END
interval = 200ms
store-free = 0M
store-max = 1M
END
anew
mount -o remount,size=256M "$store"
work_steps work 4
used=$(du -s -k "$store" | cut -f 1)
[ "$used" -le 1024 ] || fail "the store has $used KiB"
store_whole

test_begin "with room again it can be ejected, and nothing was lost"
work_policy <<END
interval = 200ms
store-free = 0M
END
anew
eject room "$gpu"
eject_ends room 0 60
migration_wait work completed
expect_same "lost" 0 "$(work_value work moved lost)"
work_steps work 2
work_ends work
store_whole
no_mover
