"""Closed months in the database."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from coworking.core import guards
from coworking.core.db import db
from coworking.core.months import read_month
from coworking.core.units import write_unit
from coworking.statistics import queries, return_rules, schema
from coworking.statistics.envelope import envelope
from coworking.statistics.models import MonthlyReturn
from tests.statistics.returns import any_return, plain

OCTOBER = date(2026, 10, 1)
_revisions = itertools.count(2)


def stored(document) -> MonthlyReturn:
    own = {name: document[name] for name in document.keys() & MonthlyReturn.__table__.columns.keys()}
    own |= {
        "month": read_month(document["month"]),
        "generated_at": datetime.fromisoformat(document["generated_at"]),
        "figures": schema.canonical(document["figures"]).decode(),
    }
    with write_unit():
        row = MonthlyReturn(**own)
        db.session.add(row)
    return row


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=any_return())
def test_a_return_comes_out_as_it_went_in(inside, document):
    document = document | {"revision": next(_revisions)}  # each example stays: nothing may delete it
    row = stored(document)
    db.session.expire_all()
    found = envelope(row)
    made = datetime.fromisoformat(document["generated_at"])
    assert datetime.fromisoformat(found.pop("generated_at")) == made
    assert found == {name: value for name, value in document.items() if name != "generated_at"}
    assert return_rules.check_return(envelope(row), at=made + timedelta(days=1))


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE monthly_return SET figures = '{}'",
        "UPDATE monthly_return SET status = 'provisional'",
        "DELETE FROM monthly_return",
    ],
)
def test_a_closed_month_is_never_rewritten(inside, attack):
    row = stored(plain())
    with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
        connection.execute(text(attack))
    assert guards.refused_by(refused.value) == "monthly_return_append_only"
    db.session.expire_all()
    assert envelope(row)["figures_sha256"] == schema.digest(row.figures.encode())


def test_a_revision_is_stored_once(inside):
    stored(plain())
    with pytest.raises(IntegrityError):
        stored(plain())


def test_the_highest_revision_counts(inside, count_statements):
    stored(plain(status="provisional"))
    stored(plain(revision=2))
    last = stored(plain(revision=3, status="restatement", reason="Two half-days were confirmed late."))
    stored(plain(month="2026-09", generated_at="2026-10-05T06:00:00Z", figures=_of_september()))
    assert [row.revision for row in queries.revisions(OCTOBER)] == [1, 2, 3]
    assert queries.latest(OCTOBER).id == last.id == queries.closed(OCTOBER).id
    with count_statements() as seen:
        found = queries.latest_of([OCTOBER, date(2026, 9, 1), date(2026, 8, 1)])
    assert {month: row.revision for month, row in found.items()} == {OCTOBER: 3, date(2026, 9, 1): 1}
    assert len(seen) == 1, seen
    assert queries.latest(date(2026, 8, 1)) is None
    with pytest.raises(queries.NotClosed):
        queries.closed(date(2026, 8, 1))


def _of_september() -> dict:
    figures = plain()["figures"]
    return {**figures, "peak_at": datetime(2026, 9, 8, 8, tzinfo=UTC).isoformat()}
