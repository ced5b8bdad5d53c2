"""Codes of six digits that change every thirty seconds: TOTP, RFC 6238, with SHA-1 as every app reads it."""

from __future__ import annotations

import hmac
from base64 import b32decode, b32encode
from datetime import datetime
from urllib.parse import quote, urlencode

from coworking.core.errors import N_, DomainError

SECRET_BYTES = 20
"""As long as the digest: RFC 4226, section 4."""
STEP_S = 30
DIGITS = 6
DRIFT = 1
"""Steps by which a phone's clock may be wrong: a code works for a minute and a half."""

RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
"""No letter that looks like another or like a digit."""
RECOVERY_LENGTH = 12
"""58 bits."""


class CodeWrong(DomainError):
    code = "code_wrong"
    message = N_("This code is not right. Look at your app again: it shows another one every thirty seconds.")
    field = "code"


class CodeUsed(DomainError):
    """A code works once, also within its thirty seconds: whoever looked over a shoulder comes too late."""

    code = "code_used"
    message = N_("This code was used already. Wait for the next one.")
    field = "code"


class RecoveryCodeWrong(DomainError):
    code = "recovery_code_wrong"
    message = N_("This is none of your recovery codes, or it was used.")
    field = "recovery"


def code_at(secret: bytes, step: int) -> str:
    """The digits of ``step`` (thirty seconds, counted from 1970): RFC 4226, section 5.3."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(instant: datetime) -> int:
    return int(instant.timestamp()) // STEP_S


def matching_step(secret: bytes, typed: str, instant: datetime) -> int | None:
    """The latest step, of those around ``instant``, whose code is ``typed``; None when it is none of theirs."""
    middle = step_of(instant)
    steps = range(middle + DRIFT, middle - DRIFT - 1, -1)
    matching = [step for step in steps if hmac.compare_digest(code_at(secret, step), typed)]
    return matching[0] if matching else None


def digits_of(text: str) -> str:
    """The six digits that were typed, with spaces or without; raises `CodeWrong`."""
    digits = "".join(text.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise CodeWrong()
    return digits


def recovery_of(text: str) -> str:
    """A recovery code without what stands between its parts; raises `RecoveryCodeWrong`."""
    letters = "".join(text.split()).replace("-", "").lower()
    if len(letters) != RECOVERY_LENGTH or not set(letters) <= set(RECOVERY_ALPHABET):
        raise RecoveryCodeWrong()
    return letters


def in_fours(letters: str, between: str) -> str:
    """``letters`` as one copies them by hand: four at a time."""
    return between.join(letters[at : at + 4] for at in range(0, len(letters), 4))


def text_of(secret: bytes) -> str:
    """``secret`` as apps take it: base 32."""
    return b32encode(secret).decode()


def secret_of(text: str) -> bytes:
    return b32decode(text)


def app_address(secret: str, *, email: str, place: str) -> str:
    """The ``otpauth:`` address that a codes app reads from a QR code."""
    label = quote(f"{place.replace(':', ' ')}:{email}", safe=":@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': place}, quote_via=quote)}"
