"""Reading a network head's lieux and their returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import defer

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.folding import listed_by
from coworking.core.months import month_before
from coworking.core.page_versions import LIEU_VERSION, note_lieu_version
from coworking.network.head import doubts
from coworking.network.head.doubts import Doubt
from coworking.network.head.filing import FILED
from coworking.network.head.models import LateReminder, NetworkLieu, ReceivedReturn, ReturnSetAside
from coworking.network.head.rules import Held, Reported
from coworking.statistics.pairs import Pair

TREND_MONTHS = 24


@dataclass(frozen=True, slots=True)
class CountedReturn:
    """The revision that counts of one lieu and month; ``set_aside``: why it is left out, where it is.

    ``figures`` are those of `FILED`, or all of them where the whole documents were asked for.
    """

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
    counted_from: date | None

    @property
    def reported(self) -> Reported:
        """The same as the rules add it up."""
        return Reported(self.lieu_uuid, self.revision, self.status, self.digest, self.figures)


@dataclass(frozen=True, slots=True)
class LieuInMonth:
    """A lieu whose figures of a month are awaited or here; ``said`` None: nothing came.

    ``reminded_at``: when the lead last asked for them.
    """

    lieu: NetworkLieu
    said: CountedReturn | None
    reminded_at: datetime | None


def _stands() -> ColumnElement[bool]:
    return and_(ReturnSetAside.received_return_id == ReceivedReturn.id, ReturnSetAside.ended_at.is_(None))


def _is_set_aside() -> ColumnElement[bool]:
    return exists().where(_stands()).correlate(ReceivedReturn)


_BESIDE = tuple(getattr(ReceivedReturn, name) for name in FILED)
_SAID = (
    ReceivedReturn.revision,
    ReceivedReturn.status,
    ReceivedReturn.reason,
    ReceivedReturn.digest,
    ReceivedReturn.way,
    ReceivedReturn.received_at,
    ReceivedReturn.lieu_uuid,
    ReceivedReturn.doubts,
    ReceivedReturn.counted_from,
)


def network_month(month: date, *, whole: bool = False) -> list[LieuInMonth]:
    """Everyone in the network's ``month`` (its first day), by name: one statement, which every reader of a month uses.

    Whoever sent it is in it, whatever became of the lieu since; of the others those whose figures are awaited by then.
    ``whole``: with all figures of each return, from its document.
    """
    highest = _highest(ReceivedReturn.month == month)
    awaited = and_(
        NetworkLieu.way.is_not(None),
        NetworkLieu.left_at.is_(None),
        or_(NetworkLieu.expected_from.is_(None), NetworkLieu.expected_from <= month),
    )
    reminded = (
        select(func.max(LateReminder.written_at))
        .where(LateReminder.network_lieu_id == NetworkLieu.id, LateReminder.month == month)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            NetworkLieu, reminded, ReturnSetAside.reason, *_SAID, *((ReceivedReturn.document,) if whole else _BESIDE)
        )
        .outerjoin(highest, highest.c.network_lieu_id == NetworkLieu.id)
        .outerjoin(ReceivedReturn, and_(_is_in(highest), ReceivedReturn.month == month))
        .outerjoin(ReturnSetAside, _stands())
        .where(or_(highest.c.network_lieu_id.is_not(None), awaited))
    )
    found = [LieuInMonth(row[0], _said(row, whole) if row[3] is not None else None, row[1]) for row in rows]
    return sorted(found, key=lambda one: (listed_by(one.lieu.name), one.lieu.id))


def lieu(public_id: str) -> NetworkLieu:
    """The lieu, whether it belongs to the network or not; raises `NotFound`."""
    found = db.session.scalar(select(NetworkLieu).where(NetworkLieu.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def lieu_by_id(lieu_id: int) -> NetworkLieu:
    """The lieu of that row."""
    return db.session.get_one(NetworkLieu, lieu_id)


def revisions(lieu_id: int) -> tuple[list[ReceivedReturn], dict[int, ReturnSetAside]]:
    """Every revision the lieu ever sent, the latest month and revision first, and what is set aside of them, by their id.

    Without documents and signatures.
    """
    rows = db.session.execute(
        select(ReceivedReturn, ReturnSetAside)
        .outerjoin(ReturnSetAside, _stands())
        .options(defer(ReceivedReturn.document, raiseload=True), defer(ReceivedReturn.jws, raiseload=True))
        .where(ReceivedReturn.network_lieu_id == lieu_id)
        .order_by(ReceivedReturn.month.desc(), ReceivedReturn.revision.desc())
    ).all()
    return [row for row, _aside in rows], {row.id: aside for row, aside in rows if aside is not None}


def figures_of(row: ReceivedReturn) -> dict[str, Any]:
    """All figures of the return, from its document."""
    document = db.session.scalars(select(ReceivedReturn.document).where(ReceivedReturn.id == row.id)).one()
    return json.loads(document)["figures"]


def revisions_whole(lieu_id: int) -> list[tuple[ReceivedReturn, dict[str, Any]]]:
    """Every revision the lieu ever sent, the latest month and revision first, each with all its figures."""
    rows = db.session.execute(
        select(ReceivedReturn, ReceivedReturn.document)
        .where(ReceivedReturn.network_lieu_id == lieu_id)
        .order_by(ReceivedReturn.month.desc(), ReceivedReturn.revision.desc())
    )
    return [(row, json.loads(document)["figures"]) for row, document in rows]


MONTHS_COMPARED = 12
"""With how many earlier months a lieu's return is compared."""

