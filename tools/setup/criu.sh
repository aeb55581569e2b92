# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# CRIU, which the benchmarks compare with. Debian 12's does not start on kernels much
# newer than its own, so it is Debian 13's, unpacked with its libraries into a folder of
# its own that becomes its root; nothing is installed.
#
#   $EGPU_CACHE/criu-VERSION-RECIPE/   a root with usr/sbin/criu
#   $EGPU_CACHE/criu.RECIPE            link to it

criu_link() {
	echo "$EGPU_CACHE/criu.$(recipe_hash "$SETUP_DIR/criu.sh")"
}

# unpack_root DIR DEB...: these packages keep everything below /usr; the links are those
# of a system that does.
unpack_root() {
	local dir=$1 deb name
	shift
	mkdir -p "$dir"/usr/{bin,sbin,lib,lib64} "$dir"/{dev,proc,run,tmp,old,images}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$dir/$name"
	done
	for deb; do
		# Not dpkg -x, which puts folders in the place of links.
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink ||
			die "cannot unpack $deb; is the disk full?"
	done
	rm -rf "${dir:?}/usr/share"
}

fetch_criu() {
	local link version scratch name
	lock_cache
	link=$(criu_link)
	[ -e "$link/usr/sbin/criu" ] && return 0
	apt_setup trixie
	version=$(apt_version criu)
	[ -n "$version" ] || die "the Debian mirror offers no criu for trixie"
	name=criu-$version-$(recipe_hash "$SETUP_DIR/criu.sh")
	scratch=$(scratch_dir)
	say "criu $version goes to $EGPU_CACHE/$name"
	apt_fetch_all "$scratch" criu
	unpack_root "$scratch/root" "$scratch"/archives/*.deb
	[ -x "$scratch/root/usr/sbin/criu" ] || die "the package criu has no usr/sbin/criu"
	publish "$scratch/root" "$name" "$link"
	rm -rf "$scratch"
}
