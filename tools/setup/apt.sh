# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Private apt configurations: packages are downloaded, never installed, and the
# machine's own sources stay as they are. The mirror and its keyring are taken
# from the machine's sources with the suite name changed.

# machine_sources: "uri keyring" of each entry for this release's main archive,
# from one-line and deb822 files alike; keyring is - where none is named.
machine_sources() {
	local dir=${EGPU_APT_ETC:-/etc/apt}
	cat "$dir/sources.list" "$dir"/sources.list.d/*.list 2>/dev/null |
		awk -v suite="$1" '
		$1 == "deb" {
			key = "-"
			if (match($0, /signed-by=[^] ]+/))
				key = substr($0, RSTART + 10, RLENGTH - 10)
			sub(/\[[^]]*\]/, "")
			if ($3 == suite && / main( |$)/)
				print $2, key
		}'
	for file in "$dir"/sources.list.d/*.sources; do
		[ -e "$file" ] || continue
		# A blank line ends a stanza; the extra one ends the last.
		{ cat "$file"; echo; } | awk -v suite="$1" '
		/^#/ { next }
		/^[[:space:]]*$/ {
			if (types ~ /(^| )deb( |$)/ && (" " suites " ") ~ (" " suite " ") &&
			    enabled != "no")
				print uri, key
			types = suites = uri = enabled = ""; key = "-"; next
		}
		BEGIN { key = "-" }
		tolower($1) == "types:" { $1 = ""; types = $0 }
		tolower($1) == "suites:" { $1 = ""; suites = $0 }
		tolower($1) == "uris:" { uri = $2 }
		tolower($1) == "enabled:" { enabled = tolower($2) }
		tolower($1) == "signed-by:" && NF == 2 { key = $2 }'
	done
}

# apt_entry SUITE AS: a deb822 entry for suite AS from the mirror of SUITE.
apt_entry() {
	local uri key
	read -r uri key < <(machine_sources "$1") || return 1
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$2"
	if [ "$key" = - ]; then
		key=/usr/share/keyrings/debian-archive-keyring.gpg
	fi
	printf 'Signed-By: %s\n\n' "$key"
}

# apt_setup NAME: make the private configuration NAME (base, backports or trixie), fetch
# its lists and leave its path in APT_CONFIG, which apt reads. Nothing of trixie is on
# this machine, so there no package counts as installed.
apt_setup() {
	local release dir status=/var/lib/dpkg/status
	# shellcheck source=/dev/null
	release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ "$release" = bookworm ] ||
		die "the rig's parts are those of Debian 12 (bookworm); this machine is '$release'"
	dir=$EGPU_CACHE/apt/$1
	mkdir -p "$dir/etc" "$dir/lists/partial" "$dir/cache/archives/partial"
	case $1 in
	base)
		apt_entry "$release" "$release" && { apt_entry "$release-security" \
			"$release-security" || true; } ;;
	trixie)
		status=$dir/status
		: >"$status"
		apt_entry "$release" trixie ;;
	*) apt_entry "$release" "$release-$1" ;;
	esac >"$dir/etc/egpu.sources" ||
		die "no entry for suite $release with component main in /etc/apt/sources.list*"
	cat >"$dir/apt.conf" <<-EOF
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/etc/none";
		Dir::Etc::sourceparts "$dir/etc";
		APT::Sandbox::User "root";
	EOF
	export APT_CONFIG=$dir/apt.conf
	say "fetching package lists ($1) into $dir"
	apt-get -q update -o APT::Update::Error-Mode=any >"$dir/log" 2>&1 || {
		tail -n 3 "$dir/log" >&2
		die "cannot fetch the package lists of $release ($1) from this machine's Debian" \
			"mirror; is there a network?"
	}
}

# Version that apt would take of a package.
apt_version() {
	LC_ALL=C apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p'
}

# apt_depends PACKAGE PATTERN: the one dependency of PACKAGE that PATTERN matches.
apt_depends() {
	LC_ALL=C apt-cache depends "$1" 2>/dev/null |
		sed -n 's/^ *Depends: //p' | grep -E -m 1 -- "$2"
}

# apt_fetch_all DIR PACKAGE: download it and all that it needs into DIR/archives.
apt_fetch_all() {
	say "fetching $2 $(apt_version "$2") and what it needs"
	mkdir -p "$1/archives/partial"
	apt-get -q -y --no-install-recommends --download-only -o Debug::NoLocking=1 \
		-o "Dir::Cache::archives=$1/archives" install "$2" >"$1/log" 2>&1 || {
		tail -n 3 "$1/log" >&2
		die "cannot download the package $2 from this machine's Debian mirror; is" \
			"there a network?"
	}
}

# apt_fetch DIR PACKAGE...: download into DIR; apt checks the signatures.
apt_fetch() {
	local dir=$1 package
	shift
	for package; do
		say "fetching $package $(apt_version "$package")"
		(cd "$dir" && apt-get -q download "$package" >log 2>&1) || {
			tail -n 3 "$dir/log" >&2
			die "cannot download the package $package from this machine's Debian" \
				"mirror; is there a network?"
		}
	done
}
