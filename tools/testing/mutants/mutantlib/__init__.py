# SPDX-License-Identifier: GPL-2.0
"""Mistakes made on purpose, and which check sees each."""

import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(TOP / "tools/testing/qemu"))


class MutantError(Exception):
    """A mutant that says nothing about the checks; the text is a sentence."""
