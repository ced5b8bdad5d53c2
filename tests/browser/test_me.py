"""« Moi » is a long page: what it answers stands where one looks."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible


def test_what_is_wrong_far_down_and_the_token_shown_once_are_in_sight(place, cast, open_page):
    page = open_page("member@demo.example", reduced_motion="reduce")
    page.goto("/me")
    page.get_by_label("Code postal").fill("ABC")
    page.get_by_role("button", name="Enregistrer cette adresse").click()
    expect(page.get_by_label("Code postal")).to_be_focused()
    expect(page.get_by_text("Un code postal français a cinq chiffres")).to_be_in_viewport()
    page.goto("/me/security")
    page.get_by_text("Créer un jeton d’API").click()
    page.get_by_label("À quoi il sert").fill("agenda")
    page.get_by_label("bookings:read").check()
    page.get_by_role("button", name="Créer ce jeton").click()
    expect(page.locator(".notice code")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it fits a phone"
    assert_accessible(page)
