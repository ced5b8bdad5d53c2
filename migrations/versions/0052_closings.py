"""closings of takings: each day, month and year

Revision ID: 0052
Revises: 0058
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0052"
down_revision = "0058"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "closing",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("first_entry", NUMBER, nullable=False),
        sa.Column("last_entry", NUMBER, nullable=False),
        sa.Column("sales_cents", NUMBER, nullable=False),
        sa.Column("gross_cents", NUMBER, nullable=False),
        sa.Column("vat_cents", NUMBER, nullable=False),
        sa.Column("perpetual_sales_cents", NUMBER, nullable=False),
        sa.Column("perpetual_gross_cents", NUMBER, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('day', 'month', 'year')", name=op.f("ck_closing_kind")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_closing_seq")),
        sa.CheckConstraint(
            "first_day <= last_day AND (kind <> 'day' OR first_day = last_day)", name=op.f("ck_closing_days")
        ),
        sa.CheckConstraint("starts_at < ends_at AND ends_at <= closed_at", name=op.f("ck_closing_over")),
        sa.CheckConstraint("first_entry > 0 AND last_entry >= first_entry - 1", name=op.f("ck_closing_entries")),
        sa.CheckConstraint("gross_cents >= 0 AND gross_cents >= sales_cents", name=op.f("ck_closing_gross")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        sa.UniqueConstraint("public_id", name=op.f("uq_closing_public_id")),
        sa.UniqueConstraint("kind", "seq", name=op.f("uq_closing_kind_seq")),
        sa.UniqueConstraint("kind", "first_day", name=op.f("uq_closing_kind_first_day")),
        sa.UniqueConstraint("kind", "prev", name=op.f("uq_closing_kind_prev")),
    )


def downgrade() -> None:
    op.drop_table("closing")
