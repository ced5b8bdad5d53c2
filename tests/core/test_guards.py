"""What the database itself refuses, attacked with raw SQL past every service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from coworking.claims.models import Claim
from coworking.core import guards
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit

NINE = datetime(2026, 12, 1, 8, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NINE + timedelta(hours=hours)


def taken(resource, first: float, last: float, **values) -> int:
    """A claim on ``resource`` from ``first`` to ``last`` hours after nine; its id."""
    with write_unit():
        span = {"starts_at": at(first), "ends_at": at(last), "use_starts_at": at(first), "use_ends_at": at(last)}
        claim = Claim(resource_id=resource.id, holder_kind="block", holder_id=1, **(span | values))
        db.session.add(claim)
        db.session.flush()
        return claim.id


def raw(statement: str, *, now: datetime | None = None, **parameters) -> None:
    """Run SQL on a connection of its own, as any other program could."""
    micros = db.engine.dialect.name == "sqlite"
    for name, value in parameters.items():
        if isinstance(value, datetime) and micros:
            parameters[name] = round(value.timestamp() * 1_000_000)
    with db.engine.begin() as connection:
        connection.execute(text(statement), parameters)


def refusal(statement: str, **parameters) -> str | None:
    with pytest.raises(IntegrityError) as refused:
        raw(statement, **parameters)
    return guards.refused_by(refused.value)


INSERT = (
    "INSERT INTO claim (resource_id, holder_kind, holder_id, starts_at, ends_at, use_starts_at, use_ends_at, live, long, "
    "created_at) VALUES (:resource, 'block', 1, :first, :last, :first, :last, :live, :long, :first)"
)


def insert(resource, first: float, last: float, *, live: bool = True) -> dict:
    return {
        "statement": INSERT,
        "resource": resource.id,
        "first": at(first),
        "last": at(last),
        "live": live,
        "long": last - first > 24,
    }


@pytest.fixture
def desk(place, inside):
    """A desk that is taken from 10 to 12."""
    taken(place.desks[0], 1, 3)
    return place.desks[0]


@pytest.mark.parametrize(
    ("first", "last"),
    [(1, 3), (0, 1.01), (2.99, 4), (1.5, 2), (0, 4), (-100, 100), (-100, 1.01), (2.99, 100)],
    ids=["same", "head", "tail", "inside", "around", "long around", "long head", "long tail"],
)
def test_an_overlap_cannot_be_inserted(desk, first, last):
    assert refusal(**insert(desk, first, last)) == "claim_overlap"


@pytest.mark.parametrize(("first", "last"), [(0, 1), (3, 4), (-100, 1), (3, 100)])
def test_neighbours_can(desk, first, last):
    raw(**insert(desk, first, last))


def test_other_desks_and_released_time_can(desk, place):
    raw(**insert(place.desks[1], 1, 3))
    raw(**insert(desk, 1, 3, live=False))


def test_a_long_claim_refuses_short_ones_in_its_middle(place, inside):
    taken(place.desks[0], -2000, 2000, long=True)
    assert refusal(**insert(place.desks[0], 1, 2)) == "claim_overlap"
    assert refusal(**insert(place.desks[0], -500, 500)) == "claim_overlap"


@pytest.mark.parametrize("change", ["starts_at = :first, use_starts_at = :first", "resource_id = :other"])
def test_an_update_cannot_make_an_overlap(desk, place, change):
    later = taken(place.desks[0], 3, 5) if "starts_at" in change else taken(place.desks[1], 1, 3)
    moved = {"first": at(2)} if "starts_at" in change else {"other": desk.id}
    assert refusal(f"UPDATE claim SET {change} WHERE id = :id", id=later, **moved) == "claim_overlap"


@pytest.mark.parametrize("long", [True, False])
def test_a_flag_that_lies_hides_no_claim(place, inside, engine_name, long):
    """SQLite looks for long claims by their flag; PostgreSQL needs none."""
    first, last = (1, 2) if long else (-100, 100)
    attack = insert(place.desks[0], first, last) | {"long": long}
    if engine_name == "sqlite":
        assert refusal(**attack) == "claim_long"
    else:
        raw(**attack)
        assert refusal(**insert(place.desks[0], 1, 2)) == "claim_overlap"


def test_a_released_claim_cannot_be_restored_onto_taken_time(desk, place):
    with write_unit():
        db.session.execute(db.update(Claim).values(live=False))
    released = db.session.scalars(db.select(Claim.id)).one()
    taken(place.desks[0], 2, 4)
    assert refusal("UPDATE claim SET live = :live WHERE id = :id", live=True, id=released) == "claim_overlap"


def test_insert_or_replace_cannot_push_another_out(inside, desk, engine_name):
    """SQLite's REPLACE deletes what is in the way, but only on unique keys: an overlap is still refused."""
    statement = INSERT.replace("INSERT INTO", "INSERT OR REPLACE INTO") if engine_name == "sqlite" else INSERT
    assert refusal(**(insert(desk, 2, 4) | {"statement": statement})) == "claim_overlap"
    assert db.session.scalars(db.select(Claim.ends_at)).one() == at(3)


