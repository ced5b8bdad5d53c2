"""an index of long claims by resource, which the guard against overlaps reads

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LONG = sa.text("live AND long")


def upgrade() -> None:
    op.create_index(
        "ix_claim_resource_id_ends_at",
        "claim",
        ["resource_id", "ends_at"],
        unique=False,
        sqlite_where=LONG,
        postgresql_where=LONG,
    )


def downgrade() -> None:
    op.drop_index("ix_claim_resource_id_ends_at", table_name="claim")
