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
    expect(page.locator(".week .grid > table")).to_be_visible()
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
        expect(page.locator("#said")).to_have_text(f"Réservé : Poste 1, jeudi 26 novembre, {half}.")
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
    expect(page.locator(":focus")).to_have_accessible_name(re.compile("toute la journée, vendredi 27 novembre"))
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


def test_back_closes_the_sheet_and_the_page_stays(app, place, cast, open_page):
    with app.app_context():
        services.book_half_days(cast.member.actor(), THURSDAY, frozenset({"am"}))
    page = open_page("member@demo.example", reduced_motion="reduce")
    page.goto("/bookings")
    page.goto("/week")
    page.evaluate("window.stays = true")
    sheet, mine = page.locator("dialog#sheet"), page.get_by_role("link", name="Poste 1, jeudi 26 novembre, le matin")
    mine.click()
    expect(sheet).to_be_visible()
    page.evaluate("history.back()")
    expect(sheet).not_to_be_visible()
    expect(mine).to_be_focused()
    assert page.evaluate("window.stays"), "the page was never left"
    mine.click()
    sheet.get_by_role("link", name="Fermer").click()
    expect(sheet).not_to_be_visible()
    page.wait_for_function("!history.state?.sheet")
    page.evaluate("history.back()")
    page.wait_for_url("**/bookings")


def test_back_after_sending_a_sheet_returns_to_the_former_page(place, cast, open_page):
    page = open_page("member@demo.example", reduced_motion="reduce")
    page.goto("/bookings")
    page.goto("/rooms?day=2026-11-26")
    page.locator(".starts a").first.click()
    page.locator("dialog#sheet").get_by_role("button", name="Réserver cette salle").click()
    expect(page.locator(".toast")).to_contain_text("Durolle")
    page.go_back()
    page.wait_for_function("location.pathname === '/rooms' && !history.state?.sheet")
    expect(page.locator("dialog#sheet")).not_to_be_visible()
    page.go_back()
    page.wait_for_url("**/bookings")


def test_price_and_title_follow_what_is_chosen_on_the_sheet(app, place, cast, open_page):
    with app.app_context():
        make_tariff()
    page = open_page("member@demo.example", reduced_motion="reduce")
    page.goto("/rooms?day=2026-11-26")
    page.locator(".starts a").first.click()
    sheet = page.locator("dialog#sheet")
    sheet.get_by_label("Pour quoi").fill("Point d’équipe")
    sheet.get_by_role("button", name="1\u202fh\u202f30").click()
    expect(sheet.locator(".terms")).to_contain_text("22,50")
    expect(sheet.locator(".lead")).to_contain_text("9\u202fh\u00a0– 10\u202fh\u202f30")
    expect(sheet.get_by_role("button", name="1\u202fh\u202f30")).to_have_attribute("aria-pressed", "true")
    sheet.get_by_label("De", exact=True).select_option("14:00")
    expect(sheet.locator(".lead")).to_contain_text("14\u202fh\u00a0– 15\u202fh\u202f30")
    expect(sheet.get_by_label("Pour quoi")).to_have_value("Point d’équipe")
    expect(page.locator("#said")).to_contain_text("22,50")
    assert_accessible(page)
    sheet.get_by_label("Pour quoi").press("Enter")
    expect(page.locator(".toast")).to_contain_text("Durolle, jeudi 26 novembre")


def test_a_message_covers_neither_the_sheet_s_buttons_nor_the_end_of_the_page(app, place, cast, open_page):
    page = open_page("member@demo.example", reduced_motion="reduce")
    page.get_by_role("button", name=MORNING).click()
    toast = page.locator(".toast")
    expect(toast).to_be_visible()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator(".week aside .btn").last
    assert last.bounding_box()["y"] + last.bounding_box()["height"] <= toast.bounding_box()["y"]
    page.get_by_role("link", name="Poste 1, jeudi 26 novembre, le matin").click()
    sheet = page.locator("dialog#sheet .sheet-in")
    expect(sheet).to_be_visible()
    assert toast.bounding_box()["y"] + toast.bounding_box()["height"] <= sheet.bounding_box()["y"]
