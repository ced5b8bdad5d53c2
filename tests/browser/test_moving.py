"""A booking is moved to a place at another price, and moved back, with and without scripts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.core.timespan import Span
from tests.browser.conftest import assert_accessible
from tests.factories import make_tariff

MORNING = Span(datetime(2026, 11, 26, 8, tzinfo=UTC), datetime(2026, 11, 26, 10, tzinfo=UTC))


@pytest.mark.parametrize("scripts", [True, False])
def test_both_prices_before_the_move_and_the_way_back_after_it(app, place, cast, open_page, scripts):
    with app.app_context():
        make_tariff(resources={place.rooms[1]: 2500})
        asked = Request(MORNING, (RequestedItem(resource=place.rooms[0].public_id),))
        made = services.book(cast.member.actor(), asked).public_id
    page = open_page("member@demo.example", java_script_enabled=scripts)
    page.goto(f"/bookings/{made}")
    page.get_by_text("Choisir une autre salle").click()
    page.get_by_role("link", name="Cabine 50,00 €").click()
    sheet = page.locator("main")  # from a booking's own page one turns to a page, with scripts too
    expect(sheet.get_by_role("heading", name="Déplacer vers : Cabine")).to_be_visible()
    expect(sheet).to_contain_text("30,00 €, sur la facture de novembre 2026, payé par vous.")
    expect(sheet).to_contain_text("20,00 € de plus que maintenant.")
    if scripts:
        assert_accessible(page)
    sheet.get_by_role("button", name="Déplacer vers cette salle").click()
    expect(page.locator(".toast")).to_contain_text("Déplacé : Cabine, jeudi 26 novembre, 9–11 h.")
    page.goto(f"/bookings/{made}")  # the message is gone, the way back is not
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.get_by_text("Déplacée depuis Durolle, jeudi 26 novembre, 9–11 h.")).to_be_visible()
    if scripts:
        assert_accessible(page)
    page.get_by_role("button", name="Revenir à la place d’avant").click()
    expect(page.locator(".toast")).to_contain_text("Revenu à la place d’avant : Durolle, jeudi 26 novembre, 9–11 h.")
