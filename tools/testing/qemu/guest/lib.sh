# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Verbs of the scenarios: results and waiting. The others are in the files that
# this one reads at its end. All of them are listed in ../README.rst.
#
# A verb that checks (expect, expect_not, wait_for, event_wait ...) fails the test
# that is open and goes on. A verb that acts (hotadd, pull ...) and cannot, ends
# the scenario: what follows would only fail for the same reason.

# How much slower than Debian's this kernel is: waits and upper limits grow with it.
rig_slow=$(awk '$1 == "time_factor" { print $2 }' /rig/machine)

rig_count=0
rig_test=
rig_failed=

# --- results -----------------------------------------------------------------

# note TEXT...: a line of explanation in the results.
note() {
	printf '# %s\n' "$*" | tr -d '\r' >&8
}

# Note what a command printed, line by line.
rig_note_file() {
	sed 's/^/#   /' "$1" | head -n "${2:-20}" >&8
}

ok() {
	rig_count=$((rig_count + 1))
	echo "$rig_count" >/run/rig/count
	printf 'ok %s %s\n' "$rig_count" "$*" >&8
}

# not_ok NAME [WHY]
not_ok() {
	rig_count=$((rig_count + 1))
	echo "$rig_count" >/run/rig/count
	printf 'not ok %s %s\n' "$rig_count" "$1" >&8
	[ $# -lt 2 ] || note "$2"
}

# test_begin NAME: close the test before and open this one. It passes unless a
# check fails. Events are looked for from here on (see event_wait).
test_begin() {
	test_end
	rig_test=$*
	rig_failed=
	echo "rig: test: $rig_test" >/dev/kmsg
	note "test: $rig_test"
	events_mark
}

test_end() {
	[ -n "$rig_test" ] || return 0
	if [ -n "$rig_failed" ]; then
		not_ok "$rig_test"
	else
		ok "$rig_test"
	fi
	rig_test=
}

# skip REASON: close the open test as skipped. Never silent: the reason is shown.
skip() {
	rig_count=$((rig_count + 1))
	echo "$rig_count" >/run/rig/count
	printf 'ok %s %s # SKIP %s\n' "$rig_count" "$rig_test" "$*" >&8
	rig_test=
}

# fail WHY: the open test fails.
fail() {
	rig_failed=yes
	note "failed: $*"
	echo "rig: failed: $*" >/dev/kmsg
}

rig_abort() {
	fail "$*"
	test_end
	exit 1
}

rig_finish() {
	test_end
	rig_stop_all
	events_save
}

# --- checks ------------------------------------------------------------------

# expect CMD...: must succeed; its output is shown if it does not.
expect() {
	"$@" >/run/rig/output 2>&1 && return 0
	fail "expected to succeed: $*"
	rig_note_file /run/rig/output
	return 1
}

# expect_not CMD...: must fail.
expect_not() {
	"$@" >/run/rig/output 2>&1 || return 0
	fail "expected to fail: $*"
	rig_note_file /run/rig/output
	return 1
}

# expect_code CODE CMD...: must exit with CODE.
expect_code() {
	rig_want=$1
	shift
	rig_code=0
	"$@" >/run/rig/output 2>&1 || rig_code=$?
	[ "$rig_code" = "$rig_want" ] && return 0
	fail "expected exit code $rig_want, got $rig_code: $*"
	rig_note_file /run/rig/output
	return 1
}

# expect_same WHAT WANTED FOUND
expect_same() {
	[ "$2" = "$3" ] && return 0
	fail "$1: expected '$2', found '$3'"
	return 1
}

# wait_for 'CMD' SECONDS: until CMD succeeds; the check fails when the time is up.
wait_for() {
	rig_wait "$1" "$2" && return 0
	fail "not within $2 s: $1"
	return 1
}

# The same without a failure.
rig_wait() {
	rig_end=$(($(uptime_ms) + $2 * 1000 * rig_slow))
	while ! eval "$1" >/dev/null 2>&1; do
		[ "$(uptime_ms)" -lt "$rig_end" ] || return 1
		usleep 50000
	done
}

# Whole milliseconds since boot.
uptime_ms() {
	read -r rig_up _ </proc/uptime
	echo "${rig_up%.*}${rig_up#*.}0"
}

# --- the kernel log ----------------------------------------------------------

# log_wait PATTERN SECONDS: a line of the kernel log, since test_begin.
log_wait() {
	wait_for "log_has '$1'" "$2"
}

log_has() {
	dmesg | awk -v start="rig: test: $rig_test" '
		index($0, start) { text = ""; next } { text = text $0 "\n" }
		END { printf "%s", text }' | grep -qE -- "$1"
}

# --- programs in the background ----------------------------------------------

# start_bg NAME CMD...: output goes to /run/rig/artifacts/NAME.log. It does not get
# the rig's channels, so that it cannot hold them open.
start_bg() {
	rig_name=$1
	shift
	"$@" >"/run/rig/artifacts/$rig_name.log" 2>&1 7>&- 8>&- 9>&- </dev/null &
	echo $! >"/run/rig/bg.$rig_name"
}

bg_pid() {
	cat "/run/rig/bg.$1"
}

bg_alive() {
	[ -e "/run/rig/bg.$1" ] && kill -0 "$(bg_pid "$1")" 2>/dev/null
}

# stop_bg NAME: SIGTERM, and 10 s to obey it.
stop_bg() {
	[ -e "/run/rig/bg.$1" ] || return 0
	rig_pid=$(bg_pid "$1")
	rm "/run/rig/bg.$1"
	kill "$rig_pid" 2>/dev/null || return 0
	if ! rig_wait "! kill -0 $rig_pid" 10; then
		fail "$1 (pid $rig_pid) does not end on SIGTERM"
		kill -9 "$rig_pid"
	fi
	wait "$rig_pid" 2>/dev/null
	return 0
}

# kill_bg NAME: SIGKILL, as the kernel's OOM killer would.
kill_bg() {
	rig_pid=$(bg_pid "$1")
	rm "/run/rig/bg.$1"
	kill -9 "$rig_pid"
	wait "$rig_pid" 2>/dev/null
	return 0
}

rig_stop_all() {
	for rig_file in /run/rig/bg.*; do
		[ -e "$rig_file" ] && stop_bg "${rig_file##*/bg.}"
	done
	return 0
}

# --- test programs -----------------------------------------------------------

# run_ktap PROGRAM [ARG...]: a program that prints TAP or KTAP; its results appear
# as subtests of one result with the program's name.
run_ktap() {
	test_end
	rig_name=${1##*/}
	rig_code=0
	"$@" >/run/rig/ktap 2>/run/rig/artifacts/"$rig_name.stderr" || rig_code=$?
	sed 's/^/    /' /run/rig/ktap >&8
	if [ "$rig_code" = 0 ] && grep -q '^ok ' /run/rig/ktap &&
		! grep -q '^not ok ' /run/rig/ktap; then
		ok "$rig_name"
	else
		not_ok "$rig_name" "exit code $rig_code"
		rig_note_file /run/rig/artifacts/"$rig_name.stderr"
	fi
}

# save FILE [NAME]: keep a file for the host (build/rig/KERNEL/SCENARIO/artifacts).
save() {
	cp "$1" "/run/rig/artifacts/${2:-${1##*/}}"
}

# shellcheck source=machine.sh
. /rig/machine.sh
# shellcheck source=egpu.sh
. /rig/egpu.sh
# shellcheck source=tracing.sh
. /rig/tracing.sh
# shellcheck source=holds.sh
. /rig/holds.sh
# shellcheck source=quiesce.sh
. /rig/quiesce.sh
# shellcheck source=eject.sh
. /rig/eject.sh
# shellcheck source=session.sh
. /rig/session.sh
# shellcheck source=story.sh
. /rig/story.sh
# shellcheck source=kunit.sh
. /rig/kunit.sh
