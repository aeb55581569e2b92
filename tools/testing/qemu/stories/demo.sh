# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# A graceful and a surprise removal, as a person at the laptop sees them, and work that
# goes on across both.
# rig: gpu igpu virtio-gpu-pci
# rig: time 300

test_begin "an idle machine"
step "A laptop with a GPU of its own and two Thunderbolt ports"
tell "It is a virtual one, so no GPU is needed to see this. The kernel is Debian's" \
	"$(uname -r), the hotplug is its own. The module and the daemon are loaded:"
load_egpu
work_policy <<END
interval = 2s
keep = yes
END
start_egpud
tell_start monitor-text egpuctl monitor
sleep 1
tell_run egpuctl

test_begin "plugging in"
step "An external GPU is plugged in"
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
settle
tell_more monitor-text
tell_run egpuctl
tell_run egpuctl show "$gpu"

test_begin "an eject of a GPU in use is refused"
step "A program uses it"
hold_open program "$(drm_node "$gpu")"
tell_run egpuctl clients
tell "Whoever ejects it now is told who would lose it, and nothing is broken:"
tell_run egpuctl eject "$gpu"
expect_same "exit code of the eject" 4 "$tell_code"
expect on_bus "$gpu"
tell_more monitor-text

test_begin "an eject of an idle GPU"
step "The program ends; now it can be ejected"
stop_bg program
tell_run egpuctl eject "$gpu"
expect_same "exit code of the eject" 0 "$tell_code"
wait_gone "$gpu" 5
event_wait '.event == "removal-progress" and .removal.phase == "done"' 5
tell_more monitor-text
tell_run egpuctl

test_begin "a pulled cable"
step "It is plugged in again, used, and this time the cable is pulled"
unplug tb0
sleep 2
hotadd tb0 gpu1
ready_wait "$gpu"
hold_open program "$(drm_node "$gpu")"
tell_run egpuctl
tell "...and out:"
events_mark
pull tb0
removal_wait "$gpu" 10
removal_expect "$gpu" '.cause == "surprise" and .clients == 1'
sleep 1
tell_more monitor-text
tell "Everybody who listened knew before the driver had let go, and the GPU is off" \
	"the list while the program still has it open:"
tell_run egpuctl
stop_bg program

# picture WORK FILE: of the newest copy of its work; the steps take turns with two buffers.
picture() {
	egpuctl checkpoint list --json | jq -r ".checkpoints[] |
		select(.rough == false and .pid == $(bg_pid "$1")) | [.step, .id] | @tsv" |
		sort -n | tail -n 1 >/run/rig/newest
	read -r rig_step rig_id </run/rig/newest
	tell_run egpuctl checkpoint show "$rig_id" --buffer $((1 + rig_step % 2)) \
		--png "/run/rig/artifacts/$2.png"
	expect_same "exit code of show" 0 "$tell_code"
}

# tell_work NAME: the last of what it says of itself, or what it says around its move.
tell_work() {
	printf '\n' >&9
	{ grep -E -B 2 -A 3 '^[0-9]* (lost|moved) ' "/run/rig/artifacts/$1.log" ||
		tail -n 3 "/run/rig/artifacts/$1.log"; } | cut -c 1-110 | sed 's/^/  | /' >&9
}

test_begin "work that goes on across an eject"
step "A program that cooperates: an iterated picture, with a checksum at every step"
sleep 2
hotadd tb0 gpu2
ready_wait "$gpu"
tell_start work egpu-example "$(drm_node "$gpu")"
migration_wait work checkpointed
work_steps work 4
tell_work work
tell "egpud copies what has changed while it goes on. This is what the program has on the" \
	"GPU, out of the newest copy:"
tell_run egpuctl checkpoint list
picture work before-eject
tell "Where could it go?"
tell_run egpuctl select --explain
tell "Now the GPU is ejected. The program is not ended and not refused, it goes along:"
tell_run egpuctl eject "$gpu"
expect_same "exit code of the eject" 0 "$tell_code"
migration_wait work completed
work_steps work 4
tell_work work
events_mark
migration_wait work checkpointed
picture work after-eject
tell_more monitor-text

test_begin "work that goes on across a pulled cable"
step "The same with the cable pulled"
unplug tb0
sleep 2
hotadd tb0 gpu3
ready_wait "$gpu"
tell_start other egpu-example "$(drm_node "$gpu")"
migration_wait other checkpointed
work_steps other 4
picture other before-surprise
tell "...and out:"
pull tb0
removal_wait "$gpu" 10
migration_wait other completed
work_steps other 4
tell "It has gone back to its last copy, says how much that has cost, and goes on:"
tell_work other
tell_more monitor-text

test_begin "every step of both is right"
step "What they came to"
events_mark
migration_wait other checkpointed
picture other after-surprise
work_ends work
work_ends other
tell "Each step of both, before and after, has the checksum that a machine without egpu and" \
	"without a GPU comes to. The pictures, in letters at the very end, are in" \
	"build/rig/$(uname -r | cut -d . -f 1,2)/demo/artifacts:" \
	"before-eject.png, after-eject.png, before-surprise.png, after-surprise.png."

test_begin "the timeline"
step "What took how long"
tell_run egpuctl timeline
expect_same "exit code of the timeline" 0 "$tell_code"
tell "That was it. make check runs the scenarios that hold all this to be so."
