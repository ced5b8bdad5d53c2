"""Which rows the chains cover, what the digest of a row is, and what a unit of work still has to seal.

``@sealed("money")`` on a model: whatever a unit inserts, changes or deletes there is noted by the mapper's own events, and
`coworking.core.chain` signs it as the unit's last act. ``@sealed("trail")``: the rows are written by bookings too, which
must not queue for a chain; a job seals them within a minute (`coworking.core.trail`).

A digest covers every column of its row but those declared as ``may_change``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from typing import Any, Literal, TypeVar, Unpack, cast

from sqlalchemy import LargeBinary, Select, Table, bindparam, event, inspect, select, update
from sqlalchemy.orm import DeclarativeBase, Mapper, ORMExecuteState, Session, object_session

from coworking.core.db import db
from coworking.core.units import require_unit

ChainName = Literal["money", "trail"]
MONEY: ChainName = "money"
TRAIL: ChainName = "trail"

_AT_ONCE = 500

_NOTED = "sealing_noted"
"""Execution option of a statement whose rows are noted by whoever executes it."""

Class = TypeVar("Class", bound=type[DeclarativeBase])


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table that a chain covers. ``may_change``: its columns that no digest covers. ``said``: old and new values of its
    rows are written into the entry itself."""

    chain: ChainName
    table: Table
    may_change: frozenset[str]
    said: bool

    @property
    def key(self) -> str:
        """The name of its primary key, which is one integer."""
        return next(iter(self.table.primary_key)).name

    @property
    def columns(self) -> list[str]:
        """The names of all its columns."""
        return [column.name for column in self.table.columns]

    @property
    def is_heavy(self) -> bool:
        """Whether its rows hold files: read few at a time."""
        return any(isinstance(column.type, LargeBinary) for column in self.table.columns)


@dataclass(slots=True)
class Note:
    """What became of one row in a unit. ``digest`` is known at once only for a row that was removed.

    ``was``: the row's digest before the unit; None for one that the unit made.
    """

    act: Literal["made", "changed", "removed"]
    digest: str | None = None
    was: str | None = None
    said: dict[str, list[Any]] | None = None


SEALED: dict[str, Sealed] = {}
"""Every covered table by name; complete once the application's models are loaded."""


class NotNoted(RuntimeError):
    """A programming error: a statement writes to a sealed table without `coworking.core.sql` or `update_rows`."""


def sealed(chain: ChainName, *, may_change: Sequence[str] = (), said: bool = False) -> Callable[[Class], Class]:
    """Let ``chain`` cover the rows of the decorated model."""

    def register(model: Class) -> Class:
        table = cast(Table, model.__table__)
        unknown = set(may_change) - set(table.columns.keys())
        if unknown or len(table.primary_key) != 1:
            raise ValueError(f"{table.name}: {unknown or 'a row must be named by one integer'}")
        SEALED[table.name] = Sealed(chain, table, frozenset(may_change), said)
        if chain == MONEY:
            event.listen(model, "after_insert", _inserted)
            event.listen(model, "after_update", _updated)
            event.listen(model, "after_delete", _deleted)
        return model

    return register


def covered(chain: ChainName) -> list[Sealed]:
    """The tables of one chain, by name."""
    return [SEALED[name] for name in sorted(SEALED) if SEALED[name].chain == chain]


