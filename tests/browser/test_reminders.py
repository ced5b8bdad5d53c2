"""A manager sees on Today what leaves tomorrow, holds one back, and changes the words of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from coworking.billing import services
from tests.browser.conftest import PHONE, WIDE, assert_accessible
from tests.support.billing import OCTOBER, BillingLieu
from tests.support.reminders import days_after, remind_from_now_on


@pytest.fixture
def eve(billing_lieu: BillingLieu, app: Flask, clock: Any) -> BillingLieu:
    """The day before the kind reminders of Lise and Anne leave."""
    with app.app_context():
        services.run(billing_lieu.manager, OCTOBER)
        remind_from_now_on(billing_lieu)
    clock.set(days_after(6))
    return billing_lieu


def says(page: Page) -> str:
    return page.inner_text("main").replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("size", "scheme", "scripts"),
    [(PHONE, "light", True), (WIDE, "dark", True), (PHONE, "dark", False)],
    ids=["phone", "wide", "no script"],
)
def test_tomorrow_s_list_a_pause_and_a_step_s_words(
    open_page: Callable[..., Page], eve: BillingLieu, size: dict[str, int], scheme: str, scripts: bool
):
    page = open_page("manager@demo.example", size=size, scheme=scheme, java_script_enabled=scripts)

    def looked_at() -> None:
        if scripts:
            assert_accessible(page)

    page.goto("/today")
    assert "2 relances partent demain" in says(page)
    page.get_by_role("link", name="Voir les relances").click()
    page.get_by_role("heading", name="Ce qui part").wait_for()
    looked_at()
    page.get_by_role("link", name="Lise Vidal").click()
    page.get_by_role("heading", name="Prochain message").wait_for()
    assert "Il nous semble que ceci n’est pas encore réglé" in says(page)
    page.locator("summary", has_text="Suspendre les relances").click()
    page.get_by_label("Pourquoi").fill("Paie en trois fois")
    looked_at()
    page.get_by_role("button", name="Suspendre les relances").click()
    page.get_by_text("Les relances sont suspendues").first.wait_for()
    page.goto("/reminders")
    assert "1 relance part demain" in says(page)
    page.locator("summary", has_text="Suspendues").click()
    assert "Paie en trois fois" in says(page)
    looked_at()
    page.get_by_role("link", name="Changer les étapes").click()
    page.get_by_role("link", name="Lire et changer : Rappel aimable").click()
    subject = page.locator("input[name=subject_fr]")
    subject.fill("Petit mot du Pont : {total}")
    page.get_by_role("button", name="Voir l’aperçu").click()
    page.get_by_role("heading", name="Petit mot du Pont : 66,00").wait_for()
    assert subject.input_value() == "Petit mot du Pont : {total}"
    looked_at()
    page.get_by_role("button", name="Enregistrer cette étape").click()
    page.get_by_role("heading", name="Les étapes").wait_for()
    assert "vos propres mots" in says(page).lower()
