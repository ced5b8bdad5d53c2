"""What a network head reads of its lieux and their returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.network.head.rules import Held, Reported
from coworking.statistics.pairs import Pair

TREND_MONTHS = 24


@dataclass(frozen=True, slots=True)
class Said:
    """The revision that counts of one lieu and month."""

    revision: int
    status: str
    reason: str | None
    digest: str
    received_at: datetime
    lieu_uuid: str
    figures: Mapping[str, Any]


def members(month: date) -> list[NetworkLieu]:
    """The lieux whose figures of ``month`` are awaited, by name; of those that left, who had sent them."""
    sent = select(ReceivedReturn.network_lieu_id).where(ReceivedReturn.month == month)
    return list(
        db.session.scalars(
            select(NetworkLieu)
            .where(
                NetworkLieu.way.is_not(None),
                or_(NetworkLieu.left_at.is_(None), NetworkLieu.id.in_(sent)),
                or_(NetworkLieu.expected_from.is_(None), NetworkLieu.expected_from <= month),
            )
            .order_by(NetworkLieu.name, NetworkLieu.id)
        )
    )


def lieu(public_id: str) -> NetworkLieu:
    """The lieu, whether it belongs to the network or not; raises `NotFound`."""
    found = db.session.scalar(select(NetworkLieu).where(NetworkLieu.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def said_of(month: date) -> dict[int, Said]:
    """What counts of ``month``, by lieu: one statement."""
    return {lieu: said for (lieu, _), said in _highest(ReceivedReturn.month == month).items()}


def revisions(lieu_id: int) -> list[ReceivedReturn]:
    """Every revision the lieu ever sent, the latest month and revision first."""
    return list(
        db.session.scalars(
            select(ReceivedReturn)
            .where(ReceivedReturn.network_lieu_id == lieu_id)
            .order_by(ReceivedReturn.month.desc(), ReceivedReturn.revision.desc())
        )
    )


def booked_over_time(first: date, last: date) -> dict[int, dict[date, Pair | None]]:
    """Per lieu and month from ``first`` to ``last``: half-days booked of those offered; None where unknown."""
    found: dict[int, dict[date, Pair | None]] = {}
    for (lieu, month), said in _highest(ReceivedReturn.month >= first, ReceivedReturn.month <= last).items():
        top, bottom = said.figures["desk_booked_halfdays"], said.figures["desk_offered_halfdays"]
        found.setdefault(lieu, {})[month] = None if top is None or not bottom else Pair(top, bottom)
    return found


def _highest(*conditions: Any) -> dict[tuple[int, date], Said]:
    ranked = (
        select(
            ReceivedReturn.network_lieu_id,
            ReceivedReturn.month,
            func.max(ReceivedReturn.revision).label("revision"),
        )
        .where(*conditions)
        .group_by(ReceivedReturn.network_lieu_id, ReceivedReturn.month)
        .subquery()
    )
    rows = db.session.execute(
        select(
            ReceivedReturn.network_lieu_id,
            ReceivedReturn.month,
            ReceivedReturn.revision,
            ReceivedReturn.status,
            ReceivedReturn.reason,
            ReceivedReturn.digest,
            ReceivedReturn.received_at,
            ReceivedReturn.document,
        ).join(
            ranked,
            (ReceivedReturn.network_lieu_id == ranked.c.network_lieu_id)
            & (ReceivedReturn.month == ranked.c.month)
            & (ReceivedReturn.revision == ranked.c.revision),
        )
    )
    found: dict[tuple[int, date], Said] = {}
    for lieu, month, revision, status, reason, digest, received_at, document in rows:
        told = json.loads(document)
        found[lieu, month] = Said(revision, status, reason, digest, received_at, told["lieu_id"], told["figures"])
    return found


def dots(most: int = 3000) -> list[tuple[float, float]]:
    """Where the other places of the directory are (latitude, longitude)."""
    rows = db.session.execute(
        select(NetworkLieu.latitude, NetworkLieu.longitude).where(NetworkLieu.way.is_(None)).limit(most)
    )
    return [(north, east) for north, east in rows if north is not None and east is not None]


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


def as_reported(row: ReceivedReturn) -> Reported:
    """What ``row`` says, as the rules add it up."""
    document = json.loads(row.document)
    return Reported(document["lieu_id"], row.revision, row.status, row.digest, document["figures"])
