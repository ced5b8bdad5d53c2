"""The pages about the bank over HTTP: a file read, certain ones confirmed together, the others one by one, taken back."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from sqlalchemy import func, select

from coworking.accounting.bank_models import BankLine, BankUpload
from coworking.billing import services
from coworking.billing.models import Payment
from coworking.core.db import db
from tests.accounting.statements import OURS, Entry, camt
from tests.support.billing import OCTOBER

pytestmark = pytest.mark.once


def plain(answer) -> str:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").replace("&#39;", "'")


@pytest.fixture
def issued(billing_lieu, app) -> dict[int, tuple[str, str]]:
    """October's invoices by what they come to: (public id, number)."""
    with app.app_context():
        services.update_settings(billing_lieu.manager, iban=OURS)
        rows = services.run(billing_lieu.manager, OCTOBER).issued
        return {row.payable_cents: (row.public_id, row.number) for row in rows}


@pytest.fixture
def browser(billing_lieu, sign_in):
    return sign_in(billing_lieu.cast.manager)


def send(browser, content: bytes | BytesIO, **fields: str):
    content = content.getvalue() if isinstance(content, BytesIO) else content
    return browser.post("/bank", data={"file": (BytesIO(content), "releve.xml"), **fields})


def paid(app) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Payment.cents).order_by(Payment.id)))


def test_certain_ones_are_confirmed_together_and_only_by_a_person(issued, browser, app):
    lise, anne = issued[6600], issued[900]
    answer = send(
        browser,
        camt(
            Entry("2026-11-20", 6600, f"FACTURE {lise[1]}", "VIDAL LISE"),
            Entry("2026-11-20", 900, f"{anne[1]}", "MARTIN ANNE"),
            Entry("2026-11-21", 5000, "Don", "INCONNU"),
        ),
    )
    assert answer.status_code == 303
    page = plain(browser.get("/bank"))
    assert "3 nouvelles lignes." in page and "3 virements vous attendent." in page
    assert "Confirmer 2 paiements" in page and "Rien de ce qui est dû ne correspond." in page
    assert paid(app) == [], "nothing is confirmed by itself"
    shown = re.findall(r'name="certain" value="([^"]+)"', page)
    assert len(shown) == 2
    assert browser.post("/bank/confirm", data={"certain": shown}).status_code == 303
    assert sorted(paid(app)) == [900, 6600]
    assert browser.post("/bank/confirm", data={"certain": shown}).status_code == 303  # the second tap
    page = plain(browser.get("/bank"))
    assert "2 avaient changé entre-temps" in page and sorted(paid(app)) == [900, 6600]
    assert "1 virement vous attend." in page


def test_what_is_proposed_is_confirmed_chosen_by_hand_or_set_aside_and_taken_back(issued, browser, app, billing_lieu):
    lise = issued[6600]
    send(browser, camt(Entry("2026-11-20", 7000, f"fact {lise[1]}"), Entry("2026-11-21", 1500, "x", "VIDAL LISE")))
    page = plain(browser.get("/bank"))
    assert "Le montant dépasse ce qui est dû." in page
    assert "4,00 € deviennent son crédit." in page
    with app.app_context():
        first, second = db.session.scalars(select(BankLine.public_id).order_by(BankLine.booked_on)).all()
    hand = {"invoice": lise[0], f"cents-{lise[0]}": "15,00", "credit_to": ""}
    assert browser.post(f"/bank/lines/{second}/confirm", data=hand | {f"cents-{lise[0]}": "15,01"}).status_code == 409
    assert browser.post(f"/bank/lines/{second}/confirm", data=hand | {f"cents-{lise[0]}": "tout"}).status_code == 422
    assert browser.post(f"/bank/lines/{second}/confirm", data=hand).status_code == 303
    assert paid(app) == [1500]
    page = plain(browser.get(f"/bank/lines/{second}"))
    undo = page.partition("/matches/")[2].partition("/undo")[0]
    assert browser.post(f"/bank/lines/{second}/matches/{undo}/undo").status_code == 303
    assert browser.post(f"/bank/lines/{second}/matches/{undo}/undo").status_code == 409
    assert paid(app) == [1500, -1500]
    both = {"parts": f"{lise[0]}-6600", "credit_to": billing_lieu.cast.stranger.public_id}
    assert browser.post(f"/bank/lines/{first}/confirm", data=both).status_code == 303
    assert browser.post(f"/bank/lines/{first}/confirm", data=both).status_code == 409
    assert "Crédit de Lise Vidal" in plain(browser.get(f"/bank/lines/{first}"))
    assert browser.post(f"/bank/lines/{second}/set-aside", data={"reason": ""}).status_code == 422
    assert browser.post(f"/bank/lines/{second}/set-aside", data={"reason": "Remboursement"}).status_code == 303
    page = plain(browser.get("/bank/lines"))
    assert "Remboursement" in page and lise[1] in page and "attend" not in page.partition("<tbody>")[2]


