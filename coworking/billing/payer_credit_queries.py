"""Reading payers' credits."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice
from coworking.billing.payer_credit_models import PayerCredit
from coworking.core.db import db
from coworking.core.errors import NotFound

_undoing = aliased(PayerCredit)


def of_payer(payer: PayerKey, model: type[PayerCredit] | type[Invoice] = PayerCredit) -> ColumnElement[bool]:
    """The condition that a row of ``model`` is of ``payer``."""
    person_id, organisation_id = payer
    if organisation_id is not None:
        return model.payer_organisation_id == organisation_id
    return model.payer_person_id == person_id


def payer_of(invoice_public_id: str) -> PayerKey:
    """Who pays the document; raises `NotFound`."""
    found = db.session.execute(
        select(Invoice.payer_person_id, Invoice.payer_organisation_id).where(Invoice.public_id == invoice_public_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found[0], found[1]


def payer_of_movement(movement_id: int) -> PayerKey:
    """Whose credit a movement is of."""
    row = db.session.get_one(PayerCredit, movement_id)
    return row.payer_person_id, row.payer_organisation_id


def credit_left(payer: PayerKey) -> int:
    """What is left of a payer's credit, in cents (1 statement)."""
    return db.session.scalar(select(func.coalesce(func.sum(PayerCredit.cents), 0)).where(of_payer(payer))) or 0


def credits_left() -> dict[PayerKey, int]:
    """Every payer's credit that is not used up (1 statement)."""
    payer = (PayerCredit.payer_person_id, PayerCredit.payer_organisation_id)
    left = func.sum(PayerCredit.cents)
    rows = db.session.execute(select(*payer, left).group_by(*payer).having(left > 0))
    return {(person_id, organisation_id): int(cents) for person_id, organisation_id, cents in rows}


def movements(payer: PayerKey) -> list[tuple[PayerCredit, bool]]:
    """Every movement of a payer's credit, the oldest first, and whether it was undone."""
    undone = select(_undoing.id).where(_undoing.reverses_id == PayerCredit.id).exists()
    rows = db.session.execute(select(PayerCredit, undone).where(of_payer(payer)).order_by(PayerCredit.id))
    return [(row, bool(is_undone)) for row, is_undone in rows]
