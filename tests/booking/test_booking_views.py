"""The page of one booking and the list of one's own, as a browser without scripts sees them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.booking.pages import THURSDAY, booking_url, tap, text

pytestmark = pytest.mark.once


def test_cancelling_and_undoing_it(app, place, cast, sign_in, clock):
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, THURSDAY, "am")))
    assert "Annuler cette réservation" in text(browser.get(url))
    page = text(browser.post(url + "/cancel", follow_redirects=True))
    assert "Réservation annulée." in page
    toast = page.split('class="toast"')[1].split("</div>")[0]
    assert "Rétablir</button>" in toast and "Annuler" not in toast, "one word is not both a deed and its undoing"
    assert "slot is-mine" not in page
    assert "De nouveau à vous." in text(browser.post(url + "/undo", follow_redirects=True))
    browser.post(url + "/cancel")
    clock.advance(minutes=3)
    late = browser.post(url + "/undo")
    assert late.status_code == 409
    assert "Trop de temps a passé" in text(late)


def test_the_host_who_takes_a_cancellation_back_reads_whose_it_is(app, place, cast, sign_in):
    url = booking_url(text(tap(sign_in(cast.member), THURSDAY, "am")))
    host = sign_in(cast.host)
    host.post(url + "/cancel")
    page = text(host.post(url + "/undo", follow_redirects=True))
    assert "De nouveau à Anne Marchand\N{NARROW NO-BREAK SPACE}: Poste 1, jeudi 26 novembre, le matin." in page
    assert "De nouveau à vous" not in page


def test_cancelling_twice_is_fine(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, THURSDAY, "am")))
    for _ in range(2):
        assert "Réservation annulée." in text(browser.post(url + "/cancel", follow_redirects=True))
    assert "annulée</span>" in text(browser.get("/bookings"))


def test_what_cancelling_costs_is_shown_beforehand(app, place, cast, sign_in, clock):
    """Booked after the free deadline: free while one may still regret it, and late after that."""
    clock.set(datetime(2026, 11, 25, 19, tzinfo=UTC))
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, THURSDAY, "am")))
    assert "sans frais jusqu’au mercredi 25 novembre à 20\u202fh\u202f10" in text(browser.get(url))
    clock.advance(minutes=10)
    assert "comptera comme utilisée" in text(browser.get(url))
    assert "annulée hors délai" in text(browser.post(url + "/cancel", follow_redirects=True))


def test_a_booking_that_has_begun_is_kept(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, "2026-11-24", "am")))
    assert "Annuler cette réservation" not in text(browser.get(url))
    answer = browser.post(url + "/cancel")
    assert answer.status_code == 409
    assert "Cette réservation est commencée" in text(answer)


def test_a_stranger_cannot_see_or_change_a_booking(app, place, cast, sign_in):
    url = booking_url(text(tap(sign_in(cast.member), THURSDAY, "am")))
    stranger = sign_in(cast.stranger)
    assert stranger.get(url).status_code == 404
    for verb in ("cancel", "undo", "move"):
        assert stranger.post(f"{url}/{verb}").status_code == 404


def test_a_booking_moves_to_another_desk_for_the_same_time(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    url = booking_url(text(tap(browser, THURSDAY, "am")))
    page = text(browser.post(url + "/move", data={"resource": place.desks[2].public_id}, follow_redirects=True))
    assert "Poste 3, jeudi 26 novembre" in page


def test_my_bookings_list_coming_and_past_ones(app, place, cast, sign_in, clock):
    browser = sign_in(cast.member)
    tap(browser, THURSDAY, "am")
    page = text(browser.get("/bookings"))
    assert "jeudi 26 novembre 2026" in page
    assert "Avant" not in page
    clock.set(datetime(2026, 11, 26, 8, 5, tzinfo=UTC))
    browser.post("/here")
    clock.advance(days=1)
    page = text(browser.get("/bookings"))
    assert "Rien de réservé pour l’instant" in page
    assert "présence</span>" in page


@pytest.mark.parametrize("page", ["0", "-3", "2", "9" * 30])
def test_a_page_beyond_the_end_is_the_last_one(app, place, cast, sign_in, page):
    browser = sign_in(cast.member)
    browser.post(booking_url(text(tap(browser, THURSDAY, "am"))) + "/cancel")
    assert "jeudi 26 novembre 2026" in text(browser.get(f"/bookings?page={page}"))
    assert browser.get("/bookings?page=deux").status_code == 422
