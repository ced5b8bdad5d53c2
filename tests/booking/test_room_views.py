"""The list of rooms and the sheet that books one, as a browser without scripts sees them."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.core.units import write_unit
from coworking.spaces.models import Resource
from tests.booking.pages import THURSDAY, booking_url, text

pytestmark = pytest.mark.once


def test_a_room_from_its_chip_to_its_booking(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    room = place.rooms[0].public_id
    assert "Durolle" in text(browser.get(f"/rooms?day={THURSDAY}&minutes=60&people=2"))
    form = {"day": THURSDAY, "from": "14:00", "to": "15:00", "title": "Point d’équipe", "guests": "3"}
    page = text(browser.post(f"/rooms/{room}/book", data=form, follow_redirects=True))
    assert "Durolle, jeudi 26 novembre" in page
    again = browser.post(f"/rooms/{room}/book", data=form)
    assert again.status_code == 409
    assert "Vous avez déjà réservé Durolle à ce moment-là, 14–15\u202fh." in text(again)
    assert 'value="Point d’équipe"' in text(again), "what was typed is still there"
    assert booking_url(text(browser.get("/bookings")))


@pytest.mark.parametrize(
    ("length", "chips"),
    [
        ("half", ["9–13\u202fh", "13–18\u202fh"]),
        ("day", ["9–18\u202fh"]),
        ("120", ["9\u202fh", "16\u202fh"]),
        ("des heures", ["17\u202fh"]),
    ],
)
def test_rooms_are_found_by_length(app, place, cast, sign_in, length, chips):
    page = text(sign_in(cast.member).get("/rooms", query_string={"day": THURSDAY, "minutes": length}))
    for chip in chips:
        assert f">{chip}</a>" in page
    assert ">17\u202fh</a>" not in page or length == "des heures"


def test_the_list_of_rooms_says_when_the_lieu_is_closed_or_none_is_large_enough(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    assert "Noël" in text(browser.get("/rooms?day=2026-12-25"))
    assert "Aucune salle n’a autant de places" in text(browser.get(f"/rooms?day={THURSDAY}&people=40"))
    assert "Cabine" not in text(browser.get(f"/rooms?day={THURSDAY}&people=2"))


def test_rooms_of_a_day_that_is_over_or_too_far_are_not_called_too_small(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    assert "Ce jour est passé" in text(browser.get("/rooms?day=2026-11-20"))
    assert "Les réservations ne sont pas encore ouvertes" in text(browser.get("/rooms?day=2027-12-01"))


@pytest.mark.parametrize(
    ("day", "start", "end", "words"),
    [
        ("2027-03-28", "02:30", "04:00", "n’existe pas"),
        (THURSDAY, "15:00", "14:00", "fin"),
        (THURSDAY, "9h10", "10h", "quart d’heure"),
        (THURSDAY, "neuf", "10:00", "Ce n’est pas une heure"),
        (THURSDAY, "9" * 20, "10:00", "Ce n’est pas une heure"),
    ],
)
def test_an_impossible_time_is_refused_and_the_input_kept(app, place, cast, sign_in, day, start, end, words):
    answer = sign_in(cast.member).post(
        f"/rooms/{place.rooms[0].public_id}/book", data={"day": day, "from": start, "to": end, "title": "Essai"}
    )
    assert answer.status_code == 422
    assert f'class="err" id="{"minutes" if words == "fin" else "from"}-err"' in text(answer), (
        "beside the field at fault"
    )
    assert words in text(answer)
    assert 'value="Essai"' in text(answer)


def test_the_rooms_cost_the_same_whatever_their_number(app, place, cast, sign_in, count_statements):
    browser = sign_in(cast.member)
    with count_statements() as few:
        browser.get(f"/rooms?day={THURSDAY}")
    with app.app_context(), write_unit():
        from coworking.core.db import db

        db.session.add_all(
            Resource(
                zone_id=place.rooms[0].zone_id,
                kind="room",
                name=f"Salle {n}",
                seats=4,
                in_service_from=date(2026, 1, 1),
            )
            for n in range(20)
        )
    with count_statements() as many:
        browser.get(f"/rooms?day={THURSDAY}")
    assert len(many) == len(few) <= 6, f"{few}\n{many}"
