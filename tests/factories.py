"""Small true things to test with. Each runs inside an application context and opens its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select

from coworking.accounts import devices, session
from coworking.accounts.models import Organisation, OrganisationMember, Person, PersonRole
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.units import write_unit
from coworking.membership.models import Agreement, Pack, PackOffer, Plan, Subscription
from coworking.pricing.group_models import GroupPrice, GroupTariff, PriceGroup, PriceGroupMember
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Tariff, TariffPrice
from coworking.spaces import calendar
from coworking.spaces.models import Lieu, Resource, Schedule, ScheduleHours, Zone
from tests.support.remembered import remembered

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
    remembered(("place", desks, rooms, *sorted(lieu.items())), lambda: _write_place(desks, rooms, lieu))
    db.session.expire_all()
    return the_place()


def the_place() -> Place:
    """The lieu that is there."""
    rows = list(db.session.scalars(select(Resource).order_by(Resource.id)))
    found = db.session.get(Lieu, 1)
    assert found is not None
    return Place(found, [row for row in rows if row.kind == "desk"], [row for row in rows if row.kind == "room"])


def _write_place(desks: int, rooms: tuple[tuple[str, int], ...], lieu: dict[str, object]) -> None:
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


def make_person(first_name: str, last_name: str, email: str | None, *roles: str, **values: object) -> Person:
    """A person with a confirmed e-mail and the tests' password."""
    with write_unit():
        values = {
            "email_confirmed_at": now() if email else None,
            "password_hash": password_hash() if email else None,
        } | values
        person = Person(first_name=first_name, last_name=last_name, email=email, **values)
        db.session.add(person)
        db.session.flush()
        db.session.add_all(PersonRole(person_id=person.id, role=role) for role in roles)
    return (
        db.session.scalars(select(Person).where(Person.id == person.id).execution_options(populate_existing=True))
        .unique()
        .one()
    )


def make_device(person: Person) -> tuple[str, str]:
    """``person`` signed in on a device of theirs: the cookie's name and value."""
    with write_unit():
        signed_in = devices.strongly(person, devices.Browser("Firefox/146.0 (Linux)", remember=True), by=devices.LINK)
    return session.device_cookie(), signed_in.secret


def make_cast() -> Cast:
    """Everyone a permission story needs."""
    remembered("cast", _write_cast)
    return the_cast()


def the_cast() -> Cast:
    """The cast that is there."""
    people = {row.email: row for row in db.session.scalars(select(Person)).unique()}
    return Cast(**{name: people[f"{name}@demo.example"] for name in Cast.__slots__})


def _write_cast() -> None:
    member = make_person("Anne", "Marchand", "member@demo.example", visible_to_colleagues=True)
    colleague = make_person("Karim", "Benali", "colleague@demo.example", visible_to_colleagues=True)
    make_person("Lise", "Vidal", "stranger@demo.example")
    make_person("Maëlle", "Chassagne", "host@demo.example", "host")
    make_person("Olivier", "Fayolle", "manager@demo.example", "manager")
    make_person("Brigitte", "Astier", "accountant@demo.example", "accountant")
    make_person("Solène", "Vernet", "lead@demo.example", "lead")
    with write_unit():
        employer = Organisation(name="Coutellerie Durand SA")
        db.session.add(employer)
        db.session.flush()
        for person in (member, colleague):
            db.session.add(OrganisationMember(organisation_id=employer.id, person_id=person.id, since=LONG_AGO))


def make_tariff(
    *,
    desk: int | None = 900,
    day: int | None = None,
    room: int | None = 1500,
    resources: dict[Resource, int] | None = None,
    valid_from: date = LONG_AGO,
    basis: str = "ttc",
    vat_rate_bp: int = 2000,
) -> Tariff:
    """Prices in cents: half a day at a desk, a whole ``day`` there, an hour of a room, and of ``resources`` that have their
    own."""
    with write_unit():
        tariff = Tariff(valid_from=valid_from, basis=basis, vat_rate_bp=vat_rate_bp)
        for kind, unit, cents in (("desk", "half_day", desk), ("room", "hour", room)):
            if cents is not None:
                tariff.prices.append(
                    TariffPrice(kind=kind, unit=unit, cents=cents, day_cents=day if kind == "desk" else None)
                )
        for resource, cents in (resources or {}).items():
            unit = "half_day" if resource.kind == "desk" else "hour"
            tariff.prices.append(TariffPrice(kind=resource.kind, resource_id=resource.id, unit=unit, cents=cents))
        db.session.add(tariff)
    return tariff


