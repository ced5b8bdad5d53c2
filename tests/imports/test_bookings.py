"""Bookings to come, from a spreadsheet: people and places that are here, times at which it is open, each once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.reading import UnreadableDate, UnreadableTime
from coworking.imports import booking_rules as rules
from coworking.imports.models import ImportLine
from coworking.imports.table_rules import TableLine
from coworking.imports.who_rules import WhoNeeded
from coworking.pricing.models import Quote
from tests import factories
from tests.imports.uploads import csv_file, xlsx_file

HEAD = ("Nom", "Prénom", "E-mail", "Date", "Demi-journée", "De", "À", "Poste ou salle", "Objet")
WEDNESDAY = date(2026, 11, 25)


def line(email="", day="25/11/2026", half="matin", start="", end="", place="", title="", name=("", "")):
    return (*name, email, day, half, start, end, place, title)


def imported(steps, rows, made=csv_file) -> str:
    place = steps.place(made([HEAD, *rows]), subject="bookings")
    assert steps.choose(place, steps.chosen(place)).status_code == 303
    assert steps.browser.get(f"{place}/check").status_code == 200
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    return place


def outcomes(steps, place) -> list[str]:
    return [row[2] for row in steps.report(place)]


def booked(app) -> list[tuple[str, str, date, str | None]]:
    with app.app_context():
        rows = db.session.scalars(select(Booking).order_by(Booking.id))
        return [
            (
                row.person.first_name,
                row.units[0].resource.name,
                row.day,
                row.units[0].half if len(row.units) == 1 else "day",
            )
            for row in rows
        ]


# The line -------------------------------------------------------------------------------------------------------------


def read(**fields: str):
    return rules.booking_of(TableLine(2, ("x",)), {"email": "lea@example.org", "day": "25/12/2026", **fields})


@pytest.mark.parametrize("written", ["25/12/2026", "25.12.2026", "2026-12-25", "2026-12-25 09:00", "2026-12-25T09:00"])
def test_a_day_is_read_as_people_write_it(written):
    assert read(day=written, half="matin").day == date(2026, 12, 25)


@pytest.mark.parametrize(
    ("written", "halves"),
    [
        ("Matin", {"am"}),
        ("après-midi", {"pm"}),
        ("PM", {"pm"}),
        ("Journée entière", {"am", "pm"}),
        ("all day", {"am", "pm"}),
    ],
)
def test_half_days_are_read_in_both_languages(written, halves):
    assert read(half=written).halves == halves


def test_hours_stand_in_columns_of_their_own_or_behind_the_day():
    assert read(**{"from": "9h30", "to": "11:00:00"}).minutes == (570, 660)
    assert read(day="2026-12-25 09:30", to="11 h").minutes == (570, 660)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"day": ""}, rules.DayNeeded),
        ({"day": "31/02/2026", "half": "am"}, UnreadableDate),
        ({"half": "bientôt"}, rules.HalfUnknown),
        ({}, rules.WhenNeeded),
        ({"from": "9:00"}, rules.WhenNeeded),
        ({"from": "11:00", "to": "9:00"}, UnreadableTime),
        ({"from": "25:00", "to": "26:00"}, UnreadableTime),
        ({"email": "", "half": "am"}, WhoNeeded),
    ],
)
def test_what_a_line_does_not_say_is_named(fields, refusal):
    with pytest.raises(refusal):
        read(**fields)


# The file -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [csv_file, xlsx_file])
def test_bookings_to_come_are_taken_and_nobody_gets_an_e_mail(app, steps, cast, mailbox, made):
    member, stranger = str(cast.member.email), str(cast.stranger.email)
    rows = [
        line(member, place="POSTE 2", title="Revue"),
        line(stranger, half="Journée", day="2026-11-26"),
        line(member, half="", start="14:00", end="16:00", place="Durolle"),
        line(name=("VIDAL", "Lise"), half="après-midi"),
    ]
    place = imported(steps, rows, made)
    assert outcomes(steps, place) == ["ajouté·e"] * 4
    assert booked(app) == [
        ("Anne", "Poste 2", WEDNESDAY, "am"),
        ("Lise", "Poste 1", date(2026, 11, 26), "day"),
        ("Anne", "Durolle", WEDNESDAY, None),
        ("Lise", "Poste 1", WEDNESDAY, "pm"),
    ]
    with app.app_context():
        assert {row.source for row in db.session.scalars(select(Booking))} == {"import"}
    assert mailbox() == []


def test_what_cannot_be_is_said_line_by_line_and_stops_nothing(app, steps, cast):
    member = str(cast.member.email)
    with app.app_context():
        booking.book_half_days(cast.colleague.actor(), WEDNESDAY, frozenset({"am"}), resource=None)
    rows = [
        line("nobody@demo.example"),
        line(member, day="23/11/2026"),
        line(member, place="Poste 99"),
        line(member, place="Durolle"),
        line(member, day="29/11/2026"),
        line(member, day="25/12/2026"),
        line(member, day="24/11/2029"),
        line(member, place="Poste 1"),
        line(member, half="", start="7:00", end="8:00", place="Durolle"),
        line(member, place="Poste 3"),
        line(str(cast.stranger.email), place="Poste 3"),
    ]
    place = imported(steps, rows)
    report = steps.report(place)
    assert [row[2] for row in report] == ["laissé de côté"] * 9 + ["ajouté·e", "laissé de côté"]
    for at, said in enumerate(
        ("Personne ici", "passé", "Poste 99", "à l’heure", "", "Noël", "", "Poste 1 est pris", "", "", "Poste 3")
    ):
        assert said in report[at][3], report[at]
        assert bool(report[at][3]) == (at != 9)
    assert booked(app)[1:] == [("Anne", "Poste 3", WEDNESDAY, "am")]


def test_the_same_file_again_books_nothing_twice(app, steps, cast):
    rows = [
        line(str(cast.member.email)),
        line(str(cast.member.email), half="", start="9:00", end="10:00", place="Durolle"),
    ]
    imported(steps, rows)
    again = imported(steps, rows)
    assert len(booked(app)) == 2
    assert outcomes(steps, again) == ["ajouté·e"] * 2, "who was added by a file stays added by it"
    other = imported(steps, [*rows, line(str(cast.stranger.email))])
    assert outcomes(steps, other) == ["déjà là", "déjà là", "ajouté·e"]


def test_they_cost_what_they_cost_here_and_nobody_is_asked_to_pay_first(app, steps, cast):
    with app.app_context():
        factories.make_tariff()
        factories.make_pack(cast.member, units=1)
    imported(steps, [line(str(cast.member.email), half="journée")])
    with app.app_context():
        quotes = db.session.execute(select(Quote.cover, Quote.amount_cents).order_by(Quote.id)).all()
        assert [tuple(row) for row in quotes] == [("pack", 0), ("tariff", 900)]
        assert {row.status for row in db.session.scalars(select(Booking))} == {"confirmed"}


def test_a_day_of_the_past_is_not_booked_whatever_the_clock_says_later(app, steps, cast, clock):
    place = steps.place(csv_file([HEAD, line(str(cast.member.email))]), subject="bookings")
    steps.choose(place, steps.chosen(place))
    clock.set(datetime(2026, 11, 26, 9, tzinfo=UTC))
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    assert booked(app) == []
    with app.app_context():
        assert db.session.scalars(select(ImportLine.outcome)).all() == ["left_out"]


def test_what_becomes_of_them_later_is_told(app, steps, cast, mailbox, run_outbox, clock):
    imported(steps, [line(str(cast.member.email))])
    with app.app_context():
        made = db.session.scalars(select(Booking.public_id)).one()
        booking.cancel(cast.member.actor(), made)
    clock.advance(minutes=11)
    run_outbox()
    [told] = mailbox()
    assert "Annulé" in told["Subject"]
