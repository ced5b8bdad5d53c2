"""what both half-days of a day cost together

Revision ID: 0091
Revises: 0087
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0091"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tariff_price") as batch:
        batch.add_column(sa.Column("day_cents", sa.Integer(), nullable=True))
        batch.create_check_constraint(
            batch.f("ck_tariff_price_day"),
            "day_cents IS NULL OR (kind = 'desk' AND day_cents >= cents AND day_cents < 2 * cents)",
        )
    with op.batch_alter_table("quote") as batch:
        batch.add_column(sa.Column("alone_cents", sa.Integer(), nullable=True))
        batch.create_check_constraint(
            batch.f("ck_quote_day_rate"),
            "alone_cents IS NULL OR (half IS NOT NULL AND rest_id IS NULL AND cover IN ('tariff', 'agreement', 'free')"
            " AND amount_cents < alone_cents)",
        )


def downgrade() -> None:
    # What was quoted stays what it costs; the former version says no more why.
    if op.get_context().dialect.name == "postgresql":  # the guard names a column that goes
        op.execute("DROP TRIGGER IF EXISTS quote_frozen ON quote")
    with op.batch_alter_table("quote") as batch:
        batch.drop_constraint(batch.f("ck_quote_day_rate"), type_="check")
        batch.drop_column("alone_cents")
    with op.batch_alter_table("tariff_price") as batch:
        batch.drop_constraint(batch.f("ck_tariff_price_day"), type_="check")
        batch.drop_column("day_cents")
