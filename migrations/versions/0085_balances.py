"""files about what is left of packs

Revision ID: 0085
Revises: 0086
"""

from __future__ import annotations

from alembic import op

revision = "0085"
down_revision = "0086"
branch_labels = None
depends_on = None

SUBJECTS = "subject IN ('people', 'organisations', 'subscriptions', {balances}'bookings')"


def _allow(balances: str) -> None:
    with op.batch_alter_table("import_file") as batch:
        batch.drop_constraint(batch.f("ck_import_file_subject"), type_="check")
        batch.create_check_constraint(batch.f("ck_import_file_subject"), SUBJECTS.format(balances=balances))


def upgrade() -> None:
    _allow("'balances', ")


def downgrade() -> None:
    # The former version knows no such files: their packs stay, and what it says of them goes.
    op.execute("DELETE FROM import_line WHERE file_id IN (SELECT id FROM import_file WHERE subject = 'balances')")
    op.execute("DELETE FROM import_file WHERE subject = 'balances'")
    _allow("")
