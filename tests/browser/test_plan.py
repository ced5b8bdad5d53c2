"""A plan is taken over its page, once what it comes to has been said."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible
from tests.factories import make_plan


def test_a_plan_says_what_it_costs_and_is_taken_by_keyboard(app, place, cast, open_page):
    with app.app_context():
        make_plan()
    page = open_page("stranger@demo.example", reduced_motion="reduce")
    page.goto("/me/plan")
    page.get_by_role("link", name="dès novembre 2026").press("Enter")
    sheet = page.locator("dialog#sheet")
    expect(sheet.get_by_role("heading", name="Dix demi-journées")).to_be_focused()
    expect(sheet).to_contain_text("60,00\u00a0€ pour novembre 2026, puis chaque mois")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="dès novembre 2026")).to_be_focused()
    page.keyboard.press("Enter")
    sheet.get_by_role("button", name="Prendre cette formule").press("Enter")
    expect(page.locator(".toast")).to_contain_text("Vous avez maintenant cette formule.")
    expect(page.get_by_text("Il reste 10 demi-journées jusqu’au 30 novembre.")).to_be_visible()
