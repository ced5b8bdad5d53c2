"""A reminder leaves once: sixteen runs at the same time, a killed run, and what the database refuses."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.billing import (
    reminder_queries,
    reminding,
)
from coworking.billing.reminder_rules import (
    KIND,
)
from coworking.core import chain_checks
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import end_read, snapshot
from tests.support.reminders import days_after, live_until, reminders, steps_that_left


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
    assert steps_that_left(invoice) == [(KIND, 7)]
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
