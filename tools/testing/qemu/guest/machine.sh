# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Verbs of the scenarios: what is plugged in and out, by whom and how.

sys=/sys/bus/pci/devices

# ask VERB ARG...: the rig outside does it and answers "ok [TEXT]" or "error TEXT".
# One question at a time: background jobs of a scenario share the channel.
ask() {
	until mkdir /run/rig/asking 2>/dev/null; do usleep 10000; done
	echo "$*" >&7
	read -r rig_status rig_answer <&7
	rmdir /run/rig/asking
	[ "$rig_status" = ok ] || rig_abort "the rig cannot $*: $rig_answer"
	echo "$rig_answer"
}

# --- addresses ---------------------------------------------------------------

# port_address PORT: the PCI address of a port of the machine (see /rig/ports).
port_address() {
	rig_path=$(awk -v port="$1" '$1 == port { print $2 }' /rig/ports)
	[ -n "$rig_path" ] || rig_abort "this machine has no port $1"
	for rig_dir in "$sys"/$rig_path; do
		[ -e "$rig_dir/vendor" ] && { echo "${rig_dir##*/}"; return 0; }
	done
	return 1
}

# gpu_at PORT: the address of what is plugged there; fails if nothing is.
gpu_at() {
	rig_port=$(port_address "$1") || return 1
	for rig_dir in "$sys/$rig_port"/0000:*.0; do
		[ -e "$rig_dir/vendor" ] && { echo "${rig_dir##*/}"; return 0; }
	done
	return 1
}

# internal_gpu: the address of the display controller on the root bus.
internal_gpu() {
	for rig_dir in "$sys"/0000:00:*; do
		case $(cat "$rig_dir/class") in
		0x03*) echo "${rig_dir##*/}"; return 0 ;;
		esac
	done
	return 1
}

on_bus() {
	[ -e "$sys/$1" ]
}

has_driver() {
	[ -e "$sys/$1/driver" ]
}

driver_of() {
	rig_link=$(readlink "$sys/$1/driver") && echo "${rig_link##*/}"
}

# drm_node ADDRESS [card|renderD]: its device node.
drm_node() {
	for rig_dir in "$sys/$1/drm/${2:-card}"* "$sys/$1"/virtio*/drm/"${2:-card}"*; do
		[ -e "$rig_dir" ] && { echo "/dev/dri/${rig_dir##*/}"; return 0; }
	done
	return 1
}

# --- plugging in -------------------------------------------------------------

# hotadd PORT NAME [MODEL]: plug a GPU in; returns when its driver is bound.
# secondary-vga (the bochs driver) can come and go any number of times.
hotadd() {
	rig_ask_add "$1" "$2" "${3:-secondary-vga}" addr=0
	rig_settle "$1"
}

# hotadd_multifunction PORT NAME: a display with its audio function, which is
# announced first and so is there when the display appears.
hotadd_multifunction() {
	rig_ask_add "$1" "$2-audio" ich9-intel-hda addr=0.1
	rig_ask_add "$1" "$2" secondary-vga addr=0.0,multifunction=on
	rig_settle "$1"
	rig_wait "has_driver $(gpu_at "$1" | sed 's/0$/1/')" 10 ||
		rig_abort "the audio function of $2 gets no driver"
}

rig_ask_add() {
	ask add "$2" "$3" "bus=$1,$4" >/dev/null || exit 1
}

rig_settle() {
	rig_wait "gpu_at $1" 15 || rig_abort "nothing appears on the bus behind $1"
	[ -e /run/rig/no-driver ] && return 0
	rig_wait "has_driver \$(gpu_at $1) && drm_node \$(gpu_at $1)" 15 ||
		rig_abort "no driver binds to $(gpu_at "$1") behind $1"
}

# --- taking out --------------------------------------------------------------

# pull PORT: surprise removal of all that is plugged into the port. Returns at once,
# so wait for what comes of it; 2 s later the port can take another card.
pull() {
	gpu_at "$1" >/dev/null || rig_abort "nothing is plugged into $1"
	unplug "$1"
}

# button_remove NAME: press the attention button of the slot. The kernel blinks 5 s
# before it acts, so wait for what comes of it.
button_remove() {
	rig_acpi && rig_abort "with ACPI hotplug there is no button, use acpi_eject"
	ask remove "$1" >/dev/null || exit 1
}

# acpi_eject NAME: the firmware asks the kernel to eject the card ("rig: hotplug acpi").
acpi_eject() {
	rig_acpi || rig_abort "this machine has no ACPI hotplug"
	ask remove "$1" >/dev/null || exit 1
}

rig_acpi() {
	grep -q '^hotplug acpi$' /rig/machine
}

# slot_power_off ADDRESS: by the slot's power file, of pciehp or of ACPI hotplug.
slot_power_off() {
	for rig_dir in /sys/bus/pci/slots/*; do
		[ "$(cat "$rig_dir/address")" = "${1%.*}" ] || continue
		echo 0 >"$rig_dir/power"
		return 0
	done
	rig_abort "no slot has the address $1"
}

# unplug PORT: take a card out that the kernel has removed already, after an eject say;
# 2 s later the port can take another one.
unplug() {
	rig-pull "$(port_address "$1")" 2>/run/rig/output ||
		rig_abort "$(cat /run/rig/output)"
}

# sysfs_remove ADDRESS: of a GPU or a bridge above it.
sysfs_remove() {
	echo 1 >"$sys/$1/remove" || rig_abort "cannot remove $1"
}

rescan() {
	echo 1 >/sys/bus/pci/rescan
}

# unbind ADDRESS, bind ADDRESS DRIVER: only the driver comes and goes.
unbind() {
	echo "$1" >"$sys/$1/driver/unbind" || rig_abort "cannot unbind the driver of $1"
}

bind() {
	echo "$1" >"/sys/bus/pci/drivers/$2/bind" || rig_abort "cannot bind $2 to $1"
}

# without_driver on|off: whether hotadd waits for a driver.
without_driver() {
	rm -f /run/rig/no-driver
	[ "$1" = off ] || : >/run/rig/no-driver
}

# wait_gone ADDRESS SECONDS: until it is off the bus.
wait_gone() {
	wait_for "! on_bus $1" "$2"
}

# --- clients -----------------------------------------------------------------

# hold_open NAME NODE: a process that has the device node open until stop_bg NAME.
hold_open() {
	start_bg "$1" rig-hold "$2"
	wait_for "ls -l /proc/$(bg_pid "$1")/fd | grep -q ' $2\$'" 5
}
