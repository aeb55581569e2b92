# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# An eject asks programs as the policy says, takes the audio function along, or is refused.
# rig: modules bochs snd-hda-intel
# rig: time 120
# rig: egpu-only

policy <<END
others = wait
ask = 3s
freeze = 3s
drain = 3s
[program quitter]
action = quit
[program stubborn]
action = kill
[program frozen]
action = ignore
END
load_egpu
hotadd_multifunction tb0 card0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
egpud_start
nodes_save "$gpu" before
sound=$(nodes_of "$gpu" | grep -m 1 /dev/snd/control)

test_begin "nobody uses it: ejected, audio function included, and safe to unplug"
eject idle "$gpu"
eject_ends idle 0
says idle 'safe to unplug'
expect_not on_bus "$gpu"
expect_not on_bus "${gpu%0}1"
steps_expect "$gpu" fence drain remove
removal_expect "$gpu" '.release == "acked" and .cause == "graceful"'
all_gone before
back "$gpu"

test_begin "a program that waits and lets go in time goes on without it"
client_start waiter --close-after 1500 "$(drm_node "$gpu")"
eject wait "$gpu"
step_wait "$gpu" ask
eject_ends wait 0
helper_said waiter closed || fail "it had not let go yet"
expect bg_alive waiter
helper_never_said waiter term
all_gone before "$(bg_pid waiter)"
stop_bg waiter
back "$gpu"

test_begin "a program that does not let go: refused, and all is as it was"
nodes_save "$gpu" before
client_start waiter --buffers 2 "$(drm_node "$gpu")"
eject busy "$gpu"
eject_ends busy 4
says busy 'not safe to unplug'
says busy "waiter.*$(bg_pid waiter)|$(bg_pid waiter).*waiter"
helper_never_said waiter term
steps_expect "$gpu" fence ask
all_back "$gpu" before "$(bg_pid waiter)"

test_begin "the same, for a program to read"
expect_code 4 egpuctl eject "$gpu" --json
jq -e ".eject.verdict == \"refused\"" /run/rig/output >/dev/null ||
	{ fail "the verdict is not there"; rig_note_file /run/rig/output; }
jq -e "tostring | contains(\"$(bg_pid waiter)\")" /run/rig/output >/dev/null ||
	fail "who uses it is not there"
all_back "$gpu" before "$(bg_pid waiter)"

test_begin "by force: it goes all the same, and the program lives on"
eject forced "$gpu" --force
eject_ends forced 0
says forced 'safe to unplug'
steps_expect "$gpu" fence freeze drain remove
expect bg_alive waiter
helper_never_said waiter term
all_gone before "$(bg_pid waiter)"
stop_bg waiter
back "$gpu"

test_begin "a program that may be asked to quit is asked, and quits"
client_start quitter "$(drm_node "$gpu")"
eject quit "$gpu"
eject_ends quit 0
helper_said quitter term || fail "it was not asked"
all_gone before
rm -f /run/rig/bg.quitter
back "$gpu"

test_begin "a program that may be killed is asked first, and killed when the time is up"
client_start stubborn --ignore-term "$(drm_node "$gpu")"
eject kill "$gpu"
eject_ends kill 0
helper_said stubborn term || fail "it was not asked"
expect_not bg_alive stubborn
all_gone before
rm -f /run/rig/bg.stubborn
back "$gpu"

test_begin "a program that is to be ignored stands still meanwhile, then goes on"
client_start frozen --buffers 2 --beat 50 "$(drm_node "$gpu")"
eject ignore "$gpu"
eject_ends ignore 0
steps_expect "$gpu" freeze drain remove
all_gone before "$(bg_pid frozen)"
wait_for "helper_said frozen 'gap ms='" 5
rig_note_file /run/rig/artifacts/frozen.log 5
removal_expect "$gpu" '.vouched'
stop_bg frozen
back "$gpu"

test_begin "who has the audio function open holds the card, too"
nodes_save "$gpu" before
hold_open listener "$sound"
eject sound "$gpu"
eject_ends sound 4
says sound "$(bg_pid listener)"
all_back "$gpu" before "$(bg_pid listener)"
stop_bg listener

test_begin "once it has let go the card can be ejected"
eject again "$gpu"
eject_ends again 0
expect_not on_bus "${gpu%0}1"
