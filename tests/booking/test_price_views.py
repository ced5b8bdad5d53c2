"""What a tap says before it costs something, with scripts and without."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.spaces import queries as spaces
from tests.factories import make_agreement, make_subscription, make_tariff

THURSDAY = "2026-11-26"
TAP = {"day": THURSDAY, "half": "am"}


@pytest.fixture(autouse=True)
def priced(app, place, cast):
    with app.app_context():
        make_tariff()


def bookings(app) -> int:
    with app.app_context():
        return db.session.query(Booking).count()


def hidden(page: str) -> dict[str, str]:
    """The fields of the sheet's own form."""
    form = re.search(r'<form method="post" action="/bookings"[^>]*>(.*?)</form>', page, re.S)
    assert form is not None, page
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))


def test_what_costs_money_is_said_first_and_booked_by_the_sheet(app, cast, sign_in):
    browser = sign_in(cast.stranger)
    sheet = browser.post("/bookings", data=TAP)
    assert sheet.status_code == 200
    assert "9,00\u00a0€, sur la facture de novembre 2026, payé par vous." in sheet.text
    assert bookings(app) == 0
    done = browser.post("/bookings", data=hidden(sheet.text))
    assert (done.status_code, bookings(app)) == (303, 1)


def test_with_scripts_the_sheet_opens_over_the_week(cast, sign_in):
    sheet = sign_in(cast.stranger).post("/bookings", data=TAP, headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert sheet.headers["HX-Retarget"] == "#sheet-body"


def test_what_is_covered_is_booked_at_once(app, cast, sign_in):
    with app.app_context():
        make_subscription(cast.stranger)
        make_agreement()
    assert sign_in(cast.stranger).post("/bookings", data=TAP).status_code == 303
    assert sign_in(cast.member).post("/bookings", data=TAP).status_code == 303
    assert bookings(app) == 2


def test_what_can_no_longer_be_cancelled_is_said_before_booking(app, cast, sign_in):
    with app.app_context():
        make_subscription(cast.stranger, halfdays=10)
    sheet = sign_in(cast.stranger).post("/bookings", data={"day": "2026-11-24", "half": "pm"})
    assert "1 demi-journée de votre formule." in sheet.text
    assert "dix minutes" in sheet.text
    assert bookings(app) == 0


@pytest.mark.parametrize(
    ("hour", "minute", "half", "words"),
    [
        (10, 36, "pm", "pendant dix minutes seulement"),
        (12, 53, "pm", "jusqu’au début, à 13\u202fh."),
        (10, 36, "am", "ne pourra plus être annulée"),
    ],
)
def test_the_promised_time_to_cancel_ends_when_the_booking_starts(app, cast, sign_in, clock, hour, minute, half, words):
    clock.set(datetime(2026, 11, 24, hour - 1, minute, tzinfo=UTC))
    browser = sign_in(cast.stranger)
    sheet = browser.post("/bookings", data={"day": "2026-11-24", "half": half})
    assert words in sheet.text
    done = browser.post("/bookings", data=hidden(sheet.text), follow_redirects=True)
    assert ('class="undo"' in done.text) == (half == "pm"), "a way back is shown where there is one"


def test_a_price_that_changed_meanwhile_is_said_again(app, cast, sign_in):
    browser = sign_in(cast.stranger)
    seen = hidden(browser.post("/bookings", data=TAP).text)
    with app.app_context():
        make_tariff(desk=1100, valid_from=services.now().date())
    again = browser.post("/bookings", data=seen)
    assert again.status_code == 409
    assert "11,00\u00a0€" in again.text
    assert bookings(app) == 0


def test_one_may_pay_oneself_where_the_employer_would(app, cast, sign_in):
    with app.app_context():
        make_agreement(halfdays=1, beyond="refuse")
    browser = sign_in(cast.member)
    other = browser.get("/bookings/offer", query_string=TAP | {"payer": "me"})
    assert "payé par vous" in other.text
    assert "Faire payer mon employeur" in other.text
    browser.post("/bookings", data=TAP)
    used_up = browser.post("/bookings", data={"day": "2026-11-27", "half": "am"})
    assert "Coutellerie Durand SA paie un nombre de demi-journées par mois (1)" in used_up.text
    assert browser.post("/bookings", data=hidden(used_up.text)).status_code == 303
    assert bookings(app) == 2


def test_the_booking_s_sheet_says_price_and_payer_to_its_owner_and_managers_only(app, cast, sign_in):
    with app.app_context():
        made = services.book_half_days(cast.stranger.actor(), services.spaces.today(), frozenset({"pm"})).public_id
    assert "9,00\u00a0€" in sign_in(cast.stranger).get(f"/bookings/{made}").text
    assert "9,00\u00a0€" in sign_in(cast.manager).get(f"/bookings/{made}").text
    assert "€" not in sign_in(cast.host).get(f"/bookings/{made}").text


def test_a_room_says_its_price_before_it_is_booked(app, place, cast, sign_in):
    url = f"/rooms/{place.rooms[0].public_id}/book"
    browser, when = sign_in(cast.stranger), {"day": THURSDAY, "from": "09:00", "to": "10:30"}
    sheet = browser.get(url, query_string=when).text
    assert "22,50\u00a0€" in sheet
    assert "sans frais jusqu’au mercredi 25 novembre à 18\u202fh." in sheet
    unseen = browser.post(url, data=when)
    assert (unseen.status_code, bookings(app)) == (200, 0)  # shown first, booked by the next press
    assert "22,50\u00a0€" in unseen.text
    assert browser.post(url, data=when | {"agreed": "2250"}).status_code == 303


def test_the_week_says_what_is_left(app, cast, sign_in):
    with app.app_context():
        make_subscription(cast.member, halfdays=5)
        make_agreement(halfdays=3)
    page = sign_in(cast.member).get("/week").text
    assert "Il vous reste 5 demi-journées" in page
    assert "Coutellerie Durand SA paie encore 3 demi-journées jusqu’au 30 novembre." in page


def last_week(app, clock, person, *days: str, cents: int = 0) -> None:
    """``person`` was here, all day, on ``days`` of the week of 7 December; it is the Sunday after."""
    clock.set(datetime(2026, 12, 3, 9, tzinfo=UTC))
    with app.app_context():
        for day in days:
            services.book_half_days(
                person.actor(), date.fromisoformat(day), frozenset({"am", "pm"}), agreed_cents=cents
            )
    clock.set(datetime(2026, 12, 13, 9, tzinfo=UTC))


def test_like_last_week_says_first_what_costs_money_all_on_one_sheet(app, cast, sign_in, clock):
    with app.app_context():
        make_subscription(cast.stranger, halfdays=7)
    last_week(app, clock, cast.stranger, "2026-12-08", "2026-12-10")
    browser = sign_in(cast.stranger)
    sheet = browser.post("/week/repeat", data={"from": "2026-12-14"})
    assert sheet.status_code == 200
    assert "3 demi-journées réservées comme la semaine dernière." in sheet.text, "what the plan holds is booked at once"
    assert "data-stale" in sheet.text, "the week behind shows them once the sheet is closed"
    assert "1 demi-journée de plus." in sheet.text
    assert "9,00\u00a0€ en tout, sur vos factures, payés par vous." in sheet.text
    assert bookings(app) == 2 + 2, "one desk on Tuesday, one for Thursday morning"
    form = dict(re.findall(r'name="(from|agreed)" value="([^"]*)"', sheet.text))
    assert form == {"from": "2026-12-14", "agreed": "900"}
    told = browser.post("/week/repeat", data=form, follow_redirects=True).text
    assert (
        "1 demi-journée réservée comme la semaine dernière. 9,00\u00a0€ en tout, sur vos factures, payés par vous."
        in told
    )
    assert bookings(app) == 5
    nothing = browser.post("/week/repeat", data=form, follow_redirects=True)
    assert "Il n’y avait rien à reprendre" in nothing.text


def test_like_last_week_at_a_price_that_changed_is_said_again(app, cast, sign_in, clock):
    last_week(app, clock, cast.stranger, "2026-12-08", cents=1800)
    browser = sign_in(cast.stranger)
    sheet = browser.post("/week/repeat", data={"from": "2026-12-14"})
    assert "18,00\u00a0€ en tout" in sheet.text
    with app.app_context():
        make_tariff(desk=1100, valid_from=services.now().date())
    again = browser.post("/week/repeat", data={"from": "2026-12-14", "agreed": "1800"})
    assert again.status_code == 409
    assert "22,00\u00a0€ en tout" in again.text
    assert "Les prix ont changé" in again.text
    assert bookings(app) == 1


def test_like_last_week_says_first_what_can_hardly_be_cancelled(app, cast, sign_in, clock):
    with app.app_context():
        make_subscription(cast.stranger, halfdays=10)
    last_week(app, clock, cast.stranger, "2026-12-08")
    clock.set(datetime(2026, 12, 15, 7, tzinfo=UTC))
    browser = sign_in(cast.stranger)
    sheet = browser.post("/week/repeat", data={"from": "2026-12-14"})
    assert "dix minutes" in sheet.text
    assert "en tout" not in sheet.text
    assert bookings(app) == 1
    told = browser.post("/week/repeat", data={"from": "2026-12-14", "agreed": "0"}, follow_redirects=True).text
    assert "2 demi-journées réservées comme la semaine dernière. 2 demi-journées de votre formule." in told
    assert bookings(app) == 2


def test_like_last_week_beyond_the_horizon_says_so_and_books_the_rest(app, cast, sign_in, clock):
    clock.set(datetime(2026, 11, 24, 9, tzinfo=UTC))
    with app.app_context():
        make_subscription(cast.stranger, halfdays=None)
        last = date(2026, 11, 24) + timedelta(days=spaces.lieu().horizon_days)
        assert last.weekday() == 0, "a Monday: the week's other days cannot be booked yet"
        for day in (last - timedelta(days=7), last - timedelta(days=3)):
            services.book_half_days(cast.stranger.actor(), day, frozenset({"am"}))
    answer = sign_in(cast.stranger).post("/week/repeat", data={"from": last.isoformat()}, follow_redirects=True)
    assert answer.status_code == 200
    assert "1 demi-journée réservée comme la semaine dernière." in answer.text
    assert "Les réservations sont ouvertes jusqu’au" in answer.text


def test_a_week_in_two_months_says_what_is_left_of_both(app, cast, sign_in):
    with app.app_context():
        make_subscription(cast.stranger, halfdays=5)
    browser = sign_in(cast.stranger)
    assert browser.post("/bookings", data={"day": "2026-12-01", "half": "am"}).status_code == 303
    page = browser.get("/week?from=2026-11-30").text.split("<main")[
        1
    ]  # behind the toast, which says what is left of one
    assert [page.count(f"Il vous reste {left} demi-journées") for left in (5, 4)] == [1, 1]
    assert page.index("jusqu’au 30 novembre") < page.index("jusqu’au 31 décembre")


def test_like_last_week_says_on_its_sheet_what_could_not_be(app, cast, sign_in, clock):
    last_week(app, clock, cast.stranger, "2026-12-17", "2026-12-18", cents=1800)
    sheet = sign_in(cast.stranger).post("/week/repeat", data={"from": "2026-12-21"})
    assert "Jeudi 24 décembre<small>" in sheet.text
    assert "Vendredi 25 décembre\u202f: Le lieu est fermé ce jour-là\u202f: Noël." in sheet.text
