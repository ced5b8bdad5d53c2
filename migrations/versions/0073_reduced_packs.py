"""by whose reduced price a pack or an adhesion was sold

Revision ID: 0073
Revises: 0078
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0078"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("pack", "adhesion")


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("price_group_id", NUMBER, nullable=True))
            batch.create_foreign_key(
                batch.f(f"fk_{table}_price_group_id_price_group"), "price_group", ["price_group_id"], ["id"]
            )


def downgrade() -> None:
    for table in TABLES:  # the price that was agreed stays; only the reason goes
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(batch.f(f"fk_{table}_price_group_id_price_group"), type_="foreignkey")
            batch.drop_column("price_group_id")
