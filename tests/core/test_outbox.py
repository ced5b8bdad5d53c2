"""Promise 2: what must happen after a unit of work is written with it, and carried out until it worked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from config import ROOT
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import WriteOutsideUnit, db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit


@pytest.fixture
def done(monkeypatch):
    """Keys the topic « test » was carried out for; ``done.trouble`` is raised instead when set."""

    class Done(list):
        trouble: Exception | None = None

        def __call__(self, job: outbox.Job) -> None:
            if self.trouble is not None:
                raise self.trouble
            self.append(job.key)

    handler = Done()
    monkeypatch.setitem(outbox._handlers, "test", handler)
    return handler


def put(key: str, topic: str = "test", **values) -> None:
    with write_unit():
        outbox.enqueue(topic, key, {}, **values)


def row(key: str) -> OutboxRow:
    db.session.rollback()
    found = db.session.scalars(select(OutboxRow).where(OutboxRow.key == key)).one()
    db.session.expunge(found)
    db.session.rollback()
    return found


def test_a_unit_that_fails_leaves_nothing_to_do(inside, done):
    def half_done() -> None:
        with write_unit():
            outbox.enqueue("test", "a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert outbox.run_due() == 0
    assert done == []


def test_enqueueing_outside_a_unit_is_refused(inside):
    with pytest.raises(WriteOutsideUnit):
        outbox.enqueue("test", "a", {})


def test_one_key_is_one_thing(inside, done):
    with write_unit():
        assert outbox.enqueue("test", "a", {}) is True
        assert outbox.enqueue("test", "a", {}) is False
    put("a")
    assert outbox.run_due() == 1
    put("a")
    assert outbox.run_due() == 0
    assert done == ["a"]


def test_the_lease_is_committed_before_the_work_begins(app, inside, monkeypatch):
    """Seen from another connection while the handler runs: leased, counted, and no transaction left open."""
    seen = []

    def handler(_job: outbox.Job) -> None:
        def look() -> None:
            with app.app_context():
                seen.append(row("a"))

        other = threading.Thread(target=look)
        other.start()
        other.join()
        assert not db.session().in_transaction()

    monkeypatch.setitem(outbox._handlers, "test", handler)
    put("a")
    assert outbox.run_due() == 1
    assert [(r.state, r.attempts, r.leased_until) for r in seen] == [("waiting", 1, now() + outbox.LEASE)]
    assert row("a").state == "done"


def test_a_leased_row_is_not_leased_again_until_the_lease_ends(inside, done, clock, monkeypatch):
    put("a")
    with write_unit():
        assert outbox._lease_next() is not None
    assert outbox.run_due() == 0
    clock.advance(seconds=outbox.LEASE.total_seconds() + 1)
    assert outbox.run_due() == 1
    assert row("a").attempts == 2


def test_what_can_wait_comes_after_all_that_cannot(inside, done, clock, monkeypatch):
    """Three hundred invoices are to be e-mailed when somebody asks for a sign-in link."""
    monkeypatch.setitem(outbox._handlers, "bulk", done)
    monkeypatch.setattr(outbox, "_patient", {"bulk"})
    for key in ("bulk-1", "bulk-2"):
        put(key, topic="bulk")
    clock.advance(seconds=1)
    put("now-1")
    put("later", due_at=now() + timedelta(hours=1))
    put("now-2")
    assert outbox.run_due(limit=3) == 3
    assert done == ["now-1", "now-2", "bulk-1"]
    put("now-3")
    assert outbox.run_due() == 2
    assert done[3:] == ["now-3", "bulk-2"]


def test_only_what_nobody_sits_waiting_for_can_wait(app):
    assert outbox._patient == {
        "billing.debit_announced",
        "billing.issued",
        "billing.means_expiring",
        "billing.online_told",
        "billing.reminder",
        "booking.reminder",
        "imports.invite",
        "imports.run",
        "membership.adhesion_ending",
        "membership.pack_ending",
        "membership.reduced_price_ending",
    }


def test_two_workers_never_take_the_same_row(app, inside, monkeypatch):
    taken: list[str] = []
    lock = threading.Lock()

    def handler(job: outbox.Job) -> None:
        with lock:
            taken.append(job.key)

    monkeypatch.setitem(outbox._handlers, "test", handler)
    monkeypatch.setitem(outbox._handlers, "bulk", handler)
    monkeypatch.setattr(outbox, "_patient", {"bulk"})
    with write_unit():
        for number in range(40):
            outbox.enqueue("bulk" if number % 2 else "test", f"row-{number:02}", {})

    def work() -> None:
        with app.app_context():
            while outbox.run_due():
                pass

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == [f"row-{number:02}" for number in range(40)]


def test_a_failure_waits_longer_each_time_then_a_person_must_look(inside, done, clock):
    done.trouble = ConnectionError("no route")
    put("a")
    waits = []
    for attempt in range(1, outbox.MAX_ATTEMPTS):
        assert outbox.run_due() == 1, attempt
        waiting = row("a")
        assert (waiting.state, waiting.last_error) == ("waiting", "ConnectionError: no route")
        waits.append(waiting.due_at - now())
        assert outbox.run_due() == 0, "not before it is due"
        clock.set(waiting.due_at)
    assert waits[:4] == [timedelta(seconds=30 * 2**n) for n in range(4)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=6)
    assert outbox.run_due() == 1
    assert [r.key for r in outbox.failed()] == ["a"]
    clock.advance(days=30)
    assert outbox.run_due() == 0


def test_giving_up_is_at_once_and_visible(inside, done):
    done.trouble = outbox.GiveUp("550 no such address")
    put("a")
    put("nobody", topic="unheard of")
    outbox.run_due()
    assert {r.key: r.last_error for r in outbox.failed()} == {
        "a": "550 no such address",
        "nobody": "nothing handles the topic unheard of",
    }


def test_one_failure_does_not_stop_the_others(inside, monkeypatch):
    carried = []

    def handler(job: outbox.Job) -> None:
        if job.key == "b":
            raise RuntimeError
        carried.append(job.key)

    monkeypatch.setitem(outbox._handlers, "test", handler)
    for key in "abc":
        put(key)
    assert outbox.run_due() == 3
    assert carried == ["a", "c"]


def test_a_person_may_retry_or_dismiss_what_failed(inside, done, clock):
    done.trouble = outbox.GiveUp("no")
    put("a")
    put("b")
    outbox.run_due()
    done.trouble = None
    failed_a, failed_b = row("a").public_id, row("b").public_id
    with write_unit():
        outbox.retry(failed_a)
        outbox.dismiss(failed_b)
    assert outbox.failed() == []
    assert outbox.run_due() == 1
    assert done == ["a"]
    assert (row("a").state, row("a").attempts, row("b").state) == ("done", 1, "dropped")


def test_neither_brings_back_what_is_done(inside, done):
    put("a")
    outbox.run_due()
    ended = row("a").public_id
    with write_unit():
        outbox.retry(ended)
        outbox.dismiss(ended)
    assert outbox.run_due() == 0
    assert row("a").state == "done"


def test_what_lost_its_reason_is_dropped_by_prefix(inside, done):
    for key in ("remind:1:a", "remind:1:b", "remind:10:a", "remind_1:a"):
        put(key)
    with write_unit():
        outbox.drop("remind:1:")
    outbox.run_due()
    assert sorted(done) == ["remind:10:a", "remind_1:a"]


@pytest.mark.parametrize("prefix", ["%", "_", "remind%"])
def test_a_prefix_is_plain_text(inside, done, prefix):
    put("remind:1")
    with write_unit():
        outbox.drop(prefix)
    assert outbox.run_due() == 1


def test_rows_wait_until_they_are_due_and_go_in_that_order(inside, done, clock):
    put("late", due_at=now() + timedelta(hours=2))
    put("later", due_at=now() + timedelta(hours=3))
    put("soon")
    outbox.run_due()
    clock.advance(hours=4)
    outbox.run_due()
    assert done == ["soon", "late", "later"]


def test_workers_are_woken_after_the_commit_and_only_for_due_work(inside, monkeypatch):
    calls = []
    monkeypatch.setattr(outbox, "_wake", lambda: calls.append(row("a").state))
    put("later", due_at=now() + timedelta(hours=1))
    assert calls == []
    with write_unit():
        outbox.enqueue("test", "a", {})
        outbox.enqueue("test", "b", {})
        assert calls == []
    assert calls == ["waiting"]


def test_a_failed_wake_up_message_harms_nothing(inside, done, monkeypatch):
    def broken() -> None:
        raise ConnectionError

    monkeypatch.setattr(outbox, "_wake", broken)
    put("a")
    assert outbox.run_due() == 1


CRASH = """
import os, signal
from config import Config
from coworking.app import create_app
from coworking.core import outbox, outgoing
send = outgoing.send_mail
def send_and_die(url, message):
    send(url, message)
    os.kill(os.getpid(), signal.SIGKILL)
