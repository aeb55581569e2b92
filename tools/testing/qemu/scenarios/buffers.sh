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