def test_a_claim_has_a_beginning_and_an_end(place, inside):
    for first, last in ((2, 2), (3, 2)):
        with pytest.raises(IntegrityError):
            raw(**insert(place.desks[0], first, last))


# The audit trail ------------------------------------------------------------------------------------------------------


@pytest.fixture
def entry(inside) -> int:
    with write_unit():
        row = AuditEntry(
            occurred_at=NINE, actor_id=1, action="test.done", subject_kind="booking", subject_id=1, details={}
        )
        db.session.add(row)
        db.session.flush()
        return row.id


ATTACKS = {
    "sqlite": [
        "UPDATE audit_entry SET actor_id = 2",
        "DELETE FROM audit_entry",
        "INSERT OR REPLACE INTO audit_entry (id, occurred_at, action, subject_kind, subject_id, details) "
        "SELECT id, 0, 'nothing', 'booking', 1, '{}' FROM audit_entry",
    ],
    "postgresql": [
        "UPDATE audit_entry SET actor_id = 2",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "TRUNCATE audit_entry CASCADE",
    ],
}


@pytest.mark.parametrize("number", range(4))
def test_the_audit_trail_is_written_once(entry, engine_name, number):
    attacks = ATTACKS[engine_name]
    assert refusal(attacks[number % len(attacks)]) == "audit_entry_append_only"
    assert db.session.scalars(db.select(AuditEntry.actor_id)).all() == [1]


# Whether the guards stand ---------------------------------------------------------------------------------------------

HARMS = {
    "sqlite": {
        "dropped": (["DROP TRIGGER claim_overlap_insert"], ["claim_overlap_insert: missing"]),
        "altered": (
            [
                "DROP TRIGGER audit_entry_append_only_delete",
                "CREATE TRIGGER audit_entry_append_only_delete BEFORE DELETE ON audit_entry WHEN 0 "
                "BEGIN SELECT RAISE(ABORT, 'guard:audit_entry_append_only'); END",
            ],
            ["audit_entry_append_only_delete: not as declared"],
        ),
        "unknown": (
            ["CREATE TRIGGER sneaky AFTER INSERT ON claim BEGIN UPDATE claim SET live = 0; END"],
            ["sneaky: not declared"],
        ),
    },
    "postgresql": {
        "dropped": (["ALTER TABLE claim DROP CONSTRAINT claim_overlap"], ["claim_overlap: missing"]),
        "altered": (
            [
                "CREATE OR REPLACE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql "
                "AS $$BEGIN RETURN OLD; END$$"
            ],
            ["audit_entry_append_only(): not as declared"],
        ),
        "disabled": (
            ["ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only"],
            ["audit_entry_append_only: not as declared"],
        ),
        "unknown: a rule": (["CREATE RULE sneaky AS ON INSERT TO claim DO INSTEAD NOTHING"], ["sneaky: not declared"]),
        "unknown: a namesake": (
            [
                "CREATE TRIGGER audit_entry_append_only BEFORE INSERT ON claim FOR EACH ROW "
                "EXECUTE FUNCTION audit_entry_append_only()"
            ],
            ["audit_entry_append_only: not as declared"],
        ),
        "unknown: no trigger fires": (
            ["SET LOCAL session_replication_role = replica"],
            ["session_replication_role: not declared"],
        ),
    },
}


@pytest.mark.parametrize("number", range(6))
def test_differences_notices_every_harm_and_install_heals_it(inside, engine_name, number):
    harms = list(HARMS[engine_name].items())
    name, (harm, seen) = harms[number % len(harms)]
    with db.engine.connect() as connection:
        transaction = connection.begin()
        assert guards.differences(connection) == []
        for statement in harm:
            connection.exec_driver_sql(statement)
        assert guards.differences(connection) == seen
        if not name.startswith("unknown"):
            guards.install(connection)
            assert guards.differences(connection) == []
        transaction.rollback()
        assert guards.differences(connection) == []


def test_a_lieu_without_its_guards_is_not_ready(client, app, databases, engine_name, tmp_path):
    from tests.conftest import make_app

    other = make_app(databases(engine_name), tmp_path)
    assert other.test_client().get("/readyz").status_code == 200
    with other.app_context():
        with db.engine.begin() as connection:
            connection.exec_driver_sql(HARMS[engine_name]["dropped"][0][0])
        db.engine.dispose()
    answer = other.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "missing" in answer.json["checks"]["guards"]
