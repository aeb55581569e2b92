#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs unit test programs and makes one TAP stream out of theirs.
#
#   run.sh BUILD-DIR PROGRAM...
#
# A program that crashes, or that says less than it has planned, is a failure.
set -u

build=$1
shift
# Some tests look at files of the source tree and at the programs themselves.
cd "$(dirname "$0")/.." || exit 1
export EGPU_BUILD=$build

number=0
failed=0

result() {
	number=$((number + 1))
	[ "$1" = "ok" ] || failed=$((failed + 1))
	echo "$1 $number - $2"
}

for program in "$@"; do
	name=$(basename "$program")
	output=$("$program" 2>"$program.stderr")
	status=$?
	planned=0
	seen=0
	while IFS= read -r line; do
		case $line in
		1..*)
			planned=${line#1..}
			;;
		"ok "*)
			seen=$((seen + 1))
			result ok "$name: ${line#*- }"
			;;
		"not ok "*)
			seen=$((seen + 1))
			result "not ok" "$name: ${line#*- }"
			;;
		# cmocka's line for the group, of which there is one per program.
		"# ok - tests" | "# not ok - tests" | "") ;;
		*)
			echo "# ${line#\# }"
			;;
		esac
	done <<<"$output"
	if [ "$planned" -eq 0 ] || [ "$seen" -ne "$planned" ]; then
		result "not ok" "$name: ended with $status after $seen of $planned tests"
	elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		result "not ok" "$name: ended with $status"
	fi
	if [ "$status" -ne 0 ]; then
		sed -e 's/^/# /' -e '$a\' "$program.stderr"
	fi
done

echo "1..$number"
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
