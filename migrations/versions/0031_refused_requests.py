"""requests that found nothing free; hours attended at desks

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

UNCOUNTED = -1


def upgrade() -> None:
    op.create_table(
        "refused_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('desk', 'room', 'office')", name=op.f("ck_refused_request_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_request")),
        sa.UniqueConstraint("day", "kind", "who", name=op.f("uq_refused_request_day_kind_who")),
    )
    op.add_column("lieu", sa.Column("refusals_from", sa.Date(), nullable=True))
    op.add_column("day_fact", sa.Column("refused", sa.Integer(), nullable=True))
    # Wherever the lieu is: the day after tomorrow at Greenwich is the first that is still whole there.
    first = datetime.now(UTC).date() + timedelta(days=2)
    op.execute(sa.text("UPDATE lieu SET refusals_from = :first").bindparams(sa.bindparam("first", first, sa.Date())))
    _count_again()


def downgrade() -> None:
    op.drop_column("day_fact", "refused")
    op.drop_column("lieu", "refusals_from")
    op.drop_table("refused_request")
    _count_again()


def _count_again() -> None:
    """An hour has a third number now: every kept day is out of date, and keeps the capacity it was counted on."""
    op.execute(sa.text("UPDATE day_fact SET version = :version").bindparams(version=UNCOUNTED))
