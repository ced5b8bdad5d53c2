"""Assign a desk or an office for months, move it, end it. Each public function is one unit of work."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy import select

from coworking.accounts.models import Organisation, Person
from coworking.claims import services as claims
from coworking.claims.rules import ClaimConflict, Wanted
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.core.units import locked, require_unit, write_unit
from coworking.membership.access import managers_only
from coworking.membership.rules import check_dates
from coworking.pricing.rules import Basis, PricedLine, payable_cents, vat_rate
from coworking.residents import news, queries
from coworking.residents.models import STANDS, Residency, ResidentPlace
from coworking.residents.rules import (
    KINDS,
    AlreadyEnds,
    AssignedInThePast,
    GoesOnAlready,
    NothingToMove,
    PlaceCannotBeAssigned,
    PlaceNotFree,
    PlaceOutOfService,
    ResidentTerms,
    can_go_on,
    check_end,
    minimum_until,
    month_cents,
    span_of,
)
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource


@dataclass(frozen=True, slots=True)
class Assigning:
    """What a manager wants to assign, to whom (one public id of both) and on which terms; see `models.Residency`."""

    place: str
    first_day: date
    monthly_cents: int
    person: str | None = None
    organisation: str | None = None
    last_day: date | None = None
    basis: Basis = "ttc"
    vat_rate_bp: int = 0
    is_prorata: bool = True
    min_months: int | None = None
    notice_months: int = 1

    @property
    def terms(self) -> ResidentTerms:
        """The same as it is agreed, with the rate of VAT that the lieu charges."""
        return ResidentTerms(
            first_day=self.first_day,
            last_day=self.last_day,
            monthly_cents=self.monthly_cents,
            basis=self.basis,
            vat_rate_bp=vat_rate(self.vat_rate_bp, spaces.lieu().vat_status),
            is_prorata=self.is_prorata,
            bound_until=minimum_until(self.first_day, self.min_months),
            notice_months=self.notice_months,
        )


def payable(terms: ResidentTerms, month: date) -> int:
    """What ``month`` comes to with its VAT: what is shown before the tap, and what the invoice asks."""
    basis = "ht" if terms.basis == "ht" else "ttc"
    return payable_cents([PricedLine(month_cents(terms, month), terms.vat_rate_bp, basis)])


def monthly(terms: ResidentTerms) -> int:
    """What a whole month comes to with its VAT."""
    basis = "ht" if terms.basis == "ht" else "ttc"
    return payable_cents([PricedLine(terms.monthly_cents, terms.vat_rate_bp, basis)])


def check_assignable(wanted: Assigning) -> Resource:
    """The place, if it can be assigned as ``wanted``; raises what `assign` raises. Locks nothing."""
    resource = spaces.resource_by_public_id(wanted.place)
    _check(resource, wanted.first_day, wanted.last_day)
    _check_free(resource, wanted.first_day, wanted.last_day)
    return resource


def assign(actor: Actor, wanted: Assigning) -> Residency:
    """Let a resident have a desk or an office for months. Managers only.

    Raises `PlaceNotFree` with who else has it in that time, `PlaceCannotBeAssigned`, `PlaceOutOfService`,
    `AssignedInThePast`, `DatesCross`, `NotFound`.
    """
    managers_only(actor)
    with write_unit() as unit:
        person, organisation = _resident(wanted)
        resource = _locked_resource(wanted.place)
        _check(resource, wanted.first_day, wanted.last_day)
        _check_free(resource, wanted.first_day, wanted.last_day)
        residency = Residency(
            person_id=person.id if person is not None else None,
            organisation_id=organisation.id if organisation is not None else None,
            created_by_id=actor.person_id,
            **asdict(wanted.terms),
        )
        db.session.add(residency)
        db.session.flush()
        _take(residency, resource, wanted.first_day)
        news.tell("assigned", residency)
        _record(actor, "residency.begun", residency, first_day=wanted.first_day.isoformat())
        unit.result = residency.public_id
    return residency


def move(actor: Actor, public_id: str, place: str, first_day: date) -> Residency:
    """Let a resident have another place from ``first_day`` on, on the same terms; the former one is free from then on.

    Managers only. Raises `NothingToMove`, and for the other place what `assign` raises.
    """
    managers_only(actor)
    with write_unit() as unit:
        residency = _locked_residency(public_id)
        resource = _locked_resource(place, *(row.resource_id for row in residency.places))
        check_movable(residency, resource, first_day)
        last = residency.places[-1]
        _check(resource, first_day, residency.last_day)
        _check_free(resource, first_day, residency.last_day)
        if first_day == last.first_day:  # it has not begun, or begins today: as if it had been this place at once
            claims.release(queries.claims_of([last.id]).get(last.id, []))
            last.resource = resource
            db.session.flush()
            _claim(last)
        else:
            last.last_day = first_day - timedelta(days=1)
            db.session.flush()
            claims.end_early(queries.claims_of([last.id]).get(last.id, []), _span(first_day, None).start)
            _take(residency, resource, first_day)
        db.session.refresh(residency)
        news.tell("moved", residency)
        _record(actor, "residency.moved", residency, first_day=first_day.isoformat())
        unit.result = residency.public_id
    return residency


def check_move(residency: Residency, place: str, first_day: date) -> Resource:
    """The other place, if the residency can be moved there; raises what `move` raises. Locks nothing."""
    resource = spaces.resource_by_public_id(place)
    check_movable(residency, resource, first_day)
    _check(resource, first_day, residency.last_day)
    _check_free(resource, first_day, residency.last_day)
    return resource


def check_movable(residency: Residency, resource: Resource, first_day: date) -> None:
    """Raise `NothingToMove` unless the residency can be at ``resource`` from ``first_day`` on."""
    last = residency.places[-1]
    earliest = max(spaces.today(), last.first_day)
    is_gone = residency.withdrawn_at is not None or (
        residency.last_day is not None and max(first_day, spaces.today()) > residency.last_day
    )
    if is_gone or first_day < earliest or resource.id == last.resource_id:
        raise NothingToMove(first=earliest)


def end(actor: Actor, public_id: str, last_day: date, *, let_off: bool = False) -> Residency:
    """End it with ``last_day``, the last one of a month; the place can be booked from the day after. Managers only.

    Raises `NoticeTooShort` before its minimum term and notice are over, unless ``let_off``; `EndsWithinMonth`,
    `AlreadyEnds`.
    """
    managers_only(actor)
    with write_unit() as unit:
        residency = _locked_residency(public_id)
        check_end(spaces.today(), residency.terms, last_day, let_off=let_off)
        residency.last_day, residency.ended_at = last_day, now()
        last = residency.places[-1]
        if last.first_day > last_day:  # a move that was planned for later does not come any more
            claims.release(queries.claims_of([last.id]).get(last.id, []))
            residency.places.remove(last)
            db.session.delete(last)
            db.session.flush()
            last = residency.places[-1]
        last.last_day = last_day
        db.session.flush()
        claims.end_early(queries.claims_of([last.id]).get(last.id, []), _span(last_day, last_day).end)
        news.tell("ended", residency)
        _record(actor, "residency.ended", residency, last_day=last_day.isoformat(), let_off=let_off)
        unit.result = residency.public_id
    return residency


def keep(actor: Actor, public_id: str) -> Residency:
    """Let it go on without an end after all. Managers only; raises `GoesOnAlready`, `PlaceNotFree`, `PlaceOutOfService`."""
    managers_only(actor)
    with write_unit() as unit:
        residency = _locked_residency(public_id)
        if residency.last_day is None or not can_go_on(spaces.today(), residency.terms):
            raise GoesOnAlready()
        last, after = residency.places[-1], residency.last_day + timedelta(days=1)
        _locked_resource(last.resource.public_id)
        _check(last.resource, after, None)
        _check_free(last.resource, after, None)
        claims.extend(queries.claims_of([last.id]).get(last.id, []), _span(after, None).end)
        residency.last_day = residency.ended_at = last.last_day = None
        news.tell("kept", residency)
        _record(actor, "residency.kept", residency)
        unit.result = residency.public_id
    return residency


def take_back(actor: Actor, public_id: str) -> Residency:
    """Take back one that has not begun: it never counts, and its place can be booked. Managers only; `AlreadyEnds` once it
    has begun. Twice is fine."""
    managers_only(actor)
    with write_unit() as unit:
        residency = _locked_residency(public_id, even_if_taken_back=True)
        unit.result = residency.public_id
        if residency.withdrawn_at is not None:
            return residency
        if residency.first_day <= spaces.today():
            raise AlreadyEnds(last=residency.first_day)
        residency.withdrawn_at = now()
        held = queries.claims_of([row.id for row in residency.places])
        claims.release(claim for rows in held.values() for claim in rows)
        news.tell("taken_back", residency)
        _record(actor, "residency.taken_back", residency)
    return residency


# Within the unit ------------------------------------------------------------------------------------------------------


def _resident(wanted: Assigning) -> tuple[Person | None, Organisation | None]:
    """Whoever gets it, locked; raises `NotFound`."""
    if wanted.organisation is not None:
        statement = locked(select(Organisation).where(Organisation.public_id == wanted.organisation))
        organisation = db.session.scalar(statement)
        if organisation is None or wanted.person is not None:
            raise NotFound()
        return None, organisation
    person = db.session.scalars(locked(select(Person).where(Person.public_id == wanted.person))).unique().one_or_none()
    if person is None or not person.is_active:
        raise NotFound()
    return person, None


def _locked_residency(public_id: str, *, even_if_taken_back: bool = False) -> Residency:
    conditions = [Residency.public_id == public_id, *([] if even_if_taken_back else [STANDS])]
    residency = db.session.scalar(locked(select(Residency).where(*conditions)))
    if residency is None:
        raise NotFound()
    return residency


def _locked_resource(public_id: str, *others: int) -> Resource:
    """The resource with this public id, locked with ``others`` in the order of their ids."""
    wanted = spaces.resource_by_public_id(public_id)
    return claims.lock_resources({wanted.id, *others})[wanted.id]


def _check(resource: Resource, first_day: date, last_day: date | None) -> None:
    if resource.kind not in KINDS:
        raise PlaceCannotBeAssigned()
    if first_day < spaces.today():
        raise AssignedInThePast()
    check_dates(first_day, last_day)
    until = resource.in_service_until
    if first_day < resource.in_service_from or (until is not None and (last_day is None or last_day > until)):
        raise PlaceOutOfService(name=resource.name)


def _check_free(resource: Resource, first_day: date, last_day: date | None) -> None:
    found, free_from = queries.conflicts(resource.id, _span(first_day, last_day))
    if found:
        raise PlaceNotFree(resource.name, found, free_from)


def _take(residency: Residency, resource: Resource, first_day: date) -> None:
    row = ResidentPlace(
        residency_id=residency.id, resource_id=resource.id, first_day=first_day, last_day=residency.last_day
    )
    db.session.add(row)
    db.session.flush()
    _claim(row)


def _claim(row: ResidentPlace) -> None:
    """Take the place for the resident, to the exclusion of everyone, in all of its days."""
    require_unit()
    resource = db.session.get_one(Resource, row.resource_id)
    try:
        claims.take([Wanted(row.resource_id, _span(row.first_day, row.last_day))], holder=("resident", row.id))
    except ClaimConflict as error:  # the database saw what nobody could see when this unit looked
        raise PlaceNotFree(resource.name, [], None) from error


def _span(first_day: date, last_day: date | None) -> Span:
    return span_of(first_day, last_day, spaces.lieu().tz)


def _record(actor: Actor, action: str, residency: Residency, **details: object) -> None:
    audit.record(actor, action, ("residency", residency.id), person_id=residency.person_id, **details)
