# SPDX-License-Identifier: GPL-2.0
"""A copy of the sources that can be broken, and what is built from it."""

import os
import shutil
import subprocess

from . import TOP, MutantError

# What the rig needs besides the module; mutants of the module take it as it is.
SHARED = ("stage", "selftests", "rig/guest", "rig/thunderbolt-ports.aml")


def _sources():
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TOP,
                          capture_output=True, text=True, check=True)
    return {n for n in done.stdout.split("\0") if n and (TOP / n).is_file()}


class Tree:
    """One copy, used for one mutant after the other: only what differs is built again."""

    def __init__(self, folder):
        self.folder = folder
        self.build = folder / "build"

    def prepare(self, patch=None):
        """The sources as they are now, and then with the patch."""
        wanted = _sources()
        self._remove_others(wanted)
        for name in wanted:
            self._copy(name)
        if patch:
            self._apply(patch)

    def _remove_others(self, wanted):
        for path, folders, files in os.walk(self.folder):
            if path == str(self.folder) and "build" in folders:
                folders.remove("build")
            for name in files:
                full = os.path.join(path, name)
                if os.path.relpath(full, self.folder) not in wanted:
                    os.unlink(full)

    def _copy(self, name):
        source, target = TOP / name, self.folder / name
        if target.exists() and target.read_bytes() == source.read_bytes():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    def _apply(self, patch):
        done = subprocess.run(["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-s",
                               "-r", "-", "-d", str(self.folder), "-i", str(patch)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise MutantError("the patch does not fit the sources any more, make it anew: "
                              + " ".join(done.stdout.split()))

    def make(self, *words):
        """Build a part; what does not build says nothing about the checks."""
        self.build.mkdir(parents=True, exist_ok=True)
        # Not a part of the make that may have started us.
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
        done = subprocess.run(["make", "--no-print-directory", f"-j{os.cpu_count() or 1}",
                               "-C", str(self.folder), *words], env=env, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        (self.build / "make.log").write_text(done.stdout)
        if done.returncode:
            raise MutantError(f"it does not build, see {self.build}/make.log")

    def share(self):
        """The rig's programs, from the build of the sources without a mistake."""
        for name in SHARED:
            link = self.build / name
            if link.is_symlink():
                continue
            if not (TOP / "build" / name).exists():
                raise MutantError(f"build/{name} is not there; run: make guest")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(TOP / "build" / name)
