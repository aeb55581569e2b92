# SPDX-License-Identifier: GPL-2.0
"""Pictures that a story has left, in letters, for who looks on in a terminal."""

import struct
import zlib

from . import RigError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INK = " .:-=+*#%@"
COLUMNS = 38


def _chunks(data):
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + length]
        at += 12 + length


def _paeth(left, above, corner):
    guess = left + above - corner
    return min((abs(guess - left), 0, left), (abs(guess - above), 1, above),
               (abs(guess - corner), 2, corner))[2]


def _undo(kind, line, before, step):
    """Take the filter off a line, in place."""
    for i, byte in enumerate(line):
        left = line[i - step] if i >= step else 0
        corner = before[i - step] if i >= step else 0
        guess = (0, left, before[i], (left + before[i]) // 2,
                 _paeth(left, before[i], corner))[kind]
        line[i] = (byte + guess) & 0xff


def rows(data):
    """The rows of a PNG file, each a list of (red, green, blue)."""
    if not data.startswith(SIGNATURE):
        raise RigError("a picture is no PNG file")
    parts = list(_chunks(data))
    width, height, depth, colour = struct.unpack_from(">IIBB", dict(parts)[b"IHDR"])
    if depth != 8 or colour not in (2, 6):
        raise RigError("a picture has other pixels than those of egpuctl")
    step = 3 if colour == 2 else 4
    raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    before = bytearray(width * step)
    for y in range(height):
        at = y * (width * step + 1)
        line = bytearray(raw[at + 1:at + 1 + width * step])
        _undo(raw[at], line, before, step)
        before = line
        yield [tuple(line[x:x + 3]) for x in range(0, width * step, step)]


def letters(data, columns=COLUMNS):
    """The picture in so many columns, the brighter the more ink."""
    picture = list(rows(data))
    width, height = len(picture[0]), len(picture)
    lines = max(1, columns * height // width // 2)
    text = []
    for y in range(lines):
        row = picture[(2 * y + 1) * height // (2 * lines)]
        pixels = (row[(2 * x + 1) * width // (2 * columns)] for x in range(columns))
        text.append("".join(INK[(2 * r + 4 * g + b) * len(INK) // (7 * 256)]
                            for r, g, b in pixels))
    return text


def show(folder, out):
    """Each before-NAME.png beside its after-NAME.png."""
    for before in sorted(folder.glob("before-*.png")):
        after = folder / before.name.replace("before-", "after-", 1)
        if not after.exists():
            raise RigError(f"the story has left {before.name}, but no {after.name}")
        out.write(f"\n  {before.name:{COLUMNS}}  {after.name}\n")
        for pair in zip(letters(before.read_bytes()), letters(after.read_bytes())):
            out.write(f"  {pair[0]}  {pair[1]}".rstrip() + "\n")
