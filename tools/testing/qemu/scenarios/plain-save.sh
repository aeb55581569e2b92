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
	rm -f /run/rig/stream
	expect egpuctl checkpoint export "$id" /run/rig/stream
	words_right /run/rig/stream
	expect runs "$(bg_pid "plain-$1")"
	egpuctl checkpoint remove "$id" || fail "it cannot be removed"
	if [ "$1" = tb1 ]; then client_leave "plain-$1"
	else stop_bg "plain-$1"; fi
}

# words_right FILE: each buffer, as gpu-client --fill has written it, is in it once: 1024 words
# that count up from 0xe6000000 + a multiple of 4096, at the begin of a page.
words_right() {
	od -A n -t u4 -v -w4096 "$1" | awk '
		$1 < 3858759680 || $1 % 4096 || $1 >= 3858759680 + 16777216 { next }
		{
			for (i = 2; i <= NF; i++)
				if ($i != $1 + i - 1)
					next
			found += NF == 1024 && !seen[$1]++
		}
		END { print found + 0 }' >/run/rig/found
	expect_same "buffers with the right words" 6 "$(cat /run/rig/found)"
}

saved tb0
saved tb1
