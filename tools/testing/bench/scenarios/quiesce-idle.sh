# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How long from an eject until the clients of the GPU are quiesced, nothing in flight.
# rig: gpu gpu0 virtio-gpu-pci on tb0
# rig: memory 2048
# rig: time 600

runs=24

# quiesce CLIENTS BUFFERS: of each client.
quiesce() {
	test_begin "$1 clients with $2 buffers each"
	expect bench-quiesce "$gpu" "$node" "$1" "$2" "$runs" &&
		save /run/rig/output "quiesce-$1x$2"
	test_end
}

insmod /lib/egpu.ko || rig_abort "egpu.ko does not load"
gpu=$(gpu_at tb0)
node=$(drm_node "$gpu")
sleep 1
quiesce 64 40
for buffers in 1 10 100 1000 2500 5000 10000; do
	quiesce 1 "$buffers"
done
