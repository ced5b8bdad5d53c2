"""people to be phoned about their bookings

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "phone_call",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("booking_id", _BIG, nullable=False),
        sa.Column("person_id", _BIG, nullable=False),
        sa.Column("became", sa.String(), nullable=False),
        sa.Column("had", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("done_by_id", _BIG, nullable=True),
        sa.CheckConstraint(
            "became IN ('moved', 'shortened', 'cancelled')", name=op.f("ck_phone_call_became")
        ),
        sa.CheckConstraint("(done_at IS NULL) = (done_by_id IS NULL)", name=op.f("ck_phone_call_done")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_phone_call_booking_id_booking")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_phone_call_person_id_person")),
        sa.ForeignKeyConstraint(["done_by_id"], ["person.id"], name=op.f("fk_phone_call_done_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call")),
        sa.UniqueConstraint("public_id", name=op.f("uq_phone_call_public_id")),
    )
    waiting = sa.text("done_at IS NULL")
    op.create_index(
        "uq_phone_call_booking_id",
        "phone_call",
        ["booking_id"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_table("phone_call")
