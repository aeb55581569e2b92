# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Buffers of bochs, virtio-gpu and vgem: read, saved, made anew on each other and in memory.
# rig: gpu gpu0 secondary-vga on tb0
# rig: gpu igpu virtio-gpu-pci
# rig: modules bochs virtio-gpu vgem
# rig: time 120
# rig: egpu-only

# vgem_node: its card node, which has no PCI address.
vgem_node() {
	for card in /sys/class/drm/card*; do
		case $(readlink -f "$card/device") in
		*/vgem*) echo "/dev/dri/${card##*/}" && return ;;
		esac
	done
}

bochs=$(drm_node "$(gpu_at tb0)")
virtio=$(drm_node "$(internal_gpu)")
vgem=$(vgem_node)

for pair in "$bochs $virtio" "$virtio $vgem" "$vgem $bochs"; do
	note "from ${pair% *} to ${pair#* }"
	# shellcheck disable=SC2086
	run_ktap "$tests/buffers" $pair
done

# slow_said PATTERN: the slow save has said so.
slow_said() {
	grep -qE "$1" /run/rig/artifacts/slow.log
}

rm -rf /tmp/egpu-store
test_begin "left alone a slow save ends well"
gpu=$(gpu_at tb0)
start_bg slow "$tests/buffers" --slow "$bochs" "$gpu"
wait_for 'slow_said "^done"' 30
expect_same "checkpoints" 1 "$(find /tmp/egpu-store -name '*.ckpt' | wc -l)"

rm -rf /tmp/egpu-store
test_begin "pulled meanwhile: nothing is kept of what was not there"
start_bg slow "$tests/buffers" --slow "$bochs" "$gpu"
wait_for 'slow_said "^saving"' 10
pull tb0
wait_for 'slow_said "^(done|failed)"' 30
expect slow_said "^failed .*(has gone|vanished)"
expect_same "checkpoints" 0 "$(find /tmp/egpu-store -name '*.ckpt' | wc -l)"
wait_gone "$gpu" 10
