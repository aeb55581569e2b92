# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The button's removal is held in the kernel's own hotplug thread: ack, then a pull.

insert_egpu hold_ms=5000 accept_ms=1000
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"

test_begin "held until the helper's ack"
helper_start good --accept 0 --ack 500
trace_on egpu
button_remove gpu0
hold_pending 15
hold_expect acked 500 800
wait_gone "$gpu" 5
stop_bg good

# The thread that would mark the GPU as gone is the one that waits.
test_begin "pulled while it waits: released although nobody can mark the GPU"
sleep 2
helper_start stuck --accept 0 --ack never
hotadd tb0 gpu1
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
trace_on egpu
button_remove gpu1
hold_accepted 15
pull tb0
released_within 50 'rig-pull: pulling' overtaken
helper_wait stuck 'disconnected cookie=2 .* release=overtaken cause=2' 10
wait_gone "$gpu" 5
