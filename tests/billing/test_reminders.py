"""Reminders leave once, on their day, decided again when they leave; never while money is on its way."""

from __future__ import annotations

import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Person
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
    reminding_by_hand,
    services,
)
from coworking.billing.gateways.port import DisputeFact, MoneyBack
from coworking.billing.reminder_models import ReminderLine, ReminderOutcome
from coworking.billing.reminder_rules import (
    FIRM,
    FORMAL,
    KIND,
    DaysInvalid,
    NobodyChose,
    NothingToRemind,
    PauseInPast,
    PauseReasonMissing,
    RemindedLately,
    TextChanged,
)
from coworking.core import audit, chain_checks, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.units import end_read, snapshot, write_unit
from tests.support.billing import OCTOBER, TODAY
from tests.support.reminders import days_after, live_until, remind_from_now_on, reminders


@pytest.fixture
def lise(billing_lieu):
    return billing_lieu.cast.stranger


@pytest.fixture
def on(billing_lieu, invoice):
    """Lise owes 66 € since today (Anne 9 €, the employer 27 € from 24 December on), and reminders leave by themselves."""
    remind_from_now_on(billing_lieu)
    return billing_lieu


def of(invoice) -> list[tuple[int, int]]:
    """The steps of an invoice that left: (step, days after its issue)."""
    return [
        (line.step, (row.sent_on - TODAY).days)
        for row in reminders()
        for line in row.lines
        if line.invoice_id == invoice.id
    ]


def subjects(mailbox) -> list[str]:
    return [str(email["Subject"]) for email in mailbox() if "/pay/" in email.get_body(("plain",)).get_content()]


def plain(words: str) -> str:
    return words.replace("\u202f", " ").replace("\xa0", " ")


# When -----------------------------------------------------------------------------------------------------------------


def test_the_three_steps_leave_on_their_days_once_each(on, invoice, clock):
    live_until(clock, 90)
    assert of(invoice) == [(KIND, 7), (FIRM, 21), (FORMAL, 41)], "the fortieth day is a Sunday: on Monday"
    assert len(reminders()) == 9, "three each for Lise, Anne and the employer"


def test_nothing_leaves_before_the_lieu_says_yes_nor_on_the_day_it_does(billing_lieu, invoice, clock):
    assert live_until(clock, 30) == []
    remind_from_now_on(billing_lieu)
    assert reminding.send_due() == 0, "nobody has seen the list yet"
    assert live_until(clock, 31, 31) == [31]
    reminding_by_hand.choose(billing_lieu.manager, is_on=False)
    assert live_until(clock, 60, 32) == []


@pytest.mark.parametrize("hour", [7, 8, 19, 23])
def test_nothing_leaves_early_or_late_in_the_day(on, clock, hour):
    clock.set(days_after(7, hour))
    assert reminding.send_due() == 0
    clock.set(days_after(8))
    assert reminding.send_due() == 2


def test_whatever_leaves_stood_on_the_list_the_day_before(on, invoice, lise, clock):
    until = TODAY + timedelta(days=16)
    reminding_by_hand.pause(on.manager, lise.public_id, invoice=None, until=until, reason="Promis")
    for count in range(1, 60):
        day = TODAY + timedelta(days=count)
        end_read()
        clock.set(days_after(count - 1, 20))
        listed = {
            (item.invoice.id, item.next.step)
            for one in reminder_queries.overdue(day - timedelta(days=1))
            for item in one.leaving(day)
        }
        before = len(db.session.scalars(select(ReminderLine.id)).all())
        end_read()
        clock.set(days_after(count))
        reminding.send_due()
        left = db.session.execute(select(ReminderLine.invoice_id, ReminderLine.step).order_by(ReminderLine.id)).all()
        assert set(map(tuple, left[before:])) <= listed, count
    assert of(invoice)[0] == (KIND, 16), "on the day the pause ends"


