"""Reading assigned places: whose they are, who else has a place in that time, and where somebody sits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.booking.models import Booking
from coworking.claims import queries as claims
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.core.timespan import Span, local_date
from coworking.residents.models import STANDS, Residency, ResidentPlace
from coworking.residents.rules import KINDS, WITHOUT_END, Conflict
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource, Zone

PAGE_SIZE = 50
_MOMENT = timedelta(microseconds=1)

_WITH_RESIDENT = (joinedload(Residency.person), joinedload(Residency.organisation))


class ResidentSeat(NamedTuple):
    """A place that somebody sits at as a resident: its name and kind, and of which organisation (None: their own)."""

    residency: str
    resource_id: int
    name: str
    kind: str
    zone: str
    organisation: str | None


@dataclass(frozen=True, slots=True)
class ResidenciesPage:
    """``rows`` of page ``number`` (from 1) of ``pages``, out of ``total``."""

    rows: list[Residency]
    number: int
    pages: int
    total: int


def _in_force(row: type[Residency | ResidentPlace], day: date) -> ColumnElement[bool]:
    return and_(row.first_day <= day, or_(row.last_day.is_(None), row.last_day >= day))


def _belongs(person_id: int | None, day: date) -> ColumnElement[bool]:
    """The condition that a residency is the person's own, or of an organisation they belong to on ``day``."""
    of_theirs = select(OrganisationMember.organisation_id).where(
        OrganisationMember.person_id == person_id,
        OrganisationMember.since <= day,
        or_(OrganisationMember.until.is_(None), OrganisationMember.until >= day),
    )
    return or_(Residency.person_id == person_id, Residency.organisation_id.in_(of_theirs))


_SEAT = (Residency.public_id, Resource.id, Resource.name, Resource.kind, Zone.name, Organisation.name)


