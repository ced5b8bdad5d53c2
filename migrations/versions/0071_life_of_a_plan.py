"""what a change of plan adds within a month, what a plan follows, and that one was taken back

Revision ID: 0071
Revises: 0069
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0071"
down_revision = "0069"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("subscription") as batch:
        batch.add_column(sa.Column("from_day", sa.Date(), nullable=True))
        batch.add_column(sa.Column("replaces_id", NUMBER, nullable=True))
        batch.add_column(sa.Column("withdrawn_at", UTCDateTime(), nullable=True))
        batch.create_foreign_key(
            batch.f("fk_subscription_replaces_id_subscription"), "subscription", ["replaces_id"], ["id"]
        )
        batch.create_check_constraint(
            batch.f("ck_subscription_from_day"), "from_day IS NULL OR (first_month = last_month AND first_month <= from_day)"
        )
        batch.create_index("ix_subscription_replaces_id", ["replaces_id"])


def downgrade() -> None:
    # The former version knows no plan that was taken back: it keeps one month, which costs nothing.
    op.execute("UPDATE subscription SET monthly_cents = 0, last_month = first_month WHERE withdrawn_at IS NOT NULL")
    with op.batch_alter_table("subscription") as batch:
        batch.drop_index("ix_subscription_replaces_id")
        batch.drop_constraint(batch.f("ck_subscription_from_day"), type_="check")
        batch.drop_constraint(batch.f("fk_subscription_replaces_id_subscription"), type_="foreignkey")
        batch.drop_column("withdrawn_at")
        batch.drop_column("replaces_id")
        batch.drop_column("from_day")
