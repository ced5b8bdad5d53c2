"""Journeys with thumb, mouse and keyboard; and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WIDE, assert_accessible


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_a_member_books_cancels_and_undoes(place, cast, open_page):
    page = open_page("member@demo.example")
    expect(page.locator("h1")).to_have_text("Ma semaine")
    page.get_by_role("button", name=re.compile("Réserver un poste jeudi 26 novembre, le matin")).click()
    expect(page.locator(".toast")).to_contain_text("Poste 1, jeudi 26 novembre, le matin.")
    mine = page.get_by_role("link", name=re.compile("Poste 1, jeudi 26 novembre, le matin"))
    expect(mine).to_be_visible()
    mine.click()
    sheet = page.locator("dialog#sheet")
    expect(sheet.get_by_role("heading", name="Poste 1")).to_be_visible()
    assert_accessible(page)
    sheet.get_by_role("button", name="Annuler cette réservation").click()
    expect(page.locator(".toast")).to_contain_text("Réservation annulée.")
    page.locator(".toast").get_by_role("button", name="Rétablir").click()
    expect(page.locator(".toast")).to_contain_text("De nouveau à vous.")
    expect(page.get_by_role("link", name=re.compile("Poste 1, jeudi 26 novembre"))).to_be_visible()


def test_the_same_without_scripts(place, cast, open_page):
    page = open_page("member@demo.example", java_script_enabled=False)
    page.get_by_role("button", name=re.compile("Réserver un poste toute la journée, jeudi 26")).click()
    expect(page.locator(".toast")).to_contain_text("toute la journée.")
    page.get_by_role("link", name=re.compile("Poste 1, jeudi 26 novembre, le matin")).click()
    expect(page.locator("h1")).to_have_text("Poste 1")
    page.get_by_role("button", name="Annuler cette réservation").click()
    expect(page.locator(".toast")).to_contain_text("Réservation annulée.")


def test_the_same_with_the_keyboard_alone(place, cast, open_page):
    page = open_page("member@demo.example", WIDE)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Aller au contenu")
    page.keyboard.press("Enter")
    target = page.get_by_role("button", name=re.compile("Réserver un poste jeudi 26 novembre, le matin"))
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            break
    expect(target).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Poste 1, jeudi 26 novembre, le matin.")


def test_a_sheet_gives_the_focus_back(place, cast, open_page):
    page = open_page("member@demo.example")
    page.get_by_role("button", name=re.compile("Réserver un poste jeudi 26 novembre, le matin")).click()
    mine = page.get_by_role("link", name=re.compile("Poste 1, jeudi 26 novembre"))
    mine.click()
    expect(page.locator("dialog#sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#sheet")).to_be_hidden()
    expect(mine).to_be_focused()


def test_a_room_in_three_taps(place, cast, open_page):
    page = open_page("member@demo.example")
    page.get_by_role("link", name="Salle").last.click()
    page.goto("/rooms?day=2026-11-26&minutes=60")
    page.locator(".room-list li", has_text="Durolle").get_by_role("link", name=re.compile("^10.h$")).click()
    sheet = page.locator("dialog#sheet")
    expect(sheet.get_by_role("heading", name="Durolle")).to_be_visible()
    sheet.get_by_label("Pour quoi").fill("Point d’équipe")
    sheet.get_by_role("button", name="Réserver cette salle").click()
    expect(page.locator(".toast")).to_contain_text("Durolle, jeudi 26 novembre")


def test_the_host_s_morning(place, cast, open_page, clock):
    page = open_page("host@demo.example", WIDE)
    page.get_by_role("link", name="Réserver pour quelqu’un").click()
    page.get_by_label("Pour qui").first.press_sequentially("vidal")
    page.get_by_label(re.compile("Lise Vidal")).check()
    page.get_by_role("button", name="La personne est là").click()
    expect(page.locator(".toast")).to_contain_text("Lise Vidal est là.")
    expect(page.locator("h1")).to_have_text("Mardi 24 novembre")
    page.get_by_role("button", name="Sortie de Lise Vidal").click()
    expect(page.locator(".sum")).to_contain_text("Personne n’est encore là")


def test_arrows_move_in_the_planning_and_enter_books(place, cast, open_page):
    page = open_page("member@demo.example", WIDE)
    page.goto("/planning?day=2026-11-26")
    first = page.locator(".lane > a").first
    first.focus()
    page.keyboard.press("ArrowDown")
    focused = page.locator(":focus")
    assert focused.evaluate("element => element.closest('li').querySelector('.name').textContent") == "Poste 2"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Réserver la journée").click()
    expect(page.locator(".toast")).to_contain_text("Poste 2, jeudi 26 novembre, toute la journée.")


def test_today_follows_what_others_do(app, place, cast, open_page, clock):
    """A visible page asks again and shows what changed; nobody reloads."""
    from coworking.presence import services as presence

    page = open_page("host@demo.example", WIDE)
    page.goto("/today")
    expect(page.locator(".sum")).to_contain_text("Personne n’est encore là")
    page.evaluate("document.querySelector('[data-poll-url]').dataset.pollSeconds = '5'")
    with app.app_context():
        presence.arrive(cast.member.actor())
    expect(page.locator(".sum")).to_contain_text("1 personne est là", timeout=15_000)
