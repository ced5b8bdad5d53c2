"""The prices of the demo's lieu: a tariff, two plans, adhesions, and three employers who pay each in their own way."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from coworking.accounts import organisations
from coworking.accounts.models import Organisation, Person
from coworking.core.db import db
from coworking.core.months import month_end, month_of
from coworking.core.policy import Actor
from coworking.demo.cast import EMPLOYERS, Habit
from coworking.membership import coverage
from coworking.membership import queries as memberships
from coworking.membership import services as membership
from coworking.membership.agreement_rules import Beyond
from coworking.membership.models import Adhesion, Pack
from coworking.membership.rules import weekdays_mask
from coworking.pricing import article_services as articles
from coworking.pricing import services as pricing
from coworking.pricing.rules import Unit
from coworking.residents import services as residents
from coworking.spaces import inventory
from coworking.spaces import queries as spaces

ADHESION = 2000
TUESDAY, THURSDAY = 1, 3

# name, SIREN (of nobody: none begins so), street, weekdays, half-days a month, what follows, price, order number
AGREEMENTS: tuple[tuple[str, str, str, tuple[int, ...], int | None, Beyond, int | None, str | None], ...] = (
    (EMPLOYERS[0], "001234566", "12 route de Vichy", (TUESDAY, THURSDAY), None, "person", None, "BC-2026-014"),
    (EMPLOYERS[1], "002345676", "3 place de l’Hôtel-de-Ville", (), 8, "refuse", None, None),
    (EMPLOYERS[2], "003456787", "1 chemin des Rives", (), None, "person", 800, "DDI 4471"),
)
SHARED: dict[str, Any] = {"share_bp": 7000, "cap_cents": 15_000, "cap_of": "organisation", "days_per_week": 3}
"""What the last of them pays: 70 %, for any three days a week, at most 150.00 a month for all its people together."""


PACKS: tuple[tuple[str, Unit, int, int], ...] = (
    ("Carnet de 10 demi-journées", "half_day", 10, 8000),
    ("Carnet de 5 heures de salle", "hour", 300, 7500),
)


def prepare(manager: Actor, today: date) -> None:
    """Before the first day: prices, plans, and what the employers agreed to."""
    rooms = {room.name: room.public_id for room in spaces.resources(kind="room")}
    pricing.set_tariff(
        manager,
        valid_from=today,
        basis="ttc",
        vat_rate_bp=2000,
        by_kind={"desk": 900, "room": 1800},
        day_by_kind={"desk": 1500},
        by_resource={rooms["Atelier"]: 3000, rooms["Cabine"]: 600},
    )
    membership.set_adhesion_price(manager, ADHESION, vat="out_of_scope")
    articles.add_article(manager, "Café", "goods", cents=100, vat_rate_bp=1000, account="707")
    articles.add_article(manager, "Impression, une page", "service", cents=20, vat_rate_bp=2000, account="706")
    articles.add_article(manager, "Caution de clé", "deposit", cents=2000, vat_rate_bp=0, account="165")
    for name, cents, halfdays in (
        ("Dix demi-journées", 6000, 10),
        ("Mi-temps", 10800, 20),
        ("Plein temps", 19000, None),
    ):
        membership.add_plan(
            manager, name=name, monthly_cents=cents, basis="ttc", vat_rate_bp=2000, halfdays_per_month=halfdays
        )
    for name, unit, units, cents in PACKS:
        membership.add_pack_offer(
            manager,
            name=name,
            unit=unit,
            units=units,
            cents=cents,
            basis="ttc",
            vat_rate_bp=2000,
            valid_months=6,
        )
    for number, (name, siren, street, weekdays, halfdays, beyond, cents, order) in enumerate(AGREEMENTS, 1):
        found = db.session.scalars(select(Organisation).where(Organisation.name == name)).one()
        organisations.update_organisation(
            manager,
            found.public_id,
            {
                "name": name,
                "siren": siren,
                "email": f"factures{number}@demo.example",
                "address": street,
                "postcode": "63300",
                "city": "Thiers",
            },
        )
        membership.add_agreement(
            manager,
            found.public_id,
            valid_from=today,
            valid_until=None,
            weekdays=weekdays_mask(weekdays),
            halfdays_per_month=halfdays,
            beyond=beyond,
            halfday_cents=cents,
            order_number=order,
            **(SHARED if name == EMPLOYERS[2] else {}),
        )


def let_office(manager: Actor, day: date) -> None:
    """The last employer has a closed office of its own, by the month, from ``day`` on."""
    zone = next(room.zone for room in spaces.resources(kind="room"))
    (office,) = inventory.add_resources(
        manager, kind="office", zone_public_id=zone.public_id, names=["Bureau Lavande"], seats=3
    )
    company = db.session.scalars(select(Organisation.public_id).where(Organisation.name == EMPLOYERS[2])).one()
    residents.assign(
        manager,
        residents.Assigning(
            place=office.public_id,
            organisation=company,
            first_day=day,
            monthly_cents=36000,
            vat_rate_bp=2000,
            min_months=6,
        ),
    )


def join(manager: Actor, habit: Habit, day: date) -> None:
    """A newcomer adheres, most of them; some subscribe: whoever comes often, and the demo's own member."""
    draw = random.Random(f"{habit.first_name} {habit.last_name}")
    person = (
        db.session.scalars(
            select(Person.public_id).where(Person.first_name == habit.first_name, Person.last_name == habit.last_name)
        )
        .unique()
        .one()
    )
    is_member = habit.email == "member@demo.example"
    if is_member or draw.random() < 0.7:
        membership.record_adhesion(manager, person, valid_from=day, cents=ADHESION)
    pays_alone = habit.employer is None and habit.email != "stranger@demo.example"
    if is_member or (pays_alone and draw.random() < 0.6):
        plans = memberships.plans()
        halfdays = 4.3 * len(habit.weekdays) * len(habit.halves) * habit.likely
        plan = next(p for p in plans if p.halfdays_per_month is None or p.halfdays_per_month >= halfdays)
        membership.subscribe(manager, (plans[0] if is_member else plan).public_id, person=person, first_month=day)
    elif habit.employer is None and random.Random(f"pack {person}").random() < 0.6:
        _sell_pack(manager, person)


def _sell_pack(manager: Actor, person: str) -> None:
    """The pack of half-days, which who comes now and then prefers to a plan."""
    offer = next(one for one in memberships.pack_offers() if one.unit == "half_day")
    membership.buy_pack(manager, offer.public_id, person=person)


def month(manager: Actor, day: date) -> None:
    """On the first of a month: last month's half-days are consumed, and most of whose adhesion ends renew it."""
    coverage.consume_past()
    for person_id, person in db.session.execute(
        select(Person.id, Person.public_id).join(Pack, Pack.person_id == Person.id).distinct()
    ).all():
        packs = memberships.packs_of(person_id, day)
        if all(one.is_over(day) or one.left == 0 for one in packs):
            _sell_pack(manager, person)
    ending = db.session.execute(
        select(Person.public_id, Adhesion.valid_until)
        .join(Adhesion, Adhesion.person_id == Person.id)
        .where(Adhesion.valid_until >= month_of(day), Adhesion.valid_until <= month_end(month_of(day)))
        .order_by(Adhesion.id)
    ).all()
    for person, last in ending:
        if random.Random(person).random() < 0.8:
            membership.record_adhesion(manager, person, valid_from=last + timedelta(days=1), cents=ADHESION)
