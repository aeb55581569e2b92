# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where the kernel's own tools and headers are: sourced by what runs checkpatch, kernel-doc,
# sparse or the netlink generator.

setup_where=$(cd "$(dirname "${BASH_SOURCE[0]}")/../setup" && pwd)/setup

# kernel_source: print the unpacked kernel source, the one named by KSRC= or the one that
# tools/setup fetched. Fails with a sentence on stderr when there is none.
kernel_source() {
	if [ -z "${KSRC:-}" ]; then
		"$setup_where" where source
		return
	fi
	if [ ! -f "$KSRC/scripts/checkpatch.pl" ]; then
		echo "KSRC=$KSRC is not a kernel source: it has no scripts/checkpatch.pl" >&2
		return 1
	fi
	echo "$KSRC"
}

# kernel_headers KERNEL: print the folder to build modules for that kernel in, 6.12 say. The
# environment variable KDIR_6_12 names another.
kernel_headers() {
	local named=KDIR_${1//./_} dir

	if [ -n "${!named:-}" ]; then
		echo "${!named}"
		return
	fi
	dir=$("$setup_where" where "kernel-$1") || return 1
	echo "$dir/headers"
}

# debian_python MODULE...: print a python3 that can import the modules; python3 in PATH may be one
# without those of Debian. Fails with the names of the packages.
debian_python() {
	local python IFS=,

	for python in python3 /usr/bin/python3; do
		if "$python" -c "import $*" 2>/dev/null; then
			echo "$python"
			return 0
		fi
	done
	IFS=" "
	echo "no python3 can import $*: install the Debian packages ${*/#/python3-}" >&2
	return 1
}
