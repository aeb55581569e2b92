# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The cable is pulled: the work goes on from its last checkpoint, and says what was lost.
# rig: gpu igpu virtio-gpu-pci
# rig: time 120
# rig: egpu-only

work_policy <<END
interval = 1s
END
load_egpu
egpud_start

# What a checkpoint under emulation may take beyond the interval.
tolerance=$((4000000000 * rig_slow))

# lost_as_stated NAME: what it was told to have lost is what its own lines show: it was between
# the step that it went back to and the next, and the GPU had gone when it was told.
lost_as_stated() {
	lost=$(work_value "$1" moved lost_ns)
	step=$(work_value "$1" moved step)
	told=$(work_time "$1" lost)
	log=/run/rig/artifacts/$1.log
	at=$(grep -m 1 -E "^[0-9]* step=$step " "$log" | cut -d ' ' -f 1)
	next=$(grep -m 1 -E "^[0-9]* step=$((step + 1)) " "$log" | cut -d ' ' -f 1)
	gone=$(event_value '.removal.cause == "surprise"' .removal.created)
	note "back to step $step, $((lost / 1000000)) ms lost; by its own lines at most" \
		"$(((told - at) / 1000000)) ms, of which $(((gone - at) / 1000000)) ms with the GPU"
	[ "$lost" -le $((told - at)) ] || fail "more was lost than there was"
	[ "$next" -gt "$told" ] || [ "$lost" -ge $((gone - next)) ] ||
		fail "more was lost than is said"
	[ "$lost" -le $((1000000000 + tolerance)) ] || fail "more was lost than the interval"
	expect_same "lost, as everybody is told" "$lost" "$(migration_value "$1" completed lost)"
}

for round in 1 2; do
	test_begin "round $round: pulled, and it goes on from the last checkpoint"
	hotadd tb0 "gpu$round"
	gpu=$(gpu_at tb0)
	gpu_ready "$gpu"
	work_start "work$round" "$(drm_node "$gpu")"
	migration_wait "work$round" checkpointed
	work_steps "work$round" $((2 * round))
	pull tb0
	removal_wait "$gpu" 15
	migration_wait "work$round" completed
	expect_same "lost" 1 "$(work_value "work$round" moved lost)"
	work_steps "work$round" 3
	lost_as_stated "work$round"
	migrations_paired
	expect runs "$(bg_pid "work$round")"
	sleep 2
done

test_begin "what was lost was computed again, and every step is right"
for round in 1 2; do
	work_ends "work$round"
done
store_whole

test_begin "nothing was copied yet: it is told so, and lives on"
work_policy <<END
interval = 0s
END
kill -HUP "$(bg_pid egpud)"
hotadd tb0 gpu3
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
work_start bare "$(drm_node "$gpu")"
pull tb0
work_says bare '^[0-9]* failed .*checkpoint' 20
migration_wait bare failed
migrations_paired
expect bg_alive egpud
work_says bare '^[0-9]* restarted' 20
work_steps bare 2
work_ends bare
