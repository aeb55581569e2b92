# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Verbs of the scenarios: programs whose work outlives their GPU, and their checkpoints.
# The program is userspace/examples: each step of its work has a checksum that any machine
# comes to, so what it says proves itself.

store=/var/lib/egpu/checkpoints

# work_policy: egpud's configuration, from the standard input, on top of what a machine
# needs that has no disk. A store of its own file system, of so many MB (default 192).
work_policy() {
	grep -q " $store " /proc/mounts || {
		mkdir -p "$store"
		mount -t tmpfs -o "mode=0700,size=${1:-192}M" none "$store"
	}
	cat >/run/rig/policy
	grep -q '^store-free' /run/rig/policy || echo "store-free = 1M" >>/run/rig/policy
	policy </run/rig/policy
}

# work_start NAME [OPTION...]: the example, in the background; returns when it has a session
# and is at work. What it prints is the log NAME.
work_start() {
	rig_work=$1
	shift
	start_bg "$rig_work" egpu-example "$@"
	work_says "$rig_work" ' session connected=1' 20
	work_steps "$rig_work" 1 20
}

# work_says NAME PATTERN SECONDS: until it has printed such a line.
work_says() {
	wait_for "grep -qE -- '$2' /run/rig/artifacts/$1.log" "$3" && return 0
	rig_note_work "$1"
	return 1
}

# work_said NAME PATTERN: has it?
work_said() {
	grep -qE -- "$2" "/run/rig/artifacts/$1.log"
}

work_never_said() {
	! work_said "$1" "$2" || fail "$1 says: $(grep -m 1 -E -- "$2" \
		"/run/rig/artifacts/$1.log")"
}

rig_note_work() {
	tail -n 12 "/run/rig/artifacts/$1.log" | sed 's/^/#   /' >&8
	[ ! -e /run/rig/artifacts/egpud.log ] || rig_note_daemon
}

# work_step NAME: the last one that it has done; work_steps NAME N [SECONDS]: until it has done
# N more.
work_step() {
	sed -n 's/^[0-9]* step=\([0-9]*\) .*/\1/p' "/run/rig/artifacts/$1.log" | tail -n 1
}

rig_work_lines() {
	grep -c '^[0-9]* step=' "/run/rig/artifacts/$1.log"
}

work_steps() {
	rig_lines=$(($(rig_work_lines "$1") + $2))
	wait_for "[ \$(rig_work_lines $1) -ge $rig_lines ]" "${3:-20}" && return 0
	rig_note_work "$1"
	return 1
}

# work_ends NAME: it is asked to end, and what it came to is right: every step that it did,
# before and after whatever was done to it, has the checksum that a machine without egpu and
# without a GPU comes to. What was done after the step that it went back to is not looked
# at: its GPU had gone, or was about to.
work_ends() {
	rig_pid=$(bg_pid "$1")
	rm "/run/rig/bg.$1"
	kill -TERM "$rig_pid"
	rig_wait "! kill -0 $rig_pid" 20 || { fail "$1 does not end"; kill -9 "$rig_pid"; }
	rig_code=0
	wait "$rig_pid" || rig_code=$?
	expect_same "exit code of $1" 0 "$rig_code"
	work_right "$1"
}

# work_right NAME: the same of one that has ended, or runs on.
work_right() {
	work_reference
	rig_code=0
	awk -f /rig/work.awk /run/rig/reference "/run/rig/artifacts/$1.log" \
		>/run/rig/output || rig_code=$?
	note "$1: $(cat /run/rig/output)"
	[ "$rig_code" = 0 ] && return 0
	fail "$1: $(cat /run/rig/output)"
	rig_note_work "$1"
}

# What the steps come to, once, by nobody but the processor.
work_reference() {
	[ -s /run/rig/reference ] || egpu-example --verify=1500 >/run/rig/reference
}

# work_value NAME LINE FIELD: a field of the last line of this kind: moved, lost.
work_value() {
	grep -E "^[0-9]* $2" "/run/rig/artifacts/$1.log" | tail -n 1 | tr ' ' '\n' |
		sed -n "s/^$3=//p"
}

