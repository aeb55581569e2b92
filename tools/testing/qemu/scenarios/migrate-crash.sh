# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The daemon, or the program, is killed at each step of a migration: no work and no copy is torn.
# rig: gpu igpu virtio-gpu-pci
# rig: time 240
# rig: egpu-only

load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"

# Every other step on each kernel, and the others on the other: together all of them. The
# debug kernel, on which one takes a quarter of a minute, has some of those that are run twice.
stride=2 delays="50000 150000 400000 900000" deaths="reach safe move confirm"
case $(uname -r) in
6.1.*) first=1 ;;
*) first=2 ;;
esac
[ "$rig_slow" = 1 ] || { first=5 stride=10 delays=400000 deaths="safe confirm"; }

# moved: the daemon dies while the work is moved; copied: in one of the copies that it makes
# now and then.
interval_of() {
	case $1 in
	moved) echo "interval = 0s" ;;
	*) echo "interval = 200ms" ;;
	esac
}

# crash KIND N: the daemon dies right before its Nth step; fails when it has fewer.
crash() {
	start_bg egpud egpud --crash-at "$2"
	rig_wait 'helper_listens || ! bg_alive egpud' 10 || fail "the daemon does not start"
	start_bg work egpu-example "$(drm_node "$gpu")"
	work_steps work 1
	if [ "$1" = moved ]; then
		eject eject "$gpu"
		rig_wait "! bg_alive egpud || ! bg_alive eject" 40 ||
			fail "neither the daemon dies nor the eject ends"
	fi
	case $1 in
	moved) rig_patience=1 ;;
	*) rig_patience=6 ;;
	esac
	rig_died=yes
	rig_wait "! bg_alive egpud" "$rig_patience" || rig_died=
	[ "$1" != moved ] || rig_wait "! bg_alive eject" 40 || fail "the eject does not end"
	rm -f /run/rig/bg.eject
	[ -n "$rig_died" ]
}

# survived: the program goes on without a daemon and with the next one, and all is right.
survived() {
	work_steps work 2
	rm -f /run/rig/bg.egpud
	egpud_start
	work_steps work 2
	work_ends work
	store_whole
	stop_bg egpud
	expect_same "what it leaves" "" "$(cat /run/egpu/journal 2>/dev/null)"
	on_bus "$gpu" && return 0
	outcome="$outcome(gone)"
	back "$gpu"
}

# each KIND END: from the first step on, to the last or to this one.
each() {
	test_begin "$1: the daemon is killed at each of its steps"
	interval_of "$1" | work_policy
	n=$first
	outcome=
	while [ "$n" -lt "$2" ]; do
		outcome="$outcome $n"
		crash "$1" "$n" || break
		survived
		[ -z "$rig_failed" ] || break
		n=$((n + stride))
	done
	note "steps:$outcome"
	bg_alive egpud || return 0
	note "$n is one too many"
	[ "$n" -gt 10 ] || fail "there are less than $n steps"
	stop_bg egpud
	survived
}

each moved 60
[ "$rig_slow" = 1 ] && copies=9 || copies=6
each copied "$copies"

test_begin "the daemon is killed from outside while the work moves"
work_policy <<END
interval = 500ms
END
for delay in $delays; do
	egpud_start
	work_start work "$(drm_node "$gpu")"
	eject eject "$gpu"
	usleep "$delay"
	kill_bg egpud
	rig_wait "! bg_alive eject" 40 || fail "the eject does not end"
	rm -f /run/rig/bg.eject
	outcome=
	survived
	[ -z "$rig_failed" ] || break
done

# Without copies of which one may be under way: then nothing but the move asks it.
test_begin "the program is killed at each step of its move"
work_policy <<END
interval = 0s
END
for at in $deaths; do
	egpud_start
	work_base
	start_bg work egpu-example --die-at "$at" "$(drm_node "$gpu")"
	work_steps work 1
	eject "die-$at" "$gpu"
	rig_wait "! bg_alive work" 30 || fail "it does not die at $at"
	eject_ends "die-$at" 0 60
	rm -f /run/rig/bg.work
	work_right work
	wait_for '[ ! -s /run/egpu/sessions ]' 10
	no_mover
	store_whole
	expect bg_alive egpud
	stop_bg egpud
	back "$gpu"
done
