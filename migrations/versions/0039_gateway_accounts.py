"""keys of payment providers, typed by a manager

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "gateway_account",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("is_live", sa.Boolean(), nullable=True),
        sa.Column("looked_at", UTCDateTime(), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("changed_by_id", _BIG, nullable=True),
        sa.CheckConstraint("gateway IN ('stripe', 'helloasso')", name=op.f("ck_gateway_account_gateway")),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["person.id"], name=op.f("fk_gateway_account_changed_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_account")),
        sa.UniqueConstraint("gateway", name=op.f("uq_gateway_account_gateway")),
    )


def downgrade() -> None:
    op.drop_table("gateway_account")
