# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Ejects that cannot be, and configurations with mistakes: a clear error, nothing changed.
# rig: gpu igpu virtio-gpu-pci
# rig: egpu-only

policy <<END
others = wait
ask = 20s
END
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
node=$(drm_node "$gpu")
egpud_start
client_start waiter "$node"
nodes_save "$gpu" before

# refused CODE WORDS...: with this exit code and a sentence, and as JSON.
refused() {
	rig_want=$1
	shift
	expect_code "$rig_want" egpuctl eject "$@"
	grep -q '^egpuctl: .' /run/rig/output || fail "eject $*: no sentence"
	note "eject $*: $(head -n 1 /run/rig/output)"
	expect_code "$rig_want" egpuctl eject "$@" --json
	jq -e '.error' /run/rig/output >/dev/null 2>&1 || fail "eject $* --json: no error in it"
	all_back "$gpu" before "$(bg_pid waiter)"
}

test_begin "an unknown GPU, no GPU, an internal one"
refused 3 77
refused 3 0000:77:00.0
refused 3 nonsense
refused 5 "$(internal_gpu)"
expect_code 2 egpuctl eject
event_expect_count 0 .

test_begin "two ejects at once: one eject, watched by both"
eject first "$gpu"
step_wait "$gpu" ask
eject second "$gpu"
wait_for "grep -q 'leaving already' /run/rig/artifacts/second.log" 10
request_expect_error 114 eject "id=$(gpu_id "$gpu")"
expect egpuctl cancel "$gpu"
eject_ends first 9
eject_ends second 9
event_expect_count 1 '.event == "removal-pending"'
all_back "$gpu" before "$(bg_pid waiter)"

test_begin "an eject of a GPU that leaves already"
stop_bg egpud
helper_start slow --accept 0 --ack 4000
request settings-set hold-ms=5000 accept-ms=2000
sysfs_remove "$gpu" &
removal=$!
helper_wait slow 'accept cookie=[0-9]* error=0' 10
id=$(request device-get "address=$gpu" | sed 's/id=\([0-9]*\).*/\1/')
request_expect_error 114 eject "id=$id"
wait "$removal"
stop_bg slow
stop_bg waiter
rescan
gpu_ready "$gpu"

# mistake LINE WANTED <<END: a configuration that is refused, with the place.
mistake() {
	cat >/run/rig/bad.conf
	rig_code=0
	egpud --check-config --config /run/rig/bad.conf >/run/rig/output 2>&1 || rig_code=$?
	[ "$rig_code" != 0 ] || fail "line $1 is taken: $(sed -n "$1p" /run/rig/bad.conf)"
	grep -qE "/run/rig/bad.conf:$1: .*expected .*$2" /run/rig/output ||
		{ fail "not said: /run/rig/bad.conf:$1: expected ...$2"
		rig_note_file /run/rig/output; }
	note "$(head -n 1 /run/rig/output | cut -c 1-150)"
}

test_begin "a configuration with a mistake: file, line, what was expected"
mistake 1 '' <<END
others = explode
END
mistake 2 '' <<END
# how long
ask = soon
END
mistake 1 '' <<END
ask = 5h
END
mistake 3 '' <<END

[program firefox]
action = flee
END
mistake 1 '' <<END
[programme firefox]
END
mistake 1 '' <<END
colour = blue
END
mistake 1 '' <<END
others wait
END
mistake 2 '' <<END
[program x]
freeze = maybe
END

test_begin "a configuration that others may write, or that is a link, is refused"
printf 'others = kill\n' >/run/rig/loose.conf
chmod 0666 /run/rig/loose.conf
expect_not egpud --check-config --config /run/rig/loose.conf
chmod 0644 /run/rig/loose.conf
expect egpud --check-config --config /run/rig/loose.conf
chown nobody /run/rig/loose.conf
expect_not egpud --check-config --config /run/rig/loose.conf
chown root /run/rig/loose.conf
ln -s loose.conf /run/rig/link.conf
expect_not egpud --check-config --config /run/rig/link.conf

test_begin "a good configuration is read again, a bad one leaves the old"
policy <<END
others = wait
ask = 1s
END
egpud_start
client_start waiter "$(drm_node "$gpu")"
printf 'others = explode\n' >/etc/egpu/egpud.conf
kill -HUP "$(bg_pid egpud)"
wait_for "grep -q 'egpud.conf:1: ' /run/rig/artifacts/egpud.log" 5
expect_code 4 egpuctl eject "$gpu"
expect bg_alive waiter
policy <<END
others = quit
END
kill -HUP "$(bg_pid egpud)"
usleep 300000
expect egpuctl eject "$gpu"
helper_said waiter term || fail "the new configuration does not hold"
rm -f /run/rig/bg.waiter

test_begin "a daemon does not start with a bad configuration, and says where it is bad"
stop_bg egpud
printf 'others = explode\n' >/etc/egpu/egpud.conf
expect_not timeout 5 egpud
grep -q '/etc/egpu/egpud.conf:1: ' /run/rig/output || rig_note_file /run/rig/output
