"""a lieu's own words for each legal mention

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billing_settings", sa.Column("mentions", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("billing_settings", "mentions")
