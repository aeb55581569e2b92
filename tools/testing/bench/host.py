# SPDX-License-Identifier: GPL-2.0
"""Benchmarks that need no GPU and no machine of the rig: checkpoints, here on the host.

Ours and the peer take turns in every round, and who begins alternates.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import criubox
import resident
from entries import NoFigures, Skip, entry, limited

ROUNDS = 5
BUFFER_MIB = 64
FIO_BLOCK = "4M"        # as the store's, userspace/store/private.h
FIO_DEPTH = "8"
SPEED_LIMIT = 0.90
CRIU_LIMIT = 1.5
FLAT_LIMIT = 0.90
FEW_MIB = 256
MEMORY_FOLDER = Path("/dev/shm")


class Place:
    """A folder of our own on one kind of file system."""

    def __init__(self, name, parent):
        self.name = name
        parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="egpu-bench-", dir=parent))
        self.store = self.folder / "store"
        self.suffix = "" if name == "disk" else f"_{name}"

    def close(self):
        shutil.rmtree(self.folder)


class Context:
    """Where things are, and how large the work may be."""

    def __init__(self, build, mib):
        self.programs = build / "bench/programs/host"
        self.userspace = build / "userspace"
        self.disk, self.memory = build / "bench", MEMORY_FOLDER
        self.wanted, self.mib = mib, mib
        # Buffers, a checkpoint and a copy of it, all in memory at the worst.
        while self.mib > BUFFER_MIB and (self.mib * 3 + 1024 > _free_memory() or
                                         self.mib * 3 > _free_disk(build)):
            self.mib //= 2
        self.mib -= self.mib % BUFFER_MIB

    def places(self):
        return [("disk", self.disk), ("tmpfs", self.memory)]

    def note(self, made):
        """Every entry says of how much it is."""
        made["mib"] = self.mib
        if self.mib < self.wanted:
            made["reduced"] = f"{self.mib} MiB instead of {self.wanted}: too little memory or disk"
        return made


def _free_memory():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) >> 10
    raise NoFigures("/proc/meminfo has no MemAvailable")


def _free_disk(folder):
    return shutil.disk_usage(folder).free >> 20


class Ours:
    """bench-checkpoint, which does what it is told."""

    def __init__(self, context, store, mib=None):
        self.process = subprocess.Popen(
            [context.programs / "bench-checkpoint", store, str(mib or context.mib)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer("to make its buffers")

    def _answer(self, command):
        words = self.process.stdout.readline().split()
        if not words:
            raise NoFigures(f"bench-checkpoint fails when it is told {command}")
        return int(words[0]), words[1:]

    def ask(self, command):
        """(ns, the other words of the answer)"""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer(command)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def _in_turns(number, *calls):
    """Call all, in this order or in the other one; the results in this order."""
    results = {}
    for index in range(len(calls)) if number % 2 else reversed(range(len(calls))):
        results[index] = calls[index]()
    return [results[index] for index in range(len(calls))]


# --- against the machine's own limit -------------------------------------------

def _fio(what, path, mib):
    """ns that fio's own clock says for it, durable if it writes."""
    done = subprocess.run(
        ["fio", "--name=bench", f"--filename={path}", f"--rw={what}", f"--bs={FIO_BLOCK}",
         f"--iodepth={FIO_DEPTH}", f"--size={mib}M", "--direct=1", "--ioengine=io_uring",
         "--fixedbufs=1", "--registerfiles=1", "--end_fsync=1", "--output-format=json"],
        capture_output=True, text=True)
    if done.returncode:
        raise NoFigures(f"fio fails: {done.stderr.strip()[-200:]}")
    report = json.loads(done.stdout[done.stdout.index("{"):])
    return int(mib * 2 ** 20 / report["jobs"][0][what]["bw_bytes"] * 1e9)


def _dd(source, target, *more):
    begun = time.monotonic_ns()
    subprocess.run(["dd", f"if={source}", f"of={target}", "bs=1M", "status=none", *more],
                   check=True)
    return time.monotonic_ns() - begun


def _file_of(store, name):
    found = [path for path in store.iterdir() if name in path.name]
    if len(found) != 1:
        raise NoFigures(f"{len(found)} files of {store} are of checkpoint {name}")
    return found[0]


def _fresh(path, call):
    """Call, with a file that is removed behind it, for good."""
    try:
        return call(path)
    finally:
        path.unlink(missing_ok=True)
        os.sync()


def _speed_round(context, place, ours, number):
    """[(our ns, theirs)] of writing and of reading."""
    peer = place.folder / "peer"
    saved = []

    def save():
        saved.append(ours.ask("save"))
        return saved[0][0]

    if place.name == "disk":
        write = _in_turns(number, save, lambda: _fresh(
            peer, lambda path: _fio("write", path, context.mib)))
    else:
        # Its source is our file, so that it has to be second here.
        write = [save(), _fresh(peer, lambda path: _dd(
            _file_of(place.store, saved[0][1][0]), path))]
    name = saved[0][1][0]
    source = _file_of(place.store, name)

    def read():
        return ours.ask(f"read {name}")[0]

    if place.name == "disk":
        back = _in_turns(number, read, lambda: _fio("read", source, context.mib))
    else:
        # Over memory that is there already, as ours.
        _dd(source, peer)
        back = _fresh(peer, lambda path: _in_turns(
            number, read, lambda: _dd(source, path, "conv=notrunc")))
    ours.ask(f"remove {name}")
    return write, back


