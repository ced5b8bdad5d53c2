"""What a manager sees on *Today* of money that banks want back, and of what is to be refunded."""

from __future__ import annotations

from datetime import timedelta

from coworking.billing import online, online_opening, online_queries, online_refunds, services
from coworking.billing.gateways.port import DisputeFact, MoneyBack
from coworking.core.clock import now
from tests.support.billing import OCTOBER


def plain(answer) -> str:
    return " ".join(answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").split())


def test_disputes_and_refunds_stand_there_for_managers_until_they_are_done(gateway, billing_lieu, app, sign_in):
    with app.app_context():
        issued = {row.payable_cents: row.public_id for row in services.run(billing_lieu.manager, OCTOBER).issued}
        payment = online_opening.open_payment([issued[6600]], "stripe", pay_url="http://lieu.test/x", locale="fr")
        gateway.become(payment.checkout_id, "paid")
        online.settle("stripe", payment.checkout_id)
        services.credit(billing_lieu.manager, issued[6600], "Fermé un matin", taken={0: 900})
        payment_id = online_queries.online_payment(payment.public_id).foreign_id
        due = now() + timedelta(days=9)
        gateway.back[payment_id] = MoneyBack(disputes=(DisputeFact("dp_1", "open", 2000, "fraudulent", due),))
        online_refunds.settle_money_back("stripe", payment_id)
    manager, host = sign_in(billing_lieu.cast.manager), sign_in(billing_lieu.cast.host)
    page = plain(manager.get("/today"))
    assert "La banque du payeur réclame 20,00 €" in page and "avant le 3 décembre 2026" in page
    assert "9,00 € sont à rembourser à Lise Vidal" in page
    assert "réclame" not in plain(host.get("/today")) and "à rembourser" not in plain(host.get("/today"))
    with app.app_context():
        gateway.back[payment_id] = MoneyBack(disputes=(DisputeFact("dp_1", "won", 2000, "fraudulent", due),))
        online_refunds.settle_money_back("stripe", payment_id)
        online_refunds.refund_invoice(billing_lieu.manager, issued[6600], 900, "gateway")
    page = plain(manager.get("/today"))
    assert "réclame" not in page and "à rembourser" not in page, "and the page is not kept from before"
