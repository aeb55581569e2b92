# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The debug kernel: Debian's 6.12 source, configured to catch what a kernel module does
# wrong. Nobody ships one, so it is built here, once for each source and configuration.
#
#   $EGPU_CACHE/debug-VERSION-RECIPE/   vmlinuz, release, lib/modules/, and tree/: source
#                                       and objects, for modules and for KUnit built in
#   $EGPU_CACHE/kernel-debug.RECIPE     link to it

DEBUG_PARTS=$SETUP_DIR/../testing/qemu/debug

debug_recipe() {
	recipe_hash "$SETUP_DIR/debug.sh" "$SETUP_DIR/kernels.sh" \
		"$DEBUG_PARTS/kernel.config" "$DEBUG_PARTS"/*.patch
}

debug_link() {
	echo "$EGPU_CACHE/kernel-debug.$(debug_recipe)"
}

# Left out: what is large and only other machines need (Kconfig files are read everywhere).
DEBUG_EXCLUDE=(--exclude='linux-source-*/arch/*/boot/dts' --exclude='linux-source-*/tools/perf'
	--exclude='linux-source-*/drivers/gpu/drm/amd/include')

build_debug_kernel() {
	local link version name dir scratch started=$SECONDS
	lock_cache
	link=$(debug_link)
	[ -e "$link/vmlinuz" ] && return 0
	apt_setup backports
	version=$(source_version)
	name=debug-$version-$(debug_recipe)
	dir=$EGPU_CACHE/$name
	say "the debug kernel ($version) goes to $dir; its build takes about ten minutes" \
		"on two cores, log: $dir/log"
	# A build remembers absolute paths, so it happens where it stays; the link says
	# that it is whole.
	rm -rf "$dir"
	mkdir "$dir"
	scratch=$(scratch_dir)
	unpack_source "$scratch" "$dir/tree" "${DEBUG_EXCLUDE[@]}" 'linux-source-*'
	rm -rf "$scratch"
	debug_patch "$dir/tree"
	debug_configure "$dir/tree" "$dir/log"
	debug_make "$dir" bzImage modules
	debug_publish "$dir"
	ln -sfn "$name" "$link.new" && mv -T "$link.new" "$link"
	say "ready: $dir, after $((SECONDS - started)) s"
}

# debug_make DIR TARGET...
debug_make() {
	local dir=$1
	shift
	# The caller may be make: its job server and flags are not for the kernel's.
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
		make -C "$dir/tree" -j"$(nproc)" LOCALVERSION= "$@" >>"$dir/log" 2>&1 || {
		grep -m 5 -iE 'error|not found' "$dir/log" >&2
		die "the debug kernel does not build; its log is $dir/log"
	}
}

debug_patch() {
	local patch
	for patch in "$DEBUG_PARTS"/*.patch; do
		patch -d "$1" -p1 --fuzz=0 -s <"$patch" ||
			die "$(basename "$patch") does not fit this kernel source"
	done
}

# debug_configure TREE LOG: every option has to come out as asked for.
debug_configure() {
	local tree=$1 log=$2 lost
	# Debian's file of that name would become part of the version.
	rm -f "$tree"/localversion*
	{
		make -C "$tree" KCONFIG_ALLCONFIG="$DEBUG_PARTS/kernel.config" allnoconfig
	} >"$log" 2>&1 || die "the debug kernel cannot be configured; see $log"
	lost=$(grep '^CONFIG_' "$DEBUG_PARTS/kernel.config" |
		grep -vxF -f "$tree/.config" | tr '\n' ' ')
	[ -z "$lost" ] || die "these options did not come out as kernel.config asks: $lost"
}

debug_publish() {
	local dir=$1 tree=$1/tree release
	release=$(cat "$tree/include/config/kernel.release")
	# Debug information is none, so this is small.
	make -C "$tree" INSTALL_MOD_PATH="$dir" modules_install >>"$dir/log" 2>&1 ||
		die "the modules of the debug kernel cannot be installed; see $dir/log"
	rm -f "$dir/lib/modules/$release/build" "$dir/lib/modules/$release/source"
	ln -s tree/arch/x86/boot/bzImage "$dir/vmlinuz"
	ln -s tree "$dir/headers"
	echo "$release" >"$dir/release"
}
