# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The GPU leaves while its clients are drained: unbound, removed, pulled, ejected.
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: gpu gpu1 virtio-gpu-pci on tb1
# rig: modules virtio-gpu vgem
# rig: time 90
# rig: egpu-only

insert_egpu drain_ms=800 hold_ms=3000 accept_ms=1000
owner_start owner

# drain_forever PORT NAME: its clients are fenced, and drained for ever: a program has
# work that does not end.
drain_forever() {
	gpu=$(gpu_at "$1")
	gpu_ready "$gpu"
	id=$(gpu_id "$gpu")
	trace_on egpu
	client_start "$2" --files 2 --buffers 2 --fence never "$(drm_node "$gpu")"
	helper_start "ear-$2" --only-events --accept never
	expect order owner fence "id=$id"
	expect order owner drain "id=$id" timeout-ms=60000
	quiesce_wait "$id" 'state=draining' 5
}

# ended NAME RESULT: the drain ended for this, long before its time; who had the GPU open
# is still there and is told of.
ended() {
	helper_wait "ear-$1" "quiesce id=$id state=(fenced|resumed) result=$2" 10
	helper_wait "ear-$1" 'progress .*phase=done' 15
	cookie=$(sed -n 's/.* progress cookie=\([0-9]*\) id='"$id"' .*/\1/p' \
		"/run/rig/artifacts/ear-$1.log" | tail -n 1)
	request client-get "cookie=$cookie" >/run/rig/victims
	expect_same "files that the removal hit" 2 \
		"$(grep -c "client id=$id pid=$(bg_pid "$1") comm=$1 buffers=2 " /run/rig/victims)"
	expect_same "other files" 2 "$(wc -l </run/rig/victims)"
	expect bg_alive "$1"
	stop_bg "ear-$1"
	client_leave "$1"
}

test_begin "the driver is unbound while its clients are drained"
drain_forever tb0 unbound
driver=$(driver_of "$gpu")
unbind "$gpu"
ended unbound '(gone|stopped)'
bind "$gpu" "$driver"
gpu_ready "$gpu"

test_begin "after that it can be fenced and drained anew"
id=$(gpu_id "$gpu")
order owner resume "id=$id" >/run/rig/output
expect order owner fence "id=$id"
expect order owner drain "id=$id" timeout-ms=5000
quiesce_wait "$id" 'state=quiesced' 10
expect order owner resume "id=$id"

test_begin "it is removed in sysfs while its clients are drained"
drain_forever tb0 removed
sysfs_remove "$gpu"
ended removed '(gone|stopped)'
order_error 19 owner resume "id=$id"

test_begin "who comes back is another GPU, and nobody has fenced it"
rescan
gpu_ready "$gpu"
[ "$(gpu_id "$gpu")" != "$id" ] || fail "it has its old id"
quiesce_expect "$(gpu_id "$gpu")" 'state=running result=none owned=0'

test_begin "it is pulled while its clients are drained: known at once"
drain_forever tb0 pulled
pull tb0
ended pulled gone
expect traced 'egpu_removal: .*cause=surprise'

test_begin "ejected by force: the kernel drains for drain-ms, then it goes"
gpu=$(gpu_at tb1)
gpu_ready "$gpu"
id=$(gpu_id "$gpu")
stop_bg owner
client_start forced --files 2 --buffers 2 --fence never "$(drm_node "$gpu")"
helper_start ear-forced --only-events --accept never
trace_on egpu
expect request eject "id=$id" force timeout-ms=20000
wait_gone "$gpu" 20
ended forced timed-out
said_before ear-forced "quiesce id=$id state=draining" ear-forced 'disconnected'

# Linux 6.1 passes on no words of a dump that does not begin.
test_begin "unknown removals hit nobody"
request client-get cookie=9999 | grep -q '^error=2 ' || fail "an unknown removal has victims"
request client-get cookie=1 id=1 | grep -q '^error=22 ' || fail "both can be named"
