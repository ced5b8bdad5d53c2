"""A member pays from the e-mail on a phone: our page, the provider's, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page

from coworking.billing import services
from coworking.billing.pay_links import pay_token
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests.browser.conftest import PHONE, WIDE, assert_accessible
from tests.support.billing import OCTOBER, BillingLieu
from tests.support.stripe import SECRET_KEY, WEBHOOK_SECRET, RunningDouble, running_double


@pytest.fixture
def stripe(app: Flask, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningDouble]:
    """Stripe's double, with whose keys the lieu takes payments; the pages' own address is the browser's."""
    with running_double(f"{address}/pay/notifications/stripe") as running:
        settings = replace(
            app.extensions["settings"],
            base_url=address,
            stripe_secret_key=SECRET_KEY,
            stripe_webhook_secret=WEBHOOK_SECRET,
            stripe_api_base=running.url,
        )
        monkeypatch.setitem(app.extensions, "settings", settings)
        monkeypatch.setitem(app.extensions, "coworking-gateways", {})  # the one before had another address
        yield running


@pytest.fixture
def simulated(billing_lieu: BillingLieu, app: Flask) -> BillingLieu:
    """A lieu that shows payers test keys."""
    with app.app_context(), write_unit():
        lock_lieu().is_simulation = True
    return billing_lieu


@pytest.fixture
def link(stripe: RunningDouble, simulated: BillingLieu, app: Flask) -> str:
    with app.app_context():
        services.update_settings(simulated.manager, iban="FR7630006000011234567890189", bic="AGRIFRPP")
        issued = services.run(simulated.manager, OCTOBER).issued
        return f"/pay/{pay_token([row.public_id for row in issued if row.payable_cents == 6600])}"


def pays(page: Page, number: str) -> None:
    page.fill("input[name=number]", number)
    page.fill("input[name=expiry]", "12 / 30")
    page.fill("input[name=cvc]", "123")
    page.click("form button:not([type=button])")


def test_three_taps_on_a_phone(open_page: Callable[..., Page], link: str):
    page = open_page(size=PHONE)
    page.goto(link)
    page.get_by_role("button", name="par carte").click()
    page.wait_for_url("**/c/pay/**")
    pays(page, "4242 4242 4242 4242")
    page.wait_for_url("**/back?payment=*")
    assert "est arrivé" in page.inner_text("main").replace("\u202f", " ")
    page.go_back()
    page.go_back()
    page.reload()
    assert "Rien à payer" in page.inner_text("h1")


def test_a_declined_card_and_the_way_back(open_page: Callable[..., Page], link: str):
    page = open_page(size=PHONE)
    page.goto(link)
    page.get_by_role("button", name="par carte").click()
    page.wait_for_url("**/c/pay/**")
    pays(page, "4000 0000 0000 0002")
    page.get_by_role("alert").wait_for()
    page.goto(link)
    assert "66,00" in page.inner_text("h1")
    page.get_by_role("button", name="par carte").click()
    page.wait_for_url("**/c/pay/**")
    pays(page, "4242 4242 4242 4242")
    page.wait_for_url("**/back?payment=*")


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(open_page: Callable[..., Page], link: str, size: dict[str, int], scheme: str):
    page = open_page(size=size, scheme=scheme)
    page.goto(link)
    assert_accessible(page)


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (WIDE, "dark"), (PHONE, "dark"), (WIDE, "light")])
def test_a_card_is_saved_seen_and_withdrawn(
    open_page: Callable[..., Page], stripe: RunningDouble, simulated: BillingLieu, app: Flask, size, scheme
):
    page = open_page("stranger@demo.example", size=size, scheme=scheme)
    page.goto("/me")
    page.get_by_role("link", name="Mon moyen de paiement").click()
    assert_accessible(page)
    page.get_by_role("button", name="Enregistrer une carte").click()
    assert "Cochez la case" in page.inner_text("main")
    assert_accessible(page)
    page.get_by_label("J’accepte").check()
    page.get_by_role("button", name="Enregistrer une carte").click()
    page.wait_for_url("**/c/pay/**")
    pays(page, "4242 4242 4242 4242")
    page.wait_for_url("**/means?payer=me")
    assert "Carte Visa finissant par 4242" in page.inner_text("h2")
    with app.app_context():
        services.run(simulated.manager, OCTOBER)
    page.reload()
    assert "25 novembre" in page.inner_text("main")
    assert_accessible(page)
    page.goto("/invoices/mine")
    assert "25 novembre" in page.inner_text("main")
    assert_accessible(page)
    manager = open_page("manager@demo.example", size=size, scheme=scheme)
    manager.goto("/settings/payments/saved")
    assert "finissant par 4242" in manager.inner_text("main")
    assert_accessible(manager)
    page.goto("/means")
    page.get_by_role("link", name="Retirer").click()
    assert_accessible(page)
    page.get_by_role("button", name="Retirer").click()
    page.wait_for_url("**/means?payer=me")
    assert "Plus rien n’y sera prélevé" in page.inner_text("body")
