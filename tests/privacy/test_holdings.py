"""Who asks for their data gets everything about them, and nothing about anybody else: a walk over every column.

On SQLite alone: the lieu is filled behind its guards. `tests/accounts/test_my_data.py` makes copies on both engines.
"""

from __future__ import annotations

import importlib
import io
import re
import zipfile

import pytest
from flask import Flask
from sqlalchemy import inspect

from coworking.accounts import my_data
from coworking.app import HANDLERS, MODELS
from coworking.core import holdings
from coworking.core.db import db
from coworking.core.holding_words import HEADS
from coworking.core.privacy import seen_by
from tests.privacy.lieu import Filled

for _module in (*MODELS, *HANDLERS):  # whichever test runs first
    importlib.import_module(_module)

OF_NO_PERSON = {
    "delivery.*": "about the network",
    "gateway_account.*": "the lieu's own keys",
    "head_link.*": "about the network",
    "legal_settings.*": "the lieu's own",
    "lieu.*": "the lieu's own",
    "lieu_merge.*": "about lieux",
    "mail_settings.*": "the lieu's own",
    "network_lieu.*": "about lieux",
}
"""``table.*``: what is of nobody who could ask for it."""

AUTHORS = re.compile(r"(\w+_by|sender|actor)_id")
"""Columns that say who of the team did something to a row that is about another, or about the lieu."""


def _given() -> set[str]:
    """Each column (``table.column``) that some copy holds."""
    found: set[str] = set()
    for one in holdings.declared():
        found |= {f"{one.table}.{each.column.name}" for each in one.fields()}
        found |= {f"{one.table}.content"} if one.paper is not None else set()
    return found


def _left() -> set[str]:
    columns = {f"{one.table}.{name}" for one in holdings.declared() for name in one.leaves}
    return columns | {f"{table}.*" for one in holdings.left() for table in one.tables}


def _is_in(column: str, some: set[str]) -> bool:
    return bool({column, f"{column.split('.')[0]}.*"} & some)


def test_each_personal_column_is_given_or_says_why_it_is_not():
    given, left = _given(), _left() | OF_NO_PERSON.keys()
    forgotten = {name for name in seen_by(db.metadata) if not _is_in(name, given) and not _is_in(name, left)}
    assert forgotten == set(), "declare their table in the package's holding.py"


def test_each_row_that_names_a_person_is_given_or_says_why_it_is_not():
    """Whether it holds personal words or not: when somebody came is theirs too."""
    tables = {one.table for one in holdings.declared()} | {name for one in holdings.left() for name in one.tables}
    silent = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("person_id") and table.name not in tables
    }
    assert silent == set()
    authors = {
        column.name
        for table in db.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
        and not column.name.endswith("person_id")
    }
    assert {name for name in authors if not AUTHORS.fullmatch(name)} == set()


def test_what_is_declared_exists_and_has_words():
    for one in holdings.declared():
        columns = set(inspect(one.model).columns.keys())
        assert {*one.leaves, *one.only_if, *one.heads} <= columns, one.kind
    kinds = [one.kind for one in holdings.declared()]
    assert len(set(kinds)) == len(kinds) and len({one.title for one in holdings.declared()}) == len(kinds)
    assert {each.key for one in holdings.declared() for each in one.fields()} == HEADS.keys()


@pytest.mark.parametrize("part", ["member", "stranger", "colleague", "contact", "manager"])
def test_a_copy_holds_all_that_is_theirs_and_nothing_of_anybody_else(lieu: tuple[Flask, Filled], part: str):
    app, filled = lieu
    person, meaning = filled.people[part], filled.sentinels.meaning
    with app.test_request_context():
        copy = my_data.copy_of(person.actor(), person.public_id)
    with zipfile.ZipFile(io.BytesIO(copy.read())) as archive:
        said = b"".join(map(archive.read, archive.namelist())).decode("utf-8", "replace").lower()
    found = {meaning[word] for word in re.findall(r"zq\d{4}x", re.sub("[^a-z0-9]", "", said))}
    given = _given()
    anyone_else = {(column, who) for column, who in found if who not in {("person", person.id), None}}
    organisations = {(column, who) for column, who in anyone_else if who and who[0] == "organisation"}
    assert {column for column, _who in organisations} <= {"organisation.name", "organisation_invitation.email"}
    assert anyone_else - organisations == set(), "of somebody else"
    theirs = {column for column, who in meaning.values() if who == ("person", person.id)}
    if part not in {"member", "stranger"}:  # their names stand in their employer's invoices alone
        theirs.discard("invoice.payload")
    assert {column for column in theirs & given if (column, ("person", person.id)) not in found} == set(), "is missing"
    assert {column for column, who in found if who == ("person", person.id)} & _left() == set()
