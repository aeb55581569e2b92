# SPDX-License-Identifier: GPL-2.0
"""Who may run a machine now: one for each processor, or one alone for figures."""

import contextlib
import fcntl
import os
import tempfile
import time
from pathlib import Path

# The rig's machines use one thread each (see machine.py).
PLACES = os.cpu_count() or 1


def _lock(number):
    path = Path(tempfile.gettempdir()) / f"egpu-qemu-{number}.lock"
    return open(path, "a", encoding="utf-8")


def _take_any(locks):
    """The first lock that is free; whoever gets there first has it."""
    while True:
        for lock in locks:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pass
        time.sleep(0.2)


@contextlib.contextmanager
def a_turn():
    """Wait for a free place; it is given back at the end of the block."""
    with contextlib.ExitStack() as stack:
        _take_any([stack.enter_context(_lock(n)) for n in range(PLACES)])
        yield


@contextlib.contextmanager
def alone():
    """Wait for all places: what measures wants no machine beside it."""
    with contextlib.ExitStack() as stack:
        for number in range(PLACES):
            fcntl.flock(stack.enter_context(_lock(number)), fcntl.LOCK_EX)
        yield
