# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Verbs of the scenarios: programs that use a GPU, and who stops them.

# --- programs that use a GPU -------------------------------------------------

# client_start NAME [OPTION...] NODE: see selftests/egpu/gpu-client.c; returns when it
# has all that it was told to have. Its log is that of helper_wait and helper_said.
client_start() {
	rig_client=$1
	shift
	start_bg "$rig_client" "$tests/gpu-client" --name "$rig_client" "$@"
	helper_wait "$rig_client" 'ready pid=' 20
}

# client_leave NAME: a client of a virtio-gpu that has gone stays until the machine ends.
# When it ends on 6.1 or 6.12, the stock driver now and then warns of memory that it has not
# freed, and panics, with egpu or without.
client_leave() {
	rm "/run/rig/bg.$1"
}

# said_before NAME PATTERN OTHER PATTERN: the last such line of the one is older than the
# first of the other. All programs stamp with the same clock.
said_before() {
	rig_first=$(rig_stamps "$1" "$2" | tail -n 1)
	rig_then=$(rig_stamps "$3" "$4" | head -n 1)
	[ -n "$rig_first" ] && [ -n "$rig_then" ] && [ "$rig_first" -lt "$rig_then" ] && return 0
	fail "'$2' of $1 (${rig_first:-never}) is not before '$4' of $3 (${rig_then:-never})"
}

rig_stamps() {
	grep -E -- "$2" "/run/rig/artifacts/$1.log" | cut -d ' ' -f 1
}

# process_state PID: the letter of its state.
process_state() {
	sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

# runs PID...: none is stopped or frozen.
runs() {
	for rig_pid; do
		rig_state=$(process_state "$rig_pid")
		case $rig_state in
		[RS]) ! rig_frozen "$rig_pid" || { echo "pid $rig_pid is frozen"; return 1; } ;;
		*) echo "pid $rig_pid is in state ${rig_state:-gone}"; return 1 ;;
		esac
	done
}

# stopped PID: by a signal, or frozen by its cgroup.
stopped() {
	[ "$(process_state "$1")" = T ] || rig_frozen "$1"
}

rig_frozen() {
	rig_cgroup=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
	grep -q '^frozen 1' "/sys/fs/cgroup$rig_cgroup/cgroup.events" 2>/dev/null
}

# --- who owns the quiescing of a GPU -----------------------------------------

# owner_start NAME [helper]: a session of selftests/egpu/request.c; with "helper" one
# that removals wait for. Ends with stop_bg or kill_bg.
owner_start() {
	rig_owner=$1
	shift
	rm -f "/run/rig/$rig_owner.fifo"
	mkfifo "/run/rig/$rig_owner.fifo"
	start_bg "$rig_owner" "$tests/request" session "/run/rig/$rig_owner.fifo" "$@"
	helper_wait "$rig_owner" 'session port=' 5
}

# order NAME COMMAND [WORD=VALUE...]: a request over that session's socket. Prints the
# reply; fails when it is an error.
order() {
	rig_owner=$1
	shift
	rig_log=/run/rig/artifacts/$rig_owner.log
	rig_reply=$(($(grep -c '^reply ' "$rig_log") + 1))
	echo "$*" >"/run/rig/$rig_owner.fifo"
	rig_wait "grep -qx 'reply $rig_reply' '$rig_log'" 10 ||
		{ echo "$rig_owner does not reply"; return 1; }
	awk -v before=$((rig_reply - 1)) '/^reply / { n++; next }
		n == before && !/^session / { print }' "$rig_log" >/run/rig/told
	cat /run/rig/told
	! grep -q '^error=' /run/rig/told
}

# order_error NUMBER NAME COMMAND...: refused with this error, and with a sentence.
order_error() {
	rig_want=$1
	shift
	rig_said=$(order "$@")
	case $rig_said in
	"error=$rig_want "?*) note "$2: $rig_said" ;;
	*) fail "$*: expected error $rig_want with a message, found: $rig_said" ;;
	esac
}

# quiesce_expect ID PATTERN: how far the clients of a GPU are stopped. quiesce_wait is
# the same within some seconds.
quiesce_expect() {
	request quiesce-get "id=$1" >/run/rig/output
	grep -qE -- "$2" /run/rig/output && return 0
	fail "GPU $1 is not: $2"
	rig_note_file /run/rig/output
}

quiesce_wait() {
	wait_for "request quiesce-get id=$1 | grep -qE -- '$2'" "$3" && return 0
	request quiesce-get "id=$1" >/run/rig/output
	rig_note_file /run/rig/output
	return 1
}

# quiesce_names ID PID: is it a culprit; "." for anybody.
quiesce_names() {
	request quiesce-get "id=$1" | grep -qE " culprit=$2:"
}

# quiesce_steps NAME ID "STATE:RESULT ...": the changes of state that a helper program has
# heard of; a drain that goes on may be told as often as it likes.
quiesce_steps() {
	rig_steps=$(awk -v id="id=$2" '$2 == "quiesce" && $3 == id {
			split($4, state, "="); split($5, result, "=")
			now = state[2] ":" result[2]
			if (now != last) printf "%s%s", last == "" ? "" : " ", now
			last = now }' "/run/rig/artifacts/$1.log")
	expect_same "steps of the quiescing of GPU $2" "$3" "$rig_steps"
}

# --- device nodes ------------------------------------------------------------

# nodes_of ADDRESS: all nodes of the functions of its slot.
nodes_of() {
	for rig_dir in "$sys/${1%.*}".?; do
		find "$rig_dir/" -name dev | while read -r rig_file; do
			[ -e "${rig_file%/dev}/uevent" ] || continue
			sed -n 's|^DEVNAME=|/dev/|p' "${rig_file%/dev}/uevent"
		done
	done | sort
}

# nodes_save ADDRESS NAME: what they are now; nodes_expect ADDRESS NAME: the same.
nodes_save() {
	# shellcheck disable=SC2046
	"$tests/node" show $(nodes_of "$1") >"/run/rig/artifacts/nodes.$2"
}

nodes_expect() {
	nodes_save "$1" now
	cmp -s "/run/rig/artifacts/nodes.$2" /run/rig/artifacts/nodes.now && return 0
	fail "the nodes of $1 are not as they were"
	diff "/run/rig/artifacts/nodes.$2" /run/rig/artifacts/nodes.now >/run/rig/output
	rig_note_file /run/rig/output
}

# can_open NODE [USER]: by root or another, as any new program would. For reading only,
# since a shell that opens for both would make a file of that name.
can_open() {
	rig_as=${2:-root}
	su "$rig_as" -s /bin/sh -c ": <'$1'" 2>/dev/null
}