def test_several_invoices_of_one_payer_go_in_one_email_and_the_firmest_gives_the_words(
    on, invoice, lise, clock, run_outbox, mailbox
):
    live_until(clock, 14)
    on.use(lise, OCTOBER.replace(day=28))
    (second,) = services.run(on.manager, OCTOBER).issued
    live_until(clock, 21, 15)
    row = next(row for row in reversed(reminders()) if row.payer_person_id == lise.id)
    assert [(line.invoice.number, line.step) for line in row.lines] == [
        (invoice.number, FIRM),
        (second.number, KIND),
    ], "each advances by its own step"
    assert row.step == FIRM and plain(row.subject) == "Toujours impayé : 66,00 €", (
        "the firm words are for the first alone"
    )
    first, then = (
        f"- {invoice.number} du 24 novembre 2026, à payer à réception, 21 jours de retard : 66,00 €",
        f"- {second.number} du 8 décembre 2026, à payer à réception, 7 jours de retard : 9,00 €",
    )
    parts = plain(row.text).split("\n\n")
    assert parts[1:5] == [
        "Malgré notre premier rappel, ceci reste impayé :",
        first,
        f"En retard aussi, pour simple rappel :\n{then}\nLe lien ci-dessous règle le tout : 75,00 €.",
        "Merci de régler cette somme dans les huit jours :",
    ]
    run_outbox()
    email = next(one for one in mailbox() if str(one["Subject"]) == row.subject)
    assert len(list(email.iter_attachments())) == 2
    html = plain(email.get_body(("html",)).get_content())
    assert "Payer 75,00 €" in html and html.count("<table") == 2 and "- F2026" not in html
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)]
    assert rows == [
        "Facture Échéance Reste dû",
        f"{invoice.number} à réception 21 jours de retard 66,00 €",
        "Facture Échéance Reste dû",
        f"{second.number} à réception 7 jours de retard 9,00 €",
    ]


# Never ----------------------------------------------------------------------------------------------------------------


def test_what_is_paid_in_part_or_credited_is_reminded_of_for_the_rest(on, invoice, clock):
    paying.record_payment(on.manager, invoice.public_id, 1000, TODAY, "cash")
    services.credit(on.manager, invoice.public_id, "Fermé", taken={0: 900})
    live_until(clock, 7)
    (line,) = [line for row in reminders() for line in row.lines if line.invoice_id == invoice.id]
    assert line.owed_cents == 4700
    assert "47,00 € (reste de 66,00 €)" in plain(next(row.text for row in reminders() if line in row.lines))
    paying.record_payment(on.manager, invoice.public_id, 4700, TODAY, "cash")
    live_until(clock, 60, 8)
    assert of(invoice) == [(KIND, 7)]


def test_never_while_a_payment_is_pending(gateway, on, invoice, clock):
    page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")
    gateway.become(page.checkout_id, "pending", means="debit")
    online.settle("stripe", page.checkout_id)
    live_until(clock, 8)
    assert of(invoice) == []
    gateway.become(page.checkout_id, "failed", means="debit")
    end_read()
    online.settle("stripe", page.checkout_id)
    live_until(clock, 9, 8)
    assert of(invoice) == [(KIND, 9)], "on the day after the bank refused at the earliest"


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
    assert of(invoice) == []


def test_never_while_it_is_to_be_collected(gateway, on, invoice, lise, clock):
    row = means.begin(lise.actor(), "me", agrees=True, agreed_to="…", locale="fr")
    gateway.saved_means.save(row.checkout_id, "card")
    means.finish(row.public_id)
    live_until(clock, 30)
    assert of(invoice) == [], "nobody ran the collection: it is still announced"
    means.withdraw(lise.actor(), row.public_id)
    live_until(clock, 33, 31)
    assert of(invoice) == [(KIND, 31)]


def test_never_while_the_payer_s_own_credit_would_pay_it(on, invoice, lise, clock):
    with write_unit():
        payer_credit.receive(on.manager, (lise.id, None), 6600, TODAY, "VIR")
    live_until(clock, 30)
    assert of(invoice) == []


def test_never_while_money_that_came_waits_to_be_matched(on, invoice, clock, monkeypatch):
    monkeypatch.setattr(reminder_queries, "found_elsewhere", [lambda: {invoice.id}])
    live_until(clock, 30)
    assert of(invoice) == []


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
    assert lise.id in payers and of(invoice) == []


def test_an_email_that_waited_does_not_leave_for_what_was_paid_meanwhile(on, invoice, clock, run_outbox, mailbox):
    live_until(clock, 7)
    paying.record_payment(on.manager, invoice.public_id, 6600, TODAY, "cash")
    run_outbox()
    assert [s for s in subjects(mailbox) if "66,00" in s and "rappel" in s] == []
    kinds = db.session.scalars(select(ReminderOutcome.kind)).all()
    assert kinds == ["withheld"], "Anne's left"


# Pauses ---------------------------------------------------------------------------------------------------------------


