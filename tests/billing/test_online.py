"""Paying by a gateway: opened once, settled once, whoever tells first and however often."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text

from coworking.billing import (
    checks,
    online,
    online_entries,
    online_looking,
    online_opening,
    online_queries,
    online_refunds,
    paying,
    queries,
    rules,
    services,
)
from coworking.billing.gateways.port import GatewayRefused
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_rules import (
    FactDisagrees,
    GatewayAway,
    GatewayMissing,
    NothingToPay,
    PaymentPending,
    SeveralPayers,
    TooSmallForCard,
)
from coworking.core import checks as audit
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.units import end_read, snapshot
from tests.support.billing import OCTOBER, TODAY

URL = "http://lieu.test/pay/x"


def opened(*invoices: Invoice) -> OnlinePayment:
    ids = [row.public_id for row in invoices]
    return online_opening.open_payment(ids, "stripe", pay_url=URL, locale="fr")


def again(payment: OnlinePayment) -> OnlinePayment:
    end_read()
    db.session.expire_all()
    return online_queries.online_payment(payment.public_id)


def received() -> list[int]:
    end_read()
    return list(db.session.scalars(select(Payment.cents).order_by(Payment.id)))


def steps(payment: OnlinePayment) -> list[str]:
    return [step.state for step in again(payment).steps]


def owed(invoice: Invoice) -> int:
    end_read()
    (row,) = queries.standings_of([invoice.public_id])
    return row.open_cents


def nothing_is_paid_too_much() -> None:
    end_read()
    with snapshot():
        assert [*checks.charged(), *checks.paid_online()] == []


def test_a_payment_is_opened_and_settled(gateway, invoice):
    payment = opened(invoice)
    assert payment.checkout_url == f"http://pay.test/cs_{payment.public_id}"
    (wanted,) = gateway.wanted
    assert (wanted.cents, wanted.currency, wanted.label) == (6600, "EUR", f"La Fabrique du Pont : {invoice.number}")
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    assert (again(payment).state, received(), owed(invoice)) == ("paid", [6600], 0)
    assert steps(payment) == ["opening", "open", "paid"]
    paid = db.session.scalars(select(Payment)).one()
    assert (paid.method, paid.reference, paid.received_on) == ("card", f"pi_{payment.checkout_id}", TODAY)
    nothing_is_paid_too_much()


def test_told_again_it_is_paid_once(gateway, invoice):
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "paid")
    for _time in range(3):
        online.settle("stripe", payment.checkout_id)
    assert received() == [6600]


def test_sixteen_who_tell_at_once_pay_once(gateway, invoice, app):
    payment = opened(invoice)
    checkout_id = payment.checkout_id
    gateway.become(checkout_id, "paid")
    end_read()
    start, refused = Barrier(16), []

    def tell() -> None:
        try:
            with app.app_context():
                start.wait()
                online.settle("stripe", checkout_id)
        except BaseException as error:
            refused.append(error)

    threads = [Thread(target=tell) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (refused, received()) == ([], [6600])


def test_old_news_changes_nothing(gateway, invoice):
    """A worker fetched while the debit was under way, and writes it down after another has seen it paid."""
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "pending", means="debit")
    old = gateway.fetch(payment.checkout_id)
    gateway.become(payment.checkout_id, "paid", means="debit")
    online.settle("stripe", payment.checkout_id)
    online.note_fact("stripe", old)
    assert (again(payment).state, received()) == ("paid", [6600])


def test_a_debit_takes_days_and_may_fail(gateway, invoice):
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "pending", means="debit")
    online.settle("stripe", payment.checkout_id)
    assert (again(payment).state, received(), owed(invoice)) == ("pending", [], 6600)
    with pytest.raises(PaymentPending):
        opened(invoice)
    gateway.become(payment.checkout_id, "failed", reason="insufficient_funds")
    online.settle("stripe", payment.checkout_id)
    assert (again(payment).state, again(payment).reason, received()) == ("failed", "insufficient_funds", [])
    assert opened(invoice).public_id != payment.public_id


def test_asked_twice_it_is_one_page(gateway, invoice):
    assert opened(invoice).public_id == opened(invoice).public_id
    assert len(gateway.wanted) == 1


def test_a_page_that_is_about_to_end_is_not_given_again(gateway, invoice, clock):
    gateway.lasts = timedelta(minutes=15)
    first = opened(invoice)
    clock.advance(minutes=12)
    assert opened(invoice).public_id == first.public_id
    clock.advance(minutes=2)
    assert opened(invoice).public_id != first.public_id
    assert gateway.expired == [first.checkout_id]


def test_an_old_page_that_disagrees_does_not_keep_a_new_one_from_opening(gateway, invoice, billing_lieu):
    first = opened(invoice)
    gateway.become(first.checkout_id, "paid", cents=1)
    paying.record_payment(billing_lieu.manager, invoice.public_id, 600, TODAY, "cash")
    assert opened(invoice).cents == 6000


def test_two_tabs_at_once_get_one_page(gateway, invoice, app):
    public_id, start, found = invoice.public_id, Barrier(2), []
    end_read()

    def ask() -> None:
        with app.app_context():
            start.wait()
            found.append(online_opening.open_payment([public_id], "stripe", pay_url=URL, locale="fr").checkout_url)

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len({wanted.key for wanted in gateway.wanted}) == 1


def test_a_part_paid_meanwhile_closes_the_old_page(gateway, invoice, billing_lieu):
    first = opened(invoice)
    paying.record_payment(billing_lieu.manager, invoice.public_id, 600, TODAY, "cash")
    second = opened(invoice)
    assert (gateway.expired, again(first).state, second.cents) == ([first.checkout_id], "expired", 6000)


def test_what_arrives_beyond_what_is_owed_is_given_back(gateway, invoice, billing_lieu):
    payment = opened(invoice)
    paying.record_payment(billing_lieu.manager, invoice.public_id, 6000, TODAY, "cash")
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    assert (received(), owed(invoice)) == ([6000, 600], 0)
    (surplus,) = online_queries.surpluses()
    assert (surplus.cents, surplus.payer_name, surplus.invoice.number) == (6000, "Lise Vidal", invoice.number)
    nothing_is_paid_too_much()


def test_a_credit_note_made_meanwhile_leaves_all_of_it_to_give_back(gateway, invoice, billing_lieu):
    payment = opened(invoice)
    services.credit(billing_lieu.manager, invoice.public_id, "Erreur de mois")
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    assert (received(), online_queries.surpluses()[0].cents) == ([], 6600)
    nothing_is_paid_too_much()


def test_paid_on_an_ended_page_it_did_arrive(gateway, invoice):
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "expired")
    online.settle("stripe", payment.checkout_id)
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    assert (steps(payment), received()) == (["opening", "open", "expired", "paid"], [6600])


@pytest.mark.parametrize("wrong", [{"cents": 6599}, {"currency": "USD"}, {"is_live": True}])
def test_another_amount_than_asked_for_is_for_a_person(gateway, invoice, wrong):
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "paid", **wrong)
    with pytest.raises(FactDisagrees):
        online.settle("stripe", payment.checkout_id)
    assert (again(payment).state, received()) == ("open", [])


def test_another_programs_checkout_is_none_of_ours(gateway, invoice):
    payment = opened(invoice)
    gateway.facts["cs_theirs"] = gateway.facts[payment.checkout_id].__class__(
        "cs_theirs", None, "paid", 1, "EUR", False
    )
    assert online.settle("stripe", "cs_theirs") is None


def test_several_invoices_of_one_payer_are_paid_at_once(gateway, invoice, billing_lieu):
    stranger = billing_lieu.cast.stranger
    for day in (2, 3):
        billing_lieu.use(stranger, OCTOBER.replace(day=20 + day))
    other = next(row for row in services.run(billing_lieu.manager, OCTOBER).issued)
    payment = opened(invoice, other)
    assert payment.cents == 6600 + 1800
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    assert (received(), owed(invoice), owed(other)) == ([6600, 1800], 0, 0)


def test_invoices_of_two_payers_are_paid_apart(gateway, invoice):
    other = db.session.scalars(select(Invoice).where(Invoice.payable_cents == 900)).one()
    with pytest.raises(SeveralPayers):
        opened(invoice, other)


def test_what_cannot_be_paid_says_why(gateway, invoice, billing_lieu):
    with pytest.raises(NotFound):
        online_opening.open_payment(["nothing"], "stripe", pay_url=URL, locale="fr")
    with pytest.raises(GatewayMissing):
        online_opening.open_payment([invoice.public_id], "helloasso", pay_url=URL, locale="fr")
    paying.record_payment(billing_lieu.manager, invoice.public_id, 6551, TODAY, "cash")
    with pytest.raises(TooSmallForCard):
        opened(invoice)
    paying.record_payment(billing_lieu.manager, invoice.public_id, 49, TODAY, "cash")
    with pytest.raises(NothingToPay):
        opened(invoice)
    assert gateway.wanted == []


def test_what_came_too_much_is_given_back_once(gateway, invoice, billing_lieu):
    payment = opened(invoice)
    paying.record_payment(billing_lieu.manager, invoice.public_id, 6000, TODAY, "cash")
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    manager = billing_lieu.manager
    with pytest.raises(rules.RefundTooMuch):
        online_refunds.give_back(manager, payment.public_id, 6001, TODAY, "gateway")
    with pytest.raises(rules.RefundMethodUnknown):
        online_refunds.give_back(manager, payment.public_id, 6000, TODAY, "shells")
    with pytest.raises(Forbidden):
        online_refunds.give_back(billing_lieu.cast.accountant.actor(), payment.public_id, 6000, TODAY, "gateway")
    online_refunds.give_back(manager, payment.public_id, 1000, TODAY, "transfer")
    assert online_queries.surpluses()[0].cents == 5000
    online_refunds.give_back(manager, payment.public_id, 5000, TODAY, "gateway")
    assert online_queries.surpluses() == []
    with pytest.raises(rules.RefundTooMuch):
        online_refunds.give_back(manager, payment.public_id, 1, TODAY, "gateway")
    nothing_is_paid_too_much()


# When the gateway is away, or an answer is lost -------------------------------------------------------------------------


def test_while_it_is_away_nothing_is_lost(gateway, invoice):
    gateway.away = True
    with pytest.raises(GatewayAway):
        opened(invoice)
    gateway.away = False
    assert opened(invoice).checkout_url
    assert db.session.scalars(select(OnlinePayment)).one().state == "open"


def test_a_refusal_ends_the_attempt(gateway, invoice):
    gateway.refuses = "account_invalid"
    with pytest.raises(GatewayAway):
        opened(invoice)
    gateway.refuses = None
    assert opened(invoice).checkout_url
    assert [row.state for row in db.session.scalars(select(OnlinePayment).order_by(OnlinePayment.id))] == [
        "failed",
        "open",
    ]


def test_a_refusal_ends_no_page_that_another_tab_has_opened(gateway, invoice, monkeypatch):
    """Both tabs ask at once; the gateway lets the second one down after the first one's page is there."""
    open_checkout = gateway.open_checkout

    def refused_late(wanted):
        monkeypatch.setattr(gateway, "open_checkout", open_checkout)
        opened(invoice)
        raise GatewayRefused("idempotency_error", "in flight")

    monkeypatch.setattr(gateway, "open_checkout", refused_late)
    with pytest.raises(GatewayAway):
        opened(invoice)
    end_read()
    assert db.session.scalars(select(OnlinePayment.state)).all() == ["open"]


