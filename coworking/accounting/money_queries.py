"""Who owes what, since when, and what is being done about it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ScalarSelect, func, select

from coworking.accounting import bank_queries
from coworking.accounting.bank_queries import Waiting
from coworking.accounting.matching_rules import OpenInvoice, Proposal
from coworking.billing import queries as billing
from coworking.billing.account_queries import public_ids_of
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart
from coworking.billing.online_queries import open_disputes
from coworking.billing.payer_credit_queries import credits_left
from coworking.billing.reminder_queries import OverduePayer, overdue
from coworking.billing.reminder_step_queries import Reminding, reminding
from coworking.core.db import db


@dataclass(slots=True)
class Owing:
    """A payer who owes something. ``late_since``: the oldest day by which they should have paid, where it is over.

    ``pending_cents``: of a debit that the bank has not answered; ``found``: a bank line that may pay it;
    ``credit_cents``: of their own, not used yet; ``disputed_cents``: that their bank wants back, undecided;
    ``reminded``: how reminders stand, where something is overdue.
    """

    payer: PayerKey
    name: str
    public_id: str
    invoices: list[OpenInvoice] = field(default_factory=list[OpenInvoice])
    late_since: date | None = None
    late_cents: int = 0
    pending_cents: int = 0
    disputed_cents: int = 0
    credit_cents: int = 0
    reminded: OverduePayer | None = None
    found: tuple[Waiting, Proposal] | None = None

    @property
    def owed_cents(self) -> int:
        return sum(invoice.open_cents for invoice in self.invoices)

    @property
    def is_under_way(self) -> bool:
        """Whether all that is owed is being debited: there is nothing to do but wait."""
        return self.pending_cents >= self.owed_cents


@dataclass(frozen=True, slots=True)
class MoneyDue:
    """Everyone who owes something: late first, the longest first. ``waiting_count``: bank lines that wait for a person;
    ``disputed_cents``: what payers' banks want back, paid or owed again; ``ever``: whether an invoice was ever issued."""

    payers: list[Owing]
    waiting_count: int
    waiting_cents: int
    disputed_cents: int
    reminding: Reminding
    ever: bool

    @property
    def owed_cents(self) -> int:
        return sum(one.owed_cents for one in self.payers)

    @property
    def late(self) -> list[Owing]:
        return [one for one in self.payers if one.late_since is not None]

    @property
    def late_cents(self) -> int:
        return sum(one.late_cents for one in self.payers)

    @property
    def pending_cents(self) -> int:
        return sum(one.pending_cents for one in self.payers)


def money_due(today: date) -> MoneyDue:
    """Who owes what, in a fixed number of statements."""
    invoices, credits, pending = bank_queries.open_invoices(), credits_left(), _pending()
    disputed, chosen = _disputed(), reminding()
    reminded = {one.payer: one for one in overdue(today, None, chosen)}
    by_payer: dict[PayerKey, list[OpenInvoice]] = defaultdict(list)
    for invoice in sorted(invoices, key=lambda one: (one.due_on, one.id)):
        by_payer[invoice.payer].append(invoice)
    ids, waiting = public_ids_of(by_payer.keys()), bank_queries.waiting()
    found: dict[PayerKey, tuple[Waiting, Proposal]] = {}
    proposed = bank_queries.proposals(waiting)
    for row in waiting:
        for proposal in proposed.get(row.line.id, ())[:1]:
            found.setdefault(proposal.payer, (row, proposal))
    payers = [
        Owing(
            payer=payer,
            name=owed[0].payer_name,
            public_id=ids[payer],
            invoices=owed,
            late_since=owed[0].due_on if owed[0].due_on < today else None,
            late_cents=sum(one.open_cents for one in owed if one.due_on < today),
            pending_cents=sum(pending.get(one.id, 0) for one in owed),
            disputed_cents=sum(disputed.get(one.id, 0) for one in owed),
            credit_cents=credits.get(payer, 0),
            reminded=reminded.get(payer),
            found=found.get(payer),
        )
        for payer, owed in by_payer.items()
    ]
    payers.sort(key=lambda one: (one.late_since is None, one.late_since or one.invoices[0].due_on, one.name))
    ever = bool(payers) or bool(db.session.scalar(select(select(Invoice.id).exists())))
    waiting_cents, disputed_cents = sum(row.left_cents for row in waiting), sum(disputed.values())
    return MoneyDue(payers, len(waiting), waiting_cents, disputed_cents, chosen, ever)


def _disputed() -> dict[int, int]:
    """By invoice id what payers' banks want back and nobody decided yet; of several invoices paid at once, at the first."""
    found: dict[int, int] = defaultdict(int)
    for dispute in open_disputes():
        if dispute.payment.parts:
            found[dispute.payment.parts[0].invoice_id] += dispute.cents
    return found


def _pending() -> dict[int, int]:
    """By invoice id what a bank has still to answer."""
    rows = db.session.execute(
        select(OnlinePaymentPart.invoice_id, func.sum(OnlinePaymentPart.cents))
        .join(OnlinePayment, OnlinePayment.id == OnlinePaymentPart.online_payment_id)
        .where(OnlinePayment.state == "pending")
        .group_by(OnlinePaymentPart.invoice_id)
    )
    return {invoice_id: int(cents) for invoice_id, cents in rows}


def late_payers(today: date) -> int:
    """How many payers should have paid something before ``today`` (1 statement)."""
    payers = (
        select(Invoice.payer_person_id, Invoice.payer_organisation_id)
        .where(*billing.unpaid(), Invoice.due_on < today)
        .distinct()
        .subquery()
    )
    return db.session.scalar(select(func.count()).select_from(payers)) or 0


def money_state() -> tuple[ScalarSelect[int], ...]:
    """Columns that change whenever `late_payers` or the bank lines that wait may, within a day."""
    return (*bank_queries.waiting_state(), select(func.max(Invoice.id)).scalar_subquery())