def test_a_pause_of_an_invoice_or_a_payer_holds_and_is_ended_in_one_tap(on, invoice, lise, clock):
    reminding_by_hand.pause(on.manager, lise.public_id, invoice=None, until=None, reason="Paie en trois fois")
    live_until(clock, 20)
    assert of(invoice) == []
    (one,) = [one for one in reminder_queries.overdue(TODAY + timedelta(days=20)) if one.payer[0] == lise.id]
    assert one.invoices[0].next.why_not == "paused"
    reminding_by_hand.end_pause(on.manager, one.pauses[0].public_id)
    assert reminding.send_due() == 0, "tomorrow at the earliest"
    live_until(clock, 21, 21)
    assert of(invoice) == [(KIND, 21)]
    reminding_by_hand.pause(
        on.manager, lise.public_id, invoice=invoice.public_id, until=TODAY + timedelta(days=45), reason="Promis"
    )
    live_until(clock, 45, 22)
    assert of(invoice) == [(KIND, 21), (FIRM, 45)]
    actions = db.session.scalars(select(audit.AuditEntry.action).where(audit.AuditEntry.person_id == lise.id)).all()
    assert {"billing.reminders_paused", "billing.reminders_resumed"} <= set(actions)


def test_a_step_that_is_left_out_is_not_sent_and_may_be_taken_back(on, invoice, lise, clock):
    clock.set(days_after(6))
    (left_out,) = reminding_by_hand.leave_out(on.manager, lise.public_id)
    live_until(clock, 20, 7)
    assert of(invoice) == []
    live_until(clock, 21, 21)
    assert of(invoice) == [(FIRM, 21)]
    reminding_by_hand.end_pause(on.manager, left_out.public_id)
    live_until(clock, 30, 22)
    assert of(invoice) == [(FIRM, 21)], "never a kinder one after a firmer one"


def test_a_pause_needs_a_reason_and_a_day_to_come(on, invoice, lise, billing_lieu):
    with pytest.raises(PauseReasonMissing):
        reminding_by_hand.pause(on.manager, lise.public_id, invoice=None, until=None, reason="")
    with pytest.raises(PauseInPast):
        reminding_by_hand.pause(on.manager, lise.public_id, invoice=None, until=TODAY, reason="x")
    with pytest.raises(NotFound):
        reminding_by_hand.pause(
            on.manager, billing_lieu.cast.member.public_id, invoice=invoice.public_id, until=None, reason="x"
        )


# By hand --------------------------------------------------------------------------------------------------------------


def test_a_manager_sends_now_but_never_twice_a_day(on, invoice, lise, clock):
    clock.set(days_after(3))
    reminding_by_hand.send_now(on.manager, lise.public_id)
    assert of(invoice) == [(KIND, 3)]
    with pytest.raises(RemindedLately):
        reminding_by_hand.send_now(on.manager, lise.public_id)
    live_until(clock, 60, 4)
    assert of(invoice) == [(KIND, 3), (FIRM, 21), (FORMAL, 41)]


def test_nothing_is_sent_by_hand_while_something_is_pending_or_before_anyone_chose(billing_lieu, invoice, lise, clock):
    clock.set(days_after(3))
    with pytest.raises(NobodyChose):
        reminding_by_hand.send_now(billing_lieu.manager, lise.public_id)
    reminding_by_hand.choose(billing_lieu.manager, is_on=False)
    reminding_by_hand.pause(billing_lieu.manager, lise.public_id, invoice=None, until=None, reason="x")
    with pytest.raises(NothingToRemind):
        reminding_by_hand.send_now(billing_lieu.manager, lise.public_id)


def test_who_has_no_address_gets_a_letter_that_a_manager_posts(on, invoice, lise, clock):
    with write_unit():
        db.session.get_one(Person, lise.id).email = None
    live_until(clock, 9)
    assert of(invoice) == []
    one = reminder_queries.payer_overdue(lise.public_id, TODAY + timedelta(days=9))
    assert one.receiver is None and one.leaving(TODAY + timedelta(days=9))
    letter = reminding_by_hand.letter_of(one, TODAY + timedelta(days=9))
    assert invoice.number in letter.text
    later = reminder_queries.payer_overdue(lise.public_id, TODAY + timedelta(days=11))
    assert reminding_by_hand.letter_of(later, TODAY + timedelta(days=11)) == letter, "it may be posted on a later day"
    paying.record_payment(on.manager, invoice.public_id, 100, TODAY, "cash")
    with pytest.raises(TextChanged):
        reminding_by_hand.post_letter(on.manager, lise.public_id, reminding_by_hand.digest_of(letter))
    one = reminder_queries.payer_overdue(lise.public_id, TODAY + timedelta(days=9))
    letter = reminding_by_hand.letter_of(one, TODAY + timedelta(days=9))
    row = reminding_by_hand.post_letter(on.manager, lise.public_id, reminding_by_hand.digest_of(letter))
    assert (row.way, row.email, row.text) == ("post", None, letter.text)
    assert of(invoice) == [(KIND, 9)]


