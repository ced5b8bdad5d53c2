"""The trail is sealed by a job: every row once, none behind a chain that a booking would wait for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from coworking.booking import services
from coworking.core import audit, chain, chain_checks, checks, guards, links, trail
from coworking.core.audit import AuditEntry
from coworking.core.chain import ChainEntry, Seal
from coworking.core.db import db
from coworking.core.keyring import public_keys
from coworking.core.policy import SYSTEM
from coworking.core.sealing import SEALED, TRAIL, covered
from coworking.core.units import snapshot, write_unit
from coworking.membership.models import LedgerEntry
from coworking.presence.models import Attestation, AttestationPdf
from coworking.pricing.models import Quote, Sale
from coworking.spaces import queries as spaces
from tests.factories import make_subscription, make_tariff
from tests.support.threads import at_once

DAY = frozenset({"am", "pm"})


def write(count: int) -> None:
    with write_unit():
        for number in range(count):
            audit.record(SYSTEM, "test.done", ("test", number))
    db.session.rollback()


def runs(subject: str) -> list[tuple[int, int]]:
    rows = db.session.scalars(select(Seal).where(Seal.subject == subject).order_by(Seal.first_id))
    return [(row.first_id, row.last_id) for row in rows]


@pytest.fixture
def booked(inside, place, cast):
    make_tariff()
    make_subscription(cast.member, halfdays=10)
    services.book_half_days(cast.member.actor(), spaces.today() + timedelta(days=2), DAY)
    db.session.rollback()


def test_a_booking_signs_nothing_and_the_job_seals_all_it_wrote(booked, count_statements):
    assert chain.heads()["trail"]["seq"] == 0
    counts = {
        kind.table.name: db.session.scalar(select(func.count()).select_from(kind.table)) for kind in covered(TRAIL)
    }
    assert counts.pop("attestation") == counts.pop("attestation_paper") == counts.pop("sale") == 0
    assert set(counts) == {"audit_entry", "quote", "ledger_entry"} and counts["quote"] == counts["ledger_entry"] == 2
    assert trail.seal() == sum(counts.values())
    for name, count in counts.items():
        assert sum(last - first + 1 for first, last in runs(name)) == count
    rows = db.session.scalars(select(ChainEntry).where(ChainEntry.chain == TRAIL)).all()
    assert links.problems([(row.link, row.payload) for row in rows], public_keys().get) == []
    with count_statements() as seen:
        assert trail.seal() == 0
    assert len(seen) <= 10, str(seen)


def test_booking_costs_no_statement_more_for_the_chains(booked, cast, count_statements):
    """The chains see neither quotes nor the ledger in a booking's unit."""
    with count_statements() as seen:
        services.book_half_days(cast.stranger.actor(), spaces.today() + timedelta(days=2), DAY)
    assert [one for one in seen if "chain_" in one or " seal" in one] == []


def test_rows_are_sealed_in_runs_and_each_once(inside, place):
    write(150)
    assert trail.seal() == 150
    first = runs("audit_entry")[0][0]
    assert runs("audit_entry") == [(first, first + 63), (first + 64, first + 127), (first + 128, first + 149)]
    write(3)
    assert trail.seal() == 3 and runs("audit_entry")[-1] == (first + 150, first + 152)
    entries = db.session.scalars(select(ChainEntry).where(ChainEntry.chain == TRAIL).order_by(ChainEntry.seq)).all()
    assert ['"opening":true' in row.payload for row in entries] == [True, False]


def test_a_row_that_turns_up_behind_a_sealed_one_is_sealed_too(inside, place):
    """PostgreSQL gives ids before it commits: the unit with the lower one may commit later."""
    write(2)
    late = db.session.scalar(select(func.max(AuditEntry.id))) + 1
    insert = (
        "INSERT INTO audit_entry (id, occurred_at, action, subject_kind, subject_id, details)"
        " SELECT {id}, occurred_at, 'test.done', 'test', 9, '{{}}' FROM audit_entry LIMIT 1"
    )
    for row_id in (late + 1, late):
        with db.engine.begin() as connection:
            connection.execute(text(insert.format(id=row_id)))
        trail.seal()
        db.session.rollback()
    assert runs("audit_entry")[-2:] == [(late, late), (late + 1, late + 1)]
    assert [found for one, found in checks.run() if one.promise == 6 and found] == []


def test_two_workers_at_once_seal_each_row_once(app, place):
    with app.app_context():
        write(40)

    def look() -> int:
        with app.app_context():
            try:
                return trail.seal()
            finally:
                db.session.remove()

    assert sorted(at_once([look] * 4)) == [0, 0, 0, 40]


@pytest.mark.parametrize("hidden", ["subject = 'hidden'", "first_id = 0, last_id = 0"])
def test_a_row_that_is_sealed_twice_is_reported(inside, place, hidden):
    """Its seal is put out of sight, the row is rewritten, the worker seals it again, and the old seal comes back."""
    write(3)
    trail.seal()
    write(3)
    trail.seal()
    db.session.rollback()
    seal = db.session.execute(select(Seal.__table__).order_by(Seal.id.desc())).mappings().first()
    by_hand(f"UPDATE seal SET {hidden} WHERE id = {seal['id']}")
    by_hand(f"UPDATE audit_entry SET action = 'test.undone' WHERE id = {seal['first_id'] + 1}")
    assert trail.seal() == 3
    back = {name: seal[name] for name in ("subject", "first_id", "last_id")}
    by_hand(
        f"UPDATE seal SET subject = :subject, first_id = :first_id, last_id = :last_id WHERE id = {seal['id']}", back
    )
    first = f"audit_entry {seal['first_id']}"
    with snapshot():
        assert list(chain_checks.trail_links()) == []
        found = list(chain_checks.trail_rows())
    assert [one for one in found if one.startswith(f"{first}: trail entry 3 covers it once more")], found
    assert [one for one in found if one.endswith("it is not what trail entry 2 covers")], found


def by_hand(statement: str, values: dict[str, object] | None = None) -> None:
    """As somebody would who has the database's own password."""
    db.session.rollback()
    with db.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text(statement), values or {})
        guards.install(connection)


def test_rows_unsealed_for_too_long_are_reported(inside, place, clock):
    write(1)
    assert [found for one, found in checks.run() if one.promise == 6 and found] == []
    clock.advance(hours=2)
    (found,) = [found for one, found in checks.run() if one.promise == 6 and found]
    assert "does the worker run?" in found[0]
    trail.seal()
    db.session.rollback()
    assert [found for one, found in checks.run() if one.promise == 6 and found] == []


def test_audit_reads_each_table_once_however_many_rows(inside, place, count_statements):
    def statements() -> int:
        trail.seal()
        db.session.rollback()
        with snapshot(), count_statements() as seen:
            for look in (chain_checks.money_rows, chain_checks.trail_links, chain_checks.trail_rows):
                assert list(look()) == []
        return len(seen)

    write(3)
    few = statements()
    for _ in range(4):
        write(150)
        trail.seal()
    assert statements() == few


def test_what_no_digest_covers_is_declared():
    """Everything else of a sealed row is covered; a column that may change has a check of its own."""
    assert {name: set(kind.may_change) for name, kind in SEALED.items() if kind.may_change} == {
        "quote": {"state", "released_at"},
        "sale": {"state", "changed_at", "made_id"},
    }
    models = (Quote, Sale, LedgerEntry, AuditEntry, Attestation, AttestationPdf)
    assert {model.__tablename__ for model in models} == {kind.table.name for kind in covered(TRAIL)}
