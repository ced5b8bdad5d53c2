"""Migrations on both engines, from nothing to head and back, with rows that must survive or go in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, select, text

from coworking.accounts.models import ApiToken
from coworking.booking import services
from coworking.core import guards, outbox
from coworking.core.db import db
from coworking.core.units import write_unit
from tests import factories
from tests.conftest import make_app, the_server


@pytest.fixture
def bare(engine_name: str, tmp_path: Path, worker_id: str, clock) -> Iterator[Flask]:
    """An application on a database in which nothing was ever created, its context pushed."""
    name = f"bare_{worker_id}"
    if engine_name == "sqlite":
        url = f"sqlite:///{tmp_path / 'bare.db'}"
    else:
        with the_server().admin() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{name}"')
        url = the_server().url(name)
    app = make_app(url, tmp_path)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if engine_name == "postgresql":
        with the_server().admin() as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def problems() -> list[str]:
    with db.engine.connect() as connection:
        return guards.differences(connection)


def counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in sorted(tables())
        }


def populate() -> None:
    factories.make_place()
    factories.make_cast()
    db.session.remove()


def test_from_nothing_to_head_and_back_with_rows(bare):
    upgrade()
    declared = {table.name for table in db.metadata.sorted_tables}
    assert tables() == declared
    assert problems() == []
    populate()
    before = counts()
    assert before["person"] == 7
    upgrade()
    assert counts() == before, "going to where one is changes nothing"

    downgrade(revision="base")
    assert tables() == set()
    upgrade()
    assert tables() == declared
    assert set(counts().values()) == {0}
    assert problems() == []
    populate()
    assert counts() == before


def test_each_step_down_and_up_again_keeps_the_guards(bare):
    upgrade()
    populate()
    script = ScriptDirectory(bare.extensions["migrate"].directory)
    for revision in script.walk_revisions():
        downgrade(revision=revision.down_revision or "base")
        upgrade(revision=revision.revision)
        assert problems() == [], revision.revision
        downgrade(revision=revision.down_revision or "base")


def _revision_of(bare, ending: str) -> tuple[str, str]:
    """The revision whose file ends so, and the one before it."""
    script = ScriptDirectory(bare.extensions["migrate"].directory)
    (found,) = (step for step in script.walk_revisions() if step.path.endswith(f"_{ending}.py"))
    return found.revision, found.down_revision


def test_tokens_of_before_go_on_for_a_year_with_their_owners_roles(bare, clock):
    _revision, before = _revision_of(bare, "devices_and_token_ends")
    upgrade()
    populate()
    downgrade(revision=before)
    unconfirmed = "UPDATE person SET email_confirmed_at = NULL WHERE email = 'stranger@demo.example'"
    with db.engine.begin() as connection:
        connection.execute(text(unconfirmed))
        for person_id in (1, 3, 5):
            connection.execute(
                text(
                    "INSERT INTO api_token (public_id, person_id, name, digest, scopes, created_at) VALUES "
                    "(:name, :person, 'badge', :name, 'lieu:read', (SELECT created_at FROM person WHERE id = 1))"
                ),
                {"name": f"t{person_id}", "person": person_id},
            )
    upgrade()
    rows = {row.person_id: row for row in db.session.scalars(select(ApiToken))}
    assert {person_id: row.roles for person_id, row in rows.items()} == {1: "member", 3: "member", 5: "manager member"}
    assert {person_id: row.revoked_at is None for person_id, row in rows.items()} == {1: True, 3: False, 5: True}
    assert all(row.ends_at == clock.now + timedelta(days=365) for row in rows.values())


def test_booking_emails_that_wait_are_sent_after_the_upgrade(bare, clock, tmp_path):
    """They wait under topics that nothing handles any more; what waits is told once, what was told is not told again."""
    _revision, before = _revision_of(bare, "booking_news")
    upgrade()
    place, cast = factories.make_place(), factories.make_cast()
    factories.make_tariff()
    actor, halves = cast.stranger.actor(), frozenset({"am"})

    def book(day: int) -> str:
        resource = place.desks[0].public_id
        return services.book_half_days(actor, date(2026, 12, day), halves, resource=resource).public_id

    known, gone, closed = book(1), book(2), book(3)
    clock.advance(minutes=11)
    outbox.run_due()
    new, failed = book(4), book(7)
    services.cancel(actor, gone)
    services.cancel(actor, closed)
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE booking SET cancelled_because = 'closed' WHERE public_id = :public"), {"public": closed}
        )
    db.session.remove()
    downgrade(revision=before)
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE outbox SET state = 'failed' WHERE key LIKE :key"), {"key": f"booking-confirmed:{failed}:%"}
        )
        rows = connection.execute(text("SELECT topic, state FROM outbox WHERE state IN ('waiting', 'failed')"))
        assert sorted(map(tuple, rows)) == [
            ("booking.cancelled", "waiting"),
            ("booking.confirmed", "failed"),
            ("booking.confirmed", "waiting"),
            ("booking.displaced", "waiting"),
        ]
    upgrade()
    clock.advance(minutes=11)
    outbox.run_due()
    (retried,) = outbox.failed()
    with write_unit():
        outbox.retry(retried.public_id)
    outbox.run_due()
    assert outbox.failed() == []
    first, second = sorted((tmp_path / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    assert known in first.read_text()
    body = message_from_bytes(second.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
    assert body.count("Réservé") == 2
    assert body.count("Annulé") == 2
    assert new in body
    assert failed in body
    assert known not in body


def test_the_models_and_the_migrations_say_the_same(bare):
    upgrade()
    check()  # what `flask db check` does; it raises on a difference


def test_one_line_of_history(bare):
    script = ScriptDirectory(bare.extensions["migrate"].directory)
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_an_upgrade_without_migrations_puts_the_guards_back(bare, engine_name):
    upgrade()
    with db.engine.begin() as connection:
        if engine_name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER claim_overlap_insert")
        else:
            connection.exec_driver_sql("ALTER TABLE claim DROP CONSTRAINT claim_overlap")
            connection.exec_driver_sql("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only")
    assert problems() != []
    upgrade()
    assert problems() == []


def test_a_rebuilt_table_loses_its_guards_on_sqlite_and_they_come_back(bare, engine_name):
    """Alembic's batch mode makes the table anew and says nothing of the triggers that went with the old one."""
    upgrade()
    populate()
    before = counts()
    with db.engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("audit_entry") as batch:
            batch.alter_column("action", server_default="unknown")
        lost = guards.differences(connection)
        guards.install(connection)
    assert lost == (
        [f"audit_entry_append_only_{event}: missing" for event in ("update", "delete", "replace_insert")]
        if engine_name == "sqlite"
        else []
    )
    assert problems() == []
    assert counts() == before


def test_no_difference_hides_in_an_index_or_a_type(bare):
    upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [change for change in compare_metadata(context, db.metadata) if "claim_overlap" not in repr(change)]
    assert found == []
