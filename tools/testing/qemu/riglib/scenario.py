# SPDX-License-Identifier: GPL-2.0
"""Scenario files: a shell body under a comment header that declares the machine."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import RigError

KERNELS = ("6.1", "6.12", "debug")
PORTS = ("tb0", "tb1", "slot0")
EXTRAS = ("python",)


@dataclass
class Gpu:
    """A GPU that is there from power-on; port None is the root bus."""
    name: str
    model: str
    port: str | None


@dataclass
class Dock:
    """An enclosure with switches of its own, plugged into a port."""
    name: str
    port: str


@dataclass
class Scenario:
    """What a scenario file declares, and where it is."""
    name: str
    path: Path
    summary: str = ""
    kernels: tuple = KERNELS
    acpi_hotplug: bool = False
    gpus: list = field(default_factory=list)
    docks: list = field(default_factory=list)
    modules: list = field(default_factory=lambda: ["bochs", "virtio-gpu"])
    extras: list = field(default_factory=list)
    memory_mb: int = 1024
    time_s: int = 60
    # Makes no sense without egpu: nothing is plugged or pulled that no other one does.
    egpu_only: bool = False
    # Run it without our module: see guest/baseline.sh.
    baseline: bool = False
    # Folder of more programs that it needs in the guest's /usr/bin.
    programs: Path | None = None
    # More words on the kernel's command line.
    arguments: list = field(default_factory=list)
    # Boots the kernel that has egpu built in.
    built_in: bool = False
    # Another egpu.ko than the one that was built.
    module: Path | None = None
    # Words for its /rig/settings.
    settings: dict = field(default_factory=dict)

    def ports(self):
        """Names of all ports that something can be plugged into."""
        return PORTS + tuple(n for d in self.docks for n in (d.name, d.name + "-slot"))


def _kernels(scenario, words):
    unknown = set(words) - set(KERNELS)
    if unknown or not words:
        raise ValueError(f"kernels are {' '.join(KERNELS)}")
    scenario.kernels = tuple(words)


def _hotplug(scenario, words):
    if words not in (["native"], ["acpi"]):
        raise ValueError("hotplug is native or acpi")
    scenario.acpi_hotplug = words == ["acpi"]


def _gpu(scenario, words):
    if len(words) == 2:
        port = None
    elif len(words) == 4 and words[2] == "on" and words[3] in scenario.ports():
        port = words[3]
    else:
        raise ValueError("write: gpu NAME MODEL [on PORT]")
    scenario.gpus.append(Gpu(words[0], words[1], port))


def _dock(scenario, words):
    if len(words) != 3 or words[1] != "on" or words[2] not in PORTS:
        raise ValueError("write: dock NAME on PORT")
    scenario.docks.append(Dock(words[0], words[2]))


def _modules(scenario, words):
    scenario.modules = [] if words == ["none"] else words


def _extra(scenario, words):
    if not words or set(words) - set(EXTRAS):
        raise ValueError(f"extras are {' '.join(EXTRAS)}")
    scenario.extras += words


def _arguments(scenario, words):
    scenario.arguments += words


def _flag(name):
    def handler(scenario, words):
        if words:
            raise ValueError("nothing may follow")
        setattr(scenario, name, True)
    return handler


def _number(name, low, high):
    def handler(scenario, words):
        if len(words) != 1 or not words[0].isdigit() or not low <= int(words[0]) <= high:
            raise ValueError(f"a number from {low} to {high}")
        setattr(scenario, name, int(words[0]))
    return handler


HANDLERS = {
    "kernels": _kernels,
    "hotplug": _hotplug,
    "gpu": _gpu,
    "dock": _dock,
    "modules": _modules,
    "extra": _extra,
    "arguments": _arguments,
    "built-in": _flag("built_in"),
    "egpu-only": _flag("egpu_only"),
    "memory": _number("memory_mb", 512, 8192),
    "time": _number("time_s", 10, 600),
}


def load(path):
    """Read the header of a scenario file; a mistake in it is a RigError."""
    scenario = Scenario(path.stem, path)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("#"):
            break
        match = re.match(r"#\s*rig:\s*(\S+)\s*(.*)", line)
        if not match:
            text = line.lstrip("# ").rstrip()
            if text and not text.startswith(("SPDX", "shellcheck")) and not scenario.summary:
                scenario.summary = text
            continue
        handler = HANDLERS.get(match[1])
        if not handler:
            raise RigError(f"{path}:{number}: unknown word '{match[1]}'; "
                           f"there are: {', '.join(sorted(HANDLERS))}")
        try:
            handler(scenario, match[2].split())
        except ValueError as error:
            raise RigError(f"{path}:{number}: {match[1]}: {error}") from None
    return scenario


def load_all(folder, names):
    """The named scenarios (or paths of some), or all of the folder sorted by name."""
    paths = [Path(n) if "/" in n else folder / f"{n}.sh" for n in names]
    paths = paths or sorted(folder.glob("*.sh"))
    for path in paths:
        if not path.exists():
            known = ", ".join(sorted(p.stem for p in folder.glob("*.sh")))
            raise RigError(f"there is no scenario '{path.stem}'; there are: {known}")
    return [load(p) for p in paths]
