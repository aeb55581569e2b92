# SPDX-License-Identifier: GPL-2.0
"""Reading of KTAP and TAP: results, skips with reasons, and what is missing."""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(\s*)(not ok|ok)\b\s*(\d+)?\s*(?:- )?(.*?)\s*(?:#\s*(SKIP)\b\s*(.*))?$",
                    re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)")


@dataclass
class Result:
    """One test: status is passed, failed or skipped."""
    name: str
    status: str
    reason: str = ""
    notes: list = field(default_factory=list)


@dataclass
class Report:
    """All results of one stream, and what is wrong with the stream itself."""
    results: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    last_note: str = ""


def _status(match):
    if match[2].lower() == "not ok":
        return "failed"
    return "skipped" if match[5] else "passed"


def parse(text):
    """Results of the innermost tests: a parent counts only if no child says why it failed."""
    report = Report()
    # Results whose parent is still to come, each with its depth.
    pending, notes = [], []
    plan, top = None, 0
    for line in _without_yaml(text.splitlines()):
        match = RESULT.match(line)
        if match:
            result = Result(match[4] or "unnamed", _status(match), match[6] or "", notes)
            notes = []
            depth = len(match[1])
            first = next((i for i, (d, _) in enumerate(pending) if d > depth), len(pending))
            family = _family(result, [r for _, r in pending[first:]])
            pending[first:] = [(depth, r) for r in family]
            if not depth:
                top += 1
                report.results += [r for _, r in pending]
                pending = []
        elif PLAN.match(line):
            plan = int(PLAN.match(line)[1])
        elif line.startswith("Bail out!"):
            report.problems.append(line[len("Bail out!"):].strip() or "bailed out")
        elif line.lstrip().startswith("#"):
            notes.append(line.strip())
            report.last_note = line.strip("# ").strip()
    if plan is None:
        report.problems.append("no plan: the tests stopped before their end")
    elif plan != top:
        report.problems.append(f"{plan} results were planned, {top} arrived")
    return report


def _without_yaml(lines):
    """Lines outside the diagnostic blocks of TAP 13, which quote anything."""
    inside = False
    for line in lines:
        word = line.strip()
        if word == "---" or (inside and word == "..."):
            inside = word == "---"
        elif not inside:
            yield line


def _family(parent, children):
    for child in children:
        child.name = f"{parent.name}: {child.name}"
    explained = any(c.status == "failed" for c in children)
    if not children or (parent.status == "failed" and not explained):
        return children + [parent]
    return children
