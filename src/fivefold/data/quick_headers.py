"""How JPEG and PNG files begin, read without Pillow: of a million files that takes a tenth.

Only what is usual is understood: for anything else nothing is said, and Pillow has to look. What is
said is what Pillow would say. The layouts are those of ITU-T T.81 (JPEG), Exif 2.32 and PNG 1.2.
"""

import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

PART = 4096
"""How many bytes are read at a time."""

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives so many bytes from a place of a file, or fewer where it ends."""

_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), 0xCD, 0xCE})
_APP1, _APP2 = 0xE1, 0xE2
_SEGMENTS = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
_SEGMENT, _FRAME = struct.Struct(">BBH"), struct.Struct(">BHHB")
_BANDS = {1: "JPEG+grey", 3: "JPEG", 4: "JPEG+cmyk"}
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/"
_SEVERAL = b"MPF\0"  # what cameras put before previews
_ORIENTATION, _SHORT = 0x0112, 3
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # of types
_SIDEWAYS = (5, 6, 7, 8)
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_TRANSPARENT = {0: 2, 2: 6, 3: 1}  # how long the chunk that says so is at least
_HIDDEN = (b"Raw profile type", b"XML:com.adobe.xmp")  # texts that may hold an orientation
_PLAIN = frozenset(
    {b"PLTE", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"hIST", b"pHYs", b"tIME"}
)
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})


class QuickHeader(NamedTuple):
    """What a file's beginning says.

    Attributes:
        height: Of the image, upright, in pixels.
        width: Likewise.
        kind: What file it is; see `data.looks`.
    """

    height: int
    width: int
    kind: str


def quick_header(head: bytes, read: Read) -> QuickHeader | None:
    """Tell what a file is and how large its image, or nothing where Pillow has to look.

    Args:
        head: The file's first bytes, as many as `PART` if it has them.
        read: Reads more if need be.
    """
    try:
        if head.startswith(b"\xff\xd8\xff"):
            return _jpeg(_Bytes(head, read))
        if head.startswith(_PNG):
            return _png(_Bytes(head, read))
    except (IndexError, struct.error):  # cut off or broken: Pillow says what is wrong with it
        return None
    return None


class _Bytes:
    """A file's bytes by their places, of which a part is in memory."""

    def __init__(self, head: bytes, read: Read) -> None:
        self._read = read
        self._part, self._start = head, 0

    def take(self, start: int, count: int) -> bytes:
        """Give some bytes: as many as asked for.

        Raises:
            IndexError: If the file has fewer.
        """
        begin = start - self._start
        found = self._part[begin : begin + count] if begin >= 0 else b""
        if len(found) < count:
            self._part, self._start = self._read(start, max(PART, count)), start
            found = self._part[:count]
            if len(found) < count:
                raise IndexError
        return found


def _jpeg(data: _Bytes) -> QuickHeader | None:
    """Read segment by segment up to the one that says how large the image is."""
    place, turn, has_exif, has_xmp = 2, 0, False, False
    while True:
        sign, marker, length = _SEGMENT.unpack(data.take(place, 4))
        if sign != 0xFF or length < 2:
            return None
        if marker in _FRAMES:
            # What may say how to turn it is left to Pillow.
            return None if has_xmp and not turn else _framed(data.take(place + 4, 6), turn)
        if marker == _APP1:
            name = data.take(place + 4, min(length - 2, 29))
            if name.startswith(_EXIF):
                found = None if has_exif else _turn(data.take(place + 10, length - 8))
                if found is None:
                    return None
                turn, has_exif = found, True
            has_xmp |= name.startswith(_XMP)
        elif marker not in _SEGMENTS or (
            marker == _APP2 and data.take(place + 4, min(length - 2, 4)) == _SEVERAL
        ):
            return None
        place += 2 + length


def _framed(frame: bytes, turn: int) -> QuickHeader | None:
    depth, height, width, count = _FRAME.unpack(frame)
    if depth != 8 or count not in _BANDS or not height or not width:
        return None
    if turn in _SIDEWAYS:
        height, width = width, height
    return QuickHeader(height, width, _BANDS[count] + "+rotated" * (turn > 1))


def _turn(exif: bytes) -> int | None:
    """Find the orientation, 1-8, in what Exif says; 0 where it says none, None where it is odd."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    start = struct.unpack_from(f"{order}I", exif, 4)[0]
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    turn = 0
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", exif, place)
        length = _SIZES.get(kind, len(exif)) * number
        if length > 4 and struct.unpack_from(f"{order}I", exif, place + 8)[0] + length > len(exif):
            return None
        if tag == _ORIENTATION:
            if turn or (kind, number) != (_SHORT, 1):
                return None
            turn = struct.unpack_from(f"{order}H", exif, place + 8)[0]
            if not 1 <= turn <= 8:
                return None
    return turn


def _png(data: _Bytes) -> QuickHeader | None:
    first = data.take(8, 25)
    length, name, width, height, depth, colours = struct.unpack_from(">I4sIIBB", first)
    crc = struct.unpack_from(">I", first, 21)[0]
    if (length, name) != (13, b"IHDR") or zlib.crc32(first[4:21]) != crc:
        return None
    if depth not in _DEPTHS.get(colours, ()) or not height or not width:
        return None
    alpha, place = colours in (4, 6), 33
    while True:
        length, name = struct.unpack(">I4s", data.take(place, 8))
        if name == b"IDAT":
            break
        if name == b"tRNS" and length >= _TRANSPARENT.get(colours, 1 << 32):
            alpha = True
        elif name in _TEXTS:
            if data.take(place + 8, min(length, 20)).startswith(_HIDDEN):
                return None
        elif name not in _PLAIN:  # such as that of an animation, or of Exif
            return None
        place += 12 + length
    traits = "+grey" * (colours in (0, 4)) + "+alpha" * alpha + "+16-bit" * (depth == 16)
    return QuickHeader(height, width, f"PNG{traits}")
