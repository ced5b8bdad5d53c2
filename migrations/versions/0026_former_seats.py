"""what a resource seated before its seats changed

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNCOUNTED = -1


def upgrade() -> None:
    op.create_table(
        "former_seats",
        sa.Column("id", BIGINT, nullable=False),
        sa.Column("resource_id", BIGINT, nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.CheckConstraint("seats >= 1", name=op.f("ck_former_seats_seats")),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name=op.f("fk_former_seats_resource_id_resource")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_seats")),
        sa.UniqueConstraint("resource_id", "until", name=op.f("uq_former_seats_resource_id_until")),
    )
    _count_again()


def downgrade() -> None:
    op.drop_table("former_seats")
    _count_again()


def _count_again() -> None:
    """Rules of counting have changed: every kept day is out of date. Each keeps the capacity it was counted on."""
    op.execute(sa.text("UPDATE day_fact SET version = :version").bindparams(version=UNCOUNTED))
