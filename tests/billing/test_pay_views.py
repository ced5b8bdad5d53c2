"""The page to pay on, without an account: what it shows, where its button leads, and the way back."""

from __future__ import annotations

import json
import re
from threading import Barrier, Event, Thread
from time import sleep

import pytest
from sqlalchemy import select

from coworking.billing import manual_charges, online, online_opening, paying, services
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment
from coworking.billing.pay_links import pay_token
from coworking.billing.payout_models import OnlinePayout
from coworking.billing.views_pay import MOST_ASKING
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests.support.billing import NOVEMBER, OCTOBER, TODAY


@pytest.fixture
def invoice(gateway, billing_lieu, app) -> Invoice:
    """Lise's of October; no context is pushed."""
    with app.app_context():
        services.update_settings(billing_lieu.manager, iban="FR7630006000011234567890189", bic="AGRIFRPP")
        issued = services.run(billing_lieu.manager, OCTOBER).issued
        found = next(row for row in issued if row.payable_cents == 6600)
        db.session.refresh(found)
        db.session.expunge_all()
    return found


@pytest.fixture
def link(invoice, app):
    """The path of the page to pay Lise's invoice; nobody is signed in."""
    with app.app_context():
        return f"/pay/{pay_token([invoice.public_id])}"


@pytest.fixture
def visitor(link, app):
    return app.test_client()


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def in_the_lieu(app, function):
    with app.app_context():
        return function()


def the_payment(app) -> OnlinePayment:
    return in_the_lieu(app, lambda: db.session.scalars(select(OnlinePayment).order_by(OnlinePayment.id.desc())).first())


def received(app) -> list[int]:
    return in_the_lieu(app, lambda: list(db.session.scalars(select(Payment.cents).order_by(Payment.id))))


def test_the_page_says_what_for_how_much_and_how(visitor, link):
    answer = visitor.get(link)
    said = text_of(answer)
    assert answer.status_code == 200
    for words in ("Payer 66,00", "F2026-", "Lise Vidal", "par carte", "Ou par virement", "FR76", "Titulaire"):
        assert words in said
    assert "data:image/svg+xml" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Robots-Tag"] == "noindex"


def test_its_button_may_lead_to_the_gateway_and_nowhere_else(visitor, link):
    policy = visitor.get(link).headers["Content-Security-Policy"]
    assert "form-action 'self' http://pay.test;" in policy
    assert "form-action 'self';" in visitor.get("/sign-in").headers["Content-Security-Policy"]


def test_three_taps(visitor, link, gateway, app):
    """The page, the button, the gateway's own button: then it is paid, and said."""
    sent = visitor.post(link, data={"gateway": "stripe"})
    payment = the_payment(app)
    assert (sent.status_code, sent.location) == (303, payment.checkout_url)
    gateway.become(payment.checkout_id, "paid")
    (wanted,) = gateway.wanted
    back = visitor.get(wanted.return_url.removeprefix("http://lieu.test"))
    assert "Votre paiement de 66,00 € est arrivé" in text_of(back)
    assert received(app) == [6600]
    assert "Rien à payer" in text_of(visitor.get(link))
    again = visitor.post(link, data={"gateway": "stripe"})
    assert again.status_code == 409 and "C’est déjà payé" in text_of(again)


def test_the_way_back_before_the_gateway_knows(visitor, link, gateway, app):
    visitor.post(link, data={"gateway": "stripe"})
    back = f"{link}/back?payment={the_payment(app).public_id}"
    assert "Rien n’a encore été payé" in text_of(visitor.get(back))
    gateway.away = True
    assert visitor.get(back).status_code == 200
    gateway.away = False
    gateway.become(the_payment(app).checkout_id, "pending", means="debit")
    said = text_of(visitor.get(back))
    assert "Paiement en cours" in said and "14 jours" in said and "par carte" not in said
    gateway.become(the_payment(app).checkout_id, "failed", reason="insufficient_funds")
    said = text_of(visitor.get(back))
    assert "n’a pas abouti" in said and "Payer 66,00" in said and "insufficient" not in said


