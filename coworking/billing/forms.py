"""What managers type about money, read and coerced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

from coworking.accounts.forms import Form
from coworking.billing import rules
from coworking.core.errors import N_, DomainError
from coworking.pricing.rules import cents_of, rate_of


class DayUnreadable(DomainError):
    code = "day_unreadable"
    message = N_("Write a date like 2026-11-24.")


class IbanInvalid(DomainError):
    code = "iban_invalid"
    message = N_("This is not an IBAN. It stands on the account’s bank details.")
    field = "iban"


class BicInvalid(DomainError):
    code = "bic_invalid"
    message = N_("This is not a BIC. It stands on the account’s bank details.")
    field = "bic"


class VatNumberInvalid(DomainError):
    code = "vat_number_invalid"
    message = N_("This is not a VAT number: it looks like FR 32 123456789.")
    field = "vat_number"


class WordsTooLong(DomainError):
    code = "too_long"
    message = N_("This is too long: %(most)s characters at most.")


def day_of(text: str) -> date:
    """An ISO date between 2000 and 2199; raises `DayUnreadable`."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise DayUnreadable() from None
    if not 2000 <= day.year < 2200:
        raise DayUnreadable()
    return day


def words_of(text: str, most: int) -> str | None:
    """Text in one line, None when left empty."""
    words = " ".join(text.split())
    if len(words) > most or not words.isprintable():
        raise WordsTooLong(most=most)
    return words or None


def payment_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("cents", cents_of)
    form.check("received_on", day_of)
    form.check("reference", words_of, 80)
    return form


def line_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("label", rules.check_label)
    form.check("quantity", rules.check_quantity)
    form.check("unit_cents", cents_of)
    form.check("vat_rate", lambda text: rate_of(text or "0"))
    form.check("nonce", _nonce)
    return form


def _nonce(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise rules.NothingToInvoice()
    return int(text)


_SETTINGS = {"legal_mention": 200, "exemption": 200, "penalty": 300}


def settings_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    for name, most in _SETTINGS.items():
        form.check(name, words_of, most)
    form.check("vat_number", _vat_number)
    form.check("iban", _iban)
    form.check("bic", _bic)
    return form


def settings_values(form: Form) -> dict[str, Any]:
    """The columns of `BillingSettings` that a good form says."""
    values: dict[str, Any] = {name: words_of(form[name], most) for name, most in _SETTINGS.items()}
    return values | {
        "vat_number": _vat_number(form["vat_number"]),
        "iban": _iban(form["iban"]),
        "bic": _bic(form["bic"]),
        "vat_on_debits": "vat_on_debits" in form,
    }


def _vat_number(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return str(vat.validate(text))
    except ValidationError:
        raise VatNumberInvalid() from None


def _iban(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return str(iban.validate(text))
    except ValidationError:
        raise IbanInvalid() from None


def _bic(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return str(bic.validate(text))
    except ValidationError:
        raise BicInvalid() from None
