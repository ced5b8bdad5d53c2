"""Reminders leave on their days, with pauses, and by hand; the lieu changes their steps."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import (
    paying,
    reminder_queries,
    reminding,
    reminding_by_hand,
    services,
)
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
from coworking.core import audit, outbox
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.units import end_read, write_unit
from tests.support.billing import OCTOBER, TODAY
from tests.support.reminders import days_after, live_until, plain, remind_from_now_on, reminders, steps_that_left

# When -----------------------------------------------------------------------------------------------------------------


def test_the_three_steps_leave_on_their_days_once_each(on, invoice, clock):
    live_until(clock, 90)
    assert steps_that_left(invoice) == [(KIND, 7), (FIRM, 21), (FORMAL, 41)], "the fortieth day is a Sunday: on Monday"
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
    assert steps_that_left(invoice)[0] == (KIND, 16), "on the day the pause ends"


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


# Pauses ---------------------------------------------------------------------------------------------------------------


def test_a_pause_of_an_invoice_or_a_payer_holds_and_is_ended_in_one_tap(on, invoice, lise, clock):
    reminding_by_hand.pause(on.manager, lise.public_id, invoice=None, until=None, reason="Paie en trois fois")
    live_until(clock, 20)
    assert steps_that_left(invoice) == []
    (one,) = [one for one in reminder_queries.overdue(TODAY + timedelta(days=20)) if one.payer[0] == lise.id]
    assert one.invoices[0].next.why_not == "paused"
    reminding_by_hand.end_pause(on.manager, one.pauses[0].public_id)
    assert reminding.send_due() == 0, "tomorrow at the earliest"
    live_until(clock, 21, 21)
    assert steps_that_left(invoice) == [(KIND, 21)]
    reminding_by_hand.pause(
        on.manager, lise.public_id, invoice=invoice.public_id, until=TODAY + timedelta(days=45), reason="Promis"
    )
    live_until(clock, 45, 22)
    assert steps_that_left(invoice) == [(KIND, 21), (FIRM, 45)]
    actions = db.session.scalars(select(audit.AuditEntry.action).where(audit.AuditEntry.person_id == lise.id)).all()
    assert {"billing.reminders_paused", "billing.reminders_resumed"} <= set(actions)


def test_a_step_that_is_left_out_is_not_sent_and_may_be_taken_back(on, invoice, lise, clock):
    clock.set(days_after(6))
    (left_out,) = reminding_by_hand.leave_out(on.manager, lise.public_id)
    live_until(clock, 20, 7)
    assert steps_that_left(invoice) == []
    live_until(clock, 21, 21)
    assert steps_that_left(invoice) == [(FIRM, 21)]
    reminding_by_hand.end_pause(on.manager, left_out.public_id)
    live_until(clock, 30, 22)
    assert steps_that_left(invoice) == [(FIRM, 21)], "never a kinder one after a firmer one"


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
    assert steps_that_left(invoice) == [(KIND, 3)]
    with pytest.raises(RemindedLately):
        reminding_by_hand.send_now(on.manager, lise.public_id)
    live_until(clock, 60, 4)
    assert steps_that_left(invoice) == [(KIND, 3), (FIRM, 21), (FORMAL, 41)]


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
    assert steps_that_left(invoice) == []
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
    assert steps_that_left(invoice) == [(KIND, 9)]


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
    assert steps_that_left(invoice) == [(KIND, 7)], "the next one waits for a manager's letter"


# The settings ---------------------------------------------------------------------------------------------------------


def test_a_change_of_the_steps_is_audited_and_holds_from_then_on(on, invoice, clock):
    reminding_by_hand.change_step(on.manager, KIND, days=3, is_used=True, words=None)
    reminding_by_hand.change_step(on.manager, FIRM, days=21, is_used=False, words=None)
    live_until(clock, 60)
    assert steps_that_left(invoice) == [(KIND, 3), (FORMAL, 41)]
    actions = db.session.scalars(select(audit.AuditEntry.action)).all()
    assert actions.count("billing.reminder_step") == 2 and actions.count("billing.reminders_chosen") == 1


def test_steps_cannot_cross(on):
    with pytest.raises(DaysInvalid):
        reminding_by_hand.change_step(on.manager, KIND, days=30, is_used=True, words=None)