if "DIE" in os.environ:
    outgoing.send_mail = send_and_die
app = create_app(Config.from_env())
with app.app_context():
    outbox.run_due()
"""


def test_a_crash_between_sending_and_commit_sends_again_with_the_same_message_id(app, inside, smtp, engine_name):
    """The one window there is for a second copy; the receiver's server can tell that it is the same e-mail."""
    from coworking.core import mail

    with write_unit():
        mail.enqueue(
            template="accounts/reset",
            to="anne@demo.example",
            locale="fr",
            context={"first_name": "Anne", "url": "http://lieu.test/reset/x", "place": "La Fabrique du Pont"},
            key="email",
        )
    config = app.extensions["settings"]
    environ = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DATABASE_URL": config.database_url,
        "SECRET_KEY": config.secret_key,
        "DATA_DIR": str(config.data_dir),
        "SMTP_URL": smtp.url,
    }

    def run(**more: str) -> int:
        command = [sys.executable, "-c", CRASH]
        return subprocess.run(command, cwd=ROOT, env=environ | more, timeout=60).returncode

    with write_unit():  # the other process lives by the real clock
        db.session.execute(db.update(OutboxRow).values(due_at=now() - timedelta(days=365)))
    assert run(DIE="1") == -signal.SIGKILL
    left = row("email")
    assert (left.state, left.attempts) == ("waiting", 1)
    assert run() == 0
    assert len(smtp.messages) == 1, "the lease still runs"
    with write_unit():
        db.session.execute(db.update(OutboxRow).values(leased_until=left.due_at))
    assert run() == 0
    assert (row("email").state, row("email").attempts) == ("done", 2)
    assert len(smtp.messages) == 2
    assert len({message["Message-ID"] for message in smtp.messages}) == 1
