# SPDX-License-Identifier: GPL-2.0
"""One machine at a time: two would falsify each other's times."""

import contextlib
import fcntl
import tempfile
import time
from pathlib import Path


@contextlib.contextmanager
def one_at_a_time():
    """Wait for our turn; it ends with the block."""
    with open(Path(tempfile.gettempdir()) / "egpu-qemu.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    # Whoever waited gets it now; we would be back for it before they wake up.
    time.sleep(0.2)
