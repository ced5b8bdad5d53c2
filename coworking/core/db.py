"""The database: the declarative base, and the settings of each engine."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

import flask_sqlalchemy.session
from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Executable, MetaData, TextClause, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.pool import ConnectionPoolEntry

from coworking.core.search import fold

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

WRITE_OPTION = "write_unit"
"""Connection execution option: this transaction is going to write (SQLite must take its lock at BEGIN)."""

SNAPSHOT_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {},  # every transaction reads one instant
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""Connection execution options of a transaction whose reads all see one instant, by dialect."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class UnitSession(flask_sqlalchemy.session.Session):
    """Reads without a transaction where the engine allows it, and writes in one.

    PostgreSQL gives each statement of READ COMMITTED a snapshot of its own: around reads alone, BEGIN and ROLLBACK would
    be two more round trips that promise nothing. SQLite reads in a transaction, in which its snapshot stands still.
    """

    def get_bind(
        self,
        mapper: Any = None,
        clause: Any = None,
        bind: Engine | Connection | None = None,
        **_options: Any,
    ) -> Engine | Connection:
        """The one database: in transactions within a unit or a snapshot, statement by statement outside."""
        if bind is not None:
            return bind
        return db.engine if self.info.keys() & {"unit", "snapshot"} else current_app.extensions[READER]


READER = "coworking-reader"
"""Where an application keeps its engine for reads: the same connections, in other hands."""

db = SQLAlchemy(
    model_class=Base, disable_autonaming=True, session_options={"class_": UnitSession, "expire_on_commit": False}
)


if TYPE_CHECKING:
    Model = Base  # whose constructor takes columns, as type checkers should see
else:
    Model = db.Model


class WriteOutsideUnit(RuntimeError):
    """A programming error: something tried to write without `coworking.core.units.write_unit`."""


def engine_options(url: str) -> dict[str, Any]:
    """SQLAlchemy engine options for ``url``."""
    if url.startswith("sqlite"):
        # The timeout is the wait for a writer's lock, in seconds. What is warm goes on: each connection has a cache.
        return {"connect_args": {"timeout": 15}, "pool_size": 10, "max_overflow": 20, "pool_use_lifo": True}
    return {
        "pool_size": 8,
        "max_overflow": 8,
        "pool_use_lifo": True,  # what is warm goes on, what is not needed rests
        "connect_args": {
            "prepare_threshold": 2,  # a lieu has few requests: at the usual 5 most would still be planned each time
            # Compiling a query takes longer than any of ours runs, and the planner, short of statistics, often wants to.
            "options": "-c timezone=UTC -c lock_timeout=15s -c idle_in_transaction_session_timeout=60s -c jit=off",
        },
    }


def prepare_engine(engine: Engine) -> Engine:
    """Attach the per-connection settings and the transaction modes of ``engine``'s dialect; returns its reader."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", sqlite_begin)
        return engine
    _ask_the_rested(engine)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


LONG_REST = 1.0
"""Seconds after which a connection from the pool is asked whether it still lives. SQLAlchemy would ask each time, which
is a round trip for every request; a server that went away within the second costs one request its answer."""


def _ask_the_rested(engine: Engine) -> None:
    dialect = engine.dialect

    def rest(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    def wake(connection: DBAPIConnection, record: ConnectionPoolEntry, _fairy: object) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since <= LONG_REST:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection ended while it rested") from error  # the pool opens another

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", wake)


def _sqlite_connect(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    record.info["patience_ms"] = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.isolation_level = None  # the driver's own implicit BEGINs would come too late and without a mode
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # INSERT OR REPLACE must fire the guards too
        "cache_size=-2000",  # KiB for each of up to thirty connections; the system keeps the file's pages for all
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    add_functions(connection)


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection to SQLite the functions that indexes and queries use."""
    connection.create_function("fold", 1, _fold_or_none, deterministic=True)


def _fold_or_none(text: str | None) -> str | None:
    return None if text is None else fold(text)


def hurry(engine: Engine) -> None:
    """Let this process write without waiting for the disk: only for data that can be made again."""

    def relax(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-256000")  # KiB at most: random keys land anywhere in an index that grows

    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", relax)
        engine.dispose()


LOOK_AGAIN_S = 0.005


def sqlite_begin(connection: Connection) -> None:
    """Begin with the writer's lock when a unit of work asked for it, as a snapshot reader otherwise.

    SQLite itself sleeps up to 100 ms between two looks at a lock that others hold for 2 ms: with eight who write, half of
    the time nobody did. So we look every `LOOK_AGAIN_S`, for as long as the connection's own timeout says.
    """
    if not connection.get_execution_options().get(WRITE_OPTION):
        connection.exec_driver_sql("BEGIN")
        return
    driver, patience_ms = connection.connection.dbapi_connection, connection.info["patience_ms"]
    assert isinstance(driver, sqlite3.Connection)
    until = time.monotonic() + patience_ms / 1000
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            time.sleep(LOOK_AGAIN_S)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience_ms}")


def _in_unit(session: Session) -> bool:
    return "unit" in session.info


@event.listens_for(Session, "before_flush")
def _refuse_flush_outside_unit(session: Session, _context: object, _instances: object) -> None:
    if not _in_unit(session) and (session.new or session.deleted or any(map(session.is_modified, session.dirty))):
        raise WriteOutsideUnit("objects were changed outside write_unit()")


@event.listens_for(Session, "do_orm_execute")
def _refuse_dml_outside_unit(state: ORMExecuteState) -> None:
    writes = state.is_insert or state.is_update or state.is_delete or _is_written_out(state.statement)
    if writes and not _in_unit(state.session):
        raise WriteOutsideUnit("an INSERT, UPDATE or DELETE was executed outside write_unit()")


def _is_written_out(statement: Executable) -> bool:
    """Whether ``statement`` is SQL in words that does more than read."""
    reads = ("SELECT", "EXPLAIN", "PRAGMA")
    return isinstance(statement, TextClause) and not statement.text.lstrip().upper().startswith(reads)