_AROUND = (
    select(
        ReceivedReturn.month,
        ReceivedReturn.revision,
        ReceivedReturn.status,
        ReceivedReturn.digest,
        or_(_is_set_aside(), ReceivedReturn.counted_from.is_not(None)),
        *_BESIDE,
    )
    .where(
        ReceivedReturn.network_lieu_id == bindparam("lieu"),
        ReceivedReturn.month >= bindparam("first"),
        ReceivedReturn.month <= bindparam("month"),
    )
    .order_by(ReceivedReturn.month, ReceivedReturn.revision)
)


def held_and_before(lieu_id: int, month: date) -> tuple[dict[int, Held], list[Mapping[str, Any]]]:
    """What the lieu sent of ``month``, by revision, and the figures of `FILED` that count of the months before it.

    Of each of those months (see `MONTHS_COMPARED`) the highest revision, unless it is set aside or of part of its month
    only. One statement.
    """
    first = month_before(month, MONTHS_COMPARED)
    held: dict[int, Held] = {}
    counted: dict[date, Mapping[str, Any] | None] = {}
    for row in db.session.execute(_AROUND, {"lieu": lieu_id, "first": first, "month": month}):
        at, revision, status, digest, is_left_out, *figures = row
        if at == month:
            held[revision] = Held(status, digest)
        else:  # the highest revision comes last
            counted[at] = None if is_left_out else dict(zip(FILED, figures, strict=True))
    return held, [figures for figures in counted.values() if figures is not None]


def booked_over_time(first: date, last: date, lieu_id: int | None = None) -> dict[int, dict[date, Pair | None]]:
    """Per lieu (or of the one asked for) and month from ``first`` to ``last``: half-days booked of those offered.

    None where that is unknown; a month whose return was set aside is left out.
    """
    rows = db.session.execute(
        select(
            ReceivedReturn.network_lieu_id,
            ReceivedReturn.month,
            ReceivedReturn.desk_booked_halfdays,
            ReceivedReturn.desk_offered_halfdays,
            _is_set_aside(),
        )
        .where(
            ReceivedReturn.month >= first,
            ReceivedReturn.month <= last,
            *(() if lieu_id is None else (ReceivedReturn.network_lieu_id == lieu_id,)),
        )
        .order_by(ReceivedReturn.month, ReceivedReturn.network_lieu_id, ReceivedReturn.revision)
    )
    found: dict[int, dict[date, Pair | None]] = {}
    for lieu, month, booked, offered, is_aside in rows:  # the highest revision comes last
        months = found.setdefault(lieu, {})
        if is_aside:
            months.pop(month, None)
        else:
            months[month] = None if booked is None or not offered else Pair(booked, offered)
    return found


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


def _said(row: Any, whole: bool) -> CountedReturn:
    lieu, _reminded, set_aside, revision, status, reason, digest, way, received_at, lieu_uuid, *rest = row
    stored, counted_from, *rest = rest
    figures: dict[str, Any] = json.loads(rest[0])["figures"] if whole else dict(zip(FILED, rest, strict=True))
    return CountedReturn(
        revision,
        status,
        reason,
        digest,
        way,
        received_at,
        lieu_uuid or lieu.public_id,
        figures,
        doubts.read(json.loads(stored)) if stored else [],
        set_aside,
        counted_from,
    )


def is_still_missing(lieu_id: int, month: date) -> bool:
    """Whether no return of ``month`` has come from a lieu that still belongs to the network."""
    came = exists().where(ReceivedReturn.network_lieu_id == lieu_id, ReceivedReturn.month == month)
    belongs = select(NetworkLieu.id).where(
        NetworkLieu.id == lieu_id, NetworkLieu.left_at.is_(None), NetworkLieu.way.is_not(None), ~came
    )
    return db.session.scalar(belongs) is not None


def dots(most: int = 3000) -> list[tuple[float, float]]:
    """Where the other places of the directory are (latitude, longitude)."""
    rows = db.session.execute(
        select(NetworkLieu.latitude, NetworkLieu.longitude)
        .where(NetworkLieu.way.is_(None), NetworkLieu.merged_into_id.is_(None))
        .limit(most)
    )
    return [(north, east) for north, east in rows if north is not None and east is not None]


class Sender(NamedTuple):
    """What a head must know of a lieu to check what it signed."""

    lieu_uuid: str | None
    public_key: str | None
    postcode: str | None
    code_insee: str | None


_SENDER = select(LIEU_VERSION, *(getattr(NetworkLieu, name) for name in Sender._fields)).where(
    NetworkLieu.key_id == bindparam("key"), NetworkLieu.left_at.is_(None)
)


def sender_by_key(key_id: str) -> Sender | None:
    """The lieu whose key is named ``key_id`` and that still belongs to the network."""
    row = db.session.execute(_SENDER, {"key": key_id}).one_or_none()
    if row is None:
        return None
    version, *sender = row
    note_lieu_version(version)
    return Sender(*sender)
