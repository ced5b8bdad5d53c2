"""What the lieu holds about a person, as each package declares it: for the copy that the person may ask for.

A declaration (`Holds`) names a table and the rows that are about somebody. Every column of them is given, unless ``leaves``
says why not: so a new column is in the copy by itself. `tests/privacy/test_holdings.py` walks over every personal column
(`coworking.core.privacy`) and every column that refers to a person.

Nobody else stands in it. A column that refers to a person says « you » or « somebody else »; a value that is theirs on one
condition only, such as a price that their employer pays, is empty otherwise (``only_if``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Label,
    LargeBinary,
    Select,
    String,
    case,
    inspect,
    null,
    select,
)

from coworking.core.db import db
from coworking.core.errors import N_
from coworking.core.holding_words import HEADS
from coworking.core.sql import table_of

SECRET = N_("It opens the account or is made to check what does: it belongs in no file.")
ELSEWHERE = N_("It stands in another file of this copy.")
LINK = N_("A link or number of the payment provider, of use to nobody but the lieu.")
ORGANISATION = N_("It is about an organisation.")
THE_LIEU = N_("It is about the lieu, or was said to everybody.")
OTHERS = N_("It may name other people. Ask the lieu if you need it.")
SEAL = N_("A seal that shows whether the row was altered.")
MINUTES = N_("A digest that goes by itself, from which nobody can be named.")

_PERSON = "person"
_LOOSE = ("actor_id", "person_id")
"""Columns that hold the id of a person without a foreign key: what they belong to outlives the account."""
_NAMES = ("name", "number", "public_id")


@dataclass(frozen=True, slots=True)
class Holds:
    """Rows of ``model`` about a person: ``kind`` is their key in JSON, ``title`` what people read (marked with `N_`).

    They are those whose column ``of`` is the person, or those that ``rows`` finds. ``leaves``: columns that are not given,
    each with the reason; ``only_if``: columns that are given only of rows that fulfil a condition; ``heads``: words for
    columns where `coworking.core.holding_words` has others. ``paper``: which of the columns names the PDF that each row
    keeps in ``content``.
    """

    kind: str
    title: str
    model: Any
    of: str = "person_id"
    rows: Callable[[int], ColumnElement[bool]] | None = None
    leaves: Mapping[str, str] = field(default_factory=dict[str, str])
    only_if: Mapping[str, Callable[[int], ColumnElement[bool]]] = field(
        default_factory=dict[str, Callable[[int], ColumnElement[bool]]]
    )
    heads: Mapping[str, str] = field(default_factory=dict[str, str])
    paper: Callable[[], ColumnElement[Any]] | None = None

    @property
    def table(self) -> str:
        return str(table_of(self.model).name)

    def where(self, person_id: int) -> ColumnElement[bool]:
        """The condition for the rows about a person."""
        return self.rows(person_id) if self.rows is not None else getattr(self.model, self.of) == person_id

    def fields(self) -> list[HeldValue]:
        """What is given of each row, in the order of the table."""
        return [
            HeldValue(_key(column), self.heads.get(column.name) or HEADS[_key(column)], column)
            for column in table_of(self.model).columns
            if column.name not in self.leaves and not self._goes_without_saying(column)
        ]

    def _goes_without_saying(self, column: Column[Any]) -> bool:
        """Whose row it is, ids that number rows within the database, and papers, which are files of their own."""
        if column.name == self.of and self.rows is None:
            return True
        if self.paper is not None and isinstance(column.type, LargeBinary):
            return True
        return isinstance(column.type, BigInteger | Integer) and (
            column.name == "id" or (column.name.endswith("_id") and not column.foreign_keys and not _is_person(column))
        )


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A value of each row: its ``key`` in JSON, its ``head`` in a table (marked with `N_`), and its ``column``."""

    key: str
    head: str
    column: Column[Any]

    @property
    def is_person(self) -> bool:
        """Whether its value is True for « you » and False for somebody else."""
        return _is_person(self.column)

    @property
    def is_cents(self) -> bool:
        return self.key.endswith("cents")


@dataclass(frozen=True, slots=True)
class Left:
    """Tables that are in nobody's copy: their ``title`` and ``why``, both marked with `N_`."""

    title: str
    why: str
    models: tuple[Any, ...]

    @property
    def tables(self) -> list[str]:
        return [str(table_of(model).name) for model in self.models]


_declared: list[Holds] = []
_left: list[Left] = []


def declare(*holds: Holds) -> None:
    """Register what a package holds about people; each module that does is imported once (`coworking.app`)."""
    _declared.extend(holds)


def leave(why: str, title: str, *models: Any) -> None:
    """Register tables that are in nobody's copy: what they are, and why (both marked with `N_`)."""
    _left.append(Left(title, why, models))


def declared() -> tuple[Holds, ...]:
    """Every declaration, what is nearest to the person first."""
    return tuple(_declared)


def left() -> tuple[Left, ...]:
    """What is in nobody's copy."""
    return tuple(_left)


def rows_of(one: Holds, person_id: int) -> Iterator[tuple[Any, ...]]:
    """The rows about a person, the oldest first, with the values of `Holds.fields`; they stream within a snapshot."""
    statement = select(*(_value(one, each, person_id) for each in one.fields()))
    return _stream(one, person_id, statement)


def rows_of_records(one: Holds, records: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The rows about a person, whichever of their records (ids) they name."""
    return (row for person_id in records for row in rows_of(one, person_id))


def papers_of(one: Holds, person_id: int) -> Iterator[tuple[str, bytes]]:
    """The name (without « .pdf ») and the content of each PDF of theirs that was drawn."""
    assert one.paper is not None
    for name, content in _stream(one, person_id, select(one.paper(), one.model.content), at_once=1):
        if content:
            yield str(name), content


def _stream(one: Holds, person_id: int, statement: Select[Any], *, at_once: int = 200) -> Iterator[tuple[Any, ...]]:
    statement = statement.select_from(one.model).where(one.where(person_id)).order_by(*inspect(one.model).primary_key)
    for row in db.session.execute(statement.execution_options(yield_per=at_once)):
        yield tuple(row)


def _key(column: Column[Any]) -> str:
    """« organisation » of ``organisation_id``; « id » of ``public_id``, the only one by which others know a row."""
    if column.name == "public_id":
        return "id"
    return column.name.removesuffix("_id") if column.foreign_keys or _is_person(column) else column.name


def _is_person(column: Column[Any]) -> bool:
    return column.name in _LOOSE or any(key.column.table.name == _PERSON for key in column.foreign_keys)


def _value(one: Holds, each: HeldValue, person_id: int) -> Label[Any]:
    column: ColumnElement[Any] = each.column
    if each.is_person:
        column = case((each.column.is_(None), null()), (each.column == person_id, True), else_=False)
    elif each.column.foreign_keys:
        column = _named(each.column)
    if (condition := one.only_if.get(each.column.name)) is not None:
        column = case((condition(person_id), column), else_=null())
    return column.label(each.key)


def _named(column: Column[Any]) -> ColumnElement[Any]:
    """What a row is called to which ``column`` refers: its name, its number, or its public id."""
    target = next(iter(column.foreign_keys)).column.table.alias()
    name = next(
        (target.c[name] for name in _NAMES if name in target.c and isinstance(target.c[name].type, String)), None
    )
    if name is None:
        return column
    return select(name).where(target.c.id == column).scalar_subquery()
