# SPDX-License-Identifier: GPL-2.0
"""Where figures were taken: they mean little without it."""

import os
import platform
import subprocess
from pathlib import Path

from riglib import machine


def _processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _qemu():
    done = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True,
                          check=True)
    return done.stdout.split("version ", 1)[1].split()[0]


def in_rig(kernel):
    """Fields for every entry: the machine outside, the emulation, the kernel inside."""
    cpus = os.cpu_count() or 1
    return {
        "machine": f"{cpus} of {_processor()}",
        "emulation": f"QEMU {_qemu()}, {machine.ACCELERATOR}, {min(2, cpus)} CPUs",
        "kernel": kernel.release,
    }


def here():
    """The same for what runs without the rig; nothing is emulated by us."""
    return {
        "machine": f"{os.cpu_count() or 1} of {_processor()}",
        "emulation": "none",
        "kernel": platform.release(),
    }
