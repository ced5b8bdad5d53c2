"""Who has which plan, from a spreadsheet: plans that exist, people who are here, from this month on."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.core.db import db
from coworking.core.reading import UnreadableDate
from coworking.imports.day_rules import SheetDateUnreadable, day_in, month_in
from coworking.membership import services as membership
from coworking.membership.models import Subscription
from tests import factories
from tests.imports.uploads import csv_file

HEAD = ("Nom", "Prénom", "E-mail", "Formule", "Date de début")


def imported(steps, rows, head=HEAD) -> str:
    place = steps.place(csv_file([head, *rows]), subject="subscriptions")
    assert steps.choose(place, steps.chosen(place)).status_code == 303
    assert steps.browser.get(f"{place}/check").status_code == 200
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    return place


def held(app) -> list[tuple[str, str, date]]:
    with app.app_context():
        rows = db.session.scalars(select(Subscription).order_by(Subscription.id))
        return [(row.person.first_name, row.name, row.first_month) for row in rows]


@pytest.fixture
def nomade(app, place) -> str:
    with app.app_context():
        return factories.make_plan().name


def test_people_get_the_plans_that_they_have_elsewhere(app, steps, cast, nomade, mailbox):
    with app.app_context():
        factories.make_person("Léa", "de la Tour", None)
    rows = [
        ("", "", str(cast.member.email), nomade.upper(), "01/02/2025"),
        ("DE LA TOUR", "Lea", "", nomade, "2026-12-01"),
        ("", "", "nobody@demo.example", nomade, ""),
        ("", "", str(cast.colleague.email), "Inconnue", ""),
        ("", "", str(cast.stranger.email), nomade, "bientôt"),
        ("", "", "", nomade, ""),
    ]
    place = imported(steps, rows)
    assert [row[2] for row in steps.report(place)] == ["ajouté·e"] * 2 + ["laissé de côté"] * 4
    assert "mois" in steps.report(place)[0][3]
    assert held(app) == [
        (cast.member.first_name, nomade, date(2026, 11, 1)),
        ("Léa", nomade, date(2026, 12, 1)),
    ]
    assert mailbox() == []


def test_plan_and_first_month_are_shown_before_anything_is_written(app, steps, cast, nomade):
    rows = [("", "", str(cast.member.email), nomade, ""), ("", "", str(cast.colleague.email), nomade, "15/12/2026")]
    place = steps.place(csv_file([HEAD, *rows]), subject="subscriptions")
    steps.choose(place, steps.chosen(place))
    page = steps.browser.get(f"{place}/check").text
    assert f"{nomade}, à partir de novembre 2026" in page
    assert f"{nomade}, à partir de décembre 2026" in page
    assert held(app) == []


def test_whoever_has_a_plan_keeps_it(app, steps, cast, nomade):
    with app.app_context():
        other = membership.add_plan(
            cast.manager.actor(), name="Fixe", monthly_cents=20000, basis="ttc", vat_rate_bp=0, halfdays_per_month=None
        ).name
    row = ("", "", str(cast.member.email), nomade, "")
    imported(steps, [row])
    place = imported(steps, [row, ("", "", str(cast.stranger.email), other, "")])
    assert [line[2] for line in steps.report(place)] == ["déjà là", "ajouté·e"]
    place = imported(steps, [("", "", str(cast.member.email), other, "")])
    assert steps.report(place)[0][2] == "laissé de côté" and nomade in steps.report(place)[0][3]
    assert len(held(app)) == 2


def test_of_two_of_one_name_the_address_decides(app, steps, nomade):
    with app.app_context():
        for email in ("a@demo.example", "b@demo.example"):
            factories.make_person("Eva", "Roy", email)
    place = imported(steps, [("Roy", "Eva", "", nomade, "")])
    assert "Plusieurs" in steps.report(place)[0][3]
    assert held(app) == []


@pytest.mark.parametrize("text", ["2026-09", "2026-09-15", "15/09/2026", "09/2026", "15.9.2026", "2026-09-15 00:00"])
def test_months_as_people_write_them(text):
    assert month_in(text) == date(2026, 9, 1)


@pytest.mark.parametrize("text", ["septembre", "2026-13", "99/99/2026", "2026"])
def test_what_is_no_month(text):
    with pytest.raises(UnreadableDate):
        month_in(text)


@pytest.mark.parametrize("text", ["2026-09-15", "15/09/2026", "15-9-2026", "2026-09-15 00:00"])
def test_days_as_people_write_them(text):
    assert day_in(text) == date(2026, 9, 15)


@pytest.mark.parametrize("text", ["demain", "09/2026", "31/02/2026", "2026-09"])
def test_what_is_no_day_is_shown_how_days_are_written(text):
    with pytest.raises(SheetDateUnreadable, match="26/11/2026"):
        day_in(text)
