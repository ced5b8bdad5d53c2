"""whether an employer may see the dates of the half-days it pays for someone

Revision ID: 0067
Revises: 0063
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0067"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organisation_member", sa.Column("dates_shown_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("organisation_member", "dates_shown_at")
