# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every check under checks/ starts with: sourced, it leaves the check in the top folder of
# the tree with these functions. A check prints one line per finding and exits 1 when it has
# any; without findings it exits 0. What it cannot check it fails for, it never skips.

set -u

lint_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The self tests point a check at a tree of samples.
LINT_TOP=${LINT_TOP:-$(cd "$lint_dir/../.." && pwd)}
cd "$LINT_TOP" || exit 1

. "$lint_dir/../lib/kernel-source.sh"

# fail SENTENCE: what keeps the check from being made is a failure of it.
fail() {
	echo "$*"
	exit 1
}

# need COMMAND PACKAGE: the check cannot be made without this command.
need() {
	command -v "$1" >/dev/null ||
		fail "$1 is missing: install the Debian package $2 (tools/setup does)"
}

# need_kernel_source: set ksrc.
need_kernel_source() {
	ksrc=$(kernel_source 2>&1) || fail "$ksrc"
}

# need_python MODULE...: set python to one that has these modules of Debian.
need_python() {
	python=$(debian_python "$@" 2>&1) || fail "$python"
}

# tree_files [PATTERN...]: print the files of the tree whose path matches one of the shell
# patterns, or all; those that git ignores are not part of it.
tree_files() {
	{
		if [ -e .git ]; then
			git ls-files -co --exclude-standard
		else
			find . -name build -prune -o -type f -printf '%P\n'
		fi
	} | LC_ALL=C sort -u | while IFS= read -r file; do
		[ -f "$file" ] && matches "$file" "${@:-*}" && echo "$file"
	done
}

# matches WORD PATTERN...: true when WORD matches one of the patterns; * matches / as well.
matches() {
	local word=$1 pattern

	shift
	for pattern; do
		# shellcheck disable=SC2053 # a pattern is what the right side is
		[[ $word == $pattern ]] && return 0
	done
	return 1
}

# is_generated FILE: true for what tools/regen/run writes, which is not formatted by hand.
is_generated() {
	matches "$1" uapi/linux/egpu.h kmod/genl.h kmod/genl.c Documentation/netlink/egpu.rst
}

# own_c: print our C sources and headers, generated ones excluded.
own_c() {
	tree_files '*.c' '*.h' | while IFS= read -r file; do
		is_generated "$file" || echo "$file"
	done
}

# first_line FILE: its first 64 bytes up to the newline.
first_line() {
	head -c 64 "$1" | tr -d '\0' | head -n 1
}

# shell_files: print the files that a shell reads, by name or by first line.
shell_files() {
	tree_files | while IFS= read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*.*) ;;
		*) first_line "$file" | grep -qE '^#!.*\b(ba|da)?sh\b' && echo "$file" ;;
		esac
	done
}

# python_files: print the Python sources, by name or by first line.
python_files() {
	tree_files | while IFS= read -r file; do
		case $file in
		*.py) echo "$file" ;;
		*.*) ;;
		*) first_line "$file" | grep -q '^#!.*\bpython3' && echo "$file" ;;
		esac
	done
}

# no_findings: pass standard input on; true when it was empty. The last command of a check.
no_findings() {
	! grep ''
}

# strip_comments FILE: print a C file without its comments, lines in their place.
strip_comments() {
	perl -0777 -pe '
		s{("(?:\\.|[^"\\\n])*")|(\x27(?:\\.|[^\x27\\\n])*\x27)|(/\*.*?\*/|//[^\n]*)}
		 {defined $3 ? $3 =~ s/[^\n]//gr : $&}gse' "$1"
}

# grep_code PATTERN FILE...: grep -En as on many files, but not in comments; true on a match.
grep_code() {
	local pattern=$1 file found=1

	shift
	for file; do
		strip_comments "$file" | grep -EnH --label="$file" -- "$pattern" && found=0
	done
	return $found
}
