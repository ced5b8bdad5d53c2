"""The test payment page, as a browser without JavaScript uses it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.support.stripe import wanted

GOOD = {"means": "card", "number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
DEBIT = {"means": "debit", "name": "Camille Roux", "account": "FR14 2004 1010 0505 0001 3M02 606"}
NARROW_SPACE = "\u202f"


@pytest.fixture
def browser(double):
    return double.app.test_client()


@pytest.fixture
def opened(gateway):
    return gateway.open_checkout(wanted())


@pytest.fixture
def page(opened) -> str:
    """The address of the page, on the double."""
    return urlsplit(opened.url).path


def text_of(answer) -> str:
    words = re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))
    return re.sub(r"\s+", " ", words).replace("\u00a0", " ").replace(NARROW_SPACE, " ")


def test_it_says_what_for_how_much_and_that_no_money_moves(browser, page):
    answer = browser.get(page)
    assert answer.status_code == 200
    assert '<html lang="fr">' in answer.get_data(as_text=True)
    for words in (
        "Page d’essai : aucun argent ne bouge.",
        "Facture 2026-0042",
        "Payer 60,00 €",
        "Retour à La Fabrique",
    ):
        assert words in text_of(answer)
    assert 'href="http://127.0.0.1:9/invoices/42"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(("locale", "header", "words"), [("en", "fr", "Pay €60.00"), ("auto", "fr", "Payer 60,00 €")])
def test_it_speaks_the_language_of_the_checkout_or_of_the_browser(browser, gateway, locale, header, words):
    page = urlsplit(gateway.open_checkout(wanted(locale=locale)).url).path
    assert words in text_of(browser.get(page, headers={"Accept-Language": header}))


def test_paying_by_card_leads_back_to_the_lieu(browser, gateway, opened, page):
    answer = browser.post(page, data=GOOD)
    assert answer.status_code == 303
    assert answer.location == f"http://127.0.0.1:9/pay/back?session={opened.checkout_id}"
    assert gateway.fetch(opened.checkout_id).state == "paid"
    again = browser.post(page, data=GOOD)
    assert (again.status_code, again.location) == (303, answer.location), "a second tap"
    assert "Ce paiement est envoyé" in text_of(browser.get(page)), "Back"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"number": "4000 0000 0000 0002"}, "a refusé cette carte"),
        ({"number": "4000000000009995"}, "pas assez d’argent"),
        ({"number": "4111111111111111"}, "que des cartes d’essai"),
        ({"number": "4242 4242 4242 4241"}, "numéro de carte n’est pas valable"),
        ({"number": ""}, "numéro de carte n’est pas valable"),
        ({"expiry": "13/34"}, "date d’expiration n’est pas valable"),
        ({"expiry": "10/26"}, "a expiré"),
        ({"cvc": "12"}, "Il a trois ou quatre chiffres"),
        ({"means": "debit", "name": " "}, "nom du titulaire"),
        (DEBIT | {"account": "FR14 2004 1010 0505 0001 3M02 607"}, "IBAN n’est pas valable"),
    ],
)
def test_what_does_not_go_through_says_why_and_keeps_what_was_typed(browser, gateway, opened, page, typed, words):
    answer = browser.post(page, data=GOOD | typed)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert all(f'value="{value}"' in answer.get_data(as_text=True) for value in typed.values())
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert gateway.fetch(opened.checkout_id).state == "open"


def test_what_is_typed_is_never_a_tag(browser, page):
    answer = browser.post(page, data=GOOD | {"number": '"><script>alert(1)</script>'})
    assert "<script>" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(("answer", "state"), [("confirm", "paid"), ("refuse", "open")])
def test_the_bank_may_ask_for_a_confirmation(browser, gateway, opened, page, answer, state):
    sent = browser.post(page, data=GOOD | {"number": "4000002500003155"})
    assert (sent.status_code, sent.location) == (303, f"{page}/confirm")
    assert "Confirmez ce paiement" in text_of(browser.get(sent.location))
    said = browser.post(sent.location, data={"answer": answer})
    assert gateway.fetch(opened.checkout_id).state == state
    assert said.status_code == (303 if state == "paid" else 422)
    assert state == "paid" or "La banque n’a pas reçu votre confirmation" in text_of(said)


def test_an_answer_nobody_asked_for_pays_nothing(browser, gateway, opened, page):
    browser.post(f"{page}/confirm", data={"answer": "confirm"})
    assert gateway.fetch(opened.checkout_id).state == "open"


def test_paying_by_debit_leads_back_and_is_pending(browser, gateway, opened, page):
    assert "Prélèvement SEPA" in text_of(browser.get(page))
    assert "Titulaire du compte" in text_of(browser.get(f"{page}?means=debit"))
    assert browser.post(page, data=DEBIT).status_code == 303
    assert gateway.fetch(opened.checkout_id).state == "pending"


def test_an_expired_page_takes_no_payment(browser, gateway, opened, page, clock):
    clock.advance(hours=24)
    for answer in (browser.get(page), browser.post(page, data=GOOD), browser.post(f"{page}/confirm")):
        assert "a expiré" in text_of(answer)
        assert "http://127.0.0.1:9/invoices/42" in answer.get_data(as_text=True)
    assert gateway.fetch(opened.checkout_id).state == "expired"


def test_a_page_of_yesterdays_demo_is_unknown(browser):
    for answer in (browser.get("/c/pay/cs_test_1"), browser.post("/c/pay/cs_test_1", data=GOOD)):
        assert answer.status_code == 404
        assert "unknown" in text_of(answer)


def test_a_card_number_of_the_list_is_filled_in(browser, page):
    assert 'value="4000 0025 0000 3155"' in browser.get(f"{page}?number=4000+0025+0000+3155").get_data(as_text=True)
    assert "5555" not in browser.get(f"{page}?number=5555").get_data(as_text=True)


def test_the_page_loads_its_style_sheet_and_sends_people_nowhere_else(browser, page):
    assert browser.get("/stripe-double.css").mimetype == "text/css"
    policy = browser.get(page).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("form-action 'self' http://127.0.0.1:9")


def test_nothing_of_a_card_but_its_end_is_kept(double, opened):
    double.pay_by_card(opened.checkout_id, "4000 0000 0000 9995")
    double.pay_by_card(opened.checkout_id)
    kept = repr(vars(double.store))
    assert "'last4': '9995'" in kept
    assert "4242424242424242" not in kept and "4000000000009995" not in kept
