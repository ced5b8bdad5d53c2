"""the first day counted of a month that began before its lieu did

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("monthly_return", "received_return"):
        op.add_column(table, sa.Column("counted_from", sa.Date(), nullable=True))


def downgrade() -> None:
    for table in ("received_return", "monthly_return"):
        op.drop_column(table, "counted_from")
