"""Promise 2: read freely, then write once, or not at all."""

from __future__ import annotations

import threading
from datetime import date

import pytest
import sqlalchemy
from sqlalchemy import delete, event, insert, select, text, update

from coworking.claims.models import DayVersion
from coworking.core import units
from coworking.core.db import WriteOutsideUnit, db
from coworking.core.errors import Busy
from coworking.core.units import locked, require_unit, snapshot, write_unit
from tests.conftest import make_app

DAY = date(2026, 11, 24)


@pytest.fixture
def counter(inside) -> date:
    """A row to count with, at 0."""
    with write_unit():
        db.session.add(DayVersion(day=DAY, version=0))
    return DAY


def value() -> int:
    db.session.rollback()
    found = db.session.scalars(select(DayVersion.version).where(DayVersion.day == DAY)).one()
    db.session.rollback()
    return found


def elsewhere(app, work) -> None:
    """Do ``work`` in a thread and session of its own, to its end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with app.app_context():
                work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def test_a_flush_outside_a_unit_is_refused(counter):
    row = db.session.get(DayVersion, DAY)
    row.version = 7
    with pytest.raises(WriteOutsideUnit):
        db.session.flush()
    assert value() == 0


@pytest.mark.parametrize(
    "statement",
    [
        insert(DayVersion).values(day=date(2027, 1, 1), version=1),
        update(DayVersion).values(version=9),
        delete(DayVersion),
        update(DayVersion.__table__).values(version=9),
        text(" update day_version SET version = 9"),
    ],
    ids=["insert", "update", "delete", "core table", "in words"],
)
def test_dml_outside_a_unit_is_refused(counter, statement):
    with pytest.raises(WriteOutsideUnit):
        db.session.execute(statement)
    assert value() == 0


def test_changes_made_before_the_unit_do_not_slip_in(counter):
    db.session.get(DayVersion, DAY).version = 7
    with pytest.raises(WriteOutsideUnit, match="before"), write_unit():
        pass
    assert value() == 0


def test_a_unit_inside_a_unit_is_refused_and_nothing_is_kept(counter):
    def nested() -> None:
        with write_unit():
            db.session.execute(update(DayVersion).values(version=1))
            with write_unit():
                pass

    with pytest.raises(WriteOutsideUnit, match="already open"):
        nested()
    assert value() == 0
    with write_unit():
        db.session.execute(update(DayVersion).values(version=2))
    assert value() == 2, "the refusal left the session usable"


def test_what_needs_a_unit_says_so(inside):
    with pytest.raises(WriteOutsideUnit):
        require_unit()
    with pytest.raises(WriteOutsideUnit):
        locked(select(DayVersion))
    with write_unit() as unit:
        assert require_unit() is unit


def test_raising_rolls_everything_back(counter):
    def fail() -> None:
        with write_unit():
            db.session.execute(update(DayVersion).values(version=5))
            db.session.add(DayVersion(day=date(2027, 1, 1), version=1))
            db.session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert value() == 0
    assert db.session.scalars(select(DayVersion.day)).all() == [DAY]


def test_what_was_read_before_is_read_again_inside(app, counter):
    row = db.session.get(DayVersion, DAY)
    assert row.version == 0

    def other() -> None:
        with write_unit():
            db.session.execute(update(DayVersion).values(version=41))

    elsewhere(app, other)
    with write_unit():
        row.version += 1
    assert value() == 42


def test_reading_then_writing_from_eight_threads_loses_nothing(app, counter):
    rounds, threads = 10, 8
    start = threading.Barrier(threads)

    def count() -> None:
        with app.app_context():
            start.wait()
            for _ in range(rounds):
                db.session.get(DayVersion, DAY)  # a request reads first, for its page or its checks
                with write_unit():
                    row = db.session.scalars(locked(select(DayVersion).where(DayVersion.day == DAY))).one()
                    row.version = row.version + 1

    workers = [threading.Thread(target=count) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert value() == rounds * threads


def test_a_lock_that_cannot_be_had_is_busy_and_nothing_changed(counter, databases, engine_name, tmp_path, clock):
    """Another connection holds the row (on SQLite: the only writer's place) for longer than this one waits."""
    url = db.engine.url.render_as_string(hide_password=False)
    hasty = make_app(url, tmp_path)
    with hasty.app_context():
        options = {"timeout": 0.1} if engine_name == "sqlite" else {"options": "-c lock_timeout=100ms"}
        event.listen(db.engine, "do_connect", lambda _dialect, _record, _args, settings: settings.update(options))

        def write() -> None:
            with write_unit():
                db.session.scalars(locked(select(DayVersion))).all()
                db.session.execute(update(DayVersion).values(version=1))

        with sqlalchemy.create_engine(url).begin() as holder:
            holder.execute(text("UPDATE day_version SET version = version"))
            with pytest.raises(Busy):
                write()
        db.engine.dispose()
    assert value() == 0


def test_actions_after_the_commit_run_once_and_never_after_a_failure(app, counter):
    seen: list[int] = []

    def look() -> None:
        elsewhere(app, lambda: seen.append(value()))

    with write_unit() as unit:
        db.session.execute(update(DayVersion).values(version=3))
        unit.after_commit("look", look)
        unit.after_commit("look", look)
        assert seen == []
    assert seen == [3]

    def fail() -> None:
        with write_unit() as unit:
            unit.after_commit("look", look)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [3]


def test_a_hook_may_still_refuse(counter, monkeypatch):
    def refuse(_unit: units.UnitOfWork) -> None:
        raise PermissionError

    monkeypatch.setattr(units, "before_commit", [refuse])

    def write() -> None:
        with write_unit():
            db.session.execute(update(DayVersion).values(version=5))

    with pytest.raises(PermissionError):
        write()
    assert value() == 0


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_reading_needs_no_transaction(counter, engine_name):
    db.session.get(DayVersion, DAY)
    psycopg_connection = db.session.connection().connection.dbapi_connection
    assert psycopg_connection.info.transaction_status.name == "IDLE"
    with write_unit():
        db.session.get(DayVersion, DAY)
        psycopg_connection = db.session.connection().connection.dbapi_connection
        assert psycopg_connection.info.transaction_status.name == "INTRANS"


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_connection_that_ended_while_it_rested_is_replaced(app, counter, engine_name, monkeypatch):
    monkeypatch.setattr("coworking.core.db.LONG_REST", 0.0)
    db.session.rollback()
    db.engine.dispose()  # so that there is one connection to end
    rested = db.session.scalar(text("SELECT pg_backend_pid()"))
    db.session.rollback()
    others = sqlalchemy.create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with others.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": rested})
    others.dispose()
    assert db.session.scalar(text("SELECT pg_backend_pid()")) != rested
    assert value() == 0


def test_a_snapshot_sees_one_instant(app, counter):
    def other() -> None:
        with write_unit():
            db.session.execute(update(DayVersion).values(version=41))

    with snapshot():
        statement = select(DayVersion.version)
        assert db.session.scalar(statement) == 0
        elsewhere(app, other)
        assert db.session.scalar(statement) == 0
        with snapshot():
            assert db.session.scalars(statement.execution_options(yield_per=10)).all() == [0]
        assert db.session.scalar(statement) == 0
    assert value() == 41


def test_nothing_is_written_in_a_snapshot(counter):
    with pytest.raises(WriteOutsideUnit), snapshot():
        db.session.execute(update(DayVersion).values(version=9))
    with pytest.raises(WriteOutsideUnit, match="unit is open"), write_unit(), snapshot():
        pass
    assert value() == 0
