#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Put one mistake after the other into a copy of the sources; a check has to see each.

  mutants.py [--short] [NAME]...     results also in build/results/mutants.tap
  mutants.py --list                  what there is

--patches and --results name another folder of mutants and another file for the results.

First each of these checks must pass on the sources as they are: one that always fails
sees nothing. With --short only the mutants that say so in their header are made, and a
check that `make check` has just run need not be run again for that.
"""

import argparse
import fcntl
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutantlib import TOP, MutantError, checks
from mutantlib.mutant import load_all
from mutantlib.tree import Tree
from riglib import RigError
from riglib.turns import PLACES

HERE = Path(__file__).resolve().parent
TREES = TOP / "build/mutants"
WORD = {True: "caught  ", False: "SURVIVED"}


class Work:
    """What is still to be done. One lane alone does what runs on the host: each has a
    tree of its own, and userspace would be built in each."""

    def __init__(self, mutants, controls):
        jobs = [(c, None) for c in controls] + [(m.check, m) for m in mutants]
        self.host = deque(j for j in jobs if j[0].kernel == "host")
        self.rig = deque(j for j in jobs if j[0].kernel != "host")
        self.lock = threading.Lock()
        self.lines = []
        self.passed = True
        self.caught = []
        self.blind = set()

    def take(self, lane):
        with self.lock:
            for queue in ([self.host] if lane == 0 else []) + [self.rig]:
                if queue:
                    return queue.popleft()
        return None

    def tell(self, good, line, tap):
        with self.lock:
            print(line, flush=True)
            self.passed &= good
            word = "ok" if good else "not ok"
            self.lines.append(f"{word} {len(self.lines) + 1} {tap.replace('#', 'no.')}")


def control(work, check, verdict):
    """A check on the sources as they are."""
    why = "" if verdict.passed else ": it fails without a mutant, so it shows nothing"
    word = "control " if verdict.passed else "BAD     "
    work.tell(verdict.passed, f"{word} {check}{why}", f"mutants: control: {check}{why}")
    if not verdict.passed:
        work.blind.add(check)
    for line in [] if verdict.passed else verdict.said[:5]:
        print(f"         {line}")


def judge(work, mutant, verdict, seconds):
    """Failed, and for the reason that the mutant gives."""
    seen = None if verdict.passed else verdict.find(mutant.says)
    line = f"{WORD[bool(seen)]} {mutant.name} by {mutant.check}, {seconds:.0f} s"
    if seen:
        line += f": {' '.join(seen.split())[:160]}"
    elif verdict.passed:
        line = f"{WORD[False]} {mutant.name}: {mutant.check} passes"
    else:
        line = f"{WORD[False]} {mutant.name}: {mutant.check} fails, but does not say: {mutant.says}"
        line += "".join(f"\n         {s}" for s in verdict.said[:12])
    work.tell(bool(seen), line, f"mutants: {mutant.name} by {mutant.check}")
    if seen:
        work.caught.append(mutant)


def lane(work, number):
    """Do what there is to do, in one tree."""
    tree = Tree(TREES / f"tree-{number}")
    while job := work.take(number):
        check, mutant = job
        started = time.monotonic()
        try:
            tree.prepare(mutant.path if mutant else None)
            verdict = checks.run(check, tree)
        except (MutantError, RigError) as error:
            name = mutant.name if mutant else f"control: {check}"
            work.tell(False, f"BROKEN   {name}: {error}", f"mutants: {name}: {error}")
            work.blind |= set() if mutant else {check}
            continue
        if mutant:
            judge(work, mutant, verdict, time.monotonic() - started)
        else:
            control(work, check, verdict)


def run(args):
    mutants = [m for m in load_all(args.patches, args.name) if m.short or not args.short]
    wanted = list(dict.fromkeys(m.check for m in mutants))
    if args.short:
        wanted = [c for c in wanted if not checks.last_result(c)]
    work = Work(mutants, wanted)
    TREES.mkdir(parents=True, exist_ok=True)
    # The trees are used by one run at a time.
    with open(TREES / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor(PLACES) as pool:
            list(pool.map(lambda number: lane(work, number), range(PLACES)))
    caught = [m for m in work.caught if m.check not in work.blind]
    print(f"{len(caught)} of {len(mutants)} mutants caught")
    args.results.parent.mkdir(parents=True, exist_ok=True)
    args.results.write_text("TAP version 13\n" + "".join(f"{line}\n" for line in work.lines) +
                            f"1..{len(work.lines)}\n")
    return 0 if work.passed else 1


def show_list(args):
    for mutant in load_all(args.patches, args.name):
        print(f"{mutant.name:22} {mutant.check}\n{'':22} {mutant.mistake}")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Mistakes made on purpose, each to be caught.")
    parser.add_argument("name", nargs="*", help="a mutant; all if none is named")
    parser.add_argument("--short", action="store_true", help="only those of `make check`")
    parser.add_argument("--patches", type=Path, default=HERE / "patches")
    parser.add_argument("--results", type=Path, default=TOP / "build/results/mutants.tap")
    parser.add_argument("--list", action="store_true", help="what there is")
    args = parser.parse_args()
    try:
        return show_list(args) if args.list else run(args)
    except (MutantError, RigError) as error:
        print(f"mutants: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
