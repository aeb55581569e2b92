# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The GPU that the work is to go to disappears as well, early, in the middle and late.
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
work_base

# vanish DELAY-US: the other GPU is pulled so long after the work began to move; when nothing
# else is left, the work must be in memory.
vanish() {
	test_begin "the target is pulled $1 us after the work began to move"
	hotadd tb1 "other$1"
	other=$(gpu_at tb1)
	gpu_ready "$other"
	work_start work --side 512 "$(drm_node "$gpu")"
	events_mark
	eject "eject$1" "$gpu"
	migration_wait work started
	usleep "$1"
	pull tb1
	eject_ends "eject$1" 0 60
	migration_wait work completed
	removal_wait "$other" 15
	wait_for work_in_memory 20 || rig_note_work work
	work_steps work 3
	work_ends work
	store_whole
	no_mover
	back "$gpu"
	sleep 2
}

work_in_memory() {
	[ "$(work_value work moved cpu)" = 1 ]
}

# Once on the debug kernel: the moments are of interest to egpud, not to the kernel.
vanish 150000
[ "$rig_slow" -gt 1 ] || { vanish 0; vanish 400000; }

test_begin "one after the other is ejected: the work goes from GPU to GPU, and to memory"
hotadd tb1 next
other=$(gpu_at tb1)
gpu_ready "$other"
work_start work "$(drm_node "$gpu")"
eject first "$gpu"
eject_ends first 0 60
expect_same "address that it was told" "$other" "$(work_value work moved address)"
work_steps work 2
eject second "$other"
eject_ends second 0 60
wait_for work_in_memory 20 || rig_note_work work
expect_same "lost" 0 "$(work_value work moved lost)"
work_steps work 2
work_ends work
back "$gpu"
unplug tb1
sleep 2

test_begin "both are pulled at once: it goes on in memory from its last checkpoint"
hotadd tb1 both
other=$(gpu_at tb1)
gpu_ready "$other"
work_start work "$(drm_node "$gpu")"
migration_wait work checkpointed
pull tb0
pull tb1
migration_wait work completed
wait_for work_in_memory 30 || rig_note_work work
expect_same "lost" 1 "$(work_value work moved lost)"
work_steps work 3
work_ends work
store_whole
