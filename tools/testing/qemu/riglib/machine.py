# SPDX-License-Identifier: GPL-2.0
"""The virtual machine: its ports and devices, as arguments of QEMU."""

import os
import shutil

from . import RigError

# Slots of the root bus. The ACPI table marks slots 4 and 5 as Thunderbolt ports.
ROOT_PORTS = {"tb0": 4, "tb1": 5, "slot0": 6}

# One thread for both virtual CPUs: with a thread each, QEMU 7.2 now and then runs a
# stale translation of code that the kernel has just patched ("Oops: int3").
# Boots take as long either way.
ACCELERATOR = "tcg,thread=single"

COMMAND_LINE = "console=ttyS0 loglevel=5 panic_on_warn=1 oops=panic panic=-1"
# Shadow memory and records of locks and objects take their share.
DEBUG_MEMORY_MB = 1024
# The debug kernel has DRM's own suites built in: only ours run.
DEBUG_COMMAND_LINE = " kunit.filter_glob=egpu*"


def port_table(scenario):
    """/rig/ports of the guest: each port's name and its path below the bus's devices."""
    lines = [f"{name} 0000:00:{slot:02x}.0" for name, slot in ROOT_PORTS.items()]
    for dock in scenario.docks:
        root = f"0000:00:{ROOT_PORTS[dock.port]:02x}.0"
        bridge = "/0000:*:*.0"
        lines.append(f"{dock.name} {root}{bridge * 2}")
        lines.append(f"{dock.name}-slot {root}{bridge * 4}")
    return "\n".join(lines) + "\n"


def _devices(scenario):
    for number, (name, slot) in enumerate(ROOT_PORTS.items(), 1):
        # Without the reserve, windows of hot-added cards can stay unassigned.
        yield (f"pcie-root-port,id={name},bus=pcie.0,addr={slot:#x}.0,chassis={number},"
               f"slot={slot},mem-reserve=64M")
    yield "virtio-serial-pci,id=channels,bus=pcie.0,addr=0x10"
    for channel in CHANNELS:
        yield f"virtserialport,bus=channels.0,chardev={channel},name={channel}"
    for number, dock in enumerate(scenario.docks):
        # The x86 kernel takes the first switch below a Thunderbolt port for the
        # host's own controller; only what is below the second is on the cable.
        yield f"x3130-upstream,bus={dock.port},id={dock.name}.host"
        yield (f"xio3130-downstream,bus={dock.name}.host,id={dock.name},"
               f"chassis={16 + 2 * number},slot={16 + 2 * number}")
        yield f"x3130-upstream,bus={dock.name},id={dock.name}.box"
        yield (f"xio3130-downstream,bus={dock.name}.box,id={dock.name}-slot,"
               f"chassis={17 + 2 * number},slot={17 + 2 * number}")
    for number, gpu in enumerate(scenario.gpus):
        where = f"bus={gpu.port},addr=0" if gpu.port else f"bus=pcie.0,addr={8 + number:#x}"
        yield f"{gpu.model},id={gpu.name},{where}"


# Names of the virtio-serial ports, as the guest's init links them in /dev.
CHANNELS = ("control", "ktap", "story", "artifacts")


def arguments(scenario, kernel, folder, table):
    """QEMU's command line. folder: where sockets, results and the console log go."""
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        raise RigError("qemu-system-x86_64 is missing; run: make setup")
    memory_mb, command_line = scenario.memory_mb, COMMAND_LINE
    if kernel.debug:
        memory_mb += DEBUG_MEMORY_MB
        command_line += DEBUG_COMMAND_LINE
    command_line = " ".join([command_line, *scenario.arguments])
    args = [qemu, "-machine", "q35", "-accel", ACCELERATOR, "-cpu", "max",
            "-m", f"{memory_mb}M", "-smp", str(min(2, os.cpu_count() or 1)),
            "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", str(kernel.image), "-initrd", str(folder / "initramfs"),
            "-append", command_line,
            "-acpitable", f"file={table}",
            "-serial", f"file:{folder}/console.log",
            "-chardev", f"socket,id=qmp,path={folder}/qmp",
            "-mon", "chardev=qmp,mode=control",
            "-chardev", f"socket,id=control,path={folder}/control",
            "-chardev", f"socket,id=story,path={folder}/story",
            "-chardev", f"file,id=ktap,path={folder}/ktap",
            "-chardev", f"file,id=artifacts,path={folder}/artifacts.tar"]
    if not scenario.acpi_hotplug:
        args += ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"]
    for device in _devices(scenario):
        args += ["-device", device]
    return args
