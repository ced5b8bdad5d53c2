"""At the lieu: set the recipient of its returns, and send months again."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.months import write_month
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.network.lieu import planning, queries
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.statistics import queries as statistics
from coworking.statistics.models import MonthlyReturn


class NoNetwork(DomainError):
    code = "no_network"
    status = 409
    message = N_("This place belongs to no network: nothing is sent.")


def send_by_email(actor: Actor, *, name: str, email: str, since: date | None = None) -> HeadLink:
    """Send the returns to ``email``, the address of a head named ``name`` that does not have this software.

    ``since``: from which closed month on; None: only those closed from now on.
    """
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
    return planning.keep_head(actor, values, since)


def leave(actor: Actor) -> None:
    """Send nothing any more; what was sent stays with the head. Twice is fine."""
    with write_unit():
        head = db.session.scalar(locked(select(HeadLink).where(HeadLink.ended_at.is_(None))))
        if head is None:
            return
        head.ended_at = now()
        planning.stop_sending()
        audit.record(actor, "network.left", ("head_link", head.id))


def plan(month: date, revision: int) -> bool:
    """Have the revision of ``month`` sent; False where the lieu belongs to no network or it is planned already."""
    with write_unit() as unit:
        unit.result = f"{write_month(month)}:{revision}"
        row = _revision(month, revision)
        head = queries.head_link()
        if head is None or row is None:
            return False
        return planning.plan(head, row)


def send_past(actor: Actor, since: date) -> int:
    """Have the closed months from ``since`` on sent that the head never was; how many. Raises `NoNetwork`."""
    with write_unit():
        head = queries.head_link()
        if head is None:
            raise NoNetwork()
        count = planning.send_past(head, since)
        audit.record(actor, "network.past_sent", ("head_link", head.id), since=write_month(since), months=count)
    return count


def send_again(actor: Actor, month: date) -> Delivery:
    """Have the highest revision of ``month`` sent again, whatever became of it before; raises `NotClosed`, `NoNetwork`.

    The head answers a revision it holds as it did the first time.
    """
    with write_unit() as unit:
        head = queries.head_link()
        if head is None:
            raise NoNetwork()
        row = statistics.closed(month)
        unit.result = f"{write_month(row.month)}:{row.revision}"
        planning.plan(head, row, again=True)
        delivery = db.session.scalars(
            locked(select(Delivery).where(Delivery.month == row.month, Delivery.revision == row.revision))
        ).one()
        if delivery.ack is None:
            delivery.state, delivery.last_error = "waiting", None
        if actor.needs_audit:
            audit.record(actor, "network.sent_again", ("monthly_return", row.id), revision=row.revision)
    return delivery


def _revision(month: date, revision: int) -> MonthlyReturn | None:
    return db.session.scalar(
        select(MonthlyReturn).where(MonthlyReturn.month == month, MonthlyReturn.revision == revision)
    )
