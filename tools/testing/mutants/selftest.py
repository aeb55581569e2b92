#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What `make mutants` must not take for a caught mutant: TAP on stdout."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

HEAD = """A sample.

check: lint forbidden-calls
kernel: host
says: {says}

"""
PATCH = """--- a/{file}
+++ b/{file}
@@ -1,2 +1,3 @@
 // SPDX-License-Identifier: {licence}
+{line}
 /*
"""
KMOD = {"file": "kmod/message.c", "licence": "GPL-2.0"}
LIBRARY = {"file": "userspace/lib/names.c", "licence": "LGPL-2.1-or-later"}
CALL = PATCH.format(line="static void sample(void) { kill_pid(NULL, 9, 1); }", **KMOD)
COMMENT = PATCH.format(line="/* Nothing is wrong here. */", **KMOD)
UNFIT = CALL.replace("Identifier: GPL", "Identifier: MIT")
NO_C = PATCH.format(line="this is no C", **LIBRARY)
SEEN = HEAD.format(says="userspace's")

# What it is, the mutant, what has to be said of it.
SAMPLES = [
    ("one that its check sees is caught", SEEN + CALL,
     "caught   sample by lint forbidden-calls"),
    ("one that its check does not see survives", SEEN + COMMENT,
     "SURVIVED sample: lint forbidden-calls passes"),
    ("one that fails for another reason survives", HEAD.format(says="a BUG of the moon") + CALL,
     "SURVIVED sample: lint forbidden-calls fails, but does not say: a BUG of the moon"),
    ("a patch that does not fit is an error", SEEN + UNFIT,
     "BROKEN   sample: the patch does not fit the sources any more, make it anew"),
    ("one that does not build is an error",
     SEEN.replace("lint forbidden-calls", "unit test_names") + NO_C,
     "BROKEN   sample: it does not build, see "),
    ("a check that always fails catches nothing",
     HEAD.replace("forbidden-calls", "nonsense").format(says="no such check") + CALL,
     "0 of 1 mutants caught"),
    ("a header without a pattern is an error", HEAD.replace("says: {says}\n", "") + CALL,
     "the header lacks says"),
    ("an unknown check is an error", HEAD.replace("lint", "faith").format(says="no") + CALL,
     "check is scenario or kunit on a kernel, or unit, sanitized, purity, lint on host"),
]


def try_sample(text):
    """What is said of a mutant, and whether that is a failure."""
    with tempfile.TemporaryDirectory(prefix="egpu-mutants-") as scratch:
        (Path(scratch) / "sample.patch").write_text(text)
        done = subprocess.run([HERE / "mutants.py", "--patches", scratch, "--results",
                               Path(scratch) / "tap"], capture_output=True, text=True,
                              check=False)
    return done.stdout + done.stderr, done.returncode != 0


def main():
    bad = 0
    print("TAP version 13")
    for number, (name, text, expected) in enumerate(SAMPLES, 1):
        said, failed = try_sample(text)
        fine = expected in said and failed != expected.startswith("caught")
        print(f"{'ok' if fine else 'not ok'} {number} - mutants: {name}", flush=True)
        if not fine:
            bad += 1
            print(f"# expected: {expected}")
            print("".join(f"# {line}\n" for line in said.splitlines()), end="")
    print(f"1..{len(SAMPLES)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
