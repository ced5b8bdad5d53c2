"""what is given back of a pack

Revision ID: 0079
Revises: 0076
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0079"
down_revision = "0076"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pack_return",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("pack_id", NUMBER, nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("units > 0", name=op.f("ck_pack_return_units")),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_pack_return_cents")),
        sa.ForeignKeyConstraint(["pack_id"], ["pack.id"], name=op.f("fk_pack_return_pack_id_pack")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_pack_return_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_return")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pack_return_public_id")),
    )
    op.create_index("ix_pack_return_pack_id", "pack_return", ["pack_id"])


def downgrade() -> None:
    # The former version knows nothing of it: what was given back could be booked again, though its money has gone.
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER IF EXISTS pack_within ON ledger_entry")
        op.execute("DROP FUNCTION IF EXISTS pack_within()")
    op.drop_table("pack_return")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS pack_return_within()")
