"""Booking a room: its sheet follows what is chosen, and refuses nothing that it did not show."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from coworking.booking import calendar
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource
from tests.booking.pages import text
from tests.factories import make_tariff

THURSDAY = "2026-11-26"


@pytest.fixture
def priced(app, place):
    """The lieu where an hour of a room costs 15 €."""
    with app.app_context():
        make_tariff()
    return place


def sheet(browser, room: Resource, **values: object) -> str:
    query = {"day": THURSDAY, **{name.rstrip("_"): value for name, value in values.items()}}
    return text(browser.get(f"/rooms/{room.public_id}/book", query_string=query, headers={"HX-Request": "true"}))


def chosen(page: str, name: str) -> str:
    """What the select ``name`` holds."""
    found = re.search(rf'<select id="{name}".*?<option value="([^"]*)" selected>', page, re.DOTALL)
    assert found, page
    return found[1]


def posted(page: str, **more: str) -> dict[str, str]:
    """What the form on ``page`` sends, with what is changed by hand."""
    inputs = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page))
    inputs |= {name: value for value, name in re.findall(r'value="([^"]*)" name="([^"]+)"', page)}
    return inputs | {"from": chosen(page, "from"), "minutes": chosen(page, "minutes")} | more


def book(browser, room: Resource, start: str, minutes: int, **more: str):
    form = {"day": THURSDAY, "from": start, "minutes": str(minutes), **more}
    return browser.post(f"/rooms/{room.public_id}/book", data=form)


def bookings(app) -> list[Booking]:
    with app.app_context():
        return db.session.query(Booking).order_by(Booking.id).all()


def test_the_duration_goes_by_quarters_to_the_end_of_the_day(place, cast, sign_in):
    page = sheet(sign_in(cast.member), place.rooms[0], from_="14:00", minutes=90)
    lengths = re.findall(r'<option value="(\d+)"', page[page.index('id="minutes"') :])
    assert lengths == [str(n) for n in range(15, 241, 15)], "from a quarter of an hour to closing at six"
    assert re.findall(r'name="length" value="(\d+)"', page) == ["30", "60", "90", "120", "180"]
    assert "14\u202fh\u00a0– 15\u202fh\u202f30" in page


def test_price_and_title_follow_the_hour_and_the_duration(priced, cast, sign_in):
    browser = sign_in(cast.member)
    hour = sheet(browser, priced.rooms[0], from_="14:00", minutes=60)
    assert ("15,00\u00a0€" in hour, "14–15\u202fh" in hour) == (True, True)
    longer = sheet(browser, priced.rooms[0], from_="15:00", minutes=60, length=90)
    assert ("22,50\u00a0€" in longer, "15\u202fh\u00a0– 16\u202fh\u202f30" in longer) == (True, True)
    assert chosen(longer, "minutes") == "90", "what was tapped counts"


def test_a_changed_time_is_asked_about_once_and_never_refused(app, priced, cast, sign_in):
    """Without scripts the price on the page is the old one: it is shown anew, calmly, and the second press books."""
    browser, room = sign_in(cast.member), priced.rooms[0]
    form = posted(sheet(browser, room, from_="14:00", minutes=60), minutes="90", title="Point d’équipe")
    asked = browser.post(f"/rooms/{room.public_id}/book", data=form)
    assert (asked.status_code, bookings(app)) == (200, [])
    page = text(asked)
    assert "22,50\u00a0€" in page
    assert "Appuyez encore une fois" in page
    assert ('class="notice harm"' in page, 'role="alert"' in page) == (False, False)
    assert 'value="Point d’équipe"' in page
    assert browser.post(f"/rooms/{room.public_id}/book", data=posted(page)).status_code == 303
    (made,) = bookings(app)
    assert ((made.ends_at - made.starts_at).seconds // 60, made.title) == (90, "Point d’équipe")


def test_a_changed_time_at_the_same_price_is_booked_at_once(app, priced, cast, sign_in):
    browser, room = sign_in(cast.member), priced.rooms[0]
    form = posted(sheet(browser, room, from_="14:00", minutes=60), **{"from": "16:00"})
    assert browser.post(f"/rooms/{room.public_id}/book", data=form).status_code == 303
    assert bookings(app)[0].starts_at == datetime(2026, 11, 26, 15, tzinfo=UTC)


def test_a_tariff_that_changed_under_the_page_is_said_as_such(app, priced, cast, sign_in):
    browser, room = sign_in(cast.member), priced.rooms[0]
    form = posted(sheet(browser, room, from_="14:00", minutes=60))
    with app.app_context():
        make_tariff(room=2000, valid_from=datetime(2026, 11, 25, tzinfo=UTC).date())
    answer = browser.post(f"/rooms/{room.public_id}/book", data=form)
    assert answer.status_code == 409
    assert "20,00\u00a0€" in text(answer)
    assert bookings(app) == []


def test_a_tapped_duration_without_scripts_shows_and_books_nothing(app, priced, cast, sign_in):
    answer = book(sign_in(cast.member), priced.rooms[0], "14:00", 60, length="120", agreed="1500")
    assert (answer.status_code, bookings(app)) == (200, [])
    assert "30,00\u00a0€" in text(answer)


def test_people_are_carried_from_the_search_into_the_booking(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    page = text(browser.get("/rooms", query_string={"day": THURSDAY, "people": 6}))
    link = re.search(r'href="(/rooms/[^"]+/book[^"]*)"', page)
    assert link
    form = text(browser.get(link[1].replace("&amp;", "&")))
    assert 'name="people" type="number" value="6"' in form
    book(browser, place.rooms[0], "14:00", 60, people="6")
    assert bookings(app)[0].guests == 5


def test_a_room_for_one_is_not_offered_to_six(app, place, cast, sign_in):
    with app.app_context(), write_unit():
        db.session.add(
            Resource(
                zone_id=place.rooms[0].zone_id,
                kind="room",
                name="Dore",
                seats=8,
                position=9,
                in_service_from=place.rooms[0].in_service_from,
            )
        )
    book(sign_in(cast.stranger), place.rooms[0], "14:00", 60)
    gone = text(book(sign_in(cast.member), place.rooms[0], "14:00", 60, people="6"))
    assert ("Dore</a>" in gone, "Cabine</a>" in gone) == (True, False)
    small = sheet(sign_in(cast.member), place.rooms[1], from_="10:00", minutes=60, people=6)
    assert "Places dans Cabine\u202f: 1" in small
    assert ("Durolle</a>" in small, "Réserver cette salle" in small) == (True, False)
    mine = book(sign_in(cast.member), place.rooms[0], "10:00", 60, people="6")
    assert mine.status_code == 303
    with app.app_context():
        url = f"/bookings/{db.session.query(Booking).filter_by(guests=5).one().public_id}"
    move = text(sign_in(cast.member).get(url))
    assert ("Dore " in move or "Dore<" in move, "Cabine" in move) == (True, False)


def test_a_room_that_is_free_but_too_short_says_until_when(place, cast, sign_in):
    book(sign_in(cast.stranger), place.rooms[0], "16:00", 120)
    browser = sign_in(cast.member)
    page = sheet(browser, place.rooms[0], from_="14:45", minutes=90, people=1)
    assert "Durolle n’est libre que jusqu’à 16\u202fh." in page
    assert 'name="length" value="75"' in page, "all that is free is one tap away"
    assert "Cabine</a>" in page
    listed = text(browser.get("/rooms", query_string={"day": THURSDAY, "minutes": 480, "people": 2}))
    assert "Libre, mais pas aussi longtemps" in listed
    assert "9–16\u202fh</a>" in listed
    closing = sheet(browser, place.rooms[0], from_="17:00", minutes=60)
    assert "Durolle est prise à ce moment-là" in closing


def test_past_closing_time_the_sheet_says_until_when_too(place, cast, sign_in):
    page = sheet(sign_in(cast.member), place.rooms[0], from_="17:00", minutes=90)
    assert "Durolle n’est libre que jusqu’à 18\u202fh." in page
    assert 'name="length" value="60"' in page


def test_tidying_up_is_not_lent_to_the_next_meeting(app, place, cast, sign_in):
    with app.app_context(), write_unit():
        db.session.get_one(Resource, place.rooms[0].id).buffer_after = 15
    book(sign_in(cast.stranger), place.rooms[0], "14:00", 60)
    page = sheet(sign_in(cast.member), place.rooms[0], from_="13:00", minutes=60)
    assert "jusqu’à 13\u202fh\u202f45" in page
    with app.app_context():
        from coworking.booking.queries import free_resources
        from coworking.core.timespan import Span

        hour = Span(datetime(2026, 11, 26, 12, tzinfo=UTC), datetime(2026, 11, 26, 13, tzinfo=UTC))
        assert [row.name for row in free_resources(hour, "room")] == ["Cabine"]


def test_my_rooms_are_shown_as_mine(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    page = text(browser.post(f"/rooms/{place.rooms[0].public_id}/book", data={
        "day": THURSDAY, "from": "14:00", "minutes": "90"}, follow_redirects=True))  # fmt: skip
    assert "À vous\u202f: 14\u202fh\u00a0– 15\u202fh\u202f30" in page
    assert 'class="mine" x="556"' in page
    other = text(sign_in(cast.colleague).get(f"/rooms?day={THURSDAY}"))
    assert ("À vous" in other, 'class="taken" x="556"' in other) == (False, True)


def test_the_evening_after_closing_offers_the_next_open_day(place, cast, sign_in, clock):
    clock.set(datetime(2026, 11, 28, 20, tzinfo=UTC))
    page = text(sign_in(cast.member).get("/rooms?day=2026-11-28"))
    assert "Fermé depuis 13\u202fh" in page
    assert "Voir les salles du lundi 30 novembre" in page
    assert "Rien de libre" not in page
    clock.set(datetime(2026, 11, 28, 8, tzinfo=UTC))
    assert "Fermé depuis" not in text(sign_in(cast.member).get("/rooms?day=2026-11-28"))


def test_the_last_bookable_day_is_the_last_one_offered(place, cast, sign_in):
    browser = sign_in(cast.member)
    page = text(browser.get("/rooms?day=2027-02-22"))
    assert "Jour suivant" not in page
    assert 'max="2027-02-22"' in page
    beyond = sheet(browser, place.rooms[0], day="2027-02-23", from_="10:00", minutes=60)
    assert "jusqu’au lundi 22 février 2027" in beyond
    assert "Réserver cette salle" not in beyond


def test_who_just_cancelled_a_room_can_book_it_again(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    book(browser, place.rooms[0], "14:00", 60)
    browser.post(f"/bookings/{bookings(app)[0].public_id}/cancel")
    assert "est prise" in sheet(sign_in(cast.colleague), place.rooms[0], from_="14:30", minutes=60)
    assert "Réserver cette salle" in sheet(browser, place.rooms[0], from_="14:30", minutes=60)
    assert book(browser, place.rooms[0], "14:30", 60).status_code == 303
    assert [row.status for row in bookings(app)] == ["cancelled", "confirmed"]


@pytest.mark.parametrize("values", [{}, {"from_": "10:00", "to": "11:30"}, {"from_": "neuf"}, {"people": "beaucoup"}])
def test_the_sheet_opens_whatever_its_address_says(place, cast, sign_in, values):
    assert "Durolle" in sheet(sign_in(cast.member), place.rooms[0], **values)


def test_the_sheet_costs_the_same_whatever_is_booked(app, place, cast, sign_in, count_statements):
    browser = sign_in(cast.member)
    sheet(browser, place.rooms[0], from_="14:00", minutes=60)
    with count_statements() as few:
        sheet(browser, place.rooms[0], from_="14:00", minutes=60)
    for n, person in enumerate((cast.colleague, cast.stranger, cast.host)):
        book(sign_in(person), place.rooms[0], f"{9 + n}:00", 45)
    with count_statements() as many:
        sheet(browser, place.rooms[0], from_="14:00", minutes=60)
    assert len(many) == len(few) <= 16, f"{few}\n{many}"


def test_a_calendar_file_names_the_room_beside_the_title(app, place, cast, sign_in):
    book(sign_in(cast.member), place.rooms[0], "14:00", 60, title="Point d’équipe")
    with app.app_context(), app.test_request_context():
        (made,) = db.session.query(Booking).all()
        content = calendar.attachment(spaces.lieu(), [made]).content.decode().replace("\r\n ", "")
    assert "SUMMARY:Point d’équipe · Durolle · La Fabrique du Pont" in content
    assert "LOCATION:Durolle\\, La Fabrique du Pont\\, 4 rue du Pont" in content


def test_what_was_cancelled_ahead_does_not_stand_among_what_was(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    book(browser, place.rooms[0], "14:00", 60)
    browser.post(f"/bookings/{bookings(app)[0].public_id}/cancel")
    page = text(browser.get("/bookings"))
    assert "1 réservation annulée" in page
    assert "<h2>Avant</h2>" not in page
