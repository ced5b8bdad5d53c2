"""Promise 3 on the live data: what was issued is as it was, counted without gaps, and adds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from coworking.billing import credit_rules, documents, queries, rules, services
from coworking.billing.models import Charge, Invoice, InvoiceCounter, Payment
from coworking.billing.online_models import (
    OnlineDispute,
    OnlinePayment,
    OnlinePaymentPart,
    OnlinePaymentStep,
    OnlineRefund,
)
from coworking.billing.payer_credit_models import PayerCredit
from coworking.booking.models import Booking
from coworking.core.checks import check
from coworking.core.db import db
from coworking.core.keyring import public_keys
from coworking.core.months import month_of, write_month
from coworking.pricing.models import Sale
from coworking.pricing.rules import PricedLine, totals
from coworking.residents.models import Residency
from coworking.residents.rules import month_cents, months_due
from coworking.spaces import queries as spaces


def _documents() -> Iterator[Invoice]:
    """Every document in the order of issue, a few at a time."""
    yield from db.session.scalars(select(Invoice).order_by(Invoice.seq).execution_options(yield_per=500))


@check(3, "issued documents form one signed chain without a gap")
def chained() -> Iterator[str]:
    yield from services.chain_problems(public_keys())
    last = db.session.scalar(select(InvoiceCounter.last).where(InvoiceCounter.series == rules.CHAIN)) or 0
    count = db.session.scalar(select(func.count(Invoice.id))) or 0
    if last > count:
        yield f"{last - count} documents that were counted are not there"
    if last < count:
        yield f"{count - last} documents that are there were not counted"


@check(3, "documents are numbered from 1 in each series, in the order of their issue")
def numbered() -> Iterator[str]:
    expected: dict[str, int] = {}
    broken: set[str] = set()
    for row in _documents():
        kind: rules.DocumentKind = "invoice" if row.kind == "invoice" else "credit_note"
        series = rules.series_of(kind, row.issued_on)
        expected[series] = expected.get(series, 0) + 1
        if series not in broken and row.number != rules.number_of(series, expected[series]):
            broken.add(series)  # those behind it stand a place off too
            yield f"{row.number} stands where {rules.number_of(series, expected[series])} should"


@check(3, "each document's sums are its lines', and its columns are its content's")
def adding_up() -> Iterator[str]:
    for row in _documents():
        content = queries.content(row)
        try:
            documents.check_amounts(content)
        except rules.AmountsDisagree:
            yield f"{row.number} does not add up"
        if any(getattr(row, name) != content[name] for name in (*documents.SUMS, "number", "seq", "kind")):
            yield f"{row.number} says other amounts than its content"


@check(3, "what is billed is what was charged, and nothing is paid beyond what is owed")
def charged() -> Iterator[str]:
    quoted = db.session.execute(
        select(Invoice.number, Invoice.payable_cents, Charge.vat_rate_bp, Charge.basis, func.sum(Charge.amount_cents))
        .join(Charge, Charge.invoice_id == Invoice.id)
        .where(Invoice.kind == "invoice")
        .group_by(Invoice.id, Invoice.number, Invoice.payable_cents, Charge.vat_rate_bp, Charge.basis)
        .order_by(Invoice.id)
        .execution_options(yield_per=1000)
    )
    for (number, payable), rows in groupby(quoted, key=lambda row: (row[0], row[1])):
        lines = [PricedLine(amount, rate, "ht" if basis == "ht" else "ttc") for _n, _p, rate, basis, amount in rows]
        if payable != (owed := totals(lines).payable_cents):
            yield f"{number} bills {payable} and its charges come to {owed}"
    paid = select(func.coalesce(func.sum(Payment.cents), 0)).where(Payment.invoice_id == Invoice.id).scalar_subquery()
    # What was refunded by hand and then taken back by the payer's bank went back twice.
    taken_back = (
        select(OnlineDispute.id)
        .join(OnlinePaymentPart, OnlinePaymentPart.online_payment_id == OnlineDispute.online_payment_id)
        .where(OnlinePaymentPart.invoice_id == Invoice.id, OnlineDispute.state == "lost")
        .exists()
    )
    yield from (
        f"{number} was paid {amount} of {payable}"
        for number, payable, amount, is_taken_back in db.session.execute(
            select(Invoice.number, Invoice.payable_cents, paid, taken_back)
            .where(Invoice.kind == "invoice")
            .execution_options(yield_per=1000)
        )
        if amount > payable or (amount < 0 and not is_taken_back)
    )


@check(3, "a discount takes off no more than its charge, and is billed with it")
def discounted() -> Iterator[str]:
    reduced = aliased(Charge)
    rows = db.session.execute(
        select(
            Charge.public_id,
            Charge.amount_cents,
            reduced.amount_cents,
            Charge.invoice_id.is_not_distinct_from(reduced.invoice_id)
            & Charge.payer_person_id.is_not_distinct_from(reduced.payer_person_id)
            & Charge.payer_organisation_id.is_not_distinct_from(reduced.payer_organisation_id)
            & (Charge.vat_rate_bp == reduced.vat_rate_bp)
            & (Charge.basis == reduced.basis),
        )
        .outerjoin(reduced, reduced.id == Charge.source_id)
        .where(Charge.source == "discount")
        .order_by(Charge.id)
        .execution_options(yield_per=1000)
    )
    for public_id, cents, whole, together in rows:
        if whole is None:
            yield f"the discount {public_id} is on a charge that is not there"
        elif -cents > whole:
            yield f"the discount {public_id} takes {-cents} off {whole}"
        elif not together:
            yield f"the discount {public_id} is not on the invoice of what it reduces, or not to its payer, rate and basis"


@check(3, "each month of an assigned place is charged once, at what was agreed")
def assigned_charged() -> Iterator[str]:
    """Those that were begun yesterday or before: charges are gathered every ten minutes."""
    if spaces.lieu_or_none() is None:
        return
    yesterday = spaces.today() - timedelta(days=1)
    charged = {
        (source_id, month): (cents, payer)
        for source_id, month, cents, *payer in db.session.execute(
            select(
                Charge.source_id,
                Charge.month,
                Charge.amount_cents,
                Charge.payer_person_id,
                Charge.payer_organisation_id,
            ).where(Charge.source == "place")
        )
    }
    for row in db.session.scalars(select(Residency).order_by(Residency.id).execution_options(yield_per=500)):
        begun = row.withdrawn_at is None and row.first_day <= yesterday and row.monthly_cents > 0
        for month in months_due(row.terms, month_of(yesterday)) if begun else []:
            wanted = month_cents(row.terms, month)
            found, payer = charged.pop((row.id, month), (0, [row.person_id, row.organisation_id]))
            if found != wanted or payer != [row.person_id, row.organisation_id]:
                yield f"residency {row.id}: {write_month(month)} costs {wanted} and {found} is charged"
        for month in [use for held, use in charged if held == row.id]:
            found, _payer = charged.pop((row.id, month))
            if row.withdrawn_at is not None or found != month_cents(row.terms, month):
                yield f"residency {row.id}: {found} is charged for {write_month(month)}"
    for held, month in sorted(charged):
        yield f"residency {held} is charged for {write_month(month)} and is not there"


@check(3, "credit notes take back no more of a line than its invoice holds")
def credited() -> Iterator[str]:
    original = aliased(Invoice)
    rows = db.session.execute(
        select(original.number, original.payload, Invoice.payload)
        .join(original, Invoice.corrects_id == original.id)
        .order_by(original.id, Invoice.seq)
        .execution_options(yield_per=500)
    )
    for (number, payload), notes in groupby(rows, key=lambda row: (row[0], row[1])):
        taken = credit_rules.taken_by(json.loads(note) for _number, _payload, note in notes)
        lines = [line["amount_cents"] for line in json.loads(payload)["lines"]]
        for place, cents in taken.items():
            billed = lines[place] if place < len(lines) else 0
            if cents * billed < 0 or abs(cents) > abs(billed):
                yield f"credit notes take back {cents} of {billed} on line {place + 1} of {number}"


@check(3, "what arrived through a gateway stands on its invoices at most once, and its history says how")
def paid_online() -> Iterator[str]:
    parts = (
        select(func.coalesce(func.sum(OnlinePaymentPart.cents), 0))
        .where(OnlinePaymentPart.online_payment_id == OnlinePayment.id)
        .scalar_subquery()
    )
    taken = (
        select(func.coalesce(func.sum(Payment.cents), 0))
        .where(Payment.online_payment_id == OnlinePayment.id)
        .scalar_subquery()
    )
    given = (
        select(func.coalesce(func.sum(OnlineRefund.cents), 0))
        .where(OnlineRefund.online_payment_id == OnlinePayment.id, OnlineRefund.state.is_distinct_from("failed"))
        .scalar_subquery()
    )
    lost = (
        select(func.coalesce(func.sum(OnlineDispute.cents), 0))
        .where(OnlineDispute.online_payment_id == OnlinePayment.id, OnlineDispute.state == "lost")
        .scalar_subquery()
    )
    newest = (
        select(OnlinePaymentStep.state)
        .where(OnlinePaymentStep.online_payment_id == OnlinePayment.id)
        .order_by(OnlinePaymentStep.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            OnlinePayment.public_id,
            OnlinePayment.state,
            OnlinePayment.cents,
            parts,
            taken,
            given + lost,
            newest,
            OnlinePayment.sale_id,
        )
        .order_by(OnlinePayment.id)
        .execution_options(yield_per=1000)
    )
    for public_id, state, cents, asked, paid, gone, step, sale_id in rows:
        if asked != cents and not (sale_id is not None and asked == 0):  # a sale has no invoice before it is paid
            yield f"the online payment {public_id} is of {cents} and its parts come to {asked}"
        if paid > max((cents if state == "paid" else 0) - gone, 0):
            yield f"the online payment {public_id}, {state}, pays {paid} of {cents}, of which {gone} went back"
        if step != state:
            yield f"the online payment {public_id} is {state} and its history says {step}"


@check(3, "what must be paid first counts once it is paid, and not before")
def sold() -> Iterator[str]:
    brought = select(OnlinePayment.id).where(OnlinePayment.sale_id == Sale.id, OnlinePayment.state == "paid").exists()
    for public_id in db.session.scalars(select(Sale.public_id).where(Sale.state == "paid", ~brought).order_by(Sale.id)):
        yield f"the sale {public_id} is paid and no money came for it"
    for public_id in db.session.scalars(select(Sale.public_id).where(Sale.state == "open", brought).order_by(Sale.id)):
        yield f"the sale {public_id} is open and its money came"
    counted = (
        select(Booking.public_id, Booking.status, Sale.state)
        .join(Sale, Sale.id == Booking.sale_id)
        .where(
            or_(
                (Booking.status == "held") & (Sale.state != "open"),
                (Booking.status == "confirmed") & Sale.state.not_in(("paid", "refunded")),
            )
        )
        .order_by(Booking.id)
    )
    for public_id, status, state in db.session.execute(counted):
        yield f"the booking {public_id} is {status} and its sale is {state}"


@check(3, "a payer's credit never falls below zero, and what it paid stands on the payer's own invoices")
def credit() -> Iterator[str]:
    payer = (PayerCredit.payer_person_id, PayerCredit.payer_organisation_id)
    left = func.sum(PayerCredit.cents).over(partition_by=payer, order_by=PayerCredit.id)
    for public_id, cents in db.session.execute(
        select(PayerCredit.public_id, left).order_by(PayerCredit.id).execution_options(yield_per=1000)
    ):
        if cents < 0:
            yield f"payer_credit {public_id} uses more than there is: {cents} are left"
    paid = db.session.execute(
        select(Invoice.number, Payment.cents, PayerCredit.cents)
        .select_from(Payment)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .outerjoin(
            PayerCredit,
            (PayerCredit.payment_id == Payment.id)
            & or_(
                PayerCredit.payer_person_id == Invoice.payer_person_id,
                PayerCredit.payer_organisation_id == Invoice.payer_organisation_id,
            ),
        )
        .where(Payment.method == "credit", Payment.cents > 0)
        .execution_options(yield_per=1000)
    )
    for number, cents, taken in paid:
        if taken != -cents:
            yield f"{number} was paid {cents} out of a credit that lost {-(taken or 0)}"
    reversal, undoing = aliased(Payment), aliased(PayerCredit)
    undone = db.session.execute(
        select(PayerCredit.public_id, reversal.id, undoing.id)
        .outerjoin(reversal, reversal.reverses_id == PayerCredit.payment_id)
        .outerjoin(undoing, undoing.reverses_id == PayerCredit.id)
        .where(PayerCredit.kind == "used", reversal.id.is_(None) != undoing.id.is_(None))
    )
    yield from (
        f"payer_credit {public_id} and the payment that it made were not undone together" for public_id, *_ in undone
    )
