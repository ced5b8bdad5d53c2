"""Reading the directory: its lieux, how each belongs to the network, and the open links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.orm import defer

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.search import fold, folded
from coworking.network.head.census_rules import Remark
from coworking.network.head.models import JOIN, DirectoryImport, Enrolment, NetworkLieu

PAGE_SIZE = 50
MAX_WORDS = 5
STATES: tuple[str, ...] = ("all", "enrolled", "invited", "link", "left")
"""What the list may be narrowed to: who sends by itself, who holds a link to join, who types in six figures, who left."""


@dataclass(frozen=True, slots=True)
class ListedLieu:
    """A lieu of the list; ``invited``: it holds a link to join that still opens."""

    lieu: NetworkLieu
    invited: bool


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a list is narrowed to: every word of ``text`` in name, town or postcode; a ``state``; a type; a region's code."""

    text: str = ""
    state: str = "all"
    kind: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """``entries`` of page ``number`` (from 1) of ``pages``; ``counts``: how many answer to the search, by state."""

    entries: list[ListedLieu]
    number: int
    pages: int
    counts: dict[str, int]


def list_lieux(asked: Narrowing, number: int = 1) -> DirectoryPage:
    """One page of what was ``asked``: two statements."""
    conditions, words, state = _conditions(), _narrowed(asked), asked.state
    row = db.session.execute(
        select(*(func.count(case((conditions[name], 1))) for name in STATES)).select_from(NetworkLieu).where(*words)
    ).one()
    counts = dict(zip(STATES, row, strict=True))
    pages = max(1, ceil(counts[state] / PAGE_SIZE))
    number = min(max(1, number), pages)
    rows = db.session.execute(
        select(NetworkLieu, conditions["invited"])
        .where(conditions[state], *words)
        .order_by(folded(NetworkLieu.name), NetworkLieu.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return DirectoryPage([ListedLieu(lieu, bool(invited)) for lieu, invited in rows], number, pages, counts)


def every_lieu(asked: Narrowing) -> list[ListedLieu]:
    """All of what `list_lieux` shows page by page: one statement."""
    conditions = _conditions()
    rows = db.session.execute(
        select(NetworkLieu, conditions["invited"])
        .where(conditions[asked.state], *_narrowed(asked))
        .order_by(folded(NetworkLieu.name), NetworkLieu.id)
    )
    return [ListedLieu(lieu, bool(invited)) for lieu, invited in rows]


def open_links(lieu_id: int) -> dict[str, Enrolment]:
    """The links of the lieu that still open something, by purpose."""
    rows = db.session.scalars(
        select(Enrolment).where(Enrolment.network_lieu_id == lieu_id, *_opens(now())).order_by(Enrolment.id)
    )
    return {row.purpose: row for row in rows if row.purpose != JOIN or row.used_at is None}


def imports() -> list[DirectoryImport]:
    """The imports whose remarks are kept, the latest first; without the remarks."""
    rows = select(DirectoryImport).options(defer(DirectoryImport.remarks, raiseload=True))
    return list(db.session.scalars(rows.order_by(DirectoryImport.id.desc())))


def remarks(import_id: int) -> list[Remark]:
    """What an import could not read or left as it was, by line."""
    kept = db.session.scalars(select(DirectoryImport.remarks).where(DirectoryImport.id == import_id)).one()
    return [Remark(*members) for members in kept]


def same_place(name: str, postcode: str, siret: str | None) -> NetworkLieu | None:
    """An entry that is this very place: the same SIRET, or the same name in the same postcode."""
    same: ColumnElement[bool] = and_(folded(NetworkLieu.name) == fold(name), NetworkLieu.postcode == postcode)
    if siret is not None:
        same = same | (NetworkLieu.siret == siret)
    found = db.session.scalar(select(NetworkLieu).where(same).order_by(NetworkLieu.id).limit(1))
    if found is not None and found.merged_into_id is not None:
        return db.session.get_one(NetworkLieu, found.merged_into_id)
    return found


def with_siret(siret: str, *, beside: int) -> NetworkLieu | None:
    """An entry other than ``beside`` that has that SIRET."""
    others = NetworkLieu.id != beside, NetworkLieu.merged_into_id.is_(None)
    return db.session.scalar(select(NetworkLieu).where(NetworkLieu.siret == siret, *others).limit(1))


def _conditions() -> dict[str, ColumnElement[bool]]:
    invited = exists().where(
        Enrolment.network_lieu_id == NetworkLieu.id,
        Enrolment.purpose == JOIN,
        Enrolment.used_at.is_(None),
        *_opens(now()),
    )
    is_one = NetworkLieu.merged_into_id.is_(None)
    belongs = and_(is_one, NetworkLieu.left_at.is_(None))
    return {
        "all": is_one,
        "enrolled": and_(belongs, NetworkLieu.way == "software"),
        "invited": and_(belongs, invited),
        "link": and_(belongs, NetworkLieu.way == "link"),
        "left": and_(is_one, NetworkLieu.left_at.is_not(None)),
    }


def _opens(instant: datetime) -> tuple[ColumnElement[bool], ...]:
    return Enrolment.revoked_at.is_(None), Enrolment.expires_at > instant


def _narrowed(asked: Narrowing) -> list[ColumnElement[Any]]:
    of_kind = [NetworkLieu.kind == asked.kind] if asked.kind else []
    in_region = [NetworkLieu.region == asked.region] if asked.region else []
    return [*_words(asked.text), *of_kind, *in_region]


def _words(text: str) -> Sequence[ColumnElement[Any]]:
    found_in = folded(
        NetworkLieu.name + " " + func.coalesce(NetworkLieu.city, "") + " " + func.coalesce(NetworkLieu.postcode, "")
    )
    words = fold(text.replace("\x00", "")).split()[:MAX_WORDS]
    return [found_in.contains(word, autoescape=True) for word in words]
