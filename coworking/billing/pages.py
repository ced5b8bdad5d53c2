"""What the pages of billing share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.numbers import format_decimal, format_percent
from flask import Blueprint, url_for

from coworking.billing import means_queries, online_queries, queries
from coworking.billing.means_queries import Planned
from coworking.billing.pay_links import pay_token
from coworking.billing.payer_credit_rules import GIVEN_BY
from coworking.billing.precheck_rules import MendPlace
from coworking.billing.rules import REFUNDED_BY_HAND
from coworking.core.errors import N_
from coworking.core.formats import duration, raised
from coworking.core.i18n import _, language
from coworking.core.policy import current_actor

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

PAID_WORDS = METHOD_WORDS | {"credit": N_("out of the payer's credit")}
"""How an entry of an invoice's payments was paid."""

ENTRY_WORDS = {
    "invoice": N_("Invoice %(number)s"),
    "credit_note": N_("Credit note %(number)s"),
    "payment": N_("Received for %(number)s"),
    "reversal": N_("Payment of %(number)s cancelled"),
    "received": N_("Received in advance"),
    "used": N_("Credit used for %(number)s"),
    "given": N_("Credit given back"),
    "undone": N_("Credit entry undone"),
    "online": N_("Paid online, beyond what was owed"),
    "online_given": N_("Online payment given back"),
}
"""What a line of a payer's account is."""


ONLINE_WORDS = {
    "opening": N_("the payment page was asked for"),
    "open": N_("the payment page was opened"),
    "pending": N_("paid by direct debit, the bank has not confirmed yet"),
    "paid": N_("arrived"),
    "failed": N_("did not go through"),
    "expired": N_("the payment page was closed without payment"),
}


REASON_WORDS = {
    "card_declined": N_("card declined"),
    "expired_card": N_("card expired"),
    "insufficient_funds": N_("not enough money on the account"),
    "unknown_there": N_("the payment provider knows nothing of it"),
    "authentication_required": N_("the bank wants its owner to confirm it"),
    "means_ended": N_("the card or account can no longer be charged"),
    "not_sent": N_("interrupted before the bank was asked"),
}
"""Why a payment failed, where we know the provider's code; any other stands as it is."""

REFUND_WORDS = {"gateway": N_("through the payment provider")} | {
    method: METHOD_WORDS[method] for method in REFUNDED_BY_HAND
}

REFUND_STATES = {
    "asked": N_("refund under way"),
    "done": N_("refunded"),
    "failed": N_("the refund did not go through"),
}
DISPUTE_STATES = {
    "open": N_("disputed by the payer’s bank"),
    "won": N_("dispute decided for you"),
    "lost": N_("taken back by the payer’s bank"),
}

DISPUTE_REASONS = {
    "fraudulent": N_("the payer did not recognise it"),
    "unrecognized": N_("the payer did not recognise it"),
    "product_not_received": N_("the payer says they did not get it"),
    "duplicate": N_("the payer says they paid twice"),
    "insufficient_funds": N_("not enough money on the account"),
}
"""Why a payer's bank asks for money back, where we know the provider's code; any other stands as it is."""


def refund_choices(*, through: bool) -> list[tuple[str, str]]:
    """How to refund, as a form's options; ``through``: a gateway can do it."""
    return [(way, raised(_(words))) for way, words in REFUND_WORDS.items() if through or way != "gateway"]


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "invoice_states": STATE_WORDS,
        "payment_methods": PAID_WORDS,
        "given_choices": lambda: [(method, raised(_(METHOD_WORDS[method]))) for method in GIVEN_BY],
        "payment_choices": _choices,
        "online_states": ONLINE_WORDS,
        "owed_now": owed_now,
        "failure_reasons": REASON_WORDS,
        "refund_methods": REFUND_WORDS,
        "refund_states": REFUND_STATES,
        "dispute_states": DISPUTE_STATES,
        "dispute_reasons": DISPUTE_REASONS,
    }


@dataclass(frozen=True, slots=True)
class Due:
    """What the reader can pay now for one payer, and where."""

    payer_name: str
    cents: int
    currency: str
    count: int
    late_cents: int
    url: str
    collected: Planned | None
    """How it is collected without their doing, and when."""
    invoices: list[queries.Standing]
    """What is owed, the oldest first."""


def owed_now() -> list[Due]:
    """What the reader owes, and each organisation whose contact they are; a debit under way asks for nothing more.

    What is collected by itself stands apart, with its day.
    """
    rows = queries.owed_by(current_actor())
    pending = {
        part.invoice_id for row in online_queries.pending_for([row.invoice.id for row in rows]) for part in row.parts
    }
    planned = means_queries.planned_for([row.invoice.id for row in rows])
    by_payer: dict[tuple[int | None, int | None, str, date | None], list[queries.Standing]] = {}
    for row in rows:
        if row.invoice.id not in pending:
            plan = planned.get(row.invoice.id)
            day = plan.step.on if plan is not None else None
            key = (row.invoice.payer_organisation_id, row.invoice.payer_person_id, row.invoice.currency, day)
            by_payer.setdefault(key, []).append(row)
    return [
        Due(
            payer_name=owed[0].payer_name,
            cents=sum(row.open_cents for row in owed),
            currency=owed[0].invoice.currency,
            count=len(owed),
            late_cents=sum(row.open_cents for row in owed if row.state == "overdue"),
            url=url_for("pay.page", token=pay_token([row.invoice.public_id for row in owed])),
            collected=planned.get(owed[0].invoice.id),
            invoices=owed,
        )
        for owed in by_payer.values()
    ]


@blueprint.app_template_global()
def mend_link(place: MendPlace) -> tuple[str, str]:
    """The address of a page where something is mended before issuing, and the words of its link."""
    match place.kind:
        case "lieu":
            return url_for("spaces.lieu"), _("Fill it in")
        case "invoicing":
            return url_for("billing.settings"), _("Fill it in")
        case "prices":
            return url_for("pricing.prices"), _("Prices")
        case "plans":
            return url_for("membership.plans") + "#adhesion-vat", _("Plans and annual membership")
        case "organisation":
            return url_for("membership.organisation", public_id=place.id), place.name
        case "person":
            return url_for("accounts.person", public_id=place.id), place.name


def _choices() -> list[tuple[str, str]]:
    return [(method, raised(_(words))) for method, words in METHOD_WORDS.items()]


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
def cents(value: int) -> str:
    """« 1234,50 », as a hidden input holds it (`pricing.rules.cents_of`)."""
    return f"{value // 100},{value % 100:02d}"


@blueprint.app_template_filter()
def unit_price(micros: int) -> str:
    """« 9,00 », « 8,3333 » for a unit price in millionths, with as many decimals as it was given."""
    return str(format_decimal(Decimal(micros) / 1_000_000, "#,##0.00####", language())).replace("-", "\u2212")


@blueprint.app_template_filter()
def in_fours(text: str) -> str:
    """An IBAN as people read it aloud."""
    return "\u00a0".join(text[start : start + 4] for start in range(0, len(text), 4))


blueprint.add_app_template_filter(duration)
