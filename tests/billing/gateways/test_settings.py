"""Settings → Online payment: who may open it, what it shows of keys, and what the button says that tries them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text, update

from coworking.accounts.models import Person
from coworking.billing.gateways import accounts, trying
from coworking.billing.gateways.port import GatewayAccount, GatewayRefused, GatewayUnavailable
from coworking.billing.gateways.stripe_gateway import StripeGateway
from coworking.core import keyring, secret_box
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.demo.helloasso_double import CLIENT_ID, CLIENT_SECRET, ORGANISATION, HelloAssoDouble, create_helloasso
from coworking.spaces.models import Lieu
from tests.billing.gateways.keys import HELLOASSO_KEYS, LIVE_KEY, SIGNING, STRIPE_KEYS, TEST_KEY
from tests.conftest import make_app
from tests.factories import PASSWORD, make_device
from tests.support.live import Live
from tests.support.redis import free_port

PAGE = "/settings/payments"
DOUBLES_KEYS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "organisation": ORGANISATION}


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.get_data(as_text=True)))


@pytest.fixture
def manager(app, place, cast, sign_in):
    """A browser of the manager, who reads English."""
    with app.app_context(), write_unit():
        db.session.execute(update(Person).where(Person.id == cast.manager.id).values(locale="en"))
    return sign_in(cast.manager)


def save(app, cast, gateway="stripe", keys=STRIPE_KEYS) -> None:
    with app.app_context():
        accounts.save_keys(cast.manager.actor(), gateway, keys)
        db.session.remove()


def kept(app) -> dict:
    with app.app_context():
        found = {name: one.keys for name, one in accounts.kept_keys().items()}
        db.session.remove()
        return found


# Who ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["visitor", "member", "host", "accountant", "lead"])
def test_only_managers_open_or_change_anything(app, place, cast, sign_in, client, who):
    save(app, cast)
    browser = client if who == "visitor" else sign_in(getattr(cast, who))
    for path in ("", "/stripe", "/stripe/forget"):
        assert browser.get(PAGE + path).status_code == (302 if who == "visitor" else 403)
    for path in ("/stripe", "/stripe/try", "/stripe/forget"):
        answer = browser.post(PAGE + path, data={"secret_key": LIVE_KEY})
        assert answer.status_code == (302 if who == "visitor" else 403)
    assert kept(app) == {"stripe": STRIPE_KEYS}


def test_the_password_is_asked_for_before_keys_are_typed_or_forgotten(app, manager, cast, clock):
    save(app, cast)
    clock.advance(minutes=11)
    for path in ("/stripe", "/stripe/forget"):
        answer = manager.get(PAGE + path)
        assert answer.status_code == 302 and "/me/proof?next=" in answer.location
        answer = manager.post(PAGE + path, data={"secret_key": LIVE_KEY})
        assert answer.status_code == 303 and "/me/proof?next=/settings/payments/stripe" in answer.location
        assert LIVE_KEY not in answer.location
    assert kept(app) == {"stripe": STRIPE_KEYS}
    assert manager.get(PAGE).status_code == 200, "to look costs no password"
    manager.post("/me/proof", data={"current_password": PASSWORD})
    assert manager.get(PAGE + "/stripe").status_code == 200


def test_unknown_providers_and_helloasso_of_others_are_not_there(app, manager, cast):
    for path in ("/paypal", "/paypal/forget"):
        assert manager.get(PAGE + path).status_code == 404
    for path in ("/paypal", "/paypal/try", "/paypal/forget"):
        assert manager.post(PAGE + path).status_code == 404
    assert "HelloAsso" in words(manager.get(PAGE))
    with app.app_context(), write_unit():
        db.session.execute(update(Lieu).values(legal_status="company"))
    assert "HelloAsso" not in words(manager.get(PAGE))
    assert manager.get(PAGE + "/helloasso").status_code == 404
    assert manager.post(PAGE + "/helloasso", data=HELLOASSO_KEYS).status_code == 404


# What is shown --------------------------------------------------------------------------------------------------------


def test_without_keys_the_page_says_what_to_do(manager):
    said = words(manager.get(PAGE))
    for part in (
        "Type the keys of Stripe",
        "Make a restricted key with these rights",
        "checkout.session.async_payment_failed",
        "Type the keys of HelloAsso",
    ):
        assert part in said
    assert 'value="http://lieu.test/pay/notifications/stripe"' in manager.get(PAGE).get_data(as_text=True)


def test_keys_are_typed_and_only_their_ends_are_shown(app, manager):
    answer = manager.post(PAGE + "/stripe", data=STRIPE_KEYS, follow_redirects=True)
    said = words(answer)
    assert "ends with 9Zq7" in said and "ends with 7Xo5" in said
    assert "These are test keys: no real money moves, and payers are not offered Stripe." in said
    assert kept(app) == {"stripe": STRIPE_KEYS}
    assert "Now test keys are set." in words(manager.get(PAGE + "/stripe"))
    said = words(manager.post(PAGE + "/stripe", data={"secret_key": LIVE_KEY}, follow_redirects=True))
    assert "Real money" in said and "missing: a payment is seen up to half an hour late" in said
    assert kept(app) == {"stripe": {"secret_key": LIVE_KEY}}, "the signing secret of the test went with its key"


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept_nor_shown_again(app, manager):
    wrong = "pk_test_" + "Secret" * 5
    answer = manager.post(PAGE + "/stripe", data={"secret_key": wrong, "webhook_secret": SIGNING})
    assert answer.status_code == 422
    assert "This is the publishable key." in words(answer)
    assert wrong not in answer.get_data(as_text=True) and SIGNING not in answer.get_data(as_text=True)
    assert "Type or paste this key." in words(manager.post(PAGE + "/helloasso", data={"client_id": "a" * 32}))
    assert kept(app) == {}


def test_keys_appear_nowhere(app, manager, cast, caplog):
    """Neither on a page nor in the log, the trail, an export, what the server tells of itself, or an error page."""
    with caplog.at_level(logging.DEBUG):
        typed = [
            manager.post(f"{PAGE}/{name}", data=keys)
            for name, keys in (("stripe", STRIPE_KEYS), ("helloasso", HELLOASSO_KEYS))
        ]
        answers = typed + [
            manager.get(path)
            for path in (
                PAGE,
                PAGE + "/stripe",
                PAGE + "/helloasso",
                PAGE + "/stripe/forget",
                "/settings",
                "/readyz",
                "/metrics",
            )
        ]
        answers += [manager.get("/me/export.json"), manager.get("/people/log"), manager.get("/today")]
        answers.append(manager.post(PAGE + "/stripe", data=STRIPE_KEYS | {"secret_key": TEST_KEY + "é"}))
        answers.append(manager.post(PAGE + "/stripe/nowhere", data=STRIPE_KEYS))
    with app.app_context():
        rows = repr(db.session.scalars(select(AuditEntry.details)).all()) + repr(
            db.session.execute(text("SELECT * FROM security_event")).all()
        )
        db.session.remove()
    said = "".join(answer.get_data(as_text=True) + str(answer.headers) for answer in answers) + caplog.text + rows
    for key in (*STRIPE_KEYS.values(), HELLOASSO_KEYS["client_id"], HELLOASSO_KEYS["client_secret"]):
        assert key not in said and key[8:30] not in said


def test_a_lost_keyring_is_said_and_not_an_error(app, manager, cast):
    save(app, cast)
    with app.app_context():
        keyring.kept(secret_box.KEY_FILE).unlink()
    answer = manager.get(PAGE)
    assert answer.status_code == 200 and "The keys cannot be decrypted" in words(answer)
    assert manager.post(PAGE + "/stripe/try").status_code == 409
    assert manager.post(PAGE + "/stripe", data=STRIPE_KEYS).status_code == 303
    assert "cannot be decrypted" not in words(manager.get(PAGE))


def test_the_servers_keys_are_named_and_not_changed_here(app, cast, place, tmp_path):
    config = app.extensions["settings"]
    other = make_app(config.database_url, config.data_dir, stripe_secret_key=TEST_KEY)
    with other.app_context():
        name, secret = make_device(cast.manager)
    browser = other.test_client()
    browser.set_cookie(name, secret)
    said = words(browser.get(PAGE, headers={"Accept-Language": "en"}))
    assert "9Zq7" in said and "serveur" in said
    assert "password" not in browser.get(PAGE + "/stripe").get_data(as_text=True).replace("current_password", "")
    assert browser.post(PAGE + "/stripe", data=STRIPE_KEYS).status_code == 409
    with other.app_context():
        db.engine.dispose()


def test_keys_are_forgotten_after_a_question(app, manager, cast):
    save(app, cast)
    assert "Nobody can pay with Stripe any more" in words(manager.get(PAGE + "/stripe/forget"))
    for _ in range(2):
        assert manager.post(PAGE + "/stripe/forget").status_code == 303
    assert kept(app) == {}


# Trying them ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def double() -> HelloAssoDouble:
    return HelloAssoDouble()


@pytest.fixture
def boss(app, cast, place, double) -> Iterator:
    """The manager's browser at an instance that asks the double of HelloAsso."""
    server = Live(create_helloasso(double), free_port()).start()
    config = app.extensions["settings"]
    other = make_app(config.database_url, config.data_dir, helloasso_api_base=server.url)
    with other.app_context():
        name, secret = make_device(cast.manager)
    browser = other.test_client()
    browser.set_cookie(name, secret)
    yield browser
    server.stop()
    with other.app_context():
        db.engine.dispose()


