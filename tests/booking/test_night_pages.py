"""What pages, e-mails and programs say of a room booked over midnight."""

from __future__ import annotations

import re

import pytest
from icalendar import Calendar
from sqlalchemy import select

from coworking.booking.models import Booking
from coworking.booking.weeks import week
from coworking.core.db import db
from coworking.spaces import queries
from tests.booking.nights import FRIDAY, NIGHT, THURSDAY, WEDNESDAY, at, book, english
from tests.support.api import Program

pytestmark = pytest.mark.once


def test_the_e_mail_says_the_day_it_ends_and_its_calendar_file_the_instants(nights, place, clock, run_outbox, mailbox):
    book(nights.member, place.rooms[0])
    clock.advance(minutes=11)
    run_outbox()
    message = mailbox()[-1]
    assert "23\u202fh\u00a0– 1\u202fh le vendredi 27 novembre" in message.get_body(("plain",)).get_content()
    (file,) = message.iter_attachments()
    (event,) = Calendar.from_ical(file.get_content()).walk("VEVENT")
    assert (event["dtstart"].dt, event["dtend"].dt) == (NIGHT.start, NIGHT.end)


@pytest.mark.parametrize(
    ("language", "until"),
    [("fr", "jusqu’à 1\u202fh le vendredi 27 novembre"), ("en", "until 1:00 on Friday 27 November")],
)
def test_the_booking_sheet_names_the_next_day_before_it_is_booked(app, open_always, place, sign_in, language, until):
    if language == "en":
        english(app, open_always.member)
    browser, url = sign_in(open_always.member), f"/rooms/{place.rooms[0].public_id}/book"
    by_duration = {"day": "2026-11-26", "from": "23:00", "minutes": "120"}
    by_hour = {"day": "2026-11-26", "from": "23:00", "to": "01:00"}
    for values in (by_duration, by_hour):
        assert until in browser.get(url, query_string=values).text
    assert until not in browser.get(url, query_string=by_duration | {"minutes": "60"}).text
    booked = browser.post(url, data=by_duration | {"agreed": "3000"})
    assert booked.status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Booking)).one().span == NIGHT


def test_an_earlier_end_is_a_mistake_where_the_lieu_closes(place, cast, sign_in):
    url = f"/rooms/{place.rooms[0].public_id}/book"
    page = sign_in(cast.member).get(url, query_string={"day": "2026-11-26", "from": "14:00", "to": "13:00"}).text
    assert "La fin doit venir après le début." in page


def test_the_week_shows_it_on_both_days(nights, place):
    book(nights.member, place.rooms[0])
    days = [WEDNESDAY, THURSDAY, FRIDAY]
    found = week(nights.member.id, days, queries.days(WEDNESDAY, FRIDAY))
    rooms = {(row.day, cell.half): cell.rooms for row in found for cell in row.cells if cell.rooms}
    assert {key: [room.goes_on for room in seen] for key, seen in rooms.items()} == {
        (THURSDAY, "pm"): [False],
        (FRIDAY, "am"): [True],
    }
    assert [row.used for row in found] == [[], [place.rooms[0].name], []]
    after = week(nights.member.id, [FRIDAY], queries.days(FRIDAY, FRIDAY))
    assert [room.goes_on for room in after[0].cells[0].rooms] == [True]


def test_the_pages_show_both_days(app, open_always, place, sign_in, clock):
    with app.app_context():
        book(open_always.member, place.rooms[0])
    english(app, open_always.member, open_always.host)
    browser = sign_in(open_always.member)
    words = "23:00\u00a0– 1:00 on Friday 27 November"
    for day, mark in (("2026-11-26", "goes-on"), ("2026-11-27", "came-on")):
        page = browser.get(f"/planning?day={day}").text
        assert (mark in page, words in page) == (True, True)
        assert words in browser.get(f"/planning?day={day}&view=list").text
        assert words in browser.get(f"/rooms?day={day}").text
    assert "since the day before, until 1:00" in browser.get("/week").text
    clock.set(at(27, 0, 20))
    assert words in sign_in(open_always.host).get("/today").text


def test_free_ground_up_to_midnight_is_booked_to_midnight(app, open_always, place, sign_in):
    browser = sign_in(open_always.member)
    links = re.findall(rf'href="(/new/{place.rooms[0].public_id}[^"]*)"', browser.get("/planning?day=2026-11-26").text)
    page = browser.get(links[-1].replace("&amp;", "&"), follow_redirects=True).text
    assert re.search("[Jj]eudi 26 novembre, 0–24\u202fh", page), page


def test_the_host_books_it_from_the_planning_by_its_hours(app, open_always, place, sign_in):
    english(app, open_always.host)
    host = sign_in(open_always.host)
    form = {"resource": place.rooms[0].public_id, "day": "2026-11-26", "from": "23:00", "to": "01:00"}
    page = host.get("/for-someone", query_string=form).text
    assert "until 1:00 on Friday 27 November" in page
    told = "An earlier hour than the start is one of the next day."
    assert told in host.get("/for-someone", query_string=form | {"to": "23:30"}).text
    assert host.post("/for-someone", data=form | {"person": open_always.member.public_id}).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Booking)).one().span == NIGHT


def test_programs_book_it_and_find_it_free_before(app, open_always, place):
    member = Program(app, open_always.member)
    asked = {"starts_at": "2026-11-26T23:00:00+01:00", "ends_at": "2026-11-27T01:00:00+01:00"}
    found = member.get(
        "/availability", **{"from": "2026-11-26T22:00:00+01:00", "to": "2026-11-27T03:00:00+01:00", "kind": "room"}
    )
    free = {row["resource_id"]: row["free"] for row in found.get_json()["items"]}
    assert [(one["starts_at"], one["ends_at"]) for one in free[place.rooms[0].public_id]] == [
        ("2026-11-26T22:00:00+01:00", "2026-11-27T03:00:00+01:00")
    ]
    made = member.post("/bookings", asked | {"resource_id": place.rooms[0].public_id})
    assert made.status_code == 201
    body = made.get_json()
    assert {name: body[name] for name in asked} == asked
    refused = member.post("/bookings", asked | {"kind": "desk"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_on_one_day")
