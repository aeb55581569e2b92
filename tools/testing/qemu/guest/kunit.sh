# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Verbs of the KUnit runs. The suite of NAME_test.ko is egpu_NAME, and its results are
# where the kernel keeps them.

# kunit_suites: the suites that there are, one a line.
kunit_suites() {
	for rig_file in /lib/kunit/*_test.ko; do
		[ -e "$rig_file" ] || rig_abort "no suites are built for this kernel"
		rig_name=${rig_file##*/}
		echo "egpu_${rig_name%_test.ko}"
	done
}

# kunit_module SUITE: load its module, take over the results, unload it.
kunit_module() {
	if ! insmod "/lib/kunit/${1#egpu_}_test.ko"; then
		not_ok "$1" "its module does not load"
		return 0
	fi
	kunit_results "$1"
	expect rmmod "${1#egpu_}_test"
}

# kunit_results SUITE: the results of a suite that has run.
kunit_results() {
	test_end
	rig_file=/run/rig/artifacts/$1.ktap
	cat "/sys/kernel/debug/kunit/$1/results" >"$rig_file" 2>/dev/null ||
		: >"$rig_file"
	# What was expected and what was found stands there without a mark.
	sed -E -e '/^ *(ok|not ok|#|KTAP|1\.\.)/!s/^/# /' -e '/^(ok|not ok|KTAP|1\.\.)/d' \
		"$rig_file" >&8
	rig_why=$(kunit_complaint "$1" "$rig_file")
	if [ -z "$rig_why" ]; then
		ok "$1"
	else
		not_ok "$1" "$rig_why"
	fi
}

# What is wrong with the results in a file; nothing when they are whole and good.
kunit_complaint() {
	rig_planned=$(sed -n 's/^    1\.\.//p' "$2")
	rig_arrived=$(grep -cE '^    (not )?ok ' "$2")
	if [ ! -s "$2" ]; then
		echo "the suite has not run"
	elif [ "${rig_planned:-0}" = 0 ]; then
		echo "the suite has no tests"
	elif [ "$rig_planned" != "$rig_arrived" ]; then
		echo "$rig_planned tests were planned, $rig_arrived ended"
	elif grep -qE '# SKIP *$' "$2"; then
		echo "a test was skipped without a reason"
	elif ! grep -q "^ok 1 $1\$" "$2"; then
		echo "tests failed"
	fi
}
