"""Money that goes back: refunds asked for, made elsewhere or failing later, and what banks take back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from coworking.billing import (
    checks,
    online,
    online_looking,
    online_opening,
    online_queries,
    online_refunds,
    paying,
    queries,
    rules,
    services,
)
from coworking.billing.gateways.port import DisputeFact, GatewayUnavailable, MoneyBack, RefundFact
from coworking.billing.models import Invoice
from coworking.billing.online_handlers import notified, refund
from coworking.billing.online_models import OnlinePayment, OnlineRefund
from coworking.billing.online_rules import FactDisagrees, HeldPart, entries_for
from coworking.core import checks as audit
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, snapshot
from tests.support.billing import OCTOBER
from tests.support.threads import at_once


@pytest.fixture
def invoice(billing_lieu, session) -> Invoice:
    """66 € of October, for Lise."""
    rows = services.run(billing_lieu.manager, OCTOBER).issued
    return next(row for row in rows if row.payer_person_id == billing_lieu.cast.stranger.id)


@pytest.fixture
def paid(gateway, invoice) -> OnlinePayment:
    payment = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://lieu.test/x", locale="fr")
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    return online_queries.online_payment(payment.public_id)


def owed(invoice: Invoice) -> int:
    end_read()
    db.session.expire_all()
    return queries.standings_of([invoice.public_id])[0].open_cents


def credited(billing_lieu, invoice: Invoice, cents: int) -> None:
    services.credit(billing_lieu.manager, invoice.public_id, "Fermé un matin", taken={0: cents})


def asked_for(billing_lieu, invoice: Invoice, cents: int) -> OnlineRefund:
    online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, cents, "gateway")
    end_read()
    return db.session.scalars(select(OnlineRefund).order_by(OnlineRefund.id.desc())).first()


def carried_out(paid: OnlinePayment, wanted: OnlineRefund) -> OnlineRefund:
    wanted_id, key = wanted.id, wanted.public_id
    end_read()
    online_refunds.carry_out(paid.public_id, key)
    end_read()
    db.session.expire_all()
    return db.session.get(OnlineRefund, wanted_id)


def tell(paid: OnlinePayment) -> None:
    payment_id = paid.foreign_id
    end_read()
    assert online_refunds.settle_money_back("stripe", payment_id)


def wrong() -> list[str]:
    end_read()
    with snapshot():
        return [*checks.charged(), *checks.paid_online()]


# Asked for ------------------------------------------------------------------------------------------------------------


def test_what_was_credited_goes_back_the_way_it_came(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    assert owed(invoice) == -900
    wanted = asked_for(billing_lieu, invoice, 900)
    assert (wanted.state, owed(invoice)) == ("asked", 0)
    assert carried_out(paid, wanted).state == "done"
    assert [one.cents for one in gateway.back[paid.foreign_id].refunds] == [900]
    assert [row.cents for row in queries.payments_of(invoice)] == [6600, -900]
    assert (owed(invoice), wrong()) == (0, [])


def test_no_more_goes_back_than_was_credited(gateway, invoice, paid, billing_lieu):
    for cents in (1, 6600):
        with pytest.raises(rules.RefundTooMuch):
            online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, cents, "gateway")
    credited(billing_lieu, invoice, 900)
    with pytest.raises(rules.RefundTooMuch):
        online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, 901, "gateway")
    asked_for(billing_lieu, invoice, 900)
    for method in ("gateway", "cash"):
        with pytest.raises(rules.RefundTooMuch):
            online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, 1, method)


def test_by_hand_it_is_an_entry_of_its_own_and_can_be_corrected(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, 900, "cash")
    assert owed(invoice) == 0 and gateway.back == {}
    entry = queries.payments_of(invoice)[-1]
    assert (entry.cents, entry.method, entry.online_payment_id) == (-900, "cash", None)
    paying.correct_payment(billing_lieu.manager, invoice.public_id, entry.public_id)
    assert owed(invoice) == -900
    with pytest.raises(rules.RefundMethodUnknown):
        online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, 900, "shells")
    first = queries.payments_of(invoice)[0]
    with pytest.raises(rules.NotTyped):
        paying.correct_payment(billing_lieu.manager, invoice.public_id, first.public_id)


def test_a_worker_that_dies_anywhere_refunds_once(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    wanted = asked_for(billing_lieu, invoice, 900)
    gateway.loses = True
    with pytest.raises(GatewayUnavailable):
        carried_out(paid, wanted)
    gateway.loses = False
    for _again in range(3):
        assert carried_out(paid, wanted).state == "done"
    assert len(gateway.back[paid.foreign_id].refunds) == 1


def test_two_workers_at_once_refund_once(gateway, invoice, paid, billing_lieu, app):
    credited(billing_lieu, invoice, 900)
    key, payment = asked_for(billing_lieu, invoice, 900).public_id, paid.public_id
    end_read()

    def work() -> None:
        with app.app_context():
            online_refunds.carry_out(payment, key)

    at_once([work] * 4)
    assert [one.cents for one in gateway.back[online_queries.online_payment(payment).foreign_id].refunds] == [900]
    assert (owed(invoice), wrong()) == (0, [])


def test_two_managers_at_once_refund_once(gateway, invoice, paid, billing_lieu, app):
    credited(billing_lieu, invoice, 900)
    public_id, manager = invoice.public_id, billing_lieu.manager
    end_read()

    def ask() -> bool:
        with app.app_context():
            try:
                online_refunds.refund_invoice(manager, public_id, 900, "gateway")
            except rules.RefundTooMuch:
                return False
            return True

    assert sorted(at_once([ask] * 6)) == [*[False] * 5, True]


def test_what_was_refused_is_still_to_be_given_back(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    wanted = asked_for(billing_lieu, invoice, 900)
    gateway.refuses = "charge_disputed"
    found = carried_out(paid, wanted)
    assert (found.state, found.reason, owed(invoice)) == ("failed", "charge_disputed", 0)
    assert ([row.cents for row in online_queries.surpluses()], wrong()) == ([900], [])


def test_while_the_gateway_is_away_the_refund_waits(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    wanted = asked_for(billing_lieu, invoice, 900)
    row = db.session.scalars(select(outbox.OutboxRow).where(outbox.OutboxRow.topic == online_refunds.REFUND)).one()
    job = outbox.Job(id=str(row.id), topic=row.topic, key=row.key, payload=row.payload, attempt=1)
    gateway.away = True
    end_read()
    with pytest.raises(GatewayUnavailable):
        refund(job)
    assert wanted.state == "asked"
    gateway.away = False
    refund(job)
    assert gateway.back[paid.foreign_id].refunds[0].cents == 900


def test_a_refund_that_fails_days_later_is_to_be_made_again(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    wanted = carried_out(paid, asked_for(billing_lieu, invoice, 900))
    gateway.refund_becomes(paid.foreign_id, wanted.foreign_id, "failed", "expired_or_canceled_card")
    for _again in range(2):
        tell(paid)
    assert ([row.cents for row in online_queries.surpluses()], owed(invoice)) == ([900], 0)
    assert carried_out(paid, asked_for(billing_lieu, invoice, 900)).state == "done"
    assert (online_queries.surpluses(), owed(invoice), wrong()) == ([], 0, [])


def test_the_payer_hears_of_a_refund_once(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    carried_out(paid, asked_for(billing_lieu, invoice, 900))
    tell(paid)
    told = db.session.scalars(select(outbox.OutboxRow.payload).where(outbox.OutboxRow.topic == "billing.online_told"))
    assert [payload["state"] for payload in told] == ["paid", "refunded"]


# Made elsewhere -------------------------------------------------------------------------------------------------------


def test_a_refund_made_at_the_gateway_is_owed_again(gateway, invoice, paid):
    gateway.back[paid.foreign_id] = MoneyBack((RefundFact("re_there", None, "done", 2000),))
    for _again in range(2):
        tell(paid)
    assert (owed(invoice), wrong()) == (2000, [])


def test_one_that_equals_ours_is_not_taken_for_ours(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    wanted = asked_for(billing_lieu, invoice, 900)
    gateway.back[paid.foreign_id] = MoneyBack((RefundFact("re_there", None, "done", 900),))
    tell(paid)
    assert carried_out(paid, wanted).state == "done"
    assert sum(one.cents for one in gateway.back[paid.foreign_id].refunds) == 1800
    assert (owed(invoice), wrong()) == (900, [])


def test_a_gateway_without_keys_tells_refunds_apart_by_amount(gateway, invoice, paid, billing_lieu, monkeypatch):
    monkeypatch.setattr(gateway, "refunds_by_key", False, raising=False)
    credited(billing_lieu, invoice, 900)
    wanted = asked_for(billing_lieu, invoice, 900)
    gateway.back[paid.foreign_id] = MoneyBack((RefundFact("17", None, "done", 900),))
    tell(paid)
    end_read()
    db.session.refresh(wanted)
    assert (wanted.state, wanted.foreign_id, owed(invoice)) == ("done", "17", 0)


def test_another_amount_than_ours_is_for_a_person(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    key = asked_for(billing_lieu, invoice, 900).public_id
    gateway.back[paid.foreign_id] = MoneyBack((RefundFact("re_1", key, "done", 800),))
    end_read()
    with pytest.raises(FactDisagrees):
        online_refunds.settle_money_back("stripe", paid.foreign_id)


# Taken back -----------------------------------------------------------------------------------------------------------


def disputed(gateway, paid: OnlinePayment, state, cents: int = 6600) -> None:
    due = now() + timedelta(days=9)
    back = gateway.back.get(paid.foreign_id, MoneyBack())
    gateway.back[paid.foreign_id] = MoneyBack(back.refunds, (DisputeFact("dp_1", state, cents, "fraudulent", due),))
    tell(paid)


def test_a_disputed_payment_counts_until_it_is_lost(gateway, invoice, paid):
    disputed(gateway, paid, "open")
    assert (owed(invoice), online_queries.disputed([invoice.id])) == (0, {invoice.id})
    (waiting,) = online_queries.open_disputes()
    assert waiting.payment.parts[0].invoice.number == invoice.number
    disputed(gateway, paid, "lost")
    assert (owed(invoice), online_queries.disputed([invoice.id])) == (6600, set())
    assert (online_queries.open_disputes(), wrong()) == ([], [])
    disputed(gateway, paid, "won")  # an appeal
    assert (owed(invoice), wrong()) == (0, [])


def test_what_was_refunded_by_hand_and_taken_back_went_back_twice(gateway, invoice, paid, billing_lieu):
    credited(billing_lieu, invoice, 900)
    online_refunds.refund_invoice(billing_lieu.manager, invoice.public_id, 900, "cash")
    disputed(gateway, paid, "lost")
    assert (owed(invoice), wrong()) == (6600, [])


def test_money_that_is_given_back_after_it_was_paid_again_is_too_much(gateway, invoice, paid, billing_lieu):
    disputed(gateway, paid, "lost")
    paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, invoice.issued_on, "transfer")
    disputed(gateway, paid, "won")
    (surplus,) = online_queries.surpluses()
    assert (surplus.cents, owed(invoice), wrong()) == (6600, 0, [])


# Told or not ----------------------------------------------------------------------------------------------------------


def test_a_notification_names_the_payment(gateway, invoice, paid):
    gateway.back[paid.foreign_id] = MoneyBack((RefundFact("re_there", None, "done", 2000),))
    payload = {"gateway": "stripe", "checkout": None, "payment": paid.foreign_id}
    end_read()
    for _again in range(2):
        notified(outbox.Job(id="1", topic=online.NOTIFIED, key="k", payload=payload, attempt=1))
    assert owed(invoice) == 2000


def test_what_nobody_told_is_found_by_the_days_look(gateway, invoice, paid):
    gateway.back[paid.foreign_id] = MoneyBack((RefundFact("re_there", None, "done", 2000),))
    end_read()
    assert (online_looking.reconcile_daily(), online_looking.reconcile_daily()) == (1, 0)
    assert (online_looking.reconcile(), online_looking.reconcile()) == (1, 0)
    assert owed(invoice) == 2000


def test_a_payment_nobody_told_of_is_found_by_the_days_look(gateway, invoice):
    payment = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://lieu.test/x", locale="fr")
    gateway.become(payment.checkout_id, "expired")
    online.settle("stripe", payment.checkout_id)
    gateway.become(payment.checkout_id, "paid")  # money may reach a page that had ended
    end_read()
    assert (online_looking.reconcile(), owed(invoice)) == (1, 0)


def test_sixteen_who_tell_at_once_write_it_once(gateway, invoice, paid, app):
    payment_id = paid.foreign_id
    gateway.back[payment_id] = MoneyBack(
        (RefundFact("re_there", None, "done", 2000),), (DisputeFact("dp_1", "lost", 4600),)
    )
    end_read()

    def work() -> bool:
        with app.app_context():
            return online_refunds.settle_money_back("stripe", payment_id)

    assert at_once([work] * 16) == [True] * 16
    assert (owed(invoice), wrong()) == (6600, [])
    assert [row.cents for row in queries.payments_of(invoice)] == [6600, -6600]


def test_an_unknown_payment_is_none_of_ours(gateway, paid):
    end_read()
    assert not online_refunds.settle_money_back("stripe", "pi_theirs")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE online_refund SET cents = 1",
        "UPDATE online_refund SET state = 'failed'",
        "UPDATE online_dispute SET state = 'won'",
        "DELETE FROM online_dispute",
    ],
)
def test_what_is_rewritten_by_sql_is_found(gateway, invoice, paid, billing_lieu, statement):
    credited(billing_lieu, invoice, 900)
    carried_out(paid, asked_for(billing_lieu, invoice, 900))
    disputed(gateway, paid, "lost", 100)
    end_read()
    assert not [found for one, found in audit.run() if one.promise == 3 and found]
    with db.engine.begin() as connection:
        connection.execute(text(statement))
    end_read()
    assert [found for one, found in audit.run() if one.promise == 3 and found]


# The rule -------------------------------------------------------------------------------------------------------------


@given(
    st.integers(-10_000, 20_000),
    st.lists(
        st.builds(HeldPart, st.integers(1, 9000), st.integers(0, 9000), st.integers(-9000, 9000)),
        min_size=1,
        max_size=4,
    ),
)
def test_invoices_hold_no_more_than_what_is_left(left, parts):
    parts = [HeldPart(part.asked, min(part.held, part.asked), part.owed) for part in parts]
    entries = entries_for(left, parts)
    held = sum(part.held for part in parts)
    assert held + sum(entries) <= max(left, held if held <= left else 0, 0)
    for part, cents in zip(parts, entries, strict=True):
        assert 0 <= part.held + cents <= part.asked
        assert cents <= max(part.owed, 0)
    if held > max(left, 0):
        assert held + sum(entries) == max(left, 0), "what went back stands nowhere"
        credited_only = sum(max(min(part.held, -part.owed), 0) for part in parts)
        if held - max(left, 0) <= credited_only:
            assert all(-cents <= max(-part.owed, 0) for part, cents in zip(parts, entries, strict=True))
