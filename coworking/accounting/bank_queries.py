"""Reading bank lines: which wait, what they may pay, what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, select
from sqlalchemy.orm import aliased, joinedload

from coworking.accounting import matching_rules
from coworking.accounting.bank_models import BankLine, BankMatch, BankStatement, BankUpload
from coworking.accounting.matching_rules import MoneyIn, OpenInvoice, Proposal, Sureness, propose
from coworking.accounting.payout_matching_rules import ExpectedPayout, propose_payouts
from coworking.accounts.models import Organisation, Person
from coworking.billing import payout_queries
from coworking.billing import queries as billing
from coworking.billing.models import Invoice, Payment
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payout_models import OnlinePayout
from coworking.billing.payout_rules import PayoutTotals
from coworking.core.db import db
from coworking.core.errors import NotFound

PAGE_SIZE = 50

_reversal, _undoing = aliased(Payment), aliased(PayerCredit)

STILL_COUNTS: ColumnElement[bool] = and_(
    ~select(_reversal.id).where(_reversal.reverses_id == BankMatch.payment_id).correlate(BankMatch).exists(),
    ~select(_undoing.id).where(_undoing.reverses_id == BankMatch.credit_id).correlate(BankMatch).exists(),
)
"""Whether what a match did still stands: a payment or a credit may have been taken back elsewhere."""


def _used() -> ScalarSelect[int]:
    """How much of a line is used up."""
    return (
        select(func.coalesce(func.sum(BankMatch.cents), 0))
        .where(BankMatch.line_id == BankLine.id, STILL_COUNTS)
        .correlate(BankLine)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of which ``left_cents`` wait for a person."""

    line: BankLine
    left_cents: int


@dataclass(frozen=True, slots=True)
class ProposedPayout:
    """The payout that a line may be; ``totals`` None: the provider has not said yet what it consists of."""

    payout: OnlinePayout
    sureness: Sureness
    totals: PayoutTotals | None


def _money_in(row: Waiting) -> MoneyIn:
    line = row.line
    return MoneyIn(line.id, line.booked_on, row.left_cents, line.words, line.name, line.iban)


def waiting(*conditions: ColumnElement[bool]) -> list[Waiting]:
    """Money that came and waits for a person, the oldest first (1 statement)."""
    left = BankLine.cents - _used()
    rows = db.session.execute(
        select(BankLine, left)
        .where(BankLine.cents > 0, left > 0, *conditions)
        .order_by(BankLine.booked_on, BankLine.id)
    )
    return [Waiting(line, int(cents)) for line, cents in rows]


def waiting_count() -> tuple[int, int]:
    """How many lines wait, and what they come to (1 statement)."""
    left = (BankLine.cents - _used()).label("left_cents")
    lines = select(left).where(BankLine.cents > 0).subquery()
    found = db.session.execute(
        select(func.count(), func.coalesce(func.sum(lines.c.left_cents), 0)).where(lines.c.left_cents > 0)
    ).one()
    return int(found[0]), int(found[1])


def waiting_state() -> tuple[ScalarSelect[int], ...]:
    """Columns that change whenever `waiting_count` may."""
    newest = (BankLine.id, BankMatch.id, Payment.id, PayerCredit.id)
    return tuple(select(func.max(column)).scalar_subquery() for column in newest)


