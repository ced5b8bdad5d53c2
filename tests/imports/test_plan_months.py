"""What was used of a plan's month before the lieu moved here, imported: it counts as used, once, and is explained."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from coworking.booking import services as booking
from coworking.core.db import db
from coworking.core.units import end_read, snapshot, write_unit
from coworking.membership import changing, checks, services
from coworking.membership.change_rules import UsedAlready
from coworking.membership.entitlement_queries import remaining
from coworking.membership.ledger_queries import accounts_of
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from tests import factories
from tests.imports.uploads import Steps, csv_file, xlsx_file

HEAD = ("Nom", "Prénom", "E-mail", "Mois", "Demi-journées utilisées", "Heures utilisées", "Report", "Heures reportées")
TODAY = date(2026, 11, 24)
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
ROLLS_OVER = {"rollover_halfdays": 2, "room_minutes": 300, "rollover_minutes": 60}


@pytest.fixture
def held(app, place, cast):
    """Anne's plan of eight half-days and five hours; two and one hour of what is left go over into the next month."""
    with app.app_context():
        factories.make_tariff()
        factories.make_subscription(cast.member, halfdays=8, first_month=NOVEMBER, **ROLLS_OVER)
    return str(cast.member.email)


def imported(steps, rows, made=csv_file) -> list[tuple[str, str]]:
    """What became of each line, and what is to be known about it."""
    place = steps.place(made([HEAD, *rows]), subject="plan_months")
    assert steps.choose(place, steps.chosen(place)).status_code == 303
    assert steps.browser.get(f"{place}/check").status_code == 200
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    return [(row[2], row[3]) for row in steps.report(place)]


def line(email: str, used: str = "", rooms: str = "", over: str = "", rooms_over: str = "", month: str = ""):
    return ("", "", email, month, used, rooms, over, rooms_over)


def entries() -> list[tuple[str, str | None, int | None]]:
    return [(row.kind, row.unit, row.units) for row in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))]


def faults() -> list[str]:
    end_read()
    with snapshot():
        return [*checks.of_plans(), *checks.brought_into_plans(), *checks.entries(), *checks.overdrawn()]


@pytest.mark.parametrize("made", [csv_file, xlsx_file])
def test_what_was_used_elsewhere_counts_as_used(app, steps, cast, held, mailbox, made):
    assert imported(steps, [line(held, "3", "2 h", "1", "30 min", "11/2026")], made) == [("ajouté·e", "")]
    with app.app_context():
        half_days, hours = remaining(cast.member.id, TODAY)
        assert (half_days.left, half_days.total, half_days.carried) == (6, 9, 1)
        assert (hours.left, hours.total, hours.carried) == (300 + 30 - 120, 330, 30)
        booking.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
        assert db.session.scalars(select(Quote.cover)).all() == ["subscription"]
        one, rooms = accounts_of(cast.member.id, NOVEMBER, TODAY)
        assert (one.given, one.used, one.booked, one.left, one.carried, one.brought) == (9, 3, 1, 5, 1, 3)
        assert (rooms.given, rooms.used, rooms.left, rooms.brought) == (330, 120, 210, 120)
        assert faults() == []
    assert mailbox() == []


def test_what_is_left_of_the_month_of_moving_in_goes_over(app, steps, cast, held, clock):
    imported(steps, [line(held, "7")])
    clock.now = datetime(2026, 12, 2, 8, tzinfo=UTC)
    with app.app_context():
        (one, _hours) = accounts_of(cast.member.id, DECEMBER, date(2026, 12, 2))
        assert (one.given, one.carried, one.brought) == (9, 1, 0), "one of eight was left"
        assert faults() == []


def test_a_plan_can_be_used_up_elsewhere(app, steps, cast, held):
    imported(steps, [line(held, "8", "5 h")])
    with app.app_context():
        booking.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
        assert db.session.scalars(select(Quote.cover)).all() == ["tariff"]
        assert [one.left for one in remaining(cast.member.id, TODAY)] == [0, 0]


def test_the_page_explains_it_to_its_person(steps, cast, held, sign_in):
    imported(steps, [line(held, "3", "", "1")])
    page = sign_in(cast.member).get("/me/allowances?month=2026-11").text
    assert "Utilisé avant que le lieu ne passe à ce logiciel" in page and "3 demi-journées" in page
    assert "mois précédent" in page


