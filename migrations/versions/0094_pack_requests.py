"""members ask for the rest of a pack to be given back

Revision ID: 0094
Revises: 0092
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0094"
down_revision = "0092"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pack_request",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("pack_id", NUMBER, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("pack_return_id", NUMBER, nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("closed_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("outcome IN ('granted', 'declined', 'taken_back')", name=op.f("ck_pack_request_outcome")),
        sa.CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name=op.f("ck_pack_request_closed")),
        sa.CheckConstraint(
            "pack_return_id IS NULL OR (outcome IS NOT NULL AND outcome = 'granted')",
            name=op.f("ck_pack_request_pack_return"),
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["pack.id"], name=op.f("fk_pack_request_pack_id_pack")),
        sa.ForeignKeyConstraint(
            ["pack_return_id"], ["pack_return.id"], name=op.f("fk_pack_request_pack_return_id_pack_return")
        ),
        sa.ForeignKeyConstraint(["closed_by_id"], ["person.id"], name=op.f("fk_pack_request_closed_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pack_request_public_id")),
    )
    op.create_index(
        "uq_pack_request_pack_id",
        "pack_request",
        ["pack_id"],
        unique=True,
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("pack_request")
