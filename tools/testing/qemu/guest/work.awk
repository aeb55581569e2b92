# SPDX-License-Identifier: GPL-2.0
# Is the work of a program right? First file: what each step comes to; second: its log.

# "1234 step=5 checksum=abc" as step and checksum.
function read_step() {
	step = substr($2, 6) + 0
	sum = $3
}

# A field of this line.
function field(name,   i) {
	for (i = 3; i <= NF; i++)
		if (index($i, name "=") == 1)
			return substr($i, length(name) + 2)
	return ""
}

function bad(why) {
	print why
	failed = 1
	exit 1
}

FNR == NR {
	if ($2 ~ /^step=/) {
		read_step()
		wanted[step] = sum
	}
	next
}

# What it has done since the last line that could take it back is put aside.
$2 ~ /^step=/ {
	read_step()
	if (step != last + 1)
		bad("step " step " after step " last)
	if (!(step in wanted))
		bad("at step " step ", further than was computed")
	if (sum != wanted[step] && !wrong)
		wrong = step
	last = step
	steps++
}

$2 == "moved" {
	moves++
	back = field("step") + 0
	if (back > last)
		bad("moved to step " back " at step " last)
	if (field("lost") == 0 && back != last)
		bad("nothing is lost, but step " back " is not step " last)
	if (wrong && wrong <= back)
		bad("step " wrong " is wrong")
	wrong = 0
	again += last - back
	last = back
	lost = 0
}

# There was nothing to go back to.
$2 == "restarted" {
	again += last
	last = 0
	wrong = 0
	lost = 0
}

# From here on, and until it has moved, it works on what has gone.
$2 == "lost" {
	lost = 1
}

END {
	if (failed)
		exit 1
	if (wrong && !lost)
		bad("step " wrong " is wrong")
	if (!steps)
		bad("has done no step")
	print steps " steps, " moves + 0 " moves, " again + 0 " steps done again: all right"
}
