# SPDX-License-Identifier: GPL-2.0
"""Run a check on a tree. Each returns whether it passed and all that it said."""

import re
import subprocess
from dataclasses import dataclass, field

from riglib import ktap, scenario, vm
from riglib.kernel import Kernel
from riglib.turns import a_turn

from . import TOP

# The suites are scenarios, too, in a folder of their own.
FOLDERS = {"scenario": TOP / "tools/testing/qemu/scenarios",
           "kunit": TOP / "tools/testing/qemu/kunit"}
RESULTS = TOP / "build/results"


@dataclass
class Verdict:
    """said: what people look at first comes first."""
    passed: bool
    said: list = field(default_factory=list)

    def find(self, pattern):
        """The first that it said in these words."""
        return next((s for s in self.said if re.search(pattern, s)), None)


def run(check, tree):
    """Build what the check needs and run it."""
    return {"scenario": _scenario, "kunit": _scenario, "unit": _unit, "sanitized": _unit,
            "purity": _purity, "lint": _lint}[check.kind](check, tree)


def _scenario(check, tree):
    tree.make(f"module-{check.kernel}")
    tree.share()
    item = scenario.load_all(FOLDERS[check.kind], [check.name])[0]
    with a_turn():
        outcome = vm.run(item, Kernel(check.kernel), tree.build)
    failed = [r for r in outcome.results if r.status == "failed"]
    # The first note of a test is its name.
    said = [f"{r.name}: {n.strip('# ')}" for r in failed for n in r.notes
            if not n.startswith("# test: ")]
    said += [r.name for r in failed] + outcome.problems
    console = outcome.folder / "console.log"
    if console.exists():
        said += console.read_text(errors="replace").splitlines()
    return Verdict(outcome.passed, said)


def _tap(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    failed = [r for r in ktap.parse(done.stdout).results if r.status == "failed"]
    return Verdict(not done.returncode, [r.name for r in failed] + done.stdout.splitlines())


def _unit(check, tree):
    out = tree.build / ("sanitized" if check.kind == "sanitized" else "userspace")
    program = out / "tests" / check.name
    how = ["SANITIZE=1"] if check.kind == "sanitized" else []
    tree.make("-C", "userspace", f"O={out}", *how, "all", str(program))
    return _tap([str(tree.folder / "userspace/tests/run.sh"), str(out), str(program)])


def _purity(_check, tree):
    tree.make("module-6.1")
    tree.make("module-6.12")
    return _tap([str(tree.folder / "tools/testing/purity"), str(tree.build)])


def _lint(check, tree):
    return _tap([str(tree.folder / "tools/lint/run"), check.name])


def last_result(check):
    """Whether `make check` has found that it passes; None if it has not run it."""
    inside = f"{check.kernel} {check.name}: "
    step, start = {"scenario": (f"rig-{check.kernel}", inside), "kunit": ("kunit", inside),
                   "unit": ("units", f"{check.name}: "), "sanitized": (None, None),
                   "purity": ("purity", ""), "lint": ("lint", f"lint: {check.name}")}[check.kind]
    path = RESULTS / f"{step}.tap"
    if not path.exists():
        return None
    mine = [r for r in ktap.parse(path.read_text(errors="replace")).results
            if r.name.startswith(start)]
    return all(r.status == "passed" for r in mine) if mine else None