def test_a_csv_asks_which_column_is_what(issued, browser, app):
    content = f"Date;Libellé;Débit;Crédit\n20/11/2026;VIR {issued[6600][1]};;66,00\n".encode("latin-1")
    answer = send(browser, content)
    assert answer.status_code == 303 and "/bank/columns/" in answer.location
    page = plain(browser.get(answer.location))
    assert "66,00" in page and "Libellé" in page and '<option value="credit" selected>' in page
    wrong = {"column-0": "text", "column-1": "text", "column-2": "", "column-3": "credit"}
    refused = browser.post(answer.location, data=wrong)
    assert refused.status_code == 422 and "quelle colonne contient la date" in refused.get_data(as_text=True)
    right = {"column-0": "day", "column-1": "text", "column-2": "debit", "column-3": "credit"}
    assert browser.post(answer.location, data=right).status_code == 303
    assert "Confirmer 1 paiement" in plain(browser.get("/bank"))
    assert browser.get(answer.location).status_code == 404
    with app.app_context():
        assert db.session.scalar(select(func.count(BankUpload.id))) == 0


def test_what_cannot_be_read_is_said_at_the_file(issued, browser):
    for content, words in (
        (b"%PDF-1.7", "PDF"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "ses propres entités"),
        (camt(Entry("2026-11-20", 1)).getvalue()[:300], "s’arrête au milieu"),
        (b"", "aucune ligne"),
    ):
        answer = send(browser, content)
        assert answer.status_code == 422 and words in plain_text(answer), words
    assert browser.post("/bank", data={}).status_code == 422
    assert send(browser, camt(Entry("2026-11-20", 1))).status_code == 303
    assert send(browser, camt(Entry("2026-11-20", 1))).status_code == 409


def plain_text(answer) -> str:
    return answer.get_data(as_text=True).replace("\u202f", " ")


def test_another_account_asks_first(issued, browser, app):
    other = camt(Entry("2026-11-20", 1), iban="FR7610107001011234567890129")
    asked = send(browser, other)
    assert asked.status_code == 409 and 'name="other_account"' in plain_text(asked)
    assert send(browser, other, other_account="1").status_code == 303
    with app.app_context():
        assert db.session.scalar(select(func.count(BankLine.id))) == 1


def test_a_large_statement_is_taken_from_managers_alone(issued, billing_lieu, sign_in, browser, app):
    large = camt(*[Entry("2026-11-20", 100 + at, "x" * 400) for at in range(5000)]).getvalue()
    assert len(large) > 2 * 1024 * 1024
    for who, status in (("member", 403), ("accountant", 403), ("host", 403)):
        assert send(sign_in(getattr(billing_lieu.cast, who)), large).status_code == status
    assert app.test_client().post("/bank", data={"file": (BytesIO(large), "x.xml")}).status_code in {302, 303, 413}
    assert browser.post("/bank/confirm", data={"file": (BytesIO(large), "x.xml")}).status_code == 413
    assert send(browser, b"x" * (25 * 1024 * 1024)).status_code == 413
    assert send(browser, large).status_code == 303
    with app.app_context():
        assert db.session.scalar(select(func.count(BankLine.id))) == 5000


@pytest.mark.parametrize("who", ["member", "host", "stranger"])
def test_others_see_nothing_of_the_bank(billing_lieu, sign_in, issued, who):
    other = sign_in(getattr(billing_lieu.cast, who))
    assert [other.get(path).status_code for path in ("/bank", "/bank/lines", "/bank/lines/x")] == [403] * 3


def test_more_lines_ask_no_more(issued, browser, count_statements):
    def asked() -> int:
        with count_statements() as statements:
            plain(browser.get("/bank"))
        return len(statements)

    send(browser, camt(Entry("2026-11-20", 6600, issued[6600][1]), Entry("2026-11-20", 900, "x", "MARTIN ANNE", OURS)))
    asked()
    before = asked()
    send(browser, camt(*[Entry("2026-11-21", 900, f"x {at}", "MARTIN ANNE", OURS) for at in range(20)]))
    asked()
    assert asked() == before
