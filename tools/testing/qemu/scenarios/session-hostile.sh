# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Programs that say everything wrong: the daemon lives, stays small, and serves the others.
# rig: gpu igpu virtio-gpu-pci
# rig: time 200
# rig: egpu-only

work_policy <<END
interval = 500ms
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
egpud_start

# resident: memory of egpud in KiB.
resident() {
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(bg_pid egpud)/status"
}

work_start honest "$(drm_node "$gpu")"
migration_wait honest checkpointed
memory=$(resident)
work_base

run_ktap "$tests/session-hostile"

test_begin "another user's"
su nobody -s /bin/sh -c "$tests/session-hostile" >/run/rig/artifacts/nobody.tap 2>&1 8>&- ||
	{ fail "it fails as nobody"
	grep -B 5 '^not ok' /run/rig/artifacts/nobody.tap >/run/rig/output
	rig_note_file /run/rig/output 40; }

test_begin "the daemon lives, and is as small as before"
expect bg_alive egpud
now=$(resident)
note "resident: $memory KiB before, $now KiB after"
[ "$now" -le $((memory + 8192)) ] || fail "it has grown from $memory to $now KiB"
no_mover

test_begin "programs that never answer do not hold the others up"
start_bg mute "$tests/session-hostile" mute 12
wait_for 'grep -q "^mute 1[0-9]*" /run/rig/artifacts/mute.log' 20
events_mark
migration_wait honest checkpointed
eject moved "$gpu"
eject_ends moved 0 60
migration_wait honest completed
kill_bg mute

test_begin "the honest program beside them was not harmed"
work_steps honest 2
work_ends honest
store_whole
wait_for '[ ! -s /run/egpu/sessions ]' 20
