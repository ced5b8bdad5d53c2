"""What a person says of a bank line: it pays invoices, it becomes a credit, it is no payment; and taking that back.

Locks, in this order: the payers, the line, the payout, the invoices by id (`docs/locking.md`). Payments are written by
billing alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import select

from coworking.accounting import bank_queries
from coworking.accounting.bank_models import BankLine, BankMatch
from coworking.accounting.confirming_rules import (
    AlreadyUndone,
    LineUsedUp,
    NoPart,
    NotMoneyIn,
    PartsDisagree,
    PayoutDisagrees,
    PayoutTaken,
)
from coworking.accounting.statement_rules import one_line
from coworking.billing import payer_credit, paying
from coworking.billing.account_queries import payer_named
from coworking.billing.charges import check_manager
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice, Payment
from coworking.billing.payer_credit_queries import payer_of_movement
from coworking.billing.payout_models import OnlinePayout
from coworking.billing.payout_queries import payout_named
from coworking.billing.rules import check_reason
from coworking.core import audit
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import money
from coworking.core.policy import SYSTEM, Actor
from coworking.core.units import locked, write_unit
from coworking.spaces import queries as spaces

Part = tuple[str, int]
"""An invoice's public id, and how many cents of the line pay it."""

_REFERENCE = 80


def confirm(
    actor: Actor, line: str, parts: Sequence[Part], *, credit_to: str | None = None, whole: bool = False
) -> list[BankMatch]:
    """Pay invoices with a line (its public id), dated by the bank; audited.

    ``credit_to``: the payer (their public id) whose credit the rest becomes; without one the rest goes on waiting.
    ``whole``: nothing may be left. Raises `LineUsedUp`, `PartsDisagree`, `PaidTooMuch`, `NoPart`, `NotFound`.
    """
    check_manager(actor)
    if not parts and credit_to is None:
        raise NoPart()
    if any(cents <= 0 for _invoice, cents in parts) or len({invoice for invoice, _cents in parts}) != len(parts):
        raise PartsDisagree()
    wanted, receiver = dict(parts), payer_named(credit_to)[0] if credit_to else None
    payers = _payers_of(list(wanted))
    if len(payers) != len(wanted):
        raise NotFound()
    everyone: set[PayerKey] = set(payers.values()) | ({receiver} if receiver is not None else set())
    with write_unit():
        for payer in sorted(everyone, key=_lock_order):
            payer_credit.lock_payer(payer)
        row, left = _locked_line(line)
        paid = sum(wanted.values())
        if paid > left or (whole and paid != left):
            raise LineUsedUp(left=money(max(left, 0), spaces.lieu().currency))
        invoices = db.session.scalars(
            locked(select(Invoice).where(Invoice.public_id.in_(wanted), Invoice.kind == "invoice").order_by(Invoice.id))
        ).all()
        if len(invoices) != len(wanted):
            raise NotFound()
        made = [_pay(actor, row, invoice, wanted[invoice.public_id]) for invoice in invoices]
        if receiver is not None and left > paid:
            made.append(_credit(actor, row, receiver, left - paid))
        elif receiver is not None and not parts:
            raise LineUsedUp(left=money(max(left, 0), spaces.lieu().currency))
        return made


def set_aside(actor: Actor, line: str, kind: str, reason: str | None = None) -> BankMatch:
    """Say that the rest of a line pays nothing that was owed: ``other``, with a reason, or a provider's ``payout``."""
    check_manager(actor)
    why = check_reason(reason or "") if kind == "other" else None
    with write_unit():
        row, left = _locked_line(line)
        if left <= 0:
            raise LineUsedUp(left=money(0, spaces.lieu().currency))
        return _match(actor, row, kind, left, reason=why)


def confirm_payout(actor: Actor, line: str, payout: str) -> BankMatch:
    """Say that a line is a payout (its public id), whole; audited. Raises `PayoutDisagrees`, `PayoutTaken`, `NotFound`."""
    check_manager(actor)
    with write_unit():
        row, left = _locked_line(line)
        this = locked(select(OnlinePayout).where(OnlinePayout.public_id == payout))
        paid_out = db.session.scalars(this).one_or_none()
        if paid_out is None:
            raise NotFound()
        if bank_queries.payout_matches([paid_out.id]):
            raise PayoutTaken()
        if (paid_out.cents, paid_out.state == "failed") != (left, False):
            raise PayoutDisagrees(amount=money(paid_out.cents, paid_out.currency))
        return _match(actor, row, "payout", left, payout_id=paid_out.id)


