# SPDX-License-Identifier: GPL-2.0
"""How much memory egpud and its movers take, idle and while they make a checkpoint.

egpud runs here on its own: without the module it waits for that, and serves programs.
"""

import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from entries import NoFigures

PATIENCE = 300
STEP = 0.02

CONFIG = """interval = 1s
share = 100%
store = {store}
"""


def _rollup(pid):
    """{field: KiB} of a process; empty if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def _children(pid):
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


class Daemon:
    """egpud with a folder and a store of its own."""

    def __init__(self, program, folder):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        (self.folder / "run").mkdir(mode=0o700)
        config = self.folder / "egpud.conf"
        config.write_text(CONFIG.format(store=self.folder / "store"))
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "--run-dir", self.folder / "run", "--config", config],
            stdout=self.log, stderr=self.log)
        self.socket = self.folder / "run/client"
        end = time.monotonic() + 10
        while not self.socket.exists():
            if time.monotonic() > end or self.process.poll() is not None:
                self.close()
                raise NoFigures("egpud does not start here")
            time.sleep(STEP)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)

    def movers(self):
        return _children(self.process.pid)

    def sample(self):
        """(KiB of their own, KiB resident), of the daemon and its movers together.

        The buffers of programs, as far as they are mapped, are resident but not their own.
        """
        found = [_rollup(pid) for pid in (self.process.pid, *self.movers())]
        return (sum(one.get("Pss", 0) - one.get("Pss_Shmem", 0) for one in found),
                sum(one.get("Rss", 0) for one in found))


def _watch(daemon, program):
    """The largest samples until a checkpoint was made and no mover is left."""
    stood = threading.Event()

    def listen():
        for line in program.stdout:
            if line == "rest\n":
                stood.set()

    threading.Thread(target=listen, daemon=True).start()
    end = time.monotonic() + PATIENCE
    peak = (0, 0)
    while not stood.is_set() or daemon.movers():
        if time.monotonic() > end or program.poll() is not None:
            raise NoFigures("egpud makes no checkpoint")
        peak = tuple(map(max, peak, daemon.sample()))
        time.sleep(STEP)
    return peak


def peak_of(daemon, programs, mib):
    """(own, resident) in KiB, at most, while a program of this size is checkpointed."""
    program = subprocess.Popen([programs / "bench-session", daemon.socket, str(mib)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if program.stdout.readline() != "ready\n":
            raise NoFigures("bench-session does not start")
        return _watch(daemon, program)
    finally:
        program.stdin.close()
        program.wait()
