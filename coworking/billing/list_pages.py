"""The lists of invoices, payments, charges, reminders, deposits and saved means, as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from coworking.billing.door_models import Deposit
from coworking.billing.drafts import Prepared
from coworking.billing.means_models import SavedMeans
from coworking.billing.models import Charge, Invoice, Payment
from coworking.billing.pages import PAID_WORDS, STATE_WORDS
from coworking.billing.queries import Standing, content
from coworking.billing.reminder_queries import OverduePayer
from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.core.money import Cents
from coworking.core.months import write_month

KIND_WORDS = {"invoice": N_("invoice"), "credit_note": N_("credit note")}

INVOICES: list[Column[Standing]] = [
    Column(N_("Number"), lambda row: row.invoice.number),
    Column(N_("What"), lambda row: _(KIND_WORDS[row.invoice.kind])),
    Column(N_("Issued on"), lambda row: row.invoice.issued_on),
    Column(N_("To be paid by"), lambda row: row.invoice.due_on if row.invoice.kind == "invoice" else None),
    Column(N_("Month"), lambda row: write_month(row.invoice.month)),
    Column(N_("Payer"), lambda row: row.payer_name),
    Column(N_("Net"), lambda row: Cents(row.invoice.net_cents)),
    Column(N_("VAT"), lambda row: Cents(row.invoice.vat_cents)),
    Column(N_("Gross"), lambda row: Cents(row.invoice.gross_cents)),
    Column(N_("Rounding"), lambda row: Cents(row.invoice.rounding_cents)),
    Column(N_("To pay"), lambda row: Cents(row.invoice.payable_cents)),
    Column(N_("Paid"), lambda row: Cents(row.paid_cents)),
    Column(N_("Still owed"), lambda row: Cents(row.open_cents)),
    Column(N_("Currency"), lambda row: row.invoice.currency),
    Column(N_("State"), lambda row: _(STATE_WORDS[row.state][0])),
]

PAYMENTS: list[Column[tuple[Payment, Invoice]]] = [
    Column(N_("Received on"), lambda row: row[0].received_on),
    Column(N_("Invoice"), lambda row: row[1].number),
    Column(N_("Payer"), lambda row: str(content(row[1])["buyer"]["name"])),
    Column(N_("Amount"), lambda row: Cents(row[0].cents)),
    Column(N_("Currency"), lambda row: row[1].currency),
    Column(N_("Means"), lambda row: _(PAID_WORDS[row[0].method])),
    Column(N_("Reference"), lambda row: row[0].reference),
]


class ChargeLine(NamedTuple):
    """A charge of a month about to be issued, and the draft that it stands on."""

    charge: Charge
    draft: Prepared


def charge_lines(prepared: Iterable[Prepared]) -> Iterator[ChargeLine]:
    """Every charge of these drafts, discounts among them, in the order of the page."""
    return (ChargeLine(charge, draft) for draft in prepared for charge in draft.charges)


CHARGES: list[Column[ChargeLine]] = [
    Column(N_("Payer"), lambda row: row.draft.draft.buyer.name),
    Column(N_("Person"), lambda row: row.charge.person.name if row.charge.person else None),
    Column(N_("What"), lambda row: row.charge.label),
    Column(N_("Day"), lambda row: row.charge.day),
    Column(N_("Month"), lambda row: write_month(row.charge.month)),
    Column(N_("Quantity"), lambda row: row.charge.quantity),
    Column(N_("Unit"), lambda row: _(UNIT_WORDS[row.charge.unit])),
    Column(N_("Amount"), lambda row: Cents(row.charge.amount_cents)),
    Column(N_("Price"), lambda row: _("excl. VAT") if row.charge.basis == "ht" else _("incl. VAT")),
    Column(N_("VAT rate (%)"), lambda row: row.charge.vat_rate_bp / 100),
]

UNIT_WORDS = {
    "half_day": N_("half-day"),
    "hour": N_("minutes"),
    "month": N_("month"),
    "year": N_("year"),
    "piece": N_("piece"),
}
"""What the quantity of a charge counts; hours are kept in minutes."""

OVERDUE: list[Column[OverduePayer]] = [
    Column(N_("Payer"), lambda row: row.name),
    Column(N_("Owed"), lambda row: Cents(row.owed_cents)),
    Column(N_("Late since"), lambda row: row.late_since),
    Column(N_("Invoices"), lambda row: ", ".join(one.invoice.number for one in row.invoices)),
    Column(N_("Last reminder"), lambda row: row.last_on),
    Column(N_("Next reminder"), lambda row: row.on),
    Column(N_("E-mail"), lambda row: row.receiver.email if row.receiver else None),
]

DEPOSITS: list[Column[Deposit]] = [
    Column(N_("Person"), lambda row: row.person.name if row.person else None),
    Column(N_("What"), lambda row: row.label),
    Column(N_("Amount"), lambda row: Cents(row.cents)),
    Column(N_("Taken on"), lambda row: row.taken_on),
    Column(N_("Receipt"), lambda row: row.receipt.number),
]

MEANS: list[Column[SavedMeans]] = [
    Column(N_("Payer"), lambda row: (row.payer_organisation or row.payer_person).name),  # type: ignore[union-attr] - one is
    Column(N_("Means"), lambda row: _(PAID_WORDS[row.kind or "card"])),
    Column(N_("Saved on"), lambda row: row.saved_at),
    Column(N_("Valid until"), lambda row: row.expires_on),
]
