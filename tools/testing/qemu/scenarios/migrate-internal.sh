# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# An eject takes the work of a program to the internal GPU: it goes on, and every step is right.
# rig: gpu igpu virtio-gpu-pci
# rig: time 120
# rig: egpu-only

work_policy <<END
interval = 500ms
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
internal=$(internal_gpu)
egpud_start
work_base

test_begin "a program's work is copied while it goes on"
work_start work "$(drm_node "$gpu")"
migration_wait work checkpointed
event_expect_count 0 '.event == "migration" and .migration.phase == "started"'
work_steps work 2
work_never_said work '^[0-9]* (moved|lost|failed)'
store_whole

test_begin "an eject: it goes on with the internal GPU"
nodes_save "$gpu" before
eject moved "$gpu"
eject_ends moved 0 40
says moved 'safe to unplug'
migration_wait work completed
event_order '.event == "migration" and .migration.phase == "started"' \
	'.event == "migration" and .migration.phase == "completed"' \
	'.event == "removal-progress" and .removal.phase == "done"'
target=$(migration_value work completed target)
expect_same "device that it went to" "$(gpu_id "$internal")" "$target"
expect_same "address that it was told" "$internal" "$(work_value work moved address)"
expect_same "what was lost" 0 "$(work_value work moved lost)"
migrations_paired
all_gone before "$(bg_pid work)"

test_begin "every step before and after is right"
work_steps work 3
work_ends work
store_whole
no_mover

test_begin "who sees nothing of egpu is waited for as before"
back "$gpu"
client_start waiter "$(drm_node "$gpu")"
policy <<END
ask = 1s
END
kill -HUP "$(bg_pid egpud)"
eject busy "$gpu"
eject_ends busy 4