def make_group(name: str = "demandeur d’emploi", *, valid_from: date = LONG_AGO, **reductions: Reduction) -> PriceGroup:
    """A group that pays less from ``valid_from`` on: ``reductions`` by kind."""
    with write_unit():
        group = PriceGroup(name=name)
        db.session.add(group)
        db.session.flush()
        prices = [GroupPrice(kind=kind, percent_bp=one.percent_bp, cents=one.cents) for kind, one in reductions.items()]
        db.session.add(GroupTariff(group_id=group.id, valid_from=valid_from, prices=prices))
    return group


def make_reduced(
    person: Person,
    group: PriceGroup,
    *,
    valid_from: date = LONG_AGO,
    valid_until: date = date(2027, 6, 30),
    proof: str = "attestation France Travail",
) -> PriceGroupMember:
    """``person`` belongs to ``group``, by a proof that they showed themselves."""
    with write_unit():
        row = PriceGroupMember(
            person_id=person.id,
            group_id=group.id,
            valid_from=valid_from,
            valid_until=valid_until,
            proof=proof,
            seen_on=valid_from,
            seen_by_id=person.id,
        )
        db.session.add(row)
    return row


def make_plan(
    name: str = "Dix demi-journées", *, cents: int = 6000, halfdays: int | None = 10, **terms: object
) -> Plan:
    """A plan one can subscribe to; ``terms``: other columns."""
    with write_unit():
        plan = Plan(name=name, monthly_cents=cents, halfdays_per_month=halfdays, basis="ttc", vat_rate_bp=2000, **terms)
        db.session.add(plan)
    return plan


def make_subscription(
    person: Person,
    *,
    halfdays: int | None = 10,
    first_month: date = LONG_AGO,
    last_month: date | None = None,
    **terms: object,
) -> Subscription:
    """``person`` subscribed to a plan of so many half-days a month; ``terms``: other columns."""
    plan = make_plan(halfdays=halfdays)
    with write_unit():
        subscription = Subscription(
            person_id=person.id,
            plan_id=plan.id,
            name=plan.name,
            first_month=first_month,
            last_month=last_month,
            monthly_cents=plan.monthly_cents,
            basis=plan.basis,
            vat_rate_bp=plan.vat_rate_bp,
            halfdays_per_month=halfdays,
            **terms,
        )
        db.session.add(subscription)
    return subscription


def make_pack_offer(
    name: str = "Dix demi-journées", *, unit: str = "half_day", units: int = 10, cents: int = 6000, months: int = 6
) -> PackOffer:
    """A pack one can buy; ``units`` of an ``hour`` are minutes."""
    with write_unit():
        offer = PackOffer(name=name, unit=unit, units=units, cents=cents, valid_months=months, vat_rate_bp=2000)
        db.session.add(offer)
    return offer


def make_pack(
    person: Person,
    *,
    unit: str = "half_day",
    units: int = 10,
    cents: int = 6000,
    valid_from: date = LONG_AGO,
    valid_until: date = date(2027, 5, 25),
) -> Pack:
    """``person`` bought a pack of so many units."""
    offer = make_pack_offer(unit=unit, units=units, cents=cents)
    with write_unit():
        pack = Pack(
            person_id=person.id,
            offer_id=offer.id,
            name=offer.name,
            unit=unit,
            units=units,
            cents=cents,
            basis=offer.basis,
            vat_rate_bp=offer.vat_rate_bp,
            valid_from=valid_from,
            valid_until=valid_until,
        )
        db.session.add(pack)
    return pack


def make_agreement(
    organisation: Organisation | None = None,
    *,
    halfdays: int | None = None,
    weekdays: int | None = None,
    beyond: str = "person",
    cents: int | None = None,
    valid_from: date = LONG_AGO,
    valid_until: date | None = None,
    **limits: Any,
) -> Agreement:
    """``organisation`` (by default the employer of `make_cast`) pays for its members' half-days. ``limits``: ``cap_cents``
    and ``cap_of``, ``days_per_week``, ``share_bp``, ``pays_rooms``."""
    with write_unit():
        employer = organisation or db.session.scalars(select(Organisation).order_by(Organisation.id)).first()
        assert employer is not None
        agreement = Agreement(
            organisation_id=employer.id,
            valid_from=valid_from,
            valid_until=valid_until,
            weekdays=weekdays,
            halfdays_per_month=halfdays,
            beyond=beyond,
            halfday_cents=cents,
            **limits,
        )
        db.session.add(agreement)
    return agreement


def actor(person: Person) -> Actor:
    return person.actor()


HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The cheapest Argon2: its cost is not under test."""


@cache
def password_hash() -> str:
    """The tests' password, hashed once per process."""
    return HASHER.hash(PASSWORD)
