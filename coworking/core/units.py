"""Units of work: read freely, then write once, briefly, or not at all.

``with write_unit():`` ends whatever reading went before, opens a transaction that is meant to write (BEGIN IMMEDIATE on
SQLite), forgets every loaded object so that decisions rest on what is true *now*, and commits at the end of the block.
Raising rolls everything back. Nothing slow belongs inside: no Argon2, no rendering, no network.

This is the only file that commits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVarTuple, Unpack

from sqlalchemy import Select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from coworking.core.db import SNAPSHOT_OPTIONS, WRITE_OPTION, WriteOutsideUnit, db
from coworking.core.errors import Busy

log = logging.getLogger(__name__)

Ts = TypeVarTuple("Ts")


class UnitOfWork:
    """One running unit of work. ``result`` may name what it made, for hooks such as idempotency keys."""

    def __init__(self) -> None:
        self.result: str | None = None
        self.noted: dict[tuple[str, int], Any] = {}  # rows of sealed tables by table and key: `core.sealing`
        self._after_commit: dict[str, Callable[[], None]] = {}

    def after_commit(self, name: str, action: Callable[[], None]) -> None:
        """Run ``action`` once after a successful commit, whatever the number of calls with this ``name``.

        Only for wake-up messages: an action that fails is logged and not repeated. Work that must happen goes into the
        outbox.
        """
        self._after_commit[name] = action

    def run_after_commit(self) -> None:
        for name, action in self._after_commit.items():
            try:
                action()
            except Exception:
                log.warning("the wake-up message %s failed; the sweep will do its work", name, exc_info=True)


before_commit: list[Callable[[UnitOfWork], None]] = []
"""Hooks that packages above add: they run inside every unit, at its end, and may still write or refuse."""

last_before_commit: list[Callable[[UnitOfWork], None]] = []
"""The chain's hook (`core.chain`): it runs after all others, because the chain's head is locked last."""


@contextmanager
def write_unit(*, beside: bool = False) -> Iterator[UnitOfWork]:
    """Open the request's one write unit; see the module's text. Raises `Busy` when the lock cannot be had.

    ``beside``: for what is noted about a request when its own work is over or was refused; the hooks stay away.
    """
    session = db.session()
    if "unit" in session.info:
        raise WriteOutsideUnit("a write unit is already open: the inner service should call require_unit()")
    if session.new or session.deleted or any(map(session.is_modified, session.dirty)):
        raise WriteOutsideUnit("objects were changed before the write unit was opened")
    session.rollback()  # ends the read transaction and expires what it loaded
    unit = UnitOfWork()
    try:
        session.info["unit"] = unit  # from here on the session asks for a writer
        try:
            _begin_writing(session)
            yield unit
            for hook in (*(() if beside else before_commit), *last_before_commit):
                hook(unit)
            session.commit()
        finally:
            session.info.pop("unit", None)
    except OperationalError as error:
        session.rollback()
        if _is_lock_failure(error):
            raise Busy() from error
        raise
    except BaseException:
        session.rollback()
        raise
    unit.run_after_commit()


@contextmanager
def snapshot() -> Iterator[None]:
    """Reads within see one instant of the database, however long they take, and may stream (``yield_per``).

    For what compares many rows with each other. Reads outside see, statement by statement, what is committed by then.
    A snapshot within another is the same one.
    """
    session = db.session()
    if "unit" in session.info:
        raise WriteOutsideUnit("a write unit is open: it reads what it locked, and is short")
    if "snapshot" in session.info:
        yield
        return
    session.rollback()
    session.info["snapshot"] = True
    try:
        session.connection(execution_options=SNAPSHOT_OPTIONS[db.engine.dialect.name])
        yield
    finally:
        session.info.pop("snapshot", None)
        session.rollback()


def require_unit() -> UnitOfWork:
    """The open unit; raises when the caller forgot to open one."""
    unit = db.session().info.get("unit")
    if unit is None:
        raise WriteOutsideUnit("this must run inside write_unit()")
    return unit


def locked(statement: Select[Unpack[Ts]]) -> Select[Unpack[Ts]]:
    """``statement`` with FOR NO KEY UPDATE and fresh values.

    Lock in the order of `docs/locking.md`, each kind by id. SQLite has one writer at a time and ignores the clause. Only
    the first entity's rows are locked, not what is joined to it.
    """
    require_unit()
    return for_update(statement)


def for_update(statement: Select[Unpack[Ts]]) -> Select[Unpack[Ts]]:
    """As `locked`, for a statement that is built once, outside any unit, and carried out in many."""
    entity = statement.column_descriptions[0]["entity"]
    return statement.with_for_update(key_share=True, of=entity).execution_options(populate_existing=True)


def end_read() -> None:
    """Give the reader's connection back before something slow (hashing, rendering, a call) begins."""
    db.session().rollback()


def _begin_writing(session: Session) -> None:
    connection = session.connection(execution_options={WRITE_OPTION: True})
    if not connection.get_execution_options().get(WRITE_OPTION):
        raise WriteOutsideUnit("the connection was already in a transaction: its write mode was ignored")


def is_passing(error: Exception) -> bool:
    """Whether the database was only busy or away: the same may work a moment later."""
    return isinstance(error, OperationalError) and (error.connection_invalidated or _is_lock_failure(error))


def _is_lock_failure(error: OperationalError) -> bool:
    # SQLSTATE 55P03 lock_not_available, 40P01 deadlock_detected; SQLite says it in words.
    return getattr(error.orig, "sqlstate", None) in {"55P03", "40P01"} or "locked" in str(error.orig)
