# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Install the Debian packages that this machine lacks. The build, the tests and the
# checks each say which they need, in lists of the same form; so do the benchmarks,
# whose list counts for them only.
PACKAGE_LISTS=("$SETUP_DIR/packages.txt" "$SETUP_DIR/../lint/packages")

wanted_packages() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "${PACKAGE_LISTS[@]}" |
		awk '{ print $1 }' | sort -u
}

missing_packages() {
	local package
	for package in $(wanted_packages); do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done
}

# as_root CMD...: directly, else through sudo, else an error that says what to do.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "these packages are missing and this is neither root nor is there sudo:" \
			"$missing (run as root: apt-get install $missing)"
	fi
}

# The first thing that no source of this machine offers, if any.
first_unknown_package() {
	local package
	for package in "$@"; do
		LC_ALL=C apt-cache policy "$package" 2>/dev/null |
			grep -q 'Candidate: [^(]' || { echo "$package"; return; }
	done
}

update_lists() {
	local log
	log=$(mktemp)
	if ! as_root apt-get -q update -o APT::Update::Error-Mode=any >"$log" 2>&1; then
		tail -n 3 "$log" >&2
		rm -f "$log"
		die "the Debian mirror cannot be reached; is there a network?" \
			"(needed for the missing packages: $missing)"
	fi
	rm -f "$log"
}

install_packages() {
	local missing unknown
	missing=$(missing_packages | tr '\n' ' ')
	missing=${missing% }
	[ -n "$missing" ] || return 0
	say "installing Debian packages: $missing"
	# shellcheck disable=SC2086 # a list of names
	[ -z "$(first_unknown_package $missing)" ] || update_lists
	# shellcheck disable=SC2086
	unknown=$(first_unknown_package $missing)
	[ -z "$unknown" ] || die "no source of this machine offers the package $unknown"
	# shellcheck disable=SC2086
	apt_install $missing && return
	# Lists older than the mirror name files that it no longer has.
	update_lists
	# shellcheck disable=SC2086
	apt_install $missing || die "apt-get could not install: $missing (see its messages above)"
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "$@" >&2
}
