"""What the pages of billing share."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_decimal, format_percent
from flask import Blueprint

from coworking.core.errors import N_
from coworking.core.formats import duration
from coworking.core.i18n import _, language

blueprint = Blueprint("billing", __name__, url_prefix="/invoices")

STATE_WORDS = {
    "open": (N_("to be paid"), ""),
    "partial": (N_("partly paid"), "signal"),
    "overdue": (N_("overdue"), "harm"),
    "paid": (N_("paid"), "mine"),
    "credited": (N_("cancelled"), ""),
    "credit_note": (N_("credit note"), ""),
    "unpaid": (N_("not wholly paid"), ""),
}
METHOD_WORDS = {
    "transfer": N_("bank transfer"),
    "card": N_("card"),
    "cheque": N_("cheque"),
    "cash": N_("cash"),
    "debit": N_("direct debit"),
}


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"invoice_states": STATE_WORDS, "payment_methods": METHOD_WORDS, "payment_choices": _choices}


def _choices() -> list[tuple[str, str]]:
    return [(method, _(words).capitalize()) for method, words in METHOD_WORDS.items()]


@blueprint.app_template_filter()
def percent(rate_bp: int) -> str:
    """« 20 % », « 5,5 % » for a VAT rate in basis points."""
    return str(
        format_percent(Decimal(rate_bp) / 10_000, "#,##0.##\u202f%" if language() == "fr" else "#,##0.##%", language())
    )


@blueprint.app_template_filter()
def amount(cents: int) -> str:
    """« 1 234,50 », without the currency: for columns that say it once."""
    return str(format_decimal(Decimal(cents) / 100, "#,##0.00", language())).replace("-", "\u2212")


@blueprint.app_template_filter()
def unit_price(micros: int) -> str:
    """« 9,00 », « 8,3333 » for a unit price in millionths, with as many decimals as it was given."""
    return str(format_decimal(Decimal(micros) / 1_000_000, "#,##0.00####", language()))


@blueprint.app_template_filter()
def in_fours(text: str) -> str:
    """An IBAN as people read it aloud."""
    return "\u00a0".join(text[start : start + 4] for start in range(0, len(text), 4))


blueprint.add_app_template_filter(duration)
