"""Each night everything is checked, and the managers hear of what somebody did to the books behind the software's back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from coworking.accounting import closings, nightly, queries
from coworking.accounting.models import AuditRun
from coworking.accounts.models import Person
from coworking.billing import paying, services
from coworking.core import checks, guards, outbox, trail
from coworking.core.alone import alone
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.spaces import calendar
from coworking.statistics import services as statistics
from tests import factories
from tests.support import emails as golden
from tests.support.billing import OCTOBER, TODAY, lieu_used_in_october
from tests.support.threads import at_once

WRONG = "Le contrôle de la nuit a trouvé une anomalie"
LAST_PAYMENT = "DELETE FROM payment WHERE id = (SELECT max(id) FROM payment)"


@pytest.fixture
def books(app, clock):
    """A lieu whose books are in order: two invoices, two payments, October closed; a Tuesday, 10:36."""
    with app.app_context():
        billing_lieu = lieu_used_in_october()
        factories.make_tariff()
        first = services.run(billing_lieu.manager, OCTOBER).issued[0]
        for cents in (100, 70):
            paying.record_payment(billing_lieu.manager, first.public_id, cents, TODAY, "card")
        statistics.close(SYSTEM, OCTOBER)
        keep_up()
        db.session.remove()
    return billing_lieu


@pytest.fixture
def tamper(app) -> Callable[[str], None]:
    """Write as someone who has the database's own password: the guards are dropped and put back."""

    def run(statement: str) -> None:
        with app.app_context():
            with db.engine.begin() as connection:
                guards.remove(connection)
                assert connection.execute(text(statement)).rowcount > 0
                guards.install(connection)
            db.session.remove()

    return run


def keep_up() -> None:
    """What the other jobs do every few minutes."""
    calendar.freeze_past_days()
    calendar.extend_horizon()
    closings.close_due()
    trail.seal()
    db.session.rollback()


def night(app, clock, days: int = 1) -> list[int | None]:
    """Go on to the next night's looks, ten minutes apart, and carry out what they enqueued."""
    clock.set((now() + timedelta(days=days)).replace(hour=2, minute=1))
    done: list[int | None] = []
    with app.app_context():
        keep_up()
        for _ in range(4):
            done.append(nightly.run_due())
            clock.advance(minutes=10)
        while outbox.run_due():
            pass
        db.session.remove()
    return done


def alarms(mailbox) -> list[str]:
    return [golden.as_read(email) for email in mailbox() if "contrôle de la nuit" in email["Subject"]]


def test_a_deleted_payment_reaches_the_managers_and_today(app, books, tamper, clock, mailbox, sign_in):
    tamper(LAST_PAYMENT)
    assert night(app, clock) == [2, 2, None, None], "the row, and the day that waits to be closed"
    (email,) = [email for email in mailbox() if "contrôle de la nuit" in email["Subject"]]
    assert email["To"] == "manager@demo.example"
    assert "it is gone, though money entry" in golden.plain(email) and "- payment " in golden.plain(email)
    boss, host = sign_in(books.cast.manager), sign_in(books.cast.host)
    for address in ("/today", "/today/live?day=2026-11-25"):
        assert WRONG in boss.get(address).text, address
        assert WRONG not in host.get(address).text, address


def test_where_nothing_is_found_nothing_is_said(app, books, clock, mailbox, sign_in):
    assert night(app, clock) == [0, None, None, None]
    assert alarms(mailbox) == []
    assert WRONG not in sign_in(books.cast.manager).get("/today").text
    with app.app_context():
        run = queries.last_audit_run()
        assert run is not None and (run.broken, run.digest, run.told_at) == (0, None, None)


def test_the_same_finding_is_sent_once_a_week(app, books, tamper, clock, mailbox):
    tamper(LAST_PAYMENT)
    told = []
    for _ in range(15):
        night(app, clock)
        told.append(len(alarms(mailbox)))
    assert told == [1] * 7 + [2] * 7 + [3]


def test_a_new_finding_is_sent_the_same_night(app, books, tamper, clock, mailbox):
    tamper(LAST_PAYMENT)
    night(app, clock)
    tamper("UPDATE billing_settings SET iban = 'FR00'")
    assert night(app, clock) == [2, None, None, None]
    assert [("billing_settings" in said) for said in alarms(mailbox)] == [False, True]


def test_today_forgets_it_once_a_night_finds_nothing(app, books, tamper, clock, sign_in):
    boss = sign_in(books.cast.manager)
    tamper("UPDATE payment SET cents = cents + 1 WHERE id = (SELECT max(id) FROM payment)")
    night(app, clock)
    assert WRONG in boss.get("/today").text
    before = boss.get("/today/live?day=2026-11-25").headers["ETag"]
    tamper("UPDATE payment SET cents = cents - 1 WHERE id = (SELECT max(id) FROM payment)")
    night(app, clock)
    assert WRONG not in boss.get("/today").text
    assert boss.get("/today/live?day=2026-11-25", headers={"If-None-Match": before}).status_code == 200


def test_late_jobs_cause_no_alarm(app, books, clock, mailbox):
    """The machine was off for days: the check may be quicker than the job that freezes days."""
    clock.advance(days=4)
    with app.app_context():
        assert nightly.run_due() == 1
        keep_up()
        assert nightly.run_due() is None, "ten minutes are not over"
        clock.advance(minutes=10)
        assert nightly.run_due() == 0
        db.session.remove()
    assert alarms(mailbox) == []


def test_failed_emails_cause_no_alarm(app, books, clock, mailbox):
    """Today shows them already; and an alarm that bounces must not be tomorrow's alarm."""
    with app.app_context(), write_unit():
        outbox.enqueue("mail", "x", {})
        db.session.execute(
            text("UPDATE outbox SET state = 'failed', last_error = '550 anne@demo.example' WHERE key = 'x'")
        )
    assert night(app, clock) == [0, None, None, None]


