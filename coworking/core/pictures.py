"""Pictures that people upload, written anew: smaller, in one format, without what cameras add about place and time.

Decoding happens in a process of its own with limited memory and time; neither web nor worker loads its library. Not to be
called inside a write unit: it is slow.
"""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass

from config import ROOT
from coworking.core.errors import N_, DomainError
from coworking.core.picture_rules import WIDTHS, PictureBroken, check_picture

log = logging.getLogger(__name__)

MIME = "image/webp"
TIMEOUT_S = 40
WAIT_S = 10
BUSY_S = 3


class PictureBusy(DomainError):
    """Others upload pictures just now, and one is read after the other."""

    code = "picture_busy"
    status = 429
    message = N_("Other photos are being read just now. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Scaled:
    """One picture in one width, as WebP."""

    width: int
    height: int
    content: bytes


_turn = threading.Lock()


def scaled(content: bytes) -> list[Scaled]:
    """``content`` in every width of `picture_rules.WIDTHS` that it has, the narrowest first.

    Raises what `check_picture` raises before anything is decoded, `PictureBroken` where it cannot be read to its end, and
    `PictureBusy` where others keep this process busy for ten seconds.
    """
    header = check_picture(content)
    if not _turn.acquire(timeout=WAIT_S):
        raise PictureBusy(extra={"retry_after": BUSY_S})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "coworking.core.picture_worker", header.kind, *map(str, WIDTHS)],
            input=content,
            capture_output=True,
            cwd=ROOT,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("a picture of %d × %d took longer than %d s", header.width, header.height, TIMEOUT_S)
        raise PictureBroken() from None
    finally:
        _turn.release()
    if done.returncode != 0:
        log.info("a picture was refused: %s", done.stderr.decode(errors="replace").strip()[-200:])
        raise PictureBroken()
    return _read(done.stdout)


def _read(answer: bytes) -> list[Scaled]:
    found: list[Scaled] = []
    at = 0
    while at < len(answer):
        width, height, length = struct.unpack_from(">III", answer, at)
        at += 12
        found.append(Scaled(width, height, answer[at : at + length]))
        at += length
    return found
