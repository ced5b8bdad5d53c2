"""Which passwords may be set: long enough, hard to guess, and not made of names of the person or the lieu."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold
from coworking.core.reading import normal_email

MIN_PASSWORD = 10
MAX_PASSWORD = 256
"""Characters; the upper bound only keeps a megabyte from being hashed."""


class PasswordTooShort(DomainError):
    code = "password_too_short"
    message = N_("This is too short: %(least)s characters at least. A short sentence does well.")
    field = "password"


class PasswordTooLong(DomainError):
    code = "password_too_long"
    message = N_("This is too long: %(most)s characters at most.")
    field = "password"


class PasswordIsEmail(DomainError):
    code = "password_is_email"
    message = N_("Your e-mail address is too easy to guess. Choose other words.")
    field = "password"


class PasswordTooPlain(DomainError):
    code = "password_too_plain"
    message = N_("A row of keys or one sign repeated is too easy to guess. A short sentence does well.")
    field = "password"


class PasswordCommon(DomainError):
    code = "password_common"
    message = N_("This is one of the first passwords that thieves try. A short sentence of your own does well.")
    field = "password"


class PasswordPersonal(DomainError):
    code = "password_personal"
    message = N_("Your name, your address or the place’s name is too easy to guess. Choose other words.")
    field = "password"


_FEWEST_SIGNS = 4
_ROWS = ("01234567890" * 3, "abcdefghijklmnopqrstuvwxyz", "azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjklzxcvbnm")


def check_password(password: str, email: str | None, words: Sequence[str] = ()) -> str:
    """``password`` when it is long enough and hard to guess for whoever knows the ``email``, the ``words`` (names of the
    person and of the place) and the lists of what people choose.

    No kind of sign is asked for: NIST SP 800-63B, 5.1.1.2.
    """
    if len(password) < MIN_PASSWORD:
        raise PasswordTooShort(least=MIN_PASSWORD)
    if len(password) > MAX_PASSWORD:
        raise PasswordTooLong(most=MAX_PASSWORD)
    if email is not None and normal_email(password) == email:
        raise PasswordIsEmail()
    plain = password.casefold()
    if len(set(plain)) < _FEWEST_SIGNS or any(plain in row or plain[::-1] in row for row in _ROWS):
        raise PasswordTooPlain()
    personal = _parts(email or "", *words)
    if _letters_beside(password, personal) < _FEWEST_LETTERS:
        raise PasswordPersonal()
    if _letters_beside(password, _OF_THE_FIELD) < _FEWEST_LETTERS:
        raise PasswordCommon()
    from zxcvbn import zxcvbn  # its word lists take 16 MB: only where a password is chosen

    if zxcvbn(password[:_JUDGED], user_inputs=list(personal))["score"] < _LEAST_SCORE:
        raise PasswordCommon()
    return password


_OF_THE_FIELD = ("coworking", "motdepasse", "tiers", "lieu")
_FEWEST_LETTERS = 4
_LEAST_SCORE = 3
"""Of 4: more than a hundred million guesses."""
_JUDGED = 72
"""Signs that are judged: what a longer sentence adds can only help."""


def _parts(*texts: str) -> tuple[str, ...]:
    """The words of ``texts`` without accents and capitals, the longest first."""
    found = {word for text in texts for word in re.findall(r"[a-z0-9]{2,}", fold(text))}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def _letters_beside(password: str, parts: Sequence[str]) -> int:
    """How many letters of ``password`` belong to none of ``parts``; all its signs, when none of them stands in it."""
    whole = rest = fold(password)
    for part in parts:
        rest = rest.replace(part, " ")
    return sum(sign.isalpha() for sign in rest) if rest != whole else len(whole)
