"""An invoice's page tells what happened to it: one line a fact, in order of time, the online steps folded."""

from __future__ import annotations

import re

import pytest

from coworking.billing import online, online_opening, online_queries, online_refunds, paying, services
from coworking.billing.gateways.port import DisputeFact, MoneyBack
from coworking.core.units import end_read
from tests.support.billing import OCTOBER, TODAY
from tests.support.reminders import days_after, live_until, remind_from_now_on


@pytest.fixture
def issued(gateway, billing_lieu, app, run_outbox) -> str:
    """Lise's invoice of 66 €, which was sent to her."""
    with app.app_context():
        rows = services.run(billing_lieu.manager, OCTOBER).issued
        public_id = next(row.public_id for row in rows if row.payable_cents == 6600)
    run_outbox()
    return public_id


def pays(gateway, invoice: str, state: str, **fact: object) -> str:
    """Lise opens a page to pay and what she does there ends in ``state``; the name of the money."""
    payment = online_opening.open_payment([invoice], "stripe", pay_url="http://lieu.test/x", locale="fr")
    checkout = str(payment.checkout_id)
    gateway.become(checkout, state, **fact)
    online.settle("stripe", checkout)
    end_read()
    return f"pi_{checkout}"


def live(lieu, invoice: str, gateway, clock, run_outbox) -> None:
    """Reminded after a week, a debit that fails, cash that was a slip, a card, a part credited, refunded and disputed."""
    remind_from_now_on(lieu)
    live_until(clock, 7)
    run_outbox()
    clock.set(days_after(8))
    pays(gateway, invoice, "failed", means="debit", reason="insufficient_funds")
    clock.set(days_after(9))
    slip = paying.record_payment(lieu.manager, invoice, 2600, days_after(9).date(), "cash").public_id
    end_read()
    clock.set(days_after(10))
    paying.correct_payment(lieu.manager, invoice, slip)
    end_read()
    clock.set(days_after(11))
    money = pays(gateway, invoice, "paid")
    clock.set(days_after(12))
    services.credit(lieu.manager, invoice, "Fermé un matin", taken={0: 900})
    end_read()
    clock.set(days_after(13))
    online_refunds.refund_invoice(lieu.manager, invoice, 900, "gateway")
    end_read()
    run_outbox()
    clock.set(days_after(14))
    disputes = (DisputeFact("dp_1", "open", 5700, "fraudulent", days_after(21)),)
    online_refunds.note_money_back(gateway, money, MoneyBack(gateway.money_back(money).refunds, disputes))


def told(answer) -> list[str]:
    """The lines of what happened, without the folded steps."""
    page = answer.get_data(as_text=True)
    listed = page.partition('<ol class="rows dense life"')[2].partition("</ol>")[0]
    lines = re.findall(r"<li.*?</li>", listed, re.DOTALL)
    plain = (re.sub(r"<(form|button).*?</\1>", "", line, flags=re.DOTALL) for line in lines)
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in plain]


def test_every_fact_has_one_line_in_order_of_time(billing_lieu, issued, gateway, clock, run_outbox, sign_in, app):
    with app.app_context():
        live(billing_lieu, issued, gateway, clock, run_outbox)
    manager = sign_in(billing_lieu.cast.manager).get(f"/invoices/{issued}")
    assert told(manager) == [
        "Émise 24 novembre 2026 66,00 €",
        "Envoyée par e-mail 24 novembre 2026",
        "Rappel aimable 1er décembre 2026 · par e-mail · 66,00 € dus ce jour-là",
        "Le paiement en ligne n’a pas abouti 2 décembre 2026 · pas assez d’argent sur le compte 66,00 €",
        "Paiement reçu 3 décembre 2026 · espèces 26,00 €",
        "Paiement annulé 4 décembre 2026 · espèces 26,00 €",
        "Paiement reçu 5 décembre 2026 · carte 66,00 €",
        "Avoir A2026-0001 6 décembre 2026 · Fermé un matin 9,00 €",
        "Remboursé 7 décembre 2026 · par le prestataire de paiement 9,00 €",
        "Contesté par la banque du payeur 8 décembre 2026 · répondez-y avant le 15 décembre 2026 · "
        "le payeur ne le reconnaît pas 57,00 €",
    ]
    page = manager.get_data(as_text=True)
    folded = page.partition("<details")[2].partition("</details>")[0]
    assert "étape par étape" in folded and " open" not in page.partition("<details")[2][:20]
    assert folded.count("<li") == 6 and "N’est plus compté sur cette facture" in folded and "pi_cs_" in folded


def test_the_payer_reads_no_reasons_and_no_reminders(billing_lieu, issued, gateway, clock, run_outbox, sign_in, app):
    with app.app_context():
        live(billing_lieu, issued, gateway, clock, run_outbox)
    answer = sign_in(billing_lieu.cast.stranger).get(f"/invoices/{issued}")
    assert [line.split(" 2026")[0].rpartition(" ")[0].rpartition(" ")[0] for line in told(answer)] == [
        "Émise",
        "Le paiement en ligne n’a pas abouti",
        "Paiement reçu",
        "Paiement annulé",
        "Paiement reçu",
        "Avoir A2026-0001",
        "Remboursé",
        "Contesté par la banque du payeur",
    ]
    page = answer.get_data(as_text=True)
    assert not any(words in page for words in ("pas assez", "reconnaît", "répondez-y", "pi_cs_", "Annuler ce paiement"))


def test_more_payments_ask_no_more(billing_lieu, issued, gateway, sign_in, app, count_statements):
    def asked() -> int:
        browser = sign_in(billing_lieu.cast.manager)
        with count_statements() as statements:
            assert browser.get(f"/invoices/{issued}").status_code == 200
        return len(statements)

    with app.app_context():
        pays(gateway, issued, "failed", reason="card_declined")
        pays(gateway, issued, "paid")
        services.credit(billing_lieu.manager, issued, "Fermé un matin", taken={0: 900})
        end_read()
    first = asked()
    with app.app_context():
        for _again in range(3):
            online_refunds.refund_invoice(billing_lieu.manager, issued, 100, "gateway")
            end_read()
        for count in range(3):
            services.credit(billing_lieu.manager, issued, f"Encore {count}", taken={1: 900 - count})
            end_read()
    assert asked() == first <= 32


def test_what_can_be_given_back_is_asked_once_for_all_payments(billing_lieu, issued, gateway, app, count_statements):
    with app.app_context():
        pays(gateway, issued, "failed", reason="card_declined")
        second = online_opening.open_payment([issued], "stripe", pay_url="http://lieu.test/x", locale="fr").checkout_id
        paying.record_payment(billing_lieu.manager, issued, 6600, TODAY, "cash")
        end_read()
        gateway.become(str(second), "paid")
        online.settle("stripe", str(second))
        end_read()
        found = online_queries.payments(billing_lieu.manager, limit=9)
        with count_statements() as statements:
            back = online_queries.going_back(found)
        assert len(statements) == 3
        assert sorted((one.surplus, one.refundable) for one in back.values()) == [(0, 0), (6600, 6600)]
