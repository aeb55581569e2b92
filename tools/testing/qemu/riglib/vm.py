# SPDX-License-Identifier: GPL-2.0
"""One run: start QEMU, serve the guest, end it in time, judge what it left."""

import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import RigError, initramfs, ktap, machine
from .qmp import Control, Qmp

BAD_LOG = initramfs.GUEST / "bad-log.txt"
COMPLETE = "# rig: complete"


@dataclass
class Outcome:
    """What a run showed. problems: why it failed apart from its tests' results."""
    scenario: str
    kernel: str
    seconds: float = 0.0
    results: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    folder: Path | None = None

    @property
    def passed(self):
        return not self.problems and all(r.status != "failed" for r in self.results)


def run(scenario, kernel, build_dir, story=None):
    """Run a scenario on a kernel. story: where the guest's story goes as it is told."""
    kind = "baseline" if scenario.baseline else kernel.name
    folder = build_dir / "rig" / kind / scenario.name
    outcome = Outcome(scenario.name, kernel.name, folder=folder)
    started = time.monotonic()
    # Paths of UNIX sockets are short: the work happens in a folder of /tmp.
    with tempfile.TemporaryDirectory(prefix="egpu-rig-") as scratch:
        work = Path(scratch)
        (work / "initramfs").write_bytes(initramfs.build(scenario, kernel, build_dir))
        table = build_dir / "rig/thunderbolt-ports.aml"
        (work / "ktap").touch()
        (work / "console.log").touch()
        problem = _boot(machine.arguments(scenario, kernel, work, table), work,
                        scenario.time_s * kernel.time_factor, story)
        if problem:
            outcome.problems.append(problem)
        _judge(outcome, work)
        _keep(work, folder)
    outcome.seconds = time.monotonic() - started
    return outcome


class _Guest:
    """QEMU and the sockets that it connects to."""

    def __init__(self, args, work):
        self.listeners = {n: _listen(work / n) for n in ("qmp", "control", "story")}
        self.errors = open(work / "qemu.stderr", "w+", encoding="utf-8")
        # A rig that is killed takes its machine along.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *args],
                                        stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.errors)

    def accept(self, name):
        self.listeners[name].settimeout(20)
        try:
            return self.listeners[name].accept()[0]
        except socket.timeout:
            raise RigError(f"QEMU does not start: {self.complaint()}") from None

    def complaint(self):
        self.errors.flush()
        self.errors.seek(0)
        return self.errors.read().strip() or "it says nothing"

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for listener in self.listeners.values():
            listener.close()
        self.errors.close()


def _listen(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(1)
    return sock


def _boot(args, work, limit_s, story):
    """Run the machine to its end; a sentence if it did not end by itself and well."""
    guest = _Guest(args, work)
    try:
        sockets = {name: guest.accept(name) for name in ("control", "story", "qmp")}
        control = Control(sockets["control"], Qmp(sockets["qmp"]))
        _serve(guest, sockets, control, limit_s, story)
        if control.done:
            return None
        code = guest.process.poll()
        if code is None:
            return f"still running after {limit_s} s, stopped"
        if code:
            return f"QEMU ended with code {code}: {guest.complaint()}"
        return "the machine stopped by itself (a kernel panic does that)"
    finally:
        guest.close()


def _serve(guest, sockets, control, limit_s, story):
    """Answer the guest until it is done, QEMU ends, or the time is up."""
    end = time.monotonic() + limit_s
    with selectors.DefaultSelector() as selector:
        selector.register(sockets["control"], selectors.EVENT_READ, control.serve)
        selector.register(sockets["story"], selectors.EVENT_READ,
                          lambda: _tell(sockets["story"], story))
        while guest.process.poll() is None and not control.done:
            if time.monotonic() > end:
                return
            for key, _ in selector.select(0.1):
                if not key.data():
                    selector.unregister(key.fileobj)


def _tell(sock, story):
    data = sock.recv(65536)
    if data and story:
        story.write(data.decode(errors="replace"))
        story.flush()
    return bool(data)


def _judge(outcome, work):
    """Read the results; whatever is missing or was complained of is a problem."""
    text = (work / "ktap").read_text(errors="replace")
    report = ktap.parse(text)
    outcome.results = report.results
    outcome.problems += report.problems
    if COMPLETE not in text and not report.problems:
        outcome.problems.append("no verdict from the guest")
    if outcome.problems and report.last_note:
        outcome.problems.append(f"the last word was: {report.last_note}")
    bad = re.compile("|".join(BAD_LOG.read_text().split("\n")).strip("|"))
    console = (work / "console.log").read_text(errors="replace").splitlines()
    complaints = [line.strip() for line in console if bad.search(line)]
    if complaints:
        outcome.problems.append("the console shows: " + complaints[0])


def _keep(work, folder):
    """Move what the run left to where people look for it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["rm", "-rf", str(folder / "artifacts")], check=True)
    for name in ("console.log", "ktap", "qemu.stderr"):
        if (work / name).exists():
            (folder / name).write_bytes((work / name).read_bytes())
    archive = work / "artifacts.tar"
    if not archive.exists() or not archive.stat().st_size:
        return
    (folder / "artifacts").mkdir()
    done = subprocess.run(["tar", "-C", str(folder / "artifacts"), "--no-same-owner", "-xf",
                           str(archive)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"rig: cannot unpack the guest's files: {done.stderr.strip()}", file=sys.stderr)
