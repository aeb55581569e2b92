# SPDX-License-Identifier: GPL-2.0
"""A mutant's file: what the mistake is and who has to see it, then a patch."""

import re
from dataclasses import dataclass
from pathlib import Path

from riglib.scenario import KERNELS

from . import MutantError

IN_THE_RIG = ("scenario", "kunit")
KINDS = IN_THE_RIG + ("unit", "sanitized", "purity", "lint")
HEADER = re.compile(r"^(check|kernel|says|short):\s*(.+?)\s*$")


@dataclass(frozen=True)
class Check:
    """A check that is there without mutants: what it is and where it runs."""
    kind: str
    name: str
    kernel: str

    def __str__(self):
        where = "" if self.kernel == "host" else f" on {self.kernel}"
        return f"{self.kind} {self.name}".strip() + where


@dataclass(frozen=True)
class Mutant:
    """says: what the check has to say of it, a regular expression."""
    name: str
    path: Path
    mistake: str
    check: Check
    says: str
    short: bool


def load(path):
    """Read a mutant; a mistake in its header is a MutantError."""
    words = {"short": "no"}
    mistake = []
    for line in path.read_text().splitlines():
        if line.startswith("--- "):
            break
        match = HEADER.match(line)
        if match:
            words[match[1]] = match[2]
        elif line.strip() and "SPDX" not in line:
            mistake.append(line.strip())
    missing = {"check", "kernel", "says"} - set(words)
    if missing or not mistake:
        raise MutantError(f"{path}: the header lacks {', '.join(sorted(missing)) or 'a sentence'}")
    if words["kernel"] not in (*KERNELS, "host") or words["short"] not in ("yes", "no"):
        raise MutantError(f"{path}: kernel is {', '.join(KERNELS)} or host, short is yes or no")
    kind, _, name = words["check"].partition(" ")
    if kind not in KINDS or (kind in IN_THE_RIG) != (words["kernel"] != "host"):
        raise MutantError(f"{path}: check is {' or '.join(IN_THE_RIG)} on a kernel, or "
                          f"{', '.join(KINDS[len(IN_THE_RIG):])} on host")
    return Mutant(path.stem, path, " ".join(mistake), Check(kind, name, words["kernel"]),
                  words["says"], words["short"] == "yes")


def load_all(folder, names):
    """The named mutants, or all that there are."""
    paths = [folder / f"{n}.patch" for n in names] or sorted(folder.glob("*.patch"))
    for path in paths:
        if not path.exists():
            known = ", ".join(sorted(p.stem for p in folder.glob("*.patch")))
            raise MutantError(f"there is no mutant '{path.stem}'; there are: {known}")
    return [load(p) for p in paths]
