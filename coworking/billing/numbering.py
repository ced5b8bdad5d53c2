"""Numbers without gaps: one counter row per series, locked until the unit that takes a number ends."""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing.models import InvoiceCounter
from coworking.core.db import db
from coworking.core.sql import inserted
from coworking.core.units import locked, require_unit


def lock_series(series: str) -> InvoiceCounter:
    """The counter of ``series``, locked: units that number in it run one after the other from here on."""
    require_unit()
    inserted(InvoiceCounter, series=series, last=0)
    return db.session.scalars(locked(select(InvoiceCounter).where(InvoiceCounter.series == series))).one()


def next_in(series: str) -> int:
    """The next number of ``series``, whose counter stays locked until the unit ends; a rollback gives it back."""
    counter = lock_series(series)
    counter.last += 1
    return counter.last
