# SPDX-License-Identifier: GPL-2.0
"""A writer of the kernel's initramfs format (cpio "newc")."""

import os
import stat
from pathlib import Path


class Archive:
    """Collects files; parent folders are added by themselves."""

    def __init__(self):
        self._entries = {}

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self._entries:
            self.folder(os.path.dirname(path))
            self._entries[path] = (stat.S_IFDIR | 0o755, b"", 0)

    def file(self, path, data, mode=0o644):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self._entries[path] = (stat.S_IFREG | mode, data, 0)

    def copy(self, path, source):
        """A file of the host with its execute permission, links followed."""
        source = Path(source)
        executable = os.access(source, os.X_OK)
        self.file(path, source.read_bytes(), 0o755 if executable else 0o644)

    def symlink(self, path, target):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self._entries[path] = (stat.S_IFLNK | 0o777, target.encode(), 0)

    def device(self, path, major, minor):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self._entries[path] = (stat.S_IFCHR | 0o600, b"", (major << 8) | minor)

    def tree(self, path, source, wanted=lambda p: True):
        """All files below a folder of the host for which wanted(relative path)."""
        source = Path(source)
        for item in sorted(source.rglob("*")):
            relative = item.relative_to(source)
            if item.is_file() and wanted(relative):
                self.copy(f"{path}/{relative}", item)

    def data(self):
        """The archive's bytes."""
        parts = []
        for inode, (path, entry) in enumerate(sorted(self._entries.items()), 1):
            parts.append(_record(inode, path, *entry))
        parts.append(_record(0, "TRAILER!!!", 0, b"", 0))
        return b"".join(parts)


def _record(inode, path, mode, data, device):
    name = path.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, device >> 8, device & 0xff,
              len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    return _padded(head) + _padded(data)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)
