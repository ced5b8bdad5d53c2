"""The secret in the QR code of a printed card."""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

LETTERS = "bcdefghijklnoprstuvxy"
"""The letters that a scanner which types like a keyboard sends alike to an AZERTY and to a QWERTY computer."""
LENGTH = 26
"""So many letters hold 114 random bits: nobody guesses one, and its plain SHA-256 is enough to keep."""
_TOKEN = re.compile(f"[{LETTERS}]{{{LENGTH}}}")


def new_token() -> str:
    """A new secret: `LENGTH` of the `LETTERS`."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def token_in(scanned: str) -> str | None:
    """The secret at the end of what a scanner read, an address or the secret alone; None where there is none."""
    end = scanned.strip().lower()[-LENGTH:]
    return end if _TOKEN.fullmatch(end) else None


def digest_of(token: str) -> str:
    """What is kept of a secret."""
    return sha256(token.encode()).hexdigest()
