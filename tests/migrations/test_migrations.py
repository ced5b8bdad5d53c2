"""Migrations on both engines, from nothing to head and back, with rows that must survive or go in order."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, text

from coworking.core import guards
from coworking.core.db import db
from coworking.core.migrating import newest_migration
from tests.migrations.conftest import populate


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


def test_the_models_and_the_migrations_say_the_same(bare):
    upgrade()
    check()  # what `flask db check` does; it raises on a difference


def test_one_line_of_history(bare):
    script = ScriptDirectory(bare.extensions["migrate"].directory)
    assert script.get_heads() == [newest_migration()], "the number in a file's name is its identifier"
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


def test_the_guards_of_a_rebuilt_sqlite_table_are_restored(bare, engine_name):
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
