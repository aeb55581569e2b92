# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# How long a program with 1 GiB stands still to be saved, with copies made before and without.
# rig: memory 4608
# rig: time 600

runs=6
mib=1024
buffers=512
hot=5

# There is no other GPU and the CPU is not wanted: the program is saved, finds no place to go
# to, and goes on. So what it stands still for is its copy alone.
settings() {
	work_policy 2600 <<END
cpu-fallback = no
limit = 120s
interval = $1
store-free = 0M
END
}

insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
log=/run/rig/artifacts/still.log

# one HOW: a new program, and the longest time that it stands still from an eject's request
# on: the eject may also be served by a stop that it finds begun for a copy.
one() {
	start_bg still bench-still "$(drm_node "$gpu")" "$mib" "$buffers" "$hot"
	wait_for "grep -q ready $log" 60
	# The second copy is the first that has less to do.
	[ "$1" = full ] || wait_for "[ \$(grep -c '^still copy' $log) -ge 3 ]" 120
	before=$(grep -c '^still' "$log")
	eject eject "$gpu"
	eject_ends eject 4 200
	grep '^still' "$log" | awk -v before="$before" 'NR > before && $3 > most { most = $3 }
		END { if (most) print most }' >>"/run/rig/artifacts/still-$1"
	kill_bg still
}

for how in full precopy; do
	test_begin "$how"
	case $how in
	full) settings 0s ;;
	*) settings 500ms ;;
	esac
	egpud_start
	run=0
	while [ "$run" -lt "$runs" ]; do
		run=$((run + 1))
		one "$how"
		wait_for '[ ! -s /run/egpu/sessions ]' 20
	done
	expect_same "runs" "$runs" "$(wc -l <"/run/rig/artifacts/still-$how")"
	stop_bg egpud
done
