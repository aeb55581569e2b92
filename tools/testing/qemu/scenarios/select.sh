# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2016
# Which device work would go on with and why: an internal GPU, one on a cable, the CPU.
# rig: gpu igpu virtio-gpu-pci
# rig: time 120
# rig: egpu-only

sensors=/run/rig/sensors

# conf [LINE...]: the configuration, with simulated sensors.
conf() {
	{
		printf '%s\n' "ask = 20s" "sensors = $sensors" "$@"
	} | policy
}

# sensor GPU FILE TEXT...: what a file of its folder has in it.
sensor() {
	rig_file=$sensors/bus/pci/devices/$1/$2
	shift 2
	mkdir -p "${rig_file%/*}"
	printf '%s\n' "$@" >"$rig_file"
}

# choice_expect ADDRESS|cpu WHY [OPTION...]: this is chosen, for this reason.
choice_expect() {
	rig_who=$1
	rig_why=$2
	shift 2
	egpuctl select --json "$@" >/run/rig/select 2>&1
	jq -e --arg who "$rig_who" --arg why "$rig_why" \
		'.select | (.choice.address // "cpu") == $who and .why == $why' \
		/run/rig/select >/dev/null 2>&1 && return 0
	fail "not $rig_who because '$rig_why'"
	rig_note_file /run/rig/select
}

# gate_expect ADDRESS REASON [OPTION...]: it is out, for this reason.
gate_expect() {
	rig_who=$1
	rig_why=$2
	shift 2
	egpuctl select --json "$@" >/run/rig/select 2>&1
	expect_same "why $rig_who is out" "$rig_why" "$(jq -r --arg who "$rig_who" \
		'.select.candidates[] | select(.address == $who) | .gate' /run/rig/select)"
}

conf
load_egpu
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
gpu_ready "$gpu"
internal=$(internal_gpu)
inside="GPU $(device_id "$internal") ($internal)"
outside="GPU $(device_id "$gpu") ($gpu)"

sensor "$internal" boot_vga 1
sensor "$internal" power/runtime_status active
sensor "$internal" mem_info_vram_total 1073741824
sensor "$internal" mem_info_vram_used 536870912
sensor "$internal" mem_info_gtt_total 4294967296
sensor "$internal" mem_info_gtt_used 0
sensor "$internal" gpu_busy_percent 20
sensor "$internal" hwmon/hwmon2/temp1_input 60000
sensor "$gpu" power/runtime_status active
sensor "$gpu" mem_info_vram_total 8589934592
sensor "$gpu" mem_info_vram_used 1073741824
sensor "$gpu" gpu_busy_percent 0
sensor "$gpu" hwmon/hwmon3/temp1_input 40000
sensor "$gpu" current_link_speed "8.0 GT/s PCIe"
sensor "$gpu" current_link_width 4
sensor "$gpu" max_link_speed "16.0 GT/s PCIe"
sensor "$gpu" max_link_width 4
sensor "$gpu" aer_dev_fatal "Undefined 0" "TOTAL_ERR_FATAL 0"
sensor "$gpu" aer_dev_nonfatal "Undefined 1" "TOTAL_ERR_NONFATAL 1"
mkdir -p /run/egpu/bandwidth
chmod 0755 /run/egpu /run/egpu/bandwidth
echo 16000000000 >"/run/egpu/bandwidth/$internal-none"
echo 2600000000 >"/run/egpu/bandwidth/$gpu-8000x4"

test_begin "every number has a source"
cat >/run/rig/wanted <<END
$inside, $(driver_of "$internal"), internal, shows the desktop: 74.6 points, chosen
  memory       4.5 GiB free     13.2 of 25  mem_info_vram and mem_info_gtt, total less used
  bandwidth    16.0 GB/s        16.0 of 20  measured over this link
  load         20 % busy        12.0 of 15  gpu_busy_percent
  locality     inside           10.0 of 10  the kernel's list of GPUs
  sessions     0                10.0 of 10  the sessions of egpud
  link         -                 2.5 of  5  not known: there is no link speed or width
  temperature  60 degrees        3.3 of  5  hwmon/hwmon2/temp1_input
  errors       -                 2.5 of  5  not known: no aer_dev_fatal and aer_dev_nonfatal
  power        awake             5.0 of  5  power/runtime_status: active
$outside, $(driver_of "$gpu"), external: 63.8 points
  memory       7.0 GiB free     15.9 of 25  mem_info_vram, total less used
  bandwidth    2.6 GB/s          7.9 of 20  measured over this link
  load         0 % busy         15.0 of 15  gpu_busy_percent
  locality     on a cable        0.0 of 10  the kernel's list of GPUs
  sessions     0                10.0 of 10  the sessions of egpud
  link         50 %              2.5 of  5  8.0 GT/s x4 of 16.0 GT/s x4
  temperature  40 degrees        5.0 of  5  hwmon/hwmon3/temp1_input
  errors       1                 2.5 of  5  aer_dev_fatal and aer_dev_nonfatal of the GPU
  power        awake             5.0 of  5  power/runtime_status: active
