# SPDX-License-Identifier: GPL-2.0
"""A kernel of the cache: its image, and its modules in the order they load in."""

import lzma
import os
import re
import subprocess
import tempfile
from pathlib import Path

from . import RigError

SETUP = Path(__file__).resolve().parents[3] / "setup" / "setup"


def cache_path(what):
    """Where tools/setup/setup put a part (kernel-6.1, source, cache)."""
    done = subprocess.run([str(SETUP), "where", what], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RigError(done.stderr.strip())
    return Path(done.stdout.strip())


class Kernel:
    """A kernel in the cache: Debian's 6.1 or 6.12, unpacked, or our own debug kernel."""

    def __init__(self, name):
        self.name = name
        self.debug = name == "debug"
        # Checkers slow everything down: limits and patience grow with them.
        self.time_factor = 5 if self.debug else 1
        self.root = cache_path(f"kernel-{name}")
        self.release = (self.root / "release").read_text().strip()
        self.image = self.root / "vmlinuz"
        self.module_dir = self.root / "lib/modules" / self.release
        self.depends = self._read_depends()
        builtin = (self.module_dir / "modules.builtin").read_text().split()
        self.builtin = {_module_name(line) for line in builtin}

    def _read_depends(self):
        depends = {}
        for line in (self.module_dir / "modules.dep").read_text().splitlines():
            path, _, needs = line.partition(":")
            depends[_module_name(path)] = (path, [_module_name(n) for n in needs.split()])
        return depends

    def closure(self, names):
        """The modules and all they need, each after what it needs; built-in ones left out."""
        order = []

        def visit(name):
            if name in order or name in self.builtin:
                return
            if name not in self.depends:
                raise RigError(f"kernel {self.release} has no module {name}")
            for need in self.depends[name][1]:
                visit(need)
            order.append(name)

        for name in names:
            visit(_module_name(name))
        return order

    def module_bytes(self, name):
        """The uncompressed module; decompressed once into the cache."""
        path = self.module_dir / self.depends[name][0]
        if path.suffix != ".xz":
            return path.read_bytes()
        plain = self.root / "plain" / f"{name}.ko"
        if not plain.exists():
            plain.parent.mkdir(exist_ok=True)
            handle, scratch = tempfile.mkstemp(dir=plain.parent)
            with os.fdopen(handle, "wb") as out:
                out.write(lzma.decompress(path.read_bytes()))
            os.replace(scratch, plain)
        return plain.read_bytes()

    def guest_dep(self, names):
        """modules.dep for the guest's modprobe: flat paths, all needs named."""
        lines = []
        for name in names:
            needs = [n for n in reversed(self.closure([name])) if n != name]
            lines.append(f"{name}.ko:" + "".join(f" {n}.ko" for n in needs))
        return "\n".join(lines) + "\n"


def _module_name(path):
    """bochs of kernel/drivers/gpu/drm/tiny/bochs.ko.xz; modules use _ for -."""
    return re.sub(r"\.ko(\.xz)?$", "", path.rsplit("/", 1)[-1]).replace("-", "_")
