"""Who is erased leaves nothing behind but what the law keeps: a walk over every personal column of every row.

On SQLite alone: the lieu is filled behind its guards. `tests/accounts/test_erasing.py` erases on both engines.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from coworking.accounts import erasing as accounts
from coworking.app import HANDLERS, MODELS
from coworking.core import clock as clocks
from coworking.core import erasing
from coworking.core.db import db
from coworking.core.privacy import seen_by
from tests.conftest import Clock, make_app
from tests.privacy.lieu import Filled, fill

for _module in (*MODELS, *HANDLERS):  # whichever test runs first
    importlib.import_module(_module)

NOT_OF_A_PERSON = {
    "agreement.*": "about an organisation",
    "audit_entry.details": "append-only: ids and plain facts, no names",
    "bank_line.*": "the bank's statement, ten years: a transfer names who made it",
    "bank_match.reason": "the same",
    "bank_upload.content": "a bank's file, until its columns are chosen",
    "cash_movement.note": "the drawer's, ten years",
    "day_message.*": "what the place wrote to all who came",
    "delivery.*": "about the network",
    "gateway_account.secrets": "the lieu's own keys",
    "head_link.email": "about the network",
    "idempotency_key.key": "48 hours",
    "import_file.*": "the lines of a file go when they are imported, after 7 days at most",
    "legal_settings.*": "the lieu's own",
    "lieu.*": "the lieu's own",
    "lieu_merge.changes": "about lieux",
    "mail_settings.*": "the lieu's own",
    "network_lieu.*": "about lieux",
    "online_payout.*": "the provider's, ten years",
    "online_payout_part.*": "the provider's, ten years",
    "organisation.*": "about an organisation",
    "refused_request.who": "a digest, until the day is over",
    "throttle.bucket": "a digest, 48 hours",
    "used_once.digest": "a digest, minutes",
}
"""``table.*``: all its personal columns."""


@pytest.fixture(scope="module")
def lieu(databases: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Filled]]:
    """A filled lieu of this module's own: it is changed here."""
    app, clock = make_app(databases("sqlite"), Path(tmp_path_factory.mktemp("erasing"))), Clock()
    with clocks.running_on(clock):
        with app.app_context():
            filled = fill(clock)
        yield app, filled
        with app.app_context():
            db.engine.dispose()


def _words() -> set[str]:
    """Every sentinel that stands in the database, but for what the migrations put there."""
    found: set[str] = set()
    for name in seen_by(db.metadata):
        table, column = name.split(".")
        for value in db.session.execute(text(f'SELECT "{column}" FROM "{table}"')).scalars():
            raw = value if isinstance(value, bytes) else str(value).encode()
            found |= set(re.findall(r"zq\d{4}x", re.sub("[^a-z0-9]", "", raw.decode("utf-8", "replace").lower())))
    return found


def _declared() -> tuple[set[str], set[str]]:
    """The personal columns that are forgotten, and those that are kept."""
    gone, kept = set[str](), set[str]()
    for one in erasing.declared():
        table = one.model.__tablename__
        every = {name for name in seen_by(db.metadata) if name.startswith(f"{table}.")}
        gone |= every if one.deletes else {f"{table}.{name}" for name in one.empties} & every
        kept |= {f"{table}.{name}" for name in one.keeps}
    return gone, kept


def _of_nobody() -> set[str]:
    return {name for name in seen_by(db.metadata) if {name, f"{name.split('.')[0]}.*"} & NOT_OF_A_PERSON.keys()}


def test_each_personal_column_says_what_becomes_of_it():
    gone, kept = _declared()
    of_nobody = {name for name in seen_by(db.metadata) if {name, f"{name.split('.')[0]}.*"} & NOT_OF_A_PERSON.keys()}
    assert seen_by(db.metadata).keys() - gone - kept - of_nobody == set(), "declare it in the package's forgetting.py"
    assert kept <= seen_by(db.metadata).keys() and not of_nobody & (gone | kept)


def test_nothing_is_left_of_who_is_erased_but_what_is_kept(lieu: tuple[Flask, Filled], monkeypatch):
    app, filled = lieu
    monkeypatch.setattr(erasing, "_hindrances", [])  # Anne owes, and may be collected from
    anne, meaning = filled.people["member"], filled.sentinels.meaning
    with app.app_context():
        before = _words()
        accounts.erase(anne.actor(), anne.public_id)
        after = _words()
    gone, kept = _declared()
    left = {meaning[word][0] for word in after if meaning[word][1] == ("person", anne.id)}
    assert left - _of_nobody() <= kept, "these hold something of her, and are not declared as kept"
    lost = {meaning[word] for word in before - after}
    assert {column for column, _subject in lost} <= gone
    assert {subject for _column, subject in lost} <= {("person", anne.id), None}, "nobody else loses anything"
    assert {"person.phone", "booking.title", "device.name", "draft_hold.reason"} <= {column for column, _ in lost}
