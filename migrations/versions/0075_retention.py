"""how long the lieu keeps things, and who was told that their account goes

Revision ID: 0075
Revises: 0072
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import BigInt, UTCDateTime

revision = "0075"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_choice",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("chosen_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_retention_choice")),
    )
    op.create_table(
        "leaving",
        sa.Column("person_id", BigInt, nullable=False),
        sa.Column("leaves_on", sa.Date(), nullable=False),
        sa.Column("told_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_leaving_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_leaving")),
    )


def downgrade() -> None:
    op.drop_table("leaving")
    op.drop_table("retention_choice")
