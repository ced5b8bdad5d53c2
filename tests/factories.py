"""Small true things to test with. Each runs inside an application context and opens its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from coworking.accounts.models import Organisation, OrganisationMember, Person, PersonRole
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.units import write_unit
from coworking.spaces import calendar
from coworking.spaces.models import Lieu, Resource, Schedule, ScheduleHours, Zone

LONG_AGO = date(2026, 1, 1)


PASSWORD = "atelier-du-pont"


@dataclass(frozen=True, slots=True)
class Place:
    """The lieu of most tests: La Fabrique du Pont, open Monday to Friday 9 to 18, Saturday 9 to 13."""

    lieu: Lieu
    desks: list[Resource]
    rooms: list[Resource]


@dataclass(frozen=True, slots=True)
class Cast:
    """The permanent cast. ``member`` and ``colleague`` share an employer; ``stranger`` shares nothing."""

    member: Person
    colleague: Person
    stranger: Person
    host: Person
    manager: Person
    accountant: Person
    lead: Person


def make_place(
    *, desks: int = 4, rooms: tuple[tuple[str, int], ...] = (("Durolle", 12), ("Cabine", 1)), **lieu: object
) -> Place:
    """A lieu with one open space and one zone of rooms, its days made from a month ago to beyond the horizon."""
    with write_unit():
        values = {
            "name": "La Fabrique du Pont",
            "address": "4 rue du Pont",
            "postcode": "63300",
            "city": "Thiers",
        } | lieu
        db.session.add(Lieu(**values))
        schedule = Schedule(valid_from=LONG_AGO)
        for weekday in range(6):
            for layer in ("accessible", "staffed"):
                closes = 13 * 60 if weekday == 5 else 18 * 60
                schedule.hours.append(ScheduleHours(weekday=weekday, layer=layer, opens=9 * 60, closes=closes))
        plateau, salles = Zone(name="Grand plateau", position=0), Zone(name="Salles", position=1)
        plateau.resources = [
            Resource(kind="desk", name=f"Poste {n}", position=n, in_service_from=LONG_AGO) for n in range(1, desks + 1)
        ]
        salles.resources = [
            Resource(kind="room", name=name, seats=seats, position=n, in_service_from=LONG_AGO)
            for n, (name, seats) in enumerate(rooms)
        ]
        db.session.add_all([schedule, plateau, salles])
        db.session.flush()
        today = now().date()
        calendar.ensure_days(today - timedelta(days=40), today + timedelta(days=140))
    db.session.expire_all()
    rows = list(db.session.scalars(select(Resource).order_by(Resource.id)))
    found = db.session.get(Lieu, 1)
    assert found is not None
    return Place(found, [row for row in rows if row.kind == "desk"], [row for row in rows if row.kind == "room"])


def make_person(first_name: str, last_name: str, email: str | None, *roles: str, **values: object) -> Person:
    """A person with a confirmed e-mail and the tests' password."""
    with write_unit():
        person = Person(
            first_name=first_name,
            last_name=last_name,
            email=email,
            email_confirmed_at=now() if email else None,
            password_hash=password_hash() if email else None,
            **values,
        )
        db.session.add(person)
        db.session.flush()
        db.session.add_all(PersonRole(person_id=person.id, role=role) for role in roles)
    return (
        db.session.scalars(select(Person).where(Person.id == person.id).execution_options(populate_existing=True))
        .unique()
        .one()
    )


def make_cast() -> Cast:
    """Everyone a permission story needs."""
    cast = Cast(
        member=make_person("Anne", "Marchand", "member@demo.example", visible_to_colleagues=True),
        colleague=make_person("Karim", "Benali", "colleague@demo.example", visible_to_colleagues=True),
        stranger=make_person("Lise", "Vidal", "stranger@demo.example"),
        host=make_person("Maëlle", "Chassagne", "host@demo.example", "host"),
        manager=make_person("Olivier", "Fayolle", "manager@demo.example", "manager"),
        accountant=make_person("Brigitte", "Astier", "accountant@demo.example", "accountant"),
        lead=make_person("Solène", "Vernet", "lead@demo.example", "lead"),
    )
    with write_unit():
        employer = Organisation(name="Coutellerie Durand SA")
        db.session.add(employer)
        db.session.flush()
        for person in (cast.member, cast.colleague):
            db.session.add(OrganisationMember(organisation_id=employer.id, person_id=person.id, since=LONG_AGO))
    people = {row.email: row for row in db.session.scalars(select(Person)).unique()}
    return Cast(**{name: people[f"{name}@demo.example"] for name in Cast.__slots__})


def actor(person: Person) -> Actor:
    return person.actor()


_hash: list[str] = []


def password_hash() -> str:
    """The tests' password hashed once per process with the cheapest Argon2: its cost is not under test."""
    if not _hash:
        from argon2 import PasswordHasher

        _hash.append(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))
    return _hash[0]
