"""Every main page at both sizes, light and dark, without a finding of axe."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.spaces.models import Lieu
from tests.browser.conftest import PHONE, WIDE, assert_accessible

DAY = frozenset({"am", "pm"})
PAGES = {
    None: ["/", "/sign-in", "/sign-up", "/forgotten", "/reset/run-out", "/nowhere", "/verify", "/verify/abcd-efgh"],
    "member": [
        "/week",
        "/rooms",
        "/bookings",
        "/me",
        "/me/security",
        "/me/proof",
        "/me/attestations",
        "/me/plan",
        "/invoices/mine",
        "/planning?day=2026-11-24",
        "/week?from=2026-12-21",
    ],
    "host": ["/today", "/planning", "/planning?view=list", "/for-someone?q=a", "/people"],
    "manager": [
        "/settings",
        "/settings/hours",
        "/settings/closures",
        "/settings/spaces",
        "/settings/public-page",
        "/month/2026-11",
        "/month/2026-10",
    ],
}


@pytest.fixture
def lived_in(app, place, cast, clock):
    """A day with someone here, someone to come, someone expected yesterday."""
    with app.app_context():
        clock.set(datetime(2026, 11, 23, 7, tzinfo=UTC))
        services.book_half_days(cast.stranger.actor(), date(2026, 11, 23), DAY)
        for person in (cast.member, cast.colleague):
            services.book_half_days(person.actor(), date(2026, 11, 24), DAY)
        services.book_half_days(cast.member.actor(), date(2026, 11, 26), DAY)
        clock.set(datetime(2026, 11, 24, 9, 36, tzinfo=UTC))
        presence.arrive(cast.member.actor())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("who", list(PAGES), ids=lambda who: who or "visitor")
def test_no_barrier(lived_in, open_page, who, size, scheme):
    page = open_page(f"{who}@demo.example" if who else None, size, scheme)
    for path in PAGES[who]:
        page.goto(path)
        assert_accessible(page)


def test_the_public_page_fits_the_narrowest_phone_whatever_is_written_there(app, place, open_page):
    with app.app_context(), write_unit():
        lieu = db.session.get_one(Lieu, 1)
        lieu.presentation = "https://www.la-fabrique-du-pont-de-thiers.example/comment/nous/trouver"
        lieu.directions = "Arrêt_devant_la_médiathèque_intercommunale_de_Thiers_Dore_et_Montagne"
    page = open_page(size={"width": 320, "height": 700})
    page.goto("/")
    assert_accessible(page)


@pytest.mark.parametrize("path", ["/settings/public-page", "/imports", "/bank"])
def test_where_a_file_is_chosen_the_page_fits_the_narrowest_phone(app, place, cast, open_page, path):
    page = open_page("manager@demo.example", {"width": 320, "height": 700})
    page.goto(path)
    assert page.locator("input[type=file]").is_visible()
    assert_accessible(page)