def test_while_the_gateway_is_away_the_page_says_so(visitor, link, gateway):
    gateway.away = True
    answer = visitor.post(link, data={"gateway": "stripe"})
    assert answer.status_code == 503
    assert "Rien n’a été prélevé" in text_of(answer) and "FR76" in text_of(answer)


def test_a_real_lieu_takes_no_test_money(visitor, link, app):
    def become_real() -> None:
        with write_unit():
            lock_lieu().is_simulation = False

    in_the_lieu(app, become_real)
    assert "par carte" not in text_of(visitor.get(link))
    assert visitor.post(link, data={"gateway": "stripe"}).status_code == 409


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: f"x{t}", lambda t: "x", lambda t: t.replace(".", "")])
def test_a_link_that_was_not_signed_here_opens_nothing(visitor, link, spoil):
    wrong = f"/pay/{spoil(link.removeprefix('/pay/'))}"
    assert visitor.get(wrong).status_code == visitor.post(wrong).status_code == 404


def test_a_link_opens_its_own_invoices_only(visitor, link, invoice, app):
    other = in_the_lieu(
        app, lambda: db.session.scalars(select(Invoice.public_id).where(Invoice.id != invoice.id)).first()
    )
    assert visitor.get(f"{link}/{other}.pdf").status_code == 404
    theirs = in_the_lieu(
        app,
        lambda: online_opening.open_payment([other], "stripe", pay_url="http://lieu.test/pay/x", locale="fr").public_id,
    )
    assert visitor.get(f"{link}/back?payment={theirs}").status_code == 404
    assert visitor.get(f"{link}/back?payment=nothing").status_code == 404


def test_a_credited_invoice_asks_for_nothing(visitor, link, invoice, billing_lieu, app):
    in_the_lieu(app, lambda: services.credit(billing_lieu.manager, invoice.public_id, "Erreur"))
    said = text_of(visitor.get(link))
    assert "Rien à payer" in said and "FR76" not in said


# Notifications --------------------------------------------------------------------------------------------------------


def tell(client, **event):
    return client.post("/pay/notifications/stripe", data=json.dumps(event), content_type="application/json")


def test_a_notification_is_stored_once_and_looked_into(visitor, link, gateway, app, run_outbox):
    visitor.post(link, data={"gateway": "stripe"})
    checkout = the_payment(app).checkout_id
    gateway.become(checkout, "paid")
    for _time in range(3):
        assert tell(visitor, id="evt_1", checkout=checkout).status_code == 200
    notified = select(OutboxRow.id).where(OutboxRow.topic == "billing.notified")
    assert len(in_the_lieu(app, lambda: db.session.scalars(notified).all())) == 1
    run_outbox()
    assert received(app) == [6600]


def test_a_notification_of_a_payout_is_stored_and_looked_into(visitor, link, gateway, app, run_outbox):
    gateway.payouts.pay_out("po_1", cents=500)
    assert tell(visitor, id="evt_1", payout="po_1").status_code == 200
    assert tell(visitor, id="evt_2", payout="po_1", live=True).status_code == 200
    run_outbox()
    found = in_the_lieu(app, lambda: db.session.scalars(select(OnlinePayout)).all())
    assert [(row.foreign_id, row.cents) for row in found] == [("po_1", 500)]
    notified = select(OutboxRow.id).where(OutboxRow.topic == "billing.notified")
    assert len(in_the_lieu(app, lambda: db.session.scalars(notified).all())) == 1


def test_sixteen_equal_notifications_at_once(visitor, link, gateway, app, run_outbox):
    visitor.post(link, data={"gateway": "stripe"})
    checkout = the_payment(app).checkout_id
    gateway.become(checkout, "paid")
    start, statuses = Barrier(16), []

    def send() -> None:
        client = app.test_client()
        start.wait()
        statuses.append(tell(client, id="evt_1", checkout=checkout).status_code)

    threads = [Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_outbox()
    assert (statuses, received(app)) == ([200] * 16, [6600])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"{", b"\xff\xfe", b'{"id": 1}'])
def test_what_is_no_notification_is_refused(visitor, link, body):
    assert visitor.post("/pay/notifications/stripe", data=body).status_code == 400


