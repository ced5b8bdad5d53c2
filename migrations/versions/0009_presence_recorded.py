"""When a presence was written down

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("presence", sa.Column("recorded_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("presence", "recorded_at")
