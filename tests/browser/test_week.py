"""My week with scripts: what a tap does to the page around it."""

from __future__ import annotations

import re
from datetime import date

from playwright.sync_api import expect

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.browser.conftest import WIDE, assert_accessible
from tests.factories import make_tariff

THURSDAY = date(2026, 11, 26)
MORNING = re.compile("Réserver un poste jeudi 26 novembre, le matin")


def test_a_tap_that_comes_too_late_opens_what_is_free_over_the_week(app, place, cast, open_page):
    page = open_page("member@demo.example", reduced_motion="reduce")
    with app.app_context():
        for person in (cast.colleague, cast.stranger, cast.host, cast.manager):
            services.book_half_days(person.actor(), THURSDAY, frozenset({"am"}))
    page.get_by_role("button", name=MORNING).click()
    sheet = page.locator("dialog#sheet")
    expect(sheet.get_by_role("heading", name="Complet à ce moment-là")).to_be_focused()
    expect(page.locator(".week table")).to_be_visible()
    assert_accessible(page)
    sheet.get_by_role("button", name="Jeudi 26 novembre, l’après-midi").click()
    expect(page.locator(".toast")).to_contain_text("Poste 1, jeudi 26 novembre, l’après-midi.")


def test_what_came_too_late_is_no_longer_offered_behind_the_sheet(app, place, cast, open_page):
    page = open_page("member@demo.example", reduced_motion="reduce")
    with app.app_context():
        for person in (cast.colleague, cast.stranger, cast.host, cast.manager):
            services.book_half_days(person.actor(), THURSDAY, frozenset({"am"}))
    page.get_by_role("button", name=MORNING).click()
    page.locator("dialog#sheet").get_by_role("link", name="Fermer").click()
    expect(page.get_by_role("link", name="jeudi 26 novembre, le matin\u202f: complet")).to_be_focused()
    expect(page.get_by_role("button", name=MORNING)).to_have_count(0)


def test_another_desk_is_chosen_and_booked_over_the_week(app, place, cast, open_page):
    with app.app_context():
        make_tariff()
    page = open_page("stranger@demo.example", reduced_motion="reduce")
    page.evaluate("window.stays = true")
    page.get_by_role("button", name=MORNING).click()
    sheet = page.locator("dialog#sheet")
    sheet.get_by_role("link", name="Choisir un autre poste").click()
    sheet.get_by_role("button", name="Poste 3").click()
    expect(sheet.get_by_role("heading", name="Poste 3")).to_be_focused()
    sheet.get_by_role("button", name="Réserver ce poste").click()
    expect(sheet).not_to_be_visible()
    expect(page.get_by_role("link", name="Poste 3, jeudi 26 novembre, le matin")).to_be_focused()
    expect(page.locator(".toast")).to_contain_text("Poste 3, jeudi 26 novembre, le matin.")
    assert page.evaluate("window.stays"), "the page was never left"


def test_every_message_is_said_aloud_and_the_focus_stays(place, cast, open_page):
    page = open_page("member@demo.example", WIDE)
    for half in ("le matin", "l’après-midi"):
        page.get_by_role("button", name=re.compile(f"Réserver un poste jeudi 26 novembre, {half}")).press("Enter")
        expect(page.get_by_role("link", name=re.compile(f"Poste 1, jeudi 26 novembre, {half}"))).to_be_focused()
        expect(page.locator("#said")).to_have_text(f"Poste 1, jeudi 26 novembre, {half}.")
        expect(page.locator(".toast")).to_have_count(1)


def test_arrows_go_from_cell_to_cell_and_from_week_to_week(place, cast, open_page):
    page = open_page("member@demo.example", WIDE)
    page.get_by_role("button", name=MORNING).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_id("2026-11-26-pm")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus"), "Saturday afternoon is closed").to_have_id("2026-11-27-pm")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("toute la journée, vendredi 27 novembre"))
    page.goto("/week")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/week?from=2026-11-30")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/week?from=2026-11-23")


def test_rooms_and_bookings_are_accessible_in_the_dark_too(place, cast, open_page):
    for scheme in ("light", "dark"):
        page = open_page("member@demo.example", scheme=scheme, reduced_motion="reduce")  # axe must not see a fade
        page.goto("/rooms?day=2026-11-26&minutes=half")
        assert_accessible(page)
        page.locator(".starts a").first.click()
        expect(page.locator("dialog#sheet").get_by_text("Jeudi 26 novembre, 9–13")).to_be_visible()
        assert_accessible(page)
        page.goto("/bookings")
        assert_accessible(page)


def test_the_week_fits_a_phone_in_english(app, place, cast, open_page):
    with app.app_context(), write_unit():
        db.session.get_one(Person, cast.member.id).locale = "en"
    page = open_page("member@demo.example")
    expect(page.locator("h1")).to_have_text("My week")
    assert_accessible(page)