def test_a_huge_notification_is_refused(visitor, link):
    assert visitor.post("/pay/notifications/stripe", data=b"x" * 300_000).status_code == 413


def test_notifications_of_real_money_change_no_test(visitor, link, gateway, app, run_outbox):
    visitor.post(link, data={"gateway": "stripe"})
    gateway.become(the_payment(app).checkout_id, "paid")
    assert tell(visitor, id="evt_1", checkout=the_payment(app).checkout_id, live=True).status_code == 200
    run_outbox()
    assert received(app) == []


def test_what_nobody_waits_for_is_not_stored(visitor, link, gateway, app):
    """A provider that signs nothing must not let strangers fill the database."""
    visitor.post(link, data={"gateway": "stripe"})
    assert tell(visitor, id="evt_1", checkout="cs_of_nobody").status_code == 200
    notified = select(OutboxRow.id).where(OutboxRow.topic == "billing.notified")
    assert in_the_lieu(app, lambda: db.session.scalars(notified).all()) == []


def test_a_slow_gateway_holds_few_threads(visitor, link, gateway, app):
    visitor.post(link, data={"gateway": "stripe"})
    back, inside, gate = f"{link}/back?payment={the_payment(app).public_id}", [], Event()

    def wait() -> None:
        inside.append(1)
        gate.wait(20)

    gateway.before_answer = wait
    threads = [Thread(target=lambda: app.test_client().get(back)) for _ in range(8)]
    for thread in threads[:MOST_ASKING]:
        thread.start()
    while len(inside) < MOST_ASKING:
        sleep(0.01)
    for thread in threads[MOST_ASKING:]:
        thread.start()
        thread.join()
    assert len(inside) == MOST_ASKING
    gate.set()
    for thread in threads[:MOST_ASKING]:
        thread.join()


def test_a_gateway_without_keys_has_no_such_address(visitor, link):
    assert visitor.post("/pay/notifications/helloasso", data=b"{}").status_code == 404


def test_a_wrong_amount_is_shown_to_a_manager(visitor, link, gateway, app, run_outbox, sign_in, billing_lieu):
    visitor.post(link, data={"gateway": "stripe"})
    checkout = the_payment(app).checkout_id
    gateway.become(checkout, "paid", cents=1)
    tell(visitor, id="evt_1", checkout=checkout)
    run_outbox()
    failed = in_the_lieu(app, lambda: db.session.scalars(select(OutboxRow).where(OutboxRow.state == "failed")).all())
    assert [row.topic for row in failed] == ["billing.notified"]
    assert received(app) == []


# Where people meet it -------------------------------------------------------------------------------------------------


def test_who_owes_sees_one_button(gateway, invoice, billing_lieu, sign_in):
    browser = sign_in(billing_lieu.cast.stranger)
    for path in ("/me", "/invoices/mine", f"/invoices/{invoice.public_id}"):
        page = browser.get(path).get_data(as_text=True)
        assert len(re.findall(r'href="[^"]*/pay/[^"]+"', page)) == 1, path
        assert "Payer 66,00" in page


def test_who_owes_nothing_sees_none(gateway, invoice, billing_lieu, sign_in, app):
    in_the_lieu(app, lambda: paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "cash"))
    browser = sign_in(billing_lieu.cast.stranger)
    for path in ("/me", "/invoices/mine", f"/invoices/{invoice.public_id}"):
        assert "/pay/" not in browser.get(path).get_data(as_text=True), path


