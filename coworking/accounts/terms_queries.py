"""Reading terms and house rules, who accepted them, and consents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import ScalarSelect, case, func, null, select
from sqlalchemy.orm import joinedload

from coworking.accounts.models import Person
from coworking.accounts.terms_models import ConsentChange, HouseText, TextAcceptance
from coworking.accounts.terms_rules import KINDS
from coworking.core import place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.page_versions import Keep, lieu_version
from coworking.core.timespan import local_date


class TextHead(NamedTuple):
    """A version without its words."""

    id: int
    public_id: str
    kind: str
    from_day: date


@dataclass(frozen=True, slots=True)
class TextStanding:
    """A version in force and how somebody stands to it.

    ``accepted``: None while they have not. ``is_new``: they accepted an earlier one.
    """

    text: HouseText
    accepted: TextAcceptance | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """Something one may agree to, whether one does, and the change that said so (None: it was before changes were kept)."""

    kind: str
    given: bool
    change: ConsentChange | None


_kept = Keep[list[TextHead]](8)


def heads_in_force(on: date | None = None) -> list[TextHead]:
    """The versions in force on a day (today), general terms first; no statement while nobody adds one, 1 after that."""
    day, found = on or _today(), dict[str, TextHead]()
    for head in _heads():
        if head.from_day <= day:
            found.setdefault(head.kind, head)
    return [found[kind] for kind in KINDS if kind in found]


def _heads() -> list[TextHead]:
    """Every version, the latest first, kept under the lieu's version."""
    version = lieu_version()
    every = _kept.get(version) if version is not None else None
    if every is None:
        columns = (HouseText.id, HouseText.public_id, HouseText.kind, HouseText.from_day)
        rows = db.session.execute(select(*columns).order_by(HouseText.from_day.desc()))
        every = [TextHead(*row) for row in rows]
        if version is not None:
            _kept.put(version, every)
    return every


def waiting_for(person_id: int) -> list[TextHead]:
    """The versions in force that somebody has not accepted yet (1 statement; none where the lieu has no texts)."""
    heads = heads_in_force()
    if not heads:
        return []
    rows = db.session.execute(
        select(TextAcceptance.house_text_id, TextAcceptance.way)
        .where(TextAcceptance.person_id == person_id, TextAcceptance.house_text_id.in_([head.id for head in heads]))
        .order_by(TextAcceptance.id)
    )
    said = {row.house_text_id: row.way for row in rows}
    return [head for head in heads if said.get(head.id, "mistake") == "mistake"]


def every_text() -> list[HouseText]:
    """Every version, the latest first."""
    return list(db.session.scalars(select(HouseText).order_by(HouseText.from_day.desc(), HouseText.id.desc())))


def texts_in_force() -> list[HouseText]:
    """The versions in force with their words, general terms first."""
    ids = [head.id for head in heads_in_force()]
    found = {row.id: row for row in db.session.scalars(select(HouseText).where(HouseText.id.in_(ids)))} if ids else {}
    return [found[text_id] for text_id in ids]


def text_by_public_id(public_id: str) -> HouseText:
    """The version; raises `NotFound`."""
    found = db.session.scalar(select(HouseText).where(HouseText.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def accepted_counts() -> dict[int, int]:
    """How many people who may come accepted each version, by its id (1 statement)."""
    latest = (
        select(func.max(TextAcceptance.id))
        .join(Person, Person.id == TextAcceptance.person_id)
        .where(Person.deactivated_at.is_(None))
        .group_by(TextAcceptance.person_id, TextAcceptance.house_text_id)
    )
    rows = db.session.execute(
        select(TextAcceptance.house_text_id, func.count().label("people"))
        .where(TextAcceptance.id.in_(latest), TextAcceptance.way != "mistake")
        .group_by(TextAcceptance.house_text_id)
    )
    return {row.house_text_id: row.people for row in rows}


def how_many_may_come() -> int:
    """How many people have an account that is not closed (1 statement)."""
    return db.session.scalar(select(func.count()).select_from(Person).where(Person.deactivated_at.is_(None))) or 0


def accepted_by(person_id: int) -> list[TextAcceptance]:
    """What somebody accepted and still holds as accepted, the latest first, with the versions (1 statement)."""
    rows = db.session.scalars(
        select(TextAcceptance)
        .where(TextAcceptance.person_id == person_id)
        .options(joinedload(TextAcceptance.house_text), joinedload(TextAcceptance.made_by))
        .order_by(TextAcceptance.id)
    ).unique()
    latest = {row.house_text_id: row for row in rows}
    held = [row for row in latest.values() if row.way != "mistake"]
    return sorted(held, key=lambda row: (row.house_text.from_day, row.id), reverse=True)


def standings_of(person_id: int) -> list[TextStanding]:
    """How somebody stands to each version in force (2 statements)."""
    texts = texts_in_force()
    mine = accepted_by(person_id) if texts else []
    by_text, kinds = {row.house_text_id: row for row in mine}, {row.house_text.kind for row in mine}
    return [TextStanding(text, by_text.get(text.id), text.kind in kinds) for text in texts]


def accepted_on(kind: str) -> ScalarSelect[date | None]:
    """As a column of a statement about `Person`: when they accepted the version of ``kind`` in force."""
    ids = [head.id for head in heads_in_force() if head.kind == kind]
    return (
        select(case((TextAcceptance.way == "mistake", null()), else_=TextAcceptance.agreed_on))
        .where(TextAcceptance.person_id == Person.id, TextAcceptance.house_text_id.in_(ids))
        .order_by(TextAcceptance.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )


def consent_changes_of(person_id: int) -> list[ConsentChange]:
    """How somebody's consents changed, the latest first (1 statement)."""
    rows = (
        select(ConsentChange)
        .where(ConsentChange.person_id == person_id)
        .options(joinedload(ConsentChange.organisation), joinedload(ConsentChange.made_by))
        .order_by(ConsentChange.id.desc())
    )
    return list(db.session.scalars(rows).unique())


def consents_of(person: Person, changes: Sequence[ConsentChange]) -> list[ConsentStanding]:
    """What somebody agrees to: being seen by colleagues, and each organisation that was ever shown dates."""
    latest: dict[tuple[str, int | None], ConsentChange] = {}
    for change in changes:
        latest.setdefault((change.kind, change.organisation_id), change)
    seen = latest.pop(("colleagues", None), None)
    fits = seen is not None and seen.given is person.visible_to_colleagues
    return [
        ConsentStanding("colleagues", person.visible_to_colleagues, seen if fits else None),
        *(ConsentStanding(change.kind, change.given, change) for change in latest.values()),
    ]


def _today() -> date:
    return local_date(now(), place.clock())
