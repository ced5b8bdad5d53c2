"""The demo's lieu: a small town's coworking space, made as a manager would make it."""

from __future__ import annotations

import random
from datetime import date

from sqlalchemy import select

from coworking.accounts.models import (
    Organisation,
    OrganisationMember,
    Person,
    PersonRole,
)
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.units import write_unit
from coworking.demo.cast import EMPLOYERS, Habit
from coworking.spaces import inventory, services
from coworking.spaces import queries as spaces
from coworking.spaces.rules import Closing, Opening

STAFF = (
    ("Maëlle", "Chassagne", "host@demo.example", "host"),
    ("Olivier", "Fayolle", "manager@demo.example", "manager"),
    ("Brigitte", "Astier", "accountant@demo.example", "accountant"),
    ("Solène", "Vernet", "lead@demo.example", "lead"),
)

CONTACT = ("Nadège", "Pradier", "contact@demo.example")
"""Speaks for the first of the employers, and never books."""

STREETS = ("rue des Lilas", "rue du Lavoir", "chemin des Vignes", "impasse du Four", "route du Col", "place du Marché")
TOWNS = (("63300", "Thiers"), ("63120", "Courpière"), ("63250", "Chabreloche"), ("63550", "Palladuc"))
DESKS = 24
ROOMS = (("Durolle", 12), ("Dore", 8), ("Margeride", 6), ("Atelier", 20), ("Cabine", 1))


def _openings(*, saturdays: bool) -> list[Opening]:
    hours = [
        Opening(weekday, layer, start, end)
        for weekday in range(5)
        for layer, start, end in (("accessible", 9 * 60, 18 * 60), ("staffed", 9 * 60, 17 * 60))
    ]
    if saturdays:
        hours += [Opening(5, layer, 9 * 60, 13 * 60) for layer in ("accessible", "staffed")]
    return hours


def build(password_hash: str) -> Actor:
    """Make the lieu with its spaces and staff on the first simulated day; return the manager."""
    with write_unit():
        services.set_up(
            services.SetUp(
                name="La Fabrique du Pont",
                address="4 rue du Pont",
                postcode="63300",
                city="Thiers",
                legal_status="association",
                vat_status="taxable",
                openings=_openings(saturdays=False),
                desk_names=[f"Poste {number}" for number in range(1, DESKS + 1)],
                zone_name="Grand plateau",
                rooms=ROOMS,
                rooms_zone_name="Salles",
                is_simulation=True,
            )
        )
        for first, last, email, role in STAFF:
            person = _person(first, last, email, password_hash)
            db.session.add(person)
            db.session.flush()
            db.session.add(PersonRole(person_id=person.id, role=role))
        employers = [Organisation(name=name) for name in EMPLOYERS]
        contact = _person(*CONTACT, password_hash)
        db.session.add_all([*employers, contact])
        db.session.flush()
        db.session.add(
            OrganisationMember(
                organisation_id=employers[0].id, person_id=contact.id, since=spaces.today(), is_contact=True
            )
        )
        manager = db.session.scalars(select(Person).where(Person.email == "manager@demo.example")).unique().one()
        actor = manager.actor()
    services.update_lieu(
        actor,
        email="accueil@demo.example",
        phone="04 00 00 00 00",
        website="https://fabrique.demo.example",
        presentation="Un ancien atelier de coutellerie, au bord de la Durolle : du calme, des salles, du café.",
        directions="À cinq minutes à pied de la gare. Arrêt de bus «\u202fPont de Seychal\u202f».",
        arrival_door="Sonnez à «\u202fFabrique\u202f», ou composez 4521 puis la clé.",
        arrival_wifi="Fabrique-Invites, mot de passe bienvenue",
        arrival_parking="Place Antonin-Chastel, gratuit le samedi",
        host_phone="04 00 00 00 01",
    )
    for name, minutes in (("Durolle", 15), ("Atelier", 30)):
        room = next(row for row in spaces.resources(kind="room") if row.name == name)
        inventory.update_resource(actor, room.public_id, buffer_after=minutes)
    return actor


def open_on_saturdays(manager: Actor, day: date) -> None:
    """From ``day`` the lieu opens on Saturday mornings: dated hours, so that the months before keep theirs."""
    services.set_schedule(manager, valid_from=day, split_minute=13 * 60, openings=_openings(saturdays=True))


def close(manager: Actor, first: date, last: date, reason: str, minutes: tuple[int, int] | None = None) -> None:
    services.add_closure(manager, Closing(first, last, *(minutes or (None, None)), reason))


def join(habit: Habit, password_hash: str | None, on: date) -> None:
    """One more person, with the employer who sends them."""
    with write_unit():
        person = _person(habit.first_name, habit.last_name, habit.email, password_hash)
        person.visible_to_colleagues = habit.employer is not None
        person.address, person.postcode, person.city = _home(habit)
        db.session.add(person)
        db.session.flush()
        if habit.employer is not None:
            employer = db.session.scalars(select(Organisation).where(Organisation.name == habit.employer)).one()
            db.session.add(OrganisationMember(organisation_id=employer.id, person_id=person.id, since=on))


def _home(habit: Habit) -> tuple[str, str, str]:
    """An address for the PDFs, the same for the same name whatever else is drawn."""
    draw = random.Random(f"{habit.first_name} {habit.last_name}, home")
    return f"{draw.randrange(1, 60)} {draw.choice(STREETS)}", *draw.choice(TOWNS)


def _person(first_name: str, last_name: str, email: str | None, password_hash: str | None) -> Person:
    return Person(
        first_name=first_name,
        last_name=last_name,
        email=email,
        email_confirmed_at=now() if email else None,
        password_hash=password_hash if email else None,
    )


def ask_first(manager: Actor) -> None:
    """From now on people without a plan pay rooms first, and everyone a plan or the adhesion: whoever tries it sees how."""
    services.update_lieu(manager, pay_first_rooms="no_plan", pay_first_membership=True)
