"""What a picture says of itself in its first bytes, read without decoding it, and which pictures are taken.

A few bytes can announce more pixels than a server has memory, so the size is read here before anything is decoded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from coworking.core.errors import N_, DomainError

MOST_BYTES = 5 * 1_048_576
MOST_PIXELS = 25_000_000
LEAST_WIDTH = 600
"""Narrower than that a photo is blurred where it is shown large."""

WIDTHS = (480, 960, 1600)
"""The widths in which a picture is kept, as far as it is that wide: a phone, a tablet, a large screen."""

PictureKind = Literal["JPEG", "PNG", "WEBP"]


class PictureHeavy(DomainError):
    code = "picture_heavy"
    message = N_("This file has %(found)s MB. A photo may have %(most)s MB at most: save it smaller.")


class NotAPicture(DomainError):
    code = "not_a_picture"
    message = N_("This file is no photo that can be read here. Choose a JPEG, PNG or WebP.")


class PictureMoves(DomainError):
    code = "picture_moves"
    message = N_("This picture moves. Choose one that stands still.")


class TooManyPixels(DomainError):
    code = "too_many_pixels"
    message = N_("This photo is too large: %(width)s × %(height)s pixels. Save it smaller, at 4000 × 3000 for example.")


class PictureSmall(DomainError):
    code = "picture_small"
    message = N_("This photo is too small: %(width)s pixels wide. It must be %(least)s pixels wide at least.")


class PictureBroken(DomainError):
    code = "picture_broken"
    message = N_(
        "This photo cannot be read to its end: the file is damaged or cut off. Save it again from the original."
    )


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a file says it is: its format, its size in pixels, and whether it has several frames."""

    kind: PictureKind
    width: int
    height: int
    moves: bool = False


def check_picture(content: bytes) -> PictureHeader:
    """What ``content`` says it is; raises why it is not taken."""
    if len(content) > MOST_BYTES:
        raise PictureHeavy(found=f"{len(content) / 1_048_576:.1f}", most=MOST_BYTES // 1_048_576)
    header = header_of(content)
    if header.moves:
        raise PictureMoves()
    if header.width * header.height > MOST_PIXELS:
        raise TooManyPixels(width=header.width, height=header.height)
    if min(header.width, header.height) < LEAST_WIDTH // 2 or max(header.width, header.height) < LEAST_WIDTH:
        raise PictureSmall(width=header.width, least=LEAST_WIDTH)
    return header


def header_of(content: bytes) -> PictureHeader:
    """Format, size and frames of ``content``, from its first bytes alone; raises `NotAPicture`, `PictureBroken`."""
    if content.startswith(b"\xff\xd8\xff"):
        read = _jpeg
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        read = _png
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        read = _webp
    else:
        raise NotAPicture()
    try:
        found = read(content)
    except (struct.error, IndexError):
        raise PictureBroken() from None
    if found.width < 1 or found.height < 1:
        raise PictureBroken()
    return found


_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg(content: bytes) -> PictureHeader:
    """ITU-T T.81, B.1 and B.2.2: marker by marker to the header of the frame."""
    at = 2
    while True:
        if content[at] != 0xFF:
            raise PictureBroken()
        while content[at] == 0xFF:
            at += 1
        marker = content[at]
        at += 1
        if marker in _WITHOUT_LENGTH:
            continue
        if marker in (0xD9, 0xDA):  # the end, or the scan, before any frame
            raise PictureBroken()
        (length,) = struct.unpack_from(">H", content, at)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 3)
            return PictureHeader("JPEG", width, height)
        at += max(length, 2)


def _png(content: bytes) -> PictureHeader:
    """PNG (third edition), 5.3 and 11.3.6: ``acTL`` before the data says that it moves."""
    if content[12:16] != b"IHDR":
        raise PictureBroken()
    width, height = struct.unpack_from(">II", content, 16)
    at, moves = 8, False
    while (name := content[at + 4 : at + 8]) not in (b"IDAT", b"IEND", b""):
        moves = moves or name == b"acTL"
        (length,) = struct.unpack_from(">I", content, at)
        at += 12 + length
    return PictureHeader("PNG", width, height, moves)


def _webp(content: bytes) -> PictureHeader:
    """RFC 9649, 2.5 to 2.7: the extended header, else the frame's own."""
    name = content[12:16]
    if name == b"VP8X":
        flags = content[20]
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return PictureHeader("WEBP", width, height, moves=bool(flags & 0x02))
    if name == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        return PictureHeader("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if name == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return PictureHeader("WEBP", width & 0x3FFF, height & 0x3FFF)
    raise PictureBroken()
