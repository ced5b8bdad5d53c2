"""what was used of a plan's month before the lieu moved here

Revision ID: 0093
Revises: 0090
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0093"
down_revision = "0090"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUBJECTS = "subject IN ('people', 'organisations', 'subscriptions', {opened}'balances', 'bookings')"
CHECKS = {
    "quote": "(quote_id IS NULL) = (kind IN ('opening', 'carried'))",
    "unit": "unit IN ('half_day', 'hour')",
    "unit_of_opening": "(unit IS NOT NULL) = (quote_id IS NULL)",
    "opening": "unit IS NULL OR (subscription_id IS NOT NULL AND units IS NOT NULL)",
}
OPENED = sa.text("unit IS NOT NULL")


def _allow(opened: str) -> None:
    with op.batch_alter_table("import_file") as batch:
        batch.drop_constraint(batch.f("ck_import_file_subject"), type_="check")
        batch.create_check_constraint(batch.f("ck_import_file_subject"), SUBJECTS.format(opened=opened))


def upgrade() -> None:
    with op.batch_alter_table("ledger_entry") as batch:
        batch.add_column(sa.Column("unit", sa.String(), nullable=True))
        batch.alter_column("quote_id", existing_type=NUMBER, nullable=True)
        batch.drop_constraint(batch.f("ck_ledger_entry_kind"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_ledger_entry_kind"), "kind IN ('hold', 'consume', 'release', 'opening', 'carried')"
        )
        for name, said in CHECKS.items():
            batch.create_check_constraint(batch.f(f"ck_ledger_entry_{name}"), said)
        batch.create_index(
            "uq_ledger_entry_opening",
            ["subscription_id", "month", "kind", "unit"],
            unique=True,
            sqlite_where=OPENED,
            postgresql_where=OPENED,
        )
    _allow("'plan_months', ")


def downgrade() -> None:
    # The former version counts what is used here alone: what was used before goes, with the files that said so.
    op.execute("DELETE FROM import_line WHERE file_id IN (SELECT id FROM import_file WHERE subject = 'plan_months')")
    op.execute("DELETE FROM import_file WHERE subject = 'plan_months'")
    _allow("")
    if op.get_context().dialect.name == "postgresql":  # the guard refuses what follows
        op.execute("DROP TRIGGER IF EXISTS ledger_entry_append_only ON ledger_entry")
    op.execute("DELETE FROM ledger_entry WHERE quote_id IS NULL")
    with op.batch_alter_table("ledger_entry") as batch:
        batch.drop_index("uq_ledger_entry_opening")
        for name in CHECKS:
            batch.drop_constraint(batch.f(f"ck_ledger_entry_{name}"), type_="check")
        batch.drop_constraint(batch.f("ck_ledger_entry_kind"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_ledger_entry_kind"), "kind IN ('hold', 'consume', 'release')"
        )
        batch.alter_column("quote_id", existing_type=NUMBER, nullable=False)
        batch.drop_column("unit")
