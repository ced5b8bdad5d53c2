"""How much the database reads for a block, counted by itself: asserted instead of timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from coworking.core import units
from coworking.core.db import db

STEP = 10


_FORGET_SQLITE = ("DELETE FROM sqlite_stat1",)
# Tables that were small when they were analysed are read whole by whatever test fills them next.
_FORGET_POSTGRESQL = (
    "SET LOCAL allow_system_table_mods = on",
    "UPDATE pg_class SET reltuples = -1, relpages = 0 "
    "WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace",
    "DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)",
)


@contextmanager
def analysed(engine: Engine) -> Iterator[None]:
    """The planner knows the rows within the block as ANALYZE finds them, and nothing again afterwards."""
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    try:
        yield
    finally:
        db.session.rollback()
        _forget(engine)


@contextmanager
def unknown(engine: Engine) -> Iterator[None]:
    """The planner knows nothing of the rows within the block, whatever tests before this one left behind."""
    if engine.dialect.name == "postgresql":
        _forget(engine)
    yield


def _forget(engine: Engine) -> None:
    db.session.rollback()
    with engine.begin() as connection:
        for statement in _FORGET_SQLITE if engine.dialect.name == "sqlite" else _FORGET_POSTGRESQL:
            connection.exec_driver_sql(statement)
    engine.dispose()  # each connection keeps what it has read of the statistics


class Work:
    """What a block cost: SQLite's virtual machine steps by tens, triggers included; or the rows PostgreSQL read."""

    def __init__(self) -> None:
        self.amount = 0


@contextmanager
def worked(engine: Engine) -> Iterator[Work]:
    """Add up what the block costs: on SQLite everywhere, on PostgreSQL within its units of work."""
    work = Work()
    db.session.rollback()
    engine.dispose()  # a connection keeps plans of small tables until an ANALYZE, which autovacuum does elsewhere
    count = _count_steps if engine.dialect.name == "sqlite" else _count_rows
    with count(engine, work):
        yield work


@contextmanager
def _count_steps(engine: Engine, work: Work) -> Iterator[None]:
    def step() -> int:
        work.amount += 1
        return 0

    def watch(_dbapi: Any, _record: Any, proxy: Any) -> None:
        proxy.dbapi_connection.set_progress_handler(step, STEP)

    def let_go(dbapi: Any, _record: Any) -> None:
        dbapi.set_progress_handler(None, STEP)

    db.session.rollback()  # gives its connection back, so that the block begins by taking one out
    event.listen(engine, "checkout", watch)
    event.listen(engine, "checkin", let_go)
    try:
        yield
    finally:
        db.session.rollback()
        event.remove(engine, "checkout", watch)
        event.remove(engine, "checkin", let_go)


_READ = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"


@contextmanager
def _count_rows(engine: Engine, work: Work) -> Iterator[None]:
    before = 0

    def read(connection: Connection) -> int:
        return int(connection.exec_driver_sql(_READ).scalar() or 0)

    def begin(connection: Connection) -> None:
        nonlocal before
        # PostgreSQL rightly reads and joins small tables whole: let it choose as it would among large ones.
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        before = read(connection)  # what this connection read earlier and has not reported yet

    def end(_unit: units.UnitOfWork) -> None:
        work.amount += read(db.session.connection()) - before

    event.listen(engine, "begin", begin)
    units.before_commit.append(end)
    try:
        yield
    finally:
        units.before_commit.remove(end)
        event.remove(engine, "begin", begin)