def undo_failed_payout(public_id: str) -> None:
    """Let the line wait again that counted as a payout which failed since. Twice is fine."""
    paid_out = payout_named(public_id)
    match = bank_queries.payout_matches([paid_out.id]).get(paid_out.id)
    if match is None or paid_out.state != "failed":
        return
    line, match_id = match.line.public_id, match.id
    with suppress(AlreadyUndone):
        _undo_setting_aside(SYSTEM, line, match_id)


def undo(actor: Actor, line: str, match: str) -> None:
    """Take back what was said of a line: by a counter-entry, after which it waits again. Raises `AlreadyUndone`."""
    check_manager(actor)
    row = bank_queries.line_named(line).line
    found = next(
        (one for one in bank_queries.matches_of([row.id]).get(row.id, ()) if one.match.public_id == match), None
    )
    if found is None:
        raise NotFound()
    if not found.counts:
        raise AlreadyUndone()
    if found.invoice is not None:
        payment = db.session.get_one(Payment, found.match.payment_id)
        paying.correct_payment(actor, found.invoice.public_id, payment.public_id)
    elif found.match.credit_id is not None:
        _undo_credit(actor, found.match.credit_id)
    else:
        _undo_setting_aside(actor, line, found.match.id)


def _undo_credit(actor: Actor, credit_id: int) -> None:
    payer = payer_of_movement(credit_id)
    with write_unit():
        payer_credit.lock_payer(payer)
        payer_credit.undo_receipt(actor, credit_id)


def _undo_setting_aside(actor: Actor, line: str, match_id: int) -> None:
    with write_unit():
        row, _left = _locked_line(line)
        if db.session.scalar(select(BankMatch.id).where(BankMatch.reverses_id == match_id)) is not None:
            raise AlreadyUndone()
        _match(actor, row, "undone", -db.session.get_one(BankMatch, match_id).cents, reverses_id=match_id)


# Within the unit ------------------------------------------------------------------------------------------------------


def _payers_of(invoices: Sequence[str]) -> dict[str, PayerKey]:
    rows = db.session.execute(
        select(Invoice.public_id, Invoice.payer_person_id, Invoice.payer_organisation_id).where(
            Invoice.public_id.in_(invoices)
        )
    )
    return {public_id: (person_id, organisation_id) for public_id, person_id, organisation_id in rows}


def _lock_order(payer: PayerKey) -> tuple[bool, int]:
    """Organisations before people, each by id."""
    person_id, organisation_id = payer
    return organisation_id is None, organisation_id or person_id or 0


def _locked_line(public_id: str) -> tuple[BankLine, int]:
    """The line under a lock, and what is left of it."""
    row = db.session.scalars(locked(select(BankLine).where(BankLine.public_id == public_id))).one_or_none()
    if row is None:
        raise NotFound()
    if row.cents < 0:
        raise NotMoneyIn()
    return row, bank_queries.line_named(public_id).left_cents


def _pay(actor: Actor, line: BankLine, invoice: Invoice, cents: int) -> BankMatch:
    received_on = min(line.booked_on, spaces.today())
    reference = one_line(line.text or line.name, most=_REFERENCE)
    payment = paying.add_payment(actor, invoice, cents, received_on, "transfer", reference)
    db.session.flush()
    return _match(actor, line, "payment", cents, payment_id=payment.id)


def _credit(actor: Actor, line: BankLine, payer: PayerKey, cents: int) -> BankMatch:
    day, why = min(line.booked_on, spaces.today()), one_line(line.text or line.name, most=_REFERENCE)
    movement = payer_credit.receive(actor, payer, cents, day, why or None)
    return _match(actor, line, "credit", cents, credit_id=movement.id)


def _match(actor: Actor, line: BankLine, kind: str, cents: int, **of_kind: object) -> BankMatch:
    row = BankMatch(line_id=line.id, kind=kind, cents=cents, created_by_id=actor.person_id, **of_kind)
    db.session.add(row)
    db.session.flush()
    audit.record(actor, f"accounting.line_{kind}", ("bank_line", line.id), cents=cents)
    return row
