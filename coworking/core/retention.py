"""How long things are kept, as each package declares it, and what therefore goes.

A declaration (`Keeps`) names rows and the instant from which their time runs. `purge` deletes (or empties) what is older, in
short units of `BATCH` rows; `forecast` says what it would do and changes nothing. Where ``choices`` are declared, the lieu
chooses among them (`choose`); all other times are fixed. What money's chains, closed months and the law need is declared
nowhere, and so stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Date, and_, delete, func, inspect, select, tuple_, update
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core import audit, place
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.errors import N_, DomainError, Forbidden, NotFound
from coworking.core.policy import SYSTEM, Actor, Role
from coworking.core.sql import inserted
from coworking.core.timespan import local_date
from coworking.core.types import UTCDateTime
from coworking.core.units import write_unit

log = logging.getLogger(__name__)

BATCH = 500
"""Rows of one unit, which holds the lock for some milliseconds."""
MOST_BATCHES = 20
"""Of one kind in one run: what is left goes ten minutes later."""
NEVER = 0
"""A choice: it stays until somebody deletes it."""


class NoSuchTime(DomainError):
    code = "no_such_time"
    message = N_("Choose one of the times of the list.")


class RetentionChoice(Model):
    """How many days the lieu keeps a ``kind`` for, where it chose another time than the declared one; 0: without limit."""

    __tablename__ = "retention_choice"

    kind: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    chosen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would go now (``rows``), from when the first of the rest goes (``next_on``), and how many rows are over their
    time and stay all the same (``exempt``), such as accounts that owe something."""

    rows: int
    next_on: date | None = None
    exempt: int = 0


@dataclass(frozen=True, slots=True)
class Keeps:
    """Rows of ``model`` are kept for ``days`` after ``since`` (a column, or an expression that has its type).

    ``title`` says what they are and ``why`` why so long, both marked with `N_`. ``only``: further conditions. ``empties``:
    columns that get these values instead of the rows being deleted; the conditions must then leave out rows that have them.
    ``choices``: times in days the lieu may choose among. ``by_the_minute``: it is looked for every ten minutes instead of
    once a day, and no line of the audit trail says what went. ``counts`` and ``goes`` replace the statements where deleting
    rows is not enough: they are given the instant before which is old.
    """

    kind: str
    title: str
    why: str
    model: Any
    since: Any
    days: int
    only: Callable[[], Sequence[ColumnElement[bool]]] = tuple
    empties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    choices: tuple[int, ...] = ()
    by_the_minute: bool = False
    counts: Callable[[datetime], Forecast] | None = None
    goes: Callable[[datetime], int] | None = None

    def old(self, before: datetime) -> ColumnElement[bool]:
        """The condition for rows that are over their time."""
        edge = local_date(before, place.clock()) if isinstance(self.since.type, Date) else before
        return and_(self.since < edge, *self.only())


_LOOKED = "coworking-retention"
"""Where an application keeps the day on which it last found nothing more to let go of."""
_declared: list[Keeps] = []


def declare(*keeps: Keeps) -> None:
    """Register how long a package keeps things; each module that does is imported once (`coworking.app`)."""
    _declared.extend(keeps)


def declared() -> tuple[Keeps, ...]:
    """Every declaration."""
    return tuple(_declared)


def days_of(chosen: Mapping[str, int], one: Keeps) -> int:
    """How many days something is kept; `NEVER`: without limit."""
    return chosen.get(one.kind, one.days) if one.choices else one.days


def chosen() -> dict[str, int]:
    """What the lieu chose, by kind."""
    rows = db.session.execute(select(RetentionChoice.kind, RetentionChoice.days))
    return {kind: days for kind, days in rows}  # noqa: C416 - a row is no pair to `dict`


