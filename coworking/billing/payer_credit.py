"""The payers' credits: what comes in, what is used, what is given back. Only this file writes them.

Each movement is made under the payer's lock (row 2 of `docs/locking.md`), so sixteen who use one credit at once come one
after the other; the database refuses a sum below zero besides.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from coworking.accounts.models import Organisation, Person
from coworking.billing import rules
from coworking.billing.charges import check_manager
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Payment
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payer_credit_queries import credit_left
from coworking.billing.payer_credit_rules import (
    GIVEN_BY,
    CreditAmountInvalid,
    CreditTooSmall,
    CreditUsedMeanwhile,
    GivenByUnknown,
    MovementUndone,
)
from coworking.core import audit
from coworking.core.cash import cash_moved
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import money
from coworking.core.policy import Actor
from coworking.core.units import locked, require_unit, write_unit
from coworking.spaces import queries as spaces


def lock_payer(payer: PayerKey) -> None:
    """Lock the person or organisation whose credit is about to change, before any invoice."""
    person_id, organisation_id = payer
    if organisation_id is not None:
        db.session.execute(locked(select(Organisation).where(Organisation.id == organisation_id)))
    else:
        db.session.execute(locked(select(Person).where(Person.id == person_id))).unique().all()


def receive(actor: Actor, payer: PayerKey, cents: int, day: date, reason: str | None) -> PayerCredit:
    """Add, in the open unit, what came for nothing that is owed; the payer is locked. Audited."""
    return _move(actor, payer, "received", cents, day, reason=reason)


def take(actor: Actor, payer: PayerKey, payment: Payment) -> PayerCredit:
    """Take, in the open unit, what ``payment`` paid of an invoice of the locked payer. Raises `CreditTooSmall`."""
    _check_left(payer, payment.cents)
    db.session.flush()
    return _move(actor, payer, "used", -payment.cents, payment.received_on, payment_id=payment.id)


def undo_use(actor: Actor, payment: Payment) -> None:
    """Give back to the credit, in the open unit, what ``payment`` had taken from it; the payer is locked."""
    used = db.session.scalars(select(PayerCredit).where(PayerCredit.payment_id == payment.id)).one()
    _undo(actor, used)


def undo_receipt(actor: Actor, movement_id: int) -> None:
    """Take back, in the open unit, what came in by mistake; the payer is locked. Raises `CreditUsedMeanwhile`."""
    received = db.session.get_one(PayerCredit, movement_id)
    if credit_left((received.payer_person_id, received.payer_organisation_id)) < received.cents:
        raise CreditUsedMeanwhile()
    _undo(actor, received)


def give_back(actor: Actor, payer: PayerKey, cents: int, given_on: date, method: str, reason: str) -> PayerCredit:
    """Write down that ``cents`` of a credit were given back to the payer, how and why; audited.

    Raises `CreditTooSmall`, `GivenByUnknown`, `ReceivedInFuture`, `ReasonMissing`.
    """
    check_manager(actor)
    if method not in GIVEN_BY:
        raise GivenByUnknown()
    if given_on > spaces.today():
        raise rules.ReceivedInFuture(field="given_on")
    why = rules.check_reason(reason)
    with write_unit():
        lock_payer(payer)
        _check_left(payer, cents)
        given = _move(actor, payer, "given", -cents, given_on, method=method, reason=why)
        if method == "cash":
            cash_moved(actor, "payer_credit", given.id, -cents)
        return given


def undo_giving(actor: Actor, payer: PayerKey, public_id: str) -> PayerCredit:
    """Take back an entry that says that money was given back, typed by mistake; audited. Raises `MovementUndone`."""
    check_manager(actor)
    with write_unit():
        lock_payer(payer)
        given = db.session.scalar(select(PayerCredit).where(PayerCredit.public_id == public_id))
        if given is None or given.kind != "given" or (given.payer_person_id, given.payer_organisation_id) != payer:
            raise NotFound()
        return _undo(actor, given)


def _check_left(payer: PayerKey, cents: int) -> None:
    if cents <= 0:
        raise CreditAmountInvalid()
    left = credit_left(payer)
    if cents > left:
        raise CreditTooSmall(left=money(left, spaces.lieu().currency))


def _undo(actor: Actor, movement: PayerCredit) -> PayerCredit:
    if db.session.scalar(select(PayerCredit.id).where(PayerCredit.reverses_id == movement.id)) is not None:
        raise MovementUndone()
    payer = movement.payer_person_id, movement.payer_organisation_id
    undone = _move(actor, payer, "undone", -movement.cents, spaces.today(), reverses_id=movement.id)
    if movement.method == "cash":
        cash_moved(actor, "payer_credit", undone.id, undone.cents)
    return undone


def _move(actor: Actor, payer: PayerKey, kind: str, cents: int, day: date, **of_kind: object) -> PayerCredit:
    require_unit()
    row = PayerCredit(
        payer_person_id=payer[0],
        payer_organisation_id=payer[1],
        kind=kind,
        cents=cents,
        day=day,
        created_by_id=actor.person_id,
        **of_kind,
    )
    db.session.add(row)
    db.session.flush()
    audit.record(actor, f"billing.credit_{kind}", ("payer_credit", row.id), person_id=payer[0], cents=cents)
    return row
