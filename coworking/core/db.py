"""The database: one declarative base, and what each engine needs to keep our promises."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, event
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session

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


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


if TYPE_CHECKING:
    Model = Base  # whose constructor takes columns, as type checkers should see
else:
    Model = db.Model


class WriteOutsideUnit(RuntimeError):
    """A programming error: something tried to write without `coworking.core.units.write_unit`."""


def engine_options(url: str) -> dict[str, Any]:
    """SQLAlchemy engine options for ``url``."""
    if url.startswith("sqlite"):
        # The timeout is the wait for a writer's lock, in seconds.
        return {"connect_args": {"timeout": 15}, "pool_size": 10, "max_overflow": 20}
    return {
        "pool_size": 8,
        "max_overflow": 8,
        "pool_pre_ping": True,
        "connect_args": {"options": "-c timezone=UTC -c lock_timeout=15s -c idle_in_transaction_session_timeout=60s"},
    }


def prepare_engine(engine: Engine) -> None:
    """Attach the per-connection settings and the transaction modes of ``engine``'s dialect."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", sqlite_begin)


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGINs would come too late and without a mode
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # INSERT OR REPLACE must fire the guards too
        "cache_size=-16000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("fold", 1, _fold_or_none, deterministic=True)


def _fold_or_none(text: str | None) -> str | None:
    return None if text is None else fold(text)


def hurry(engine: Engine) -> None:
    """Let this process write without waiting for the disk: only for what can be made again from nothing."""

    def relax(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", relax)
        engine.dispose()


def sqlite_begin(connection: Connection) -> None:
    """Begin with the writer's lock when a unit of work asked for it, as a snapshot reader otherwise."""
    writes = connection.get_execution_options().get(WRITE_OPTION)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _in_unit(session: Session) -> bool:
    return "unit" in session.info


@event.listens_for(Session, "before_flush")
def _refuse_flush_outside_unit(session: Session, _context: object, _instances: object) -> None:
    if not _in_unit(session) and (session.new or session.deleted or any(map(session.is_modified, session.dirty))):
        raise WriteOutsideUnit("objects were changed outside write_unit()")


@event.listens_for(Session, "do_orm_execute")
def _refuse_dml_outside_unit(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not _in_unit(state.session):
        raise WriteOutsideUnit("an INSERT, UPDATE or DELETE was executed outside write_unit()")
