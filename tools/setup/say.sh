# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every set-up script needs: how to talk, how to stop, where the cache is.

# Outside the tree, so that `git clean` and a second checkout keep the downloads.
EGPU_CACHE=${EGPU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/egpu}

say() {
	printf 'setup: %s\n' "$*" >&2
}

die() {
	printf 'setup: error: %s\n' "$*" >&2
	exit 1
}

# A name for the recipe: it changes when a script that shapes the result does.
recipe_hash() {
	cat -- "$@" | sha256sum | cut -c1-12
}

# scratch_dir: a fresh folder inside the cache, so that the finished thing can
# be renamed into place; removed when the script ends.
scratch_dir() {
	mkdir -p "$EGPU_CACHE" ||
		die "cannot make the cache folder $EGPU_CACHE; set EGPU_CACHE to a writable one"
	mktemp -d "$EGPU_CACHE/.part-XXXXXX"
}
