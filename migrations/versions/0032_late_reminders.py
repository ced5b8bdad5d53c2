"""e-mails that ask lieux for a return that is late

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "late_reminder",
        sa.Column("id", number, nullable=False),
        sa.Column("network_lieu_id", number, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("written_by_id", number, nullable=True),
        sa.ForeignKeyConstraint(
            ["network_lieu_id"], ["network_lieu.id"], name=op.f("fk_late_reminder_network_lieu_id_network_lieu")
        ),
        sa.ForeignKeyConstraint(["written_by_id"], ["person.id"], name=op.f("fk_late_reminder_written_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_reminder")),
        sa.UniqueConstraint(
            "network_lieu_id", "month", "day", name=op.f("uq_late_reminder_network_lieu_id_month_day")
        ),
    )
    op.create_index(op.f("ix_late_reminder_month"), "late_reminder", ["month"])


def downgrade() -> None:
    op.drop_table("late_reminder")