def line_named(public_id: str) -> Waiting:
    """One line and what is left of it; raises `NotFound`."""
    found = db.session.execute(
        select(BankLine, BankLine.cents - _used()).where(BankLine.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return Waiting(found[0], int(found[1]))


# What may be paid -----------------------------------------------------------------------------------------------------


def open_invoices() -> list[OpenInvoice]:
    """Every invoice on which something is owed, as the rules need it (1 statement)."""
    return [
        OpenInvoice(
            id=row.id,
            public_id=row.public_id,
            number=row.number,
            payer=(row.payer_person_id, row.payer_organisation_id),
            payer_name=row.organisation or f"{row.first_name or ''} {row.last_name or ''}".strip(),
            open_cents=row.open_cents,
            issued_on=row.issued_on,
            due_on=row.due_on,
        )
        for row in db.session.execute(
            select(
                Invoice.id,
                Invoice.public_id,
                Invoice.number,
                Invoice.payer_person_id,
                Invoice.payer_organisation_id,
                Invoice.issued_on,
                Invoice.due_on,
                billing.OPEN_CENTS.label("open_cents"),
                Organisation.name.label("organisation"),
                Person.first_name,
                Person.last_name,
            )
            .outerjoin(Organisation, Organisation.id == Invoice.payer_organisation_id)
            .outerjoin(Person, Person.id == Invoice.payer_person_id)
            .where(*billing.unpaid())
        )
    ]


def known_accounts(ibans: Sequence[str]) -> dict[str, matching_rules.PayerIds]:
    """For whom each of these bank accounts paid last (1 statement)."""
    found: dict[str, matching_rules.PayerIds] = {}
    for start in range(0, len(ibans), 500):
        rows = db.session.execute(
            select(BankLine.iban, Invoice.payer_person_id, Invoice.payer_organisation_id)
            .join(BankMatch, BankMatch.line_id == BankLine.id)
            .join(Payment, Payment.id == BankMatch.payment_id)
            .join(Invoice, Invoice.id == Payment.invoice_id)
            .where(BankLine.iban.in_(ibans[start : start + 500]), STILL_COUNTS)
            .order_by(BankMatch.id)
        )
        found |= {iban: (person_id, organisation_id) for iban, person_id, organisation_id in rows if iban}
    return found


def proposals(rows: Sequence[Waiting]) -> dict[int, list[Proposal]]:
    """By line id what may be paid with it, the surest first (2 statements whatever their number)."""
    lines = [_money_in(row) for row in rows if not row.line.is_reversal]
    if not lines:
        return {}
    ibans = sorted({line.iban for line in lines if line.iban})
    return propose(lines, open_invoices(), known_accounts(ibans))


def expected_payouts() -> list[OnlinePayout]:
    """Payouts that should arrive, or have, and that no line counts as yet (1 statement)."""
    return list(
        db.session.scalars(
            select(OnlinePayout)
            .where(OnlinePayout.state != "failed", OnlinePayout.cents > 0, ~_counted_as())
            .order_by(OnlinePayout.arrives_on, OnlinePayout.id)
        )
    )


def _counted_as() -> ColumnElement[bool]:
    """Whether a bank line counts as the payout."""
    undone = aliased(BankMatch)
    taken_back = select(undone.id).where(undone.reverses_id == BankMatch.id).correlate(BankMatch).exists()
    return (
        select(BankMatch.id).where(BankMatch.payout_id == OnlinePayout.id, ~taken_back).correlate(OnlinePayout).exists()
    )


def payout_matches(payout_ids: Sequence[int]) -> dict[int, BankMatch]:
    """By payout id what counts as it, with its line (1 statement)."""
    undone = aliased(BankMatch)
    rows = db.session.scalars(
        select(BankMatch)
        .where(
            BankMatch.payout_id.in_(payout_ids),
            ~select(undone.id).where(undone.reverses_id == BankMatch.id).correlate(BankMatch).exists(),
        )
        .options(joinedload(BankMatch.line))
    )
    return {row.payout_id: row for row in rows if row.payout_id is not None}


def payout_proposals(rows: Sequence[Waiting]) -> dict[int, ProposedPayout]:
    """By line id the payout that it may be, with what that consists of (at most 2 statements)."""
    lines = [_money_in(row) for row in rows if not row.line.is_reversal]
    payouts = {row.id: row for row in expected_payouts()} if lines else {}
    expected = [
        ExpectedPayout(row.id, row.gateway, row.cents, row.arrives_on, row.reference) for row in payouts.values()
    ]
    found = propose_payouts(lines, expected)
    sums = payout_queries.totals_of([payouts[one.payout_id] for one in found.values()]) if found else {}
    return {
        line_id: ProposedPayout(payouts[one.payout_id], one.sureness, sums.get(one.payout_id))
        for line_id, one in found.items()
    }


# What became of it ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Matched:
    """A match of a line, with the invoice or payer that it is for; ``counts``: whether it still stands."""

    match: BankMatch
    invoice: Invoice | None
    payer_name: str | None
    counts: bool


def matches_of(line_ids: Sequence[int]) -> dict[int, list[Matched]]:
    """By line id what people said of these lines, in that order (1 statement)."""
    undone = aliased(BankMatch)
    taken_back = select(undone.id).where(undone.reverses_id == BankMatch.id).correlate(BankMatch).exists()
    rows = db.session.execute(
        select(
            BankMatch, Invoice, and_(STILL_COUNTS, ~taken_back), Organisation.name, Person.first_name, Person.last_name
        )
        .outerjoin(Payment, Payment.id == BankMatch.payment_id)
        .outerjoin(Invoice, Invoice.id == Payment.invoice_id)
        .outerjoin(PayerCredit, PayerCredit.id == BankMatch.credit_id)
        .outerjoin(
            Organisation,
            Organisation.id == func.coalesce(Invoice.payer_organisation_id, PayerCredit.payer_organisation_id),
        )
        .outerjoin(Person, Person.id == func.coalesce(Invoice.payer_person_id, PayerCredit.payer_person_id))
        .where(BankMatch.line_id.in_(line_ids), BankMatch.kind != "undone")
        .options(joinedload(BankMatch.payout))
        .order_by(BankMatch.id)
    )
    found: dict[int, list[Matched]] = defaultdict(list)
    for match, invoice, counts, organisation, first, last in rows:
        name = organisation or (f"{first} {last}" if last else None)
        found[match.line_id].append(Matched(match, invoice, name, bool(counts)))
    return found


def recent(before: int | None = None, *, limit: int = PAGE_SIZE) -> list[Waiting]:
    """Lines, the newest read first, with what is left of each (1 statement)."""
    older = () if before is None else (BankLine.id < before,)
    rows = db.session.execute(
        select(BankLine, BankLine.cents - _used()).where(*older).order_by(BankLine.id.desc()).limit(limit)
    )
    return [Waiting(line, int(left)) for line, left in rows]


def returned() -> list[BankLine]:
    """Money that the bank took back in the last statements: someone looks whether it had paid something."""
    return list(
        db.session.scalars(
            select(BankLine)
            .where(BankLine.is_reversal, BankLine.cents < 0)
            .order_by(BankLine.booked_on.desc(), BankLine.id.desc())
            .limit(5)
        )
    )


def statements(limit: int = 12) -> list[BankStatement]:
    """The statements read last."""
    return list(db.session.scalars(select(BankStatement).order_by(BankStatement.id.desc()).limit(limit)))


def columns_before(layout: str) -> str | None:
    """Which column was what in the last statement that looked the same."""
    return db.session.scalar(
        select(BankStatement.columns).where(BankStatement.layout == layout).order_by(BankStatement.id.desc()).limit(1)
    )


def accounts_read() -> set[str]:
    """The accounts of which statements were read."""
    return set(db.session.scalars(select(BankStatement.account).distinct()))


def upload_named(public_id: str) -> BankUpload:
    """A file whose columns are to be chosen; raises `NotFound`."""
    found = db.session.scalar(select(BankUpload).where(BankUpload.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def newest_day() -> date | None:
    """The day of the newest movement known."""
    return db.session.scalar(select(func.max(BankLine.booked_on)))


def search_open(text: str, limit: int = 20) -> list[OpenInvoice]:
    """Open invoices whose number or payer holds every word of ``text``."""
    words = [word for word in matching_rules.capitals(text).split() if word]
    found = [
        one
        for one in open_invoices()
        if all(word in matching_rules.capitals(f"{one.number} {one.payer_name}") for word in words)
    ]
    return sorted(found, key=lambda one: (one.due_on, one.id))[:limit]
