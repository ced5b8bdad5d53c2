"""Deliveries to the head that wait, written in the unit that makes or stops them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, update

from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import write_month
from coworking.core.policy import Actor
from coworking.core.sql import inserted, upsert
from coworking.core.units import locked, require_unit, write_unit
from coworking.network.lieu import queries
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.statistics.models import MonthlyReturn


def keep_head(actor: Actor, values: dict[str, Any], since: date | None) -> HeadLink:
    """Make ``values`` the lieu's one link to a head, and send it the closed months from ``since`` on (None: none).

    What was still on its way to another head goes nowhere any more.
    """
    with write_unit() as unit:
        before = db.session.scalar(locked(select(HeadLink)))
        was = before.recipient if before is not None and before.ended_at is None else None
        db.session.execute(upsert(HeadLink, ["id"], {"id": 1, **values}, values))
        head = db.session.scalars(select(HeadLink).execution_options(populate_existing=True)).one()
        if was is not None and was != head.recipient:
            stop_sending()
        audit.record(actor, "network.joined", ("head_link", 1), way=values["way"])
        send_past(head, since)
        unit.result = "1"
    return db.session.get_one(HeadLink, 1)


def stop_sending() -> None:
    """Stop every delivery that waits, in the open unit."""
    outbox.drop("network.send:")
    db.session.execute(update(Delivery).where(Delivery.state == "waiting").values(recipient=None))


def send_past(head: HeadLink, since: date | None) -> int:
    """Have the closed months from ``since`` on sent that ``head`` never was; how many, in the open unit."""
    rows = [row for row in queries.never_sent(head) if since is not None and row.month >= since]
    for row in rows:
        plan(head, row, again=True)
    return len(rows)


def plan(head: HeadLink, row: MonthlyReturn, *, again: bool = False) -> bool:
    """Have ``row`` sent to ``head``, in the open unit; False where it was planned before and not ``again``."""
    require_unit()
    inserted(
        Delivery,
        month=row.month,
        revision=row.revision,
        recipient=head.recipient,
        digest=row.figures_sha256,
        state="waiting",
        attempts=0,
    )
    delivery = db.session.scalars(
        locked(select(Delivery).where(Delivery.month == row.month, Delivery.revision == row.revision))
    ).one()
    if delivery.recipient != head.recipient:  # what another head said of it says nothing of this one
        delivery.recipient, delivery.state, delivery.last_error, delivery.attempts = head.recipient, "waiting", None, 0
        delivery.ack = delivery.acknowledged_at = delivery.sent_at = None
    month = write_month(row.month)
    key = f"network.send:{head.recipient}:{month}:{row.revision}" + (f":{now().isoformat()}" if again else "")
    return outbox.enqueue("network.send", key, {"month": month, "revision": row.revision, "recipient": head.recipient})