def test_the_same_is_never_counted_twice(app, steps, cast, held):
    first = line(held, "3", "2 h")
    assert [word for word, _ in imported(steps, [first, first])] == ["ajouté·e", "déjà là"]
    assert [word for word, _ in imported(steps, [first, first])] == ["ajouté·e", "déjà là"], "the same file, once more"
    again = imported(steps, [first, line(held, "4", "2 h", "", "", "2026-11")])
    assert [word for word, _ in again] == ["déjà là", "laissé de côté"] and again[1][1].startswith("Autre chose")
    with app.app_context():
        assert entries() == [("opening", "half_day", 3), ("opening", "hour", 120)]


def test_the_database_refuses_a_second_opening(app, steps, cast, held):
    imported(steps, [line(held, "3")])
    with app.app_context():
        (row,) = db.session.scalars(select(LedgerEntry))
        same = {name: getattr(row, name) for name in ("subscription_id", "person_id", "month", "kind", "unit", "units")}
        end_read()
        with pytest.raises(IntegrityError), write_unit():
            db.session.execute(insert(LedgerEntry.__table__).values(created_at=datetime.now(UTC), **same))


def test_what_cannot_be_is_said_line_by_line(app, steps, cast, held):
    with app.app_context():
        booking.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
        factories.make_subscription(cast.colleague, halfdays=8, first_month=OCTOBER)
    other = str(cast.colleague.email)
    wrong = {
        line("nobody@demo.example", "3"): "Personne ici",
        line(str(cast.stranger.email), "3"): "Cette personne n’a pas de formule ce mois-là",
        line(held, "3", month="10/2026"): "Cette personne n’a pas de formule ce mois-là",
        line(held, "3", month="12/2026"): "Ce mois n’a pas commencé",
        line(held, "8"): "C’est plus que ce que contient",
        line(held, "3", "5 h 01"): "C’est plus que ce que contient",
        line(held, "3", over="3"): "reporte moins que cela",
        line(other, "3", "1 h"): "C’est plus que ce que contient",
        line(other, "3", over="1"): "Le report de ce mois est calculé ici",
        line(held, "trois"): "trois\u202f» n’est pas un nombre",
        line(held, "3", month="bientôt"): "Ce n’est pas une date",
        line("", "3"): "Cette ligne ne dit pas qui",
    }
    report = imported(steps, list(wrong))
    assert [word for word, _ in report] == ["laissé de côté"] * len(wrong)
    for (_, said), expected in zip(report, wrong.values(), strict=True):
        assert expected.lower() in said.lower(), (expected, said)
    assert imported(steps, [line(held, "0")]) == [("déjà là", "Rien n’a été utilisé ni reporté.")]
    with app.app_context():
        assert [kind for kind, _, _ in entries()] == ["hold"]


def test_what_was_used_of_a_month_that_is_over_counts_against_what_went_over(
    app, place, cast, clock, sign_in, run_outbox
):
    """Written down in December, what was used in November leaves what December has drawn of it."""
    with app.app_context():
        factories.make_tariff()
        factories.make_subscription(cast.member, halfdays=2, first_month=NOVEMBER, rollover_halfdays=1)
        clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
        for day in (3, 4, 7):
            booking.book_half_days(cast.member.actor(), date(2026, 12, day), frozenset({"am"}))
    steps, email = Steps(sign_in(cast.manager), run_outbox), str(cast.member.email)
    assert [word for word, _ in imported(steps, [line(email, "2", month="11/2026")])] == ["laissé de côté"]
    assert [word for word, _ in imported(steps, [line(email, "1", month="11/2026")])] == ["ajouté·e"]
    with app.app_context():
        assert faults() == []


def test_a_plan_that_was_used_elsewhere_is_not_taken_back(app, steps, cast):
    with app.app_context():
        plan = factories.make_plan("Huit", halfdays=8)
        taken = services.subscribe(cast.member.actor(), plan.public_id, first_month=NOVEMBER).public_id
    imported(steps, [line(str(cast.member.email), "3")])
    with app.app_context(), pytest.raises(UsedAlready):
        changing.take_back(cast.member.actor(), taken)
