"""What was quoted and what was counted stay, attacked with raw SQL past every service."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from coworking.core import guards
from coworking.core.db import db
from coworking.core.types import UTCDateTime
from coworking.core.units import write_unit
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from tests.factories import make_subscription

NINE = datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.fixture
def quote(inside, place, cast) -> int:
    """A half-day on a subscription, held in the ledger; the quote's id."""
    subscription = make_subscription(cast.member)
    with write_unit():
        row = Quote(
            person_id=cast.member.id,
            payer_person_id=cast.member.id,
            cover="subscription",
            subscription_id=subscription.id,
            resource_id=place.desks[0].id,
            day=date(2026, 12, 1),
            half="am",
            starts_at=NINE,
            ends_at=NINE + timedelta(hours=4),
            unit="half_day",
            minutes=240,
            unit_cents=900,
            amount_cents=0,
            basis="ttc",
            vat_rate_bp=0,
        )
        db.session.add(row)
        db.session.flush()
        db.session.add(
            LedgerEntry(
                subscription_id=subscription.id,
                person_id=cast.member.id,
                month=date(2026, 12, 1),
                quote_id=row.id,
                kind="hold",
            )
        )
    db.session.rollback()
    return row.id


def raw(statement: str, **parameters: object) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement), parameters)


def refusal(statement: str, **parameters: object) -> str | None:
    with pytest.raises(IntegrityError) as refused:
        raw(statement, **parameters)
    return guards.refused_by(refused.value)


def test_every_column_of_a_quote_but_its_state_is_frozen():
    assert {*guards.QUOTE_FROZEN, "state", "released_at"} == set(Quote.__table__.columns.keys())


@pytest.mark.parametrize("column", guards.QUOTE_FROZEN)
def test_no_column_of_a_quote_can_be_changed(quote, column):
    kind = Quote.__table__.columns[column].type
    value = {
        "cover": "'free'",
        "half": "NULL",
        "unit": "'hour'",
        "basis": "'ht'",
        "day": "'2026-12-02'",
        "public_id": "'other'",
    }.get(column, f"coalesce({column}, 0) + 1")
    if isinstance(kind, UTCDateTime):
        value = f"{column} + 1" if db.engine.dialect.name == "sqlite" else f"{column} + interval '1 minute'"
    assert refusal(f"UPDATE quote SET {column} = {value}") == "quote_frozen"


def release() -> str:
    instant = "1" if db.engine.dialect.name == "sqlite" else "now()"
    return f"UPDATE quote SET state = 'released', released_at = {instant}"


def test_a_quote_goes_from_live_to_kept_to_released_and_never_back(quote):
    raw("UPDATE quote SET state = 'kept'")
    assert refusal("UPDATE quote SET state = 'live'") == "quote_frozen"
    raw(release())
    assert refusal("UPDATE quote SET state = 'kept', released_at = NULL") == "quote_frozen"
    assert refusal("UPDATE quote SET state = 'live', released_at = NULL") == "quote_frozen"


def test_a_quote_cannot_be_deleted(quote, engine_name):
    raw("UPDATE quote SET state = 'kept'")
    attacks = {
        "sqlite": [
            "DELETE FROM quote",
            "INSERT OR REPLACE INTO quote SELECT * FROM quote",
        ],
        "postgresql": ["DELETE FROM quote", "TRUNCATE quote CASCADE"],
    }
    for attack in attacks[engine_name]:
        assert refusal(attack) == "quote_frozen"


def test_the_ledger_is_written_once(quote, engine_name):
    attacks = {
        "sqlite": [
            "UPDATE ledger_entry SET kind = 'release'",
            "DELETE FROM ledger_entry",
            "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry",
        ],
        "postgresql": [
            "UPDATE ledger_entry SET kind = 'release'",
            "DELETE FROM ledger_entry",
            "TRUNCATE ledger_entry",
        ],
    }
    for attack in attacks[engine_name]:
        assert refusal(attack) == "ledger_entry_append_only"


def test_a_quote_is_held_and_released_once(quote):
    columns = "subscription_id, agreement_id, person_id, month, quote_id, kind, created_at"
    again = f"INSERT INTO ledger_entry ({columns}) SELECT {columns} FROM ledger_entry"
    with pytest.raises(IntegrityError):
        raw(again)
    raw(again.replace("quote_id, kind, created_at FROM", "quote_id, 'release', created_at FROM"))


@pytest.mark.parametrize(
    "change",
    [
        "payer_person_id, payer_organisation_id) SELECT payer_person_id, 1",
        "cover, amount_cents) SELECT 'subscription', 900",
    ],
)
def test_one_payer_and_nothing_owed_for_what_is_covered(quote, change):
    """The database checks what a quote may say at all."""
    named = [name.strip() for name in change.split(")")[0].split(",")]
    rest = [c.name for c in Quote.__table__.columns if c.name not in {*named, "id", "public_id"}]
    head, tail = change.split(") ")
    others = ", ".join(rest)
    with pytest.raises(IntegrityError):
        raw(f"INSERT INTO quote ({head}, public_id, {others}) {tail}, 'another', {others} FROM quote")
