# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Completion for egpuctl(1). A unit test holds it against the program's help.

_egpuctl_gpus() {
	egpuctl list 2>/dev/null | awk 'NR > 1 { print $1; print $2 }'
}

_egpuctl_cookies() {
	egpuctl timeline 2>/dev/null | awk '$1 == "Removal" { print $2 }'
}

_egpuctl_checkpoints() {
	egpuctl checkpoint list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_egpuctl() {
	local verbs="list show clients monitor eject cancel timeline override select checkpoint settings"
	local options="-j --json -h --help -V --version"
	local current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}
	local word verb="" i arguments=0

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-*) ;;
		*)
			case ${COMP_WORDS[i - 1]} in
			-t | --timeout | -b | --bytes | -x | --not) continue ;;
			-s | --store | -p | --png | -u | --buffer) continue ;;
			esac
			if [[ -z $verb ]]; then
				verb=$word
			else
				arguments=$((arguments + 1))
			fi
			;;
		esac
	done
	if [[ $verb == eject ]]; then
		options+=" -f --force -t --timeout -n --no-wait"
	elif [[ $verb == select ]]; then
		options+=" -e --explain -b --bytes -x --not"
	elif [[ $verb == checkpoint ]]; then
		options+=" -s --store -p --png -u --buffer"
	fi

	COMPREPLY=()
	case $previous in
	-t | --timeout | -b | --bytes | -u | --buffer) return ;;
	-s | --store)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	-p | --png)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	esac
	if [[ $previous == -x || $previous == --not ]]; then
		word=$(_egpuctl_gpus)
	elif [[ $current == -* ]]; then
		word=$options
	else
		case $verb:$arguments in
		:*) word=$verbs ;;
		show:0 | clients:0 | eject:0) word=$(_egpuctl_gpus) ;;
		cancel:0) word="$(_egpuctl_gpus) $(_egpuctl_cookies)" ;;
		timeline:0) word=$(_egpuctl_cookies) ;;
		override:0) word=$(_egpuctl_gpus | grep :) ;;
		override:1) word="auto external internal" ;;
		checkpoint:0) word="list show verify export import remove" ;;
		checkpoint:1) word=$(_egpuctl_checkpoints) ;;
		settings:*) word="hold-ms= accept-ms= eject-ms= drain-ms=" ;;
		*) return ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
	# Addresses have colons, at which bash breaks words.
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$current"
	fi
}

complete -F _egpuctl egpuctl
