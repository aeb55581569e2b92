# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The buffers of a program that knows nothing of egpu are saved while it is frozen, word for word.
# rig: gpu gpu1 virtio-gpu-pci on tb1
# rig: time 120
# rig: egpu-only

work_policy <<END
others = ignore
END
load_egpu
hotadd tb0 gpu0
egpud_start

# saved PORT: a program with two files of three buffers each is ejected there.
saved() {
	gpu=$(gpu_at "$1")
	gpu_ready "$gpu"
	test_begin "$(driver_of "$gpu"): a frozen program's buffers are in the store"
	client_start "plain-$1" --files 2 --buffers 3 --fill "$(drm_node "$gpu")"
	eject "eject-$1" "$gpu"
	eject_ends "eject-$1" 0 40
	wait_for "[ \"\$(checkpoints .plain)\" ]" 10 || rig_note_daemon
	id=$(checkpoints .plain | tail -n 1)
	expect egpuctl checkpoint show "$id"
	rig_note_file /run/rig/output
	store_whole

	test_begin "$1: each word is the one that the program has written"
	egpuctl checkpoint show "$id" --json >/run/rig/shown
	expect_same "buffers" 6 "$(jq '.checkpoint.buffers | length' /run/rig/shown)"
	rm -f /run/rig/firsts
	for buffer in $(jq -r '.checkpoint.buffers[].id' /run/rig/shown); do
		expect egpuctl checkpoint show "$id" --buffer "$buffer" --raw /run/rig/words
		words_right /run/rig/words
	done
	expect_same "different buffers" 6 "$(sort -u /run/rig/firsts | wc -l)"
	expect runs "$(bg_pid "plain-$1")"
	egpuctl checkpoint remove "$id" || fail "it cannot be removed"
	if [ "$1" = tb1 ]; then client_leave "plain-$1"
	else stop_bg "plain-$1"; fi
}

# words_right FILE: 4 KiB that gpu-client --fill has written; its first word goes to a list.
words_right() {
	od -A n -t u4 -v "$1" | tr -s ' ' '\n' | grep . | awk '
		NR == 1 { first = $1; print }
		$1 != first + NR - 1 { bad++ }
		END { exit NR != 1024 || bad || first < 3858759680 || first % 4096 != 0 }
	' >>/run/rig/firsts && return 0
	fail "a buffer has other words than were written"
	od -A d -t x4 "$1" | head -n 4 >/run/rig/output
	rig_note_file /run/rig/output
}

saved tb0
saved tb1