def test_the_button_says_what_the_keys_open(app, cast, boss):
    save(app, cast, "helloasso", DOUBLES_KEYS)
    answer = boss.post(PAGE + "/helloasso/try", follow_redirects=True)
    assert "Association de démonstration : test, aucun argent réel n’est encaissé. Moyens activés : carte." in words(
        answer
    )
    assert "essayé le" in words(answer)


def test_the_button_says_what_is_wrong_in_plain_words(app, cast, boss, double):
    assert boss.post(PAGE + "/helloasso/try").status_code == 409, "there is nothing to try"
    save(app, cast, "helloasso", DOUBLES_KEYS | {"client_secret": "another-secret"})
    answer = boss.post(PAGE + "/helloasso/try")
    assert answer.status_code == 409 and "Ces clés n’ouvrent aucun compte" in words(answer)
    save(app, cast, "helloasso", DOUBLES_KEYS)
    token = (200, b'{"access_token": "x", "expires_in": 1800}')
    for given, status, said in (
        ([token, (403, b"")], 409, "Il manque un droit à cette clé"),
        ([(404, b'{"errors": [{"code": "NotFound", "message": "Unknown slug"}]}')], 409, "Unknown slug"),
        ([(503, b"<html>")], 503, "Le prestataire ne répond pas"),
        ([(200, b"[]")], 503, "Le prestataire ne répond pas"),
    ):
        double.answers[:] = given
        answer = boss.post(PAGE + "/helloasso/try")
        assert (answer.status_code, said in words(answer)) == (status, True), said
    assert "essayé le" not in words(boss.get(PAGE))