def row_digest(kind: Sealed, row: Mapping[str, Any]) -> str:
    """The hex SHA-256 of a row: compact JSON of its covered columns, sorted by name.

    What is NULL is left out, so a column that a later version adds leaves old digests as they are until it says something.
    Files stand for themselves by their own SHA-256, instants in UTC with microseconds.
    """
    plain = {
        name: plain_value(value) for name, value in row.items() if value is not None and name not in kind.may_change
    }
    return digest_of_text(json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


@cache
def _rows_by_key(kind: Sealed) -> Select[Unpack[tuple[Any, ...]]]:
    return select(kind.table).where(kind.table.columns[kind.key].in_(bindparam("keys", expanding=True)))


def digests_of(kind: Sealed, keys: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The keys and digests of rows as the database holds them."""
    for start in range(0, len(keys), _AT_ONCE):
        found = db.session.execute(_rows_by_key(kind), {"keys": keys[start : start + _AT_ONCE]})
        for row in found.mappings():
            yield row[kind.key], row_digest(kind, dict(row))


def rows_digest(digests: Iterable[str]) -> str:
    """One digest for several: of their hex forms, one a line."""
    return digest_of_text("\n".join(digests))


def digest_of_text(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def plain_value(value: Any) -> Any:
    """``value`` of a column as JSON holds it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return sha256(value).hexdigest() if isinstance(value, bytes) else value


# Noting ---------------------------------------------------------------------------------------------------------------


def note_made(model: type[DeclarativeBase], keys: Iterable[int]) -> None:
    """Rows of ``model`` were inserted past the mapper in the open unit. Tables that no unit seals are let through."""
    name = cast(Table, model.__table__).name
    if name in SEALED and SEALED[name].chain == MONEY:
        noted: dict[tuple[str, int], Note] = require_unit().noted
        for key in keys:
            noted[name, key] = _made(noted.get((name, key)))


def is_sealed(model: type[DeclarativeBase]) -> bool:
    """Whether the money chain covers ``model``, so that its rows change through the session or `update_rows` alone."""
    kind = SEALED.get(cast(Table, model.__table__).name)
    return kind is not None and kind.chain == MONEY


def update_rows(model: type[DeclarativeBase], keys: Sequence[int], **values: Any) -> None:
    """UPDATE rows of a sealed ``model`` by primary key in one statement of the open unit."""
    unit, name = require_unit(), cast(Table, model.__table__).name
    key = inspect(model).primary_key[0]
    was = dict(digests_of(SEALED[name], [one for one in keys if (name, one) not in unit.noted]))
    db.session.execute(update(model).where(key.in_(keys)).values(**values), execution_options={_NOTED: True})
    for one in keys:
        unit.noted.setdefault((name, one), Note("changed", was=was.get(one)))


def noted_options() -> dict[str, Any]:
    """Execution options of an INSERT whose rows the caller notes."""
    return {_NOTED: True}


def _inserted(mapper: Mapper[Any], _connection: object, target: Any) -> None:
    kind, noted = _noted(mapper, target)
    said = {name: [None, plain_value(value)] for name, value in _values(kind, target).items() if value is not None}
    place = kind.table.name, _key(mapper, target)
    noted[place] = _made(noted.get(place), said if kind.said else None)


def _made(before: Note | None, said: dict[str, list[Any]] | None = None) -> Note:
    """A new row; or, where the unit had just removed the one whose id SQLite gives again, that row changed."""
    if before is not None and before.act == "removed":
        return Note("changed", was=before.was, said=said)
    return Note("made", said=said)


def _updated(mapper: Mapper[Any], _connection: object, target: Any) -> None:
    kind, noted = _noted(mapper, target)
    histories = {name: inspect(target).attrs[name].history for name in kind.columns}
    changed = {name: history for name, history in histories.items() if history.has_changes()}
    if not changed.keys() - kind.may_change:
        return
    note = noted.setdefault((kind.table.name, _key(mapper, target)), Note("changed", was=_digest_before(kind, target)))
    if kind.said:
        said = note.said = note.said or {}
        for name, history in changed.items():
            old = said[name][0] if name in said else plain_value((*history.deleted, None)[0])
            said[name] = [old, plain_value((*history.added, None)[0])]


def _deleted(mapper: Mapper[Any], _connection: object, target: Any) -> None:
    kind, noted = _noted(mapper, target)
    name, key = kind.table.name, _key(mapper, target)
    before = noted.pop((name, key), None)
    if before is None or before.act != "made":
        was = _digest_before(kind, target) if before is None else before.was
        noted[name, key] = Note("removed", row_digest(kind, _values(kind, target)), was)


def _digest_before(kind: Sealed, target: Any) -> str | None:
    """The digest of the row as it was read; None when something was set that had not been read."""
    before = _values(kind, target)
    for name in kind.columns:
        history = inspect(target).attrs[name].history
        if history.has_changes() and not history.deleted:
            return None
        before[name] = (*history.deleted, before[name])[0]
    return row_digest(kind, before)


def _values(kind: Sealed, target: Any) -> dict[str, Any]:
    return {name: getattr(target, name) for name in kind.columns}


def _key(mapper: Mapper[Any], target: Any) -> int:
    return mapper.primary_key_from_instance(target)[0]


def _noted(mapper: Mapper[Any], target: Any) -> tuple[Sealed, dict[tuple[str, int], Note]]:
    session = object_session(target)
    assert session is not None, "the mapper's events are fired by a session"
    return SEALED[cast(Table, mapper.local_table).name], session.info["unit"].noted


@event.listens_for(Session, "do_orm_execute")
def _refuse_unnoted(state: ORMExecuteState) -> None:
    """A bulk statement fires no mapper event: it must come from where its rows are noted."""
    if not (state.is_insert or state.is_update or state.is_delete) or state.execution_options.get(_NOTED):
        return
    table = getattr(state.statement, "table", None)
    kind = SEALED.get(getattr(table, "name", ""))
    if kind is not None and kind.chain == MONEY:
        raise NotNoted(f"{kind.table.name} is sealed: write it through the session, core.sql or update_rows")
