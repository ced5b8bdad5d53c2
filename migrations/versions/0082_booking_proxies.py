"""members who book for somebody else

Revision ID: 0082
Revises: 0085
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0082"
down_revision = "0085"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "booking_proxy",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("proxy_person_id", NUMBER, nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("gets_emails", sa.Boolean(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("named_by_id", NUMBER, nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("person_id <> proxy_person_id", name=op.f("ck_booking_proxy_another")),
        sa.CheckConstraint("ended_at IS NULL OR since <= ended_at", name=op.f("ck_booking_proxy_dates")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_booking_proxy_person_id_person")),
        sa.ForeignKeyConstraint(["proxy_person_id"], ["person.id"], name=op.f("fk_booking_proxy_proxy_person_id_person")),
        sa.ForeignKeyConstraint(["named_by_id"], ["person.id"], name=op.f("fk_booking_proxy_named_by_id_person")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_booking_proxy_ended_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_proxy")),
        sa.UniqueConstraint("public_id", name=op.f("uq_booking_proxy_public_id")),
    )
    op.create_index("ix_booking_proxy_person_id", "booking_proxy", ["person_id"])
    op.create_index("ix_booking_proxy_proxy_person_id", "booking_proxy", ["proxy_person_id"])
    op.create_index(
        "uq_booking_proxy_live", "booking_proxy", ["person_id"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE
    )


def downgrade() -> None:
    op.drop_table("booking_proxy")
