"""Let go of presences that are kept no longer. Their first and last day stay, one row a person; see ADR 0035."""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete, func, select, update

from coworking.core import audit
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.retention import BATCH, MOST_BATCHES
from coworking.core.sql import inserted
from coworking.core.units import write_unit
from coworking.presence.models import PastVisits, Presence


def count_before(day: date) -> int:
    """How many presences are of days before ``day``."""
    return db.session.scalar(select(func.count()).select_from(Presence).where(Presence.day < day)) or 0


def let_go_before(day: date) -> int:
    """Delete presences of days before ``day``, the oldest first, in short units; return how many.

    No version of a day is raised: what was counted of it stands.
    """
    gone = 0
    for _turn in range(MOST_BATCHES):
        with write_unit():
            rows = db.session.execute(
                select(Presence.id, Presence.person_id, Presence.day)
                .where(Presence.day < day)
                .order_by(Presence.day, Presence.id)
                .limit(BATCH)
            ).all()
            for person_id in sorted({row.person_id for row in rows}):
                days = [row.day for row in rows if row.person_id == person_id]
                _remember(person_id, min(days), max(days))
            ids = [row.id for row in rows]
            db.session.execute(
                delete(Presence).where(Presence.id.in_(ids)).execution_options(synchronize_session=False)
            )
            if ids:
                audit.record(SYSTEM, "retention.purged", ("retention", 0), kind="presences", rows=len(ids))
        gone += len(ids)
        if len(ids) < BATCH:
            break
    return gone


def _remember(person_id: int, first: date, last: date) -> None:
    if inserted(PastVisits, person_id=person_id, first_day=first, last_day=last):
        return
    known = db.session.get_one(PastVisits, person_id)
    db.session.execute(
        update(PastVisits)
        .where(PastVisits.person_id == person_id)
        .values(first_day=min(first, known.first_day), last_day=max(last, known.last_day))
        .execution_options(synchronize_session=False)
    )
    db.session.expire(known)
