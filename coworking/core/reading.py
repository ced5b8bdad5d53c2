"""Typed text as values: each function returns the value of one text, or raises a named error that says what is right.

Forms (`coworking.core.forms`), command lines and URLs use them. Values that only one package can judge, such as a price or a
password, are read in the same way by that package's rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from types import ModuleType
from typing import ClassVar, TypeVar

from email_validator import EmailNotValidError, validate_email
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren, siret

from coworking.core.errors import N_, DomainError

T = TypeVar("T")

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""The years that dates may have: calendars and time zones end somewhere."""
_CLOCK = re.compile(r"(\d{1,2}) ?(?:[:h] ?(\d{2})?)?", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"\+?[0-9][0-9 .()/-]{4,22}")
_POSTCODE = re.compile(r"\d{5}", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)


class Missing(DomainError):
    code = "missing"
    message = N_("Fill this in.")


class TextTooLong(DomainError):
    code = "too_long"
    message = N_("This is too long: %(most)s characters at most.")


class ChoiceUnknown(DomainError):
    code = "choice_unknown"
    message = N_("Choose one of what is offered.")


class UnreadableNumber(DomainError):
    code = "unreadable_number"
    message = N_("A whole number from %(least)s to %(most)s.")


class UnreadableCount(DomainError):
    code = "unreadable_number"
    message = N_("A whole number, such as 42.")


class UnreadableDate(DomainError):
    code = "unreadable_date"
    message = N_("This is not a date. Write it like 2026-11-26.")
    field: ClassVar[str | None] = "day"


class FarDate(UnreadableDate):
    """The date is real, but outside the years that the software can use."""

    code = "far_date"
    message = N_("Choose a date between 2000 and 2199.")


class UnreadableTime(DomainError):
    code = "unreadable_time"
    message = N_("This is not an hour. Write it like 9:30.")


class EmailInvalid(DomainError):
    code = "email_invalid"
    message = N_("This is not an e-mail address. It looks like anne@example.org.")
    field: ClassVar[str | None] = "email"


class PhoneInvalid(DomainError):
    code = "phone_invalid"
    message = N_("This is not a telephone number. It looks like 04 73 00 00 00.")
    field: ClassVar[str | None] = "phone"


class PostcodeInvalid(DomainError):
    code = "postcode_invalid"
    message = N_("A French postcode has five digits, such as 63300.")
    field: ClassVar[str | None] = "postcode"


class SirenInvalid(DomainError):
    code = "siren_invalid"
    message = N_("This is not a SIREN: nine digits, found on any official letter.")
    field: ClassVar[str | None] = "siren"


class SiretInvalid(DomainError):
    code = "siret_invalid"
    message = N_("This is not a SIRET: fourteen digits, found on any official letter.")
    field: ClassVar[str | None] = "siret"


class VatNumberInvalid(DomainError):
    code = "vat_number_invalid"
    message = N_("This is not a VAT number: it looks like FR 32 123456789.")
    field: ClassVar[str | None] = "vat_number"


class IbanInvalid(DomainError):
    code = "iban_invalid"
    message = N_("This is not an IBAN. It stands on the account’s bank details.")
    field: ClassVar[str | None] = "iban"


class BicInvalid(DomainError):
    code = "bic_invalid"
    message = N_("This is not a BIC. It stands on the account’s bank details.")
    field: ClassVar[str | None] = "bic"


def printable(text: str) -> str:
    """``text``, trimmed, without the control characters that neither e-mails nor PDFs can contain."""
    return "".join(char for char in text if char.isprintable() or char.isspace()).strip()


def words_of(text: str, *, most: int = 200, required: bool = False) -> str:
    """One line with single spaces, fit for an e-mail's header; raises `Missing` or `TextTooLong`."""
    return _limited(" ".join(printable(text).split()), most, required)


def lines_of(text: str, *, most: int = 2000, required: bool = False) -> str:
    """Text of several lines; raises `Missing` or `TextTooLong`."""
    return _limited(printable(text), most, required)


