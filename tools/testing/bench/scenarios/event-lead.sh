# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# When a subscriber knows that a GPU leaves: ours, and one on the kernel's uevents.
# rig: time 600

runs=24

# Both sleep in a call of their own, neither has another task than to wake up. No
# recorder of events runs beside them (load_egpu would start one), and no helper,
# so the removal waits for nobody.
start_listeners() {
	for listener in egpu uevent; do
		start_bg "listen-$listener" bench-listen "$listener"
		wait_for "grep -q ready /run/rig/artifacts/listen-$listener.log" 10
	done
	sleep 1
}

stop_listeners() {
	for listener in egpu uevent; do
		stop_bg "listen-$listener"
		mv "/run/rig/artifacts/listen-$listener.log" \
			"/run/rig/artifacts/$1-$listener"
	done
}

# departures KIND COMMAND: so many times a GPU comes and the command takes it away.
# Nothing of ours runs meanwhile that could be in the way.
departures() {
	test_begin "$1: departures are seen by both"
	start_listeners
	trace_on egpu:egpu_leave_begin egpu:egpu_event
	run=0
	while [ "$run" -lt "$runs" ]; do
		run=$((run + 1))
		hotadd tb0 "$1$run"
		gpu=$(gpu_at tb0)
		sleep 1
		"$2"
		sleep 1.5
		wait_gone "$gpu" 10
	done
	trace_off "$1-trace"
	stop_listeners "$1"
	seen=$(grep -c "0000:01:00.0" "/run/rig/artifacts/$1-egpu")
	expect_same "departures seen by a subscriber" "$runs" "$seen"
	test_end
}

by_cable() {
	rig-pull "$port" 1000 || rig_abort "the cable cannot be pulled"
}

by_slot() {
	slot_power_off "$gpu"
}

port=$(port_address tb0)
insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
departures surprise by_cable
departures graceful by_slot
