"""What a network head reads of its lieux and their returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_before
from coworking.core.search import folded
from coworking.network.head import doubts
from coworking.network.head.doubts import Doubt
from coworking.network.head.models import NetworkLieu, ReceivedReturn, ReturnSetAside
from coworking.network.head.rules import Held, Reported
from coworking.statistics.pairs import Pair

TREND_MONTHS = 24


@dataclass(frozen=True, slots=True)
class CountedReturn:
    """The revision that counts of one lieu and month; ``set_aside``: why it is left out, where it is."""

    revision: int
    status: str
    reason: str | None
    digest: str
    way: str
    received_at: datetime
    lieu_uuid: str
    figures: Mapping[str, Any]
    doubts: list[Doubt]
    set_aside: str | None

    @property
    def reported(self) -> Reported:
        """The same as the rules add it up."""
        return Reported(self.lieu_uuid, self.revision, self.status, self.digest, self.figures)


@dataclass(frozen=True, slots=True)
class LieuInMonth:
    """A lieu whose figures of a month are awaited or here; ``said`` None: nothing came."""

    lieu: NetworkLieu
    said: CountedReturn | None


def network_month(month: date) -> list[LieuInMonth]:
    """Everyone in the network's ``month`` (its first day), by name: one statement, which every reader of a month uses.

    Whoever sent it is in it, whatever became of the lieu since; of the others those whose figures are awaited by then.
    """
    highest = _highest(ReceivedReturn.month == month)
    awaited = and_(
        NetworkLieu.way.is_not(None),
        NetworkLieu.left_at.is_(None),
        or_(NetworkLieu.expected_from.is_(None), NetworkLieu.expected_from <= month),
    )
    rows = db.session.execute(
        select(NetworkLieu, ReceivedReturn, ReturnSetAside.reason)
        .outerjoin(highest, highest.c.network_lieu_id == NetworkLieu.id)
        .outerjoin(ReceivedReturn, and_(_is_in(highest), ReceivedReturn.month == month))
        .outerjoin(ReturnSetAside, _stands())
        .where(or_(highest.c.network_lieu_id.is_not(None), awaited))
        .order_by(folded(NetworkLieu.name), NetworkLieu.id)
    )
    return [LieuInMonth(lieu, _said(row, reason) if row is not None else None) for lieu, row, reason in rows]


def lieu(public_id: str) -> NetworkLieu:
    """The lieu, whether it belongs to the network or not; raises `NotFound`."""
    found = db.session.scalar(select(NetworkLieu).where(NetworkLieu.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def revisions(lieu_id: int) -> list[ReceivedReturn]:
    """Every revision the lieu ever sent, the latest month and revision first."""
    return list(
        db.session.scalars(
            select(ReceivedReturn)
            .where(ReceivedReturn.network_lieu_id == lieu_id)
            .order_by(ReceivedReturn.month.desc(), ReceivedReturn.revision.desc())
        )
    )


def before(lieu_id: int, month: date, count: int = 12) -> list[Mapping[str, Any]]:
    """The figures that count of the lieu's last ``count`` months before ``month``, without those set aside."""
    first = month_before(month, count)
    highest = _highest(
        ReceivedReturn.network_lieu_id == lieu_id, ReceivedReturn.month >= first, ReceivedReturn.month < month
    )
    rows = db.session.scalars(
        select(ReceivedReturn.document)
        .join(highest, and_(_is_in(highest), ReceivedReturn.month == highest.c.month))
        .outerjoin(ReturnSetAside, _stands())
        .where(ReturnSetAside.id.is_(None))
    )
    return [json.loads(document)["figures"] for document in rows]


def booked_over_time(first: date, last: date) -> dict[int, dict[date, Pair | None]]:
    """Per lieu and month from ``first`` to ``last``: half-days booked of those offered.

    None where that is unknown; a month whose return was set aside is left out.
    """
    highest = _highest(ReceivedReturn.month >= first, ReceivedReturn.month <= last)
    rows = db.session.execute(
        select(ReceivedReturn.network_lieu_id, ReceivedReturn.month, ReceivedReturn.document)
        .join(highest, and_(_is_in(highest), ReceivedReturn.month == highest.c.month))
        .outerjoin(ReturnSetAside, _stands())
        .where(ReturnSetAside.id.is_(None))
    )
    found: dict[int, dict[date, Pair | None]] = {}
    for lieu_id, month, document in rows:
        figures = json.loads(document)["figures"]
        top, bottom = figures["desk_booked_halfdays"], figures["desk_offered_halfdays"]
        found.setdefault(lieu_id, {})[month] = None if top is None or not bottom else Pair(top, bottom)
    return found


def set_aside_of(lieu_id: int) -> dict[int, ReturnSetAside]:
    """What stands set aside of the lieu's returns, by the return's id."""
    rows = db.session.scalars(
        select(ReturnSetAside)
        .join(ReceivedReturn, ReceivedReturn.id == ReturnSetAside.received_return_id)
        .where(ReceivedReturn.network_lieu_id == lieu_id, ReturnSetAside.ended_at.is_(None))
    )
    return {row.received_return_id: row for row in rows}


def doubts_of(row: ReceivedReturn) -> list[Doubt]:
    """What was improbable in the return when it came."""
    return doubts.read(json.loads(row.doubts)) if row.doubts else []


def _highest(*conditions: ColumnElement[bool]) -> Subquery:
    return (
        select(
            ReceivedReturn.network_lieu_id,
            ReceivedReturn.month,
            func.max(ReceivedReturn.revision).label("revision"),
        )
        .where(*conditions)
        .group_by(ReceivedReturn.network_lieu_id, ReceivedReturn.month)
        .subquery()
    )


def _is_in(highest: Subquery) -> ColumnElement[bool]:
    return and_(
        ReceivedReturn.network_lieu_id == highest.c.network_lieu_id, ReceivedReturn.revision == highest.c.revision
    )


def _stands() -> ColumnElement[bool]:
    return and_(ReturnSetAside.received_return_id == ReceivedReturn.id, ReturnSetAside.ended_at.is_(None))


def _said(row: ReceivedReturn, set_aside: str | None) -> CountedReturn:
    told = json.loads(row.document)
    return CountedReturn(
        row.revision,
        row.status,
        row.reason,
        row.digest,
        row.way,
        row.received_at,
        told["lieu_id"],
        told["figures"],
        doubts_of(row),
        set_aside,
    )


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