def test_a_lost_answer_is_found_by_our_key(gateway, invoice):
    gateway.loses = True
    with pytest.raises(GatewayAway):
        opened(invoice)
    (fact,) = gateway.facts.values()
    gateway.become(fact.checkout_id, "paid")
    assert online_looking.reconcile() == 1
    assert received() == [6600]


def test_a_lost_answer_found_by_a_look_can_still_be_paid(gateway, invoice, clock, run_outbox):
    gateway.loses = True
    with pytest.raises(GatewayAway):
        opened(invoice)
    gateway.loses = False
    clock.advance(minutes=31)
    run_outbox()
    assert db.session.scalars(select(OnlinePayment.state)).all() == ["open"]
    end_read()
    assert opened(invoice).checkout_url is not None
    assert len(gateway.facts) == 1


def test_without_any_notification_our_own_look_finds_it(gateway, invoice, clock, run_outbox):
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "paid")
    clock.advance(minutes=29)
    run_outbox()
    assert received() == []
    clock.advance(minutes=2)
    run_outbox()
    assert received() == [6600]


def test_looks_go_on_until_it_is_settled(gateway, invoice, clock, run_outbox):
    payment = opened(invoice)
    gateway.become(payment.checkout_id, "pending", means="debit")
    gateway.away = True
    for _day in range(9):
        clock.advance(days=1, hours=2)
        run_outbox()
    gateway.away = False
    gateway.become(payment.checkout_id, "paid", means="debit")
    clock.advance(days=1, hours=2)
    run_outbox()
    assert (again(payment).state, received()) == ("paid", [6600])
    clock.advance(days=2)
    run_outbox()
    waiting = select(OutboxRow).where(OutboxRow.topic == online_entries.LOOK, OutboxRow.state != "done")
    assert db.session.scalars(waiting).all() == []


