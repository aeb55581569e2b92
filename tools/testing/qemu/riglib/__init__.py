# SPDX-License-Identifier: GPL-2.0
"""The virtual eGPU rig: boots a kernel in QEMU and runs a scenario there."""


class RigError(Exception):
    """Something outside the scenario is wrong; the text says what and what to do."""