def test_a_check_that_stumbles_has_found_something(app, books, tamper, clock, mailbox):
    tamper("UPDATE chain_entry SET payload = '{' WHERE chain = 'money' AND seq = 2")
    assert night(app, clock)[0]
    (said,) = alarms(mailbox)
    assert "money entry 2" in said or "could not be looked at to its end" in said


def test_a_check_may_fail_and_the_others_go_on(app, books, clock, mailbox, monkeypatch):
    def stumble() -> Iterator[str]:
        yield "the first"
        raise ValueError("anne@demo.example")

    monkeypatch.setattr(checks, "_checks", [*checks._checks, checks.Check(3, "all is well", stumble)])
    assert night(app, clock)[:2] == [1, 1]
    (said,) = alarms(mailbox)
    assert "- the first" in said and "could not be looked at to its end (ValueError" in said
    assert "anne@demo.example" not in said


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("count", "name"), [(1, "accounting/nightly"), (30, "accounting/nightly-many")])
def test_it_reads(app, books, clock, mailbox, monkeypatch, language, count, name):
    with app.app_context(), write_unit():
        db.session.get_one(Person, books.cast.manager.id).locale = language

    def look() -> Iterator[str]:
        yield from (f"payment {row}: it is gone, though money entry {row + 4} covers it" for row in range(1, count + 1))

    monkeypatch.setattr(checks, "_checks", [checks.Check(3, "what touches money is as it was sealed", look)])
    night(app, clock)
    (alarm,) = [one for one in mailbox() if one["To"] == books.cast.manager.email]
    golden.check(alarm, name)


def test_a_line_stays_a_short_line():
    found = [("a", ["x\r\n\r\nBcc: y " + "z" * 500]), *((f"{n}", ["one", "two"]) for n in range(20))]
    said = nightly.quoted(found)
    assert len(said) == nightly.LINES and said[0].startswith("x Bcc: y z") and len(said[0]) == nightly.WIDTH


def test_only_the_first_sentences_are_kept(inside, monkeypatch):
    endless = checks.Check(3, "much", lambda: (f"row {n}" for n in range(100_000)))
    monkeypatch.setattr(checks, "_checks", [endless])
    ((_, found),) = checks.run()
    assert len(found) == checks.MOST + 1 and found[-1] == "and 99980 more"


def test_several_workers_at_once_keep_one_result(app, books, tamper, clock, mailbox):
    tamper(LAST_PAYMENT)
    clock.set(datetime(2026, 11, 25, 2, 1, tzinfo=UTC))

    def look() -> int | None:
        with app.app_context():
            try:
                return nightly.run_due()
            finally:
                db.session.remove()

    with app.app_context():
        keep_up()
    assert [done for done in at_once([look] * 8) if done is not None] == [2]
    clock.advance(minutes=10)
    assert [done for done in at_once([look] * 8) if done is not None] == [2]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AuditRun)) == 2
        keys = select(func.count()).where(OutboxRow.topic == nightly.TOPIC)
        assert db.session.scalar(keys) == 1


def test_the_result_of_another_machine_is_used(app, books, clock, monkeypatch):
    """Without a common disk two machines may look at once: the one that is done later keeps nothing."""
    run = checks.run

    def meanwhile() -> Iterator[tuple[checks.Check, list[str]]]:
        yield from run()
        with write_unit():
            db.session.add(AuditRun(created_at=now(), broken=0))

    monkeypatch.setattr(checks, "run", meanwhile)
    clock.set(datetime(2026, 11, 25, 2, 1, tzinfo=UTC))
    with app.app_context():
        assert nightly.run_due() is None
        assert db.session.scalar(select(func.count()).select_from(AuditRun)) == 1


def test_it_writes_nothing_while_it_looks(app, books, clock, monkeypatch):
    seen: list[bool] = []

    def look() -> Iterator[str]:
        seen.append("unit" in db.session().info)
        yield from ()

    monkeypatch.setattr(checks, "_checks", [checks.Check(3, "it only reads", look)])
    assert night(app, clock)[0] == 0 and seen == [False]


def test_one_looks_while_another_does_not(tmp_path):
    with alone(tmp_path / "x" / "lock") as first, alone(tmp_path / "x" / "lock") as second:
        assert (first, second) == (True, False)
    with alone(tmp_path / "x" / "lock") as third:
        assert third


def run_at(created: str, *, broken: int = 0, told: bool = False) -> AuditRun:
    at = datetime.fromisoformat(created).replace(tzinfo=UTC)
    return AuditRun(created_at=at, broken=broken, digest="d" if broken else None, told_at=at if told else None)


@pytest.mark.parametrize(
    ("at", "last", "due"),
    [
        ("2026-11-25T02:59", None, False),
        ("2026-11-25T03:00", None, True),
        ("2026-11-25T02:59", run_at("2026-11-24T03:00"), False),
        ("2026-11-25T03:00", run_at("2026-11-24T03:09"), True),
        ("2026-11-25T23:59", run_at("2026-11-25T03:00"), False),
        ("2026-11-28T09:00", run_at("2026-11-25T03:00"), True),
        ("2026-11-25T03:05", run_at("2026-11-25T03:00", broken=1), False),
        ("2026-11-25T03:10", run_at("2026-11-25T03:00", broken=1), True),
        ("2026-11-25T03:20", run_at("2026-11-25T03:10", broken=1, told=True), False),
    ],
)
def test_when_it_is_due(at, last, due):
    assert nightly.is_due(datetime.fromisoformat(at).replace(tzinfo=UTC), last) is due
