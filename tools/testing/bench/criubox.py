# SPDX-License-Identifier: GPL-2.0
"""CRIU in a mount namespace of its own, and the process that it dumps (bench-box.c)."""

import os
import signal
import subprocess
import time
from pathlib import Path

from entries import NoFigures, Skip

PATIENCE = 300
SETUP = Path(__file__).resolve().parents[2] / "setup/setup"


def find_root():
    """The folder that is CRIU's root, in the cache."""
    if os.geteuid():
        raise Skip("CRIU needs root")
    done = subprocess.run([SETUP, "where", "criu"], capture_output=True, text=True)
    if done.returncode:
        raise Skip("there is no CRIU; make setup-bench fetches it")
    return Path(done.stdout.strip())


def _wait_for(path, process):
    """What a file says, as soon as it is there."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > end or (process and process.poll() is not None):
            raise NoFigures(f"the process in CRIU's box does not write {path.name}")
        time.sleep(0.01)
    return path.read_text()


class Box:
    """A namespace with a folder for images; a process with memory inside, to be dumped."""

    def __init__(self, program, root, images):
        self.images = images
        images.mkdir()
        self.process = subprocess.Popen([program, root, images], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            said = self.process.stderr.read().strip()
            raise Skip(f"a namespace for CRIU cannot be made: {said}")
        self.run = Path(f"/proc/{self.process.pid}/root/run")
        self.held, self.pid, self.sum = None, None, None

    def close(self):
        self.drop()
        self.process.stdin.close()
        self.process.wait()

    def _inside(self, *command):
        return ["nsenter", "--target", str(self.process.pid), "--mount", "--root", *command]

    def hold(self, mib):
        """Start the process; it has its memory when this returns."""
        (self.run / "ready").unlink(missing_ok=True)
        self.held = subprocess.Popen(self._inside("/run/bench-box", "hold", str(mib)),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        self.pid = self.held.pid
        self.sum = _wait_for(self.run / "ready", self.held)

    def drop(self):
        """End the process and forget its images."""
        if self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.held.wait()
            self._wait_gone()
            self.pid = None
        for image in self.images.iterdir():
            image.unlink()

    def _wait_gone(self):
        # What CRIU has restored is not this process's child.
        while Path(f"/proc/{self.pid}/exe").exists():
            time.sleep(0.01)

    def _criu(self, verb, *options):
        done = subprocess.run(
            self._inside("/usr/sbin/criu", verb, "--images-dir", "/images", "--log-file",
                         f"{verb}.log", "-v1", "--manage-cgroups=ignore", *options),
            stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            log = self.images / f"{verb}.log"
            lines = log.read_text().splitlines() if log.exists() else ["it left no log"]
            raise Skip(f"CRIU cannot {verb} on this machine: {lines[-1]}")

    def dump(self):
        """ns until it is dumped and its images are on the disk."""
        begun = time.monotonic_ns()
        self._criu("dump", "--tree", str(self.pid))
        for image in (*self.images.iterdir(), self.images):
            with _opened(image) as descriptor:
                os.fsync(descriptor)
        spent = time.monotonic_ns() - begun
        self.held.wait()
        return spent

    def restore(self):
        """ns until it runs again; what it has is looked at afterwards."""
        begun = time.monotonic_ns()
        self._criu("restore", "--restore-detached")
        spent = time.monotonic_ns() - begun
        (self.run / "again").unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        if _wait_for(self.run / "again", None) != self.sum:
            raise NoFigures("CRIU has restored another memory than it dumped")
        return spent

    def forget_cache(self):
        """The images are read from the disk next, not from the page cache."""
        for image in self.images.iterdir():
            with _opened(image) as descriptor:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


class _opened:
    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self):
        return self.descriptor

    def __exit__(self, *_):
        os.close(self.descriptor)