# work_time NAME PATTERN: when the last such line was printed, in ns since boot.
work_time() {
	grep -E "^[0-9]* $2" "/run/rig/artifacts/$1.log" | tail -n 1 | cut -d ' ' -f 1
}

# --- what everybody is told ---------------------------------------------------

# migration_wait NAME PHASE [SECONDS]: of the work of the program NAME.
migration_wait() {
	event_wait ".event == \"migration\" and .migration.phase == \"$2\" and
		.migration.pid == $(bg_pid "$1")" "${3:-30}" && return 0
	rig_note_work "$1"
	return 1
}

# migration_value NAME PHASE FIELD: of the first such event since the mark.
migration_value() {
	event_value ".event == \"migration\" and .migration.phase == \"$2\" and
		.migration.pid == $(bg_pid "$1")" ".migration.$3"
}

# migrations_paired: each that was started has come to one end, and nothing to an end that was
# not started; never more than N (default 4) at once.
migrations_paired() {
	events_list '.event == "migration"' | jq -s -r 'sort_by(.seq) | .[] | .migration |
		select(.phase != "checkpointed") | [.phase, .migration] | @tsv' |
		awk -v most="${1:-4}" '
		$1 == "started" { if (open[$2]++) bad($2 " is started twice")
			if (++n > most) bad(n " at once"); if (n > peak) peak = n; all++; next }
		{ if (!open[$2]) bad($2 " is " $1 ", but was not started"); delete open[$2]; n-- }
		function bad(why) { print "migration " why; failed = 1 }
		END { if (n) bad("without an end: " n); print all + 0, "started, at most",
			peak + 0, "at once"; exit failed }' >/run/rig/output ||
		{ fail "$(head -n 1 /run/rig/output)"; rig_note_file /run/rig/output; return 1; }
	note "migrations: $(cat /run/rig/output)"
}

# --- checkpoints --------------------------------------------------------------

# checkpoints [FILTER]: ids of those in the store.
checkpoints() {
	egpuctl checkpoint list --json | jq -r ".checkpoints[] | select(${1:-true}) | .id"
}

# store_whole: every checkpoint in it can be read to its last byte; and when no program is at
# work there is nothing else in it. One that is removed while we look is none.
store_whole() {
	[ -s /run/egpu/sessions ] || rig_wait rig_store_rests 20
	egpuctl checkpoint verify --json >/run/rig/verified 2>&1
	jq -r '.checkpoints[] | select(.whole | not) | .id' /run/rig/verified >/run/rig/torn ||
		{ fail "the store cannot be read"; rig_note_file /run/rig/verified; return 1; }
	while read -r rig_id; do
		[ -z "$(find "$store" -name "$rig_id*")" ] ||
			expect egpuctl checkpoint verify "$rig_id"
	done </run/rig/torn
	# One that is being written has no name yet, or is not listed yet.
	[ ! -s /run/egpu/sessions ] || return 0
	expect_same "files in the store" "$(jq '.checkpoints | length' /run/rig/verified)" \
		"$(find "$store" -type f | wc -l)"
}

# What a session leaves is removed behind it.
rig_store_rests() {
	rig_before=$(find "$store" -type f | wc -l)
	usleep 300000
	[ "$(find "$store" -type f | wc -l)" = "$rig_before" ]
}

# no_mover: egpud has no child left, and as many files open as it had when it was looked
# first; work_base is that look.
work_base() {
	rig_base=$(rig_files_of egpud)
	find "/proc/$(bg_pid egpud)/fd" -type l -exec readlink {} \; >/run/rig/base
}

# Timers come with their first use and stay.
rig_files_of() {
	find "/proc/$(bg_pid "$1")/fd" -type l -exec readlink {} \; 2>/dev/null | grep -vc timerfd
}

no_mover() {
	wait_for "[ -z \"\$(rig_children $(bg_pid egpud))\" ]" 10
	wait_for "[ \$(rig_files_of egpud) -le ${rig_base:-999} ]" 10 && return 0
	find "/proc/$(bg_pid egpud)/fd" -type l -exec readlink {} \; >/run/rig/output
	note "before:"
	rig_note_file /run/rig/base 40
	note "now:"
	rig_note_file /run/rig/output 40
}

rig_children() {
	grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null
}
