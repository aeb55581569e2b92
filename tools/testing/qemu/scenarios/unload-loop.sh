# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# 50 times loaded and unloaded while GPUs come and go, with a helper that stays.
# rig: gpu igpu virtio-gpu-pci

hotadd tb0 gpu0
gpu=$(gpu_at tb0)

insert_egpu
helper_start helper --accept 0 --ack 0
expect rmmod egpu

# Removals by sysfs and unbindings in turns.
storm() {
	while [ ! -e /run/rig/calm ]; do
		echo 1 >"$sys/$gpu/remove"
		echo 1 >/sys/bus/pci/rescan
		echo "$gpu" >"$sys/$gpu/driver/unbind"
		echo "$gpu" >/sys/bus/pci/drivers/bochs-drm/bind
		echo >>/run/rig/turns
		usleep 20000
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
wait_for 'request settings-get | grep -q helpers=1' 5
trace_on egpu
sysfs_remove "$gpu"
hold_expect acked 0 500
