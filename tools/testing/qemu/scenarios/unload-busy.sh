# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2046
# Unloading with subscribers, with an open dump, and 50 times while GPUs come and go.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)

test_begin "an open dump keeps the module; when it ends the module can go"
insert_egpu
node=$(drm_node "$gpu")
# More clients than fit into the first buffer of a dump.
start_bg clients rig-hold $(yes "$node" | head -n 100)
wait_for "[ \"\$(gpu_field $gpu clients)\" = 100 ]" 10
start_bg dump "$tests/request" open-dump
wait_for 'grep -q open /run/rig/artifacts/dump.log' 5
expect_not rmmod egpu
expect gpu_id "$gpu"
stop_bg dump
stop_bg clients
expect rmmod egpu

test_begin "subscribers do not keep it, and hear that it went"
insert_egpu
helper_start reader --only-events
helper_start helper --accept 0 --ack 0
expect rmmod egpu
helper_wait reader module-gone 5
helper_wait helper module-gone 5
stop_bg reader

# Removals by sysfs and unbindings in turns, as fast as they go.
storm() {
	while [ ! -e /run/rig/calm ]; do
		echo 1 >"$sys/$gpu/remove"
		echo 1 >/sys/bus/pci/rescan
		echo "$gpu" >"$sys/$gpu/driver/unbind"
		echo "$gpu" >/sys/bus/pci/drivers/bochs-drm/bind
		echo >>/run/rig/turns
	done
}

# An unload is refused while a message is being handled; then try again.
unload_patiently() {
	rig_wait 'rmmod egpu' 5
}

test_begin "50 times loaded and unloaded while GPUs come and go"
storm &
storm=$!
n=0
while [ "$n" -lt 50 ]; do
	insmod /lib/egpu.ko hold_ms=500 || { fail "load $n"; break; }
	unload_patiently || { fail "unload $n"; break; }
	n=$((n + 1))
done
: >/run/rig/calm
wait "$storm"
turns=$(wc -l </run/rig/turns)
note "$n loads and unloads, meanwhile $turns times removed, found, unbound and bound"
[ "$turns" -ge 5 ] || fail "only $turns turns of hotplug"
back=$(grep -c module-back /run/rig/artifacts/helper.log)
note "the helper came back $back times, and accepted" \
	"$(grep -c 'accept .*error=0' /run/rig/artifacts/helper.log) removals"
[ "$back" -ge 25 ] || fail "the helper came back only $back times"

test_begin "afterwards everything is as ever"
insert_egpu
gpu_ready "$gpu"
helper_wait helper 'listening' 5
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 0 500
