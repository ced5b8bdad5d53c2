"""At the lieu: whom the returns go to, and which of them are on their way."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.months import write_month
from coworking.core.policy import Actor
from coworking.core.sql import inserted
from coworking.core.units import locked, require_unit, write_unit
from coworking.network.lieu import joining, queries
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.statistics import queries as statistics
from coworking.statistics.models import MonthlyReturn


class NoNetwork(DomainError):
    code = "no_network"
    status = 409
    message = N_("This place belongs to no network: nothing is sent.")


def send_by_letter(actor: Actor, *, name: str, email: str) -> HeadLink:
    """Send the returns to ``email``, the address of a head named ``name`` that does not have this software."""
    values: dict[str, Any] = {
        "way": "mail",
        "name": name,
        "email": email,
        "url": None,
        "head_id": None,
        "public_key": None,
        "enrolled_at": now(),
        "ended_at": None,
    }
    return joining.keep(actor, values)


def leave(actor: Actor) -> None:
    """Send nothing any more; what was sent stays with the head. Twice is fine."""
    with write_unit():
        head = db.session.scalar(locked(select(HeadLink).where(HeadLink.ended_at.is_(None))))
        if head is None:
            return
        head.ended_at = now()
        outbox.drop("network.send:")
        audit.record(actor, "network.left", ("head_link", head.id))


def plan(month: date, revision: int) -> bool:
    """Have the revision of ``month`` sent; False where the lieu belongs to no network or it is planned already."""
    with write_unit() as unit:
        unit.result = f"{write_month(month)}:{revision}"
        row = _revision(month, revision)
        if queries.head_link() is None or row is None:
            return False
        return _plan(row, f"network.send:{unit.result}")


def send_again(actor: Actor, month: date) -> Delivery:
    """Have the highest revision of ``month`` sent again, whatever became of it before; raises `NotClosed`, `NoNetwork`.

    The head answers a revision it holds as it did the first time.
    """
    with write_unit() as unit:
        if queries.head_link() is None:
            raise NoNetwork()
        row = statistics.closed(month)
        unit.result = f"{write_month(row.month)}:{row.revision}"
        _plan(row, f"network.send:{unit.result}:{now().isoformat()}")
        delivery = db.session.scalars(
            locked(select(Delivery).where(Delivery.month == row.month, Delivery.revision == row.revision))
        ).one()
        if delivery.ack is None:
            delivery.state, delivery.last_error = "waiting", None
        if actor.needs_audit:
            audit.record(actor, "network.sent_again", ("monthly_return", row.id), revision=row.revision)
    return delivery


def _plan(row: MonthlyReturn, key: str) -> bool:
    require_unit()
    inserted(
        Delivery,
        month=row.month,
        revision=row.revision,
        digest=row.figures_sha256,
        state="waiting",
        attempts=0,
    )
    return outbox.enqueue("network.send", key, {"month": write_month(row.month), "revision": row.revision})


def _revision(month: date, revision: int) -> MonthlyReturn | None:
    return db.session.scalar(
        select(MonthlyReturn).where(MonthlyReturn.month == month, MonthlyReturn.revision == revision)
    )
