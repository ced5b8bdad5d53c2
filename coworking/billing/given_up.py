"""What was charged for a half-day or a room that was given up since: its quote is released, so it is owed no longer.

Only a sale at the door charges a use before its day is over, while it can still be cancelled in time, moved, or paid by
another. What is paid first has a sale of its own that tells of it (`coworking.core.sales.CHANGED`).

A cancellation that is taken back is a new quote on the terms of the old one, and so is a move to another desk: what was
paid for the old one stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import aliased

from coworking.billing.door_models import DoorSale
from coworking.billing.models import Charge, Invoice
from coworking.core.db import db
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces

LOOK_BACK = timedelta(days=92)
"""How far back uses that were given up are looked for: a server that slept for a season catches up."""

_SAME = ("person_id", "payer_person_id", "unit", "day", "starts_at", "ends_at", "amount_cents", "basis", "vat_rate_bp")
"""What a use that came back has in common with the one that was given up."""


def taken_back(charge: Any) -> ScalarSelect[Any]:
    """The id of the quote that a ``charge`` stands for since its own was given up: the first one on the same terms, charged
    by nothing else. None where there is none, where nothing was paid at the door, or where it was credited."""
    was, again, other, note = aliased(Quote), aliased(Quote), aliased(Charge), aliased(Invoice)
    same = (getattr(was, name) == getattr(again, name) for name in _SAME)
    there = or_(was.unit == "half_day", was.resource_id == again.resource_id)  # an invoice names rooms, not desks
    return (
        select(func.min(again.id))
        .join(was, and_(*same, there, was.id < again.id))
        .where(
            was.id == charge.source_id,
            charge.source == "quote",
            was.state == "released",
            again.state.in_(("live", "kept")),
            select(DoorSale.id).where(DoorSale.invoice_id == charge.invoice_id).exists(),
            ~select(note.id).where(note.corrects_id == charge.invoice_id).exists(),
            ~select(other.id).where(other.source == "quote", other.source_id == again.id).exists(),
        )
        .correlate(charge)
        .scalar_subquery()
    )


def is_charged() -> ColumnElement[bool]:
    """The condition that a `Quote` is charged, by a charge of its own or by one that stands for it (`taken_back`)."""
    own, former, was = aliased(Charge), aliased(Charge), aliased(Quote)
    return or_(
        select(own.id).where(own.source == "quote", own.source_id == Quote.id).correlate(Quote).exists(),
        select(former.id)
        .join(was, was.id == former.source_id)
        .where(
            former.source == "quote",
            was.person_id == Quote.person_id,
            was.day == Quote.day,
            taken_back(former) == Quote.id,
        )
        .correlate(Quote)
        .exists(),
    )


def is_given_up() -> ColumnElement[bool]:
    """The condition that a charge is for what was given up, also where it bills that once more."""
    first, again = aliased(Charge), aliased(Charge)
    found: Any = (
        select(first.id.label("id"))
        .join(Quote, Quote.id == first.source_id)
        .where(first.source == "quote", Quote.state == "released", Quote.day >= spaces.today() - LOOK_BACK)
        .where(taken_back(first).is_(None))
        .cte("given_up", recursive=True)
    )
    found = found.union_all(select(again.id).where(again.source == "rebill", again.source_id == found.c.id))
    return Charge.id.in_(select(found.c.id))


def still_open() -> Sequence[Charge]:
    """What was given up and is neither invoiced nor waived (1 statement)."""
    waiver = aliased(Charge)
    waived = select(waiver.id).where(waiver.source == "waiver", waiver.source_id == Charge.id).exists()
    return db.session.scalars(
        select(Charge).where(Charge.invoice_id.is_(None), ~waived, is_given_up()).order_by(Charge.id)
    ).all()


def paid_at_the_door() -> Sequence[Charge]:
    """What a sale at the door invoiced on a day that is over and was given up, credited since or not (1 statement)."""
    by_sale = select(DoorSale.id).where(DoorSale.invoice_id == Charge.invoice_id).exists()
    return db.session.scalars(
        select(Charge).where(Charge.day < spaces.today(), by_sale, is_given_up()).order_by(Charge.id)
    ).all()
