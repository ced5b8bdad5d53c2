"""The pages of billing: who sees them, what they say, what they do."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.billing import charges, queries, services
from coworking.billing.models import BillingSettings, Charge, Invoice
from coworking.core.db import db
from coworking.pricing.models import Quote
from coworking.spaces import services as spaces
from tests import factories
from tests.support.billing import OCTOBER, book

pytestmark = pytest.mark.once


def plain(answer) -> str:
    return re.sub(r"[\u202f\u00a0]", " ", answer.get_data(as_text=True))


@pytest.fixture
def issued(billing_lieu, app) -> dict[str, str]:
    """October issued: public ids by payer."""
    with app.app_context():
        done = services.run(billing_lieu.manager, OCTOBER)
        return {queries.content(row)["buyer"]["name"]: row.public_id for row in done.issued}


PAGES = ["/invoices", "/invoices?as=csv", "/invoices?as=xlsx", "/invoices/payments", "/invoices/month/2026-10"]


@pytest.mark.parametrize("url", PAGES)
def test_money_is_for_managers_and_accountants(billing_lieu, sign_in, client, url):
    for who, status in (("manager", 200), ("accountant", 200), ("host", 403), ("member", 403), ("lead", 403)):
        assert sign_in(getattr(billing_lieu.cast, who)).get(url).status_code == status, who
    assert client.get(url).status_code in (302, 303, 401)


WRITES = [
    "/invoices/month/2026-10/run",
    "/invoices/month/2026-10/gather",
    "/invoices/month/2026-10/line",
    "/invoices/charges/x/remove",
    "/invoices/charges/x/waive",
    "/invoices/x/payments",
    "/invoices/x/payments/y/correct",
    "/invoices/x/credit",
    "/invoices/settings",
    "/invoices/settings/mentions/penalty",
]


@pytest.mark.parametrize("url", WRITES)
def test_only_managers_write(billing_lieu, sign_in, url):
    for who in ("accountant", "host", "member"):
        assert sign_in(getattr(billing_lieu.cast, who)).post(url).status_code == 403


def test_a_month_is_prepared_and_issued_with_one_button(billing_lieu, sign_in, app):
    browser = sign_in(billing_lieu.cast.manager)
    assert browser.post("/invoices/month/2026-10/gather").status_code == 303
    assert "Préparer octobre 2026" in plain(browser.get("/invoices"))
    page = plain(browser.get("/invoices/month/2026-10"))
    assert "Émettre 3 factures pour octobre 2026" in page and "102,00 €" in page
    assert browser.post("/invoices/month/2026-10/run").status_code == 303
    page = plain(browser.get("/invoices"))
    assert all(f"F2026-000{n}" in page for n in (1, 2, 3)) and "Lise Vidal" in page
    assert "Voir octobre 2026" in page, "nothing is left to prepare"
    with app.app_context():
        assert db.session.scalar(select(func.count(Invoice.id))) == 3


def test_absences_are_marked_before_invoices_are_issued(billing_lieu, sign_in, app):
    """Absent, and never settled: billed as booked, which the manager reads first."""
    days = [date(2026, 10, day) for day in (1, 5, 8)]
    with app.app_context():
        mine = Quote.payer_person_id == billing_lieu.cast.stranger.id
        for day, outcome in zip(days, ("came", "absent", "pending"), strict=True):
            book(db.session.scalars(select(Quote).where(mine, Quote.day == day)).one(), outcome)
        charges.gather(OCTOBER)
    browser = sign_in(billing_lieu.cast.manager)
    page = plain(browser.get("/invoices/month/2026-10"))
    assert "2 usages ci-dessous sont facturés comme réservés" in page and "2 usages à regarder" in page
    assert page.count(">présence non confirmée<") == 1 and page.count(">absent<") == 1
    assert [f'href="/register?day={day}"' in page for day in days] == [False, True, True]
    assert "/register" not in plain(sign_in(billing_lieu.cast.accountant).get("/invoices/month/2026-10"))
    with app.app_context():
        done = services.run(billing_lieu.manager, OCTOBER)
        assert all("absent" not in row.payload for row in done.issued), "the PDF needs no mark"


def test_what_can_be_issued_but_lacks_something_is_said(billing_lieu, sign_in, app):
    with app.app_context():
        charges.gather(OCTOBER)
        spaces.update_lieu(billing_lieu.manager, legal_status="company")
    browser = sign_in(billing_lieu.cast.manager)
    page = plain(browser.get("/invoices/month/2026-10"))
    assert "La forme juridique, le capital et le registre de la société ne sont pas renseignés." in page
    assert "Aucun IBAN" in page and "Sans adresse postale" in page
    assert f'href="/people/{billing_lieu.cast.stranger.public_id}"' in page
    with app.app_context():
        services.update_settings(
            billing_lieu.manager, legal_mention="SAS, capital 5 000 €", iban="FR7630006000011234567890189"
        )
    page = plain(browser.get("/invoices/month/2026-10"))
    assert "La forme juridique" not in page and "Aucun IBAN" not in page


def test_what_prevents_issuing_is_shown(billing_lieu, sign_in, app):
    with app.app_context():
        charges.gather(OCTOBER)
        from coworking.accounts.models import Organisation
        from coworking.core.units import write_unit

        with write_unit():
            db.session.scalars(select(Organisation)).one().city = None
    browser = sign_in(billing_lieu.cast.manager)
    page = plain(browser.get("/invoices/month/2026-10"))
    assert "Coutellerie Durand SA ne peut pas encore recevoir de facture : il manque l’adresse." in page
    answer = browser.post("/invoices/month/2026-10/run")
    assert answer.status_code == 303 and answer.location.endswith("/invoices/month/2026-10")


@pytest.mark.parametrize("month", ["2026-12", "2027-01", "2026-13", "hier", "2026-1"])
def test_a_month_that_cannot_be_is_refused(billing_lieu, sign_in, month):
    browser = sign_in(billing_lieu.cast.manager)
    assert browser.get(f"/invoices/month/{month}").status_code == 422
    assert browser.post(f"/invoices/month/{month}/run").status_code == 422


def test_a_document_is_read_by_whom_it_concerns(billing_lieu, issued, sign_in):
    cast = billing_lieu.cast
    expected = {
        ("Lise Vidal", "stranger"): 200,
        ("Lise Vidal", "member"): 404,
        ("Lise Vidal", "host"): 404,
        ("Lise Vidal", "accountant"): 200,
        ("Coutellerie Durand SA", "member"): 404,
        ("Coutellerie Durand SA", "colleague"): 200,
        ("Anne Marchand", "colleague"): 404,
    }
    for (name, who), status in expected.items():
        assert sign_in(getattr(cast, who)).get(f"/invoices/{issued[name]}").status_code == status, (name, who)
        if status == 404:
            assert sign_in(getattr(cast, who)).get(f"/invoices/{issued[name]}.pdf").status_code == 404
    assert sign_in(cast.manager).get("/invoices/nonesuch").status_code == 404


def test_a_payment_and_its_refusal(billing_lieu, issued, sign_in):
    browser, url = sign_in(billing_lieu.cast.manager), f"/invoices/{issued['Lise Vidal']}"
    payment = {"cents": "70,00", "received_on": "2026-11-24", "method": "transfer", "reference": "VIR 12"}
    refused = browser.post(f"{url}/payments", data=payment)
    assert refused.status_code == 422 and "Il ne reste que 66,00 €" in plain(refused) and "VIR 12" in plain(refused)
    assert browser.post(f"{url}/payments", data=payment | {"cents": "26"}).status_code == 303
    page = plain(browser.get(url))
    assert "payée en partie" in page and "reste 40,00 €" in page
    correct = re.search(r'action="([^"]+/correct)"', page)
    assert correct and browser.post(correct[1]).status_code == 303
    stale = browser.post(correct[1])
    assert stale.status_code == 409 and "F2026-000" in plain(stale)
    assert "Paiement annulé" in plain(browser.get(url))


def test_a_payment_dated_before_its_invoice_asks_first(billing_lieu, issued, sign_in):
    browser, url = sign_in(billing_lieu.cast.manager), f"/invoices/{issued['Lise Vidal']}"
    payment = {"cents": "26", "received_on": "2026-11-20", "method": "cash"}
    assert "avant l’émission" not in plain(browser.get(url))
    asked = browser.post(f"{url}/payments", data=payment)
    assert asked.status_code == 422
    assert "La facture a été émise le 24 novembre 2026, plus tard" in plain(asked)
    assert 'name="before_issue"' in plain(asked)
    assert browser.post(f"{url}/payments", data=payment | {"before_issue": "1"}).status_code == 303
    assert "reste 40,00 €" in plain(browser.get(url))


@pytest.mark.parametrize("broken", [{"cents": "x"}, {"cents": ""}, {"received_on": "hier"}, {"method": "shells"}])
def test_what_cannot_be_read_is_said_and_kept(billing_lieu, issued, sign_in, broken):
    payment = {"cents": "6,00", "received_on": "2026-11-20", "method": "cash", "reference": "À garder"}
    answer = sign_in(billing_lieu.cast.manager).post(
        f"/invoices/{issued['Lise Vidal']}/payments", data=payment | broken
    )
    assert answer.status_code == 422 and "À garder" in plain(answer)


def test_a_credit_note_asks_why(billing_lieu, issued, sign_in):
    browser, url = sign_in(billing_lieu.cast.manager), f"/invoices/{issued['Anne Marchand']}"
    assert browser.get(f"{url}/credit").status_code == 200
    assert browser.post(f"{url}/credit", data={"reason": ""}).status_code == 422
    answer = browser.post(f"{url}/credit", data={"reason": "Facturé par erreur", "again": "1"})
    assert answer.status_code == 303
    assert "L’avoir A2026-0001 annule cette facture" in plain(browser.get(answer.location))
    assert browser.post(f"{url}/credit", data={"reason": "Encore"}).status_code == 409


def test_a_part_of_an_invoice_is_taken_back(billing_lieu, issued, sign_in):
    browser, url = sign_in(billing_lieu.cast.manager), f"/invoices/{issued['Anne Marchand']}"
    sheet = plain(browser.get(f"{url}/credit"))
    assert "Une partie seulement" in sheet and "au plus" in sheet
    too_much = browser.post(f"{url}/credit", data={"reason": "Fermé", "line-0": "1000"})
    assert too_much.status_code == 409 and "peuvent encore être repris" in plain(too_much)
    assert browser.post(f"{url}/credit", data={"reason": "Fermé", "line-0": "neuf"}).status_code == 422
    assert browser.post(f"{url}/credit", data={"reason": "Fermé un matin", "line-0": "5,00"}).status_code == 303
    page = plain(browser.get(url))
    assert "Avoir A2026-0001" in page and "Fermé un matin" in page and "Émettre un avoir" in page


def test_lines_are_added_waived_and_removed(billing_lieu, sign_in, app):
    browser, url = sign_in(billing_lieu.cast.manager), "/invoices/month/2026-10/line"
    page = plain(browser.get(url))
    nonce = re.search(r'name="nonce" value="(\d+)"', page)
    assert nonce
    line = {
        "payer": f"p:{billing_lieu.cast.lead.public_id}",
        "label": "Clé perdue",
        "quantity": "2",
        "unit_cents": "12,50",
        "vat_rate": "20",
        "nonce": nonce[1],
    }
    for broken in ({"payer": ""}, {"label": ""}, {"quantity": "0"}, {"unit_cents": "x"}, {"vat_rate": "x"}):
        assert browser.post(url, data=line | broken).status_code == 422
    for _twice in range(2):
        assert browser.post(url, data=line).status_code == 303
    with app.app_context():
        (charge,) = db.session.scalars(select(Charge)).all()
        assert (charge.amount_cents, charge.vat_rate_bp) == (2500, 2000)
        public = charge.public_id
    assert browser.get(f"/invoices/charges/{public}/waive").status_code == 200
    whole = {"cents": "25,00", "reason": "Retrouvée"}
    for broken in ({"reason": " "}, {"cents": "x"}, {"cents": "25,01"}, {"cents": "0"}):
        assert browser.post(f"/invoices/charges/{public}/waive", data=whole | broken).status_code == 422
    assert (
        browser.post(f"/invoices/charges/{public}/waive", data=whole | {"cents": "5", "reason": "Usée"}).status_code
        == 303
    )
    assert "Remise : −5,00 €" in plain(browser.get("/invoices/month/2026-10"))
    assert browser.post(f"/invoices/charges/{public}/waive", data=whole).status_code == 303
    stale = browser.post(f"/invoices/charges/{public}/remove")
    assert stale.status_code == 409 and "Clé perdue" not in plain(stale) and "déjà" in plain(stale)
    with app.app_context():
        assert db.session.scalar(select(func.count(Charge.id))) == 2


def test_everyone_finds_their_own_and_what_comes_next(billing_lieu, issued, sign_in, app):
    with app.app_context():
        billing_lieu.use(billing_lieu.cast.stranger, date(2026, 11, 20), cents=950)
        charges.gather(date(2026, 11, 1))
    page = plain(sign_in(billing_lieu.cast.stranger).get("/invoices/mine"))
    assert "66,00 €" in page and "Sur votre prochaine facture" in page and "9,50 €" in page
    assert "Durand" not in page
    assert "Durand" in plain(sign_in(billing_lieu.cast.colleague).get("/invoices/mine"))
    assert "Durand" not in plain(sign_in(billing_lieu.cast.manager).get("/invoices/mine"))


def test_the_list_is_searched_sorted_paged_and_exported(billing_lieu, issued, sign_in, monkeypatch):
    browser = sign_in(billing_lieu.cast.accountant)
    assert "Lise Vidal" not in plain(browser.get("/invoices?q=durand"))
    assert "Aucune facture trouvée" in plain(browser.get("/invoices?state=paid"))
    assert "Lise Vidal" in plain(browser.get("/invoices?state=unpaid&month=2026-10&sort=amount"))
    assert browser.get("/invoices?after=nonesuch").status_code == 404
    assert browser.get("/invoices?month=x").status_code == 422
    monkeypatch.setattr(queries.documents, "__kwdefaults__", {"after": None, "limit": 2, "own": False})
    first = plain(browser.get("/invoices?sort=amount"))
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = plain(browser.get(following[1].replace("&amp;", "&")))
    assert len(set(re.findall(r"F2026-\d{4}", first) + re.findall(r"F2026-\d{4}", second))) == 3
    table = browser.get("/invoices?as=csv").get_data(as_text=True)
    assert "Lise Vidal;55,00;11,00;66,00;0,00;66,00;0,00;66,00;EUR;à payer" in table


def test_a_list_costs_the_same_whatever_its_length(billing_lieu, issued, sign_in, count_statements, app):
    browser = sign_in(billing_lieu.cast.accountant)
    browser.get("/invoices")
    with count_statements() as few:
        browser.get("/invoices")
    with app.app_context():
        for day in range(2, 8):
            person = factories.make_person(f"P{day}", "Essai", f"p{day}@demo.example")
            billing_lieu.use(person, date(2026, 10, day))
        services.run(billing_lieu.manager, OCTOBER)
    with count_statements() as many:
        browser.get("/invoices")
    assert len(many) == len(few) <= 8, str(many)


def test_settings_are_checked_and_kept(billing_lieu, sign_in, app):
    browser = sign_in(billing_lieu.cast.manager)
    words = {"vat_number": "FR 11 123456782", "iban": "FR76 3000 6000 0112 3456 7890 189", "bic": "AGRIFRPP"}
    wrong = browser.post("/invoices/settings", data=words | {"vat_number": "FR00123456789"})
    assert wrong.status_code == 422
    assert "n’est pas un numéro de TVA" in plain(wrong)
    assert browser.post("/invoices/settings", data=words | {"iban": "FR00 1234"}).status_code == 422
    assert browser.post("/invoices/settings", data=words).status_code == 303
    with app.app_context():
        row = db.session.get(BillingSettings, 1)
        assert row and row.iban == "FR7630006000011234567890189"
        assert row.vat_number == "FR11123456782"
    assert "FR7630006000011234567890189" in plain(browser.get("/invoices/settings"))


def test_mentions_can_be_replaced_and_restored(billing_lieu, sign_in, app):
    browser, url = sign_in(billing_lieu.cast.manager), "/invoices/settings/mentions"
    page = plain(browser.get(url))
    assert "majoré de 10 points" in page and "vos propres mots" not in page
    assert "TVA non applicable" not in page, "this place charges VAT"
    assert browser.post(f"{url}/penalty", data={"words": "  "}).status_code == 422
    assert (
        browser.get(f"{url}/nonesuch").status_code
        == browser.post(f"{url}/nonesuch", data={"words": "x"}).status_code
        == 404
    )
    assert browser.post(f"{url}/penalty", data={"words": "Nos pénalités."}).status_code == 303
    page = plain(browser.get(url))
    assert "Nos pénalités." in page and "vos propres mots" in page and "majoré de 10 points" in page
    assert "Rétablir les mots habituels" in plain(browser.get(f"{url}/penalty"))
    assert browser.post(f"{url}/penalty", data={"ours": "1"}).status_code == 303
    assert "Nos pénalités." not in plain(browser.get(url))
