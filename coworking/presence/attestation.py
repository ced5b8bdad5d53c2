"""The monthly attestation de présence: asked for by the person it is about, written once, verified by anyone who holds it.

What is counted is told in `coworking.presence.attested`. An attestation is a snapshot: later changes of the lieu's name, the
person's or a settled half-day leave it as it was issued.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import aliased

from coworking.accounts import queries as accounts
from coworking.accounts import throttle
from coworking.accounts.models import Organisation, Person
from coworking.accounts.rules import TooManyAttempts
from coworking.accounts.twin_queries import same_person
from coworking.booking.models import Booking, BookingUnit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_end, month_of
from coworking.core.policy import Actor
from coworking.core.timespan import local_minute
from coworking.core.types import public_id
from coworking.core.units import end_read, locked, write_unit
from coworking.presence.attested import (
    AttestedDay,
    AttestedMonthToCome,
    AttestedTooLate,
    BookedHalf,
    DesklessPresence,
    EmployerNotNamed,
    EmployerUnknown,
    NoSuchAttestation,
    NothingPaid,
    NothingToAttest,
    TooManyCodes,
    attested_days,
    normal_code,
    only_these,
)
from coworking.presence.models import Attestation, Presence
from coworking.presence.rules import kept_from
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.spaces.models import Lieu

SCHEMA = "attestation-de-presence/1"
USUAL_SPLIT = 13 * 60
"""Where a date is parted that the lieu's own calendar does not know (taken over from before it was set up)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An attestation as pages and PDFs show it. ``siret``, ``employer`` and ``siren`` may be None."""

    public_id: str
    code: str
    lieu: str
    address: str
    city: str
    siret: str | None
    person: str
    employer: str | None
    siren: str | None
    first: date
    last: date
    issued_on: date
    days: tuple[AttestedDay, ...]
    half_days: int
    only_paid: bool = False
    """Whether it holds only the half-days that the employer pays, and says so."""


def issue(actor: Actor, month: date, *, employer: str | None = None, only_paid: bool = False) -> Attestation:
    """Attest the actor's own presences of ``month`` (any date in it), up to today where it is running.

    There is no asking for someone else. ``employer``: the public id of an organisation the person belonged to in that
    month, to be named; ``only_paid``: with the half-days alone that it pays, which the document says. Asking again on the
    same day for the same thing gives what was given. Raises `AttestedMonthToCome`, `NothingToAttest`, `NothingPaid`,
    `EmployerNotNamed` or `EmployerUnknown`.
    """
    month = month_of(month)
    if month > spaces.today():
        raise AttestedMonthToCome()
    if month < kept_from(spaces.today()):
        raise AttestedTooLate()
    with write_unit() as unit:
        person = db.session.scalars(locked(select(Person).where(Person.id == actor.person_id))).unique().one_or_none()
        if person is None:
            raise NotFound()
        lieu, today = spaces.lieu(), spaces.today()
        last = min(month_end(month), today)
        named = _employer(person.id, employer, month, last)
        days = days_of(person.id, month, last)
        if only_paid:
            if named is None:
                raise EmployerNotNamed()
            days = only_these(days, _paid_by(named, person.id, month, last))
        if not days:
            raise NothingPaid() if only_paid else NothingToAttest()
        payload = rfc8785.dumps(_payload(lieu, person, named, days, last, only_paid=only_paid)).decode()
        same = select(Attestation).where(Attestation.person_id == person.id, Attestation.payload == payload)
        found = db.session.scalars(same.order_by(Attestation.id)).first()
        if found is None:
            found = Attestation(person_id=person.id, month=month, code=new_code(), payload=payload, created_at=now())
            db.session.add(found)
            db.session.flush()
        unit.result = found.public_id
    return found


def days_of(person_id: int, first: date, last: date) -> list[AttestedDay]:
    """What counts for ``person_id`` from ``first`` to ``last`` inclusive, in four statements."""
    booked = [
        BookedHalf(day, "am" if half == "am" else "pm", outcome, evidence)
        for day, half, outcome, evidence in db.session.execute(
            select(BookingUnit.day, BookingUnit.half, BookingUnit.outcome, BookingUnit.evidence)
            .join(Booking)
            .where(
                same_person(Booking.person_id, person_id),
                Booking.status == "confirmed",
                Booking.day.between(first, last),
                BookingUnit.half.is_not(None),
            )
            .order_by(BookingUnit.starts_at, BookingUnit.id)
        )
    ]
    desk = aliased(BookingUnit)
    has_desk = select(desk.id).where(desk.booking_id == Booking.id, desk.half.is_not(None)).exists()
    stays = [
        DesklessPresence(day, arrived_at, left_at or ends_at, evidence)
        for day, arrived_at, left_at, evidence, ends_at in db.session.execute(
            select(Presence.day, Presence.arrived_at, Presence.left_at, Presence.evidence, Booking.ends_at)
            .outerjoin(Booking, (Booking.id == Presence.booking_id) & (Booking.status == "confirmed"))
            .where(same_person(Presence.person_id, person_id), Presence.day.between(first, last), ~has_desk)
        )
    ]
    known = spaces.days(first, last)
    noon = {stay.day: local_minute(stay.day, USUAL_SPLIT, spaces.lieu().tz) for stay in stays}
    split_at = noon | {day: row.split_at for day, row in known.items()}
    return attested_days(booked, stays, split_at)


