"""Reminders as their receivers read them: three steps, two languages, consumers and companies."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation, Person
from coworking.billing import reminder_queries, services
from coworking.billing.reminder_models import ReminderLine
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.support import emails as golden
from tests.support.reminders import ECB, live_until, remind_from_now_on, reminders

pytestmark = pytest.mark.once

GOLDEN = {
    ("Lise Vidal", 1): "billing/reminder-kind",
    ("Lise Vidal", 2): "billing/reminder-firm",
    ("Lise Vidal", 3): "billing/reminder-formal",
    ("Coutellerie Durand SA", 1): "billing/reminder-kind-company",
    ("Coutellerie Durand SA", 2): "billing/reminder-firm-company",
    ("Coutellerie Durand SA", 3): "billing/reminder-formal-company",
}


@pytest.fixture
def on(billing_lieu, invoice):
    """Reminders leave, and all rates until the summer were looked up."""
    remind_from_now_on(billing_lieu, ecb_rates=ECB | {date(2027, 1, 1): 200})
    return billing_lieu


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_three_steps_in_both_languages(on, clock, run_outbox, mailbox, language):
    with write_unit():
        for person in (on.cast.stranger, on.cast.colleague):
            db.session.get_one(Person, person.id).locale = language
        db.session.scalars(select(Organisation)).one().email = None  # its contact reads it
    live_until(clock, 75, each_day=run_outbox)
    sent = {row.public_id: row for row in reminders()}
    seen = set()
    messages = {str(email["Message-ID"]): email for email in mailbox()}
    for row in sent.values():
        name = (row.payer_organisation or row.payer_person).name
        if (golden_name := GOLDEN.get((name, row.step))) is None:
            continue
        job = reminder_queries.sending_state(row)
        email = messages[f"<{job.public_id}@lieu.test>"]
        golden.check(email, golden_name)
        assert golden.plain(email).strip() == row.text.strip(), "what is kept is what was sent"
        assert [part.get_content_type() for part in email.iter_attachments()] == ["application/pdf"]
        html = email.get_body(("html",)).get_content()
        assert html.count("/pay/") == 1 and "{" not in row.text
        seen.add(golden_name)
    assert seen == set(GOLDEN.values())


def test_a_consumer_never_reads_of_the_forty_euros_and_a_company_only_in_the_last_step(on, clock):
    live_until(clock, 75)
    claimed = {
        (row.payer_organisation_id is not None, line.step): (line.indemnity_cents, line.penalty_cents)
        for row in reminders()
        for line in row.lines
    }
    assert claimed == {
        (False, 1): (0, 0),
        (False, 2): (0, 0),
        (False, 3): (0, 0),
        (True, 1): (0, 0),
        (True, 2): (0, 0),
        (True, 3): (4000, 36),
    }
    for row in reminders():
        assert ("40,00" in row.text) == (row.payer_organisation_id is not None and row.step == 3)


def test_a_rate_that_nobody_looked_up_is_claimed_without_a_figure(billing_lieu, invoice, clock):
    remind_from_now_on(billing_lieu, ecb_rates={})
    live_until(clock, 75)
    lines = db.session.scalars(select(ReminderLine).where(ReminderLine.indemnity_cents > 0)).all()
    assert [line.penalty_cents for line in lines] == [None]
    row = next(row for row in reminders() if row.step == 3 and row.payer_organisation_id is not None)
    assert "au taux qu’elle indique" in row.text and "Soit" not in row.text


def test_the_lieu_s_own_rate_counts(billing_lieu, inside, clock):
    services.replace_mention(billing_lieu.manager, "penalty", "Pénalités de retard : 36,5 % par an.")
    services.run(billing_lieu.manager, date(2026, 10, 1))
    remind_from_now_on(billing_lieu, ecb_rates={})
    live_until(clock, 75)
    (line,) = db.session.scalars(select(ReminderLine).where(ReminderLine.indemnity_cents > 0)).all()
    assert line.penalty_cents == 108, "40 days at a tenth of a percent of 27 €"