def _speed(context, place):
    ours = Ours(context, place.store)
    try:
        hashing, copying = (ours.ask(part)[0] / 1e6 for part in ("hash", "copy"))
        rounds = [_speed_round(context, place, ours, number) for number in range(ROUNDS)]
    finally:
        ours.close()
    peers = {
        "disk": (f"fio, direct, {FIO_DEPTH} times {FIO_BLOCK}, same file system",) * 2,
        "tmpfs": ("dd, the same bytes to a new file there",
                  "dd, the same bytes over a file there"),
    }[place.name]
    made = []
    for index, what in enumerate(("write", "read")):
        one = limited(f"checkpoint_{what}{place.suffix}", "ms",
                      [found[index][0] / 1e6 for found in rounds], peers[index],
                      [found[index][1] / 1e6 for found in rounds], SPEED_LIMIT)
        one["hash_ms"], one["copy_ms"] = round(hashing, 1), round(copying, 1)
        made.append(context.note(one))
    return made


def _everywhere(context, measure):
    made = []
    for name, folder in context.places():
        place = Place(name, folder)
        try:
            made += measure(context, place)
        finally:
            place.close()
    return made


def speed(context):
    return _everywhere(context, _speed)


# --- against CRIU ----------------------------------------------------------------

def _ours_once(context, place):
    """(ns to save, ns to restore), by movers, as egpud does it."""
    ours = Ours(context, place.store)
    try:
        saved, words = ours.ask("move")
        restored, _ = ours.ask(f"restore {words[0]}")
        ours.ask(f"remove {words[0]}")
    finally:
        ours.close()
    return saved, restored


def _criu_once(context, box):
    try:
        box.hold(context.mib)
        dumped = box.dump()
        box.forget_cache()
        return dumped, box.restore()
    finally:
        box.drop()


def _criu(context, place):
    box = criubox.Box(context.programs / "bench-box", criubox.find_root(),
                      place.folder / "images")
    try:
        rounds = []
        for number in range(ROUNDS):
            rounds.append(_in_turns(number, lambda: _ours_once(context, place),
                                    lambda: _criu_once(context, box)))
            os.sync()
    finally:
        box.close()
    made = []
    for index, what in enumerate(("checkpoint", "restore")):
        peer = f"CRIU, {'dump and sync' if not index else 'restore'}, {place.name}"
        made.append(context.note(limited(
            f"{what}_vs_criu{place.suffix}", "ms", [found[0][index] / 1e6 for found in rounds],
            peer, [found[1][index] / 1e6 for found in rounds], CRIU_LIMIT)))
    return made


def criu(context):
    return _everywhere(context, _criu)


# --- adding to a parent -----------------------------------------------------------

def _incremental_round(ours):
    """ns and bytes of a full one, of one on it, and of one whose program says what it wrote"""
    full, words = ours.ask("save")
    parent, full_bytes = words[0], int(words[1])
    ours.ask("dirty")
    added, words = ours.ask(f"save {parent}")
    ours.ask(f"read {words[0]}")
    ours.ask(f"remove {words[0]}")
    added_bytes = int(words[1])
    # The parent no longer is what the other buffers have, so begin anew.
    ours.ask(f"remove {parent}")
    _, words = ours.ask("save")
    parent = words[0]
    ours.ask("dirty-one")
    said, words = ours.ask(f"save-one {parent}")
    said_bytes = int(words[1])
    ours.ask(f"read {words[0]}")
    for name in (words[0], parent):
        ours.ask(f"remove {name}")
    return full, full_bytes, added, added_bytes, said, said_bytes


def _incremental(context, place):
    ours = Ours(context, place.store)
    try:
        rounds = [_incremental_round(ours) for _ in range(ROUNDS)]
    finally:
        ours.close()
    columns = list(zip(*rounds))
    one = entry(f"checkpoint_incremental{place.suffix}", "ms", [ns / 1e6 for ns in columns[2]],
                f"a full one, {place.name}", [ns / 1e6 for ns in columns[0]])
    one["bytes"], one["full_bytes"] = max(columns[3]), max(columns[1])
    one["declared_ms"] = round(sorted(columns[4])[ROUNDS // 2] / 1e6, 3)
    one["declared_bytes"] = max(columns[5])
    return [context.note(one)]


def incremental(context):
    return _everywhere(context, _incremental)


# --- the daemon's memory -----------------------------------------------------------

def rss(context):
    if os.geteuid():
        raise Skip("egpud needs root")
    place = Place("disk", context.disk)
    few, many, idle = [], [], []
    daemon = None
    try:
        for _ in range(ROUNDS):
            # A new one each time: what one round has left does not count in the next.
            daemon = resident.Daemon(context.userspace / "egpud/egpud", place.folder)
            idle.append(daemon.sample()[0])
            few.append(resident.peak_of(daemon, context.programs, FEW_MIB))
            many.append(resident.peak_of(daemon, context.programs, context.mib))
            daemon.close()
            daemon = None
    finally:
        if daemon:
            daemon.close()
        place.close()
    one = limited("egpud_rss", "KiB", [own for own, _ in many],
                  f"the same with a checkpoint of {FEW_MIB} MiB", [own for own, _ in few],
                  FLAT_LIMIT)
    one["idle"] = max(idle)
    one["resident"] = max(all_of_it for _, all_of_it in many)
    return [context.note(one)]


BENCHES = {
    "checkpoint": speed,
    "checkpoint-criu": criu,
    "checkpoint-incremental": incremental,
    "egpud-rss": rss,
}