def _paid_by(employer: Organisation, person_id: int, first: date, last: date) -> set[tuple[date, str]]:
    """The half-days that ``employer`` pays for the person."""
    paid = select(Quote.day, Quote.half).where(
        same_person(Quote.person_id, person_id),
        Quote.payer_organisation_id == employer.id,
        Quote.state == "live",
        Quote.half.is_not(None),
        Quote.day.between(first, last),
    )
    return {(day, half) for day, half in db.session.execute(paid) if half is not None}


def months_of(person_id: int) -> list[date]:
    """The months with something to look at, latest first, as far back as presences are kept."""
    since = kept_from(spaces.today())
    came = (
        select(BookingUnit.day)
        .join(Booking)
        .where(
            same_person(Booking.person_id, person_id),
            Booking.status == "confirmed",
            Booking.day >= since,
            BookingUnit.outcome == "came",
            BookingUnit.half.is_not(None),
        )
    )
    there = select(Presence.day).where(same_person(Presence.person_id, person_id), Presence.day >= since)
    return sorted({month_of(day) for day in db.session.scalars(came.union(there))}, reverse=True)


def issued_to(person_id: int) -> list[Attestation]:
    """Every attestation someone asked for, latest first."""
    statement = select(Attestation).where(same_person(Attestation.person_id, person_id)).order_by(Attestation.id.desc())
    return list(db.session.scalars(statement))


def of_oneself(actor: Actor, public_id: str) -> Attestation:
    """One's own attestation; anybody else's is `NotFound`, for staff too."""
    statement = select(Attestation).where(
        Attestation.public_id == public_id, same_person(Attestation.person_id, actor.person_id)
    )
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def verify(text: str, address: str | None) -> Attestation:
    """The attestation with this code, as typed. Codes that are tried are counted by internet ``address``.

    Raises `NoSuchAttestation`, or `TooManyCodes` without looking.
    """
    buckets = throttle.verification_buckets(address)
    try:
        with write_unit():
            attempt = throttle.count(buckets)
    except TooManyAttempts as refused:
        raise TooManyCodes(minutes=refused.params["minutes"], extra=refused.extra) from refused
    code = normal_code(text)
    known = db.session.scalar(select(Attestation.id).where(Attestation.code == code))
    end_read()
    if known is None:
        raise NoSuchAttestation()
    with write_unit():
        throttle.succeeded(attempt)
    return db.session.scalars(select(Attestation).where(Attestation.id == known)).one()


def statement_of(attestation: Attestation) -> Statement:
    """The snapshot read back: plain values that outlive the transaction."""
    said = json.loads(attestation.payload)
    employer = said["employer"] or {}
    lieu = said["lieu"]
    return Statement(
        public_id=attestation.public_id,
        code=attestation.code,
        lieu=lieu["name"],
        address=", ".join(part for part in (lieu["address"], f"{lieu['postcode']} {lieu['city']}".strip()) if part),
        city=lieu["city"],
        siret=lieu["siret"],
        person=said["person"]["name"],
        employer=employer.get("name"),
        siren=employer.get("siren"),
        first=date.fromisoformat(said["period"]["first"]),
        last=date.fromisoformat(said["period"]["last"]),
        issued_on=date.fromisoformat(said["issued_on"]),
        days=tuple(AttestedDay(date.fromisoformat(row["day"]), row["half_days"]) for row in said["days"]),
        half_days=said["totals"]["half_days"],
        only_paid=said.get("only") == "employer_paid",
    )


def new_code() -> str:
    """Sixteen characters that read aloud well, in groups of four: 79 bits nobody can guess."""
    return normal_code(public_id())


def _payload(
    lieu: Lieu, person: Person, employer: Organisation | None, days: list[AttestedDay], last: date, *, only_paid: bool
) -> dict[str, Any]:
    said = {
        "schema": SCHEMA,
        "lieu": {
            "name": lieu.name,
            "address": lieu.address,
            "postcode": lieu.postcode,
            "city": lieu.city,
            "siret": lieu.siret,
        },
        "person": {"name": person.name},
        "employer": None if employer is None else {"name": employer.name, "siren": employer.siren},
        "period": {"first": month_of(last).isoformat(), "last": last.isoformat()},
        "days": [{"day": row.day.isoformat(), "half_days": dict(row.halves)} for row in days],
        "totals": {"days": len(days), "half_days": sum(len(row.halves) for row in days)},
        "issued_on": spaces.today().isoformat(),
    }
    return said | {"only": "employer_paid"} if only_paid else said


def _employer(person_id: int, public_id: str | None, first: date, last: date) -> Organisation | None:
    if not public_id:
        return None
    for row in accounts.organisations_between(person_id, first, last):
        if row.public_id == public_id:
            return row
    raise EmployerUnknown()
