#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Count the results of all steps of `make check`.

  tally.py FOLDER STEP:STATUS...

FOLDER/STEP.tap has a step's results, STATUS is its exit status. A step that left no
results, broke its plan, or failed without a failed test counts as a failure.
"""

import sys
from pathlib import Path

from riglib import ktap


def read(folder, step, status):
    """Results of one step; what is wrong with the step becomes a failed result."""
    path = folder / f"{step}.tap"
    report = ktap.parse(path.read_text(errors="replace") if path.exists() else "")
    results, problems = report.results, report.problems
    if status and not problems and all(r.status != "failed" for r in results):
        problems = [f"ended with status {status}"]
    return results + [ktap.Result(f"{step}: {p}", "failed") for p in problems]


def main():
    folder = Path(sys.argv[1])
    results = []
    for argument in sys.argv[2:]:
        step, _, status = argument.rpartition(":")
        results += read(folder, step, int(status))
    count = {"passed": 0, "failed": 0, "skipped": 0}
    print()
    for result in results:
        count[result.status] += 1
        if result.status == "skipped":
            print(f"skipped: {result.name}: {result.reason or 'no reason given'}")
    for result in results:
        if result.status == "failed":
            print(f"failed: {result.name}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
