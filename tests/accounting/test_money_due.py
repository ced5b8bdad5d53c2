"""Money due: who has not paid, since when, what is being done, what to do now; and the lines of Today."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.accounting import bank_queries, bank_reading, money_queries
from coworking.billing import payer_credit, paying, services
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart, OnlinePaymentStep
from coworking.billing.payer_credit_queries import payer_of
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.accounting.statements import OURS, Entry, camt
from tests.support.billing import OCTOBER, TODAY


def plain(answer) -> str:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").replace("&#39;", "'")


@pytest.fixture
def issued(billing_lieu, app) -> dict[int, tuple[str, str]]:
    """October's invoices by what they come to: Lise 6600, Anne 900, and the employer."""
    with app.app_context():
        services.update_settings(billing_lieu.manager, iban=OURS)
        rows = services.run(billing_lieu.manager, OCTOBER).issued
        return {row.payable_cents: (row.public_id, row.number) for row in rows}


def test_who_owes_is_listed_late_first_with_the_sum(billing_lieu, issued, app, clock):
    clock.advance(days=3)
    with app.app_context():
        due = money_queries.money_due(date(2026, 11, 27))
        late = {one.name: (one.late_cents, one.late_since) for one in due.late}
        assert late == {"Lise Vidal": (6600, TODAY), "Anne Marchand": (900, TODAY)}, "a consumer pays at receipt"
        assert [one.late_since is None for one in due.payers] == [False, False, True]
        assert due.owed_cents == sum(issued) and due.late_cents == 7500
        assert money_queries.late_payers(date(2026, 11, 27)) == 2 and money_queries.late_payers(TODAY) == 0
        paying.record_payment(billing_lieu.manager, issued[6600][0], 6600, TODAY, "cash")
        services.credit(billing_lieu.manager, issued[900][0], "Erreur")
        assert money_queries.money_due(date(2026, 11, 27)).late_cents == 0
        assert money_queries.late_payers(date(2026, 11, 27)) == 0


def test_what_is_being_done_is_said_and_what_to_do_now(billing_lieu, issued, sign_in, app, clock):
    employer = next(cents for cents in issued if cents not in {6600, 900})
    with app.app_context():
        bank_reading.read_file(billing_lieu.manager, camt(Entry("2026-11-20", 6600, issued[6600][1])))
        with write_unit():
            payer_credit.receive(billing_lieu.manager, payer_of(issued[900][0]), 500, TODAY, "VIR")
        _debit_under_way(issued[employer][0], employer)
    clock.advance(days=3)
    page = plain(sign_in(billing_lieu.cast.manager).get("/money-due"))
    assert "Un virement de 66,00 € est arrivé le 20 novembre." in page and "Rapprocher le virement" in page
    assert "Il reste un crédit de 5,00 €." in page and "Utiliser le crédit" in page
    assert "est en cours." in page and "Rien : attendre la banque" in page
    assert "3 jours" in page and "2 payeurs sont en retard" in page


def _debit_under_way(invoice: str, cents: int) -> None:
    person_id, organisation_id = payer_of(invoice)
    with write_unit():
        payment = OnlinePayment(
            gateway="stripe",
            is_live=False,
            cents=cents,
            currency="EUR",
            locale="fr",
            state="pending",
            checkout_id="c",
            payer_person_id=person_id,
            payer_organisation_id=organisation_id,
        )
        row_id = next(one.id for one in bank_queries.open_invoices() if one.public_id == invoice)
        payment.parts = [OnlinePaymentPart(invoice_id=row_id, cents=cents)]
        payment.steps = [OnlinePaymentStep(state="pending")]
        db.session.add(payment)


def test_today_tells_managers_alone_of_late_payers_and_transfers(billing_lieu, issued, sign_in, app, clock):
    manager, host = sign_in(billing_lieu.cast.manager), sign_in(billing_lieu.cast.host)
    assert "en retard" not in plain(manager.get("/today"))
    clock.advance(days=1)
    assert "2 payeurs sont en retard" in plain(manager.get("/today"))
    with app.app_context():
        bank_reading.read_file(billing_lieu.manager, camt(Entry("2026-11-20", 6600, issued[6600][1])))
    page = plain(manager.get("/today"))
    assert "1 virement attend d’être rapproché" in page and 'href="/bank"' in page and 'href="/money-due"' in page
    page = plain(host.get("/today"))
    assert "retard" not in page and "virement" not in page


@pytest.mark.parametrize(("who", "status"), [("member", 403), ("host", 403), ("accountant", 200), ("manager", 200)])
def test_only_those_who_look_after_the_books_see_it(billing_lieu, issued, sign_in, who, status):
    assert sign_in(getattr(billing_lieu.cast, who)).get("/money-due").status_code == status


def test_nobody_owes_anything(billing_lieu, sign_in):
    assert "Personne ne doit rien" in plain(sign_in(billing_lieu.cast.manager).get("/money-due"))


def test_more_payers_ask_no_more(billing_lieu, issued, sign_in, count_statements, app):
    browser = sign_in(billing_lieu.cast.manager)

    def asked() -> int:
        with count_statements() as statements:
            plain(browser.get("/money-due"))
        return len(statements)

    with app.app_context():
        bank_reading.read_file(billing_lieu.manager, camt(Entry("2026-11-20", 6600, issued[6600][1], "VIDAL", OURS)))
    asked()
    before = asked()
    with app.app_context():
        for day in range(1, 20):
            billing_lieu.use(billing_lieu.cast.lead, date(2026, 9, day))
            billing_lieu.use(billing_lieu.cast.host, date(2026, 9, day))
        assert len(services.run(billing_lieu.manager, OCTOBER).issued) == 2
        bank_reading.read_file(billing_lieu.manager, camt(*[Entry("2026-11-21", 90 + at, "x") for at in range(9)]))
    assert asked() == before
