# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Eight programs at once leave a GPU, four at a time; what each comes to is right.
# rig: gpu igpu virtio-gpu-pci
# rig: time 180
# rig: egpu-only

# Two rounds of four, of which each has its time, also on a slow kernel.
# There the copies between, of eight at once, would take all of its time.
[ "$rig_slow" = 1 ] && interval=2s || interval=0s
work_policy <<END
interval = $interval
ask = 300s
limit = 120s
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
egpud_start
work_base
programs="1 2 3 4 5 6 7 8"

test_begin "eight programs are at work"
for n in $programs; do
	# Eight programs must leave the machine, which may be slow, some time.
	work_start "work$n" --side 128 --ms $((100 * rig_slow)) "$(drm_node "$gpu")"
done
expect_same "sessions" 8 "$(wc -l </run/egpu/sessions)"

test_begin "an eject moves all, never more than four at a time"
eject all "$gpu" --timeout 400
eject_ends all 0 90
for n in $programs; do
	migration_wait "work$n" completed
done
migrations_paired 4
grep -q '^8 started' /run/rig/output || fail "not eight were moved"
grep -q 'at most 4 ' /run/rig/output || fail "they were not moved side by side"

test_begin "all eight go on, and every step of each is right"
for n in $programs; do
	work_steps "work$n" 2
done
for n in $programs; do
	work_ends "work$n"
done
store_whole
wait_for '[ ! -s /run/egpu/sessions ]' 10
no_mover