def choose(actor: Actor, wanted: Mapping[str, int]) -> None:
    """Keep things for other times from now on, each of ``choices``. Raises `NoSuchTime`, `NotFound` or `Forbidden`."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    known = {one.kind: one for one in _declared if one.choices}
    for kind, days in wanted.items():
        if kind not in known:
            raise NotFound()
        if days not in known[kind].choices:
            raise NoSuchTime(field=kind)
    with write_unit():
        present = chosen()
        for kind, days in sorted(wanted.items()):
            before = days_of(present, known[kind])
            if days == before:
                continue
            if not inserted(RetentionChoice, kind=kind, days=days, chosen_at=now()):
                db.session.execute(
                    update(RetentionChoice).where(RetentionChoice.kind == kind).values(days=days, chosen_at=now())
                )
            audit.record(actor, "retention.chosen", ("retention", 0), kind=kind, before=before, after=days)


def forecast() -> Iterator[tuple[Keeps, int, Forecast]]:
    """What a purge would do now: each kind with its days. Nothing is changed."""
    present, instant = chosen(), now()
    for one in _declared:
        days = days_of(present, one)
        if days == NEVER and one.choices:
            yield one, days, Forecast(0)
            continue
        before = instant - timedelta(days=days)
        yield one, days, one.counts(before) if one.counts is not None else _counted(one, before, days)


def purge(*kinds: str) -> int:
    """Let go of everything that is over its time, or of some ``kinds`` alone; return how many rows."""
    present, instant, gone = chosen(), now(), 0
    for one in _declared:
        days = days_of(present, one)
        if (kinds and one.kind not in kinds) or (days == NEVER and one.choices):
            continue
        gone += _purge(one, instant - timedelta(days=days))
    return gone


def purge_due() -> int:
    """What the scheduled look lets go of: what goes by the minute, and once a local day (of this process) all the rest.

    A day on which there was something goes on with the next look, until nothing is left.
    """
    gone = purge(*(one.kind for one in _declared if one.by_the_minute))
    looked, today = current_app.extensions.get(_LOOKED), local_date(now(), place.clock())
    if looked == today:
        return gone
    daily = purge(*(one.kind for one in _declared if not one.by_the_minute))
    if not daily:
        current_app.extensions[_LOOKED] = today
    return gone + daily


def _purge(one: Keeps, before: datetime) -> int:
    if one.goes is not None:
        return one.goes(before)
    gone = 0
    for _turn in range(MOST_BATCHES):
        keys = _some(one, before)
        if not keys:
            break
        with write_unit():
            now_gone = _let_go(one, before, keys)
            if not one.by_the_minute and now_gone:
                audit.record(SYSTEM, "retention.purged", ("retention", 0), kind=one.kind, rows=now_gone)
        gone += now_gone
        if len(keys) < BATCH:
            break
    if gone:
        log.info("purged %s: %d", one.kind, gone)
    return gone


def _some(one: Keeps, before: datetime) -> list[Any]:
    """Keys of rows to let go of, read before the unit."""
    key = inspect(one.model).primary_key
    found = db.session.execute(select(*key).where(one.old(before)).limit(BATCH))
    return [tuple(row) for row in found]


def _let_go(one: Keeps, before: datetime, keys: Sequence[Any]) -> int:
    """Of those rows the ones that are still old: somebody may have changed one meanwhile."""
    key = inspect(one.model).primary_key
    these = key[0].in_([row[0] for row in keys]) if len(key) == 1 else tuple_(*key).in_(keys)
    statement: Any = update(one.model).values(**one.empties) if one.empties else delete(one.model)
    done = db.session.execute(statement.where(these, one.old(before)).execution_options(synchronize_session=False))
    return done.rowcount  # type: ignore[attr-defined] - a cursor result has one


def _counted(one: Keeps, before: datetime, days: int) -> Forecast:
    rows = db.session.scalar(select(func.count()).select_from(one.model).where(one.old(before))) or 0
    first = db.session.scalar(select(func.min(one.since)).where(*one.only(), ~one.old(before)))
    if first is None:
        return Forecast(rows)
    day = first if not isinstance(first, datetime) else local_date(first, place.clock())
    return Forecast(rows, day + timedelta(days=days + isinstance(one.since.type, Date)))
