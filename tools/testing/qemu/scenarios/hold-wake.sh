# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The helper's ack itself wakes the removal that waits, not the next look around.

# woken_by_ack: the task that acknowledged woke the one that waits, before that went on.
# Not in an interrupt, as the timer of a look would.
woken_by_ack() {
	awk '
		/ egpu_hold_begin: / { n = split($1, word, "-"); waiter = word[n] }
		/ egpu_removal: .* release=acked / { helper = $1; next }
		/ egpu_hold_end: / { exit }
		helper && $1 == helper && / sched_waking: / && $3 !~ /[hHsZ]/ &&
			index($0, " pid=" waiter " ") { woken = 1 }
		END { exit !woken }' "$tracing/trace"
}

insert_egpu hold_ms=5000 accept_ms=1000
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
helper_start good --accept 0 --ack 100

# Who is just looking around when the ack comes need not be woken: so try again.
test_begin "an acknowledged removal is woken at once"
tries=0
woken=no
while [ "$woken" = no ] && [ "$tries" -lt 5 ]; do
	tries=$((tries + 1))
	rescan
	gpu_ready "$gpu"
	trace_on egpu sched:sched_waking
	sysfs_remove "$gpu"
	hold_expect acked 100 1000
	woken_by_ack && woken=yes
done
note "woken by the ack: $woken, at try $tries"
expect_same "woken by the ack" yes "$woken"
