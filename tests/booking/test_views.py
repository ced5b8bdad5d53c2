"""A member's pages, as a browser without scripts sees them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coworking.booking import services
from coworking.core.units import write_unit
from coworking.spaces.models import Resource, Zone

THURSDAY = "2026-11-26"
DAY = frozenset({"am", "pm"})


def text(answer) -> str:
    return answer.get_data(as_text=True)


def tap(browser, day: str, half: str, **more: str):
    return browser.post("/bookings", data={"day": day, "half": half, **more}, follow_redirects=True)


def booking_url(page: str) -> str:
    start = page.index('href="/bookings/') + len('href="')
    return page[start : page.index('"', start)]


def test_a_visitor_is_led_to_the_door(client, place):
    answer = client.get("/week")
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")


def test_one_tap_books_and_says_what(app, place, cast, sign_in):
    page = text(tap(sign_in(cast.member), THURSDAY, "am"))
    assert "Poste 1, jeudi 26 novembre, le matin." in page
    assert 'class="slot is-mine"' in page
    assert "<b>4</b> libres" in page, "the afternoon is still free for four"


def test_the_day_s_name_books_all_day(app, place, cast, sign_in):
    page = text(tap(sign_in(cast.member), THURSDAY, "day"))
    assert page.count("slot is-mine") == 2


def test_the_page_speaks_english_too(app, place, cast, sign_in):
    from coworking.accounts.models import Person
    from coworking.core.db import db

    with app.app_context(), write_unit():
        db.session.get(Person, cast.member.id).locale = "en"
    page = text(tap(sign_in(cast.member, "en"), THURSDAY, "am"))
    assert "Poste 1, Thursday 26 November, the morning." in page
    assert '<html lang="en"' in page


@pytest.mark.parametrize(
    ("day", "half", "words"),
    [
        ("2026-11-28", "pm", "le lieu ouvre 9–13"),
        ("2026-12-25", "am", "Noël"),
        ("2026-11-23", "am", "Ce moment est passé"),
        ("2027-03-01", "am", "jusqu’au"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_booked(app, place, cast, sign_in, day, half, words):
    page = text(tap(sign_in(cast.member), day, half))
    toasts = page[page.index('id="toasts"') : page.index("<main")]
    assert any(word in toasts for word in words.split("|")), toasts


def test_a_date_that_is_none_is_refused(app, place, cast, sign_in):
    answer = sign_in(cast.member).post("/bookings", data={"day": "demain", "half": "am"})
    assert answer.status_code == 422
    assert "Ce n’est pas une date" in text(answer)


def test_a_desk_that_has_just_gone_answers_with_those_still_free(app, place, cast, sign_in):
    desk = place.desks[0].public_id
    tap(sign_in(cast.colleague), THURSDAY, "am", resource=desk)
    answer = sign_in(cast.member).post("/bookings", data={"day": THURSDAY, "half": "am", "resource": desk})
    assert answer.status_code == 409
    assert "Poste 2" in text(answer)
    assert place.desks[1].public_id in text(answer)


def test_giving_back_and_taking_back(app, place, cast, sign_in, clock):
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, THURSDAY, "am")))
    assert "Rendre cette place" in text(browser.get(url))
    page = text(browser.post(url + "/cancel", follow_redirects=True))
    assert "Rendu." in page
    assert "slot is-mine" not in page
    assert "De nouveau à vous." in text(browser.post(url + "/undo", follow_redirects=True))
    browser.post(url + "/cancel")
    clock.advance(minutes=3)
    late = browser.post(url + "/undo")
    assert late.status_code == 409
    assert "Trop de temps a passé" in text(late)


def test_a_stranger_s_booking_is_not_there(app, place, cast, sign_in):
    url = booking_url(text(tap(sign_in(cast.member), THURSDAY, "am")))
    stranger = sign_in(cast.stranger)
    assert stranger.get(url).status_code == 404
    for verb in ("cancel", "undo", "move"):
        assert stranger.post(f"{url}/{verb}").status_code == 404


def test_another_desk_for_the_same_time(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, THURSDAY, "am")))
    page = text(browser.post(url + "/move", data={"resource": place.desks[2].public_id}, follow_redirects=True))
    assert "Poste 3, jeudi 26 novembre" in page


def test_here_and_gone(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    page = text(browser.post("/here", follow_redirects=True))
    assert "Bienvenue. Poste 1 est à vous." in page
    assert "là depuis 10\u202fh\u202f36" in page
    assert "Au revoir" in text(browser.post("/leave", follow_redirects=True))


def test_like_last_week_repeats_and_says_what_could_not_be(app, place, cast, sign_in, clock):
    browser = sign_in(cast.member)
    clock.set(datetime(2026, 12, 14, 9, tzinfo=UTC))
    for day in ("2026-12-17", "2026-12-18"):
        tap(browser, day, "day")
    page = text(browser.post("/week/repeat", data={"from": "2026-12-21"}, follow_redirects=True))
    assert "vendredi 25 décembre" in page
    assert "Noël" in page
    assert "1 jour réservé comme la semaine dernière" in page


def test_a_room_from_its_chip_to_its_booking(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    room = place.rooms[0].public_id
    assert "Durolle" in text(browser.get(f"/rooms?day={THURSDAY}&minutes=60&people=2"))
    form = {"day": THURSDAY, "from": "14:00", "to": "15:00", "title": "Point d’équipe", "guests": "3"}
    page = text(browser.post(f"/rooms/{room}/book", data=form, follow_redirects=True))
    assert "Durolle, jeudi 26 novembre" in page
    again = browser.post(f"/rooms/{room}/book", data=form)
    assert again.status_code == 409
    assert "Cabine" in text(again), "what is free instead"
    assert 'value="Point d’équipe"' in text(again), "what was typed is still there"


@pytest.mark.parametrize(
    ("day", "start", "end", "words"),
    [
        ("2027-03-28", "02:30", "04:00", "n’existe pas"),
        (THURSDAY, "15:00", "14:00", "fin"),
        (THURSDAY, "9h10", "10h", "quart d’heure"),
        (THURSDAY, "neuf", "10:00", "Ce n’est pas une heure"),
    ],
)
def test_a_time_that_cannot_be_is_told_beside_what_was_typed(app, place, cast, sign_in, day, start, end, words):
    answer = sign_in(cast.member).post(
        f"/rooms/{place.rooms[0].public_id}/book", data={"day": day, "from": start, "to": end, "title": "Essai"}
    )
    assert answer.status_code == 422
    assert words in text(answer)
    assert 'value="Essai"' in text(answer)


def test_my_bookings_tell_what_is_coming_and_what_was(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    tap(browser, THURSDAY, "am")
    page = text(browser.get("/bookings"))
    assert "jeudi 26 novembre 2026" in page


def test_the_week_costs_the_same_whatever_the_number_of_desks(app, place, cast, sign_in, count_statements):
    browser = sign_in(cast.member)
    browser.get("/week")
    with count_statements() as few:
        browser.get("/week")
    with app.app_context():
        from coworking.core.db import db

        with write_unit():
            zone = db.session.scalars(db.select(Zone)).first()
            db.session.add_all(
                Resource(zone_id=zone.id, kind="desk", name=f"Poste {n}", in_service_from=date(2026, 1, 1))
                for n in range(5, 45)
            )
        for person in (cast.colleague, cast.stranger, cast.host):
            services.book_half_days(person.actor(), date(2026, 11, 26), DAY)
    with count_statements() as many:
        browser.get("/week")
    assert len(many) == len(few), f"{few}\n{many}"
    assert len(many) <= 12, many
