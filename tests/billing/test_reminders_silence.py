"""Nobody is reminded while money is on its way, nor of what was paid; all is decided again when a reminder leaves."""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing import (
    means,
    online,
    online_opening,
    online_queries,
    online_refunds,
    payer_credit,
    paying,
    reminder_queries,
    reminding,
    services,
)
from coworking.billing.gateways.port import DisputeFact, MoneyBack
from coworking.billing.reminder_models import ReminderOutcome
from coworking.billing.reminder_rules import (
    KIND,
)
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from tests.support.billing import TODAY
from tests.support.reminders import days_after, live_until, plain, reminders, steps_that_left


def subjects(mailbox) -> list[str]:
    return [str(email["Subject"]) for email in mailbox() if "/pay/" in email.get_body(("plain",)).get_content()]


def test_what_is_paid_in_part_or_credited_is_reminded_of_for_the_rest(on, invoice, clock):
    paying.record_payment(on.manager, invoice.public_id, 1000, TODAY, "cash")
    services.credit(on.manager, invoice.public_id, "Fermé", taken={0: 900})
    live_until(clock, 7)
    (line,) = [line for row in reminders() for line in row.lines if line.invoice_id == invoice.id]
    assert line.owed_cents == 4700
    assert "47,00 € (reste de 66,00 €)" in plain(next(row.text for row in reminders() if line in row.lines))
    paying.record_payment(on.manager, invoice.public_id, 4700, TODAY, "cash")
    live_until(clock, 60, 8)
    assert steps_that_left(invoice) == [(KIND, 7)]


def test_never_while_a_payment_is_pending(gateway, on, invoice, clock):
    page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")
    gateway.become(page.checkout_id, "pending", means="debit")
    online.settle("stripe", page.checkout_id)
    live_until(clock, 8)
    assert steps_that_left(invoice) == []
    gateway.become(page.checkout_id, "failed", means="debit")
    end_read()
    online.settle("stripe", page.checkout_id)
    live_until(clock, 9, 8)
    assert steps_that_left(invoice) == [(KIND, 9)], "on the day after the bank refused at the earliest"


def test_never_while_a_payment_is_disputed(gateway, on, invoice, clock):
    page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")
    gateway.become(page.checkout_id, "paid")
    online.settle("stripe", page.checkout_id)
    payment_id = online_queries.online_payment(page.public_id).foreign_id
    row_id = invoice.id
    gateway.back[payment_id] = MoneyBack(disputes=(DisputeFact("dp_1", "lost", 6600, "x", now()),))
    online_refunds.settle_money_back("stripe", payment_id)
    gateway.back[payment_id] = MoneyBack(  # it is owed again, and another dispute is open
        disputes=(DisputeFact("dp_1", "lost", 6600, "x", now()), DisputeFact("dp_2", "open", 100, "x", now()))
    )
    online_refunds.settle_money_back("stripe", payment_id)
    assert online_queries.disputed([row_id]) == {row_id}
    live_until(clock, 30)
    assert steps_that_left(invoice) == []


def test_never_while_it_is_to_be_collected(gateway, on, invoice, lise, clock):
    row = means.begin(lise.actor(), "me", agrees=True, agreed_to="…", locale="fr")
    gateway.saved_means.save(row.checkout_id, "card")
    means.finish(row.public_id)
    live_until(clock, 30)
    assert steps_that_left(invoice) == [], "nobody ran the collection: it is still announced"
    means.withdraw(lise.actor(), row.public_id)
    live_until(clock, 33, 31)
    assert steps_that_left(invoice) == [(KIND, 31)]


def test_never_while_the_payer_s_own_credit_would_pay_it(on, invoice, lise, clock):
    with write_unit():
        payer_credit.receive(on.manager, (lise.id, None), 6600, TODAY, "VIR")
    live_until(clock, 30)
    assert steps_that_left(invoice) == []


def test_never_while_money_that_came_waits_to_be_matched(on, invoice, clock, monkeypatch):
    monkeypatch.setattr(reminder_queries, "found_elsewhere", [lambda: {invoice.id}])
    live_until(clock, 30)
    assert steps_that_left(invoice) == []


def test_paid_between_the_list_and_the_sending_is_not_reminded(on, invoice, lise, clock, monkeypatch):
    clock.set(days_after(7))
    listed, payers = reminding.overdue, []

    def then_paid(today, *args):
        found = listed(today, *args)
        if not payers:  # the list was read; now the money comes, before anything leaves
            payers.extend(one.payer[0] for one in found if one.leaving(today))
            end_read()
            paying.record_payment(on.manager, invoice.public_id, 6600, TODAY, "cash")
        return found

    monkeypatch.setattr(reminding, "overdue", then_paid)
    assert reminding.send_due() == 1, "Anne alone"
    assert lise.id in payers and steps_that_left(invoice) == []


def test_an_email_that_waited_does_not_leave_for_what_was_paid_meanwhile(on, invoice, clock, run_outbox, mailbox):
    live_until(clock, 7)
    paying.record_payment(on.manager, invoice.public_id, 6600, TODAY, "cash")
    run_outbox()
    assert [s for s in subjects(mailbox) if "66,00" in s and "rappel" in s] == []
    kinds = db.session.scalars(select(ReminderOutcome.kind)).all()
    assert kinds == ["withheld"], "Anne's left"