def test_an_email_that_came_back_is_to_be_printed(on, invoice, lise, clock, monkeypatch):
    live_until(clock, 7)

    def refused(*_args, **_values):
        raise outbox.GiveUp("550 no such user")

    monkeypatch.setattr("coworking.core.mail.deliver", refused)
    outbox.run_due()
    back = next(row for row in reminder_queries.not_delivered() if row.payer_person_id == lise.id)
    one = reminder_queries.payer_overdue(lise.public_id, TODAY + timedelta(days=7))
    assert one.came_back and one.receiver is None
    reminding_by_hand.post_again(on.manager, back.public_id)
    reminding_by_hand.post_again(on.manager, back.public_id)
    assert lise.id not in {row.payer_person_id for row in reminder_queries.not_delivered()}
    assert db.session.scalars(select(ReminderOutcome.kind)).all() == ["posted"]
    live_until(clock, 60, 8)
    assert of(invoice) == [(KIND, 7)], "the next one waits for a manager's letter"


# Once -----------------------------------------------------------------------------------------------------------------


def test_sixteen_runs_at_once_send_once(on, invoice, app, clock):
    clock.set(days_after(7))
    end_read()
    start = Barrier(16)

    def run() -> None:
        with app.app_context():
            start.wait()
            reminding.send_due()

    threads = [Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert of(invoice) == [(KIND, 7)]
    assert len(reminders()) == 2
    keys = db.session.scalars(select(OutboxRow.key).where(OutboxRow.topic == reminder_queries.SENT)).all()
    assert len(keys) == 2


def test_a_run_that_is_killed_loses_nothing(on, invoice, clock, monkeypatch):
    clock.set(days_after(7))
    real, calls = reminding.write_reminder, []

    class Killed(BaseException):
        pass

    def dies(*args):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return real(*args)

    monkeypatch.setattr(reminding, "write_reminder", dies)
    with pytest.raises(Killed):
        reminding.send_due()
    assert len(reminders()) == 1
    assert reminding.send_due() == 1 and reminding.send_due() == 0
    assert len(reminders()) == 2


def test_the_database_refuses_a_step_twice_and_a_second_reminder_a_day(on, invoice, lise, clock):
    live_until(clock, 7)
    row = next(row for row in reminders() if row.payer_person_id == lise.id)
    row_id, line_id = row.id, row.lines[0].id
    end_read()
    columns = "payer_person_id, step, way, email, locale, subject, text, sent_on, created_at"
    for statement in (
        f"INSERT INTO reminder (public_id, {columns}) SELECT 'copy', {columns} FROM reminder WHERE id = {row_id}",
        f"INSERT INTO reminder_line (reminder_id, invoice_id, step, owed_cents, indemnity_cents) "
        f"SELECT (SELECT min(id) FROM reminder WHERE id <> {row_id}), invoice_id, step, 1, 0 FROM reminder_line "
        f"WHERE id = {line_id}",
        "UPDATE reminder SET text = 'x'",
        "DELETE FROM reminder_line",
    ):
        with pytest.raises(IntegrityError), db.engine.begin() as connection:
            connection.execute(text(statement))


def test_the_chain_covers_what_was_sent(on, invoice, clock):
    live_until(clock, 45)
    with snapshot():
        assert [*chain_checks.money_links(), *chain_checks.money_rows()] == []


# The settings ---------------------------------------------------------------------------------------------------------


def test_a_change_of_the_steps_is_audited_and_holds_from_then_on(on, invoice, clock):
    reminding_by_hand.change_step(on.manager, KIND, days=3, is_used=True, words=None)
    reminding_by_hand.change_step(on.manager, FIRM, days=21, is_used=False, words=None)
    live_until(clock, 60)
    assert of(invoice) == [(KIND, 3), (FORMAL, 41)]
    actions = db.session.scalars(select(audit.AuditEntry.action)).all()
    assert actions.count("billing.reminder_step") == 2 and actions.count("billing.reminders_chosen") == 1


def test_steps_cannot_cross(on):
    with pytest.raises(DaysInvalid):
        reminding_by_hand.change_step(on.manager, KIND, days=30, is_used=True, words=None)
