# SPDX-License-Identifier: GPL-2.0
"""Random sequences: how long they may take, and what a person sees of them."""

from collections import deque
from pathlib import Path

from . import scenario, vm
from .turns import a_turn

SCENARIO = Path(__file__).resolve().parents[2] / "stress" / "stress.sh"

# Seconds on a Debian kernel: to boot and to look for leaks, and for each cycle.
START_S, CYCLE_S = 120, 4

LAST = 30


class Steps:
    """Keeps all that the guest tells, so that it is there after a panic, and shows the rest."""

    def __init__(self, path, out):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "w", encoding="utf-8")
        self._out = out
        self._rest = ""
        self.last = deque(maxlen=LAST)

    def write(self, text):
        self._file.write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.startswith("step "):
                self.last.append(line)
            else:
                print(line, file=self._out)

    def flush(self):
        self._file.flush()
        self._out.flush()

    def close(self):
        self._file.close()


def run(kernel, args, seed, out):
    """Run args.cycles of a seed on a kernel, with args.module if it is given."""
    build = args.build
    item = scenario.load(SCENARIO)
    item.programs = build / "stress"
    item.module = args.module
    item.settings = {"cycles": args.cycles, "seed": seed}
    item.time_s = START_S + CYCLE_S * args.cycles
    steps = Steps(build / "rig" / kernel.name / "stress" / "steps.log", out)
    try:
        with a_turn():
            outcome = vm.run(item, kernel, build, steps)
    finally:
        steps.close()
    if not outcome.passed:
        print("the last steps:", *steps.last, sep="\n  ", file=out)
        print(f"again: make stress CYCLES={args.cycles} SEED={seed} KERNEL={kernel.name}",
              file=out)
    return outcome
