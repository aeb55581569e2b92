# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where the kernel's own tools are: sourced by what runs checkpatch, kernel-doc or the netlink
# generator.

# egpu_cache: print the folder outside the tree that holds what tools/setup fetched.
egpu_cache()
{
	echo "${EGPU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/egpu}"
}

# kernel_source: print the unpacked linux-source-6.12, the one named by KSRC= or the one that
# tools/setup unpacked. Fails with a sentence on stderr when there is none.
kernel_source()
{
	local dir

	if [ -n "${KSRC:-}" ]; then
		if [ -f "$KSRC/scripts/checkpatch.pl" ]; then
			echo "$KSRC"
			return 0
		fi
		echo "KSRC=$KSRC is not a kernel source: it has no scripts/checkpatch.pl" >&2
		return 1
	fi
	for dir in "$(egpu_cache)"/src/linux-source-6.12 "$(egpu_cache)"/linux-source-6.12; do
		if [ -f "$dir/scripts/checkpatch.pl" ]; then
			echo "$dir"
			return 0
		fi
	done
	echo "no kernel source in $(egpu_cache): run tools/setup, or name one with KSRC=" >&2
	return 1
}

# python_with_yaml: print a python3 that can import yaml; python3 in PATH may be one without
# Debian's modules. Fails with the name of the missing package.
python_with_yaml()
{
	local python

	for python in python3 /usr/bin/python3; do
		if "$python" -c 'import yaml' 2>/dev/null; then
			echo "$python"
			return 0
		fi
	done
	echo "no python3 with the yaml module: install the Debian package python3-yaml" >&2
	return 1
}
