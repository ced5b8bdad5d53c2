"""The week's page, as a browser without scripts sees it: one tap books, and what cannot be says why."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence.models import Presence
from coworking.spaces.models import Resource
from tests import factories
from tests.booking.pages import DAY, THURSDAY, tap, text
from tests.support.reminders import plain

pytestmark = pytest.mark.once


def test_a_visitor_is_redirected_to_sign_in(client, place):
    answer = client.get("/week")
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")


def test_a_request_after_signing_out_elsewhere_redirects_to_sign_in_and_back(client, place):
    taps = {"HX-Request": "true", "HX-Current-URL": "http://lieu.test/week?week=next"}
    for more in ({}, {"HX-Boosted": "true"}):
        answer = client.post("/bookings", data={"day": THURSDAY, "half": "am"}, headers=taps | more)
        assert answer.status_code == 204
        assert answer.headers["HX-Redirect"] == "/sign-in?next=/week?week%3Dnext"


def test_a_request_from_an_invalid_address_redirects_to_sign_in(client, place):
    taps = {"HX-Request": "true", "HX-Current-URL": "http://[x"}
    answer = client.post("/bookings", data={"day": THURSDAY, "half": "am"}, headers=taps)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in")


def test_one_tap_books_and_says_what(app, place, cast, sign_in):
    page = text(tap(sign_in(cast.member), THURSDAY, "am"))
    assert "Poste 1, jeudi 26 novembre, le matin." in page
    assert 'class="slot is-mine"' in page
    assert "<b>4</b> libres" in page, "the afternoon is still free for four"


def test_the_day_s_name_books_all_day(app, place, cast, sign_in):
    page = text(tap(sign_in(cast.member), THURSDAY, "day"))
    assert page.count("slot is-mine") == 2


def test_the_bookings_page_is_available_in_english(app, place, cast, sign_in):
    from coworking.accounts.models import Person
    from coworking.core.db import db

    with app.app_context(), write_unit():
        db.session.get_one(Person, cast.member.id).locale = "en"
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
        ("2030-01-01", "am", "jusqu’au"),
        ("2025-01-02", "am", "Ce moment est passé"),
        (THURSDAY, "soir", "Choisissez le matin"),
    ],
)
def test_an_impossible_booking_is_refused_with_its_reason(app, place, cast, sign_in, day, half, words):
    page = text(tap(sign_in(cast.member), day, half))
    toasts = page[page.index('id="toasts"') : page.index("<main")]
    assert any(word in toasts for word in words.split("|")), toasts


@pytest.mark.parametrize(
    ("day", "words"), [("demain", "Ce n’est pas une date"), ("0001-01-01", "entre 2000"), ("9999-12-31", "entre 2000")]
)
def test_an_invalid_date_is_refused_on_every_page(app, place, cast, sign_in, day, words):
    browser = sign_in(cast.member)
    room = place.rooms[0].public_id
    for answer in (
        browser.get("/week", query_string={"from": day}),
        browser.get("/rooms", query_string={"day": day}),
        browser.get("/desks", query_string={"day": day}),
        browser.post("/bookings", data={"day": day, "half": "am"}),
        browser.post("/week/repeat", data={"from": day}),
        browser.post(f"/rooms/{room}/book", data={"day": day, "from": "23:00", "to": "0:00"}),
    ):
        assert answer.status_code == 422
        assert words in text(answer)


@pytest.mark.parametrize(
    ("day", "half", "words"),
    [
        ("2026-11-23", "am", "passé"),
        ("2026-11-29", "am", "ouvre pas ce jour-là"),
        ("2026-12-25", "am", "Noël"),
        ("2027-11-24", "am", "jusqu’au lundi 22 février 2027"),
        (THURSDAY, "night", "Choisissez le matin"),
    ],
    ids=["past", "sunday", "holiday", "beyond the horizon", "no half-day"],
)
def test_a_refused_booking_shows_its_reason_above_that_week(app, place, cast, sign_in, day, half, words):
    answer = sign_in(cast.member).post("/bookings", data={"day": day, "half": half})
    assert answer.status_code == 422
    assert "<h1>Ma semaine</h1>" in text(answer)
    assert words in text(answer).split('id="toasts"', 1)[1].split("</div>", 1)[0]
    with app.app_context():
        assert not db.session.query(Booking).count()


def test_weeks_beyond_the_horizon_are_empty(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    for day in ("2000-01-01", "2199-12-31"):
        assert "Rien à réserver cette semaine-là" in text(browser.get(f"/week?from={day}"))
        assert browser.get(f"/rooms?day={day}").status_code == 200


def test_days_beyond_the_horizon_have_no_booking_buttons(app, place, cast, sign_in):
    """90 days from Tuesday 24 November: Monday 22 February is the last."""
    page = text(sign_in(cast.member).get("/week?from=2027-02-22"))
    assert page.count('name="day" value="2027-02-22"') == 3, "two halves and the day"
    assert 'value="2027-02-23"' not in page
    assert 'aria-label="Semaine suivante"' not in page


def test_a_day_that_is_never_open_is_left_out(app, place, cast, sign_in):
    page = text(sign_in(cast.member).get("/week"))
    assert "du 23 au 28 novembre" in page
    assert page.count('<th scope="row">') == 5 and "Lundi" in page  # a fold, for it is Tuesday
    assert "matin <span>9–13\u202fh" in page


def test_a_full_half_day_answers_with_the_nearest_free_ones(app, place, cast, sign_in):
    with app.app_context():
        for person in (cast.colleague, cast.stranger, cast.host, cast.manager):
            services.book_half_days(person.actor(), date(2026, 11, 26), frozenset({"am"}))
    browser = sign_in(cast.member)
    assert f'href="/desks?day={THURSDAY}&amp;half=am"' in text(browser.get("/week")), "the full cell leads there too"
    answer = browser.post("/bookings", data={"day": THURSDAY, "half": "am"})
    assert answer.status_code == 409
    page = text(answer)
    offers = [page.index(words) for words in ("Jeudi 26 novembre, l’après-midi<", "Vendredi 27 novembre, le matin<")]
    assert offers == sorted(offers)
    assert "Mercredi 25 novembre, le matin<" in page
    tapped = browser.post(
        "/bookings", data={"day": THURSDAY, "half": "am"}, headers={"HX-Request": "true", "HX-Boosted": "true"}
    )
    assert tapped.headers["HX-Retarget"] == "#sheet-body", "over the week, which stays"
    assert "<html" not in text(tapped)


def test_a_day_no_desk_is_free_for_as_a_whole_offers_its_halves(app, place, cast, sign_in):
    with app.app_context():
        for person, half, desk in zip(
            (cast.colleague, cast.stranger, cast.host, cast.manager), ("am", "am", "pm", "pm"), place.desks, strict=True
        ):
            services.book_half_days(person.actor(), date(2026, 11, 26), frozenset({half}), resource=desk.public_id)
    answer = sign_in(cast.member).post("/bookings", data={"day": THURSDAY, "half": "day"})
    assert answer.status_code == 409
    assert "Jeudi 26 novembre, le matin<" in text(answer)
    assert "Jeudi 26 novembre, l’après-midi<" in text(answer)


def test_a_desk_that_has_just_gone_answers_with_those_still_free(app, place, cast, sign_in):
    desk = place.desks[0].public_id
    tap(sign_in(cast.colleague), THURSDAY, "am", resource=desk)
    answer = sign_in(cast.member).post("/bookings", data={"day": THURSDAY, "half": "am", "resource": desk})
    assert answer.status_code == 409
    assert "Poste 2" in text(answer)
    assert place.desks[1].public_id in text(answer)


def test_arriving_and_leaving_from_the_week(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    page = text(browser.post("/here", follow_redirects=True))
    assert "Bienvenue. Poste 1 est à vous." in page
    assert "là depuis 10\u202fh\u202f36" in page
    assert "Au revoir" in text(browser.post("/leave", follow_redirects=True))


def test_an_arrival_that_costs_something_says_so_first(app, place, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
    browser = sign_in(cast.stranger)
    sheet = text(browser.post("/here"))
    assert "9,00 €, sur la facture de novembre 2026, payé par vous." in plain(sheet)
    assert 'name="agreed" value="900"' in sheet
    with app.app_context():
        assert db.session.scalars(select(Presence)).all() == [], "nothing is done yet"
    changed = browser.post("/here", data={"agreed": "700"})
    assert changed.status_code == 409 and 'name="agreed" value="900"' in text(changed)
    page = plain(browser.post("/here", data={"agreed": "900"}, follow_redirects=True).text)
    assert "Poste 1 est à vous. 9,00 €, sur la facture de novembre 2026, payé par vous." in page


def test_an_arrival_to_what_is_booked_is_one_tap(app, place, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
        services.book_half_days(cast.stranger.actor(), date(2026, 11, 24), frozenset({"am"}), agreed_cents=900)
    page = text(sign_in(cast.stranger).post("/here", follow_redirects=True))
    assert "Bienvenue. Poste 1 vous attend." in page


def test_an_arrival_on_a_plan_says_what_it_takes_and_what_is_left(app, place, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
        factories.make_subscription(cast.stranger)
    browser = sign_in(cast.stranger)
    assert "1 demi-journée de votre formule." in plain(browser.post("/here").text)
    page = plain(browser.post("/here", data={"agreed": "0"}, follow_redirects=True).text)
    assert "est à vous. 1 demi-journée de votre formule. Il en reste 9 jusqu’au 30 novembre 2026." in page


def test_like_last_week_repeats_and_says_what_could_not_be_booked(app, place, cast, sign_in, clock):
    browser = sign_in(cast.member)
    clock.set(datetime(2026, 12, 14, 9, tzinfo=UTC))
    for day in ("2026-12-17", "2026-12-18"):
        tap(browser, day, "day")
    page = text(browser.post("/week/repeat", data={"from": "2026-12-21"}, follow_redirects=True))
    assert "vendredi 25 décembre" in page
    assert "Noël" in page
    assert "2 demi-journées réservées comme la semaine dernière" in page
    assert "Il n’y avait rien à reprendre" not in page


def test_like_last_week_fills_up_what_is_missing(app, place, cast, sign_in, clock):
    """A half-day one already has, or that is over, is no obstacle to the other half; two desks do where one does not."""
    browser = sign_in(cast.member)
    for day in ("2026-11-24", "2026-11-25", "2026-11-26"):
        tap(browser, day, "day")
    tap(browser, "2026-12-02", "am")
    with app.app_context():
        for person, half, desk in zip(
            (cast.colleague, cast.stranger, cast.host, cast.manager), ("am", "am", "pm", "pm"), place.desks, strict=True
        ):
            services.book_half_days(person.actor(), date(2026, 12, 3), frozenset({half}), resource=desk.public_id)
    clock.set(datetime(2026, 12, 1, 13, tzinfo=UTC))
    page = text(browser.post("/week/repeat", data={"from": "2026-12-01"}, follow_redirects=True))
    assert "4 demi-journées réservées" in page
    assert page.count("slot is-mine") == 5
    assert 'class="toast error"' not in page
    assert "Il n’y avait rien à reprendre" in text(
        browser.post("/week/repeat", data={"from": "2026-12-01"}, follow_redirects=True)
    )


def test_a_week_beyond_the_horizon_says_until_when_one_can_book(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    words, repeat = "Les réservations sont ouvertes jusqu’au", 'action="/week/repeat"'
    near, last, beyond = (text(browser.get(f"/week?from={day}")) for day in ("2026-11-23", "2027-02-22", "2027-03-01"))
    assert [words in page for page in (near, last, beyond)] == [False, True, True]
    assert [repeat in page for page in (near, last, beyond)] == [True, True, False]


def test_the_week_costs_the_same_whatever_the_number_of_desks(app, place, cast, sign_in, count_statements):
    browser = sign_in(cast.member)
    browser.get("/week")
    with count_statements() as few:
        browser.get("/week")
    with app.app_context():
        from coworking.core.db import db

        with write_unit():
            db.session.add_all(
                Resource(
                    zone_id=place.desks[0].zone_id, kind="desk", name=f"Poste {n}", in_service_from=date(2026, 1, 1)
                )
                for n in range(5, 45)
            )
        for person in (cast.colleague, cast.stranger, cast.host):
            services.book_half_days(person.actor(), date(2026, 11, 26), DAY)
    browser.get("/week")  # more desks are another version of the lieu, for which its prices are read once more
    with count_statements() as many:
        browser.get("/week")
    assert len(many) == len(few), f"{few}\n{many}"
    assert len(many) <= 11, many