def test_a_look_that_ends_after_the_keys_changed_is_not_kept(app, cast, place, inside, monkeypatch):
    """Between the question and its answer another manager typed other keys."""
    actor = cast.manager.actor()
    accounts.save_keys(actor, "stripe", STRIPE_KEYS)

    def look(_self: StripeGateway) -> GatewayAccount:
        accounts.save_keys(actor, "stripe", {"secret_key": LIVE_KEY})
        return GatewayAccount("Le Pont", False, ("card",))

    monkeypatch.setattr(StripeGateway, "look", look)
    assert trying.try_keys(actor, "stripe").name == "Le Pont"
    assert accounts.kept_keys()["stripe"].row.looked_at is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GatewayUnavailable("away"), "provider_away"),
        (GatewayRefused("401", "Invalid API Key provided"), "keys_revoked"),
        (GatewayRefused("403", "lacks the right"), "right_lacking"),
        (GatewayRefused("account_closed", "This account is closed"), "look_refused"),
    ],
)
def test_stripes_refusals_are_told_apart(cast, place, inside, monkeypatch, error, code):
    accounts.save_keys(cast.manager.actor(), "stripe", STRIPE_KEYS)

    def look(_self: StripeGateway) -> GatewayAccount:
        raise error

    monkeypatch.setattr(StripeGateway, "look", look)
    with pytest.raises(trying.DomainError) as refused:
        trying.try_keys(cast.manager.actor(), "stripe")
    assert refused.value.code == code
