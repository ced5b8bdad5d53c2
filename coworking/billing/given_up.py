"""What was charged for a half-day or a room that was given up since: its quote is released, so it is owed no longer.

Only a sale at the door charges a use before its day is over, while it can still be cancelled in time, moved, or paid by
another. What is paid first has a sale of its own that tells of it (`coworking.core.sales.CHANGED`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from coworking.billing.door_models import DoorSale
from coworking.billing.models import Charge
from coworking.core.db import db
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces

LOOK_BACK = timedelta(days=92)
"""How far back uses that were given up are looked for: a server that slept for a season catches up."""


def is_given_up() -> ColumnElement[bool]:
    """The condition that a charge is for what was given up, also where it bills that once more."""
    first, again = aliased(Charge), aliased(Charge)
    found: Any = (
        select(first.id.label("id"))
        .join(Quote, Quote.id == first.source_id)
        .where(first.source == "quote", Quote.state == "released", Quote.day >= spaces.today() - LOOK_BACK)
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
