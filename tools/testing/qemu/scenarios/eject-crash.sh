# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The daemon is killed at each of its steps: after its restart all is as it was, or done.
# rig: time 180
# rig: egpu-only

policy <<END
others = ignore
ask = 5s
freeze = 5s
drain = 5s
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"

# crash N WORDS...: an eject whose helper dies right before its Nth step, which can be before
# it listens; fails when it has fewer of them.
crash() {
	rig_n=$1
	shift
	start_bg egpud egpud --crash-at "$rig_n"
	rig_wait 'helper_listens || ! bg_alive egpud' 10 || fail "the daemon does not start"
	bg_alive egpud || return 0
	eject "crash$rig_n" "$gpu" "$@"
	rig_wait "! bg_alive egpud || ! bg_alive crash$rig_n" 20 ||
		fail "neither the daemon dies nor the eject ends"
	rig_died=yes
	rig_wait "! bg_alive egpud" 1 || rig_died=
	rig_wait "! bg_alive crash$rig_n" 20 || fail "the eject does not end with its helper"
	wait "$(bg_pid "crash$rig_n")" || true
	rm "/run/rig/bg.crash$rig_n"
	[ -n "$rig_died" ]
}

# mended PID...: after the restart, either way.
mended() {
	rm -f /run/rig/bg.egpud
	egpud_start
	if on_bus "$gpu"; then
		how="as before"
		all_back "$gpu" before "$@"
	else
		how="completed"
		all_gone before "$@"
	fi
	stop_bg egpud
	[ "$how" = "as before" ] || back "$gpu"
}

# The debug kernel takes five times as long and is here for what it finds: every fourth step.
stride=$((rig_slow > 1 ? 4 : 1))

# each NAME WORDS...: all steps of an eject like this.
each() {
	rig_kind=$1
	shift
	test_begin "$rig_kind: killed at each of its steps"
	n=$((1 - stride))
	outcomes=
	while [ "$n" -lt 40 ]; do
		n=$((n + stride))
		client_start "plain$n" --buffers 1 "$(drm_node "$gpu")"
		app "group$n" --buffers 1 "$(drm_node "$gpu")"
		nodes_save "$gpu" before
		crash "$n" "$@" || break
		mended "$(bg_pid "plain$n")" "$(bg_pid "group$n")"
		outcomes="$outcomes $n:${how%% *}"
		stop_bg "plain$n"
		stop_bg "group$n"
		[ -z "$rig_failed" ] || break
	done
	note "steps and what became of it:$outcomes; $n is one too many"
	[ "$n" -ge 6 ] || fail "only $n steps"
	[ "$n" -lt 40 ] || fail "it never ends"
	stop_bg egpud
	all_gone before "$(bg_pid "plain$n")" "$(bg_pid "group$n")"
	stop_bg "plain$n"
	stop_bg "group$n"
	back "$gpu"
}

each ejected

test_begin "killed from outside, at any moment"
delays="10000 150000"
[ "$rig_slow" -gt 1 ] || delays="$delays 30000 60000 100000 250000"
for delay in $delays; do
	client_start plain --buffers 1 "$(drm_node "$gpu")"
	nodes_save "$gpu" before
	egpud_start
	expect egpuctl eject "$gpu" --no-wait
	usleep "$delay"
	kill_bg egpud
	cookie=$(gpu_field "$gpu" cookie)
	rig_wait "! on_bus $gpu || [ \$(gpu_field $gpu state) = 1 ]" 20 ||
		fail "the eject $cookie does not end"
	mended "$(bg_pid plain)"
	note "killed after $delay us: $how"
	stop_bg plain
done

test_begin "killed while a removal by sysfs is held"
client_start plain --buffers 1 "$(drm_node "$gpu")"
nodes_save "$gpu" before
# The first two steps are those of its start.
egpud_start --crash-at 4
sysfs_remove "$gpu"
expect_not on_bus "$gpu"
mended "$(bg_pid plain)"
