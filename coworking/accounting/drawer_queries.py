"""Reading the drawer: whether it is open, what should be in it, and what moved on a day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coworking.accounting.models import CashMovement, DrawerCount
from coworking.core.db import db


def last_count() -> DrawerCount | None:
    """The newest opening or closing."""
    newest = select(DrawerCount).options(joinedload(DrawerCount.created_by)).order_by(DrawerCount.seq.desc()).limit(1)
    return db.session.scalars(newest).unique().one_or_none()


def open_drawer() -> DrawerCount | None:
    """The opening of the drawer that is open now."""
    last = last_count()
    return last if last is not None and last.kind == "opened" else None


def last_movement() -> CashMovement | None:
    """The newest movement, whose balance is what should be in the drawer."""
    return db.session.scalar(select(CashMovement).order_by(CashMovement.seq.desc()).limit(1))


def expected_cents() -> int:
    """What should be in the drawer now."""
    last = last_movement()
    return 0 if last is None else last.balance_cents


def movements_on(day: date) -> list[CashMovement]:
    """What moved on ``day``, the oldest first (1 statement)."""
    return list(
        db.session.scalars(
            select(CashMovement)
            .where(CashMovement.moved_on == day)
            .options(joinedload(CashMovement.created_by), joinedload(CashMovement.receipt))
            .order_by(CashMovement.seq)
        ).unique()
    )


def counts_on(day: date) -> list[DrawerCount]:
    """The openings and closings of ``day``, the oldest first (1 statement)."""
    return list(
        db.session.scalars(
            select(DrawerCount)
            .where(DrawerCount.counted_on == day)
            .options(joinedload(DrawerCount.created_by))
            .order_by(DrawerCount.seq)
        ).unique()
    )
