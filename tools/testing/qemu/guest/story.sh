# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Verbs of the stories: what a person at this machine would see and type.

# tell TEXT...: a paragraph of the narration.
tell() {
	printf '\n%s\n' "$*" | fold -s -w 78 | sed 's/ *$//' >&9
}

# step TITLE: a heading, with the time since power-on.
step() {
	rig_up=$(uptime_ms)
	printf '\n--- %s  (%d.%d s)\n' "$*" $((rig_up / 1000)) $((rig_up % 1000 / 100)) >&9
}

# tell_run CMD...: type a command and show what it prints. The exit code is shown when
# it is not 0, and left in tell_code.
tell_run() {
	printf '\n  # %s\n' "$*" >&9
	tell_code=0
	"$@" >/run/rig/told 2>&1 || tell_code=$?
	sed 's/^/  /' /run/rig/told >&9
	[ "$tell_code" = 0 ] || printf '  (exit code %s)\n' "$tell_code" >&9
}

# tell_start NAME CMD...: a command that goes on printing while the story does.
tell_start() {
	rig_name=$1
	shift
	printf '\n  # %s &\n' "$*" >&9
	start_bg "$rig_name" "$@"
	echo 0 >"/run/rig/told.$rig_name"
}

# tell_more NAME: show what that command has printed since the last time.
tell_more() {
	rig_log=/run/rig/artifacts/$1.log
	rig_from=$(cat "/run/rig/told.$1")
	rig_to=$(wc -l <"$rig_log")
	[ "$rig_to" -gt "$rig_from" ] || return 0
	sed -n "$((rig_from + 1)),${rig_to}p" "$rig_log" | sed 's/^/  | /' >&9
	echo "$rig_to" >"/run/rig/told.$1"
}
