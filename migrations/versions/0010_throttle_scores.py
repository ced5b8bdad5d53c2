"""throttle: scores that halve instead of counts

Revision ID: 0010
Revises: 0009

What was counted is at most a day old and decides only how long someone waits: it begins anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("throttle")
    op.create_table(
        "throttle",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("scored_at", UTCDateTime(), nullable=False),
        sa.Column("waits_until", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_throttle")),
    )


def downgrade() -> None:
    op.drop_table("throttle")
    op.create_table(
        "throttle",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_started_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_throttle")),
    )
