"""The sheet that books a room keeps what one types, and the focus, while it draws itself anew."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Route, expect

from tests.browser.conftest import WIDE
from tests.factories import make_tariff

ROOM = "/rooms?day=2026-11-26"


def late(route: Route) -> None:
    time.sleep(0.4)
    route.continue_()


def test_what_is_typed_while_the_sheet_is_renewed_stays(app, place, cast, open_page):
    with app.app_context():
        make_tariff()
    page = open_page("member@demo.example", WIDE)
    page.goto(ROOM)
    page.locator(".starts a").first.click()
    sheet = page.locator("dialog#sheet")
    title = sheet.get_by_label("Pour quoi")
    page.route("**/book?*", late)
    sheet.locator("#people").fill("2")
    with page.expect_response("**/book?*"):
        title.focus()
        page.keyboard.type("Réunion")
        page.keyboard.press("ArrowLeft")
    expect(sheet.locator("#people")).to_have_attribute("value", "2")
    expect(title).to_be_focused()
    page.keyboard.type("!")
    expect(title).to_have_value("Réunio!n")


def test_a_duration_keeps_the_focus_and_so_does_what_one_books(app, place, cast, open_page):
    with app.app_context():
        make_tariff()
    page = open_page("member@demo.example", WIDE)
    page.goto(ROOM)
    page.locator(".starts a").first.press("Enter")
    sheet = page.locator("dialog#sheet")
    sheet.get_by_role("button", name="2 h", exact=True).press("Enter")
    expect(sheet.get_by_role("button", name="2 h", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(sheet.get_by_role("button", name="2 h", exact=True)).to_be_focused()
    sheet.get_by_role("button", name="Réserver cette salle").press("Enter")
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator("#main")).to_be_focused()  # the hour that opened the sheet is taken now
    mine = page.get_by_role("link", name=re.compile("À vous"))
    mine.press("Enter")
    sheet.get_by_role("button", name="Annuler cette réservation").press("Enter")
    expect(page.locator(".toast")).to_contain_text("Réservation annulée")
    expect(page.locator("#main")).to_be_focused()
