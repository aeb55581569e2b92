# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# A held removal goes on at once when the GPU is pulled meanwhile: sysfs, unbind.

insert_egpu hold_ms=5000 accept_ms=1000
helper_start stuck --accept 0 --ack never

# plug: a GPU, whose removal is traced from now on.
plug() {
	hotadd tb0 "$1"
	gpu=$(gpu_at tb0)
	gpu_ready "$gpu"
	trace_on egpu
}

# overtaken COOKIE: what has to be true of a removal that was pulled while it waited.
overtaken() {
	released_within 50 'rig-pull: pulling' overtaken
	helper_wait stuck "disconnected cookie=$1 .* release=overtaken cause=2" 10
	helper_wait stuck "progress cookie=$1 .*phase=done" 5
	wait_gone "$gpu" 5
}

test_begin "sysfs: pulled while the removal waits"
plug gpu0
sysfs_remove "$gpu" &
removal=$!
hold_accepted
pull tb0
wait "$removal"
overtaken 1

test_begin "unbind: pulled while the driver's removal waits"
sleep 2
plug gpu1
unbind "$gpu" &
removal=$!
hold_accepted
pull tb0
wait "$removal"
overtaken 2

test_begin "a GPU that is pulled at once is not held for the helper"
sleep 2
plug gpu2
pull tb0
no_hold_expect gone
helper_wait stuck 'disconnected cookie=3 .* release=gone cause=2' 10
helper_never_said stuck 'accept cookie=3'
