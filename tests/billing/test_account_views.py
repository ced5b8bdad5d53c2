"""A payer's account as a page, a PDF and REST, and what a manager does with the credit there."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from coworking.billing import payer_credit, payer_credit_queries, paying, services
from coworking.core.units import write_unit
from tests.support.api import Program
from tests.support.billing import OCTOBER, TODAY

pytestmark = pytest.mark.once


def plain(answer) -> str:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").replace("&#39;", "'")


@pytest.fixture
def ids(billing_lieu, app) -> dict[str, str]:
    """October issued; Lise has a credit of 50 €, and her invoice of 66 € is paid for 10."""
    with app.app_context():
        issued = services.run(billing_lieu.manager, OCTOBER).issued
        mine = next(row for row in issued if row.payable_cents == 6600)
        with write_unit():
            payer_credit.receive(
                billing_lieu.manager, payer_credit_queries.payer_of(mine.public_id), 5000, TODAY, "VIR"
            )
        paying.record_payment(billing_lieu.manager, mine.public_id, 1000, TODAY, "cash")
        return {
            "invoice": mine.public_id,
            "person": billing_lieu.cast.stranger.public_id,
            "organisation": billing_lieu.employer.public_id,
        }


def test_a_payer_reads_their_own_account_and_nobody_else_s(billing_lieu, sign_in, ids):
    cast = billing_lieu.cast
    seen = {
        who: [
            sign_in(getattr(cast, who)).get(f"/invoices/payers/{ids[payer]}").status_code
            for payer in ("person", "organisation")
        ]
        for who in ("stranger", "member", "colleague", "host", "accountant", "manager")
    }
    assert seen == {
        "stranger": [200, 404],
        "member": [404, 404],
        "colleague": [404, 200],  # the organisation's contact
        "host": [404, 404],
        "accountant": [200, 200],
        "manager": [200, 200],
    }
    page = plain(sign_in(cast.stranger).get(f"/invoices/payers/{ids['person']}"))
    assert "Payer 56,00 €" in page and "50,00 €" in page and "Rendre" not in page
    assert "Mon compte" in plain(sign_in(cast.stranger).get("/invoices/mine"))


def test_a_manager_pays_an_invoice_with_the_credit_and_gives_the_rest_back(billing_lieu, sign_in, ids):
    browser = sign_in(billing_lieu.cast.manager)
    address = f"/invoices/payers/{ids['person']}"
    assert "Payer 50,00 € avec le crédit" in plain(browser.get(address))
    page = plain(browser.get(f"/invoices/{ids['invoice']}"))
    assert "a un crédit : il peut payer 50,00 €" in page
    used = browser.post(f"{address}/use", data={"invoice": ids["invoice"], "cents": "30,00", "back": "invoice"})
    assert used.status_code == 303 and used.location.endswith(ids["invoice"])
    assert "reste 26,00 €" in plain(browser.get(f"/invoices/{ids['invoice']}"))
    again = browser.post(f"{address}/use", data={"invoice": ids["invoice"], "cents": "26,01"})
    assert again.status_code == 422
    wrong = browser.post(f"{address}/give-back", data={"cents": "20,01", "given_on": "2026-11-24", "method": "cash"})
    assert wrong.status_code == 422
    back = {"cents": "20,00", "given_on": "2026-11-24", "method": "cash", "reason": "Départ"}
    assert browser.post(f"{address}/give-back", data=back | {"cents": "20,01"}).status_code == 409
    assert browser.post(f"{address}/give-back", data=back).status_code == 303
    page = plain(browser.get(address))
    assert "Départ" in page and "avec le crédit" not in page
    undo = page.partition("/given/")[2].partition("/undo")[0]
    assert browser.post(f"{address}/given/{undo}/undo").status_code == 303
    assert "Payer 20,00 € avec le crédit" in plain(browser.get(address))


@pytest.mark.parametrize("who", ["stranger", "colleague", "host", "accountant"])
def test_only_managers_change_it(billing_lieu, sign_in, ids, who):
    browser = sign_in(getattr(billing_lieu.cast, who))
    address = f"/invoices/payers/{ids['person']}"
    for path in ("use", "give-back", "given/x/undo"):
        assert browser.post(f"{address}/{path}", data={"invoice": ids["invoice"], "cents": "1"}).status_code == 403


def test_the_account_as_a_pdf(billing_lieu, sign_in, ids):
    answer = sign_in(billing_lieu.cast.stranger).get(f"/invoices/payers/{ids['person']}.pdf")
    assert answer.status_code == 200 and answer.mimetype == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(answer.get_data())).pages)
    assert "Lise Vidal" in text and "F2026-000" in text and "66,00" in text
    assert sign_in(billing_lieu.cast.member).get(f"/invoices/payers/{ids['person']}.pdf").status_code == 404


def test_the_account_through_the_api(app, billing_lieu, ids):
    path = f"/payers/{ids['person']}/account"
    found = Program(app, billing_lieu.cast.stranger).get(path).get_json()
    assert (found["invoiced_cents"], found["paid_cents"], found["owed_cents"]) == (6600, 6000, 5600)
    assert (found["credit_cents"], found["to_give_back_cents"], found["balance_cents"]) == (5000, 0, 600)
    assert [(entry["kind"], entry["cents"]) for entry in found["entries"]] == [
        ("invoice", 6600),
        ("payment", -1000),
        ("received", -5000),
    ]
    assert found["entries"][-1]["balance_cents"] == found["balance_cents"]
    assert Program(app, billing_lieu.cast.member).get(path).status_code == 404
    assert Program(app, billing_lieu.cast.manager).get("/payers/2222222222222222/account").status_code == 404


def test_a_longer_account_asks_no_more(billing_lieu, sign_in, ids, app, count_statements):
    browser = sign_in(billing_lieu.cast.manager)

    def asked() -> int:
        with count_statements() as statements:
            plain(browser.get(f"/invoices/payers/{ids['person']}"))
        return len(statements)

    asked()
    before = asked()
    with app.app_context():
        for _ in range(5):
            paying.record_payment(billing_lieu.manager, ids["invoice"], 100, TODAY, "cash")
            with write_unit():
                payer = payer_credit_queries.payer_of(ids["invoice"])
                payer_credit.receive(billing_lieu.manager, payer, 100, TODAY, "VIR")
    assert asked() == before
