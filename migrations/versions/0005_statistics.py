"""statistics

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_fact",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("capacity", sa.JSON(), nullable=False),
        sa.Column("accessible_minutes", sa.Integer(), nullable=False),
        sa.Column("staffed_minutes", sa.Integer(), nullable=False),
        sa.Column("desk_offered", sa.Integer(), nullable=False),
        sa.Column("desk_booked", sa.Integer(), nullable=False),
        sa.Column("desk_attended", sa.Integer(), nullable=False),
        sa.Column("desk_known", sa.Integer(), nullable=False),
        sa.Column("desk_absent", sa.Integer(), nullable=False),
        sa.Column("desk_late_cancelled", sa.Integer(), nullable=False),
        sa.Column("desk_resident", sa.Integer(), nullable=False),
        sa.Column("room_offered", sa.Integer(), nullable=False),
        sa.Column("room_booked", sa.Integer(), nullable=False),
        sa.Column("room_attended", sa.Integer(), nullable=False),
        sa.Column("room_known", sa.Integer(), nullable=False),
        sa.Column("room_paid", sa.Integer(), nullable=True),
        sa.Column("room_free", sa.Integer(), nullable=True),
        sa.Column("room_internal", sa.Integer(), nullable=False),
        sa.Column("room_guests", sa.Integer(), nullable=False),
        sa.Column("peak_seats", sa.Integer(), nullable=False),
        sa.Column("seats_in_service", sa.Integer(), nullable=False),
        sa.Column("peak_at", UTCDateTime(), nullable=True),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("outside_minutes", sa.Integer(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "desk_attended <= desk_known AND desk_absent <= desk_known", name=op.f("ck_day_fact_known")
        ),
        sa.CheckConstraint(
            "desk_known <= desk_booked AND desk_booked <= desk_offered", name=op.f("ck_day_fact_desks")
        ),
        sa.CheckConstraint(
            "room_attended <= room_booked AND room_booked <= room_offered", name=op.f("ck_day_fact_rooms")
        ),
        sa.CheckConstraint("peak_seats <= seats_in_service", name=op.f("ck_day_fact_peak")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_fact")),
    )
    op.create_table(
        "monthly_return",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("generated_at", UTCDateTime(), nullable=False),
        sa.Column("software_version", sa.String(), nullable=False),
        sa.Column("lieu_id", sa.String(), nullable=False),
        sa.Column("siret", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("code_insee", sa.String(), nullable=True),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("figures_sha256", sa.String(), nullable=False),
        sa.CheckConstraint(
            "status IN ('provisional', 'final', 'restatement')", name=op.f("ck_monthly_return_status")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_monthly_return_revision")),
        sa.CheckConstraint(
            "(status = 'restatement') = (reason IS NOT NULL)", name=op.f("ck_monthly_return_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monthly_return")),
        sa.UniqueConstraint("month", "revision", name=op.f("uq_monthly_return_month_revision")),
    )


def downgrade() -> None:
    op.drop_table("monthly_return")
    op.drop_table("day_fact")
