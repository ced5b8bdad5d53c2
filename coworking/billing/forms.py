"""What managers type about money, read and coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coworking.billing import rules
from coworking.core.forms import Form
from coworking.core.reading import bic_of, day_of, iban_of, maybe, vat_number_of, words_of
from coworking.pricing.rules import cents_of, rate_of


def payment_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("cents", cents_of)
    form.check("received_on", day_of)
    form.check("reference", words_of, most=80)
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


MOST_MENTION = 300


def mention_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("words", words_of, most=MOST_MENTION, required=True)
    return form


def settings_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("legal_mention", words_of, most=200)
    form.maybe("vat_number", vat_number_of)
    form.maybe("iban", iban_of)
    form.maybe("bic", bic_of)
    return form


def settings_values(form: Form) -> dict[str, Any]:
    """The columns of `BillingSettings` that a good form says."""
    return {
        "legal_mention": words_of(form["legal_mention"], most=200) or None,
        "vat_number": maybe(vat_number_of, form["vat_number"]),
        "iban": maybe(iban_of, form["iban"]),
        "bic": maybe(bic_of, form["bic"]),
        "vat_on_debits": "vat_on_debits" in form,
    }