def test_what_the_gateway_never_heard_of_fails_after_two_days(gateway, invoice, clock, run_outbox):
    gateway.away = True
    with pytest.raises(GatewayAway):
        opened(invoice)
    gateway.away = False
    for _day in range(3):
        clock.advance(days=1, hours=2)
        run_outbox()
    assert db.session.scalars(select(OnlinePayment.state)).all() == ["failed"]


# By SQL ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE online_payment_step SET state = 'failed' WHERE state = 'open'",
        "DELETE FROM online_payment_step",
        "UPDATE online_payment_part SET cents = 1",
        "DELETE FROM online_payment_part",
    ],
)
def test_its_history_cannot_be_rewritten(gateway, invoice, statement):
    opened(invoice)
    end_read()
    with pytest.raises(Exception, match="append_only"), db.engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE online_payment SET state = 'paid'",
        "UPDATE online_payment SET cents = cents + 1",
        "INSERT INTO payment (public_id, invoice_id, cents, received_on, method, online_payment_id, created_at)"
        " SELECT 'more', invoice_id, 1, received_on, method, NULL, created_at FROM payment",
    ],
)
def test_what_sql_changes_the_audit_finds(gateway, invoice, statement):
    payment = opened(invoice)
    if "INSERT" in statement:
        gateway.become(payment.checkout_id, "paid")
        online.settle("stripe", payment.checkout_id)
    end_read()
    with db.engine.begin() as connection:
        connection.execute(text(statement))
    assert [found for one, found in audit.run() if one.promise == 3 and found]
