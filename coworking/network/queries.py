"""Reading what lieux sent, and what became of what this one sends."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import func, select

from coworking.core.db import db
from coworking.network.models import Delivery, HeadLink, NetworkLieu, ReceivedReturn
from coworking.network.rules import Held, Reported


def enrolled_by_key(key_id: str) -> NetworkLieu | None:
    """The lieu whose key is named ``key_id`` and that still belongs to the network."""
    return db.session.scalar(select(NetworkLieu).where(NetworkLieu.key_id == key_id, NetworkLieu.left_at.is_(None)))


def held(lieu: NetworkLieu, month: date) -> dict[int, Held]:
    """The revisions of ``month`` that ``lieu`` sent, by number."""
    rows = db.session.execute(
        select(ReceivedReturn.revision, ReceivedReturn.status, ReceivedReturn.digest).where(
            ReceivedReturn.network_lieu_id == lieu.id, ReceivedReturn.month == month
        )
    )
    return {revision: Held(status, digest) for revision, status, digest in rows}


def counting(month: date) -> list[tuple[NetworkLieu, ReceivedReturn]]:
    """The lieux that reported ``month`` (its first day) with their highest revision, by name."""
    highest = (
        select(ReceivedReturn.network_lieu_id, func.max(ReceivedReturn.revision).label("revision"))
        .where(ReceivedReturn.month == month)
        .group_by(ReceivedReturn.network_lieu_id)
        .subquery()
    )
    rows = db.session.execute(
        select(NetworkLieu, ReceivedReturn)
        .join(ReceivedReturn, ReceivedReturn.network_lieu_id == NetworkLieu.id)
        .join(
            highest,
            (ReceivedReturn.network_lieu_id == highest.c.network_lieu_id)
            & (ReceivedReturn.revision == highest.c.revision),
        )
        .where(ReceivedReturn.month == month)
        .order_by(NetworkLieu.name, NetworkLieu.id)
    )
    return [(lieu, row) for lieu, row in rows]


def reported(row: ReceivedReturn) -> Reported:
    """What ``row`` says, as the rules add it up."""
    document = json.loads(row.document)
    return Reported(document["lieu_id"], row.revision, row.status, row.digest, document["figures"])


def head() -> HeadLink | None:
    """The head this lieu sends to; None when it belongs to no network (any more)."""
    return db.session.scalar(select(HeadLink).where(HeadLink.ended_at.is_(None)))


def delivery(month: date, revision: int) -> Delivery | None:
    """What became of one revision; None before it was planned to be sent."""
    return db.session.get(Delivery, (month, revision))


def last_delivery(month: date) -> Delivery | None:
    """What became of the highest revision of ``month`` that was to be sent."""
    return db.session.scalar(
        select(Delivery).where(Delivery.month == month).order_by(Delivery.revision.desc()).limit(1)
    )


def deliveries(limit: int = 12) -> list[Delivery]:
    """The latest months' deliveries, newest first, without those that a later revision replaced."""
    return list(
        db.session.scalars(
            select(Delivery)
            .where(Delivery.state != "replaced")
            .order_by(Delivery.month.desc(), Delivery.revision.desc())
            .limit(limit)
        )
    )
