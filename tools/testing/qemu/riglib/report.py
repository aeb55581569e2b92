# SPDX-License-Identifier: GPL-2.0
"""Outcomes for people (a line as each run ends) and for the final count (TAP)."""


def show(outcome):
    """One line for a run, and under it whatever is not as it should be."""
    word = "ok  " if outcome.passed else "FAIL"
    counts = f"{len(outcome.results)} tests"
    print(f"{word} {outcome.kernel:5} {outcome.scenario:28} {outcome.seconds:5.1f} s  {counts}",
          flush=True)
    for result in outcome.results:
        if result.status == "skipped":
            print(f"     skipped: {result.name}: {result.reason}")
        elif result.status == "failed":
            print(f"     failed: {result.name}")
            for note in result.notes:
                print(f"       {note}")
    for problem in outcome.problems:
        print(f"     problem: {problem}")
    if not outcome.passed:
        print(f"     see {outcome.folder}/", flush=True)


def write_tap(outcomes, path):
    """All results of one kernel as one TAP file; a problem is a failed test."""
    lines = []
    for outcome in outcomes:
        where = f"{outcome.kernel} {outcome.scenario}"
        for result in outcome.results:
            word = "not ok" if result.status == "failed" else "ok"
            skip = f" # SKIP {result.reason}" if result.status == "skipped" else ""
            lines.append(f"{word} {len(lines) + 1} {where}: {_plain(result.name)}{skip}")
        for problem in outcome.problems:
            lines.append(f"not ok {len(lines) + 1} {where}: {_plain(problem)}")
        if not outcome.results and not outcome.problems:
            lines.append(f"not ok {len(lines) + 1} {where}: no results")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("TAP version 13\n" + "".join(f"{line}\n" for line in lines) +
                    f"1..{len(lines)}\n")


def _plain(text):
    """A # in a name would read as a directive."""
    return text.replace("#", "no.")
