# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Real fences on a GPU's buffers drain, time out and are named; who may say what.
# rig: gpu igpu virtio-gpu-pci
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: modules virtio-gpu vgem
# rig: time 90
# rig: egpu-only

insert_egpu
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
id=$(gpu_id "$gpu")
node=$(drm_node "$gpu")
owner_start owner
owner_start other

test_begin "nobody has asked for anything"
quiesce_expect "$id" 'state=running result=none owned=0'

test_begin "what cannot be quiesced is refused, with a reason"
order_error 19 owner fence id=9999
order_error 19 owner quiesce-get id=9999
order_error 95 owner fence "id=$(gpu_id "$(internal_gpu)")"
order_error 71 owner drain "id=$id" timeout-ms=500
order_error 114 owner resume "id=$id"
order_error 22 owner fence
order_error 22 owner drain "id=$id"
order_error 34 owner drain "id=$id" timeout-ms=0
order_error 34 owner drain "id=$id" timeout-ms=600001
quiesce_expect "$id" 'state=running result=none owned=0'

test_begin "nothing in flight: two looks, and it is quiesced"
helper_start ear1 --only-events --accept never
client_start idle --files 2 --buffers 3 "$node"
expect order owner fence "id=$id"
quiesce_expect "$id" 'state=fenced result=none owned=1'
expect order owner drain "id=$id" timeout-ms=5000
quiesce_wait "$id" 'state=quiesced' 10
quiesce_expect "$id" 'result=drained owned=1 clients=2 buffers=6 passes=2 waited=0 pending=0'
order_error 114 owner drain "id=$id" timeout-ms=500
order_error 114 owner fence "id=$id"

test_begin "fenced by one: nobody else may drain or resume"
order_error 16 other fence "id=$id"
order_error 1 other drain "id=$id" timeout-ms=500
order_error 1 other resume "id=$id"
quiesce_expect "$id" 'state=quiesced result=drained owned=1'
expect order owner resume "id=$id"
quiesce_expect "$id" 'state=resumed .*owned=0'
quiesce_steps ear1 "$id" \
	"fenced:none draining:none quiesced:drained resumed:drained"
stop_bg ear1
stop_bg idle

test_begin "work in flight that ends in time is waited for"
helper_start ear2 --only-events --accept never
expect order owner fence "id=$id"
client_start busy --files 3 --fence 2500 "$node"
expect order owner drain "id=$id" timeout-ms=30000
quiesce_wait "$id" 'state=quiesced' 30
quiesce_expect "$id" 'result=drained .*clients=3 buffers=3 .*waited=3 pending=0'
said_before busy 'signals 3' ear2 'state=quiesced'
expect order owner resume "id=$id"
stop_bg busy
stop_bg ear2

test_begin "work that begins while it waits is waited for, too"
helper_start ear3 --only-events --accept never
client_start chain --buffers 4 --chain 4 --fence 1200 "$node"
expect order owner fence "id=$id"
expect order owner drain "id=$id" timeout-ms=30000
quiesce_wait "$id" 'state=quiesced' 30
quiesce_expect "$id" 'result=drained .* pending=0'
said_before chain 'signals 4' ear3 'state=quiesced'
expect order owner resume "id=$id"
stop_bg chain
stop_bg ear3

test_begin "work that never ends: the time is up, and whose it is"
client_start idle --files 2 --buffers 3 "$node"
client_start hung --files 2 --fence never "$node"
helper_start ear4 --only-events --accept never
expect order owner fence "id=$id"
expect order owner drain "id=$id" timeout-ms=700
order_error 114 owner drain "id=$id" timeout-ms=700
quiesce_wait "$id" 'state=fenced result=timed-out' 8
quiesce_expect "$id" "pending=2 .*took-us=([7-9][0-9]{5}|[0-9]{7})"
quiesce_expect "$id" " culprit=$(bg_pid hung):hung:[12]( |\$)"
expect_not quiesce_names "$id" "$(bg_pid idle)"
request quiesce-get "id=$id" | rig_note_file /dev/stdin
quiesce_steps ear4 "$id" "fenced:drained draining:none fenced:timed-out"

test_begin "whose it is is told to root and to the owner of the process only"
su nobody -s /bin/sh -c "$tests/request quiesce-get id=$id" >/run/rig/seen
expect grep -q 'state=fenced result=timed-out' /run/rig/seen
expect_not grep -q culprit /run/rig/seen

test_begin "the buffers say which of them are busy"
request buffer-get "id=$id" >/run/rig/buffers
expect_same "buffers" 8 "$(grep -c '^buffer ' /run/rig/buffers)"
expect_same "busy buffers of the hung program" 2 \
	"$(grep "pid=$(bg_pid hung) " /run/rig/buffers | grep -c ' pending=1')"
expect_same "busy buffers" 2 "$(grep -c ' pending=1' /run/rig/buffers)"
expect_same "buffers with a dma-buf" 2 "$(grep -vc ' dma-buf=0 ' /run/rig/buffers)"
su nobody -s /bin/sh -c "$tests/request buffer-get id=$id" >/run/rig/seen
expect_same "buffers that a stranger sees" 0 "$(grep -c '^buffer ' /run/rig/seen)"

test_begin "after a timeout it can be drained again, once the culprit has gone"
kill_bg hung
expect order owner drain "id=$id" timeout-ms=10000
quiesce_wait "$id" 'state=quiesced' 10
quiesce_expect "$id" 'result=drained .*clients=2 buffers=6 .* pending=0'
expect_not quiesce_names "$id" '[0-9]*'
expect order owner resume "id=$id"
stop_bg ear4

test_begin "called off while it waits: stopped at once"
client_start hung --fence never "$node"
helper_start ear5 --only-events --accept never
expect order owner fence "id=$id"
expect order owner drain "id=$id" timeout-ms=60000
quiesce_wait "$id" 'state=draining' 5
expect order owner resume "id=$id"
quiesce_wait "$id" 'state=resumed result=stopped' 3
quiesce_steps ear5 "$id" "fenced:drained draining:none resumed:stopped"
stop_bg ear5

test_begin "its owner dies while it waits: stopped, and another may begin"
expect order other fence "id=$id"
expect order other drain "id=$id" timeout-ms=60000
quiesce_wait "$id" 'state=draining' 5
kill_bg other
quiesce_wait "$id" 'state=resumed result=stopped owned=0' 3
expect order owner fence "id=$id"

test_begin "unloaded while it waits: that ends at once, the clients stay"
# vgem's fences signal after 10 s by themselves, and the last may be that old.
kill_bg hung
client_start hung --fence never "$node"
helper_start ear6 --only-events --accept never
expect order owner drain "id=$id" timeout-ms=60000
quiesce_wait "$id" 'state=draining' 5
start=$(uptime_ms)
expect rmmod egpu
[ $(($(uptime_ms) - start)) -lt $((3000 * rig_slow)) ] || fail "rmmod took too long"
helper_wait ear6 'quiesce .*state=resumed result=stopped' 5
expect bg_alive hung