def test_some_of_several_invoices_are_chosen_and_nobody_elses(gateway, invoice, billing_lieu, sign_in, app):
    def a_second_one() -> tuple[str, str]:
        manual_charges.add_line(
            billing_lieu.manager,
            f"p:{billing_lieu.cast.stranger.public_id}",
            "Clé perdue",
            quantity=1,
            unit_cents=1500,
            vat_rate_bp=2000,
            basis="ttc",
            month=NOVEMBER,
            nonce=1,
        )
        made = services.run(billing_lieu.manager, NOVEMBER).issued
        others = select(Invoice.public_id).where(Invoice.payer_person_id != billing_lieu.cast.stranger.id)
        return made[0].public_id, db.session.scalars(others).first()

    second, foreign = in_the_lieu(app, a_second_one)
    browser = sign_in(billing_lieu.cast.stranger)
    page = browser.get("/invoices/mine").text
    assert "Payer 81,00" in page and "N’en payer qu’une partie" in page and page.count('name="invoice"') == 2
    assert 'name="invoice"' not in browser.get("/me").text
    for ticked, cents in (([second], "15,00"), ([invoice.public_id, second], "81,00"), ([second, foreign], "15,00")):
        chosen = browser.get("/invoices/mine/pay", query_string={"invoice": ticked})
        assert chosen.status_code == 303 and f"Payer {cents}" in browser.get(chosen.location).text
    for nothing in ([], [foreign], ["x"]):
        refused = browser.get("/invoices/mine/pay", query_string={"invoice": nothing})
        assert refused.location == "/invoices/mine"
    assert "Cochez au moins une facture" in browser.get("/invoices/mine").text


def test_an_invoice_tells_its_payments_story(gateway, invoice, billing_lieu, sign_in, app):
    def live_through() -> None:
        payment = online_opening.open_payment(
            [invoice.public_id], "stripe", pay_url="http://lieu.test/pay/x", locale="fr"
        )
        gateway.become(payment.checkout_id, "pending", means="debit")
        online.settle("stripe", payment.checkout_id)
        gateway.become(payment.checkout_id, "failed", reason="insufficient_funds")
        online.settle("stripe", payment.checkout_id)

    in_the_lieu(app, live_through)
    said = text_of(sign_in(billing_lieu.cast.manager).get(f"/invoices/{invoice.public_id}"))
    assert "la banque n’a pas encore confirmé" in said and "pas assez d’argent sur le compte" in said
    assert "pas assez" not in text_of(sign_in(billing_lieu.cast.stranger).get(f"/invoices/{invoice.public_id}"))


def test_money_that_came_twice_waits_for_the_manager_until_it_is_given_back(
    gateway, invoice, billing_lieu, sign_in, app
):
    def live_through() -> None:
        payment = online_opening.open_payment(
            [invoice.public_id], "stripe", pay_url="http://lieu.test/pay/x", locale="fr"
        )
        paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "cash")
        gateway.become(payment.checkout_id, "paid")
        online.settle("stripe", payment.checkout_id)

    in_the_lieu(app, live_through)
    manager = sign_in(billing_lieu.cast.manager)
    assert "Lise Vidal a payé plus que dû" in text_of(manager.get("/today"))
    assert "payé plus que dû" not in text_of(sign_in(billing_lieu.cast.host).get("/today"))
    page = manager.get(f"/invoices/{invoice.public_id}")
    assert "66,00 € sont à rembourser" in text_of(page)
    action = f"/invoices/{invoice.public_id}/refund"
    assert sign_in(billing_lieu.cast.stranger).post(action, data={"refund_cents": "66,00"}).status_code == 403
    assert manager.post(action, data={"refund_cents": "66,00", "given_by": "gateway"}).status_code == 303
    assert "payé plus que dû" not in text_of(manager.get("/today"))
    assert "Remboursement en cours" in text_of(manager.get(f"/invoices/{invoice.public_id}"))
    again = manager.post(action, data={"refund_cents": "66,00", "given_by": "gateway"})
    assert again.status_code == 422


def test_a_manager_asks_the_gateway(gateway, invoice, billing_lieu, sign_in, app):
    payment = in_the_lieu(
        app,
        lambda: online_opening.open_payment(
            [invoice.public_id], "stripe", pay_url="http://lieu.test/pay/x", locale="fr"
        ),
    )
    manager = sign_in(billing_lieu.cast.manager)
    manager.post(f"/invoices/{invoice.public_id}/ask")
    assert "Rien n’a changé" in text_of(manager.get(f"/invoices/{invoice.public_id}"))
    gateway.become(payment.checkout_id, "paid")
    manager.post(f"/invoices/{invoice.public_id}/ask")
    assert "1 paiement a changé" in text_of(manager.get(f"/invoices/{invoice.public_id}"))
    assert received(app) == [6600]
    assert sign_in(billing_lieu.cast.host).post(f"/invoices/{invoice.public_id}/ask").status_code == 403
