"""The database alone: two live claims never overlap, whoever writes and however."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from coworking.claims import queries
from coworking.claims import services as claims
from coworking.claims.models import Claim
from coworking.claims.rules import ClaimConflict, Wanted
from coworking.core import guards
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.frontdesk.bars import bars
from tests.support.work import analysed, unknown

NINE = datetime(2026, 11, 26, 8, tzinfo=UTC)


def span(start: int, end: int) -> Span:
    """Minutes after nine."""
    return Span(NINE + timedelta(minutes=start), NINE + timedelta(minutes=end))


def take(resource_id: int, use: Span, **more: object) -> Claim:
    with write_unit():
        claims.take([Wanted(resource_id, use)], holder=("block", 1), **more)
    return db.session.scalars(select(Claim).order_by(Claim.id.desc()).limit(1)).one()


@pytest.mark.parametrize("other", [(0, 240), (-60, 60), (200, 300), (60, 120), (-60, 600), (239, 241), (-5000, 1)])
def test_an_overlap_is_refused(inside, place, other):
    desk = place.desks[0].id
    take(desk, span(0, 240))
    with pytest.raises(ClaimConflict):
        take(desk, span(*other))


@pytest.mark.parametrize("other", [(240, 300), (-60, 0), (-5000, 0), (240, 9000)])
def test_touching_is_not_overlapping(inside, place, other):
    desk = place.desks[0].id
    take(desk, span(0, 240))
    take(desk, span(*other))


def test_a_long_claim_is_seen_from_its_middle(inside, place):
    desk = place.desks[0].id
    take(desk, span(0, 60 * 24 * 30))
    with pytest.raises(ClaimConflict):
        take(desk, span(60 * 24 * 15, 60 * 24 * 15 + 60))


def test_an_expired_hold_gives_way_and_a_running_one_does_not(inside, place, clock):
    desk = place.desks[0].id
    take(desk, span(0, 60), expires_at=clock.now + timedelta(minutes=5))
    with pytest.raises(ClaimConflict):
        take(desk, span(0, 60))
    clock.advance(minutes=5)
    take(desk, span(0, 60))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_looking_at_a_day_does_not_read_the_history(inside, place, count_statements):
    """SQLite must find a day by its time, whatever else it could sort or filter by (PostgreSQL counts rows itself)."""
    with count_statements() as asked:
        queries.taken({desk.id for desk in place.desks}, span(0, 240), NINE)
        queries.taken({place.desks[0].id}, span(0, 240), NINE)
        bars(NINE.date(), span(0, 1440))
    cursor = db.session.connection().connection.cursor()
    plans = [
        " / ".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?")))
        for statement in asked
    ]
    for plan in plans:
        assert "SCAN claim" not in plan
        assert "ix_claim_starts_at (starts_at>? AND starts_at<?)" in plan, plan
        assert "ix_claim_resource_id_starts_at" not in plan


def _alone(question: str) -> str:
    """``question`` with parameters for the values of rows that it does not read itself."""
    own = set(re.findall(r"\b(?:AS|FROM|JOIN) (\w+)", question))
    return re.sub(r"(?<!')\b([A-Za-z_]+)\.\w+", lambda name: name[0] if name[1] in own else "?", question)


def questions_of(trigger: str) -> list[str]:
    """Each EXISTS (…) that a trigger asks, with parameters for the row that fires it."""
    found: list[str] = []
    for match in re.finditer(r"EXISTS \(", trigger):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(trigger[end], 0)
            end += 1
        found.append(_alone(trigger[match.start() : end]))
    return found


@pytest.mark.parametrize("known", [unknown, analysed], ids=["unknown to the planner", "analysed"])
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_no_trigger_reads_the_history(inside, place, known):
    """SQLite carries out what triggers ask like any query: each must be found by an index, bounded on both sides."""
    history = [Wanted(place.desks[0].id, span(-60 * hour, -60 * hour + 60)) for hour in range(1, 1500)]
    with write_unit():
        claims.take(history, holder=("block", 1))
    plans: dict[str, list[str]] = {}
    with known(db.engine):
        cursor = db.session.connection().connection.cursor()
        for name, ddl in cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall():
            for question in questions_of(ddl):
                cursor.execute(f"EXPLAIN QUERY PLAN SELECT {question}", (None,) * question.count("?"))
                steps = [row[3] for row in cursor.fetchall() if row[3].startswith(("SCAN ", "SEARCH "))]
                plans.setdefault(name, []).extend(steps)
    # The lines of one document, and what they come to, are read whole.
    small = re.compile(r"SCAN (CONSTANT ROW|line VIRTUAL TABLE .*|taken|billed)( LEFT-JOIN)?$")
    found = {name: [plan for plan in asked if not small.match(plan)] for name, asked in plans.items()}
    assert not {name: asked for name, asked in found.items() if any(plan.startswith("SCAN") for plan in asked)}
    for name in ("claim_overlap_insert", "claim_overlap_update"):
        short, long = found[name]
        assert "ix_claim_resource_id_starts_at (resource_id=? AND starts_at>? AND starts_at<?)" in short
        assert "ix_claim_resource_id_ends_at (resource_id=? AND ends_at>?)" in long


def test_releasing_what_ran_out_reads_running_holds_alone(inside, place, engine_name):
    found: list[str] = []
    history = [Wanted(place.desks[0].id, span(-60 * hour, -60 * hour + 60)) for hour in range(1, 1500)]
    with write_unit():
        claims.take(history, holder=("block", 1))
    if engine_name == "postgresql":  # its planner chooses by what it knows of the rows, SQLite's by the words
        with db.engine.begin() as connection:
            connection.execute(text("ANALYZE claim"))

    def explain(connection, _cursor, statement, parameters, _context, _many) -> None:
        if statement.startswith("UPDATE claim"):
            cursor = connection.connection.cursor()
            words = "EXPLAIN QUERY PLAN " if engine_name == "sqlite" else "EXPLAIN "
            cursor.execute(words + statement, parameters)
            found.append(" / ".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        take(place.desks[0].id, span(0, 60))
        claims.release_expired()
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
    assert len(found) == 2
    assert all("ix_claim_expires_at" in plan for plan in found), found


def test_nothing_gets_past_by_raw_sql(inside, place):
    desk = place.desks[0].id
    first = take(desk, span(0, 60))
    with write_unit():
        claims.release([db.session.get(Claim, first.id)])
    take(desk, span(30, 90))
    for attack in (
        "UPDATE claim SET live = :yes WHERE id = :id",
        "INSERT INTO claim (resource_id, holder_kind, holder_id, starts_at, ends_at, use_starts_at, use_ends_at, live, "
        "long, created_at) SELECT resource_id, holder_kind, holder_id, starts_at, ends_at, use_starts_at, use_ends_at, "
        ":yes, long, created_at FROM claim WHERE id = :id",
    ):
        with pytest.raises(IntegrityError) as refusal, write_unit():
            db.session.execute(text(attack), {"yes": True, "id": first.id})
        assert guards.refused_by(refusal.value) == "claim_overlap"
