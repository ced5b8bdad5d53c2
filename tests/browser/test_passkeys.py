"""Passkeys and the second step in a real Chromium, whose virtual device answers as a phone's would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WIDE, assert_accessible
from tests.factories import PASSWORD

EMAIL = "member@demo.example"


@pytest.fixture
def by_name(app, address):
    """The server under the one name that browsers make passkeys for without TLS."""
    kept, named = app.extensions["settings"], address.replace("127.0.0.1", "localhost")
    app.extensions["settings"] = replace(kept, base_url=named)
    yield named
    app.extensions["settings"] = kept


def with_device(page, **options):
    """The page's Chromium with a device that makes passkeys, whose owner agrees at once."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
            | options
        },
    )
    return page


def type_password(page, by_name):
    page.goto(f"{by_name}/sign-in")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_a_passkey_is_made_and_signs_in(place, cast, by_name, open_page):
    page = with_device(open_page(size=PHONE, reduced_motion="reduce"))
    type_password(page, by_name)
    page.goto(f"{by_name}/me/security")
    assert_accessible(page)
    page.get_by_role("link", name="Créer une clé d’accès").click()
    page.get_by_label("Comment vous l’appelez").fill("Mon téléphone")
    assert_accessible(page)
    page.get_by_role("button", name="Créer une clé d’accès").click()
    expect(page.get_by_text("La clé d’accès est enregistrée.").first).to_be_visible()
    expect(page.get_by_role("button", name="Retirer Mon téléphone")).to_be_visible()
    page.get_by_role("link", name="Créer une clé d’accès").click()
    page.get_by_role("button", name="Créer une clé d’accès").click()
    expect(page.get_by_text("Cet appareil a déjà une clé d’accès pour votre compte.").first).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{by_name}/sign-in?next=/me/security")
    page.get_by_role("button", name="Me connecter avec une clé d’accès").click()
    page.wait_for_url("**/me/security")
    page.get_by_role("button", name="Retirer Mon téléphone").click()
    expect(page.get_by_text("La clé d’accès est retirée.").first).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{by_name}/sign-in")
    page.get_by_role("button", name="Me connecter avec une clé d’accès").click()
    expect(page.get_by_text("Cette clé d’accès n’ouvre rien ici.").first).to_be_visible()
    assert_accessible(page)


def test_a_device_whose_owner_refuses_says_what_else_to_do(place, cast, by_name, open_page):
    page = with_device(open_page(size=WIDE), isUserVerified=False)
    page.goto(f"{by_name}/sign-in")
    page.get_by_role("button", name="Me connecter avec une clé d’accès").click()
    expect(page.get_by_text("Aucune clé d’accès n’a été utilisée.").first).to_be_visible()
    expect(page).to_have_url(f"{by_name}/sign-in")
    assert_accessible(page)


def test_without_scripts_the_pages_say_what_else_to_do(place, cast, by_name, open_page):
    page = open_page(size=PHONE, java_script_enabled=False)
    type_password(page, by_name)
    page.goto(f"{by_name}/me/passkeys/new")
    expect(page.get_by_role("button", name="Créer une clé d’accès")).to_be_hidden()
    expect(page.get_by_text("Ce navigateur ne crée pas de clés d’accès")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{by_name}/sign-in")
    expect(page.get_by_role("button", name="Me connecter avec une clé d’accès")).to_be_hidden()
    expect(page.get_by_role("link", name="M’envoyer un lien plutôt que taper mon mot de passe")).to_be_visible()
