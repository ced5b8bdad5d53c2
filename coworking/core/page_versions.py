"""The version of the lieu: one word that changes with everything that pages show of it.

The database writes it (`coworking.core.version_triggers`), whatever program changed the lieu, its zones, resources, days or
a person's name. Each version is drawn at random: a version that is the same means that everything is the same, also after
a rollback or a restored backup. What a worker keeps of the lieu stands under it, so that no change is seen late.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from flask import has_request_context
from sqlalchemy import CheckConstraint, TextClause, event, select
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, SessionTransaction, mapped_column
from sqlalchemy.sql.dml import UpdateBase

from coworking.core.db import Model, db
from coworking.core.version_triggers import SHOWN_OF_LIEU

T = TypeVar("T")

_INFO, _OF_REQUEST, _CHANGED = "lieu_version", "lieu_version_of_request", "lieu_changed"


class LieuVersion(Model):
    """The version of the lieu (a single row, id 1); no row before anything was written."""

    __tablename__ = "lieu_version"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str]


_VERSION = select(LieuVersion.version)
LIEU_VERSION = _VERSION.scalar_subquery()
"""A column for statements that a request carries out anyway: see `note_lieu_version`."""


def note_lieu_version(version: str | None) -> None:
    """Spare this transaction the question: ``version`` came with another statement's answer."""
    info = db.session().info
    info[_INFO] = info[_OF_REQUEST] = version


def lieu_version() -> str | None:
    """The version of the lieu; None while there is none, and nothing may be kept.

    None also in a unit that has itself changed the lieu: what it reads is its own until it is committed. Asked once per
    transaction. After its transactions a request goes on with what it was told last, unless it has changed the lieu.
    """
    info = db.session().info
    if "unit" in info and _CHANGED in info:
        return None
    if _INFO in info:
        return info[_INFO]
    if _OF_REQUEST in info and not info.keys() & {"unit", _CHANGED} and has_request_context():
        return info[_OF_REQUEST]
    version = db.session.scalar(_VERSION)
    note_lieu_version(version)
    return version


@event.listens_for(Session, "after_transaction_end")
def _ask_again(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_INFO, None)


@event.listens_for(Session, "before_flush")
def _note_changed_objects(session: Session, _context: object, _instances: object) -> None:
    changed = (*session.new, *session.deleted, *filter(session.is_modified, session.dirty))
    if any(getattr(row, "__tablename__", None) in SHOWN_OF_LIEU for row in changed):
        session.info[_CHANGED] = True


@event.listens_for(Session, "do_orm_execute")
def _note_changing_statement(state: ORMExecuteState) -> None:
    statement = state.statement
    table = getattr(statement.table, "name", None) if isinstance(statement, UpdateBase) else None
    if isinstance(statement, TextClause) or table in SHOWN_OF_LIEU:
        state.session.info[_CHANGED] = True


class Keep(Generic[T]):
    """The last few things that a process read or made, by key, shared by its threads; the key says what they rest on."""

    def __init__(self, size: int) -> None:
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock, self._size = Lock(), size

    def get(self, key: Hashable) -> T | None:
        """What is kept under ``key``."""
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, made: T) -> None:
        """Keep ``made`` under ``key``; what was used longest ago goes."""
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
