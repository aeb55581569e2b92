# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# No other GPU will do: the work goes on in memory, or stays where it is and the eject is refused.
# rig: time 150
# rig: egpu-only

work_policy <<END
interval = 500ms
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
egpud_start

test_begin "no other GPU: it goes on with the CPU"
work_start work "$(drm_node "$gpu")"
eject moved "$gpu"
eject_ends moved 0 40
migration_wait work completed
expect_same "it is memory" true "$(migration_value work completed cpu)"
expect_same "what it was told" 1 "$(work_value work moved cpu)"
work_steps work 3
work_ends work
migrations_paired
back "$gpu"

test_begin "the CPU is not wanted: refused with the reason, and the work goes on where it is"
work_policy <<END
interval = 500ms
cpu-fallback = no
END
kill -HUP "$(bg_pid egpud)"
work_start work "$(drm_node "$gpu")"
nodes_save "$gpu" before
eject refused "$gpu"
eject_ends refused 4 40
says refused 'not safe to unplug'
says refused "cannot move .*$(bg_pid work).*CPU"
migration_wait work failed
migrations_paired
all_back "$gpu" before "$(bg_pid work)"
work_steps work 3
work_never_said work '^[0-9]* moved'
work_ends work

test_begin "a GPU that the program's user may not open is none for it"
work_policy <<END
interval = 500ms
END
kill -HUP "$(bg_pid egpud)"
hotadd tb1 gpu1
other=$(gpu_at tb1)
gpu_ready "$other"
chmod 0600 "$(drm_node "$other")"
chown nobody "$(drm_node "$gpu")"
work_start work --user 65534 "$(drm_node "$gpu")"
eject rights "$gpu"
eject_ends rights 0 40
migration_wait work completed
expect_same "it is memory" true "$(migration_value work completed cpu)"
work_steps work 3
work_ends work
store_whole