def _seats(*columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """``columns`` before those of a `ResidentSeat`, of every place that anybody ever had."""
    return (
        select(*columns, *_SEAT)
        .select_from(ResidentPlace)
        .join(ResidentPlace.residency)
        .join(ResidentPlace.resource)
        .join(Resource.zone)
        .outerjoin(Organisation, Organisation.id == Residency.organisation_id)
    )


def own_places(person_id: int | None, day: date) -> list[ResidentSeat]:
    """The places where somebody sits as a resident on ``day``, their own first (1 statement)."""
    rows = db.session.execute(
        _seats()
        .where(STANDS, _in_force(ResidentPlace, day), _belongs(person_id, day))
        .order_by(Residency.organisation_id.is_not(None), Residency.id)
    )
    return [ResidentSeat(*row) for row in rows]


def seats_of(people: Collection[int], day: date) -> dict[int, list[ResidentSeat]]:
    """The same for those of ``people`` who have a place, by their ids (1 statement, none for nobody)."""
    if not people:
        return {}
    who = func.coalesce(Residency.person_id, OrganisationMember.person_id)
    rows = db.session.execute(
        _seats(who)
        .outerjoin(
            OrganisationMember,
            (OrganisationMember.organisation_id == Residency.organisation_id)
            & (OrganisationMember.since <= day)
            & or_(OrganisationMember.until.is_(None), OrganisationMember.until >= day),
        )
        .where(STANDS, _in_force(ResidentPlace, day), who.in_(people))
        .order_by(Residency.organisation_id.is_not(None), Residency.id)
    )
    found: dict[int, list[ResidentSeat]] = {}
    for person_id, *seat in rows:
        found.setdefault(person_id, []).append(ResidentSeat(*seat))
    return found


def sits_somewhere(person_id: int, day: date) -> bool:
    """Whether somebody has a place of their own on ``day`` and needs no other (1 statement)."""
    found = (
        select(ResidentPlace.id)
        .join(ResidentPlace.residency)
        .where(STANDS, _in_force(ResidentPlace, day), _belongs(person_id, day))
    )
    return db.session.scalar(found.limit(1)) is not None


def residency_by_public_id(public_id: str) -> Residency:
    """The residency, with its resident and its places; raises `NotFound`."""
    statement = select(Residency).where(Residency.public_id == public_id).options(*_WITH_RESIDENT)
    found = db.session.scalars(statement).unique().one_or_none()
    if found is None:
        raise NotFound()
    return found


def residency_for(actor: Actor, public_id: str) -> Residency:
    """The same for who may read it: managers, the resident, and the contacts of an organisation; `NotFound` for others."""
    found = residency_by_public_id(public_id)
    if actor.has(Role.MANAGER) or found.public_id in {one.public_id for one in residencies_of(actor.person_id)}:
        return found
    raise NotFound()


def residencies_of(person_id: int | None) -> list[Residency]:
    """Those that a person pays for or, as its contact, an organisation does, the latest first."""
    today = spaces.today()
    speaks_for = select(OrganisationMember.organisation_id).where(
        OrganisationMember.person_id == person_id,
        OrganisationMember.is_contact,
        OrganisationMember.since <= today,
        or_(OrganisationMember.until.is_(None), OrganisationMember.until >= today),
    )
    return list(
        db.session.scalars(
            select(Residency)
            .where(or_(Residency.person_id == person_id, Residency.organisation_id.in_(speaks_for)))
            .options(*_WITH_RESIDENT)
            .order_by(Residency.first_day.desc(), Residency.id.desc())
        ).unique()
    )


def list_residencies(number: int, today: date, *, over: bool = False) -> ResidenciesPage:
    """One page of those in force or to come, by their first day, or of those that are ``over`` or were taken back, the
    latest first (3 statements)."""
    conditions = _narrowed(today, over)
    total = db.session.scalar(select(func.count(Residency.id)).where(*conditions)) or 0
    pages = max(1, ceil(total / PAGE_SIZE))
    number = min(max(1, number), pages)
    return ResidenciesPage(_rows(conditions, over, PAGE_SIZE, (number - 1) * PAGE_SIZE), number, pages, total)


def every_residency(today: date, *, over: bool = False) -> list[Residency]:
    """All that `list_residencies` gives pages of (2 statements)."""
    return _rows(_narrowed(today, over), over, None, None)


def _narrowed(today: date, over: bool) -> list[ColumnElement[bool]]:
    is_over = or_(Residency.withdrawn_at.is_not(None), Residency.last_day < today)
    still = and_(STANDS, or_(Residency.last_day.is_(None), Residency.last_day >= today))
    return [is_over if over else still]


def _rows(conditions: list[ColumnElement[bool]], over: bool, limit: int | None, offset: int | None) -> list[Residency]:
    order = (Residency.last_day.desc(), Residency.id.desc()) if over else (Residency.first_day, Residency.id)
    statement = select(Residency).where(*conditions).options(*_WITH_RESIDENT).order_by(*order)
    return list(db.session.scalars(statement.limit(limit).offset(offset)).unique())


def of_resource(resource_id: int, today: date) -> list[ResidentPlace]:
    """Whose a place is today and later, the next one first, with the residents (1 statement)."""
    rows = db.session.scalars(
        select(ResidentPlace)
        .join(ResidentPlace.residency)
        .where(
            STANDS,
            ResidentPlace.resource_id == resource_id,
            or_(ResidentPlace.last_day.is_(None), ResidentPlace.last_day >= today),
        )
        .options(joinedload(ResidentPlace.residency).options(*_WITH_RESIDENT))
        .order_by(ResidentPlace.first_day, ResidentPlace.id)
    )
    return list(rows.unique())


def of_organisation(organisation_id: int, today: date) -> list[Residency]:
    """What is assigned to an organisation today and later."""
    return _of(Residency.organisation_id == organisation_id, today)


def of_person(person_id: int, today: date) -> list[Residency]:
    """What is assigned to a person, and not to an organisation of theirs, today and later."""
    return _of(Residency.person_id == person_id, today)


def _of(whose: ColumnElement[bool], today: date) -> list[Residency]:
    statement = select(Residency).where(whose, *_narrowed(today, over=False)).options(*_WITH_RESIDENT)
    return list(db.session.scalars(statement.order_by(Residency.first_day, Residency.id)).unique())


def assignable(today: date) -> list[Resource]:
    """The desks and offices in service today or later, in the order people see."""
    return [
        row
        for row in spaces.resources()
        if row.kind in KINDS and (row.in_service_until is None or row.in_service_until >= today)
    ]


# Who else has the place -----------------------------------------------------------------------------------------------


def conflicts(resource_id: int, span: Span, *, except_place: int | None = None) -> tuple[list[Conflict], date | None]:
    """Who has a place in ``span``, the first one first, and the first day from which nobody has it (None: there is none).

    ``except_place``: the `ResidentPlace` whose own claim does not count. At most 3 statements.
    """
    found = [
        (held, kind, holder)
        for _resource, held, kind, holder in claims.taken([resource_id], span, now())
        if (kind, holder) != ("resident", except_place)
    ]
    if not found:
        return [], None
    bookings = _bookings({holder for _held, kind, holder in found if kind == "booking"})
    residents = _residents({holder for _held, kind, holder in found if kind == "resident"})
    zone = spaces.lieu().tz
    shown: list[Conflict] = []
    for held, kind, holder in found:
        who, booking = bookings.get(holder, (None, None)) if kind == "booking" else (residents.get(holder), None)
        last = None if held.end >= WITHOUT_END else local_date(held.end - _MOMENT, zone)
        shown.append(Conflict(local_date(held.start, zone), last, who, booking))
    latest = [one.last for one in shown]
    free_from = None if None in latest else max(day for day in latest if day is not None) + timedelta(days=1)
    return shown, free_from


def _bookings(ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Of those that are not cancelled: whose they are, and their public ids."""
    if not ids:
        return {}
    rows = db.session.execute(
        select(Booking.id, Booking.public_id, Person.first_name, Person.last_name)
        .join(Person, Person.id == Booking.person_id)
        .where(Booking.id.in_(ids), Booking.status != "cancelled")
    )
    return {row.id: (f"{row.first_name} {row.last_name}".strip(), row.public_id) for row in rows}


def _residents(ids: Collection[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = db.session.scalars(
        select(ResidentPlace)
        .where(ResidentPlace.id.in_(ids))
        .options(joinedload(ResidentPlace.residency).options(*_WITH_RESIDENT))
    )
    return {row.id: row.residency.who for row in rows.unique()}


def claims_of(place_ids: Sequence[int]) -> dict[int, list[Claim]]:
    """The live claims of places, by place (1 statement)."""
    found: dict[int, list[Claim]] = {}
    rows = db.session.scalars(
        select(Claim).where(Claim.holder_kind == "resident", Claim.holder_id.in_(place_ids), Claim.live.is_(True))
    )
    for row in rows:
        found.setdefault(row.holder_id, []).append(row)
    return found
