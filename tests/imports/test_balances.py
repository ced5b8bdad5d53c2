"""What is left of packs that were bought elsewhere, from a spreadsheet: people and packs that are here, each once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import services as booking
from coworking.core.db import db
from coworking.imports.balance_rules import LeftUnknown, units_left
from coworking.membership import queries
from coworking.membership.models import Pack
from coworking.membership.services import add_pack_offer
from coworking.pricing.models import Quote
from tests import factories
from tests.imports.uploads import csv_file, xlsx_file

HEAD = ("Nom", "Prénom", "E-mail", "Carnet", "Reste", "Valable jusqu'au")
TODAY = date(2026, 11, 24)


@pytest.fixture
def ten(app, place, cast) -> str:
    """A pack of ten half-days that can be bought, and one of five hours of a room."""
    with app.app_context():
        manager = cast.manager.actor()
        for name, unit, units in (("Carnet 10", "half_day", 10), ("Cinq heures", "hour", 300)):
            add_pack_offer(
                manager, name=name, unit=unit, units=units, cents=6000, basis="ttc", vat_rate_bp=0, valid_months=6
            )
    return "Carnet 10"


def imported(steps, rows, made=csv_file) -> str:
    place = steps.place(made([HEAD, *rows]), subject="balances")
    assert steps.choose(place, steps.chosen(place)).status_code == 303
    assert steps.browser.get(f"{place}/check").status_code == 200
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    return place


def outcomes(steps, place) -> list[str]:
    return [row[2] for row in steps.report(place)]


def packs(app) -> list[tuple[str, str, int, int, date]]:
    with app.app_context():
        rows = db.session.scalars(select(Pack).order_by(Pack.id))
        return [(row.person.first_name, row.name, row.units, row.cents, row.valid_until) for row in rows]


@pytest.mark.parametrize(
    ("written", "unit", "units"),
    [
        ("4", "half_day", 4),
        ("4,0", "half_day", 4),
        ("3", "hour", 180),
        ("3,5", "hour", 210),
        ("3 h 30", "hour", 210),
        ("3h", "hour", 180),
        ("3:05", "hour", 185),
    ],
)
def test_what_is_left_is_read_as_people_write_it(written, unit, units):
    assert units_left(written, unit) == units


@pytest.mark.parametrize(
    ("written", "unit"), [("", "half_day"), ("4,5", "half_day"), ("-1", "half_day"), ("3h75", "hour")]
)
def test_what_is_no_number_of_them_is_refused(written, unit):
    with pytest.raises(LeftUnknown):
        units_left(written, unit)


@pytest.mark.parametrize("made", [csv_file, xlsx_file])
def test_people_keep_what_is_left_and_pay_nothing_for_it(app, steps, cast, ten, mailbox, made):
    rows = [
        ("", "", str(cast.member.email), "CARNET 10", "4", "31/01/2027"),
        ("VIDAL", "Lise", "", "Cinq heures", "1 h 30", ""),
    ]
    place = imported(steps, rows, made)
    assert outcomes(steps, place) == ["ajouté·e"] * 2
    assert packs(app) == [
        ("Anne", "Carnet 10", 4, 0, date(2027, 1, 31)),
        ("Lise", "Cinq heures", 90, 0, date(2027, 5, 23)),
    ]
    with app.app_context():
        charges.gather(date(2026, 11, 1))
        assert db.session.scalars(select(Charge)).all() == []
        factories.make_tariff()
        booking.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
        assert db.session.scalars(select(Quote.cover)).all() == ["pack"]
        assert [one.left for one in queries.packs_of(cast.member.id, TODAY)] == [3]
    assert mailbox() == []


def test_what_cannot_be_is_said_line_by_line(app, steps, cast, ten):
    member = str(cast.member.email)
    rows = [
        ("", "", "nobody@demo.example", ten, "4", ""),
        ("", "", member, "Carnet 99", "4", ""),
        ("", "", member, ten, "onze", ""),
        ("", "", member, ten, "11", ""),
        ("", "", member, ten, "4", "31/10/2026"),
        ("", "", member, ten, "4", "bientôt"),
        ("", "", "", ten, "4", ""),
        ("", "", member, ten, "0", ""),
    ]
    place = imported(steps, rows)
    report = steps.report(place)
    assert [row[2] for row in report] == ["laissé de côté"] * 7 + ["déjà là"]
    assert all(row[3] for row in report)
    assert packs(app) == []


def test_a_balance_is_never_given_twice(app, steps, cast, ten):
    member = str(cast.member.email)
    first = ("", "", member, ten, "4", "31/01/2027")
    twice = imported(steps, [first, first])
    assert outcomes(steps, twice) == ["ajouté·e", "déjà là"]
    imported(steps, [first, first])
    other = imported(steps, [first, ("", "", member, ten, "4", ""), ("", "", member, ten, "2", "28/02/2027")])
    assert outcomes(steps, other) == ["déjà là", "déjà là", "ajouté·e"]
    assert [row[2] for row in packs(app)] == [4, 2]
