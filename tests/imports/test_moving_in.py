"""A host moves sixty members in from one spreadsheet: people, their plans, what is left of their packs, what they booked."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.membership.models import Pack, Subscription
from coworking.membership.services import add_pack_offer
from coworking.pricing.models import Quote
from tests import factories
from tests.imports.uploads import xlsx_file

HEAD = (
    "Prénom", "Nom", "E-mail", "Téléphone", "Statut", "Commune de résidence", "Entreprise", "Formule", "Date de début",
    "Carnet", "Reste", "Date", "Demi-journée",
)  # fmt: skip
STATUSES = ("Salariée", "Indépendant", "Demandeur d’emploi", "Étudiante", "Bénévole", "Retraité")
MONDAY = date(2026, 11, 30)


def member(at: int) -> tuple[object, ...]:
    return (
        f"Zoé{at}", "Lefèvre", f"zoe{at}@demo.example", "06 12 34 56 78", STATUSES[at % 6], "Celles-sur-Durolle",
        "Coutellerie Durand SA" if at % 3 == 0 else "", "Mi-temps", "01/09/2026", "Carnet 10", 1 + at % 10,
        f"{MONDAY + timedelta(days=at % 5 + at // 30 * 7):%d/%m/%Y}", "matin" if at % 2 else "après-midi",
    )  # fmt: skip


def offer_pack(cast) -> None:
    terms = {"unit": "half_day", "units": 10, "cents": 6000, "basis": "ttc", "vat_rate_bp": 0, "valid_months": 6}
    add_pack_offer(cast.manager.actor(), name="Carnet 10", **terms)


def step(steps, content: bytes, subject: str) -> Counter[str]:
    """Import one thing of the file as the pages understand it, and count what became of its lines."""
    place = steps.place(content, subject=subject)
    assert steps.choose(place, steps.chosen(place)).status_code == 303
    page = steps.browser.get(f"{place}/check")
    assert page.status_code == 200
    assert "Ce qui pose problème" not in page.text
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    return Counter(row[2] for row in steps.report(place))


def test_sixty_members_move_in_from_one_spreadsheet_and_nobody_gets_an_e_mail(app, steps, cast, mailbox):
    with app.app_context():
        factories.make_tariff()
        factories.make_plan(name="Mi-temps", halfdays=10)
        offer_pack(cast)
        desks = factories.the_place().desks
        assert len(desks) < 6, "several people share a half-day, and each gets a desk"
    content = xlsx_file([HEAD, *(member(at) for at in range(60))])
    assert step(steps, content, "people") == {"ajouté·e": 60}
    assert step(steps, content, "subscriptions") == {"ajouté·e": 60}
    assert step(steps, content, "balances") == {"ajouté·e": 60}
    booked = step(steps, content, "bookings")
    assert booked["ajouté·e"] + booked["laissé de côté"] == 60
    with app.app_context():
        people = db.session.scalars(select(Person).where(Person.email.startswith("zoe"))).unique().all()
        assert Counter(person.status for person in people) == dict.fromkeys(
            ("employee", "self_employed", "jobseeker", "student", "association", "other"), 10
        )
        assert {person.commune for person in people} == {"Celles-sur-Durolle"}
        assert db.session.scalar(select(func.count()).select_from(Subscription)) == 60
        assert db.session.execute(select(func.count(), func.sum(Pack.units), func.sum(Pack.cents))).one() == (
            60,
            330,
            0,
        )
        assert db.session.scalar(select(func.count()).select_from(Booking)) == booked["ajouté·e"] > 30
        assert set(db.session.scalars(select(Quote.cover))) == {"subscription"}
    assert mailbox() == []


def test_each_step_again_adds_nothing(app, steps, cast):
    with app.app_context():
        factories.make_plan(name="Mi-temps", halfdays=10)
        offer_pack(cast)
    rows = [HEAD, *(member(at) for at in range(4))]
    for content in (xlsx_file(rows), xlsx_file([*rows, member(0)])):
        for subject in ("people", "subscriptions", "balances", "bookings"):
            step(steps, content, subject)
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Person.email.startswith("zoe"))) == 4
        assert db.session.scalar(select(func.count()).select_from(Subscription)) == 4
        assert db.session.scalar(select(func.count()).select_from(Pack)) == 4
        assert db.session.scalar(select(func.count()).select_from(Booking)) == 4
