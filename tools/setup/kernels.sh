# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Kernels to test on, with their headers, and the source of the newest one.
# They are unpacked side by side in the cache; nothing is installed.
#
#   $EGPU_CACHE/linux-VERSION-RECIPE/   vmlinuz, lib/modules/, usr/src/ (headers)
#   $EGPU_CACHE/source-VERSION-RECIPE/  the parts of the source that tools need
#   $EGPU_CACHE/kernel-6.1.RECIPE       link to the first, likewise 6.12, source

KERNELS='6.1 6.12'

# Which private apt configuration has which kernel.
kernel_suite() {
	case $1 in
	6.1) echo base ;;
	6.12) echo backports ;;
	*) die "no kernel '$1'; there are: $KERNELS" ;;
	esac
}

# The link under which a part of the cache is found; a changed recipe gives a new name.
cache_link() {
	echo "$EGPU_CACHE/$1.$(recipe_hash "$SETUP_DIR/kernels.sh")"
}

# publish SCRATCH NAME LINK: the finished folder in one step, then the link to it.
publish() {
	local dir=$EGPU_CACHE/$2
	if ! mv -T "$1" "$dir" 2>/dev/null; then
		# Somebody else was as quick: what is there is the same thing.
		[ -d "$dir" ] || die "cannot move the finished parts to $dir"
		rm -rf "$1"
	fi
	ln -sfn "$2" "$3.new" && mv -T "$3.new" "$3"
	say "ready: $dir"
}

# The headers name their common part by its absolute path; all else is relative.
relocate_headers() {
	local scratch=$1 final=$2 makefile
	for makefile in "$scratch"/usr/src/linux-headers-*-amd64/Makefile; do
		sed -i "s|^include /usr/src/|include $final/usr/src/|" "$makefile"
		grep -q "^include $final/" "$makefile" ||
			die "the kernel headers have a Makefile that cannot be relocated: $makefile"
	done
}

# The image package carries no dependency list: its post-install script makes that.
index_modules() {
	local release=$1 scratch=$2
	[ -d "$scratch/lib/modules/$release" ] ||
		die "the package linux-image-$release has no lib/modules/$release"
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$scratch" \
		-F "$scratch/boot/System.map-$release" "$release" 2>/dev/null ||
		PATH=$PATH:/sbin:/usr/sbin depmod -b "$scratch" "$release" ||
		die "depmod cannot index the modules of $release"
}

fetch_kernel() {
	local kernel=$1 link release version scratch debs name deb
	link=$(cache_link "kernel-$kernel")
	[ -e "$link/vmlinuz" ] && return 0
	apt_setup "$(kernel_suite "$kernel")"
	release=$(apt_depends linux-image-amd64 '^linux-image-') ||
		die "the Debian mirror offers no linux-image-amd64 for kernel $kernel"
	release=${release#linux-image-}
	case $release in
	"$kernel".*) ;;
	*) die "the Debian mirror offers kernel $release where $kernel was expected" ;;
	esac
	version=$(apt_version "linux-image-$release")
	name=linux-$version-$(recipe_hash "$SETUP_DIR/kernels.sh")
	scratch=$(scratch_dir)
	debs=$scratch/debs
	mkdir "$debs"
	say "kernel $release ($version) goes to $EGPU_CACHE/$name"
	apt_fetch "$debs" "linux-image-$release" "linux-headers-$release" \
		"$(apt_depends "linux-headers-$release" '^linux-headers-.*-common')" \
		"$(apt_depends "linux-headers-$release" '^linux-kbuild-')"
	for deb in "$debs"/*.deb; do
		dpkg -x "$deb" "$scratch" || die "cannot unpack $deb; is the disk full?"
	done
	rm -rf "$debs" "${scratch:?}/usr/share"
	relocate_headers "$scratch" "$EGPU_CACHE/$name"
	index_modules "$release" "$scratch"
	ln -s "boot/vmlinuz-$release" "$scratch/vmlinuz"
	ln -s "usr/src/linux-headers-$release" "$scratch/headers"
	echo "$release" >"$scratch/release"
	publish "$scratch" "$name" "$link"
}

# The version of the kernel source that the mirror offers; apt_setup is done.
source_version() {
	local version
	version=$(apt_version linux-source-6.12)
	[ -n "$version" ] || die "the Debian mirror offers no package linux-source-6.12"
	echo "$version"
}

# unpack_source SCRATCH DIR TAR-OPTION...: the kernel source, or the parts of it that
# the options choose, into DIR.
unpack_source() {
	local scratch=$1 dir=$2 tar
	shift 2
	apt_fetch "$scratch" linux-source-6.12
	dpkg -x "$scratch"/*.deb "$scratch/deb" || die "cannot unpack linux-source-6.12"
	tar=$(echo "$scratch"/deb/usr/src/*.tar.xz)
	mkdir -p "$dir"
	tar -xf "$tar" -C "$dir" --strip-components=1 --wildcards "$@" ||
		die "cannot unpack $tar; is the disk full?"
	rm -rf "$scratch"/*.deb "$scratch/deb"
}

# Only what is used: checkpatch, kernel-doc, the netlink generator and ynl.
fetch_source() {
	local link version scratch name
	link=$(cache_link source)
	[ -e "$link/scripts/checkpatch.pl" ] && return 0
	apt_setup backports
	version=$(source_version)
	name=source-$version-$(recipe_hash "$SETUP_DIR/kernels.sh")
	scratch=$(scratch_dir)
	say "kernel source $version goes to $EGPU_CACHE/$name"
	unpack_source "$scratch" "$scratch/tree" \
		'linux-source-*/scripts' 'linux-source-*/tools/net/ynl' \
		'linux-source-*/Documentation/netlink' 'linux-source-*/Documentation/sphinx' \
		'linux-source-*/MAINTAINERS' 'linux-source-*/LICENSES'
	publish "$scratch/tree" "$name" "$link"
	rm -rf "$scratch"
}
