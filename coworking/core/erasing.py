"""How people are forgotten: each package declares what becomes of what it knows of somebody.

A declaration (`Forgets`) names a table, the rows that are of a person, and for each personal column
(`coworking.core.privacy`) whether it is emptied or kept, and why. `forget` carries them out in the open unit.
`tests/privacy/test_erasing.py` walks over every declared column and finds nothing left of the person but what is kept.

What stands in the way of it, such as an invoice that is not paid, is said by whoever knows of it (`hindered_by`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, inspect, select, update

from coworking.core.db import db
from coworking.core.sealing import is_sealed, update_rows
from coworking.core.units import require_unit

LAW = "the law wants it kept for ten years"
PROOF = "it proves what was agreed to or issued, and others may rely on it"
SHORT = "it goes by itself"
LIEU = "it says what is to be done at the lieu, no longer who said so"


@dataclass(frozen=True, slots=True)
class Forgets:
    """How the table of ``model`` forgets a person: ``rows`` gives the condition for their rows.

    The rows are deleted (``deletes``), or their columns get the values of ``empties``. ``keeps``: personal columns that
    stay, each with the reason.
    """

    model: Any
    rows: Callable[[int], ColumnElement[bool]]
    deletes: bool = False
    empties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    keeps: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Something that must be done before somebody is forgotten: ``words`` for them, and the endpoint where they do it."""

    words: str
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Something of worth that goes with the account: ``words`` for its person, and where (``endpoint``) they get it back."""

    words: str
    endpoint: str


_declared: list[Forgets] = []
_hindrances: list[Callable[[int], Iterable[Hindrance]]] = []
_losses: list[Callable[[int], Iterable[Loss]]] = []


def declare(*forgets: Forgets) -> None:
    """Register how a package's tables forget somebody; each module that does is imported once (`coworking.app`)."""
    _declared.extend(forgets)


def declared() -> tuple[Forgets, ...]:
    """Every declaration."""
    return tuple(_declared)


def becomes() -> dict[str, str]:
    """What becomes of each declared column (``table.column``) in words: « goes », or why it stays."""
    found: dict[str, str] = {}
    for one in _declared:
        table = one.model.__table__
        gone = table.columns.keys() if one.deletes else one.empties
        found |= {f"{table.name}.{name}": "goes" for name in gone}
    return found | {f"{one.model.__table__.name}.{name}": why for one in _declared for name, why in one.keeps.items()}


def hindered_by(
    find: Callable[[int], Iterable[Hindrance]],
) -> Callable[[int], Iterable[Hindrance]]:
    """Register who tells what must be done before a person (by id) can be forgotten."""
    _hindrances.append(find)
    return find


def hindrances(person_id: int) -> list[Hindrance]:
    """Everything that must be done first."""
    return [one for find in _hindrances for one in find(person_id)]


def lost_with(find: Callable[[int], Iterable[Loss]]) -> Callable[[int], Iterable[Loss]]:
    """Register who tells what a person (by id) has left that is lost when they are forgotten."""
    _losses.append(find)
    return find


def losses(person_id: int) -> list[Loss]:
    """Everything of worth that is lost."""
    return [one for find in _losses for one in find(person_id)]


def forget(person_id: int) -> None:
    """Carry out every declaration for a person, in the open unit; doing it twice changes nothing more."""
    require_unit()
    for one in _declared:
        mine = one.rows(person_id)
        if one.deletes:
            db.session.execute(delete(one.model).where(mine).execution_options(synchronize_session=False))
        elif one.empties and is_sealed(one.model):
            key = inspect(one.model).primary_key[0]
            update_rows(one.model, list(db.session.scalars(select(key).where(mine))), **one.empties)
        elif one.empties:
            statement = update(one.model).where(mine).values(**one.empties)
            db.session.execute(statement.execution_options(synchronize_session=False))
