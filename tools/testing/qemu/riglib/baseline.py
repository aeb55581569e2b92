# SPDX-License-Identifier: GPL-2.0
"""What a kernel complains of by itself: scenarios that run without our module.

The record in the tree has a line for each scenario: its name and "clean", or its name
and a complaint, a line each. With egpu loaded no complaint at all passes, so the record
says what may be laid at the module's door.
"""

RECORD_HEAD = """\
# SPDX-License-Identifier: GPL-2.0
# What the debug kernel complains of in the scenarios when egpu is not loaded.
# Made and compared by: make baseline
"""
VERDICT = "kernel log is clean"


def complaints(outcome):
    """The kernel's own complaints of one run; that its tests fail means nothing here."""
    found = []
    for result in outcome.results:
        if result.name == VERDICT and result.status == "failed":
            found += [note.strip("# ") for note in result.notes]
    found += [p for p in outcome.problems if p.startswith(("the console", "the machine"))]
    if VERDICT not in [r.name for r in outcome.results] and not found:
        found.append("no verdict")
    return found


def record(outcomes):
    """The text to keep, sorted by scenario."""
    lines = []
    for outcome in sorted(outcomes, key=lambda o: o.scenario):
        for text in complaints(outcome) or ["clean"]:
            lines.append(f"{outcome.scenario}: {text}")
    return RECORD_HEAD + "".join(f"{line}\n" for line in lines)
