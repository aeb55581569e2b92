# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Heat, errors and imbalance, out of simulated sensors, move work under one strategy and no other.
# rig: gpu igpu virtio-gpu-pci
# rig: time 180
# rig: egpu-only

load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
internal=$(internal_gpu)
sensors=/run/rig/sensors

# sensor GPU FILE TEXT...: what a file of its folder has in it.
sensor() {
	rig_file=$sensors/bus/pci/devices/$1/$2
	shift 2
	mkdir -p "${rig_file%/*}"
	printf '%s\n' "$@" >"$rig_file.new"
	mv "$rig_file.new" "$rig_file"
}

# calm: nothing is wrong with any GPU.
calm() {
	for rig_gpu in "$gpu" "$internal"; do
		sensor "$rig_gpu" hwmon/hwmon0/temp1_input 50000
		sensor "$rig_gpu" aer_dev_fatal "Undefined 0" "TOTAL_ERR_FATAL 0"
		sensor "$rig_gpu" aer_dev_nonfatal "Undefined 0" "TOTAL_ERR_NONFATAL 0"
		sensor "$rig_gpu" mem_info_vram_total 8589934592
		sensor "$rig_gpu" mem_info_vram_used 1073741824
	done
}

hot() {
	sensor "$gpu" hwmon/hwmon0/temp1_input 97500
}

full() {
	sensor "$gpu" mem_info_vram_used 8500000000
}

failing() {
	sensor "$gpu" aer_dev_nonfatal "Undefined 3" "TOTAL_ERR_NONFATAL 3"
}

# under STRATEGY: from now on, and everything is calm.
under() {
	calm
	work_policy <<END
interval = 0s
strategy = $1
sample = 300ms
sensors = $sensors
END
	if bg_alive egpud; then kill -HUP "$(bg_pid egpud)"
	else egpud_start; fi
}

# looked: egpud has looked at the sensors several times since. It does every 300 ms, and has
# little to read, so a slow kernel is not given all the time that it is given elsewhere.
looked() {
	sleep $((rig_slow > 1 ? 4 : 2))
}

# stays NAME: nothing has moved it, after several looks.
stays() {
	looked
	event_expect_count 0 '.event == "migration" and .migration.phase != "checkpointed"'
	work_never_said "$1" '^[0-9]* moved'
}

# leaves NAME PATTERN: it was moved to the internal GPU for this reason.
leaves() {
	migration_wait "$1" completed
	expect_same "address that it was told" "$internal" "$(work_value "$1" moved address)"
	migration_value "$1" started reason >/run/rig/output
	note "reason: $(cat /run/rig/output)"
	grep -qiE -- "$2" /run/rig/output || fail "the reason does not say: $2"
	work_steps "$1" 1
	work_ends "$1"
	events_mark
}

test_begin "lazy: neither heat nor lack of memory nor errors move it"
under lazy
work_start work "$(drm_node "$gpu")"
hot
full
failing
stays work
work_ends work

test_begin "eager: heat moves it"
under eager
work_start work "$(drm_node "$gpu")"
failing
stays work
hot
leaves work '97|hot|heat|temperature'

test_begin "eager: lack of memory moves it"
under eager
work_start work "$(drm_node "$gpu")"
sleep 1
full
leaves work 'memory'

test_begin "preemptive: errors on the link move it"
under preemptive
work_start work "$(drm_node "$gpu")"
hot
stays work
failing
leaves work 'error'

test_begin "balanced: one of three goes to the GPU that has none"
under lazy
for n in 1 2 3; do
	work_start "work$n" --ms 100 "$(drm_node "$gpu")"
done
under balanced
event_wait '.event == "migration" and .migration.phase == "completed"' 30
hot
failing
looked
event_expect_count 1 '.event == "migration" and .migration.phase == "completed"'
migrations_paired
for n in 1 2 3; do
	work_steps "work$n" 1
	work_ends "work$n"
done
store_whole
