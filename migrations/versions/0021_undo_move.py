"""what a booking was before its last move

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("booking", sa.Column("moved_from", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("booking", "moved_from")
