#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What the rig has to notice, noticed: TAP on stdout.

First the readers of results are held against samples, then scenarios that must fail
(negative/) are run; each says in its header what the rig has to say of it.
"""

import re
import struct
import sys
import zlib
from pathlib import Path

from riglib import RigError, ktap, pictures, scenario, turns, vm
from riglib.kernel import Kernel

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build"

SAMPLES = [
    ("passed and failed", "TAP version 13\n1..2\nok 1 - a\nnot ok 2 - b\n",
     ["passed", "failed"], 0),
    ("a skip has its reason", "1..1\nok 1 a # SKIP no such kernel\n", ["skipped"], 0),
    ("no plan", "ok 1 a\n", ["passed"], 1),
    ("fewer than planned", "1..3\nok 1 a\n", ["passed"], 1),
    ("more than planned", "1..1\nok 1 a\nok 2 b\n", ["passed", "passed"], 1),
    ("nothing at all", "", [], 1),
    ("bailing out", "1..1\nok 1 a\nBail out! the disk is full\n", ["passed"], 1),
    ("children count, not their parent", "    ok 1 a\n    not ok 2 b\nnot ok 1 p\n1..1\n",
     ["passed", "failed"], 0),
    ("a parent that failed by itself", "    ok 1 a\nnot ok 1 p\n1..1\n",
     ["passed", "failed"], 0),
    ("grandchildren count, not their parents",
     "        ok 1 a\n        ok 2 b\n    ok 1 p\n    not ok 2 q\nnot ok 1 s\n1..1\n",
     ["passed", "passed", "failed"], 0),
    ("what a diagnostic quotes is no result",
     "1..1\nnot ok 1 a\n  ---\n  not ok 7 quoted\n  ...\n", ["failed"], 0),
]


def check_sample(text, statuses, problems):
    report = ktap.parse(text)
    found = [r.status for r in report.results]
    if found != statuses:
        return f"results {found}"
    if len(report.problems) != problems:
        return f"problems {report.problems}"
    return None


# Five times the row 10 20 30, 40 50 60, with each of the filters that there are.
FILTERED = [[0, 10, 20, 30, 40, 50, 60], [1, 10, 20, 30, 30, 30, 30], [2, 0, 0, 0, 0, 0, 0],
            [3, 5, 10, 15, 15, 15, 15], [4, 0, 0, 0, 0, 0, 0]]


def png(width, lines):
    """A file of pixels of three bytes; its checksums are not looked at."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, len(lines), 8, 2, 0, 0, 0)),
             (b"IDAT", zlib.compress(b"".join(map(bytes, lines)))), (b"IEND", b"")]
    return pictures.SIGNATURE + b"".join(struct.pack(">I", len(body)) + kind + body + bytes(4)
                                         for kind, body in parts)


def check_picture():
    rows = list(pictures.rows(png(2, FILTERED)))
    if rows != [[(10, 20, 30), (40, 50, 60)]] * 5:
        return f"rows {rows}"
    text = pictures.letters(png(4, [[0] + 6 * [0] + 6 * [255]] * 4), 4)
    return None if text == ["  @@"] * 2 else f"letters {text}"


def check_negative(path, kernel):
    """Run a scenario that must fail in the way that its header says."""
    expected = re.search(r"^# expected: (.*)$", path.read_text(), re.MULTILINE)[1]
    with turns.a_turn():
        outcome = vm.run(scenario.load(path), kernel, BUILD)
    said = outcome.problems + [r.name for r in outcome.results if r.status == "failed"]
    if outcome.passed:
        return "it passed"
    if not any(expected in text for text in said):
        return f"it says {said}, not: {expected}"
    return None


def checks():
    for name, *sample in SAMPLES:
        yield f"results: {name}", lambda s=sample: check_sample(*s)
    yield "pictures in letters", check_picture
    kernel = Kernel("6.12")
    for path in sorted((HERE / "negative").glob("*.sh")):
        yield f"must fail: {path.stem}", lambda p=path: check_negative(p, kernel)


def main():
    failed = 0
    number = 0
    print("TAP version 13", flush=True)
    for number, (name, check) in enumerate(checks(), 1):
        try:
            why = check()
        except RigError as error:
            why = str(error)
        print(f"{'not ok' if why else 'ok'} {number} - rig: {name}")
        if why:
            print(f"# {why}", flush=True)
            failed += 1
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
