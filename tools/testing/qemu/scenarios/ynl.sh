# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The kernel's own ynl command speaks with the module by our spec alone.
# rig: gpu igpu virtio-gpu-pci
# rig: extra python
# rig: time 90

spec=/ynl/Documentation/netlink/specs/egpu.yaml

ynl() {
	python3 /ynl/tools/net/ynl/cli.py --spec "$spec" --output-json "$@"
}

# ynl_expect FILTER ARG...: what ynl prints satisfies the jq FILTER.
ynl_expect() {
	rig_filter=$1
	shift
	ynl "$@" >/run/rig/ynl 2>/run/rig/output ||
		{ fail "ynl $* ends with an error"; rig_note_file /run/rig/output; return 1; }
	jq -e "$rig_filter" /run/rig/ynl >/dev/null && return 0
	fail "ynl $* does not print: $rig_filter"
	rig_note_file /run/rig/ynl
}

insert_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"

test_begin "ynl takes the spec, against the schema, and lists what it offers"
ynl --list-ops >/run/rig/artifacts/ynl-ops 2>&1 || fail "ynl --list-ops fails"
for operation in device-get client-get removal-get eject accept ack cancel settings-get \
	settings-set override-get override-set refuse report buffer-get quiesce-get fence drain \
	resume migrate; do
	grep -q "$operation" /run/rig/artifacts/ynl-ops || fail "it does not list $operation"
done
rig_note_file /run/rig/artifacts/ynl-ops 3

test_begin "ynl dumps the GPUs"
ynl_expect "map(select(.address == \"$gpu\")) | length == 1 and (.[0] |
	.state == \"ready\" and .external == 1 and .marker == \"removable\" and
	.driver == \"bochs-drm\" and .minor[0].type == \"primary\")" \
	--no-schema --dump device-get
jq -e 'length == 2' /run/rig/ynl || fail "there are two GPUs"

test_begin "ynl hears events"
before=$(rig_netlink_listeners)
start_bg ynl python3 /ynl/tools/net/ynl/cli.py --spec "$spec" --output-json --no-schema \
	--subscribe events --sleep 4
wait_for "[ \$(rig_netlink_listeners) -gt $before ]" 20
sysfs_remove "$gpu"
rescan
gpu_ready "$gpu"
wait "$(bg_pid ynl)"
rm /run/rig/bg.ynl
for event in removal-pending removal-progress disconnected connected changed; do
	jq -e "map(select(.name == \"$event\")) | length > 0" /run/rig/artifacts/ynl.log \
		>/run/rig/output 2>&1 || fail "ynl has heard no $event"
done
jq -e 'map(select(.name == "disconnected")) | .[0].msg | .cause == "graceful" and
	(.evidence | index("sysfs-remove"))' /run/rig/artifacts/ynl.log >/run/rig/output 2>&1 ||
	fail "the removal it has heard of is not a graceful one by sysfs"
note "ynl heard $(jq length /run/rig/artifacts/ynl.log) events"

test_begin "ynl asks for one GPU, for removals and for the settings"
ynl_expect ".address == \"$gpu\" and .state == \"ready\"" \
	--no-schema --do device-get --json "{\"address\": \"$gpu\"}"
ynl_expect 'length == 1 and .[0].cause == "graceful" and .[0].phase == "done"' \
	--no-schema --dump removal-get
ynl_expect '."hold-ms" == 2000 and ."eject-ms" == 30000 and .helpers == 0' \
	--no-schema --do settings-get --json '{}'

test_begin "ynl shows the kernel's own words for an error"
ynl --no-schema --do eject --json '{"id": 77}' >/run/rig/ynl 2>&1 &&
	fail "an eject of a GPU that is not there succeeds"
grep -q 'there is no such GPU' /run/rig/ynl || rig_note_file /run/rig/ynl
grep -q 'there is no such GPU' /run/rig/ynl || fail "ynl does not say why"