def maybe(read: Callable[[str], T], text: str) -> T | None:
    """The value that ``read`` returns for ``text``; None when it was left empty."""
    return read(text) if text.strip() else None


def _limited(text: str, most: int, required: bool) -> str:
    if required and not text:
        raise Missing()
    if len(text) > most:
        raise TextTooLong(most=most)
    return text


def one_of(choices: tuple[str, ...], text: str) -> str:
    """``text`` when it is among ``choices``; raises `ChoiceUnknown`."""
    if text not in choices:
        raise ChoiceUnknown()
    return text


def number_of(text: str, least: int, most: int) -> int:
    """A whole number between both bounds; raises `UnreadableNumber`."""
    if _WHOLE.fullmatch(digits := text.strip()) and least <= int(digits) <= most:
        return int(digits)
    raise UnreadableNumber(least=least, most=most)


def count_of(text: str) -> int:
    """A whole number from 0 of at most twelve digits, also in groups (« 1 234 »); raises `UnreadableCount`."""
    digits = "".join(text.split())
    if not _WHOLE.fullmatch(digits) or len(digits) > 12:
        raise UnreadableCount()
    return int(digits)


def nearest_number(text: str | None, default: int, least: int, most: int) -> int:
    """The number nearest to ``text`` within the bounds, ``default`` if it is no number: for choices that must not fail."""
    try:
        return min(most, max(least, int(text or default)))
    except ValueError:
        return default


def row_of(text: str) -> int | None:
    """The number of a database row as a page sent it; None if no row can have it."""
    return int(text) if _WHOLE.fullmatch(text) else None


def day_of(text: str) -> date:
    """An ISO date; raises `UnreadableDate` or `FarDate`."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise UnreadableDate() from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise FarDate()
    return day


def minute_of(text: str) -> int:
    """Minutes after midnight, 0 to 1440, of « 9:30 », « 9h30 », « 9 h » or « 24:00 »; raises `UnreadableTime`."""
    match = _CLOCK.fullmatch(" ".join(text.split()))
    minute = int(match[1]) * 60 + int(match[2] or 0) if match else -1
    if match is None or int(match[2] or 0) > 59 or minute > 1440:
        raise UnreadableTime()
    return minute


def time_of(text: str) -> time:
    """A time of day from 0:00 to 23:59; raises `UnreadableTime`."""
    minute = minute_of(text)
    if minute == 1440:
        raise UnreadableTime()
    return time(minute // 60, minute % 60)


def normal_email(text: str) -> str:
    """``text`` as e-mail addresses are kept: trimmed, lower case. Not checked."""
    return text.strip().lower()


def email_of(text: str) -> str:
    """An e-mail address as it is kept, its domain in ASCII; raises `EmailInvalid`.

    It does not check that the domain exists: that takes the network, and only the confirmation e-mail proves the address.
    """
    try:
        found = validate_email(normal_email(text), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise EmailInvalid() from None
    if found.ascii_email is None:
        raise EmailInvalid()
    return found.ascii_email.lower()


def phone_of(text: str) -> str:
    """A telephone number as typed, with single spaces; raises `PhoneInvalid`."""
    phone = " ".join(text.split())
    if not _PHONE.fullmatch(phone):
        raise PhoneInvalid()
    return phone


def postcode_of(text: str) -> str:
    """A French postcode without its spaces; raises `PostcodeInvalid`."""
    digits = "".join(text.split())
    if not _POSTCODE.fullmatch(digits):
        raise PostcodeInvalid()
    return digits


def _numbered(number: ModuleType, error: type[DomainError]) -> Callable[[str], str]:
    """A reader of numbers that carry check digits, such as a SIREN: without spaces; raises ``error``."""

    def read(text: str) -> str:
        try:
            return str(number.validate(text))
        except ValidationError:
            raise error() from None

    return read


siren_of = _numbered(siren, SirenInvalid)
siret_of = _numbered(siret, SiretInvalid)
vat_number_of = _numbered(vat, VatNumberInvalid)
iban_of = _numbered(iban, IbanInvalid)
bic_of = _numbered(bic, BicInvalid)