Choice: $inside, it has 74.6 points, $outside comes next with 63.8.
DRI_PRIME=pci-$(echo "$internal" | tr :. __)
END
egpuctl select --explain | grep -v -e ^MESA -e ^Node -e "^the CPU" -e meminfo >/run/rig/found
# Those two of the CPU are as those of the others.
awk '/^Choice/ { seen = 1 } { line[NR] = $0 } END {
	for (i = 1; i <= NR; i++)
		if (!(line[i] ~ /^  sessions/ && line[i + 1] ~ /^Choice/))
			print line[i]
}' /run/rig/found >/run/rig/select.text
expect cmp /run/rig/wanted /run/rig/select.text ||
	rig_note_file /run/rig/select.text
expect_same "device to the eye of Vulkan" "MESA_VK_DEVICE_SELECT=$(
	sed 's/^0x//' "/sys/bus/pci/devices/$internal/vendor"):$(
	sed 's/^0x//' "/sys/bus/pci/devices/$internal/device")" \
	"$(egpuctl select | grep ^MESA)"

test_begin "the same, for programs"
choice_expect "$internal" "it has 74.6 points, $outside comes next with 63.8"
expect jq -e '.select.candidates | map(.cpu) == [false, false, true]' /run/rig/select
expect jq -e '.select.candidates | map(.terms | map(.weight) | add) == [100, 100, 35]' \
	/run/rig/select
expect jq -e '[.select.candidates[].terms[] | .source != "" and .points <= .weight] | all' \
	/run/rig/select
expect test -c "$(jq -r .select.choice.node /run/rig/select)"
expect_same "name for DRI_PRIME" "pci-$(echo "$internal" | tr :. __)" \
	"$(jq -r .select.choice.dri_prime /run/rig/select)"

test_begin "one that is busy comes after one that is not"
sensor "$internal" gpu_busy_percent 100
choice_expect "$gpu" "it has 63.8 points, $inside comes next with 62.6"
sensor "$internal" gpu_busy_percent 20

test_begin "one whose memory is too small is out"
choice_expect "$gpu" "it is the only GPU that can take the work" --bytes 5G
gate_expect "$internal" "it has 4.5 GiB of memory free, the work needs 5.0 GiB" --bytes 5G

test_begin "one that sleeps is not asked"
sensor "$gpu" power/runtime_status suspended
egpuctl select --json >/run/rig/select
expect_same "what is known of it" "not known: it sleeps and is not woken for this" "$(
	jq -r --arg who "$gpu" '.select.candidates[] | select(.address == $who) |
		[.terms[] | select(.what == "load" or .what == "temperature" or
			.what == "link").source] | unique | join("|")' /run/rig/select)"
sensor "$gpu" power/runtime_status active

test_begin "one that is too hot is out"
sensor "$internal" hwmon/hwmon2/temp1_input 105000
gate_expect "$internal" "it is too hot: 105 degrees Celsius"
choice_expect "$gpu" "it is the only GPU that can take the work"

test_begin "nothing is left"
conf "cpu-fallback = no"
expect_code 3 sh -c "egpuctl select --not $gpu >/run/rig/select 2>&1"
wanted="egpuctl: no device can take the work: $inside: it is too hot: 105 degrees Celsius; "
wanted="$wanted$outside: it was ruled out by the caller; "
wanted="${wanted}the CPU: the configuration rules out the CPU"
expect_same "sentence" "$wanted" "$(cat /run/rig/select)"
conf
choice_expect cpu "no GPU can take the work, so the CPU does" --not "$gpu"
sensor "$internal" hwmon/hwmon2/temp1_input 60000

test_begin "one that leaves is out, and is not looked at"
egpud_start
hold_open waiter "$(drm_node "$gpu")"
eject leaving "$gpu"
step_wait "$gpu" ask
gate_expect "$gpu" "it is leaving"
choice_expect "$internal" "it is the only GPU that can take the work"
expect egpuctl cancel "$gpu"
eject_ends leaving 9
wait_for "egpuctl select --json | jq -e '.select.candidates[1].gate == null'" 10
stop_bg waiter

test_begin "with the sensors of the machine, the same each time"
policy </dev/null
egpuctl select --json >/run/rig/select.first
expect jq -e '.select.choice.address and (.select.candidates | length == 3)' /run/rig/select.first
expect jq -e '[.select.candidates[].terms[] | .source != ""] | all' /run/rig/select.first
egpuctl select --json | jq -c '[.select.choice, .select.why]' >/run/rig/select.second
expect_same "choice" "$(jq -c '[.select.choice, .select.why]' /run/rig/select.first)" \
	"$(cat /run/rig/select.second)"
rig_note_file /run/rig/select.first
